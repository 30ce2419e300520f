import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Backtest, RuleFault, WouldBe } from "../src/api/rules";
import { cityZone } from "../src/format/time";
import { setLanguage } from "../src/i18n";
import { concerns, faultText, hintText, placeFault } from "../src/rulefile/faults";
import { seconds, testFor } from "../src/rulefile/test-template";
import { changesOf, daysOf, loadOf, verdictOf } from "../src/rulefile/trial";
import { parametersOf, sentencesOf } from "../src/rulefile/words";
import { readYaml } from "../src/rulefile/yaml";
import { byteAt, bytesOf, hexRows } from "../src/screens/intake/bytes";
import { groupsOf } from "../src/screens/intake/letter-groups";
import { middleOf, placeOfText } from "../src/screens/intake/place-field";
import { detailText, mappingOf, placeOf } from "../src/screens/intake/reasons";
import { replayAll } from "../src/screens/intake/replay";
import { dropDraft, keepDraft, readDraft } from "../src/state/drafts";
import { engineerRouteOf, engineerTo } from "../src/engineer-routes";
import { routeOf } from "../src/router";

const TEXT = `group: air
department: environment
rules:
  - id: a
    kind: threshold
    select: {metric: pm25}
    severity:
      high: {above: oops}
  - kind: absence
    id: b
    severity: low
`;

const fault = (line: number, column: number, message: string, change: Partial<RuleFault> = {}): RuleFault => ({ file: "air.yaml", line, column, message, hint: null, rule: null, ...change });
const place = (given: RuleFault) => placeFault(TEXT, readYaml(TEXT).root, given);

beforeEach(() => {
  setLanguage("en");
  cityZone.value = "Asia/Shanghai";
});

describe("problems", () => {
  it("stand at their field", () => {
    const placed = place(fault(8, 21, "`above` must be a number, found `oops`", { rule: "a" }));
    expect(placed).toMatchObject({ rule: 0, path: ["severity", "high", "above"] });
    expect(concerns(placed, ["severity", "high", "above"])).toBe(true);
    expect(concerns(placed, ["severity", "high", "for"])).toBe(false);
    expect(concerns(placed, ["select", "metric"])).toBe(false);
  });

  it("about what is missing stand where it should be", () => {
    expect(place(fault(9, 5, "`for` is missing", { rule: "b" }))).toMatchObject({ rule: 1, path: ["for"] });
    expect(place(fault(4, 5, "no department owns the rule", { rule: "a" }))).toMatchObject({ rule: 0, path: [] });
    expect(place(fault(1, 1, "`rules` is empty"))).toMatchObject({ rule: null });
  });

  it("are said in Chinese where that is known, else as the server says them", () => {
    setLanguage("zh");
    expect(faultText(fault(1, 1, "`above` must be a number, found `oops`"))).toBe("`above` 必须是数字，现为 `oops`");
    expect(faultText(fault(1, 1, "something new"))).toBe("something new");
    expect(hintText(fault(1, 1, "", { hint: "did you mean `above`?" }))).toBe("是否想写 `above`？");
    setLanguage("en");
    expect(faultText(fault(1, 1, "`above` must be a number, found `oops`"))).toBe("`above` must be a number, found `oops`");
  });
});

