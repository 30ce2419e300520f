// Access in real Chromium: the first administrator is set up, makes somebody with rights in one
// department only, and that one can acknowledge there and nowhere else; sessions end and what was
// open comes back; tokens, open data and the audit log. In both languages and themes, at three sizes.
//
// node tests/browser/admin.mjs URL SETUP_TOKEN FOLDER
import { join } from "node:path";
import assert from "node:assert/strict";
import { LOOKS, checkAccessibility, checkChinese, checkWidth, folderOf, newNotes, openBrowser, openPage, quiet, useByButtons } from "./parts/eyes.mjs";
import { eventually, press } from "./parts/patience.mjs";
import { goThrough, say } from "./parts/steps.mjs";

const [url, setupToken, path] = process.argv.slice(2);
const folder = folderOf(path);

const PASSWORDS = { ada: "seven grey herons wade", wang: "a kettle of green tea" };
const SIZES = [[1920, 1080], [1400, 900], [900, 900]];
/** What a refused or ended login makes the browser log by itself. */
const EXPECTED = /status of (401|403|404|412|429)/;

const browser = await openBrowser();
const notes = newNotes();

/** A person at a computer of their own. */
async function sitDown() {
  const { page } = await openPage(browser, url, { expected: EXPECTED, timeout: 30_000, notes });
  return page;
}

/** In both languages and themes, at all sizes; nothing may stand outside the window or fail axe. */
async function look(page, name) {
  for (const [at, [language, theme]] of LOOKS.entries()) {
    await useByButtons(page, language, theme);
    const [width, height] = SIZES[at % SIZES.length];
    await page.setViewportSize({ width, height });
    await quiet(page);
    await page.screenshot({ path: join(folder, `admin-${name}-${language}-${theme}.png`) });
    await checkWidth(page, `${name} in ${language}`);
    if (language === "zh") await checkChinese(page, name, { but: ".difference, .pick-options", names: /^(Ada Lovelace.*|ada|wang|Wang Li.*)$/ });
  }
  await page.setViewportSize({ width: 1400, height: 900 });
  await useByButtons(page, "en", "dark");
  await checkAccessibility(page, name);
}

async function logIn(page, user, password) {
  await page.waitForSelector("input[autocomplete=username]");
  await page.fill("input[autocomplete=username]", user);
  await page.fill("input[name=password]", password);
  await page.click("button[type=submit]");
}

const choose = (page, selector, value) => page.selectOption(selector, value);
const api = (page, method, path, body) => page.evaluate(async ([m, p, b]) => {
  const answer = await fetch(`/api/v1${p}`, { method: m, headers: { "X-Citybrain-Csrf": "1", "Content-Type": "application/json" }, body: b === undefined ? undefined : JSON.stringify(b) });
  const text = await answer.text();
  return { status: answer.status, type: answer.headers.get("Content-Type"), body: text.startsWith("{") ? JSON.parse(text) : text };
}, [method, path, body]);

const ada = await sitDown();
const wang = await sitDown();

