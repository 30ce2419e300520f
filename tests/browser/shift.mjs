// An operator's shift in real Chromium, by keyboard: an alert arrives by push, is found, understood,
// acknowledged and handed over; the other department's operator accepts it; it ends by itself.
// In Chinese and in English, with a look at every screen of the work on alerts.
//
// node tests/browser/shift.mjs URL ADMIN_TOKEN FOLDER
import assert from "node:assert/strict";
import { eventually, focused, press } from "./parts/patience.mjs";
import { goThrough, say } from "./parts/steps.mjs";
import { City, Office, chooseByKeys } from "./work-on-alerts.mjs";

const [url, token, folder] = process.argv.slice(2);
const city = new City(url, token);
const office = new Office(url, folder);

const row = (id) => `.at-row[data-alert="${id}"]`;
const current = (page) => page.evaluate(() => document.querySelector("[aria-current=true][data-alert]")?.dataset.alert ?? null);
/** Down the list until it stands on this alert. */
async function moveTo(page, id) {
  for (let turn = 0; turn < 60 && (await current(page)) !== id; turn += 1) {
    const before = await current(page);
    await press(page, "j");
    await eventually(async () => assert.notEqual(await current(page), before, "the keyboard goes on in the list"));
  }
  assert.equal(await current(page), id, "the keyboard reaches the alert");
}
/** Goes on with Tab from the note of a form to the button that sends it, so many steps away, and presses that. */
async function sendByKeys(page, form, steps) {
  await press(page, ...Array.from({ length: steps }, () => "Tab"));
  await focused(page, `${form} button[type=submit]`);
  await page.keyboard.press("Enter");
}
/** Keeps from now on what is said to those who do not see the screen: the next alert of the city is said in place of this one. */
const listen = (page) => page.evaluate(() => {
  const voice = document.querySelector("[aria-live=polite]:not(main *)");
  globalThis.said = [];
  new MutationObserver(() => globalThis.said.push(voice.textContent)).observe(voice, { childList: true, subtree: true, characterData: true });
});

