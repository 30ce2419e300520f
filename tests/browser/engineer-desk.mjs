// What the journeys of engineers have in common: a browser at a desk, looking at screens in both
// languages and themes, and the API for what others do meanwhile.
import { join } from "node:path";
import { LOOKS, checkAccessibility, checkChinese, checkWidth, folderOf, openBrowser, openPage, useByButtons } from "./parts/eyes.mjs";
import { goThrough, say } from "./parts/steps.mjs";

/** Where people and devices have the word. */
const OTHERS_WORDS = ".text-editor, .fault, .rule-tab-list, .would-table, .editor-head h1, .crumb, .names-field, .samples, .unknown-page h1";
const SIZES = [[1400, 900], [1920, 1080]];
/** What is expected to be refused, and a first visit without a session: the browser logs it by itself. */
const EXPECTED = /status of (401|404|409|412|422)/;

export async function openDesk({ url, token, folder, name, language }) {
  folderOf(folder);
  const browser = await openBrowser();
  const { page, notes } = await openPage(browser, url, { expected: EXPECTED, locale: language === "zh" ? "zh-CN" : "en-GB", timeout: 30_000 });
  const use = (next, theme) => useByButtons(page, next, theme);

  /** In both languages and themes; nothing may stand outside the window, be left in English or fail axe. */
  const look = async (screen, at = null) => {
    for (const [turn, [l, theme]] of LOOKS.entries()) {
      await use(l, theme);
      const [width, height] = SIZES[turn % SIZES.length];
      await page.setViewportSize({ width, height });
      await settled(page);
      await page.evaluate((selector) => selector !== null && document.querySelector(selector)?.scrollIntoView({ block: "start" }), at);
      await page.screenshot({ path: join(folder, `${name}-${screen}-${l}-${theme}.png`) });
      await checkWidth(page, `${screen} in ${l}`);
      if (l === "zh") await checkChinese(page, screen, { but: OTHERS_WORDS });
      await checkAccessibility(page, `${screen} in ${theme}`);
    }
    await page.setViewportSize({ width: 1400, height: 900 });
    await use(language, "dark");
  };

  /** As somebody else, or a device, would. */
  const api = async (method, path, body, headers = {}) => {
    const raw = typeof body === "string";
    const answer = await fetch(`${url}/api/v1${path}`, { method, headers: { Authorization: `Bearer ${token}`, ...(body !== undefined && !raw && { "Content-Type": "application/json" }), ...headers }, ...(body !== undefined && { body: raw ? body : JSON.stringify(body) }) });
    const text = await answer.text();
    return { status: answer.status, tag: answer.headers.get("ETag"), body: text.startsWith("{") ? JSON.parse(text) : text };
  };

  await page.addInitScript((l) => {
    if (localStorage.getItem("citybrain.language") === null) localStorage.setItem("citybrain.language", l);
  }, language);
  await page.goto(`${url}/login#token=${token}`);
  // Around what is still asking who is there stands the same frame.
  await page.waitForURL((where) => where.pathname !== "/login");
  await use(language, "dark");
  return { browser, page, look, api, use, notes, shot: (what) => page.screenshot({ path: join(folder, `${name}-${what}.png`) }) };
}

/** Nothing is on its way to the screen any more. */
async function settled(page) {
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  await page.waitForFunction(() => document.querySelector(".loading, .backtest-progress") === null && (document.querySelector(".map") === null || document.querySelector(".map-canvas[data-ready=true]") !== null));
}

/** Runs the steps and says where they failed. */
export function journey(desk, title, steps) {
  return goThrough(title, () => steps(say), { notes: desk.notes, keep: () => desk.shot("failure").catch(() => undefined), close: () => desk.browser.close() });
}
