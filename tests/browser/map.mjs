// The map and the screens about the platform in real Chromium: layers, the replay of the past by keyboard,
// pictures of map and charts, the system, the daily report on paper, and help.
//
// node tests/browser/map.mjs URL TOKEN FOLDER     (a demo; the token of an administrator)
import { join } from "node:path";
import { readFileSync } from "node:fs";
import assert from "node:assert/strict";
import { caller, coloursIn, folderOf, look, openBrowser, openPage, seeMap, settled, use } from "./parts/eyes.mjs";
import { eventually, goTo, press } from "./parts/patience.mjs";

const [url, token, path] = process.argv.slice(2);
const folder = folderOf(path);
const api = caller(url, token);
const browser = await openBrowser();
const began = Date.now();
let step = "";
const say = (text) => {
  step = text;
  console.log(text);
};

// A server without a base map answers 404, which the browser logs by itself.
const { page, notes } = await openPage(browser, url, { width: 1920, height: 1080, expected: /status of (401|404)/ });
const seen = (check, ...args) => page.waitForFunction(check, ...args);
/** Waits until the address says so: on a busy machine a key is answered a moment after it was pressed. */
const inAddress = (name, value) => seen(([key, wanted]) => new URL(location.href).searchParams.get(key) === wanted, [name, value]);
const badge = () => page.textContent(".replay-badge strong");
/** Saves what a button downloads, and says how many colours are in it. */
async function picture(button, name) {
  const [saved] = await Promise.all([page.waitForEvent("download"), button.click({ force: true })]);
  const file = join(folder, name);
  await saved.saveAs(file);
  const png = readFileSync(file);
  assert.ok(png.subarray(1, 4).toString() === "PNG", `${name} is a picture`);
  return { width: png.readUInt32BE(16), height: png.readUInt32BE(20), colours: await coloursIn(page, png.toString("base64")) };
}