async function shift(language, person, other, device) {
  const [li, wang] = [await office.sitDown(person, language, "/alerts"), await office.sitDown(other, language, "/hand-overs")];
  await li.waitForSelector(".at-frame");
  await li.waitForSelector(".link-live");
  await wang.waitForSelector(".alert-work .table-frame");

  say(`${language}: an alert arrives by push`);
  await listen(li);
  const alert = await city.pollute(device);
  await li.waitForSelector(row(alert.id));
  await eventually(async () => assert.ok(await li.isVisible(`${row(alert.id)}.unacknowledged`), "it stands out until somebody acknowledges it"));
  await li.waitForFunction(() => globalThis.said.some((text) => /pier|码头/i.test(text)));

  say(`${language}: it is found by keyboard`);
  await press(li, "/");
  await focused(li, ".search");
  await li.keyboard.type(device);
  await li.waitForFunction((q) => new URLSearchParams(location.search).get("q") === q, device);
  await li.waitForFunction(() => document.querySelectorAll(".at-body .at-row").length === 1);
  await press(li, "Escape");
  await focused(li, "body");
  await moveTo(li, alert.id);
  await press(li, "Enter");
  await li.waitForURL(`**/alerts/${alert.id}`);

  say(`${language}: it is understood`);
  await li.waitForSelector(".explain-sentence");
  await li.waitForSelector(".explain-step.decision-fired");
  await li.waitForSelector(".chart .uplot canvas");
  assert.ok(!/\d{4}-\d\d-\d\dT/.test(await li.textContent(".explain")), "times are the city's");
  await li.waitForSelector(".neighbour-map .neighbour-value");
  await li.waitForSelector(".similar-part");

  say(`${language}: it is acknowledged with a note`);
  await press(li, "n");
  await focused(li, "#alert-note");
  const note = language === "zh" ? "已通知现场巡查" : "A patrol is on its way";
  await li.keyboard.type(note);
  await press(li, "Escape");
  await focused(li, "body");
  await press(li, "a");
  await li.waitForSelector(".log [data-kind=acknowledged]");
  assert.match(await li.textContent(".log [data-kind=acknowledged]"), new RegExp(note));
  // The stream may have brought it before the answer came.
  await eventually(async () => assert.equal(await li.inputValue("#alert-note"), "", "what was said is not said again"));

  say(`${language}: it is handed over with a deadline`);
  await press(li, "h");
  await li.waitForSelector(".deed-form");
  await focused(li, ".deed-form select"); // the form takes the keyboard
  await chooseByKeys(li, ".deed-form [data-first]", "transport");
  await chooseByKeys(li, ".deed-form .until select", "60");
  await li.focus(".deed-form textarea");
  await li.keyboard.type(language === "zh" ? "请封闭码头车道" : "Please close the lane at the pier");
  await sendByKeys(li, ".deed-form", 1);
  await li.waitForSelector(".log [data-kind=handed_over]");
  await eventually(async () => assert.equal(await li.getAttribute(".deed-buttons button:nth-child(3)", "aria-disabled"), "true", "it cannot be handed over twice"));

  say(`${language}: the other department accepts it`);
  await wang.waitForSelector(`tr[data-alert="${alert.id}"]`);
  await wang.waitForSelector(".tab-count");
  await moveTo(wang, alert.id);
  if (language === "en") await office.look(wang, "hand-overs", language);
  await press(wang, "c");
  await wang.waitForSelector(".bulk .deed-fields");
  await chooseByKeys(wang, ".bulk .until select", "240");
  await wang.focus(".bulk textarea");
  await wang.keyboard.type(language === "zh" ? "已派人封闭" : "The lane is being closed");
  await sendByKeys(wang, ".bulk", 2);
  await wang.waitForSelector(".bulk-line:not(.bad)");
  await press(wang, "Escape");
  await wang.waitForSelector(".bulk", { state: "detached" });
  await li.waitForSelector(".log [data-kind=accepted]");
  await eventually(async () => assert.match(await li.textContent(".standing-handling"), new RegExp(other.user), "the first sees who has it now"));
  if (language === "zh") await office.look(li, "alert", language);

  say(`${language}: it ends by itself`);
  await city.clear(device);
  await li.waitForSelector(".log [data-kind=resolved]");
  await li.waitForSelector(".page-head.resolved");
  await eventually(async () => assert.equal(await li.getAttribute(".deed-buttons button", "aria-disabled"), "true", "what has ended cannot be accepted"));
  const { log } = await city.call("GET", `/alerts/${alert.id}`);
  assert.deepEqual(log.map(({ kind }) => kind), ["fired", "acknowledged", "handed_over", "accepted", "resolved"]);
  await wang.goto(`${url}/alerts?state=resolved&device=${device}`);
  await wang.waitForSelector(`${row(alert.id)}.resolved`);
  return [li, wang];
}

