// A lost and returned network in real Chromium: cut, frozen without a word, a computer that slept, and a page
// that is opened while the server is away. Nothing old may look new, and everything comes back by itself.
//
// node tests/browser/network.mjs URL TOKEN FOLDER     (a demo; the token of an operator or more)
import { join } from "node:path";
import assert from "node:assert/strict";
import { caller, checkAccessibility, folderOf, look, openBrowser, openPage, secondsIn, seeMap } from "./parts/eyes.mjs";
import { eventually, lastingAlerts, press } from "./parts/patience.mjs";
import { layWire } from "./parts/wire.mjs";

const [url, token, path] = process.argv.slice(2);
const folder = folderOf(path);
const api = caller(url, token);
const wire = await layWire(url);
const browser = await openBrowser();
/** What a broken network makes the browser log by itself; and a server without a base map. */
const EXPECTED = /Worker failed to load|status of (401|404|502)|ERR_CONNECTION|ERR_SOCKET|ERR_EMPTY_RESPONSE|ERR_TIMED_OUT|ERR_NETWORK|Failed to fetch/;
const began = Date.now();
let step = "";
const say = (text) => {
  step = text;
  console.log(text);
};

const { page, notes } = await openPage(browser, wire.url, { expected: EXPECTED });
const seen = (check, ...args) => page.waitForFunction(check, ...args);
const isLive = () => seen(() => document.querySelector(".link-state")?.classList.contains("link-live") && document.querySelector(".shell:not(.stale-data)") !== null && ![...document.querySelectorAll(".banner")].some((each) => /server since|失去连接/.test(each.textContent)));
const isBannered = () => seen(() => [...document.querySelectorAll(".banner")].some((each) => /No connection to the server since \d\d:\d\d:\d\d UTC/.test(each.textContent)));
/** The age of the newest reading in seconds, as the page says it. */
const age = async (of = page) => secondsIn(await of.textContent(".figure-newest .figure-value"));
const isFresh = (of = page) => eventually(async () => assert.ok((await age(of)) <= 5, "what is shown is of now"));
/** Waits until an age has grown: a number that stands still would look new for ever. After 90 s it grows by minutes. */
const ages = async (least) => {
  const first = await age();
  await eventually(async () => assert.ok((await age()) >= first + least, "what is shown grows old"), 120_000);
};
const unacknowledged = () => page.locator("li.alert-row.unacknowledged").evaluateAll((rows) => rows.map((each) => each.dataset.alert));
const saysUnreachable = async () => {
  await page.waitForSelector('main [role="alert"]');
  await eventually(async () => assert.match(await page.textContent("main"), /cannot be reached/));
};

