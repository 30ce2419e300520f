// Devices and zones in real Chromium, by keyboard, in English and then in Chinese: from the table of
// all devices to one, its history, its raw messages and loss; its name is edited while a second
// editor saves; on to its zone and what that is compared with; files are downloaded and read. In both
// themes, at three sizes.
//
// node tests/browser/places.mjs URL TOKEN FOLDER
//
// Needs the demo, or another instance with simulated devices of several kinds in zones, a source
// `json`, and a token of an administrator of the whole city.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import assert from "node:assert/strict";
import { awake, checkAccessibility, checkChinese, checkWidth, folderOf, newNotes, openBrowser, openPage, useByButtons } from "./parts/eyes.mjs";
import { eventually, focused, goTo, press } from "./parts/patience.mjs";
import { goThrough, say } from "./parts/steps.mjs";

const [url, token, path] = process.argv.slice(2);
const folder = folderOf(path);

const SIZES = [[1400, 900], [1920, 1080], [1366, 768]];
/** What a viewer's refused look at late readings, or a conflict, makes the browser log by itself. */
const EXPECTED = /status of (401|403|404|412)/;
const WORDS = {
  en: { loading: "Loading", never: "Never came", saved: "Saved", city: "Whole city", needs: /Needs the role Engineer in/, reading: /^\d[\d,]* readings?$/ },
  zh: { loading: "加载中", never: "未到达", saved: "已保存", city: "全市", needs: /需要|工程师/, reading: /^[\d,]+ 条读数$/ },
};

const browser = await openBrowser();
const notes = newNotes();

async function sitDown(language) {
  const { page } = await openPage(browser, url, { expected: EXPECTED, locale: language === "zh" ? "zh-CN" : "en-GB", timeout: 30_000, notes });
  return page;
}

