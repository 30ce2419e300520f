import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { AlertItem, Handling, PositionLoad } from "../src/api/types";
import { setLanguage } from "../src/i18n";
import { isOfReadings, limitsOf } from "../src/screens/alert/limits";
import { distance, nearest } from "../src/screens/alert/neighbours";
import { projection, spread } from "../src/screens/alert/neighbour-map";
import { medianLength } from "../src/screens/alert/similar";
import { figuresOf, subjectOf, verdictOf, worstVerdict } from "../src/screens/alerts/load-figures";
import { labelsOf, listOf, weeklyOf } from "../src/screens/silences/silence-draft";
import { doForMany, failed } from "../src/state/bulk";
import { bodyOf, doDeed, doneByOthers, isReady, whyNotDeed, type Deed, type DeedDraft } from "../src/state/deeds";
import { handOversOf } from "../src/state/hand-overs";
import { session } from "../src/state/session";
import { departmentsOfMatch, isCrossed, isEmptyMatch, matchesAlert, whyNoSilence } from "../src/state/silence-match";
import { cityZone } from "../src/format/time";
import { UNTIL_OPEN, untilIn, untilOf } from "../src/ui/until-field";
import { alert, signedIn } from "./samples";

const NOW = Date.parse("2026-11-23T12:00:00Z");
const held = (change: Partial<Handling>): Partial<AlertItem> => ({ handling: { ...alert().handling, ...change } });
const draft = (change: Partial<DeedDraft> = {}): DeedDraft => ({ note: "", until: null, who: "", department: "", ...change });

beforeEach(() => {
  setLanguage("en");
  cityZone.value = "America/Chicago";
  session.value = { phase: "in", session: signedIn([{ department: "water", role: "operator" }], { user: "li" }) };
});
afterEach(() => vi.unstubAllGlobals());

describe("what may be done with an alert", () => {
  const why = (deed: Deed, change: Partial<AlertItem> = {}) => whyNotDeed(deed, alert(change));

  it("is said as the server would decide", () => {
    for (const deed of ["acknowledge", "accept", "assign", "hand_over", "shelve", "note"] as const) expect(why(deed), deed).toBeNull();
    expect(why("return")).toContain("nobody");
    expect(why("unshelve")).toContain("not on the shelf");
    expect(why("acknowledge", { acknowledged: { by: "wang", at: "", note: null } })).toContain("wang");
    expect(why("accept", held({ stage: "accepted", who: "li" }))).toContain("already");
    expect(why("accept", held({ stage: "assigned", who: "wang" }))).toContain("wang");
    expect(why("accept", held({ stage: "assigned", who: "li" }))).toBeNull();
    expect(why("hand_over", held({ stage: "handed_over", department: "roads" }))).toContain("roads");
    expect(why("return", held({ stage: "handed_over", department: "water" }))).toBeNull();
    expect(why("return", held({ stage: "accepted", who: "wang" }))).toContain("wang");
    expect(why("shelve", { shelved: { by: "wang", at: "", reason: "", until: "2026-11-23T13:00:00Z" } })).toContain("wang");
  });

  it("ends with the alert, but for notes", () => {
    expect(why("acknowledge", { state: "resolved" })).toContain("ended");
    expect(why("note", { state: "resolved" })).toBeNull();
  });

  it("is nobody's who has no right to it", () => {
    session.value = { phase: "in", session: signedIn([{ department: "roads", role: "operator" }], { user: "li" }) };
    expect(why("note")).toContain("Operator");
    expect(why("accept", held({ stage: "handed_over", department: "roads" }))).toBeNull();
  });
});

