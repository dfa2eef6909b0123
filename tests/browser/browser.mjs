// Chromium: contexts to visit in, and what is looked at on every page.

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

  // Someone with a phone. Whatever a page does that its policy forbids, and every request that leaves this machine, fails the visit at its end.
  async visit(options, steps) {
    const context = await this.chromium.newContext({
      viewport: PHONE,
      deviceScaleFactor: 2,
      ...options,
    });
    context.setDefaultTimeout(10_000);
    const wrong = [];
    // A page that answers 4xx is no mistake; nor is this driver's own script, which it tries in a mail's sandbox.
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

  // What a machine can find wrong with pages: `urls` are visited one after the other.
  async audit(
    urls,
    { colorScheme = 'light', width = PHONE.width, post = null, sandboxed = false, axe = true } = {},
  ) {
    // axe has to be brought in, which our policy forbids as it should: a context of its own, which ignores the policy.
    const context = await this.chromium.newContext({
      viewport: { width, height: PHONE.height },
      bypassCSP: true,
      colorScheme,
    });
    try {
      const page = await context.newPage();
      for (const url of urls) {
        // A sandboxed document runs no script, so it is looked at without its sandbox.
        if (sandboxed) await page.setContent(await (await fetch(url)).text());
        else await page.goto(url);
        if (post) await post(page);
        if (axe) await examine(page, url);
        const wide = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
      }
    } finally {
      await context.close();
    }
  }

  async shot(page, name) {
    await page.screenshot({ path: `${this.shots}/${name}.png`, fullPage: true });
  }
}

async function examine(page, url) {
  const mail = /\/(mail[^/]*|messages\/[^/]+)\.html/.test(url);
  await page.evaluate(AXE);
  const found = await page.evaluate(async (mail) => {
    // A mail is shown inside a page that has its landmarks; frames are documents that are looked at by themselves.
    const rules = {
      'target-size': { enabled: true },
      ...(mail && { region: { enabled: false }, 'landmark-one-main': { enabled: false } }),
    };
    const { violations } = await axe.run(document, { rules, iframes: false });
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html}\n    ${failureSummary}`),
    );
  }, mail);
  assert.deepEqual(found, [], `axe, ${url}`);
}
