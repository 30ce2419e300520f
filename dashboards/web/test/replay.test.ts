import { afterEach, describe, expect, it, vi } from "vitest";
import { scaleLength } from "../src/map/map-picture";
import { headingOf } from "../src/state/fleet";
import { Replay, beside, loadOf, placeAt, severityAt, type AlertSpan } from "../src/state/replay";
import { choiceOf } from "../src/state/replay-control";
import { loadTracks, spansOf } from "../src/state/replay-load";
import { lastOf } from "../src/screens/overview/values-then";
import { pictureName } from "../src/ui/save-picture";
import { alert, snapshot } from "./samples";

const T = Date.parse("2026-11-23T10:00:00Z");
const minutes = (n: number) => T + n * 60_000;
const span = (change: Partial<AlertSpan> = {}): AlertSpan => ({ id: "a", subject: { type: "device", device: "lamp-1" }, from: minutes(5), to: minutes(10), steps: [{ at: minutes(5), severity: "low" }, { at: minutes(7), severity: "high" }], ...change });

afterEach(() => vi.unstubAllGlobals());

describe("an alert in the past", () => {
  it("has the severity that it had then, and none before and after", () => {
    expect([4, 5, 6.9, 7, 9.9, 10].map((at) => severityAt(span(), minutes(at)))).toEqual([null, "low", "low", "high", "high", null]);
    expect(severityAt(span({ to: null }), minutes(600))).toBe("high");
  });

  it("is joined from the alert and the log of its steps", () => {
    const escalated = alert({ id: "a1", severity: "critical", fired_at: "2026-11-23T10:05:00Z", resolved_at: "2026-11-23T10:20:00Z", state: "resolved" });
    const [known] = spansOf([escalated], [
      { at: "2026-11-23T10:09:00Z", alert: "a1", kind: "escalated", severity: "critical" },
      { at: "2026-11-23T10:05:00Z", alert: "a1", kind: "fired", severity: "medium" },
    ]);
    expect([5, 8, 9, 19, 20].map((at) => severityAt(known as AlertSpan, minutes(at)))).toEqual(["medium", "medium", "critical", "critical", null]);
    // Of one whose beginning is not in the log, the step before is the one beside.
    const [older] = spansOf([escalated], [{ at: "2026-11-23T10:09:00Z", alert: "a1", kind: "escalated", severity: "critical" }]);
    expect(severityAt(older as AlertSpan, minutes(6))).toBe("high");
    expect(beside("low", -1)).toBe("low");
  });
});

describe("a moving device in the past", () => {
  const track = { times: [minutes(0), minutes(1), minutes(20)], places: [[0, 0], [1, 2], [5, 5]] as [number, number][] };

  it("moves evenly between positions, and stands where it was last heard", () => {
    expect(placeAt(track, minutes(-1))).toBeNull();
    expect(placeAt(track, minutes(0.5))).toEqual({ place: [0.5, 1], old: false });
    expect(placeAt(track, minutes(3))).toEqual({ place: [1, 2], old: false });
    expect(placeAt(track, minutes(12))).toEqual({ place: [1, 2], old: true });
    expect(placeAt(track, minutes(21))).toEqual({ place: [5, 5], old: false });
  });

  it("looks where it goes, and nowhere while it stands", () => {
    expect([headingOf([0, 0], [0, 1]), headingOf([0, 0], [1, 0]), headingOf([0, 0], [0, -1]), headingOf([0, 0], [-1, 0])]).toEqual([0, 90, 180, 270]);
    expect(headingOf([10, 50], [10.000001, 50])).toBeNull();
  });
});

