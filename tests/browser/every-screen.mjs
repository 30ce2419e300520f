// Every screen of the dashboard in real Chromium, in both languages and both themes: nothing on any that
// anybody would call a fault (see parts/faults.mjs), nothing against WCAG 2.2 AA as axe sees it,
// and a picture of each on request.
//
// node tests/browser/every-screen.mjs URL TOKEN FOLDER     (a demo; the token of an administrator)
//
// PICTURES is a folder for pictures of all screens; without it only those that fail are kept, in FOLDER.
// ONLY is a pattern for the names of the screens to look at, SIZE that of the window (1440x900). AXE is one
// for those that axe looks at, all with `.`: it takes long, and without one looks at what no other journey
// shows it.
import { join } from "node:path";
import assert from "node:assert/strict";
import { LOOKS, awake, caller, checkAccessibility, folderOf, openBrowser, openPage, seeMap } from "./parts/eyes.mjs";
import { faultsOf } from "./parts/faults.mjs";
import { eventually, lastingAlerts, press } from "./parts/patience.mjs";

const [url, token, path] = process.argv.slice(2);
const pictures = process.env.PICTURES;
const folder = folderOf(pictures ?? path);
const only = new RegExp(process.env.ONLY ?? "");
const axe = new RegExp(process.env.AXE ?? "^(overview-card|map-(layers|replay)|keys|alerts-load|alert-(zone|ended)|device-alerts|zone|rule|rule-(tests|backtest)|backtest|not-found|refused-.*|session-ended|must-change)$");
const [width, height] = (process.env.SIZE ?? "1440x900").split("x").map(Number);
const size = { width, height };
const api = caller(url, token);
const began = Date.now();
const mark = began.toString(36).slice(-5);
const found = [];

const browser = await openBrowser();
// Somebody who is not signed in, may not do this or asks for what is not there: the browser logs that by itself.
const { page, notes } = await openPage(browser, url, { ...size, expected: /status of (401|403|404)/ });
page.setDefaultTimeout(30_000);

