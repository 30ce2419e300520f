// Two operators act on one alert in real Chromium: each sees what the other did, an act that comes
// too late is refused and told, and nothing that somebody has written is lost. In both languages.
//
// node tests/browser/two-operators.mjs URL ADMIN_TOKEN FOLDER
import assert from "node:assert/strict";
import { eventually, focused, press } from "./parts/patience.mjs";
import { goThrough, say } from "./parts/steps.mjs";
import { City, Office, chooseByKeys } from "./work-on-alerts.mjs";

const [url, token, folder] = process.argv.slice(2);
const city = new City(url, token);
const office = new Office(url, folder);

async function two(language, li, zhao, people, device) {
  const alert = await city.pollute(device);
  const note = language === "zh" ? "正在赶往现场，预计十分钟到达" : "On my way, ten minutes";
  for (const page of [li, zhao]) {
    await page.goto(`${url}/alerts/${alert.id}`);
    await page.waitForSelector(".log [data-kind=fired]");
    await page.waitForSelector(".link-live");
  }

  say(`${language}: while one writes, the other acknowledges`);
  await press(zhao, "n");
  await focused(zhao, "#alert-note");
  await zhao.keyboard.type(note);
  await press(li, "a");
  await li.waitForSelector(".log [data-kind=acknowledged]");
  await zhao.waitForSelector(".meanwhile");
  await eventually(async () => assert.match(await zhao.textContent(".meanwhile"), new RegExp(people.li.user), "it says who did what"));
  await eventually(async () => assert.equal(await zhao.inputValue("#alert-note"), note, "the note is still there"));
  await focused(zhao, "#alert-note"); // and so is the cursor
  await office.look(zhao, `meanwhile-${language}`, language);
  assert.equal(await zhao.locator(".actions button[type=submit].primary").count(), 0, "it cannot be acknowledged a second time");
  await press(zhao, "Escape");
  await focused(zhao, "body");
  await press(zhao, "h");
  await zhao.waitForSelector(".notice");
  assert.equal(await zhao.locator(".deed-form").count(), 0, "nothing goes on before that was read");
  await zhao.click(".meanwhile button");
  await zhao.waitForSelector(".meanwhile", { state: "detached" });
  await zhao.click(".actions form .buttons .button");
  await li.waitForFunction((said) => [...document.querySelectorAll(".log [data-kind=noted]")].some((each) => each.textContent.includes(said)), note);
  await zhao.waitForSelector(".log [data-kind=noted]");

  say(`${language}: both act at the same moment, and one is too late`);
  const second = language === "zh" ? "请安排人员前往码头" : "Somebody should go to the pier";
  await press(zhao, "h");
  await zhao.waitForSelector(".deed-form");
  await chooseByKeys(zhao, ".deed-form [data-first]", "transport");
  await zhao.fill(".deed-form textarea", second);
  // The other one's act reaches the server just before this one's.
  await zhao.route("**/hand-over", async (route) => {
    const taken = await li.evaluate(async (id) => (await fetch(`/api/v1/alerts/${id}/accept`, { method: "POST", headers: { "X-Citybrain-Csrf": "1", "Content-Type": "application/json" }, body: "{}" })).status, alert.id);
    assert.equal(taken, 200);
    await route.continue();
  });
  await zhao.click(".deed-form button[type=submit]");
  await zhao.waitForSelector(".mishap");
  await eventually(async () => assert.match(await zhao.textContent(".mishap"), new RegExp(people.li.user), "it says in whose hands the alert is"));
  await eventually(async () => assert.equal(await zhao.inputValue(".deed-form textarea"), second, "what was written is still there"));
  await zhao.waitForSelector(".meanwhile");
  await office.look(zhao, `too-late-${language}`, language);
  await zhao.unroute("**/hand-over");
  const { handling } = await city.call("GET", `/alerts/${alert.id}`);
  assert.deepEqual([handling.stage, handling.who], ["accepted", people.li.user], "the first act stands");

  say(`${language}: it is passed on by saying so`);
  await zhao.click(".meanwhile button");
  await zhao.waitForSelector(".meanwhile", { state: "detached" });
  await zhao.click(".deed-form .buttons .button:not(.primary)");
  await eventually(async () => assert.equal(await zhao.inputValue("#alert-note"), second, "the note waits for another act"));
  await press(zhao, "s");
  await zhao.waitForSelector(".deed-form");
  await zhao.fill(".deed-form input[data-first]", people.zhao.user);
  await zhao.click(".deed-form button[type=submit]");
  await zhao.waitForSelector(".log [data-kind=assigned]");
  await li.waitForSelector(".log [data-kind=assigned]");
  await eventually(async () => assert.match(await li.textContent(".standing-handling"), new RegExp(people.zhao.user), "the first sees who is asked"));
  await eventually(async () => assert.equal(await li.getAttribute(".deed-buttons button", "aria-disabled"), "true", "the first cannot accept what is another's"));

  say(`${language}: nothing that was written is lost`);
  const { log } = await city.call("GET", `/alerts/${alert.id}`);
  assert.deepEqual(log.map(({ kind, by }) => `${kind} ${by === "engine" ? "engine" : by.split(".")[0]}`), ["fired engine", "acknowledged li", "noted zhao", "accepted li", "assigned zhao"]);
  assert.equal(log.at(-1).note, second, "nothing that was written is lost");
  await city.clear(device);
  await li.waitForSelector(".page-head.resolved");
  await zhao.waitForSelector(".page-head.resolved");
}

await goThrough("the journey of two operators", async () => {
  await office.open();
  const people = { li: await city.operator("li.na", "environment", "Li Na"), zhao: await city.operator("zhao.min", "environment", "Zhao Min") };
  const devices = await city.stations(2, "environment");
  const [li, zhao] = [await office.sitDown(people.li, "zh"), await office.sitDown(people.zhao, "zh")];
  await two("zh", li, zhao, people, devices[0]);
  for (const page of [li, zhao]) {
    await press(page, "l");
    await page.waitForFunction(() => document.documentElement.lang === "en");
  }
  await two("en", li, zhao, people, devices[1]);
}, { notes: office.notes, keep: () => office.keepFailure("two-operators"), close: () => office.browser?.close() });
