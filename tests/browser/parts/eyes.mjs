// What journeys share: a browser, languages and themes, looking at the map, and accessibility.
import { createRequire } from "node:module";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import assert from "node:assert/strict";

const require = createRequire(new URL("../../../dashboards/web/package.json", import.meta.url));
const { chromium } = require("playwright-core");
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export const LOOKS = [["en", "dark"], ["en", "light"], ["zh", "dark"], ["zh", "light"]];

export function openBrowser() {
  return chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: [
      "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync",
      "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    ],
  });
}

/** What pages note; those of one journey may share it. */
export const newNotes = () => ({ outside: [], errors: [] });

/** A page that notes what leaves the server and what goes wrong. `expected` are errors that belong to the journey. */
export async function openPage(browser, origin, { width = 1400, height = 900, expected = /status of 401/, reducedMotion = "reduce", locale = "en-GB", timeout = 60_000, notes = newNotes() } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, locale, colorScheme: "dark", reducedMotion, acceptDownloads: true });
  const page = await context.newPage();
  page.setDefaultTimeout(timeout);
  page.on("request", (request) => {
    const target = new URL(request.url());
    if (!["data:", "blob:"].includes(target.protocol) && target.origin !== origin) notes.outside.push(request.url());
  });
  page.on("console", (message) => {
    if (message.type() === "error" && !expected.test(message.text())) notes.errors.push(message.text());
  });
  page.on("pageerror", (error) => notes.errors.push(String(error)));
  return { context, page, notes };
}

/** Presses the keys that a person would, until the page is as wanted. */
export async function use(page, language, theme) {
  const is = () => page.evaluate(() => [document.documentElement.lang.slice(0, 2), document.documentElement.dataset.theme]);
  await awake(page);
  await page.evaluate(() => document.activeElement instanceof HTMLElement && document.activeElement.blur());
  if ((await is())[0] !== language) await page.keyboard.press("l");
  if ((await is())[1] !== theme) await page.keyboard.press("t");
  await page.waitForFunction(([l, t]) => document.documentElement.lang.slice(0, 2) === l && document.documentElement.dataset.theme === t, [language, theme]);
}

/** As `use`, by the buttons: keys are silent in dialogs and fields. A page that is opened later begins so too. */
export async function useByButtons(page, language, theme) {
  await awake(page);
  await page.evaluate(([l, t]) => {
    localStorage.setItem("citybrain.language", l);
    localStorage.setItem("citybrain.theme", t);
    const root = document.documentElement;
    if (root.lang.slice(0, 2) !== l) document.querySelector("button[lang]").click();
    if (root.dataset.theme !== t) document.querySelector("button[title$='(t)']").click();
  }, [language, theme]);
  await page.waitForFunction(([l, t]) => document.documentElement.lang.slice(0, 2) === l && document.documentElement.dataset.theme === t, [language, theme]);
}

export async function checkWidth(page, name) {
  const [wide, width] = await page.evaluate(() => [document.documentElement.scrollWidth - innerWidth, innerWidth]);
  assert.ok(wide <= 0, `${name} is ${wide} px too wide for ${width} px`);
}

/** Pictures in both languages and themes; nothing too wide, nothing left in English, nothing that axe finds. */
export async function look(page, folder, name, { axe = true } = {}) {
  for (const [language, theme] of LOOKS) {
    await use(page, language, theme);
    await settled(page);
    await page.screenshot({ path: join(folder, `${name}-${language}-${theme}.png`) });
    await checkWidth(page, `${name} in ${language}`);
    if (language === "zh") await checkChinese(page, name, { names: /^(admin|brain)$/ });
    if (axe && language === "en") await checkAccessibility(page, `${name} in the ${theme} theme`);
  }
  await use(page, "en", "dark");
}

const twoFrames = (page, restMs) => page.evaluate((ms) => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve, ms)))), restMs);

/** Two frames after the last change, so that what was asked for is drawn. */
export const settled = (page) => twoFrames(page, 120);

/** What is shown takes keys, has the keyboard and says its language a frame after it came. */
export const awake = (page) => twoFrames(page, 0);

