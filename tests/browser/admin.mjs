// The admin pages in a real browser, on a stack as `cargo run` starts it:
// node admin.mjs BINARY FOLDER, where FOLDER takes the screenshots.
//
// The pages have no script, and all but the keyboard's test visit them with scripts off.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Liquid } from 'liquidjs';
import { ADDED, KNOWN_WITHIN_MS, looks } from './admin_pages.mjs';
import { Browser } from './browser.mjs';
import { Stack, until } from './stack.mjs';
import { Keyboard } from './steps.mjs';
import { run } from './suite.mjs';

const [binary, shots] = process.argv.slice(2);
mkdirSync(shots, { recursive: true });
const [stack, browser] = await Promise.all([
  Stack.launch(binary, [], `${shots}/admin.log`),
  Browser.start(shots),
]);
const KEY = 'aw_admin_local';
const DESK = { viewport: { width: 1100, height: 800 }, deviceScaleFactor: 1 };
let session = null;

const signIn = async (page, key = KEY) => {
  await page.locator('#name').fill('Ann');
  await page.locator('#key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
};

// A visit of somebody who is signed in, at a desk, with scripts off.
const visit = (steps, more = {}) =>
  browser.visit(
    { ...DESK, javaScriptEnabled: false, storageState: session, ...more },
    async (context) => steps(await context.newPage()),
  );

const press = (page, name) => page.getByRole('button', { name }).click();
const follow = (page, name) => page.getByRole('link', { name }).first().click();
const heading = (page, name) => page.getByRole('heading', { name, level: 1 }).waitFor();
const text = async (page, selector = 'main') =>
  (await page.locator(selector).first().textContent()).replace(/\s+/g, ' ');

const body = (email, more) =>
  JSON.stringify({
    channel: 'email',
    ext_interaction_id: `walk-${email.split('@')[0]}`,
    customer: { name: 'Walter Walk', email },
    employee: { email: 'paul@blancapeak.example' },
    ...more,
  });

const agents = async () =>
  (await stack.rows('config')).filter(({ kind }) => kind.S === 'employee').length;

// Reloads until the page says this.
const reads = (page, wanted) =>
  until(`${wanted} on ${page.url()}`, async () => {
    await page.reload();
    return wanted.test(await text(page));
  });

const tests = {
  async 'signs in: a wrong key is told in place, a good one opens what was asked for'() {
    await browser.visit({ ...DESK, javaScriptEnabled: false }, async (context) => {
      const page = await context.newPage();
      await page.goto(`${stack.Admin}/people`);
      await heading(page, 'Sign in');
      await signIn(page, 'aw_live_local');
      await page.getByRole('alert').waitFor();
      assert.equal(await page.locator('#name').inputValue(), 'Ann');
      await signIn(page);
      await heading(page, 'People');
      session = await context.storageState();
      await page.goto(stack.Admin);
      await heading(page, 'Status');
      assert.match(await text(page), /3 minutes ago|4 minutes ago|just now|1 minute ago/);
      assert.ok((await page.locator('svg.bars rect').count()) > 20, 'requests of three weeks');
      await browser.shot(page, 'admin-status');
      await page.setViewportSize({ width: 1100, height: 1560 });
      await page.screenshot({ path: `${shots}/readme-status.png` });
    });
  },

  async 'the send box: an agent sends by hand, from a link of their own'() {
    await visit(async (page) => {
      await page.goto(`${stack.Admin}/send-links?employee=paul`);
      const link = await text(page, 'td code');
      await browser.visit({ javaScriptEnabled: false }, async (context) => {
        const box = await context.newPage();
        await box.goto(link.startsWith('http') ? link : `${stack.API}${link}`);
        const offered = await box.locator('#channel option').allTextContents();
        assert.deepEqual(offered, ['Choose', 'phone'], 'only what is sent by hand');
        await box.locator('#email').fill('by hand');
        await press(box, 'Send the survey');
        await box.getByRole('alert').waitFor();
        assert.equal(await box.locator('#email').inputValue(), 'by hand');
        await browser.shot(box, 'send-box-mistakes');
        await box.locator('#email').fill('byhand@customers.example');
        await box.locator('#channel').selectOption('phone');
        await box.locator('#ticket').fill('call-7');
        await press(box, 'Send the survey');
        await reads(box, /sent|delivered/i);
        await browser.shot(box, 'send-box-sent');
      });
      const mails = await until('the mail', async () => {
        const mails = await stack.mails('byhand@customers.example');
        return mails.length > 0 && mails;
      });
      assert.equal(mails.length, 1);
    });
  },

  async 'flips phone to integrated, and the next request is sent'() {
    const manual = body('manual@customers.example', { channel: 'phone' });
    const before = await stack.post('/v1/requests', manual);
    assert.deepEqual([before.http, before.code], [400, 'channel_manual']);
    await visit(async (page) => {
      await page.goto(`${stack.Admin}/channels`);
      await browser.shot(page, 'admin-channels');
      await follow(page, /Set phone to integrated/);
      assert.match(await text(page), /\d+ live requests came for this channel in the last 7 days/);
      await browser.shot(page, 'admin-flip');
      await page.locator('form.edit button').click();
      await page.getByRole('status').waitFor();
      assert.match(await text(page, 'table'), /phone.*integrated/);
    });
    const end = Date.now() + KNOWN_WITHIN_MS;
    for (let n = 0; ; n += 1) {
      const email = `flipped-${n}@customers.example`;
      const reply = await stack.post('/v1/requests', body(email, { channel: 'phone' }));
      if (reply.http === 200) {
        assert.equal(await stack.outcome(reply.request_id), 'delivered');
        assert.equal((await stack.mails(email)).length, 1);
        break;
      }
      assert.ok(Date.now() < end, 'the flip has no effect');
      await pause(2_000);
    }
    await visit(async (page) => {
      await page.goto(`${stack.Admin}/send-links?employee=paul`);
      const link = await text(page, 'td code');
      await page.goto(link.startsWith('http') ? link : `${stack.API}${link}`);
      assert.match(await text(page), /Nothing is to be sent by hand/);
    });
  },

  async 'imports 200 agents: first a dry run, then all or nothing'() {
    const before = await agents();
    const rows = [...Array(200).keys()].map(
      (n) => `Agent${n}@blancapeak.example;"Agent ""No. ${n}""";approved;imp-${n}`,
    );
    // As a spreadsheet exports it: UTF-16 with its mark, and semicolons.
    const csv = (rows) => {
      const text = ['\ufeffE-mail;Name;Status;Custom_id', ...rows, ''].join('\r\n');
      return { name: 'agents.csv', mimeType: 'text/csv', buffer: Buffer.from(text, 'utf16le') };
    };
    await visit(async (page) => {
      await page.goto(`${stack.Admin}/people`);
      await follow(page, 'Import a list');
      await page.locator('#file').setInputFiles(csv([...rows, 'nobody;Nobody;approved;']));
      await press(page, 'Check the list');
      assert.match(await text(page, '[role=alert]'), /1 of 201 rows/);
      assert.equal(await page.getByRole('button', { name: /^Import: / }).count(), 0);
      await page.locator('#file').setInputFiles(csv(rows));
      await press(page, 'Check the list');
      assert.match(await text(page), /200 added, 0 changed/);
      assert.equal(await agents(), before, 'nothing is written yet');
      await page.screenshot({ path: `${shots}/admin-import.png` });
      await press(page, 'Import: add 200, change 0');
      await page.getByRole('status').waitFor();
      assert.equal(await agents(), before + 200);
      await page.locator('#text').fill('agent137@');
      await press(page, 'Show');
      assert.match(await text(page, 'tbody'), /agent137@blancapeak\.example.*Agent "No. 137"/);
      await browser.shot(page, 'admin-people');
    });
  },

  async 'follows an invalid request from the list to its cause, mends it, and sends it'() {
    const email = 'unlucky@customers.example';
    const unknown = body(email, { employee: { email: ADDED } });
    const refused = await stack.post('/v1/requests', unknown);
    assert.deepEqual([refused.http, refused.code], [400, 'employee_not_found']);
    await visit(async (page) => {
      await page.goto(stack.Admin);
      await follow(page, 'Requests');
      await follow(page, 'Invalid');
      await page.locator('#ext_interaction_id').fill('walk-unlucky');
      await press(page, 'Show');
      await page.locator('tbody tr td a').first().click();
      const request = page.url();
      assert.ok(request.endsWith(refused.request_id), request);
      assert.match(await text(page), new RegExp(`nobody is called ${ADDED}`));
      assert.ok(!(await page.content()).includes(email), 'the address is masked');
      await browser.shot(page, 'admin-request');
      await page.screenshot({ path: `${shots}/readme-request.png` });
      await press(page, 'Show the address');
      assert.ok((await text(page)).includes(email));
      await follow(page, `Add ${ADDED}`);
      assert.equal(await page.locator('#email').inputValue(), ADDED);
      await page.locator('#custom_id').fill('522743');
      await page.locator('#name').fill('Added By Hand');
      await press(page, 'Save');
      await page.getByRole('alert').waitFor();
      assert.match(await text(page, '[role=alert]'), /belongs to paul/);
      assert.equal(await page.locator('#name').inputValue(), 'Added By Hand');
      await page.locator('#custom_id').fill('');
      await press(page, 'Save');
      await page.getByRole('status').waitFor();
      await page.goto(request);
      await press(page, 'Send now');
      await page.waitForURL(/done=sent/);
      await reads(page, /delivered/);
      await browser.shot(page, 'admin-request-sent');
    });
    assert.equal((await stack.mails(email)).length, 1);
  },

  async 'erases a person, and nothing of them is in any table'() {
    const email = 'erika@customers.example';
    const mail = await stack.mail(email, { customer: { name: 'Erika Mustermann', email } });
    const answer = new URLSearchParams({ stars: '2', comment: 'Call me: Erika Mustermann' });
    const answered = await fetch(mail.survey, { method: 'POST', body: answer, redirect: 'manual' });
    assert.equal(answered.status, 303);
    const held = await stack.everything();
    for (const trace of ['Erika', email, mail.requestId]) assert.ok(held.includes(trace), trace);
    await visit(async (page) => {
      await page.goto(`${stack.Admin}/suppression`);
      await page.locator('#email').fill(` ${email.toUpperCase()}`);
      await press(page, 'Look up');
      assert.match(await text(page, '[aria-labelledby=found]'), /surveyed|suppression/i);
      await press(page, 'Show what would be erased');
      await browser.shot(page, 'admin-erase-dry-run');
      assert.ok((await stack.everything()).includes('Erika'), 'a dry run erases nothing');
      await page.locator('#confirm').check();
      await page.locator('input[name=answers][value=delete]').check();
      await page.getByRole('button', { name: 'Erase', exact: true }).click();
      await page.waitForURL(/done=eras/);
      assert.match(await text(page), /This person was erased/);
      await browser.shot(page, 'admin-erased');
    });
    const left = (await stack.everything()).toLowerCase();
    for (const trace of ['erika', 'mustermann', email, mail.requestId])
      assert.ok(!left.includes(trace), trace);
  },

  async 'sets up Zendesk, with the payload as a Liquid engine renders it'() {
    const ticket = {
      id: 4711,
      status: 'Solved',
      link: 'blancapeak.zendesk.com/agent/tickets/4711',
      tags: 'vip late_delivery',
      brand: { name: 'Blanca Kids' },
      assignee: { email: 'paul@blancapeak.example' },
      requester: {
        name: 'Jane "JD" O\'Neil', // quotes break the JSON, as they do in Zendesk
        email: ' liquid@customers.example',
        locale: 'de',
      },
    };
    await visit(async (page) => {
      await page.goto(stack.Admin);
      await follow(page, 'Set-up');
      await heading(page, 'Set up Zendesk');
      for (const box of await page.locator('input[name=channel]').all()) {
        if ((await box.getAttribute('value')) === 'email') await box.check();
        else await box.uncheck();
      }
      await page.locator('#brand').selectOption('ticket');
      await page.locator('#language').selectOption('ticket');
      await press(page, 'Show what to paste');
      const url = await page.locator('#url').inputValue();
      const payload = await page.locator('#payload-email').inputValue();
      assert.equal(url, `${stack.API}/v1/webhooks/zendesk`);
      const rendered = await new Liquid().parseAndRender(payload, { ticket });
      assert.throws(() => JSON.parse(rendered), 'as hostile as a name can be');
      await follow(page, 'Wait for the first delivery');
      assert.match(await text(page, '#deliveries'), /Waiting for the first delivery/);
      await browser.shot(page, 'admin-set-up-waiting');
      const reply = await stack.post(url.replace(stack.API, ''), rendered);
      assert.deepEqual([reply.http, reply.status], [200, 'queued']);
      // The page loads itself again.
      await page.locator('#deliveries article').waitFor({ timeout: 15_000 });
      const arrived = await text(page, '#deliveries article');
      for (const wanted of ['4711', 'O\'Neil', 'paul@blancapeak.example', 'blancakids', 'de'])
        assert.ok(arrived.includes(wanted), `${wanted}: ${arrived}`);
      await browser.shot(page, 'admin-set-up-arrived');
      assert.equal(await stack.outcome(reply.request_id), 'delivered');
      assert.equal((await stack.mails('liquid@customers.example')).length, 1);

      await page.locator('#payload-tried').fill(payload);
      await press(page, 'Try it');
      assert.match(await text(page, 'main'), /An ordinary ticket: Understood/);
      await page.locator('#payload-tried').fill('{ "customer": {{ ticket.nothing }');
      await press(page, 'Try it');
      await browser.shot(page, 'admin-set-up-tried');
      assert.match(await text(page, 'main'), /Refused|cannot be tried/i);
    });
  },

  async 'with the keyboard alone: signs in, flips a channel, and signs out'() {
    await browser.visit(DESK, async (context) => {
      const page = await context.newPage();
      await page.goto(`${stack.Admin}/channels`);
      const keys = new Keyboard(page);
      await keys.to('#name');
      await page.keyboard.type('Kim');
      await keys.to('#key');
      await page.keyboard.type(KEY);
      await keys.press('Enter');
      await heading(page, 'Channels');
      assert.match((await keys.to('a.skip'))[0], /Skip/, 'the first stop leads past the menu');
      await keys.press('Enter');
      await keys.to('a[href*="flip=phone"]');
      await keys.press('Enter');
      await page.waitForURL(/flip=phone/);
      await keys.to('form.edit button');
      await keys.press('Space');
      await page.waitForURL(/done=manual/);
      assert.match(await text(page, 'tbody'), /phone\s*manual/);
      await keys.to('header form button');
      await keys.press('Enter');
      await heading(page, 'Sign in');
      await page.goto(`${stack.Admin}/channels`);
      await heading(page, 'Sign in');
    });
  },

  async 'the audit trail has it all, and no customer'() {
    await visit(async (page) => {
      await page.goto(`${stack.Admin}/audit`);
      const trail = await text(page);
      for (const wanted of ['Ann', 'Kim', 'channel/phone', `employee/${ADDED}`])
        assert.ok(trail.includes(wanted), wanted);
      assert.doesNotMatch(trail, /@customers\.example/);
      await browser.shot(page, 'admin-audit');
    });
  },

  async 'no page has a script, and axe finds nothing, light and dark, at 320 px'() {
    // A fault, which stands at the top of every page.
    await stack.config('channel', 'letter', { mode: { S: 'manuel' }, colour: { S: 'red' } });
    for (const colorScheme of ['light', 'dark']) await looks(stack, browser, session, colorScheme);
  },
};

await run(tests);
await browser.stop();
stack.stop();
