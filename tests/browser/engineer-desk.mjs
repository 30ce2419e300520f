// What the journeys of engineers have in common: a browser at a desk, looking at screens in both
// languages and themes, and the API for what others do meanwhile.
import { createRequire } from "node:module";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import assert from "node:assert/strict";

const require = createRequire(new URL("../../dashboards/web/package.json", import.meta.url));
const { chromium } = require("playwright-core");
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const SIZES = [[1400, 900], [1920, 1080]];
/** What is expected to be refused, and a first visit without a session: the browser logs it by itself. */
const EXPECTED = /status of (401|404|409|412|422)/;

export async function openDesk({ url, token, folder, name, language }) {
  mkdirSync(folder, { recursive: true });
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: [
      "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync",
      "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    ],
  });
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, locale: language === "zh" ? "zh-CN" : "en-GB", colorScheme: "dark", reducedMotion: "reduce" });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const outside = [];
  const errors = [];
  page.on("request", (request) => {
    const target = new URL(request.url());
    if (!["data:", "blob:"].includes(target.protocol) && target.origin !== url) outside.push(request.url());
  });
  page.on("console", (message) => {
    if (message.type() === "error" && !EXPECTED.test(message.text())) errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(String(error)));

  const use = async (next, theme) => {
    const is = await page.evaluate(() => [document.documentElement.lang.slice(0, 2), document.documentElement.dataset.theme]);
    const press = (selector) => page.evaluate((s) => document.querySelector(s).click(), selector);
    if (is[0] !== next) await press("button[lang]");
    if (is[1] !== theme) await press("button[title$='(t)']");
    await page.waitForFunction(([l, t]) => document.documentElement.lang.slice(0, 2) === l && document.documentElement.dataset.theme === t, [next, theme]);
  };

  /** In both languages and themes; nothing may stand outside the window, be left in English or fail axe. */
  const look = async (screen, at = null) => {
    for (const [turn, [l, theme]] of [["en", "dark"], ["en", "light"], ["zh", "dark"], ["zh", "light"]].entries()) {
      await use(l, theme);
      const [width, height] = SIZES[turn % SIZES.length];
      await page.setViewportSize({ width, height });
      await settled(page);
      await page.evaluate((selector) => selector !== null && document.querySelector(selector)?.scrollIntoView({ block: "start" }), at);
      await page.screenshot({ path: join(folder, `${name}-${screen}-${l}-${theme}.png`) });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${screen} is ${wide} px too wide for ${width} px in ${l}`);
      if (l === "zh") assert.deepEqual(await leftInEnglish(page), [], `texts of ${screen} that are not Chinese`);
      const violations = await page.evaluate(`${AXE}; axe.run(document, { runOnly: ${JSON.stringify(RULES)} })
        .then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes.slice(0, 3).map((node) => node.target.join(" ") + " " + (node.any[0]?.message ?? "")).join(", ")))`);
      assert.deepEqual(violations, [], `accessibility of ${screen} in ${theme}`);
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
  await page.waitForSelector(".shell nav");
  await use(language, "dark");
  return { browser, page, look, api, use, outside, errors, shot: (what) => page.screenshot({ path: join(folder, `${name}-${what}.png`) }) };
}

/** Nothing is on its way to the screen any more. */
async function settled(page) {
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  await page.waitForFunction(() => document.querySelector(".loading, .backtest-progress") === null && (document.querySelector(".map") === null || document.querySelector(".map-canvas[data-ready=true]") !== null));
}

function leftInEnglish(page) {
  return page.evaluate(() => {
    const proper = /^(English|CSV|WGS-84|GCJ-02|BD-09|CGCS2000)$/;
    return [...document.querySelectorAll("h1, h2, h3, th[scope=col], dt, label, legend, button, .button, .badge, .tabs a, nav a, .field-hint, summary")]
      .filter((each) => each.offsetParent !== null && each.closest(".text-editor, .fault, .account-link, [lang=en], .rule-tab-list, .would-table, .editor-head h1, .crumb, .names-field, .samples, .unknown-page h1") === null)
      .map((each) => each.textContent.trim())
      .filter((text) => /[A-Za-z]{3,}/.test(text) && !/[\u4e00-\u9fff]/.test(text) && !proper.test(text));
  });
}

/** Runs the steps and says where they failed. */
export async function journey(desk, title, steps) {
  const began = Date.now();
  let step = "";
  const say = (text) => {
    step = text;
    console.log(text);
  };
  try {
    await steps(say);
    assert.deepEqual(desk.outside, [], "no request leaves the server");
    assert.deepEqual(desk.errors, [], "no error in the console");
    console.log(`${title} passed in ${((Date.now() - began) / 1000).toFixed(0)} s`);
  } catch (error) {
    console.error(`it failed where ${step}`);
    await desk.shot("failure").catch(() => undefined);
    throw error;
  } finally {
    await desk.browser.close();
  }
}
