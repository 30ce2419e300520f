// What the journeys of operators share: people with rights, devices that report, rules, browsers,
// and a look at a screen in both languages and themes.
import { join } from "node:path";
import assert from "node:assert/strict";
import { LOOKS, awake, checkAccessibility, checkChinese, checkWidth, folderOf, newNotes, openBrowser, openPage, useByButtons } from "./parts/eyes.mjs";
import { eventually, focused } from "./parts/patience.mjs";

const PASSWORD = "nine quiet herons wade";
const SIZES = [[1400, 900], [1920, 1080]];
/** What a refused or overtaken call makes the browser log by itself. */
const EXPECTED = /status of (401|404|409|412)/;

/** A city through its API, as an administrator. */
export class City {
  constructor(url, token) {
    this.url = url;
    this.token = token;
    this.source = process.env.SOURCE ?? "json";
    /** So that the journeys can go again and again on one instance. */
    this.mark = Date.now().toString(36).slice(-5);
  }

  async call(method, path, body, headers = {}) {
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: { Authorization: `Bearer ${this.token}`, "Content-Type": "application/json", ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return text === "" ? null : JSON.parse(text);
  }

  /** Somebody with a password of their own, who may operate in one department. */
  async operator(name, department, shown) {
    const user = `${name}-${this.mark}`;
    await this.call("PUT", `/users/${user}`, { name: shown, enabled: true, grants: [{ department, role: "operator" }], password: `${PASSWORD} once` }, { "If-None-Match": "*" });
    const said = { "Content-Type": "application/json", "X-Citybrain-Csrf": "1" };
    const login = await fetch(`${this.url}/api/v1/session`, { method: "POST", headers: said, body: JSON.stringify({ user, password: `${PASSWORD} once` }) });
    const cookie = login.headers.get("set-cookie").split(";")[0];
    const changed = await fetch(`${this.url}/api/v1/session/password`, { method: "PUT", headers: { ...said, Cookie: cookie }, body: JSON.stringify({ current: `${PASSWORD} once`, new: PASSWORD }) });
    assert.ok(changed.ok, `a password for ${user}: ${changed.status} ${await changed.clone().text()}`);
    return { user, password: PASSWORD };
  }

  /** Air stations of a department beside one that is there already, and a rule that watches them. */
  async stations(count, department) {
    const { items } = await this.call("GET", "/devices?kind=air_station&limit=1");
    const [lon, lat] = items[0].position;
    const ids = Array.from({ length: count }, (_, n) => `pier-${this.mark}-${n + 1}`);
    for (const [n, id] of ids.entries()) {
      await this.call("PUT", `/devices/${id}`, {
        id, kind: "air_station", department, interval: "30s",
        name: { en: `Air station Pier ${this.mark} ${n + 1}`, zh: `码头空气监测站 ${this.mark} ${n + 1}` },
        position: { lon: lon + 0.002 * (n + 1), lat: lat + 0.001, crs: "WGS-84" },
      }, { "If-None-Match": "*" });
    }
    this.rule = `pier-${this.mark}`;
    await this.call("PUT", `/rule-groups/${this.rule}`, {
      why: "Watch the air at the pier",
      text: `group: ${this.rule}\ndepartment: ${department}\nrules:\n  - id: ${this.rule}\n    name: {en: "PM2.5 at the pier", zh: "码头 PM2.5 超标"}\n`
        + `    kind: threshold\n    select: {metric: pm25, device: [${ids.join(", ")}]}\n    severity:\n      medium: {above: 80, clear_below: 70}\n      high: {above: 120, clear_below: 100}\n`,
    }, { "If-None-Match": "*" });
    return ids;
  }

  /** One reading of fine dust, stored when this returns. */
  async measure(device, pm25) {
    const report = await this.call("POST", `/ingest/${this.source}?device=${device}&topic=city/environment/air_station/${device}/up`, { ts: new Date().toISOString(), data: { pm25 } });
    assert.equal(report.stored, 1, `a reading of ${device} is stored`);
  }

  /** Rises until the rule fires: as air does, not in one leap. */
  async pollute(device, top = 95) {
    for (const part of [0.45, 0.6, 0.75, 1]) await this.measure(device, Math.round(top * part));
    return eventually(async () => {
      const { items } = await this.call("GET", `/alerts?state=firing&device=${device}`);
      assert.notEqual(items.length, 0, `an alert about ${device} fires`);
      return items[0];
    });
  }

  async clear(device) {
    for (const pm25 of [66, 52, 40]) await this.measure(device, pm25);
  }
}

export class Office {
  constructor(url, folder) {
    this.url = url;
    this.folder = folderOf(folder);
    this.notes = newNotes();
    this.pages = new Map();
  }

  async open() {
    this.browser = await openBrowser();
  }

  /** A person at a computer of their own, signed in by the form. */
  async sitDown({ user, password }, language, path = "/") {
    const { page } = await openPage(this.browser, this.url, { expected: EXPECTED, timeout: 30_000, notes: this.notes });
    this.pages.set(user, page);
    await page.goto(`${this.url}/login?next=${encodeURIComponent(path)}`);
    await page.waitForSelector("input[autocomplete=username]");
    await useByButtons(page, language, "dark");
    await page.fill("input[autocomplete=username]", user);
    await page.fill("input[name=password]", password);
    await page.keyboard.press("Enter");
    await page.waitForSelector(".shell nav");
    return page;
  }

  /** In both languages and themes; nothing may stand outside the window, and axe must find nothing in either theme. */
  async look(page, name, language) {
    for (const [at, [each, theme]] of LOOKS.entries()) {
      await useByButtons(page, each, theme);
      const [width, height] = SIZES[at % SIZES.length];
      await page.setViewportSize({ width, height });
      await settled(page);
      await page.screenshot({ path: join(this.folder, `alerts-${name}-${each}-${theme}.png`) });
      await checkWidth(page, `${name} in ${each}`);
      if (each === "zh") await checkChinese(page, name, { but: ".pick-options, .silence-head", names: /^[a-z]+-[0-9a-z]{5}/ });
      if (at === 1 || at === 2) await checkAccessibility(page, `${name} in ${theme}`);
    }
    await page.setViewportSize({ width: 1400, height: 900 });
    await useByButtons(page, language, "dark");
  }

  async keepFailure(journey) {
    for (const [user, page] of this.pages) await page.screenshot({ path: join(this.folder, `${journey}-failure-${user}.png`) }).catch(() => undefined);
  }
}

/** Nothing is being loaded any more, and the browser has drawn what there is. */
async function settled(page) {
  await page.waitForFunction(() => document.querySelector("main .loading") === null);
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
}

/** Presses the keys of a choice until it stands where it should, as somebody without a mouse does. */
export async function chooseByKeys(page, selector, value) {
  await awake(page);
  await page.focus(selector);
  await focused(page, selector);
  for (let turn = 0; turn < 40; turn += 1) {
    const before = await page.inputValue(selector);
    if (before === value) return;
    await page.keyboard.press("ArrowDown");
    await eventually(async () => assert.notEqual(await page.inputValue(selector), before, `there is no ${value} in ${selector}`));
  }
  assert.fail(`${value} cannot be chosen in ${selector}`);
}