describe("a deed", () => {
  it("needs what it cannot go without", () => {
    const until = NOW + 600_000;
    expect(isReady("acknowledge", draft(), NOW)).toBe(true);
    expect(isReady("note", draft({ note: "  " }), NOW)).toBe(false);
    expect(isReady("assign", draft({ who: "wang" }), NOW)).toBe(false);
    expect(isReady("assign", draft({ who: "wang", until }), NOW)).toBe(true);
    expect(isReady("hand_over", draft({ until }), NOW)).toBe(false);
    expect(isReady("hand_over", draft({ until: NOW - 1, department: "roads" }), NOW)).toBe(false);
    expect(isReady("shelve", draft({ until: NOW + 25 * 3_600_000, note: "why" }), NOW), "a shelf holds for a day").toBe(false);
    expect(isReady("accept", draft(), NOW), "without a deadline").toBe(true);
  });

  it("says no more than it means", () => {
    expect(bodyOf("acknowledge", draft({ note: " seen ", who: "x" }))).toEqual({ note: "seen" });
    expect(bodyOf("acknowledge", draft())).toEqual({});
    expect(bodyOf("accept", draft())).toEqual({});
    expect(bodyOf("hand_over", draft({ department: "roads", until: NOW }))).toEqual({ department: "roads", until: "2026-11-23T12:00:00.000Z" });
    expect(bodyOf("shelve", draft({ note: "works", until: NOW }))).toEqual({ reason: "works", until: "2026-11-23T12:00:00.000Z" });
  });

  it("that comes too late says whose the alert is now, and as what it was seen", async () => {
    const fresh = { ...alert({ ...held({ stage: "accepted", who: "wang" }), updated_at: "2026-11-23T10:09:00Z" }), log: [] };
    const fetched = vi.fn(async (_url: string, init?: RequestInit) =>
      init?.method === "POST" ? new Response(JSON.stringify({ title: "x", status: 412, code: "changed_meanwhile" }), { status: 412, headers: { "Content-Type": "application/problem+json" } }) : new Response(JSON.stringify(fresh), { headers: { ETag: '"2"' } }),
    );
    vi.stubGlobal("fetch", fetched);
    const outcome = await doDeed("hand_over", "a1", draft({ department: "roads", until: NOW, note: "kept" }), '"1"');
    expect(outcome).toMatchObject({ done: false, what: "It is in the hands of wang. Assign it to yourself first." });
    expect((fetched.mock.calls[0]?.[1]?.headers as Record<string, string>)["If-Match"]).toBe('"1"');
  });

  it("of others is told, one's own is not", () => {
    const entry = (seq: number, by: string) => ({ seq, at: "", kind: "noted" as const, by, note: null, severity: null, value: null, reason: null, about: null });
    expect(doneByOthers([entry(1, "engine"), entry(2, "wang"), entry(3, "li"), entry(4, "zhao")], 1).map(({ by }) => by)).toEqual(["wang", "zhao"]);
  });
});

describe("one deed for many", () => {
  it("has an outcome for each: possible, not possible, refused", async () => {
    const calls: string[] = [];
    vi.stubGlobal("fetch", vi.fn(async (url: string) => {
      calls.push(url);
      if (url.includes("b/")) return new Response(JSON.stringify({ title: "No", status: 403, code: "forbidden", detail: "no right" }), { status: 403 });
      return new Response(JSON.stringify(alert({ id: "a" })));
    }));
    const alerts = [alert({ id: "a" }), alert({ id: "b" }), alert({ id: "c", acknowledged: { by: "wang", at: "", note: null } })];
    const seen: number[] = [];
    const results = await doForMany("acknowledge", alerts, () => draft(), { onResult: (all) => seen.push(all.filter(({ outcome }) => outcome).length), stopped: () => false });
    expect(results.map(({ outcome }) => outcome?.done)).toEqual([true, false, false]);
    expect(failed(results).map(({ alert: each }) => each.id)).toEqual(["b", "c"]);
    expect(calls.some((url) => url.includes("/c/")), "what cannot be is not tried").toBe(false);
    expect(seen.at(-1)).toBe(3);
  });

  it("can be stopped", async () => {
    const results = await doForMany("note", [alert()], () => draft({ note: "x" }), { onResult: () => undefined, stopped: () => true });
    expect(results[0]?.outcome).toBeNull();
  });
});

describe("hand-overs", () => {
  it("are sorted by whose they are, the nearest deadline first", () => {
    const alerts = [
      alert({ id: "late", ...held({ stage: "handed_over", department: "water", until: "2026-11-23T13:00:00Z" }), rule: { ...alert().rule, department: "roads" } }),
      alert({ id: "soon", ...held({ stage: "handed_over", department: "water", until: "2026-11-23T12:10:00Z" }), rule: { ...alert().rule, department: "roads" } }),
      alert({ id: "mine", ...held({ stage: "accepted", who: "li" }) }),
      alert({ id: "away", ...held({ stage: "accepted", who: "wang", holder: "roads" }) }),
      alert({ id: "taken", ...held({ stage: "accepted", who: "zhao", holder: "water" }), rule: { ...alert().rule, department: "roads" } }),
      alert({ id: "over", state: "resolved", ...held({ stage: "handed_over", department: "water" }) }),
    ];
    const found = handOversOf(alerts, "li", new Set(["water"]));
    const ids = (list: readonly AlertItem[]) => list.map(({ id }) => id);
    expect(ids(found.asked)).toEqual(["soon", "late"]);
    expect(ids(found.mine)).toEqual(["mine"]);
    expect(ids(found.away)).toEqual(["away"]);
    expect(ids(found.taken)).toEqual(["taken"]);
  });
});