/** Several at once: rows that come wait behind the bar, and each of many has its own outcome. */
async function many(page, devices, language) {
  say(`${language}: new alerts wait while somebody stands on a row`);
  await page.goto(`${url}/alerts?rule=${city.rule}`);
  const first = await city.pollute(devices[0], 130);
  await page.waitForSelector(row(first.id));
  await press(page, "j");
  await page.waitForFunction(() => document.querySelector("[aria-current=true][data-alert]") !== null);
  const second = await city.pollute(devices[1]);
  await page.waitForSelector(".list-head .new-rows");
  assert.equal(await page.locator(row(second.id)).count(), 0, "nothing moves under the keyboard");
  await press(page, ".");
  await page.waitForSelector(row(second.id));

  say(`${language}: many are worked on at once, and each has its own outcome`);
  await city.call("POST", `/alerts/${first.id}/acknowledge`, {});
  await page.waitForSelector(`${row(first.id)}:not(.unacknowledged)`);
  await press(page, "Escape");
  await eventually(async () => assert.equal(await current(page), null, "nobody stands on a row"));
  await press(page, "k");
  await eventually(async () => assert.notEqual(await current(page), null, "the keyboard is in the list"));
  await press(page, "x");
  await page.waitForSelector(".at-row.picked");
  await press(page, "K");
  await page.waitForFunction(() => document.querySelectorAll(".at-row.picked").length === 2);
  await office.look(page, "table", language);
  await press(page, "a");
  await page.waitForSelector(".bulk");
  await office.look(page, "bulk", language);
  await page.focus(".bulk textarea");
  await page.keyboard.type("Seen together");
  await sendByKeys(page, ".bulk", 3);
  await page.waitForSelector(`.bulk-line[data-alert="${second.id}"]:not(.bad)`);
  await page.waitForSelector(`.bulk-line.bad[data-alert="${first.id}"] .bulk-why`);
  await office.look(page, "bulk-results", language);
  await press(page, "Escape");
  await page.waitForSelector(".bulk", { state: "detached" });
  await press(page, "Escape");
  const csv = await page.evaluate(async () => (await fetch(document.querySelector("a[download='alerts.csv']").href)).text());
  assert.equal(csv.trim().split("\n").length, 3, "the file has exactly what the table shows");
  return [first, second];
}

async function silence(page, alert, language) {
  say(`${language}: an alert is silenced, with a look at what that hides`);
  await page.goto(`${url}/alerts/${alert.id}`);
  await page.waitForSelector(".deed-buttons");
  await press(page, "m");
  await page.waitForURL("**/new-silence?**");
  await page.waitForSelector(`.alert-lines [data-alert="${alert.id}"]`);
  await page.fill(".new-silence textarea", "Road works beside the station");
  await office.look(page, "new-silence", language);
  await page.click(".new-silence button[type=submit]");
  await page.waitForURL(/silences\/[0-9a-f]{16}/);
  await page.waitForSelector(`.alert-lines [data-alert="${alert.id}"]`);
  await office.look(page, "silence", language);
  await page.goto(`${url}/silences`);
  await page.waitForSelector("tr[data-silence]");
  await office.look(page, "silences", language);
  // Who may end it is known once the rules are there.
  await page.waitForSelector("tr[data-silence] button:not([aria-disabled])");
  await press(page, "j");
  await page.waitForSelector("tr[data-silence][aria-current=true]");
  await press(page, "e");
  await page.waitForSelector(".dialog textarea");
  await page.click(".dialog button[type=submit]");
  await page.waitForSelector(".dialog", { state: "detached" });
}

await goThrough("the shift", async () => {
  await office.open();
  const li = await city.operator("li.na", "environment", "Li Na");
  const wang = await city.operator("wang.wei", "transport", "Wang Wei");
  const devices = await city.stations(6, "environment");
  await shift("zh", li, wang, devices[0]);
  const [page] = await shift("en", li, wang, devices[1]);
  const [first] = await many(page, devices.slice(2, 4), "en");
  await silence(page, first, "en");
  for (const [path, name, wanted] of [
    ["/alerts?view=groups", "groups", ".group-position"],
    ["/alerts?view=load", "load", ".load-figure"],
    ["/departments", "departments", ".table tbody tr"],
    ["/departments/environment", "department", ".column-side .facts"],
    ["/hand-overs?box=away", "hand-overs-away", ".hand-over-log li"],
  ]) {
    say(`a look at ${name}`);
    await page.goto(url + path);
    await page.waitForSelector(wanted);
    await office.look(page, name, "en");
  }
  for (const device of devices.slice(2, 4)) await city.clear(device);
}, { notes: office.notes, keep: () => office.keepFailure("shift"), close: () => office.browser?.close() });