describe("a backtest", () => {
  const would = (fired: string, device: string): WouldBe => ({ rule: "a", subject: { type: "series", device, metric: "pm25" }, severity: "high", started_at: fired, fired_at: fired, resolved_at: null, limit: 1, value: 2, summary: { en: "x", zh: "x" } });
  const result = (alerts: WouldBe[], difference: Backtest["difference"] = null): Backtest => ({
    from: "2026-11-26T16:00:00Z", to: "2026-11-29T16:00:00Z", warmed_up_from: "2026-11-26T15:00:00Z", readings: 9, series: 2, alerts, per_day: {}, difference, incidents: null, caveats: [],
    load: { alerts: alerts.length, per_operator_day: 1, peak_ten_minutes: 1, floods: 0, flood_minutes: 0, hours_over_30: 0, ten_minutes_over_10: 0, chattering: 0, fleeting: 0, stale: 0, rules: [] },
  });
  const [first, second, third] = [would("2026-11-26T17:00:00Z", "x"), would("2026-11-27T15:59:59Z", "x"), would("2026-11-27T16:00:00Z", "y")];
  const trial = { tried: result([first, second], { both: 1, only_here: 1, only_there: 1, gained: [second], lost: [third] }), present: result([first, third]), operators: 1, inForce: false };

  it("says of each alert whether it is new, gone or as now", () => {
    expect(changesOf(trial).map(({ change }) => change)).toEqual(["both", "gained", "lost"]);
    expect(changesOf({ ...trial, present: null, tried: result([first]) }).map(({ change }) => change)).toEqual(["gained"]);
    expect(changesOf({ ...trial, present: null, tried: result([first]), inForce: true }).map(({ change }) => change)).toEqual(["both"]);
  });

  it("counts by the city's days, empty ones included", () => {
    expect(daysOf(trial, () => true)).toEqual([{ day: "2026-11-27", tried: 2, present: 1 }, { day: "2026-11-28", tried: 0, present: 1 }, { day: "2026-11-29", tried: 0, present: 0 }]);
    expect(daysOf(trial, ({ subject }) => subject.type === "series" && subject.device === "y").map(({ tried }) => tried)).toEqual([0, 0, 0]);
  });

  it("is judged by the load that ISA-18.2 has as acceptable", () => {
    expect([144, 144.1, 288, 289].map(verdictOf)).toEqual(["acceptable", "manageable", "manageable", "too_many"]);
    expect(loadOf(trial.tried, 2, () => true)).toBeCloseTo(1 / 3);
  });
});

describe("a first test of a rule", () => {
  it("passes the limit for as long as the rule wants it", () => {
    const text = testFor("rules:\n  - id: a\n    kind: threshold\n    select: {metric: no2, kind: [station]}\n    severity: high\n    raise: {above: 100}\n    for: 1m\n", ["rules", 0], "g.yaml");
    expect(readYaml(text).stopped).toBeNull();
    expect(text).toContain('values: "105x7 50"');
    expect(text).toContain("{at: 60s, event: fired, subject: no2 of a, severity: high}");
    expect(seconds("1h30m")).toBe(5400);
  });
});

describe("a rule in words", () => {
  it("says where it looks and what raises it, in both languages", () => {
    const rule = {
      id: "a", group: "g", file: "f", line: 1, firing: 0, version: "1", department: "d", labels: {}, runbook: null, name: { en: "A", zh: "甲" }, kind: "threshold", direction: "above", for_s: 5, keep_firing_for_s: 60,
      select: { metric: ["pm25"], kind: ["station"], department: [], device: [], zone: [], attributes: {} },
      severities: [{ severity: "high" as const, limit: 115, clear: 100, for_s: 5 }], text: "id: a\nkind: threshold\nfor: 5s\nlabels: {team: air}\n",
    };
    expect(sentencesOf(rule)).toEqual(["Watches pm25 of station.", "Raises High above 115 for 5 s; clears below 100.", "Goes on firing for 60 s after the condition has cleared."]);
    expect(parametersOf(rule)).toEqual([["For", "5s"], ["Labels", "{team: air}"]]);
    setLanguage("zh");
    expect(sentencesOf(rule)[1]).toBe("高于 115 并持续 5 秒时发出重要告警，低于 100 时解除。");
  });
});

describe("drafts", () => {
  it("are kept, found and dropped, and rubbish is none", () => {
    keepDraft("x", { text: "new", base: "old", tag: '"1"', at: 5 });
    expect(readDraft("x")).toEqual({ text: "new", base: "old", tag: '"1"', at: 5 });
    dropDraft("x");
    expect(readDraft("x")).toBeNull();
    localStorage.setItem("citybrain.draft..y", "{");
    expect(readDraft("y")).toBeNull();
  });
});