async function api(method, path, body, headers = {}, by = token) {
  const answer = await fetch(`${url}/api/v1${path}`, { method, headers: { Authorization: `Bearer ${by}`, "Content-Type": "application/json", ...headers }, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await answer.text();
  return { status: answer.status, tag: answer.headers.get("ETag"), body: text.startsWith("{") ? JSON.parse(text) : text };
}

/** In both themes, at two sizes; nothing may stand outside the window, be left in English, or fail axe. */
async function look(page, name, language) {
  for (const theme of ["dark", "light"]) {
    await useByButtons(page, language, theme);
    for (const [width, height] of SIZES.slice(theme === "dark" ? 0 : 1, theme === "dark" ? 2 : 3)) {
      await page.setViewportSize({ width, height });
      await settled(page);
      await page.screenshot({ path: join(folder, `places-${name}-${language}-${theme}-${width}.png`) });
      await checkWidth(page, `${name} in ${language}`);
    }
    await checkAccessibility(page, `${name} in ${language}, ${theme}`);
  }
  if (language === "zh") await checkChinese(page, name, { but: ".comparison", names: /^admin/ });
  await page.setViewportSize({ width: 1400, height: 900 });
}

/** Two frames have been drawn, and no panel still waits for what it shows. */
async function settled(page) {
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  await page.waitForFunction(() => document.querySelector(".loading") === null);
}

/** Goes on with Tab until the wanted element has the focus, as somebody without a mouse does. */
async function tabTo(page, selector, most = 150) {
  await page.waitForSelector(selector);
  await awake(page);
  for (let presses = 0; presses < most; presses += 1) {
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`the keyboard does not reach ${selector}`);
}

/** The text of a file that a link gives, without the mark at its start. */
async function download(page, selector) {
  const [file] = await Promise.all([page.waitForEvent("download"), page.click(selector)]);
  const bytes = readFileSync(await file.path(), "utf8");
  return { name: file.suggestedFilename(), marked: bytes.startsWith("\ufeff"), lines: bytes.replace(/^\ufeff/, "").trimEnd().split(/\r?\n/) };
}

let page = null;

async function journey(language, device) {
  const words = WORDS[language];
  const other = language === "zh" ? "en" : "zh";
  page = await sitDown(language);
  const name = device.name[language];

  say(`${language}: the table of all devices, however many`);
  await page.goto(`${url}/login#token=${token}`);
  await page.waitForSelector(".alerts");
  await goTo(page, "d", "/devices");
  await page.waitForSelector(".long-table [data-row]");
  const total = (await api("GET", "/devices?limit=1")).body.total;
  await eventually(async () => assert.equal(Number(await page.getAttribute(".long-table table", "aria-rowcount")), total + 1));
  assert.ok((await page.locator(".long-table tbody tr").count()) < 80, "only rows in sight exist");
  await look(page, "devices", language);
  await tabTo(page, ".long-table");
  await page.keyboard.press("End");
  await page.waitForFunction((last) => document.querySelector(`.long-table [aria-rowindex="${last}"][data-row]`) !== null, total + 1);
  await page.waitForFunction(() => /[?&]at=\d+/.test(location.search));

  say(`${language}: put in order, filtered, searched, opened by keyboard`);
  await page.keyboard.press("Home");
  await page.waitForSelector(".long-table [aria-rowindex='2'][data-row]");
  await tabTo(page, "th.c-name .sort");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => new URLSearchParams(location.search).get("sort") === "name");
  await page.waitForSelector("th.c-name[aria-sort=ascending]");
  await page.goto(`${url}/devices?kind=${device.kind}&status=online`);
  const ofKind = (await api("GET", `/devices?kind=${device.kind}&limit=1`)).body.total;
  await page.waitForFunction((most) => Number(document.querySelector(".long-table table")?.getAttribute("aria-rowcount")) <= most + 1, ofKind);
  await press(page, "/");
  await focused(page, ".search");
  await page.keyboard.type(device.id);
  await page.waitForFunction((id) => new URLSearchParams(location.search).get("q") === id, device.id);
  await page.waitForSelector(`[data-row="${device.id}"]`);
  const list = await download(page, ".list-head .file-links a[href*='format=csv']");
  assert.ok(list.marked, "spreadsheet programs are told that it is UTF-8");
  assert.match(list.lines[0], /^id,name_en,name_zh,kind,department,/);
  assert.ok(list.lines.slice(1).some((line) => line.startsWith(`${device.id},`)), list.lines.join("\n"));
  assert.match(list.name, /^devices.*\.csv$/);
  await press(page, "/");
  await focused(page, ".search");
  await press(page, "Escape");
  await focused(page, "body");
  const rows = await page.locator("[data-row]").evaluateAll((all) => all.map((row) => row.dataset.row));
  for (let at = 0; at <= rows.indexOf(device.id); at += 1) await press(page, "j");
  await page.waitForSelector(`[data-row="${device.id}"][aria-current]`);
  await press(page, "Enter");
  await page.waitForURL(`**/devices/${device.id}`);

  say(`${language}: its values, and its history as chart and as readings`);
  await page.waitForFunction((text) => document.querySelector("h1")?.textContent === text, name);
  await page.waitForSelector(".value-tiles [data-metric]");
  await page.waitForSelector(".history .uplot");
  await page.waitForFunction(() => document.querySelectorAll(".history .chart-empty").length === 0);
  await look(page, "device", language);
  await tabTo(page, ".history .segments button:nth-child(3)");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => new URLSearchParams(location.search).get("range") === "24h");
  await page.goto(`${url}/devices/${device.id}?view=table&metric=${device.metric}&range=1h`);
  await page.waitForSelector(".readings-table [data-row]");
  const times = (await page.locator(".readings-table [data-row]").evaluateAll((all) => all.map((row) => Number(row.dataset.row)))).slice(0, 5);
  assert.deepEqual(times, [...times].sort((a, b) => b - a), "newest first");
  assert.match(await page.textContent(".readings-head [role=status]"), words.reading);
  await look(page, "readings", language);
  const readings = await download(page, ".readings-head .file-links a");
  assert.match(readings.lines[0], new RegExp(`^time,device,metric,value( \\[.+\\])?,unit,quality,`));
  assert.match(readings.lines[1], new RegExp(`^\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z,${device.id},${device.metric},[-\\d.]+,`));
  await page.click(".history [aria-pressed=false]:text('◂'), .history .segments button >> text=◂");
  await page.waitForFunction(() => Date.parse(new URLSearchParams(location.search).get("until") ?? "") < Date.now());
  await page.goBack();

  say(`${language}: what of its messages could not be read, and what never came`);
  const payload = { nothing: `for ${language}` };
  const refused = await api("POST", `/ingest/json?device=${device.id}`, payload);
  assert.equal(refused.status, 422, JSON.stringify(refused.body));
  await page.goto(`${url}/devices/${device.id}`);
  await tabTo(page, ".tabs a[href$='tab=messages']");
  await page.keyboard.press("Enter");
  await page.waitForURL("**?tab=messages");
  await page.waitForSelector("[data-letter]");
  await tabTo(page, "[data-letter] button");
  await page.keyboard.press("Enter");
  await page.waitForFunction((text) => document.querySelector(".letter-whole pre")?.textContent.includes(text), payload.nothing);
  const never = page.locator(".ledger-missed");
  await never.waitFor();
  assert.ok((await never.textContent()).includes(words.never));
  await eventually(async () => {
    const shown = Number((await never.locator("td").first().textContent()).replace(/\D/g, ""));
    const { body: loss } = await api("GET", "/loss?by=device");
    const missed = loss.items.find((item) => item.id === device.id).missed;
    assert.ok(missed > 0 && shown > 0 && shown <= missed, `of ${missed} that never came ${shown} are shown`);
  });
  await look(page, "messages", language);

  say(`${language}: its name is edited while somebody else saves too`);
  await tabTo(page, ".tabs a[href$='tab=entry']");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".place-form");
  await look(page, "entry", language);
  const before = await api("GET", `/devices/${device.id}/entry`);
  const second = { ...before.body, name: { ...before.body.name, [other]: `${before.body.name[other]} *` }, life_cycle: "maintenance" };
  assert.equal((await api("PUT", `/devices/${device.id}`, second, { "If-Match": before.tag })).status, 200);
  await tabTo(page, `input[lang^=${language}]`);
  await page.keyboard.press("End");
  await page.keyboard.type(" !");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".conflict");
  assert.equal(await page.locator(".conflict fieldset").count(), 0, "they changed different things");
  await look(page, "conflict", language);
  await tabTo(page, ".conflict .button.primary");
  // What was saved is loaded again; what others change after that clashes with it.
  const isEntry = (answer) => answer.request().method() === "GET" && answer.url().endsWith(`/devices/${device.id}/entry`);
  await Promise.all([page.waitForResponse(isEntry), page.keyboard.press("Enter")]);
  await page.waitForSelector(".conflict", { state: "detached" });
  const both = (await api("GET", `/devices/${device.id}/entry`)).body;
  assert.deepEqual([both.name[language], both.name[other], both.life_cycle], [`${name} !`, `${device.name[other]} *`, "maintenance"]);
  await page.waitForFunction((text) => document.querySelector("h1")?.textContent === text, `${name} !`);

  say(`${language}: both change the same, and one has to decide`);
  const again = await api("GET", `/devices/${device.id}/entry`);
  assert.equal((await api("PATCH", `/devices/${device.id}`, { name: { [language]: `${name} #2` } })).status, 200, again.tag);
  await page.fill(`input[lang^=${language}]`, name);
  await page.click(".form-actions button[type=submit]");
  await page.waitForSelector(".conflict fieldset");
  assert.ok(await page.isDisabled(".conflict .button.primary"), "nothing is saved before it is decided");
  await look(page, "clash", language);
  await page.check(".conflict fieldset label:first-of-type input");
  await page.click(".conflict .button.primary");
  await page.waitForSelector(".conflict", { state: "detached" });
  assert.equal((await api("GET", `/devices/${device.id}/entry`)).body.name[language], name);
  await api("PATCH", `/devices/${device.id}`, { name: device.name, life_cycle: "active" });

  say(`${language}: its alerts, each with its log`);
  const alerted = await eventually(async () => {
    const { body: some } = await api("GET", "/alerts?state=all&limit=200");
    const found = some.items.find((alert) => alert.subject.type !== "zone" && alert.device_name !== null);
    assert.ok(found !== undefined, "there is an alert about a device");
    return found;
  }, 180_000);
  await page.goto(`${url}/devices/${alerted.subject.device}?tab=alerts`);
  await page.waitForSelector("[data-alert]");
  await tabTo(page, "[data-alert] button");
  await page.keyboard.press("Enter");
  await page.waitForSelector("[data-alert] .log li");
  await page.waitForFunction(() => new URLSearchParams(location.search).get("alert") !== null);
  await look(page, "device-alerts", language);

  say(`${language}: a command to it`);
  await page.goto(`${url}/devices/${device.id}?tab=commands`);
  await page.waitForSelector(".place-form textarea");
  await page.fill(".place-form textarea", '{"report": "now"}');
  await page.click(".place-form button[type=submit]");
  await page.waitForSelector(".letters [class=letter-line] strong");
  await eventually(async () => assert.match(await page.textContent(".letters code"), new RegExp(`${device.id}/set$`)));
  await look(page, "commands", language);

  say(`${language}: its zone, compared with others, and the list of zones`);
  await page.goto(`${url}/devices/${device.id}`);
  await page.waitForSelector(".facts a[href^='/zones/']");
  await page.locator(".facts a[href^='/zones/']").first().focus();
  await page.keyboard.press("Enter");
  await page.waitForURL(`**/zones/${device.zones[0]}`);
  await page.waitForSelector(".comparison tbody tr >> nth=2");
  await page.waitForFunction(() => document.querySelectorAll(".chart-tall .uplot").length === 1 && document.querySelectorAll(".chart-empty").length === 0);
  await eventually(async () => assert.ok((await page.textContent(".comparison")).includes(words.city)));
  await look(page, "zone", language);
  await page.goto(`${url}/zones/${device.zones[0]}?over=day`);
  await page.waitForFunction(() => document.querySelectorAll(".panel-text + .table tbody tr").length > 0);
  await look(page, "zone-day", language);
  await page.waitForSelector(".comparison tbody tr >> nth=2");
  const count = await page.locator(".comparison tbody tr").count();
  await tabTo(page, ".comparison button.icon-only");
  await page.keyboard.press("Enter");
  await page.waitForFunction((rowsBefore) => document.querySelectorAll(".comparison tbody tr").length === rowsBefore - 1, count);
  await page.waitForFunction(() => /with=/.test(location.search));
  const steps = await download(page, ".panel:has(.chart-tall) .file-links a");
  assert.match(steps.lines[0], /^time,device,metric,count,min/);
  await goTo(page, "z", "/zones");
  await page.waitForSelector(".table a[href^='/zones/']");
  await tabTo(page, "thead th:last-child .sort");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => new URLSearchParams(location.search).get("sort") === "-area");
  await look(page, "zones", language);
  const borders = await download(page, ".list-head a[download]");
  assert.equal(JSON.parse(borders.lines.join("\n")).type, "FeatureCollection");
}