await goThrough("the journey through access", async () => {
  say("the first administrator is set up");
  await ada.goto(`${url}/login`);
  await ada.waitForSelector("a[href='/setup']");
  await look(ada, "login");
  await ada.goto(`${url}/setup#token=${setupToken}`);
  await ada.waitForSelector("input[name=new-password]");
  assert.ok(!ada.url().includes(setupToken), "the token is taken out of the address");
  await ada.fill("input[autocomplete=username]", "ada");
  await ada.fill("input[autocomplete=name]", "Ada Lovelace");
  await ada.fill("input[name=new-password]", "too short");
  await ada.fill("input[name=new-password-again]", "too short");
  assert.ok(await ada.isDisabled("button[type=submit]"), "a short password is not taken");
  await look(ada, "setup");
  await ada.fill("input[name=new-password]", PASSWORDS.ada);
  await ada.fill("input[name=new-password-again]", PASSWORDS.ada);
  await ada.click("button[type=submit]");
  await ada.waitForSelector(".alerts");
  await ada.goto(`${url}/login`);
  await ada.waitForSelector(".alerts");

  say("she logs out and in again with her password");
  await ada.click("button[aria-label='Log out']");
  await ada.waitForSelector(".login");
  await logIn(ada, "ada", "not her password at all");
  await ada.waitForSelector(".mishap");
  assert.match(await ada.textContent(".mishap"), /do not fit together/);
  await look(ada, "login-refused");
  await logIn(ada, "ada", PASSWORDS.ada);
  await ada.waitForSelector(".alerts");

  for (const [id, en, zh] of [["water", "Water", "水务"], ["roads", "Roads", "道路"]]) {
    assert.ok((await api(ada, "PUT", `/departments/${id}`, { name: { en, zh } })).status < 300);
  }

  say("she makes somebody who may operate in one department only");
  await ada.goto(`${url}/admin/users`);
  await ada.waitForSelector("tr[data-user=ada]");
  await look(ada, "users");
  await ada.click(".list-head .button.primary");
  await ada.waitForSelector(".admin-form");
  await ada.fill(".admin-form input >> nth=0", "wang");
  await ada.fill(".admin-form input >> nth=1", "Wang Li");
  await ada.click(".grants-editor button");
  await choose(ada, ".grant-row select >> nth=0", "water");
  await choose(ada, ".grant-row select >> nth=1", "operator");
  await look(ada, "new-user");
  await ada.click(".admin-form button[type=submit]");
  await ada.waitForSelector(".once input");
  const oneTime = await ada.inputValue(".once input");
  await press(ada, "Escape");
  await ada.waitForURL("**/admin/users/wang");
  await ada.waitForSelector(".grant-row");
  await look(ada, "user");

  say("he must choose a password of his own first");
  await wang.goto(`${url}/zones?from=here`);
  await logIn(wang, "wang", oneTime);
  await wang.waitForSelector("input[name=new-password]");
  await look(wang, "must-change");
  await wang.fill("input[name=password]", oneTime);
  await wang.fill("input[name=new-password]", PASSWORDS.wang);
  await wang.fill("input[name=new-password-again]", PASSWORDS.wang);
  await wang.click("button[type=submit]");
  await wang.waitForSelector(".list-page");
  assert.equal(new URL(wang.url()).pathname, "/zones", "he comes to where he wanted");

  say("he acknowledges in his department and is refused in the other");
  await wang.goto(url);
  await wang.waitForFunction(() => document.querySelectorAll("li.alert-row.unacknowledged").length === 2);
  const found = (await api(wang, "GET", "/alerts?state=firing")).body.items;
  const of = (department) => found.find((alert) => alert.rule.department === department).id;
  const [own, foreign] = [of("water"), of("roads")];
  const button = (id) => `li[data-alert="${id}"] button.alert-ack`;
  assert.equal(await wang.getAttribute(button(foreign), "aria-disabled"), "true");
  assert.match(await wang.getAttribute(button(foreign), "title"), /Needs the role Operator in Roads\..*Water · Operator/);
  await wang.click(button(foreign), { force: true });
  await wang.click(button(own));
  await wang.waitForSelector(`li[data-alert="${own}"]:not(.unacknowledged)`);
  await look(wang, "overview");
  assert.equal((await api(wang, "GET", `/alerts/${foreign}`)).body.acknowledged, null);
  const refused = await api(wang, "POST", `/alerts/${foreign}/acknowledge`, {});
  assert.equal(refused.status, 403, "the server refuses it too");
  assert.equal(refused.body.code, "forbidden");
  await wang.goto(`${url}/alerts/${foreign}`);
  await wang.waitForSelector(".why-not");
  await look(wang, "alert-of-others");
  await wang.goto(`${url}/admin/users`);
  await wang.waitForSelector(".full-page-forbidden");
  await look(wang, "forbidden");
  await wang.goto(`${url}/account`);
  await wang.waitForSelector(".account-panels");
  await look(wang, "account");

  say("his session ends while he types, and what he typed is still there");
  await wang.goto(`${url}/alerts/${own}`);
  await wang.waitForSelector("#alert-note");
  await wang.fill("#alert-note", "Two pumps are on the way");
  await ada.click("text=Log out everywhere");
  await ada.click(".button.danger");
  await ada.waitForSelector(".dialog", { state: "detached" });
  // The page may have noticed by itself before, and have covered the button: its live events end with the session.
  await wang.evaluate(() => document.querySelector(".relogin") === null && document.querySelector(".actions .button:not(.primary)").click());
  await wang.waitForSelector(".relogin");
  await wang.screenshot({ path: join(folder, "admin-relogin-en-dark.png") });
  await eventually(async () => assert.equal(await wang.inputValue(".relogin input[autocomplete=username]"), "wang"));
  await wang.fill(".relogin input[name=password]", PASSWORDS.wang);
  await wang.click(".relogin button[type=submit]");
  await wang.waitForSelector(".relogin", { state: "detached" });
  assert.equal(await wang.inputValue("#alert-note"), "Two pumps are on the way");
  await wang.click(".actions .button:not(.primary)");
  await wang.waitForFunction(() => [...document.querySelectorAll(".log li")].some((each) => each.textContent.includes("Two pumps")));

  say("two change the same user, and both changes are kept");
  const { body: before } = await api(ada, "GET", "/users/wang");
  await ada.reload();
  await ada.waitForSelector(".admin-form");
  const changed = await ada.evaluate(async ({ name, email, grants, enabled }) => {
    const path = "/api/v1/users/wang";
    const tag = (await fetch(path)).headers.get("ETag");
    const body = JSON.stringify({ name: `${name} (pumps)`, email, grants, enabled });
    return (await fetch(path, { method: "PUT", headers: { "X-Citybrain-Csrf": "1", "Content-Type": "application/json", "If-Match": tag }, body })).status;
  }, before);
  assert.equal(changed, 200);
  await ada.fill(".admin-form input[type=email]", "wang.li@city.example");
  await ada.click(".admin-form .form-actions button");
  await ada.waitForSelector(".conflict");
  await look(ada, "conflict");
  await ada.click(".conflict .button.primary");
  await ada.waitForSelector(".conflict", { state: "detached" });
  const { body: after } = await api(ada, "GET", "/users/wang");
  assert.deepEqual([after.name, after.email], ["Wang Li (pumps)", "wang.li@city.example"]);

  say("a token is made, seen once, used and revoked");
  await ada.goto(`${url}/admin/tokens?make=1`);
  await ada.waitForSelector(".dialog input");
  await ada.fill(".dialog input", "Night export");
  await look(ada, "token-make");
  await ada.click(".dialog button[type=submit]");
  await ada.waitForSelector(".once input");
  const token = await ada.inputValue(".once input");
  const asked = () => fetch(`${url}/api/v1/system`, { headers: { Authorization: `Bearer ${token}` } });
  assert.equal((await asked()).status, 200);
  await press(ada, "Escape");
  const row = ada.locator("tr[data-token]", { hasText: "Night export" });
  await row.waitFor();
  await look(ada, "tokens");
  await row.locator("button").click();
  await ada.click(".button.danger");
  await row.waitFor({ state: "detached" });
  // An answer may be believed for some seconds.
  await eventually(async () => assert.equal((await asked()).status, 401, "a revoked token is refused"), 30_000);

  say("a department opens data and takes them back");
  await ada.goto(`${url}/admin/new-dataset`);
  await ada.waitForSelector(".admin-form");
  await ada.fill(".admin-form input >> nth=0", "levels");
  await choose(ada, ".admin-form select >> nth=0", "water");
  await ada.fill("input[lang=en] >> nth=0", "Water levels");
  await ada.fill("input[lang=zh-CN] >> nth=0", "水位");
  await ada.fill("textarea[lang=en]", "Levels of the river, as the gauges send them.");
  await ada.fill("textarea[lang=zh-CN]", "水位计上报的河流水位。");
  for (const at of [0, 1]) await ada.click(`.pick-list >> nth=${at} >> input[type=checkbox] >> nth=0`);
  await look(ada, "dataset");
  const isPublic = async () => (await fetch(`${url}/open/v1/datasets/levels`)).status;
  await ada.click(".admin-form button[type=submit]");
  await ada.waitForURL("**/admin/datasets/levels");
  assert.equal(await isPublic(), 404, "what is made is not public by itself");
  await ada.goto(`${url}/admin/datasets`);
  await ada.click("tr[data-dataset=levels] .switch-cell button");
  await ada.waitForSelector("tr[data-dataset=levels] a[href='/open/v1/datasets/levels']");
  assert.equal(await isPublic(), 200);
  await look(ada, "datasets");
  await ada.click("tr[data-dataset=levels] .switch-cell button");
  await ada.waitForSelector("tr[data-dataset=levels] a[href='/open/v1/datasets/levels']", { state: "detached" });
  assert.equal(await isPublic(), 404, "taking it back holds at once");

  say("all of that is in the audit log");
  await ada.goto(`${url}/admin/audit-log?action=acknowledge_alert`);
  await ada.waitForSelector("tr[data-entry]");
  const rows = await ada.locator("tr[data-entry]").allTextContents();
  assert.ok(rows.some((text) => text.includes("wang") && text.includes(own) && text.includes("done")), rows.join("\n"));
  assert.ok(rows.some((text) => text.includes("wang") && text.includes(foreign) && text.includes("403")), rows.join("\n"));
  await ada.goto(`${url}/admin/audit-log?action=put_user&q=pumps`);
  await ada.waitForSelector("tr[data-entry] button");
  await ada.click("tr[data-entry] >> nth=-1 >> button");
  await ada.waitForSelector(".difference ins");
  assert.match(await ada.textContent(".difference"), /Wang Li \(pumps\)/);
  await ada.waitForSelector(".chain >> text=/Intact/");
  await look(ada, "audit");
  const csv = await api(ada, "GET", (await ada.getAttribute("a[download]", "href")).replace("/api/v1", ""));
  assert.match(csv.type, /text\/csv/);
  assert.match(csv.body, /put_user/);
  assert.ok(!csv.body.includes(PASSWORDS.wang) && !csv.body.includes(oneTime), "no secret is in it");
}, {
  notes,
  keep: async () => {
    await ada.screenshot({ path: join(folder, "admin-failure-ada.png") });
    await wang.screenshot({ path: join(folder, "admin-failure-wang.png") });
  },
  close: () => browser.close(),
});
