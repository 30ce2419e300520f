// A wall screen's day in real Chromium: three sizes, views that turn, an alert that arrives, a connection
// that is lost and comes back, a session that ends and is renewed, and a token that is taken away.
//
// node tests/browser/wall.mjs URL TOKEN FOLDER     (a demo; the token of an administrator)
import { join } from "node:path";
import assert from "node:assert/strict";
import { caller, checkAccessibility, folderOf, openBrowser, openPage, secondsIn, seeMap, settled } from "./parts/eyes.mjs";
import { eventually } from "./parts/patience.mjs";
import { layWire } from "./parts/wire.mjs";

const [url, token, path] = process.argv.slice(2);
const folder = folderOf(path);
const api = caller(url, token);
const wire = await layWire(url);
const browser = await openBrowser();
const SIZES = { hd: [1920, 1080], triple: [3840, 1080], uhd: [3840, 2160] };
/** What a broken connection and an ended session make the browser log by itself; and a server without a base map. */
const EXPECTED = /status of (401|404|502)|ERR_CONNECTION|ERR_SOCKET|ERR_EMPTY_RESPONSE|Failed to fetch/;
const began = Date.now();
let step = "";
const say = (text) => {
  step = text;
  console.log(text);
};

const made = await api("POST", "/tokens", { note: `wall ${began}`, grants: [{ department: "*", role: "viewer" }] });
assert.equal(made.status, 201, JSON.stringify(made.body));
const viewer = made.body.token;

const { context, page, notes } = await openPage(browser, wire.url, { width: 1920, height: 1080, expected: EXPECTED });
const shot = (name) => page.screenshot({ path: join(folder, `wall-${name}.png`) });
const seen = (check, ...args) => page.waitForFunction(check, ...args);
const go = async (query) => {
  await page.goto(`${wire.url}/wall?${query}`);
  await page.waitForSelector(".wall-board");
};