try {
  say("the map, and its layers by keyboard");
  await page.goto(`${url}/login#token=${token}`);
  await page.waitForSelector("li.alert-row", { timeout: 180_000 });
  await seeMap(page);
  await page.focus(".layer-choice summary");
  await press(page, "Enter");
  await page.waitForSelector(".layer-list");
  const base = await api("GET", "/base-map");
  await eventually(async () => assert.ok((await page.locator(".layer-list input:enabled").count()) >= 3 + (base.body.layers?.length > 0 ? 1 : 0), "there are layers to choose"));
  await look(page, folder, "map-layers");
  await page.locator(".layer-list label", { hasText: "Zone names" }).locator("input").uncheck();
  await inAddress("hide", "names");
  await page.locator(".layer-list label", { hasText: "Zone names" }).locator("input").check();
  await inAddress("hide", null);
  await page.focus(".layer-choice summary");
  await press(page, "Escape");
  await eventually(async () => assert.equal(await page.locator(".layer-choice[open]").count(), 0, "the choice of layers is closed"));

  say("abnormal devices do not vanish in clusters");
  const place = await page.evaluate(() => fetch("/api/v1/system").then((answer) => answer.json()).then(({ city }) => city.bounds));
  await page.goto(`${url}/?map=8.5/${((place[1] + place[3]) / 2).toFixed(4)}/${((place[0] + place[2]) / 2).toFixed(4)}`);
  await page.waitForSelector("li.alert-row");
  await seeMap(page, { least: 5 });
  await page.screenshot({ path: join(folder, "map-clusters-en-dark.png") });
  await page.goto(url);
  await page.waitForSelector("li.alert-row");
  await seeMap(page);

  say("a picture of the map says what, when and where from");
  // What is on them comes one after the other.
  await eventually(async () => {
    const map = await picture(page.locator(".map-tools button", { hasText: "PNG" }), "picture-map.png");
    assert.ok(map.width > 600 && map.height > 400 && map.colours > 10, JSON.stringify(map));
  }, 150_000);
  await eventually(async () => {
    const chart = await picture(page.locator(".trend .chart-save"), "picture-chart.png");
    assert.ok(chart.width > 200 && chart.height > 100 && chart.colours > 3, JSON.stringify(chart));
  }, 150_000);

  say("the past hour is replayed by keyboard");
  await page.evaluate(() => document.activeElement?.blur());
  await press(page, "h");
  await page.waitForSelector(".replay-slide input:enabled");
  await page.waitForSelector(".replay-frame");
  const first = await eventually(async () => {
    const said = await badge();
    assert.match(said, /^REPLAY of \d\d:\d\d:\d\d$/);
    return said;
  });
  await press(page, " ");
  await seen((before) => document.querySelector(".replay-badge strong").textContent !== before, first);
  await press(page, ">");
  await inAddress("speed", "60");
  await press(page, " ");
  await seen(() => new URL(location.href).searchParams.get("at") !== null);
  const paused = await badge();
  await press(page, ".");
  await seen((before) => document.querySelector(".replay-badge strong").textContent !== before, paused);
  // To the end, where something fires: what fired then stands on the map.
  await page.focus(".replay-slide input");
  await press(page, "End");
  await seen(() => /[1-9]\d* alerts? (was|were) firing/.test(document.querySelector(".replay-badge").textContent));
  await seeMap(page);
  await look(page, folder, "map-replay");
  const there = await page.evaluate(() => location.href);
  const moment = await badge();
  await page.goto(there);
  await page.waitForSelector(".replay-slide input:enabled");
  await eventually(async () => assert.equal(await badge(), moment, "the address holds the moment"));
  await page.evaluate(() => document.activeElement?.blur());
  await press(page, "Escape");
  await page.waitForSelector(".replay-frame", { state: "detached" });
  await inAddress("replay", null);
  await page.goBack();
  await page.waitForSelector(".replay-frame");
  await page.click(".replay-back");
  await page.waitForSelector(".replay-frame", { state: "detached" });

  say("the system");
  await goTo(page, "y", "/system");
  await page.waitForSelector('.check[data-check="books"].check-good');
  await seen(() => document.querySelector(".platform .table tbody tr") !== null);
  await seen(() => !/–/.test(document.querySelector(".platform .table tbody tr td").textContent));
  await look(page, folder, "system");

  say("the report of a day, on the screen and on paper");
  await goTo(page, "e", "/reports");
  await page.waitForSelector(".paper .table");
  await seen(() => Number((/(\d+) alerts? fired/.exec(document.querySelector(".paper .lead").textContent) ?? [])[1]) > 0);
  await look(page, folder, "report");
  const csv = await page.evaluate(() => fetch([...document.querySelectorAll("a[download]")].find((each) => each.href.includes("/alerts?")).href).then(async (answer) => [answer.status, answer.headers.get("Content-Type"), (await answer.text()).split("\n").length]));
  assert.ok(csv[0] === 200 && csv[1].includes("csv") && csv[2] > 1, JSON.stringify(csv));
  const today = await page.inputValue(".report-days input");
  await page.click(".report-days button >> nth=0");
  await seen((day) => document.querySelector(".report-days input").value < day, today);
  await eventually(async () => assert.match(await page.evaluate(() => new URL(location.href).searchParams.get("date") ?? ""), /^\d{4}-\d\d-\d\d$/));
  await page.goBack();
  await seen((day) => document.querySelector(".report-days input").value === day, today);
  await page.waitForSelector(".paper .table");
  for (const language of ["en", "zh"]) {
    await use(page, language, "dark");
    await page.emulateMedia({ media: "print" });
    await settled(page);
    const paper = () => page.evaluate(() => ({ head: getComputedStyle(document.querySelector(".head")).display, ground: getComputedStyle(document.querySelector(".paper")).backgroundColor, ink: getComputedStyle(document.querySelector(".paper h2")).color }));
    await eventually(async () => assert.deepEqual(await paper(), { head: "none", ground: "rgb(255, 255, 255)", ink: "rgb(0, 0, 0)" }));
    await page.pdf({ path: join(folder, `report-${language}.pdf`), format: "A4", preferCSSPageSize: true });
    await page.setViewportSize({ width: 794, height: 1123 });
    await page.screenshot({ path: join(folder, `report-paper-${language}.png`), fullPage: true });
    await page.setViewportSize({ width: 1920, height: 1080 });
    await page.emulateMedia({ media: "screen" });
  }
  await use(page, "en", "dark");

  say("help");
  await goTo(page, "k", "/help");
  await page.waitForSelector(".guide-terms");
  await look(page, folder, "help");
  await page.fill(".guide .search", "silence");
  await seen(() => new URL(location.href).searchParams.get("q") === "silence");

  assert.deepEqual(notes.outside, [], "no request leaves the server");
  assert.deepEqual(notes.errors, [], "no error in the console");
  console.log(`the journey over the map passed in ${((Date.now() - began) / 1000).toFixed(0)} s`);
} catch (error) {
  console.error(`it failed where ${step}`);
  console.error(notes.errors);
  await page.screenshot({ path: join(folder, "map-failure.png"), timeout: 10_000 }).catch(() => undefined);
  throw error;
} finally {
  await browser.close();
}