/** What the screens show, so that none is empty. */
async function furnish() {
  const ask = async (method, where, body, headers) => {
    const answer = await api(method, where, body, headers);
    assert.ok(answer.status < 300, `${method} ${where}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  let alerts = [];
  for (const end = Date.now() + 180_000; alerts.length < 2 && Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 500))) {
    alerts = (await ask("GET", "/alerts?state=firing&limit=100")).items;
  }
  assert.ok(alerts.length >= 2, "alerts fire");
  const ofSeries = alerts.filter((alert) => alert.subject.type === "series");
  const series = ofSeries.find((alert) => alert.severity === "critical") ?? ofSeries[0] ?? alerts[0];
  const departments = (await ask("GET", "/departments")).items.map(({ id }) => id);
  const holder = series.handling.holder ?? series.rule.department;
  const inAnHour = new Date(Date.now() + 3_600_000).toISOString();
  for (const { id } of alerts.filter((alert) => alert.id !== series.id && alert.handling.department === null && alert.rule.department === holder)) {
    const asked = await api("POST", `/alerts/${id}/hand-over`, { department: departments.find((each) => each !== holder), until: inAnHour, note: "Please close the lane" });
    if (asked.status < 300) break;
    assert.equal(asked.status, 409, `only one that has ended cannot be handed over: ${JSON.stringify(asked.body)}`);
  }
  const silence = await ask("POST", "/silences", { match: { rule: [`works-${mark}`] }, reason: "Road works", ends_at: inAnHour });
  await ask("PUT", `/users/wang-${mark}`, { name: "Wang Li", enabled: true, grants: [{ department: holder, role: "operator" }], password: "a kettle of green tea" });
  const { token: viewer } = await ask("POST", "/tokens", { note: `Every screen ${mark}`, grants: [{ department: "*", role: "viewer" }] });
  await ask("PUT", `/datasets/air-${mark}`, { id: `air-${mark}`, title: { en: "Air quality", zh: "空气质量" }, description: { en: "Fine dust as the stations measure it.", zh: "各监测站测得的颗粒物。" }, department: "environment", licence: "CC-BY-4.0", select: { kinds: ["air_station"], metrics: ["pm25"] }, positions: "exact", history_days: 30, enabled: true });
  await api("POST", `/ingest/senml?device=stray-${mark}&topic=senml/stray-${mark}`, [{ n: "temp", u: "Cel", v: 21.4 }]);
  const air = (await ask("GET", "/last-values?metric=pm25&limit=1")).items[0].device;
  await api("POST", `/ingest/json?device=${air}`, { nothing: `for ${mark}` });
  await api("PUT", "/mappings", { name: `temp_${mark}`, metric: "temperature" });
  const letter = await eventually(async () => {
    const { items } = await ask("GET", `/dead-letters?device=${air}&limit=1`);
    assert.notEqual(items.length, 0, "what could not be read is kept");
    return items[0].id;
  });
  return { series, zoned: alerts.find((alert) => alert.subject.type === "zone") ?? series, zone: series.zones[0], holder, silence: silence.id, viewer, air, letter, user: `wang-${mark}`, dataset: `air-${mark}`, stray: `stray-${mark}` };
}

/** The id of an alert that has ended. */
const endedAlert = () => eventually(async () => {
  const { items } = (await api("GET", "/alerts?state=resolved&limit=1")).body;
  assert.notEqual(items.length, 0, "an alert ends");
  return items[0].id;
}, 180_000);

/** Nothing is on its way to the screen any more, and what there is has been drawn. */
async function settled() {
  const still = () => document.querySelector(".loading, .backtest-progress") === null
    && [...document.querySelectorAll(".map-canvas")].every((map) => map.dataset.ready === "true");
  await page.waitForFunction(still, null, { timeout: 60_000 }).catch(() => found.push(`${page.url()}: something goes on loading`));
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(resolve, 60)))));
}

const mapInSight = () => page.evaluate(() => {
  const box = document.querySelector("canvas.maplibregl-canvas")?.getBoundingClientRect();
  return box !== undefined && box.width > 50 && box.top >= 0 && box.bottom <= innerHeight;
});

/** The buttons, not the keys: those are silent in dialogs and fields. */
async function use(language, theme) {
  const change = () => page.evaluate(([l, t]) => {
    const root = document.documentElement;
    if (root.lang.slice(0, 2) !== l) document.querySelector("button[lang]")?.click();
    if (root.dataset.theme !== t) document.querySelector("button[title$='(t)'], .login-actions button:not([lang])")?.click();
  }, [language, theme]);
  await change();
  await page.waitForFunction(([l, t]) => document.documentElement.lang.slice(0, 2) === l && document.documentElement.dataset.theme === t, [language, theme]);
}

async function look(name, { wall = null, fullPage = false } = {}) {
  for (const [at, [language, theme]] of LOOKS.entries()) {
    if (wall !== null) await wall(language, theme);
    else await use(language, theme);
    await settled();
    // A map that is there has yet to draw what is on it.
    if ((at === 0 || wall !== null) && (await mapInSight())) await seeMap(page, { least: 3, width: 50, height: 50 });
    const faults = await faultsOf(page, language);
    // What axe sees is the same in both languages.
    if (language === "en" && axe.test(name)) await checkAccessibility(page, name).catch((error) => faults.push(error.message));
    for (const fault of faults) found.push(`${name} in ${language}, ${theme}: ${fault}`);
    if (pictures !== undefined || faults.length > 0) await page.screenshot({ path: join(folder, `${name}-${language}-${theme}.png`), fullPage });
  }
  for (const error of notes.errors.splice(0)) found.push(`${name}: an error in the console: ${error}`);
  for (const request of notes.outside.splice(0)) found.push(`${name}: a request that leaves the server: ${request}`);
}

/** Goes to an address, waits for what belongs there, prepares it as somebody would, and looks. */
async function visit(name, where, wanted, prepare = null, options = {}) {
  if (!only.test(name)) return;
  try {
    if (where !== null) await page.goto(url + where);
    await page.waitForSelector(wanted);
    await awake(page);
    if (prepare !== null) await prepare();
    await look(name, options);
  } catch (error) {
    found.push(`${name}: ${String(error).split("\n")[0]}`);
    await page.screenshot({ path: join(folder, `${name}-failure.png`), timeout: 10_000 }).catch(() => undefined);
  }
}

const clickThen = (button, wanted) => async () => {
  await page.click(button);
  await page.waitForSelector(wanted, { timeout: 120_000 });
};
const pressThen = (key, wanted) => async () => {
  await page.evaluate(() => document.activeElement?.blur());
  await press(page, key);
  await page.waitForSelector(wanted);
};
const FINE_DUST = `group: fine-dust
department: environment
rules:
  - id: fine-dust-high
    name: {en: "Fine dust high", zh: "细颗粒物偏高"}
    kind: threshold
    select: {metric: pm25, kind: air_station}
    severity:
      medium: {above: 60, clear_below: 50}   # earlier than the rule in force
      high: {above: 115, clear_below: 100}
    for: 5s
`;
const SIZES = { hd: [1920, 1080], triple: [3840, 1080], uhd: [3840, 2160] };

try {
  const it = await furnish();
  const { series, zoned } = it;

  await visit("login", "/login", ".login input");
  await visit("setup", "/setup", ".login");
  await page.goto(`${url}/login?next=${encodeURIComponent("/devices")}#token=${token}`);
  // Around what is still asking who is there stands the same frame.
  await page.waitForURL((where) => where.pathname !== "/login");

  await visit("overview", "/", "li.alert-row");
  await visit("overview-card", `/?device=${series.subject.device ?? it.air}`, ".map-card h3, .map-card h2");
  await visit("map-layers", "/", "li.alert-row", clickThen(".layer-choice summary", ".layer-list"));
  await visit("map-replay", "/?replay=1h", ".replay-slide input:enabled");
  await visit("keys", "/", "li.alert-row", pressThen("?", "dialog[open]"));
  await visit("alerts", "/alerts", ".at-body .at-row");
  await visit("alerts-ended", "/alerts?state=all", ".at-body .at-row");
  await visit("alerts-none", "/alerts?q=nothing-like-this", ".at-frame, .state");
  await visit("alerts-groups", "/alerts?view=groups", ".group-position, .state-page");
  await visit("alerts-load", "/alerts?view=load", ".load-figure");
  await visit("alert", `/alerts/${series.id}`, ".explain-sentence");
  await visit("alert-zone", `/alerts/${zoned.id}`, ".explain-sentence");
  await visit("alert-ended", `/alerts/${await endedAlert()}`, ".log [data-kind=resolved]");
  await visit("alert-hand-over", `/alerts/${(await lastingAlerts(api))[0]}`, ".deed-buttons", pressThen("h", ".deed-form"));
  await visit("silences", "/silences?state=active", ".alert-work .table-frame");
  await visit("silence", `/silences/${it.silence}`, ".silence-head");
  await visit("new-silence", `/new-silence?rule=${series.rule.id}`, ".new-silence textarea");
  await visit("hand-overs", "/hand-overs", ".alert-work .table-frame");
  await visit("hand-overs-away", "/hand-overs?box=away", ".alert-work .table-frame");
  await visit("departments", "/departments", ".table tbody tr");
  await visit("department", `/departments/${it.holder}`, ".column-side .facts");
  await visit("devices", "/devices", ".long-table [data-row]");
  await visit("devices-none", "/devices?q=nothing-like-this", ".state");
  await visit("device", `/devices/${it.air}`, ".history .uplot");
  await visit("device-readings", `/devices/${it.air}?view=table&range=1h`, ".readings-table [data-row]");
  await visit("device-messages", `/devices/${it.air}?tab=messages`, ".ledger-missed");
  await visit("device-entry", `/devices/${it.air}?tab=entry`, ".place-form");
  await visit("device-alerts", `/devices/${series.subject.device ?? it.air}?tab=alerts`, ".tabs [aria-current]");
  await visit("zones", "/zones", "main a[href^='/zones/']");
  await visit("zone", `/zones/${it.zone}`, "h1");
  await visit("rules", "/rules", "tr[data-rule=pm25-high]");
  await visit("rule", "/rules/pm25-high", ".words li");
  await visit("rule-groups", "/rule-groups", "tr[data-group=air]");
  await visit("rule-editor", "/rule-groups/air?rule=pm25-high", ".check-sum");
  await visit("rule-editor-new", `/new-rule-group?name=every-${mark}`, ".text-body textarea");
  await visit("rule-tests", "/rule-groups/air?rule=pm25-high&pane=test", ".tests-text");
  await visit("rule-history", "/rule-groups/air?rule=pm25-high&pane=history", ".pane-body > *");
  await visit("rule-publish", "/rule-groups/air?rule=pm25-high&pane=publish", ".pane-body > *");
  await visit("backtest", "/rules/pm25-high?tab=backtest", ".backtest-pane", clickThen(".backtest-pane button[type=submit]", ".trial-figure strong"));
  await visit("rule-backtest", "/new-rule-group?name=fine-dust&pane=backtest", ".text-body textarea", async () => {
    await page.fill(".text-body textarea", FINE_DUST);
    await clickThen(".backtest-pane button[type=submit]:enabled", ".trial-figure strong")();
  });
  await visit("dead-letters", "/dead-letters", ".letter-groups tbody tr");
  await visit("dead-letters-each", "/dead-letters?view=each", "tr[data-letter]");
  await visit("dead-letter", `/dead-letters/${it.letter}`, ".payload, .hex");
  await visit("unknown-devices", "/unknown-devices", "tr[data-unknown]");
  await visit("unknown-device", `/unknown-devices/${it.stray}`, ".samples pre");
  await visit("mappings", "/mappings", ".mapping-panels");
  await visit("delivery", "/receivers", ".table.receivers");
  await visit("system", "/system", ".platform .table tbody tr");
  await visit("reports", "/reports", ".paper .table");
  await page.emulateMedia({ media: "print" });
  await visit("reports-paper", null, ".paper .table", null, { fullPage: true });
  await page.emulateMedia({ media: "screen" });
  await visit("users", "/admin/users", "tr[data-user]");
  await visit("user", `/admin/users/${it.user}`, ".admin-form");
  await visit("new-user", "/admin/new-user", ".admin-form");
  await visit("tokens", "/admin/tokens", "tr[data-token]");
  await visit("token-make", "/admin/tokens?make=1", ".dialog input");
  await visit("audit", "/admin/audit-log", "tr[data-entry]");
  await visit("datasets", "/admin/datasets", "tr[data-dataset]");
  await visit("dataset", `/admin/datasets/${it.dataset}`, ".admin-form");
  await visit("new-dataset", "/admin/new-dataset", ".admin-form");
  await visit("account", "/account", ".account-panels");
  await visit("help", "/help", ".guide-terms");
  await visit("not-found", "/no-such-page", ".full-page-not-found");
  await visit("alert-gone", "/alerts/0123456789abcdef", ".state, .full-page");

  for (const [name, [wide, high]] of Object.entries(SIZES)) {
    const wall = async (language, theme) => {
      await page.goto(`${url}/wall?view=1&lang=${language}&theme=${theme}`);
      await page.waitForSelector(".wall-chart .uplot");
    };
    if (only.test(`wall-${name}`)) {
      await page.setViewportSize({ width: wide, height: high });
      await visit(`wall-${name}`, "/wall?view=1", ".wall-board", null, { wall });
    }
  }
  await page.setViewportSize(size);

  // Somebody who may only look.
  await page.goto(`${url}/login?next=${encodeURIComponent("/account")}#token=${it.viewer}`);
  await page.waitForSelector(".account-panels");
  await visit("refused-admin", "/admin/users", ".full-page-forbidden");
  await visit("refused-deeds", `/alerts/${series.id}`, ".deed-buttons");
  await visit("refused-editor", "/rule-groups/air?rule=pm25-high&pane=publish", ".pane-body > *");
  await visit("refused-entry", `/devices/${it.air}?tab=entry`, ".place-form, .why-not, .full-page");

  // A session that ends leaves what was open under a login.
  await visit("session-ended", `/alerts/${series.id}`, "#alert-note", async () => {
    await page.context().clearCookies();
    await page.evaluate(() => dispatchEvent(new Event("online")));
    await page.waitForSelector(".relogin, .login", { timeout: 90_000 });
  });
  await visit("must-change", "/login", ".login input", async () => {
    await page.fill("input[autocomplete=username]", it.user);
    await page.fill("input[name=password]", "a kettle of green tea");
    await page.keyboard.press("Enter");
    await page.waitForSelector("input[name=new-password]");
  });

  assert.deepEqual(found, [], `${found.length} faults`);
  console.log(`every screen was looked at in ${((Date.now() - began) / 1000).toFixed(0)} s`);
} finally {
  for (const fault of found) console.error(fault);
  await browser.close();
}