try {
  say("all is well");
  await page.goto(`${wire.url}/login#token=${token}`);
  await page.waitForSelector("li.alert-row", { timeout: 180_000 });
  await seeMap(page);
  await isLive();
  // Of two people who acknowledge it one fails and the other does not: until then it must fire.
  const lasting = await lastingAlerts(api);
  const kept = await eventually(async () => {
    const shown = await unacknowledged();
    const found = lasting.find((id) => shown.includes(id));
    assert.ok(found !== undefined, "an alert that lasts is shown");
    return found;
  }, 180_000);

  say("the network is cut: it says since when, and what is shown grows old");
  wire.cut();
  await isBannered();
  await seen(() => document.querySelector(".link-state.link-reconnecting, .link-state.link-offline") !== null);
  await eventually(async () => assert.ok(await page.evaluate(() => getComputedStyle(document.querySelector("main")).filter.includes("saturate")), "what is old is pale"));
  await ages(4);
  await seeMap(page, { least: 4 });
  await look(page, folder, "network-cut");

  say("an acknowledgement that cannot be sent is not shown as done");
  await page.locator(`li.alert-row[data-alert="${kept}"] button.alert-ack`).evaluate((button) => button.click());
  await page.waitForSelector(".notice");
  assert.equal(await page.locator(`li.alert-row[data-alert="${kept}"].unacknowledged`).count(), 1);
  await press(page, "Escape");

  say("another page says that it cannot be loaded, and is not empty as if there were nothing");
  await page.evaluate(() => document.querySelector("a[href='/system']").click());
  await saysUnreachable();
  await checkAccessibility(page, "a screen without a server");
  await page.evaluate(() => document.querySelector("a[href='/devices']").click());
  await saysUnreachable();
  await page.evaluate(() => document.querySelector("a[href='/']").click());
  await page.waitForSelector("li.alert-row");

  say("meanwhile somebody else acknowledges an alert; when the network is back, it is seen");
  await eventually(async () => assert.ok((await unacknowledged()).includes(kept), "nothing is known of it yet"));
  assert.equal((await api("POST", `/alerts/${kept}/acknowledge`, {})).status, 200);
  wire.mend();
  await isLive();
  await seen((id) => document.querySelector(`li.alert-row[data-alert="${id}"]:is(.unacknowledged)`) === null, kept);
  await isFresh();
  await seeMap(page);

  say("a cable is pulled: nothing breaks, nothing comes, and that is noticed too");
  wire.freeze();
  await isBannered();
  await ages(3);
  wire.mend();
  await isLive();

  say("the computer sleeps for a while, and wakes on another network");
  const { page: laptop, context } = await openPage(browser, wire.url, { expected: EXPECTED });
  await laptop.clock.install();
  await laptop.goto(`${wire.url}/login#token=${token}`);
  await laptop.waitForSelector("li.alert-row");
  await laptop.waitForSelector(".link-live");
  wire.freeze();
  // Everything is asked for anew as soon as it wakes, also before the network is there.
  const asked = laptop.waitForRequest((request) => request.url().endsWith("/api/v1/map"));
  // As when the lid is closed: time goes on, and timers that were due run once.
  await laptop.clock.fastForward("35:00");
  await laptop.waitForFunction(() => [...document.querySelectorAll(".banner")].some((each) => /No connection to the server/.test(each.textContent)));
  await asked;
  wire.mend();
  await laptop.waitForSelector(".link-live");
  await laptop.waitForFunction(() => document.querySelector(".banner") === null);
  // Its own clock stands half an hour apart now; ages are by the server's.
  await isFresh(laptop);
  await eventually(async () => {
    const shownAt = await laptop.evaluate(() => Date.parse(document.querySelector("time.clock").dateTime));
    assert.ok(Math.abs(shownAt - Date.now()) < 15_000, "the clock is the server's");
  });
  await eventually(async () => {
    const counted = await laptop.evaluate(() => Number(document.querySelector(".figure-firing .figure-value").textContent.replace(/\D/g, "")));
    const real = (await api("GET", "/system")).body.alerts_firing;
    assert.ok(Math.abs(counted - real) <= 3, `after the sleep ${counted} alerts are shown, and ${real} fire`);
  });
  await context.close();
  await isLive();
  await seeMap(page);

  say("a page that is opened while the server is away waits for it");
  // The page itself comes from the browser's memory or not at all: only what it asks is of interest.
  const { page: waiting } = await openPage(browser, wire.url, { expected: EXPECTED });
  await waiting.goto(`${wire.url}/login#token=${token}`);
  await waiting.waitForSelector(".alerts");
  await waiting.route("**/api/**", (route) => route.abort());
  await waiting.goto(wire.url);
  await waiting.waitForSelector(".full-page-unreachable");
  await waiting.screenshot({ path: join(folder, "network-unreachable-en-dark.png") });
  await waiting.unroute("**/api/**");
  await waiting.waitForSelector(".alerts");

  assert.deepEqual(notes.outside, [], "no request leaves the server");
  assert.deepEqual(notes.errors, [], "no error in the console");
  console.log(`the lost and returned network passed in ${((Date.now() - began) / 1000).toFixed(0)} s`);
} catch (error) {
  console.error(`it failed where ${step}`);
  console.error(notes.errors);
  await page.screenshot({ path: join(folder, "network-failure.png"), timeout: 10_000 }).catch(() => undefined);
  throw error;
} finally {
  await browser.close();
  await wire.close();
}
