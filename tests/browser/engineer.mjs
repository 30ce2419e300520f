// An engineer's day in real Chromium, in English and in Chinese: a group of rules is made, a rule is
// edited by form and by text, a problem is seen where it is and mended, the draft outlives the tab,
// tests and a backtest are run, it is published while somebody else publishes too, and it fires.
// It needs a running city with air stations that send pm25 (the demo), and leaves nothing behind.
//
// node tests/browser/engineer.mjs URL TOKEN FOLDER
import assert from "node:assert/strict";
import { journey, openDesk } from "./engineer-desk.mjs";
import { eventually, press } from "./parts/patience.mjs";

const [url, token, folder] = process.argv.slice(2);
const WORDS = {
  en: { problem: /must be a number, found `1o0`/, line: /^Line \d+, column \d+/, published: "Published: in force now.", firing: /firing/ },
  zh: { problem: /必须是数字，现为 `1o0`/, line: /^第 \d+ 行第 \d+ 列/, published: "已发布，现已生效。", firing: /触发中/ },
};

for (const language of ["en", "zh"]) {
  const desk = await openDesk({ url, token, folder, name: `engineer-${language}`, language });
  const { page, api } = desk;
  const look = language === "en" ? desk.look : async () => undefined;
  const words = WORDS[language];
  const group = `journey-${language}`;
  const rule = `${group}-threshold`;
  const field = (name) => page.locator(`[data-field="${name}"]`);
  const pane = (name) => page.click(`#tab-${name}`);
  const text = () => page.inputValue(".text-body textarea");

  await journey(desk, `an engineer's day (${language})`, async (say) => {
    const station = await eventually(async () => {
      const { items } = (await api("GET", "/last-values?metric=pm25&limit=1")).body;
      assert.notEqual(items.length, 0, "an air station has sent something");
      return items[0].device;
    });
    const old = await api("GET", `/rule-groups/${group}`);
    if (old.status === 200) await api("DELETE", `/rule-groups/${group}?why=begin`, undefined, { "If-Match": old.tag });

    say("the rules are looked at");
    await page.goto(`${url}/rules`);
    await page.waitForSelector("tr[data-rule=pm25-high]");
    await look("rules");
    await page.goto(`${url}/rules?kind=threshold&department=environment`);
    await page.waitForFunction(() => document.querySelectorAll("tr[data-rule]").length === 1);
    await press(page, "j");
    await page.waitForSelector("tr[data-rule][aria-current=true]");
    await press(page, "Enter");
    await page.waitForURL("**/rules/pm25-high");
    await page.waitForSelector(".words li");

    say("a rule says why it did not fire about a device");
    await page.fill(".explain .subject", station);
    await page.click(".explain button[type=submit]");
    await page.waitForSelector(".outcome[data-verdict]");
    await look("rule");

    say("a group that lives in files says so and cannot be published");
    await page.goto(`${url}/rule-groups`);
    await page.waitForSelector("tr[data-group=air]");
    await look("groups");
    await page.goto(`${url}/rule-groups/air`);
    await page.waitForSelector(".check-sum");
    await eventually(async () => assert.equal(await page.getAttribute(".head-buttons .primary", "aria-disabled"), "true", "it cannot be published"));
    await look("read-only");

    say("a group is made");
    await page.goto(`${url}/new-rule-group?name=${group}`);
    await page.waitForSelector(".text-body textarea");
    await page.fill(".text-body textarea", `# Made by an engineer\ngroup: ${group}\ndepartment: environment\nrules:\n  - id: ${rule}\n    name: {en: Journey, zh: 旅程}\n    kind: threshold\n    select: {metric: pm25, device: ${station}}\n    severity:\n      medium: {above: 9000, clear_below: 8000}   # far away\n    for: 1s\n`);
    await page.waitForFunction(() => document.querySelector("[data-field=id]")?.value.startsWith("journey"));
    await eventually(async () => assert.equal(await field("severity.medium.above").inputValue(), "9000", "the form follows the text"));
    await pane("publish");
    await page.fill(".publish-form input", "a first version");
    await page.click(".publish-form button[type=submit]");
    await page.waitForURL(`**/rule-groups/${group}*`);
    await page.waitForSelector(".editor-head");

    say("a problem is seen at its field, at its line and in the list");
    await field("severity.medium.above").fill("1o0");
    await page.waitForSelector(".fault");
    await eventually(async () => {
      assert.match(await page.textContent(".fault strong"), words.problem);
      assert.match(await page.textContent(".fault-place"), words.line);
      assert.match(await page.textContent(".text-gutter .line-wrong"), /✕\s*10/);
      assert.match(await page.textContent(".ladder .field-error"), words.problem);
    });
    await look("problem");
    await page.click(".fault");
    const at = () => page.evaluate(() => document.activeElement.value.slice(document.activeElement.selectionStart).slice(0, 3));
    await eventually(async () => assert.equal(await at(), "1o0", "the cursor goes to the problem"));

    say("it is mended by the form, and the comment stays");
    await field("severity.medium.above").fill("0.5");
    await field("severity.medium.clear_below").fill("0.1");
    await page.waitForFunction(() => document.querySelector(".fault") === null && document.querySelector(".check-sum") !== null);
    await eventually(async () => assert.match(await text(), /medium: \{above: 0\.5, clear_below: 0\.1\} {3}# far away/));

    say("undo and redo go through form and text alike, and Tab can leave the text");
    await page.focus(".text-body textarea");
    await press(page, "Control+z");
    await eventually(async () => assert.doesNotMatch(await text(), /clear_below: 0\.1\}/));
    await press(page, "Control+y");
    await eventually(async () => assert.match(await text(), /clear_below: 0\.1\}/));
    await press(page, "Escape", "Tab");
    await eventually(async () => assert.notEqual(await page.evaluate(() => document.activeElement.tagName), "TEXTAREA"));

    say("the draft is there again after the tab was closed");
    await page.reload();
    await page.waitForSelector(".draft-note");
    await eventually(async () => assert.equal(await field("severity.medium.above").inputValue(), "0.5"));
    await look("draft");

    say("its tests are run");
    await pane("test");
    await page.click(".tests-text .primary");
    await page.waitForSelector(".tests-result .outcome-good");
    await look("tests", ".editor-panes");

    say("it is tried on what was stored, against what is in force");
    await pane("backtest");
    await page.click(".backtest-pane .segments button >> nth=0");
    await page.click(".backtest-pane button[type=submit]");
    await page.waitForSelector(".trial-figure strong", { timeout: 240_000 });
    await page.waitForSelector(".would-table tr[data-change=gained]");
    await page.waitForSelector(".would-chart .u-over");
    await eventually(async () => {
      assert.ok(Number(await page.getAttribute(".trial-figure strong", "data-load")) > 0);
      assert.ok((await page.locator(".day-bars .bar-tried").count()) > 0);
      const drawn = await page.evaluate(() => {
        const canvas = document.querySelector(".would-chart canvas");
        return [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data].some((value) => value > 0);
      });
      assert.ok(drawn, "the chart has pixels");
    });
    await look("backtest", ".backtest-result");
    await look("backtest-marks", ".result-marks");

    say("somebody else publishes meanwhile, and both changes are kept");
    const before = await api("GET", `/rule-groups/${group}`);
    const theirs = before.body.texts[0].text.replace("Journey", "Journey of two");
    assert.equal((await api("PUT", `/rule-groups/${group}`, { text: theirs, why: "a better name" }, { "If-Match": before.tag })).status, 200);
    await pane("publish");
    await page.fill(".publish-form input", "it shall fire");
    await page.click(".publish-form button[type=submit]");
    await page.waitForSelector(".conflict");
    await look("conflict", ".editor-panes");
    await page.click(".conflict .primary");
    await page.waitForSelector(".conflict", { state: "detached" });
    await eventually(async () => assert.match(await text(), /Journey of two/));
    await page.click(".publish-form button[type=submit]");
    await page.waitForFunction((text) => document.querySelector(".publish-pane .outcome-good")?.textContent.includes(text), words.published);
    await look("published", ".editor-panes");

    say("it fires");
    await page.goto(`${url}/rules/${rule}`);
    await page.waitForFunction((pattern) => new RegExp(pattern).test(document.querySelector(".rule-firing")?.textContent ?? ""), words.firing.source, { timeout: 120_000 });
    await page.waitForSelector(".alert-lines li");
    const { id } = (await api("GET", `/alerts?rule=${rule}&state=firing`)).body.items[0];
    await page.goto(url);
    await page.waitForSelector(`li[data-alert="${id}"]`, { timeout: 60_000 });

    say("the history tells it, and an older version is restored");
    await page.goto(`${url}/rule-groups/${group}?pane=history`);
    await page.waitForSelector(".history-table tbody tr >> nth=2");
    await page.waitForSelector(".diff-added");
    await look("history", ".editor-panes");
    await page.click(".history-table tbody tr >> nth=2 >> text=/Restore|恢复/");
    await page.fill(".dialog input", "enough of that");
    await page.click(".dialog .primary");
    await page.waitForSelector(".dialog", { state: "detached" });
    await page.waitForSelector(".history-table tbody tr >> nth=3");
    assert.match((await api("GET", `/rule-groups/${group}`)).body.texts[0].text, /above: 9000/);

    say("the group is deleted, and can be brought back");
    await pane("publish");
    await page.fill(".publish-form input", "the journey is over");
    await page.click(".publish-form .danger");
    await page.click(".publish-form .danger");
    await page.waitForURL("**/rule-groups");
    await page.waitForSelector(`.deleted-groups a[href='/rule-groups/${group}']`);
  });
}
