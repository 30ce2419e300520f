// The overview in real Chromium: devices on the map, an alert that fires and clears by itself,
// both languages, both themes, no request that leaves the server.
//
// node tests/browser/overview.mjs URL TOKEN FOLDER
import { join } from "node:path";
import assert from "node:assert/strict";
import { LOOKS, caller, checkAccessibility, checkWidth, folderOf, openBrowser, openPage, quiet, seeMap, use } from "./parts/eyes.mjs";
import { eventually, lastingAlerts } from "./parts/patience.mjs";
import { checkClean } from "./parts/steps.mjs";

const [url, token, path] = process.argv.slice(2);
const folder = folderOf(path);
const api = caller(url, token);
const browser = await openBrowser();
// A page that is not logged in asks who it is, and is told 401: the browser logs that by itself.
const { page, notes } = await openPage(browser, url, { width: 1920, height: 1080, expected: /401/, reducedMotion: "no-preference" });

const shot = async (name) => page.screenshot({ path: join(folder, `${name}.png`) });
const screens = async (name) => {
  for (const [language, theme] of LOOKS) {
    await use(page, language, theme);
    await quiet(page);
    await shot(`${name}-${language}-${theme}`);
  }
  await use(page, "en", "dark");
};
/** In Chinese no heading, column, figure or button may be left in English. */
async function checkChinese(screen) {
  await use(page, "zh", "dark");
  await quiet(page);
  const left = await page.evaluate(() => {
    const names = [...document.querySelectorAll("h2, th[scope=col], dt, .figure-name, button, .badge, .segments button")];
    const foreign = /[A-Za-z]{3,}/;
    const proper = /^(English|WGS-84|LoRaWAN|PNG|CSV|GeoJSON)$/;
    return names
      .filter((each) => each.offsetParent !== null)
      .map((each) => each.textContent.trim())
      .filter((text) => foreign.test(text) && !/[\u4e00-\u9fff]/.test(text) && !proper.test(text));
  });
  await use(page, "en", "dark");
  assert.deepEqual(left, [], `texts of ${screen} that are not Chinese`);
}
/** On a small laptop nothing may stand outside the window. */
async function checkSmall(screen) {
  await page.setViewportSize({ width: 1366, height: 768 });
  await quiet(page);
  await shot(`${screen}-small-en-dark`);
  await checkWidth(page, screen);
  await page.setViewportSize({ width: 1920, height: 1080 });
}
/** Every chart that is shown has something on it. */
async function checkCharts(screen) {
  await page.waitForSelector(".chart .uplot");
  await page.waitForFunction(() => document.querySelectorAll(".chart-empty").length === 0)
    .catch(() => assert.fail(`a chart of ${screen} is empty`));
}

try {
  const opened = Date.now();
  await page.goto(`${url}/login#token=${token}`);
  await page.waitForSelector(".alerts");
  assert.ok(!page.url().includes(token), "the token is taken out of the address");

  // Devices: of 2,000 most are heard (an incident may silence a gateway), and the map shows
  // something other than one colour.
  await page.waitForFunction(() => /of 2,000/.test(document.querySelector(".figure-devices")?.textContent ?? ""));
  await page.waitForFunction(() => Number((document.querySelector(".figure-devices .figure-value")?.textContent ?? "0").replace(/\D/g, "")) >= 1_800);
  await seeMap(page);
  console.log(`devices on the map ${((Date.now() - opened) / 1000).toFixed(1)} s after opening`);

  // Live: the rate of readings is not zero.
  await page.waitForFunction(() => Number.parseFloat((document.querySelector(".figure-rate .figure-value")?.textContent ?? "0").replace(/[^\d.]/g, "")) > 0);

  // An alert fires by itself.
  const fired = await page.waitForSelector("li.alert-row:not(.resolved)", { timeout: 120_000 });
  const id = await fired.getAttribute("data-alert");
  console.log(`first alert ${((Date.now() - opened) / 1000).toFixed(1)} s after opening: ${id}`);
  if (process.env.PICTURES) await page.waitForTimeout(20_000); // a few more come, for the pictures of the README
  await screens("overview");
  await eventually(async () => assert.match(await page.textContent("body"), /simulated/i, "simulated data are called so"));

  await checkCharts("overview");
  await checkChinese("overview");
  await checkSmall("overview");
  await checkAccessibility(page, "overview");

  // The detail page of an alert, its device and its zone.
  await page.goto(`${url}/alerts/${id}`);
  await page.waitForSelector("h1");
  await screens("alert");
  await checkChinese("alert");
  await checkSmall("alert");
  await checkAccessibility(page, "alert");
  await page.goto(`${url}/devices`);
  await page.waitForSelector("table a, .table a");
  await screens("devices");
  const device = await page.getAttribute("table a[href^='/devices/'], .table a[href^='/devices/']", "href");
  await page.goto(url + device);
  await page.waitForSelector("h1");
  await checkCharts("device");
  await screens("device");
  await checkChinese("device");
  await checkAccessibility(page, "device");
  await page.goto(`${url}/zones`);
  await page.waitForSelector("a[href^='/zones/']");
  await screens("zones");
  const zone = await page.getAttribute("main a[href^='/zones/']", "href");
  await page.goto(url + zone);
  await page.waitForSelector("h1");
  await checkCharts("zone");
  await screens("zone");
  await checkChinese("zone");
  await checkAccessibility(page, "zone");

  // Some alert clears without anybody touching it.
  await page.goto(url);
  const clearedId = await eventually(async () => {
    const { items } = (await api("GET", "/alerts?state=resolved&acknowledged=false&limit=1")).body;
    assert.notEqual(items.length, 0, "an alert clears within three minutes");
    return items[0].id;
  }, 180_000);
  await page.goto(`${url}/alerts/${clearedId}`);
  await page.waitForSelector("h1");
  await page.waitForFunction(() => /resolved/i.test(document.querySelector("main")?.textContent ?? ""));
  await quiet(page);
  await shot("alert-resolved-en-dark");
  console.log(`an alert cleared by itself: ${clearedId}`);

  // A person acknowledges one, and the list says who did.
  const [mine] = await lastingAlerts(api);
  await page.goto(`${url}/?acknowledged=false&severity=low`);
  await page.locator(`li.alert-row.unacknowledged[data-alert="${mine}"] button.alert-ack`).evaluate((button) => button.click());
  await page.waitForSelector(`li.alert-row.unacknowledged[data-alert="${mine}"]`, { state: "detached" });
  await page.goto(`${url}/alerts/${mine}`);
  await page.waitForSelector(".log .by-person");
  await eventually(async () => assert.match(await page.textContent(".log .by-person"), /acknowledged/i));
  await shot("alert-acknowledged-en-dark");

  checkClean(notes);
  console.log(`the browser journey passed in ${((Date.now() - opened) / 1000).toFixed(0)} s`);
} catch (error) {
  await shot("failure");
  throw error;
} finally {
  await browser.close();
}
