// The survey in a real browser: node run.mjs BINARY FOLDER [ONLY], where FOLDER takes the
// screenshots, and ONLY is a part of the names of the tests to run.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Browser } from './browser.mjs';
import { Stack } from './stack.mjs';
import { Keyboard, openMail, opened, send } from './steps.mjs';
import { run } from './suite.mjs';

const [binary, shots, only] = process.argv.slice(2);
mkdirSync(shots, { recursive: true });
const [stack, browser] = await Promise.all([Stack.start(binary), Browser.start(shots)]);
const LANGUAGES = [
  'en',
  'ar',
  'de',
  'es',
  'es-419',
  'fr',
  'he',
  'it',
  'ja',
  'nl',
  'pl',
  'pt-BR',
  'sv',
  'zh-Hans',
];
let scanned = null;

const tests = {
  async 'a scanner that opens every link twice changes nothing'() {
    const mail = await stack.mail('scanned@customers.example');
    assert.equal(mail.links.length, 7);
    const before = await stack.memory();
    for (const method of ['GET', 'HEAD', 'GET', 'HEAD']) {
      for (const url of mail.links) {
        const response = await fetch(url, { method });
        assert.equal(response.status, 200, `${method} ${url}`);
        assert.equal((await response.text()).length > 0, method === 'GET');
      }
    }
    // One that runs scripts, too.
    await browser.visit({}, async (context) => {
      const page = await context.newPage();
      for (const url of mail.links) await page.goto(url, { waitUntil: 'networkidle' });
    });
    assert.equal(await stack.memory(), before);
    scanned = { ...mail, at: Date.now() };
    await stack.endWindows();
    await stack.mail('scanned@customers.example');
  },

  async 'by touch: four stars, comment, thanks, another answer, unsubscribe, undo'() {
    const mail = await stack.mail('touch@customers.example');
    await browser.visit({ hasTouch: true }, async (context) => {
      const { page, frame } = await openMail(context, stack, mail);
      const survey = await opened(page, () => frame.locator('a[href$="stars=4"]').tap());
      assert.ok(await survey.locator('#stars-4').isChecked());
      assert.equal(await stack.answer(mail.requestId), null);
      await browser.shot(survey, 'survey');
      await survey.locator('#topic-speed').tap();
      await survey.locator('#comment').fill('Quick & kind <3');
      await send(survey);
      await browser.shot(survey, 'thanks');
      assert.deepEqual(await stack.answer(mail.requestId), {
        stars: 4,
        comment: 'Quick & kind <3',
      });
      assert.equal(await survey.locator('#comment').inputValue(), 'Quick & kind <3');

      await survey.locator('label[for=stars-2]').tap();
      await send(survey);
      assert.match(await survey.locator('.receipt').textContent(), /2 stars/);
      assert.deepEqual(await stack.answer(mail.requestId), {
        stars: 2,
        comment: 'Quick & kind <3',
      });
      await survey.goto(mail.survey);
      assert.match(
        await survey.locator('.receipt').textContent(),
        /2 stars/,
        'the link shows the receipt from now on',
      );

      const out = await opened(page, () => frame.locator('a[href*="/u/"]').tap());
      await browser.shot(out, 'unsubscribe');
      await out.locator('button[value=all]').tap();
      await out.waitForURL(/\?done=all/);
      await browser.shot(out, 'unsubscribed');
      await stack.endWindows();
      assert.equal(
        await stack.outcome(await stack.request('touch@customers.example')),
        'unsubscribed',
      );
      await out.locator('button[name=undo]').tap();
      await out.waitForURL(/\?undone=1/);
      await stack.mail('touch@customers.example');
    });
  },

  async 'with the keyboard alone'() {
    const mail = await stack.mail('keys@customers.example');
    await browser.visit({}, async (context) => {
      const page = await context.newPage();
      await page.goto(stack.Mailbox);
      const mailbox = new Keyboard(page);
      await mailbox.to(`a[href="/messages/${mail.id}"]`);
      await mailbox.press('Enter');
      await page.waitForURL(/messages/);
      await page.frameLocator('iframe').locator('h1').waitFor();
      const stops = await mailbox.to('a[href$="stars=4"]');
      assert.match(stops.join('|'), /★1Very poor\|★2Poor\|★3Okay\|★4Good$/);
      const survey = await opened(page, () => mailbox.press('Enter'));

      const keys = new Keyboard(survey);
      assert.deepEqual(
        await keys.to('[name=stars]'),
        ['stars-4'],
        'the chosen star is the first stop',
      );
      await keys.press('ArrowRight');
      assert.ok(await survey.locator('#stars-5').isChecked());
      await keys.press('ArrowLeft', 'ArrowLeft');
      assert.ok(await survey.locator('#stars-3').isChecked());
      assert.deepEqual(await keys.to('#topic-speed'), ['topic-solution', 'topic-speed']);
      await keys.press('Space');
      await keys.to('#comment');
      await survey.keyboard.type('Typed');
      assert.equal((await keys.to('button')).length, 1, 'the button follows the comment');
      await keys.press('Enter');
      await survey.waitForURL(/\?thanks=3/);
      assert.deepEqual(await stack.answer(mail.requestId), { stars: 3, comment: 'Typed' });
      await keys.to('[name=stars]');
      await keys.press('ArrowRight');
      await keys.to('button');
      await keys.press('Enter');
      await survey.waitForURL(/\?thanks=4/);
      assert.deepEqual(await stack.answer(mail.requestId), { stars: 4, comment: 'Typed' });

      await page.bringToFront();
      await mailbox.to('a[href*="/u/"]');
      const out = new Keyboard(await opened(page, () => mailbox.press('Enter')));
      await out.to('button[value=brand]');
      await out.press('Enter');
      await out.page.waitForURL(/\?done=brand/);
      await stack.endWindows();
      assert.equal(
        await stack.outcome(await stack.request('keys@customers.example')),
        'unsubscribed',
      );
      await out.to('button[name=undo]');
      await out.press('Enter');
      await out.page.waitForURL(/\?undone=1/);
      await stack.mail('keys@customers.example');
    });
  },

  async 'with scripts off, and mistakes told in place'() {
    const mail = await stack.mail('noscript@customers.example');
    await browser.visit({ javaScriptEnabled: false }, async (context) => {
      const { page, frame } = await openMail(context, stack, mail);
      await browser.shot(page, 'mailbox');
      const survey = await opened(page, () => frame.locator('a').nth(5).click());
      assert.equal(
        await survey.locator('[name=stars]:checked').count(),
        0,
        'nothing is chosen for the customer',
      );
      await survey.locator('#comment').fill('Kept');
      await survey.locator('button').click();
      await survey.locator('.errors').waitFor();
      assert.match(await survey.title(), /^Error: /);
      assert.equal(await survey.locator('#comment').inputValue(), 'Kept');
      await browser.shot(survey, 'mistakes');
      assert.equal(await stack.answer(mail.requestId), null);
      await survey.locator('.errors a').click();
      await survey.locator('label[for=stars-4]').click();
      await send(survey);
      assert.deepEqual(await stack.answer(mail.requestId), { stars: 4, comment: 'Kept' });
      await survey.locator('label[for=stars-5]').click();
      await send(survey);
      assert.deepEqual(await stack.answer(mail.requestId), { stars: 5, comment: 'Kept' });
      const out = await opened(page, () => frame.locator('a[href*="/u/"]').click());
      await out.locator('button[value=all]').click();
      await out.locator('button[name=undo]').click();
      await out.waitForURL(/\?undone=1/);
    });
  },

  async 'in Arabic, from right to left'() {
    const mail = await stack.mail('arabic@customers.example', { language: 'ar' });
    await browser.visit({}, async (context) => {
      const { page, frame } = await openMail(context, stack, mail);
      assert.equal(await frame.locator('html').getAttribute('dir'), 'rtl');
      assert.equal(await frame.locator('[role=article]').getAttribute('dir'), 'rtl');
      const x = async (scope, selector) => (await scope.locator(selector).boundingBox()).x;
      assert.ok(
        (await x(frame, 'a[href$="stars=1"]')) > (await x(frame, 'a[href$="stars=5"]')),
        'one star is rightmost in the mail',
      );
      const survey = await opened(page, () => frame.locator('a[href$="stars=4"]').click());
      assert.deepEqual(
        [
          await survey.locator('html').getAttribute('dir'),
          await survey.locator('html').getAttribute('lang'),
        ],
        ['rtl', 'ar'],
      );
      assert.ok(
        (await x(survey, 'label[for=stars-1]')) > (await x(survey, 'label[for=stars-5]')),
        'and on the page',
      );
      await browser.shot(survey, 'survey-ar');
      await survey.locator('#stars-4').focus();
      await survey.keyboard.press('ArrowRight');
      await survey.keyboard.press('ArrowLeft');
      assert.ok(await survey.locator('#stars-4').isChecked());
      await survey.locator('#comment').fill('شكرا');
      await send(survey);
      assert.equal(await survey.locator('html').getAttribute('dir'), 'rtl');
      await browser.shot(survey, 'thanks-ar');
      assert.deepEqual(await stack.answer(mail.requestId), { stars: 4, comment: 'شكرا' });
      await survey.locator('label[for=stars-5]').click();
      await send(survey);
      const out = await opened(page, () => frame.locator('a[href*="/u/"]').click());
      assert.equal(await out.locator('html').getAttribute('dir'), 'rtl');
      await out.locator('button[value=all]').click();
      await out.locator('button[name=undo]').click();
      await out.waitForURL(/\?undone=1/);
      assert.equal(await out.locator('html').getAttribute('lang'), 'ar');

      // The language can be changed on the page, and stays changed.
      await survey.goto(`${mail.survey}?stars=3`);
      await survey.locator('nav a[hreflang=de]').click();
      await survey.waitForURL(/lang=de/);
      assert.deepEqual(
        [
          await survey.locator('html').getAttribute('dir'),
          await survey.locator('html').getAttribute('lang'),
        ],
        ['ltr', 'de'],
      );
      assert.ok(await survey.locator('#stars-3').isChecked(), 'the star that was chosen stays');
      await send(survey);
      assert.equal(await survey.locator('html').getAttribute('lang'), 'de');
    });
  },

  async 'axe finds nothing on any page of a survey, light and dark'() {
    const over = await stack.mail('late@customers.example');
    const long = 20 * 24 * 3600 * 1000;
    for (const name of ['sent_at', 'claimed_at', 'open_until']) {
      await stack.dynamodb('UpdateItem', {
        TableName: 'interactions',
        Key: { request_id: { S: over.requestId } },
        UpdateExpression: 'SET #t = :t',
        ExpressionAttributeNames: { '#t': name },
        ExpressionAttributeValues: { ':t': { N: String(Date.now() - long) } },
      });
    }
    const pressed = (selector) => async (page) => {
      await Promise.all([page.waitForNavigation(), page.locator(selector).click()]);
    };
    for (const colorScheme of ['light', 'dark']) {
      const mail = await stack.mail(`axe-${colorScheme}@customers.example`);
      const look = (urls, more) => browser.audit(urls, { colorScheme, ...more });
      await look([
        `${mail.survey}?stars=4`,
        `${mail.survey}?lang=ar`,
        `${mail.survey}x`,
        over.survey,
        mail.unsubscribe,
      ]);
      await look([mail.survey], { post: pressed('form button') });
      await look([`${mail.survey}?stars=5`], { post: pressed('form button') });
      await look([mail.unsubscribe], { post: pressed('button[value=brand]') });
      await look([mail.unsubscribe], { post: pressed('button[name=undo]') });
      await look([mail.unsubscribe], { post: pressed('button[value=all]') });
      await look([mail.survey]);
      await look([mail.unsubscribe], { post: pressed('button[name=undo]') });
      await look([
        stack.Mailbox,
        `${stack.Mailbox}/messages/${mail.id}`,
        `${stack.Mailbox}/messages/none`,
        `${stack.Mailbox}/gallery?look=sunny`,
      ]);
      await look([`${stack.Mailbox}/messages/${mail.id}.html`], { sandboxed: true });
      assert.equal((await fetch(`${mail.survey}x`)).status, 404);
    }
    assert.equal((await fetch(over.survey)).status, 410);
  },

  async 'axe finds nothing in the gallery, and nothing is wider than a small phone'() {
    const overview = await (await fetch(`${stack.Mailbox}/gallery`)).text();
    const states = [
      ...overview.matchAll(/src="\/gallery\/blancakids\/light\/([a-z-]+)\.html/g),
    ].map(([, state]) => state);
    const names = [...new Set(states)];
    assert.equal(names.length, 21);
    const urls = (look, scheme, lang) =>
      names.map((name) => `${stack.Mailbox}/gallery/${look}/${scheme}/${name}.html?lang=${lang}`);
    const all = ['blancakids', 'company', 'sunny'].flatMap((look) =>
      ['light', 'dark'].flatMap((scheme) => urls(look, scheme, 'en')),
    );
    all.push(...urls('blancakids', 'light', 'ar'));
    const texts = LANGUAGES.flatMap((lang) => urls('sunny', 'light', lang));
    await Promise.all([
      browser.audit(all, { sandboxed: true, width: 320 }),
      browser.audit(texts, { sandboxed: true, width: 320, axe: false }),
    ]);
  },

  async 'pictures of every page in every language, at phone width'() {
    const context = await browser.chromium.newContext({
      viewport: { width: 360, height: 740 },
      deviceScaleFactor: 1,
    });
    const page = await context.newPage();
    for (const [lang, look, scheme] of [
      ...LANGUAGES.map((lang) => [lang, 'blancakids', 'light']),
      ['en', 'blancakids', 'dark'],
      ['en', 'sunny', 'light'],
    ]) {
      for (const state of ['mail', 'survey-chosen', 'thanks', 'unsubscribe']) {
        await page.goto(`${stack.Mailbox}/gallery/${look}/${scheme}/${state}.html?lang=${lang}`);
        await browser.shot(page, `gallery-${state}-${lang}-${look}-${scheme}`);
      }
    }
    await context.close();
  },

  async 'the scanner has left nothing in the export, ten seconds later'() {
    await pause(Math.max(0, scanned.at + 12_000 - Date.now()));
    const rows = await stack.data();
    assert.ok(rows.length >= 4, 'what customers answered is there');
    assert.ok(
      rows.every(
        (row) =>
          row.ext_interaction_id !== undefined && !row.ext_interaction_id.includes('scanned@'),
      ),
    );
  },
};

await run(tests, only);
await browser.stop();
stack.stop();