describe("the city in the past", () => {
  it("shows what fired then, on devices and zones, and forgets it when time goes back", () => {
    const replay = new Replay(snapshot(), [span(), span({ id: "b", subject: { type: "zone", zone: "loop" } })]);
    expect(replay.fleet.byId("gauge-1")?.severity).toBeNull(); // it fires now, not then
    replay.seek(minutes(8));
    expect(replay.fleet.byId("lamp-1")?.severity).toBe("high");
    expect([...replay.zoneSeverities(minutes(8))]).toEqual([["loop", "high"]]);
    expect(replay.firing(minutes(8))).toBe(2);
    replay.seek(minutes(6));
    expect(replay.fleet.byId("lamp-1")?.severity).toBe("low");
    replay.seek(minutes(1));
    expect(replay.fleet.byId("lamp-1")?.severity).toBeNull();
  });

  it("shows nobody as silent, not even who is silent now", () => {
    const now = snapshot();
    now.devices.status = [2, 1, 0, 3];
    const replay = new Replay(now, []);
    replay.seek(minutes(1));
    expect(["lamp-1", "gauge-1", "lost-1"].map((id) => replay.fleet.byId(id)?.status)).toEqual(["online", "online", "online"]);
  });

  it("moves what moved, and does not invent where it was", () => {
    const replay = new Replay(snapshot(), []);
    expect(replay.movingIds).toEqual(["bus-1"]);
    replay.seek(minutes(1));
    expect(replay.fleet.byId("bus-1")).toMatchObject({ lon: null, lat: null });
    replay.addTrack("bus-1", { times: [minutes(2), minutes(3)], places: [[2, 2], [3, 3]] });
    replay.addTrack("bus-1", { times: [minutes(0), minutes(1)], places: [[0, 0], [1, 1]] });
    replay.seek(minutes(2.5));
    expect(replay.fleet.byId("bus-1")).toMatchObject({ lon: 2.5, lat: 2.5 });
    expect(replay.trail("bus-1", minutes(2), 90_000)).toEqual([[1, 1], [2, 2], [2, 2]]);
    replay.seek(minutes(30));
    expect(replay.fleet.byId("bus-1")?.status).toBe("late");
  });

  it("counts what fired over the range", () => {
    expect(loadOf([span()], T, minutes(20), 4).map((part) => [part.low, part.high])).toEqual([[0, 0], [0, 1], [0, 0], [0, 0]]);
  });
});

describe("the address of a replay", () => {
  it("holds the range, its end, the moment and the speed", () => {
    const choice = choiceOf(new URLSearchParams("replay=1h&until=2026-11-23T10:00:00Z&at=2026-11-23T09:30:00Z&speed=5"), minutes(500));
    expect(choice).toEqual({ range: "1h", from: minutes(-60), to: T, at: minutes(-30), speed: 5 });
  });

  it("takes no nonsense", () => {
    expect(choiceOf(new URLSearchParams("replay=2y"), T)).toBeNull();
    expect(choiceOf(new URLSearchParams("replay=24h&until=2036-01-01T00:00:00Z&at=x&speed=7"), T)).toMatchObject({ to: T, at: T - 86_400_000, speed: 30 });
  });
});

it("loads tracks some at a time and counts those that fail", async () => {
  let open = 0;
  let most = 0;
  vi.stubGlobal("fetch", async (url: string) => {
    open += 1;
    most = Math.max(most, open);
    await Promise.resolve();
    open -= 1;
    if (url.includes("bus-3")) return new Response("{}", { status: 500 });
    return new Response(JSON.stringify({ properties: { times: ["2026-11-23T10:00:00Z"] }, geometry: null }));
  });
  const taken: string[] = [];
  const ids = Array.from({ length: 12 }, (_, at) => `bus-${at}`);
  expect(await loadTracks(ids, T, minutes(60), new AbortController().signal, (id) => taken.push(id))).toBe(1);
  expect(taken).toHaveLength(11);
  expect(most).toBeLessThanOrEqual(4);
});

it("names pictures for files and gives them a round scale", () => {
  expect(pictureName(["citybrain", "map", "New/York City"], T)).toBe("citybrain-map-New-York-City-2026-11-23T100000Z.png");
  expect(scaleLength(10)).toEqual({ metres: 1000, pixels: 100 });
  expect(scaleLength(37).metres).toBe(5000);
});

it("knows the last value before a moment, and its quality", () => {
  const raw = { time: [minutes(0), minutes(1), minutes(2)], value: [1, 2, 3], quality: [1, 3, 1] };
  expect(lastOf({ metric: "pm25", raw, buckets: null }, minutes(1.5))).toEqual({ metric: "pm25", value: 2, quality: "suspect", doubted: true, time: minutes(1) });
  expect(lastOf({ metric: "pm25", raw, buckets: null }, minutes(-1))).toBeNull();
});