describe("dead letters", () => {
  const letter = (id: string, change: object = {}) => ({ id, at: `2026-11-29T10:00:0${id}Z`, source: "s", device: null, reason: "bad_unit", detail: "", replayed_at: null, ...change });

  it("are counted by reason and source", () => {
    const groups = groupsOf([letter("3"), letter("2", { replayed_at: "2026-11-29T11:00:00Z" }), letter("1", { reason: "malformed" })]);
    expect(groups.map(({ reason, waiting, letters, first, last }) => [reason, waiting, letters.length, first.slice(-3), last.slice(-3)])).toEqual([["bad_unit", 1, 2, "02Z", "03Z"], ["malformed", 1, 1, "01Z", "01Z"]]);
  });

  it("tell what a mapping begins with, and where they failed", () => {
    expect(mappingOf({ source: "senml", detail: "metric `temperature`: unit `W` measures power, but `Cel` measures temperature" })).toEqual({ source: "senml", name: "temperature", metric: "temperature", unit: "Cel" });
    expect(placeOf("expected value at line 2, column 7")).toEqual({ byte: null, line: 2, column: 7 });
    expect(placeOf("byte 12: no")).toMatchObject({ byte: 12 });
    setLanguage("zh");
    expect(detailText("device `x` is not registered; device `y` is not registered")).toBe("设备 `x` 未登记; 设备 `y` 未登记");
  });

  it("are shown byte by byte", () => {
    const bytes = bytesOf(btoa("ab\ncd"));
    expect(hexRows(bytes)).toEqual([{ offset: 0, bytes: [97, 98, 10, 99, 100] }]);
    expect(byteAt(bytes, 2, 2)).toBe(4);
  });

  it("are replayed, and those that come again are told", async () => {
    vi.useFakeTimers();
    let replayed = 0;
    vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
      if (init.method === "POST") {
        replayed += 1;
        return replayed === 2 ? new Response(JSON.stringify({ title: "gone", status: 404, code: "not_found" }), { status: 404 }) : new Response("", { status: 202 });
      }
      expect(url).toContain("source=s");
      return new Response(JSON.stringify({ items: [letter("1"), letter("2"), ...(replayed > 0 ? [letter("9", { at: letter("1").at })] : [])], next_cursor: null }));
    });
    const running = replayAll([letter("1"), letter("2")]);
    await vi.runAllTimersAsync();
    const { sent, refused, again } = await running;
    expect([sent, refused, again.map(({ id }) => id)]).toEqual([1, 1, ["9"]]);
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });
});

it("places are both numbers or none, within the earth", () => {
  expect(placeOfText({ crs: "GCJ-02", lat: "39.9", lon: "116,4" })).toEqual({ crs: "GCJ-02", lat: 39.9, lon: 116.4 });
  expect(placeOfText({ crs: "WGS-84", lat: "", lon: "" })).toBeNull();
  for (const [lat, lon] of [["91", "0"], ["1", ""], ["x", "1"], ["0", "181"]] as const) expect(placeOfText({ crs: "WGS-84", lat, lon })).toBe("wrong");
});

it("the example of a place is the middle of the city, longitude first, and none before the city is known", () => {
  expect(middleOf([-87.9, 41.6, -87.5, 42])?.map((degrees) => degrees.toFixed(4))).toEqual(["-87.7000", "41.8000"]);
  expect(middleOf([151.2, -33.9, 151.2, -33.9]), "a city of one place").toEqual([151.2, -33.9]);
  expect(middleOf(undefined)).toBeNull();
});

it("every address leads back to its screen", () => {
  for (const path of [engineerTo.rules(), engineerTo.rule("a b"), engineerTo.ruleGroups(), engineerTo.ruleGroup("x"), engineerTo.ruleGroup(null), engineerTo.deadLetters(), engineerTo.deadLetter("7"), engineerTo.unknownDevices(), engineerTo.unknownDevice("a/b"), engineerTo.mappings()]) {
    expect(routeOf(path).screen, path).not.toBe("unknown");
  }
  expect(engineerRouteOf("unknown-devices", "a/b")).toEqual({ screen: "unknown-device", id: "a/b" });
  expect(engineerRouteOf("mappings", "x")).toBeNull();
});
