// A device maker's day in real Chromium, in English and in Chinese: an unknown device appears in
// quarantine, is accepted with its kind, department and place, and its data show; a message in a wrong
// unit is a dead letter, the mapping is mended, it is replayed and its data show; messages that are
// broken say where, and are replayed together; another device is ignored.
// It needs a running city with a SenML source `senml` whose topic is `senml/{device}` and whose `temp`
// is the metric `temperature` (the demo). It leaves a retired and an ignored device behind in each language.
//
// node tests/browser/device-maker.mjs URL TOKEN FOLDER
import assert from "node:assert/strict";
import { journey, openDesk } from "./engineer-desk.mjs";
import { press } from "./parts/patience.mjs";

const [url, token, folder] = process.argv.slice(2);
const stamp = Date.now().toString(36);

for (const language of ["en", "zh"]) {
  const desk = await openDesk({ url, token, folder, name: `device-maker-${language}`, language });
  const { page, api } = desk;
  const look = language === "en" ? desk.look : async () => undefined;
  const device = `maker-${language}-${stamp}`;
  const stray = `stray-${language}-${stamp}`;
  const send = (id, text) => api("POST", `/ingest/senml?device=${id}&topic=senml/${id}`, text, { "Content-Type": "application/senml+json" });
  const shows = (value) => page.waitForFunction((text) => [...document.querySelectorAll(".value-tiles .value")].some((tile) => tile.textContent.includes(text)), value, { timeout: 60_000 });

  await journey(desk, `a device maker's day (${language})`, async (say) => {
    say("a device that nobody knows sends something");
    assert.equal((await send(device, '[{"n":"temp","u":"Cel","v":21.4}]')).status, 422);
    assert.equal((await send(stray, '[{"n":"temp","u":"Cel","v":1.5}]')).status, 422);
    await page.goto(`${url}/unknown-devices`);
    await page.waitForSelector(`tr[data-unknown="${device}"]`);
    await look("unknown");

    say("it is accepted with its kind, department and place");
    await page.click(`tr[data-unknown="${device}"] th a`);
    await page.waitForURL(`**/unknown-devices/${device}`);
    await page.waitForSelector(".samples pre");
    await page.selectOption("select[name=kind]", "weather_station");
    await page.selectOption("select[name=department]", "environment");
    await page.fill("input[lang=en]", "Maker's station");
    await page.fill("input[lang='zh-CN']", "试制气象站");
    await page.waitForSelector(".place-map .map-canvas[data-ready=true]");
    await page.focus(".place-map canvas");
    await press(page, "ArrowUp");
    await page.waitForSelector(".place-inputs button:not(:disabled)");
    await page.click(".place-inputs button");
    await page.waitForFunction(() => Math.abs(Number([...document.querySelectorAll(".place-inputs input")][0].value)) > 1);
    await look("accept");
    await page.click(".accept-form button[type=submit]");
    await page.waitForSelector(".accept-form .outcome-good a.button", { timeout: 60_000 });
    assert.equal(await page.getAttribute(".replay-view .outcome", "data-again"), "0");
    await look("accepted");
    const entry = (await api("GET", `/devices/${device}/entry`)).body;
    assert.deepEqual([entry.kind, entry.department, entry.position.crs, entry.name.zh], ["weather_station", "environment", "WGS-84", "试制气象站"]);

    say("its data show");
    await page.click(".accept-form .outcome-good a.button");
    await page.waitForURL(`**/devices/${device}`);
    await shows("21.4");

    say("another one is of no interest");
    await page.goto(`${url}/unknown-devices?q=${stray}`);
    await page.click(`tr[data-unknown="${stray}"] button`);
    await page.waitForSelector(`tr[data-unknown="${stray}"]`, { state: "detached" });
    await page.goto(`${url}/unknown-devices?ignored=true&q=${stray}`);
    await page.waitForSelector(`tr[data-unknown="${stray}"]`);

    say("it sends in a unit that cannot be: a dead letter");
    assert.equal((await send(device, '[{"n":"temp","u":"W","v":22.6}]')).status, 422);
    await page.goto(`${url}/dead-letters`);
    await page.waitForSelector("tr[data-reason=bad_unit]");
    await look("letters");
    await page.goto(`${url}/dead-letters?view=each&device=${device}&reason=bad_unit`);
    await page.waitForSelector("tr[data-letter]");
    await look("letters-each");
    await press(page, "j");
    await page.waitForSelector("tr[data-letter][aria-current=true]");
    await press(page, "Enter");
    await page.waitForURL("**/dead-letters/*");
    await page.waitForSelector(".mapping-form");
    assert.match(await page.textContent(".payload"), /22\.6/);
    await page.click(".panel-actions .segments button >> nth=1");
    await page.waitForSelector(".hex tr");
    assert.match(await page.textContent(".hex"), /5b 7b|5b7b/);
    await look("letter-hex");

    say("the mapping is mended, tried on this message, and its data show");
    const input = (at) => page.locator(".mapping-form input").nth(at);
    assert.equal(await input(0).inputValue(), "temperature");
    assert.equal(await input(1).inputValue(), "senml");
    await input(3).fill("Cel");
    await page.click(".mapping-form button[type=submit]");
    await page.waitForSelector(".replay-view .outcome[data-again='0']", { timeout: 60_000 });
    await look("mended");
    await page.goto(`${url}/devices/${device}`);
    await shows("22.6");

    say("the mapping is listed, and taken away again");
    await page.goto(`${url}/mappings`);
    await page.waitForSelector("tr[data-mapping=temperature]");
    await look("mappings");
    await page.click("tr[data-mapping=temperature] button >> nth=1");
    await page.click(".dialog .danger");
    await page.waitForSelector("tr[data-mapping=temperature]", { state: "detached" });

    say("messages that are broken say where, and are replayed together");
    for (const broken of ['[{"n":"temp",,"v":1}]', '[{"n":"temp","v":1}', '[{"n":"temp","v":tru}]']) await send(device, broken);
    await page.goto(`${url}/dead-letters?view=each&q=${device}&reason=malformed`);
    await page.waitForFunction(() => document.querySelectorAll("tr[data-letter]").length === 3);
    await page.click("tr[data-letter] >> nth=2 >> a");
    await page.waitForSelector(".payload mark");
    assert.equal(await page.textContent(".payload mark"), ",");
    await look("broken");
    await page.goBack();
    await page.waitForSelector("tr[data-letter]");
    for (const row of [1, 2]) {
      await press(page, "j");
      await page.waitForSelector(`tr[data-letter][aria-current=true]:nth-child(${row})`);
      await press(page, "x");
      await page.waitForSelector(`tr[data-letter]:nth-child(${row}) input:checked`);
    }
    await page.click(".letters-bar .primary");
    await page.waitForSelector(".replay-view .outcome[data-again='2']", { timeout: 60_000 });
    await look("replayed");

    say("the devices are retired");
    await api("PATCH", `/devices/${device}`, { life_cycle: "retired" });
  });
}