describe("a silence", () => {
  it("means alerts as the server does", () => {
    const labelled = alert({ labels: { team: "north" } });
    const cases: [Parameters<typeof matchesAlert>[0], boolean][] = [
      [{ rule: ["water_rising"] }, true], [{ rule: ["x"] }, false], [{ subject: ["series:gauge-1/water_level"] }, true], [{ subject: ["device:gauge-1"] }, false],
      [{ device: ["gauge-1"] }, true], [{ zone: ["riverdale"] }, true], [{ zone: ["austin"] }, false], [{ department: ["water"] }, true],
      [{ labels: { team: ["south", "north"] } }, true], [{ labels: { shift: ["north"] } }, false], [{ severity_at_most: "medium" }, false], [{ severity_at_least: "high" }, true],
      [{ rule: ["water_rising"], zone: ["austin"] }, false],
    ];
    for (const [match, expected] of cases) expect(matchesAlert(match, labelled), JSON.stringify(match)).toBe(expected);
    expect(matchesAlert({ device: ["gauge-1"] }, alert({ subject: { type: "zone", zone: "austin" } })), "it is about no device").toBe(false);
  });

  it("must mean something, and something that can be", () => {
    expect(isEmptyMatch({ rule: [], labels: { team: [] } })).toBe(true);
    expect(isEmptyMatch({ severity_at_most: "low" })).toBe(false);
    expect(isCrossed({ severity_at_most: "low", severity_at_least: "high" })).toBe(true);
    expect(isCrossed({ severity_at_most: "high", severity_at_least: "high" })).toBe(false);
  });

  it("takes a right in every department that it can mean", () => {
    const rules = [{ id: "a", department: "water" }, { id: "b", department: "roads" }];
    expect(departmentsOfMatch({ rule: ["a", "b"] }, rules)).toEqual(["water", "roads"]);
    expect(departmentsOfMatch({ department: ["water"], rule: ["b"] }, rules)).toEqual(["water"]);
    expect(departmentsOfMatch({ zone: ["x"] }, rules)).toEqual([null]);
    expect(whyNoSilence({ rule: ["a"] }, rules)).toBeNull();
    expect(whyNoSilence({ rule: ["a", "b"] }, rules)).toContain("roads");
    expect(whyNoSilence({ zone: ["x"] }, rules)).toContain("Whole city");
  });

  it("is read from what people type", () => {
    expect(listOf(" a, b，c a ")).toEqual(["a", "b", "c"]);
    expect(labelsOf("team=north|south, shift = day")).toEqual({ team: ["north", "south"], shift: ["day"] });
    expect(labelsOf("")).toEqual({});
    for (const bad of ["team", "=x", "team=", "team=a|"]) expect(labelsOf(bad), bad).toBeNull();
    expect(weeklyOf({ days: ["tue", "mon"], from: "22:00", to: "06:00" }, "UTC")).toEqual({ time_zone: "UTC", spans: [{ days: ["mon", "tue"], from: "22:00", to: "06:00" }] });
    expect(weeklyOf({ days: [], from: "22:00", to: "06:00" }, "UTC")).toBeNull();
    expect(weeklyOf({ days: ["mon"], from: "24:00", to: "06:00" }, "UTC")).toBeNull();
    expect(weeklyOf({ days: ["mon"], from: "6:00", to: "24:00" }, "UTC")).toBeNull();
  });
});

describe("the load", () => {
  const load: PositionLoad = {
    position: "city", operators: 1, alerts: 200, per_operator_day: 200, ten_minutes_mean: 1, ten_minutes_peak: 10, hours_over_30: 0.02, ten_minutes_over_10: 0.009, floods: 0, flood_share: -0, chattering: 0, fleeting: 1, standing: 3, stale: 5, severities: [],
  };

  it("is judged by the bounds of ISA-18.2", () => {
    const verdicts = Object.fromEntries(figuresOf(load).map(({ name, verdict }) => [name, verdict]));
    expect(verdicts).toEqual({ per_operator_day: "manageable", ten_minutes_mean: "acceptable", ten_minutes_peak: "acceptable", hours_over_30: "over", ten_minutes_over_10: "acceptable", flood_share: "acceptable", stale: "over", chattering: "acceptable", fleeting: "over" });
    expect(worstVerdict(figuresOf(load))).toBe("over");
    expect(verdictOf(288, { acceptable: 144, manageable: 288, below: false })).toBe("manageable");
    expect(verdictOf(289, { acceptable: 144, manageable: 288, below: false })).toBe("over");
  });

  it("names what it is about", () => {
    expect(subjectOf("series:zigbee/kitchen/temperature")).toEqual({ zone: null, device: "zigbee/kitchen", metric: "temperature" });
    expect(subjectOf("device:a:b")).toEqual({ zone: null, device: "a:b", metric: null });
    expect(subjectOf("zone:austin")).toEqual({ zone: "austin", device: null, metric: null });
  });
});

