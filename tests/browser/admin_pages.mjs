// Every admin page in each of its states, looked at with axe on a small phone.

import assert from 'node:assert/strict';
import { until } from './stack.mjs';

// The agent whom the walk adds.
export const ADDED = 'newcomer@blancapeak.example';

// A function knows a changed setting within 30 seconds.
export const KNOWN_WITHIN_MS = 45_000;

const SMALL = 320;

export async function looks(stack, browser, session, colorScheme) {
  const options = { colorScheme, width: SMALL, storageState: session };
  const at = (path) => `${stack.Admin}${path}`;
  const look = async (paths, post = null) => browser.audit(paths.map(at), { ...options, post });
  const press = (name) => async (page) => {
    await Promise.all([page.waitForNavigation(), page.getByRole('button', { name }).click()]);
  };

  const cookie = session.cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
  const source = async (url) =>
    (await fetch(url, { headers: { cookie, accept: 'text/html' } })).text();
  await until(
    'the fault on every page',
    async () => (await source(at(''))).includes('channel/letter'),
    KNOWN_WITHIN_MS,
  );

  const paths = [
    '',
    '/requests',
    '/requests?status=invalid',
    '/requests?mode=test',
    '/requests?from=yesterday',
    '/requests?channel=nowhere',
    ...(await requests(stack)).map((id) => `/requests/${id}`),
    '/channels',
    '/channels?flip=chat',
    '/channels?edit=phone',
    '/channels?add=1',
    '/channels?delete=letter',
    '/settings',
    '/brands',
    '/brands?edit=blancakids',
    '/brands?add=1',
    '/languages',
    '/people',
    '/people?text=nobody-is-called-so',
    '/people?add=',
    '/people?edit=paul%40blancapeak.example',
    '/people?remove=gus%40blancapeak.example',
    '/people/import',
    '/send-links',
    '/keys',
    '/set-up/zendesk?chosen=yes&channel=email&channel=phone&brand=ticket&tags=360001',
    '/set-up/freshdesk?chosen=yes&channel=email',
    '/set-up/gorgias?chosen=yes',
    '/set-up/gladly',
    '/set-up/zendesk?since=2026-01-01T00:00:00Z',
    '/suppression',
    '/answers',
    '/audit',
    '/nowhere',
  ];
  await look(paths);
  await browser.audit([at('/sign-in')], { colorScheme, width: SMALL });
  for (const path of paths) assert.doesNotMatch(await source(at(path)), /<script|\son\w+=/, path);

  // What forms lead to, with mistakes and without.
  await look(['/people?add='], async (page) => {
    await page.locator('#email').fill('nobody@');
    await page.locator('form.edit').evaluate((form) => (form.noValidate = true));
    await press('Save')(page);
  });
  await look(['/people/import'], async (page) => {
    await page.locator('#text').fill('email,name\nann@x.example,Ann\nnobody,Ben\n');
    await press('Check the list')(page);
  });
  await look(['/channels?edit=chat'], async (page) => {
    await page.locator('#delay_minutes').fill('soon');
    await press('Save')(page);
  });
  await look(['/channels?edit=chat'], async (page) => {
    // Another admin is faster.
    const delay = { N: String(Date.now() % 1_000) };
    await stack.config('channel', 'chat', { mode: { S: 'integrated' }, delay_minutes: delay });
    await page.locator('#delay_minutes').fill('3');
    await press('Save')(page);
    assert.match(await page.getByRole('alert').textContent(), /Somebody else was faster/);
  });
  await look(['/settings'], async (page) => {
    await page.locator('#suppression_days').fill('a week');
    await page.locator('main form button').last().click();
    await page.getByRole('alert').waitFor();
  });
  await look(['/keys'], async (page) => {
    await page.locator('#label').fill(`axe, ${colorScheme}`);
    await page.locator('#mode-test').check();
    await page.locator('#scope-send').check();
    await press('Make the key')(page);
    assert.match(await page.locator('#key').inputValue(), /^aw_test_/);
  });
  await look(['/suppression'], async (page) => {
    await page.locator('#email').fill('jane@customers.example');
    await press('Look up')(page);
    await press('Show what would be erased')(page);
  });
  await look(['/set-up/zendesk'], async (page) => {
    await page.locator('#payload-tried').fill('{"channel": "{{ ticket.via }}"}');
    await press('Try it')(page);
  });
  await box(stack, browser, session, colorScheme);
}

async function box(stack, browser, session, colorScheme) {
  const context = await browser.chromium.newContext({ storageState: session });
  const page = await context.newPage();
  await page.goto(`${stack.Admin}/send-links?employee=paul`);
  const link = await page.locator('td code').first().textContent();
  await context.close();
  const url = link.startsWith('http') ? link : `${stack.API}${link}`;
  const options = { colorScheme, width: SMALL };
  await browser.audit([url, `${stack.API}/send/none`], options);
}

// A request of each end.
async function requests(stack) {
  const ends = new Map();
  for (const row of await stack.rows('interactions'))
    ends.set(`${row.status.S} ${row.reason?.S}`, row.request_id.S);
  assert.ok(ends.size > 8, [...ends.keys()].join(', '));
  return [...ends.values()];
}
