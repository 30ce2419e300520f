// Waiting as people do: a page shows what somebody did a moment later, takes keys once it is drawn, and
// the city lives on meanwhile.
import assert from "node:assert/strict";
import { awake } from "./eyes.mjs";

const PAUSE_MS = 250;

/** Tries until what is asserted holds, and returns what it found; after so long it fails as the last time. */
export async function eventually(check, within = 60_000) {
  for (const end = Date.now() + within; ; await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}

/** Presses keys one after the other, once what is shown takes them. */
export async function press(page, ...keys) {
  await awake(page);
  for (const key of keys) await page.keyboard.press(key);
}

/** Waits until the keyboard is in an element: what is typed before goes elsewhere. */
export function focused(page, selector) {
  return eventually(async () => assert.ok(await page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector), `the keyboard is in ${selector}`));
}

/** The key g and another one; on a machine that is busy the second may come too late for the first. */
export async function goTo(page, key, path) {
  for (let tries = 0; tries < 8; tries += 1) {
    await press(page, "g", key);
    if (await page.waitForURL(`**${path}`, { timeout: 5_000 }).then(() => true, () => false)) return;
  }
  assert.fail(`the keys g ${key} do not lead to ${path}`);
}

/**
 * The ids of alerts of the demo that nobody has seen to, and that fire for as long as anybody looks: its
 * batteries stay empty, while most other alerts are over within a minute or two.
 */
export function lastingAlerts(api) {
  return eventually(async () => {
    const { items } = (await api("GET", "/alerts?rule=battery-low&state=firing&acknowledged=false&limit=100")).body;
    const untouched = items.filter(({ handling }) => handling.stage === "unassigned");
    assert.notEqual(untouched.length, 0, "a battery is nearly empty");
    return untouched.map(({ id }) => id);
  }, 180_000);
}
