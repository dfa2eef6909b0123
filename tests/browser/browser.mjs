// Chromium: contexts for visits, and the checks of every page.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
export const PHONE = { width: 360, height: 800 };
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export class Browser {
  // `shots`: the folder for screenshots.
  static async start(shots) {
    const browser = new Browser();
    browser.shots = shots;
    browser.chromium = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      headless: true,
      args: FLAGS,
    });
    return browser;
  }

  stop() {
    return this.chromium.close();
  }

  // A visit with a phone. It fails at its end if a page broke its policy, or if a request left this
  // machine.
  async visit(options, steps) {
    const context = await this.chromium.newContext({
      viewport: PHONE,
      deviceScaleFactor: 2,
      ...options,
    });
    context.setDefaultTimeout(10_000);
    const wrong = [];
    // These two are no mistakes: a page with status 4xx, and this driver's own script, which the
    // sandbox of a mail blocks.
    const expected = /status of 4\d\d|Blocked script execution in '[^']*\/messages\//;
    context.on(
      'console',
      (message) =>
        message.type() === 'error' && !expected.test(message.text()) && wrong.push(message.text()),
    );
    context.on(
      'request',
      (request) =>
        new URL(request.url()).hostname !== '127.0.0.1' &&
        wrong.push(`request to ${request.url()}`),
    );
    try {
      await steps(context);
      assert.deepEqual(wrong, []);
    } finally {
      await context.close();
    }
  }

  // Visits `urls` one after the other, and fails at what axe finds or at a page that is too wide.
  async audit(
    urls,
    {
      colorScheme = 'light',
      width = PHONE.width,
      post = null,
      sandboxed = false,
      axe = true,
      storageState = undefined,
    } = {},
  ) {
    // Our policy forbids scripts, and axe is one: so this context ignores the policy.
    const context = await this.chromium.newContext({
      viewport: { width, height: PHONE.height },
      bypassCSP: true,
      colorScheme,
      storageState,
    });
    context.setDefaultTimeout(10_000);
    const wrong = [];
    try {
      const page = await context.newPage();
      for (const url of urls) {
        // A sandboxed document runs no script, so it is looked at without its sandbox.
        if (sandboxed) await page.setContent(await (await fetch(url)).text());
        else await page.goto(url);
        if (post) await post(page);
        if (axe) wrong.push(...(await examine(page, url)));
        const wide = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        if (wide > 0) wrong.push(`${url} is ${wide} px wider than ${width} px`);
      }
      assert.deepEqual(wrong, []);
    } finally {
      await context.close();
    }
  }

  async shot(page, name) {
    await page.screenshot({ path: `${this.shots}/${name}.png`, fullPage: true });
  }
}

// What axe finds.
async function examine(page, url) {
  const mail = /\/(mail[^/]*|messages\/[^/]+)\.html/.test(url);
  await page.evaluate(AXE);
  return page.evaluate(async ([mail, url]) => {
    // The page around a mail has the landmarks. Frames are examined by themselves.
    const rules = {
      'target-size': { enabled: true },
      ...(mail && { region: { enabled: false }, 'landmark-one-main': { enabled: false } }),
    };
    const { violations } = await axe.run(document, { rules, iframes: false });
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${url}: ${id}: ${html}\n    ${failureSummary}`),
    );
  }, [mail, url]);
}