/** Sees everything, and is told why nothing can be changed. */
async function viewer(language, device) {
  say(`${language}: a viewer looks, and is told why nothing can be changed`);
  const made = await api("POST", "/tokens", { note: "journey of places", grants: [{ department: "*", role: "viewer" }] });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  page = await sitDown(language);
  await page.goto(`${url}/login#token=${made.body.token}`);
  await page.waitForSelector(".alerts");
  await page.goto(`${url}/devices/${device.id}?tab=entry`);
  await page.waitForSelector(".place-form .why-not");
  assert.match(await page.textContent(".why-not"), WORDS[language].needs);
  assert.ok(await page.isDisabled(".form-actions button[type=submit]"));
  await look(page, "entry-viewer", language);
  await page.goto(`${url}/devices/${device.id}?tab=commands`);
  await page.waitForSelector(".why-not");
  assert.equal(await page.getAttribute(".place-form button[type=submit]", "aria-disabled"), "true");
  await page.goto(`${url}/devices/${device.id}?tab=messages`);
  await page.waitForSelector("[data-letter]");
  assert.match(await page.textContent(".column-main"), WORDS[language].needs);
  await page.goto(`${url}/devices/no-such-device`);
  await page.waitForSelector(".full-page-not-found h1");
  await page.goto(`${url}/devices?q=no-such-device`);
  await page.waitForSelector(".list-panel .state");
  await look(page, "devices-none", language);
  await api("DELETE", `/tokens/${made.body.id}`);
}

