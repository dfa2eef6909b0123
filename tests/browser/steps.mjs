// What a customer does, by touch or with the keyboard alone.

import assert from 'node:assert/strict';

// Opens a mail from the mailbox, as its reader does.
export async function openMail(context, stack, mail) {
  const page = await context.newPage();
  await page.goto(stack.Mailbox);
  await page.locator(`a[href="/messages/${mail.id}"]`).click();
  return { page, frame: page.frameLocator('iframe[title="Mail"]') };
}

// What `act` opens: a link in a mail opens a window of its own.
export async function opened(page, act) {
  const [popup] = await Promise.all([page.waitForEvent('popup'), act()]);
  await popup.waitForLoadState();
  return popup;
}

// Sends the form, and is shown the receipt.
export async function send(page) {
  await page.locator('form button[type=submit]').click();
  await page.waitForURL(/\?thanks=/);
  assert.equal(await page.locator('.receipt').count(), 1);
}

// Keys alone. Every stop has to be seen.
export class Keyboard {
  constructor(page) {
    this.page = page;
  }

  press(...keys) {
    return keys.reduce(
      (before, key) => before.then(() => this.page.keyboard.press(key)),
      Promise.resolve(),
    );
  }

  // Tabs on until the focus is on what `selector` names, and returns the stops on the way there.
  async to(selector, most = 30) {
    const stops = [];
    while (stops.length < most) {
      await this.press('Tab');
      const { name, there, seen } = await this.focused(selector);
      stops.push(name);
      assert.ok(seen, `no focus to be seen on ${name}`);
      if (there) return stops;
    }
    throw new Error(`${selector} is not reached: ${stops.join(' → ')}`);
  }

  async focused(selector) {
    // In whichever frame has the focus.
    for (const frame of this.page.frames().toReversed()) {
      const found = await frame
        .evaluate((selector) => {
          const element = document.activeElement;
          if (!element || ['BODY', 'HTML', 'IFRAME'].includes(element.tagName)) return null;
          // A visually hidden radio shows its focus on its label.
          const outlined = [element, element.nextElementSibling].some(
            (e) => e && getComputedStyle(e).outlineStyle !== 'none',
          );
          return {
            name: element.id || element.textContent.trim() || element.tagName,
            there: element.matches(selector),
            seen: outlined,
          };
        }, selector)
        .catch(() => null);
      if (found) return found;
    }
    return { name: 'the window', there: false, seen: true };
  }
}
