// The overview in real Chromium: devices on the map, an alert that fires and clears by itself,
// both languages, both themes, no request that leaves the server.
//
// node tests/browser/overview.mjs URL TOKEN FOLDER
import { createRequire } from "node:module";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import assert from "node:assert/strict";

const require = createRequire(new URL("../../dashboards/web/package.json", import.meta.url));
const { chromium } = require("playwright-core");
const axe = require.resolve("axe-core/axe.min.js");

const [url, token, folder] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: [
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
    "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
  ],
});
const context = await browser.newContext({
  viewport: { width: 1920, height: 1080 }, locale: "en-GB", colorScheme: "dark",
});
const page = await context.newPage();
const outside = [];
const errors = [];
page.on("request", (request) => {
  const target = new URL(request.url());
  if (!["data:", "blob:"].includes(target.protocol) && target.origin !== url) outside.push(request.url());
});
page.on("console", (message) => {
  // A page that is not logged in asks who it is, and is told 401: the browser logs that by itself.
  if (message.type() === "error" && !message.text().includes("401")) errors.push(message.text());
});
page.on("pageerror", (error) => errors.push(String(error)));

const shot = async (name) => page.screenshot({ path: join(folder, `${name}.png`) });
const screens = async (name) => {
  for (const [language, theme] of [["en", "dark"], ["en", "light"], ["zh", "dark"], ["zh", "light"]]) {
    await use(language, theme);
    await page.waitForTimeout(400);
    await shot(`${name}-${language}-${theme}`);
  }
  await use("en", "dark");
};
/** In Chinese no heading, column, figure or button may be left in English. */
async function checkChinese(screen) {
  await use("zh", "dark");
  await page.waitForTimeout(300);
  const left = await page.evaluate(() => {
    const names = [...document.querySelectorAll("h2, th[scope=col], dt, .figure-name, button, .badge, .segments button")];
    const foreign = /[A-Za-z]{3,}/;
    const proper = /^(English|WGS-84|LoRaWAN|PNG|CSV|GeoJSON)$/;
    return names
      .filter((each) => each.offsetParent !== null)
      .map((each) => each.textContent.trim())
      .filter((text) => foreign.test(text) && !/[\u4e00-\u9fff]/.test(text) && !proper.test(text));
  });
  await use("en", "dark");
  assert.deepEqual(left, [], `texts of ${screen} that are not Chinese`);
}
/** On a small laptop nothing may stand outside the window. */
async function checkSmall(screen) {
  await page.setViewportSize({ width: 1366, height: 768 });
  await page.waitForTimeout(500);
  await shot(`${screen}-small-en-dark`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  await page.setViewportSize({ width: 1920, height: 1080 });
  assert.ok(wide <= 0, `${screen} is ${wide} px too wide for 1366 px`);
}
/** Every chart that is shown has something on it. */
async function checkCharts(screen) {
  await page.waitForSelector(".chart .uplot", { timeout: 20_000 });
  await page.waitForFunction(() => document.querySelectorAll(".chart-empty").length === 0, null, { timeout: 20_000 })
    .catch(() => assert.fail(`a chart of ${screen} is empty`));
}
/** Presses the keys that a person would, until the page is as wanted. */
async function use(language, theme) {
  const is = () => page.evaluate(() => [document.documentElement.lang.slice(0, 2), document.documentElement.dataset.theme]);
  if ((await is())[0] !== language) await page.keyboard.press("l");
  if ((await is())[1] !== theme) await page.keyboard.press("t");
  await page
    .waitForFunction(([l, t]) => document.documentElement.lang.slice(0, 2) === l && document.documentElement.dataset.theme === t, [language, theme], { timeout: 3_000 })
    .catch(() => assert.fail(`the keys l and t do not change to ${language}, ${theme}`));
}

try {
  const opened = Date.now();
  await page.goto(`${url}/login#token=${token}`);
  await page.waitForSelector(".alerts");
  assert.ok(!page.url().includes(token), "the token is taken out of the address");

  // Devices: of 2,000 most are heard (an incident may silence a gateway), and the map shows
  // something other than one colour.
  await page.waitForFunction(() => /of 2,000/.test(document.querySelector(".figure-devices")?.textContent ?? ""), null, { timeout: 60_000 });
  await page.waitForFunction(() => Number((document.querySelector(".figure-devices .figure-value")?.textContent ?? "0").replace(/\D/g, "")) >= 1_800, null, { timeout: 60_000 });
  await page.waitForSelector("canvas.maplibregl-canvas", { timeout: 60_000 });
  await page.waitForFunction(() => {
    const canvas = document.querySelector("canvas.maplibregl-canvas");
    return canvas !== null && canvas.width > 300 && canvas.height > 200;
  });
  let colours = 0;
  for (let attempt = 0; attempt < 60 && colours < 6; attempt += 1) {
    colours = await coloursOnMap();
    if (colours < 6) await page.waitForTimeout(500);
  }
  assert.ok(colours >= 6, `the map shows ${colours} colours only`);
  console.log(`devices on the map ${((Date.now() - opened) / 1000).toFixed(1)} s after opening`);

  // Live: the rate of readings is not zero.
  await page.waitForFunction(() => Number.parseFloat((document.querySelector(".figure-rate .figure-value")?.textContent ?? "0").replace(/[^\d.]/g, "")) > 0, null, { timeout: 60_000 });

  // An alert fires by itself.
  const fired = await page.waitForSelector("li.alert-row:not(.resolved)", { timeout: 120_000 });
  const id = await fired.getAttribute("data-alert");
  console.log(`first alert ${((Date.now() - opened) / 1000).toFixed(1)} s after opening: ${id}`);
  if (process.env.PICTURES) await page.waitForTimeout(20_000); // a few more come, for the pictures of the README
  await screens("overview");
  const text = await page.textContent("body");
  assert.match(text, /simulated/i, "simulated data are called so");

  await checkCharts("overview");
  await checkChinese("overview");
  await checkSmall("overview");
  await checkAccessibility("overview");

  // The detail page of an alert, its device and its zone.
  await page.goto(`${url}/alerts/${id}`);
  await page.waitForSelector("h1");
  await page.waitForTimeout(1_500);
  await screens("alert");
  await checkChinese("alert");
  await checkSmall("alert");
  await checkAccessibility("alert");
  await page.goto(`${url}/devices`);
  await page.waitForSelector("table a, .table a");
  await screens("devices");
  const device = await page.getAttribute("table a[href^='/devices/'], .table a[href^='/devices/']", "href");
  await page.goto(url + device);
  await page.waitForSelector("h1");
  await page.waitForTimeout(1_500);
  await checkCharts("device");
  await screens("device");
  await checkChinese("device");
  await checkAccessibility("device");
  await page.goto(`${url}/zones`);
  await page.waitForSelector("a[href^='/zones/']");
  await screens("zones");
  const zone = await page.getAttribute("main a[href^='/zones/']", "href");
  await page.goto(url + zone);
  await page.waitForSelector("h1");
  await page.waitForTimeout(1_500);
  await checkCharts("zone");
  await screens("zone");
  await checkChinese("zone");
  await checkAccessibility("zone");

  // Some alert clears without anybody touching it.
  await page.goto(url);
  const ask = () => page.evaluate(async () => {
    const answer = await fetch("/api/v1/alerts?state=resolved&acknowledged=false&limit=1");
    const { items } = await answer.json();
    return items[0]?.id ?? null;
  });
  let clearedId = null;
  for (const end = Date.now() + 180_000; clearedId === null && Date.now() < end; ) {
    clearedId = await ask();
    if (clearedId === null) await page.waitForTimeout(1_000);
  }
  assert.ok(clearedId, "an alert clears within three minutes");
  await page.goto(`${url}/alerts/${clearedId}`);
  await page.waitForSelector("h1");
  await page.waitForFunction(() => /resolved/i.test(document.querySelector("main")?.textContent ?? ""), null, { timeout: 20_000 });
  await page.waitForTimeout(1_500);
  await shot("alert-resolved-en-dark");
  console.log(`an alert cleared by itself: ${clearedId}`);

  // A person acknowledges one, and the list says who did.
  await page.goto(`${url}/?acknowledged=false`);
  const row = await page.waitForSelector("li.alert-row.unacknowledged", { timeout: 120_000 });
  const mine = await row.getAttribute("data-alert");
  await row.$eval("button.alert-ack", (button) => button.click());
  await page.goto(`${url}/alerts/${mine}`);
  await page.waitForSelector(".log .by-person", { timeout: 20_000 });
  assert.match(await page.textContent(".log .by-person"), /acknowledged/i);
  await shot("alert-acknowledged-en-dark");

  assert.deepEqual(outside, [], "no request leaves the server");
  assert.deepEqual(errors, [], "no error in the console");
  console.log(`the browser journey passed in ${((Date.now() - opened) / 1000).toFixed(0)} s`);
} catch (error) {
  await shot("failure");
  throw error;
} finally {
  await browser.close();
}

/** How many clearly different colours a screenshot of the map has: a blank map has one. */
async function coloursOnMap() {
  const box = await page.locator("canvas.maplibregl-canvas").first().boundingBox();
  const picture = (await page.screenshot({ clip: box })).toString("base64");
  return page.evaluate(async (data) => {
    const bytes = new Blob([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], { type: "image/png" });
    const bitmap = await createImageBitmap(bytes);
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const pen = canvas.getContext("2d");
    pen.drawImage(bitmap, 0, 0);
    const { data: pixels } = pen.getImageData(0, 0, bitmap.width, bitmap.height);
    const seen = new Set();
    for (let at = 0; at < pixels.length; at += 4 * 7) {
      seen.add(((pixels[at] >> 5) << 6) | ((pixels[at + 1] >> 5) << 3) | (pixels[at + 2] >> 5));
    }
    return seen.size;
  }, picture);
}

async function checkAccessibility(screen) {
  await page.evaluate(await import("node:fs").then((fs) => fs.readFileSync(axe, "utf8")));
  const violations = await page.evaluate(async () => {
    const result = await globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] });
    return result.violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => node.target.join(" ")).join(", ")}`);
  });
  assert.deepEqual(violations, [], `accessibility of ${screen}`);
}