/** Devices that are heard, stand in a zone, and have skipped numbers. */
async function subjects() {
  for (const end = Date.now() + 120_000; Date.now() < end; await new Promise((done) => setTimeout(done, 1_000))) {
    const missed = new Set((await api("GET", "/loss?by=device")).body.items.filter((item) => item.missed > 0).map((item) => item.id));
    const { items } = (await api("GET", "/devices?status=online&limit=1000&life_cycle=active")).body;
    const fit = items.filter((device) => missed.has(device.id) && device.zones.length > 0 && device.id.length > 5 && items.filter((each) => each.id.startsWith(device.id)).length === 1);
    if (fit.length < 2) continue;
    const metric = async (device) => (await api("GET", `/last-values?device=${device.id}`)).body.items.find((value) => typeof value.value === "number" && value.marks.length === 0)?.metric;
    const found = await Promise.all(fit.slice(0, 2).map(async (device) => ({ ...device, metric: await metric(device) })));
    if (found.every((device) => device.metric !== undefined)) return found;
  }
  return assert.fail("no two devices are heard that have skipped numbers");
}

await goThrough("the journey through devices and zones", async () => {
  const [first, second] = await subjects();
  await journey("en", first);
  await viewer("en", first);
  await journey("zh", second);
  await viewer("zh", second);
}, { notes, keep: () => page?.screenshot({ path: join(folder, "places-failure.png") }), close: () => browser.close() });