/** Nothing is on its way to the screen any more, and what there is has been drawn. */
export async function quiet(page) {
  await page.waitForFunction(() => document.querySelector(".loading") === null);
  await settled(page);
}

/** How many seconds "42 s ago" or "5 min ago" says; none if nothing came yet. */
export const secondsIn = (text) => Number.parseInt(text, 10) * (/ min\b/.test(text) ? 60 : 1);

/** What is called the same in every language. */
const PROPER = /^(English|PNG|API|HTTP|CSV|GeoJSON|WGS-84|GCJ-02.*|BD-09|CGCS2000|LoRaWAN|Esc|PM2\.5.*|PM10.*)$/;
const NEVER = /^(?!)/;

/**
 * In Chinese no heading, column, label or button may be left in English. `but` are parts of the page in
 * which people and devices have the word, `names` what the journey itself has written.
 */
export async function checkChinese(page, name, { but = "", names = NEVER } = {}) {
  const left = await page.evaluate((besides) => {
    const own = (element) => {
      const copy = element.cloneNode(true);
      for (const each of copy.querySelectorAll("kbd, code")) each.remove();
      return copy.textContent.trim();
    };
    return [...document.querySelectorAll("h1, h2, h3, th[scope=col], [role=columnheader], dt, label, legend, button, .button, .badge:not(code), .tabs a, nav a, summary")]
      .filter((each) => each.offsetParent !== null && each.closest(besides) === null)
      .map(own)
      .filter((text) => /[A-Za-z]{3,}/.test(text) && !/[\u4e00-\u9fff]/.test(text));
  }, [".account-link", "kbd", "[lang=en]", but].filter((part) => part !== "").join(", "));
  assert.deepEqual(left.filter((text) => !PROPER.test(text) && !names.test(text)), [], `texts of ${name} that are not Chinese`);
}

export async function checkAccessibility(page, name) {
  const violations = await page.evaluate(`${AXE}; axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] })
    .then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes.slice(0, 3).map((node) => node.target.join(" ") + " " + (node.any[0]?.message ?? "")).join(", ")))`);
  assert.deepEqual(violations, [], `accessibility of ${name}`);
}

/** Waits until the map's canvas is large and shows clearly different colours: a blank map has one. */
export async function seeMap(page, { least = 6, width = 300, height = 200 } = {}) {
  await page.waitForFunction(([w, h]) => {
    const canvas = document.querySelector("canvas.maplibregl-canvas");
    return canvas !== null && canvas.width > w && canvas.height > h;
  }, [width, height]);
  let colours = 0;
  for (const end = Date.now() + 40_000; colours < least && Date.now() < end; ) {
    colours = await coloursOf(page, page.locator("canvas.maplibregl-canvas").first());
    if (colours < least) await settled(page);
  }
  assert.ok(colours >= least, `the map shows ${colours} colours only`);
  return colours;
}

/** How many clearly different colours a part of the page has. */
export async function coloursOf(page, part) {
  const clip = await part.boundingBox();
  return coloursIn(page, (await page.screenshot({ clip })).toString("base64"));
}

export function coloursIn(page, base64) {
  return page.evaluate(async (data) => {
    const bytes = new Blob([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], { type: "image/png" });
    const bitmap = await createImageBitmap(bytes);
    const pen = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
    pen.drawImage(bitmap, 0, 0);
    const { data: pixels } = pen.getImageData(0, 0, bitmap.width, bitmap.height);
    const seen = new Set();
    for (let at = 0; at < pixels.length; at += 4 * 7) seen.add(((pixels[at] >> 5) << 6) | ((pixels[at + 1] >> 5) << 3) | (pixels[at + 2] >> 5));
    return seen.size;
  }, base64);
}

/** Calls the API beside the browser, as an access token. */
export function caller(url, token) {
  return async (method, path, body) => {
    const answer = await fetch(`${url}/api/v1${path}`, { method, headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" }, body: body === undefined ? undefined : JSON.stringify(body) });
    const text = await answer.text();
    return { status: answer.status, body: /^[{[]/.test(text) ? JSON.parse(text) : text };
  };
}

export function folderOf(path) {
  mkdirSync(path, { recursive: true });
  return path;
}