describe("an alert's page", () => {
  const steps = [{ severity: "medium" as const, limit: 2, clear: 1.8, for_s: 0 }, { severity: "high" as const, limit: 2.4, clear: 2.2, for_s: 0 }];
  const rule = { version: "0123456789ab", severities: steps };

  it("shows where it was raised and where it clears, of the rule as it was", () => {
    const shown = limitsOf(alert(), rule, 1);
    expect([shown.limit?.value, shown.limit?.clear?.value, shown.others.map(({ value }) => value)]).toEqual([2.4, 2.2, [2]]);
    expect(limitsOf(alert(), { ...rule, version: "other" }, 1)).toMatchObject({ limit: { value: 2.4 }, others: [] });
    expect(limitsOf(alert({ limit: 3 }), rule, 1).limit?.clear, "a device with a limit of its own").toBeUndefined();
    expect(limitsOf(alert({ state: "resolved", limit: 2.2 }), rule, 1).limit).toMatchObject({ value: 2.4, clear: { value: 2.2 } });
    expect(limitsOf(alert({ limit: null }), null, 1)).toEqual({ limit: null, others: [] });
  });

  it("draws a limit among readings only if it is one of readings", () => {
    expect(isOfReadings(alert({ unit: "m" }), "m")).toBe(true);
    expect(isOfReadings(alert({ unit: "" }), "")).toBe(true);
    for (const unit of ["m/h", "s", "%", null]) expect(isOfReadings(alert({ unit }), "m"), String(unit)).toBe(false);
    expect(isOfReadings(alert({ unit: null }), ""), "how unusual a count is").toBe(false);
    expect(isOfReadings(alert({ unit: null }), undefined), "of a metric that nobody knows").toBe(true);
  });

  it("finds the nearest neighbours", () => {
    const value = (device: string) => ({ device, metric: "pm25", value: 1, quality: "pass" as const, time: "", received: "", age_s: 1, max_age_s: 9, stale: false, position: null, simulated: false, marks: [] });
    const places: Record<string, [number, number]> = { near: [-87.601, 41.8], far: [-87.7, 41.8], self: [-87.6, 41.8] };
    const found = nearest(["far", "self", "lost", "near"].map(value), "self", [-87.6, 41.8], ({ device }) => places[device] ?? null);
    expect(found.map(({ value: each }) => each.device)).toEqual(["near", "far"]);
    expect(distance([0, 0], [0, 1])).toBeCloseTo(111_195, -2);
    const project = projection([[-87.6, 41.8], [-87.7, 41.9]]);
    expect(project([-87.6, 41.8])[0]).toBeGreaterThan(project([-87.7, 41.9])[0]);
    expect(project([-87.6, 41.8])[1], "north is up").toBeGreaterThan(project([-87.7, 41.9])[1]);
    const [a, b] = spread([{ x: 100, y: 100, text: "a" }, { x: 104, y: 101, text: "b" }]);
    expect(Math.abs((a?.y ?? 0) - (b?.y ?? 0))).toBeGreaterThanOrEqual(14);
  });

  it("says how long the like of it lasted", () => {
    const past = (minutes: number) => ({ fired_at: "2026-11-23T10:00:00Z", resolved_at: new Date(Date.parse("2026-11-23T10:00:00Z") + minutes * 60_000).toISOString() });
    expect(medianLength([past(9), past(1), past(3), { fired_at: "2026-11-23T10:00:00Z", resolved_at: null }])).toBe(180);
    expect(medianLength([])).toBeNull();
  });
});

describe("a deadline", () => {
  it("is a span from now, a moment of the city, or none", () => {
    expect(untilOf(untilIn(30), NOW)).toBe(NOW + 1_800_000);
    expect(untilOf(UNTIL_OPEN, NOW)).toBeNull();
    expect(untilOf({ choice: "own", text: "2026-11-23 07:00" }, NOW)).toBe(Date.parse("2026-11-23T13:00:00Z"));
    expect(untilOf({ choice: "own", text: "soon" }, NOW)).toBeNull();
  });
});