try {
  say("nobody is signed in: it says so, and how");
  await page.goto(`${wire.url}/wall`);
  await page.waitForSelector(".wall-alone .wall-out");
  await shot("signed-out");

  say("a login link leads to it, with a viewer's token");
  await page.goto(`${wire.url}/login?next=${encodeURIComponent("/wall?view=1&lang=en&theme=dark")}#token=${viewer}`);
  await page.waitForSelector(".wall-board");
  assert.ok(!page.url().includes(viewer), "the token is taken out of the address");
  await seeMap(page);
  assert.equal(await page.locator("button:visible, select:visible, input:visible, nav").count(), 0, "a wall has no controls");
  await seen(() => Number((document.querySelector(".wall-figures strong")?.textContent ?? "0").replace(/\D/g, "")) > 1_000);

  say("three sizes, both languages and themes");
  for (const [name, [width, height]] of Object.entries(SIZES)) {
    await page.setViewportSize({ width, height });
    for (const [language, theme] of [["en", "light"], ["zh", "dark"]]) {
      await go(`view=1&lang=${language}&theme=${theme}`);
      await seeMap(page, { width: height / 3, height: height / 3 });
      await page.waitForSelector(".wall-chart .uplot");
      await settled(page);
      await shot(`${name}-${language}-${theme}`);
      const look = () => page.evaluate(() => {
        const out = [...document.querySelectorAll(".wall-stage *")].filter((each) => {
          const box = each.getBoundingClientRect();
          return box.width > 0 && (box.right > innerWidth + 1 || box.bottom > innerHeight + 1) && each.closest(".wall-alerts ul, .wall-zones ul, .maplibregl-map, .wall-map") === null;
        });
        const clock = Number.parseFloat(getComputedStyle(document.querySelector(".wall-clock strong")).fontSize);
        return { out: out.slice(0, 3).map((each) => each.className), clock, height: innerHeight };
      });
      await eventually(async () => {
        const fits = await look();
        assert.deepEqual(fits.out, [], `${name}: outside of the screen`);
        assert.ok(fits.clock / fits.height > 0.035, `${name}: the clock is seen from across the room`);
      });
      await checkAccessibility(page, `the wall at ${name} in ${theme}`);
    }
  }
  await page.setViewportSize({ width: 1920, height: 1080 });

  say("it turns: city, department, alerts");
  const department = (await api("GET", "/departments")).body.items[0].id;
  await go(`views=city,department:${department},alerts&period=3&lang=zh&theme=dark`);
  for (const view of ["city", `department:${department}`, "alerts"]) {
    await page.waitForSelector(`.wall[data-view="${view}"]`);
    await settled(page);
    await shot(`view-${view.split(":")[0]}-zh-dark`);
  }
  await page.waitForSelector('.wall[data-view="city"]');

  say("an alert arrives");
  await go("view=1&lang=en&theme=dark");
  await page.waitForSelector(".wall-link-live");
  const before = new Set((await api("GET", "/alerts?state=all&limit=1000")).body.items.map((alert) => alert.id));
  const fresh = await seen((known) => {
    const rows = [...document.querySelectorAll(".wall-alerts li[data-alert]")].map((row) => row.dataset.alert);
    return rows.find((id) => !known.includes(id)) ?? false;
  }, [...before], { timeout: 300_000 });
  const id = await fresh.jsonValue();
  await shot("alert-arrived-en-dark");
  assert.equal((await api("GET", `/alerts/${id}`)).status, 200);

  say("the connection is lost: everybody in the room sees it");
  wire.cut();
  await page.waitForSelector(".wall-trouble.wall-lost");
  await page.waitForSelector(".wall-link-lost");
  await eventually(async () => {
    const size = await page.evaluate(() => Number.parseFloat(getComputedStyle(document.querySelector(".wall-trouble strong")).fontSize) / innerHeight);
    assert.ok(size > 0.05, "the words are large");
    assert.match(await page.textContent(".wall-trouble"), /NO CONNECTION.*since \d\d:\d\d:\d\d UTC/);
    assert.ok(await page.evaluate(() => getComputedStyle(document.querySelector(".wall-main")).filter.includes("saturate")), "what is old is pale");
  });
  await seeMap(page, { least: 4 });
  // The age goes on counting, after 90 s by minutes: old data never look new.
  const age = async () => secondsIn(await page.textContent(".wall-age b"));
  const first = await age();
  await eventually(async () => assert.ok((await age()) >= first + 3, "what is shown grows old"), 120_000);
  await checkAccessibility(page, "the wall without a connection");
  await shot("lost-en-dark");
  say("it comes back by itself");
  wire.mend();
  await page.waitForSelector(".wall-trouble", { state: "detached" });
  await page.waitForSelector(".wall-link-live");
  await seeMap(page);

  say("its session ends, and it signs in again by itself");
  // The next figure that it asks for is refused; then the token of the link is used again.
  const isLogin = (answer) => answer.url().endsWith("/api/v1/session") && answer.request().method() === "POST";
  const [renewed] = await Promise.all([page.waitForResponse(isLogin, { timeout: 90_000 }), context.clearCookies()]);
  assert.ok(renewed.ok());
  await page.waitForSelector(".wall-link-live");
  await page.waitForSelector(".wall-trouble", { state: "detached" });

  say("its token is taken away: it says so loudly, and keeps what was seen");
  const { body: tokens } = await api("GET", "/tokens?limit=500");
  const mine = tokens.items.find((each) => each.note === `wall ${began}`);
  assert.equal((await api("DELETE", `/tokens/${mine.id}`)).status, 204);
  await page.waitForSelector(".wall-trouble.wall-out", { timeout: 120_000 });
  await eventually(async () => assert.match(await page.textContent(".wall-trouble"), /NOT SIGNED IN/));
  await page.waitForSelector(".wall-board");
  await checkAccessibility(page, "the wall without a session");
  await shot("not-signed-in-en-dark");

  assert.deepEqual(notes.outside, [], "no request leaves the server");
  assert.deepEqual(notes.errors, [], "no error in the console");
  console.log(`the wall's day passed in ${((Date.now() - began) / 1000).toFixed(0)} s`);
} catch (error) {
  console.error(`it failed where ${step}`);
  console.error(notes.errors);
  await shot("failure").catch(() => undefined);
  throw error;
} finally {
  await browser.close();
  await wire.close();
}
