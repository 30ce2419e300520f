import { describe, expect, it } from "vitest";
import { NO_CUTS, apart, cutWords, cutsOf } from "../src/charts/cuts";
import { placeForWords, yRange, type Taken } from "../src/charts/options";
import { rangeForInterval, windowOf } from "../src/charts/ranges";
import { extremes, fromBuckets, fromRaw, hasValues, reachOf } from "../src/charts/series";
import { setLanguage } from "../src/i18n";

const MINUTE = 60_000;
const buckets = (start: number[], values: number[]) => ({
  start,
  count: values.map(() => 2),
  min: values.map((value) => value - 1),
  mean: values,
  max: values.map((value) => value + 1),
  flagged: values.map(() => 0),
});

describe("raw readings", () => {
  it("keep a gap as a gap", () => {
    const series = fromRaw({ time: [0, MINUTE, 10 * MINUTE], value: [1, 2, 3], quality: [1, 1, 1] }, 60);
    expect(series.time).toEqual([0, MINUTE, 2 * MINUTE, 10 * MINUTE]);
    expect(series.value).toEqual([1, 2, null, 3]);
  });

  it("bridge what the interval allows", () => {
    const series = fromRaw({ time: [0, 2 * MINUTE], value: [1, 2], quality: [1, 2] }, 60);
    expect(series.value).toEqual([1, 2]);
  });

  it("guess the interval from the readings when none is declared", () => {
    const time = [0, 1, 2, 3, 30].map((at) => at * MINUTE);
    expect(fromRaw({ time, value: [1, 1, 1, 1, 1], quality: [1, 1, 1, 1, 1] }, null).value).toContain(null);
  });

  it("connect history in a slower rhythm, and still show a silence in it", () => {
    const slow = [0, 5, 10, 15, 20].map((at) => at * MINUTE);
    const fast = [0, 1, 2, 3, 4, 5, 6].map((at) => 25 * MINUTE + at * 5_000);
    const time = [...slow, ...fast];
    const ones = time.map(() => 1);
    expect(fromRaw({ time, value: ones, quality: ones }, 5).value).not.toContain(null);
    const later = time.map((at, index) => (index > 2 ? at + 60 * MINUTE : at));
    expect(fromRaw({ time: later, value: ones, quality: ones }, 5).value.filter((value) => value === null)).toHaveLength(1);
    const broken = fast.map((at, index) => (index > 3 ? at + MINUTE : at));
    expect(fromRaw({ time: broken, value: ones, quality: ones }, 5).value).toContain(null);
  });

  it("take doubtful values out of the line", () => {
    const series = fromRaw({ time: [0, 1, 2, 3], value: [1, 99, -5, 2], quality: [1, 3, 4, 2] }, 60);
    expect(series.value).toEqual([1, null, null, 2]);
    expect(series.flagged).toEqual([null, 99, -5, null]);
    expect(extremes(series)).toEqual({ min: 1, max: 2, last: 2 });
  });

  it("draw truth values as 0 and 1, and texts not at all", () => {
    expect(fromRaw({ time: [0, 1, 2], value: [true, false, "open"], quality: [1, 1, 1] }, 60).value).toEqual([1, 0, null]);
  });
});

describe("buckets", () => {
  it("keep a gap as a gap, in the band too", () => {
    const series = fromBuckets(buckets([0, MINUTE, 5 * MINUTE], [1, 2, 3]), 60);
    expect(series.time).toEqual([0, MINUTE, 2 * MINUTE, 5 * MINUTE]);
    expect(series.value).toEqual([1, 2, null, 3]);
    expect(series.band).toEqual({ min: [0, 1, null, 2], max: [2, 3, null, 4] });
  });

  it("show nothing for an empty step", () => {
    const empty = { ...buckets([0], [7]), count: [0] };
    expect(hasValues(fromBuckets(empty, 60))).toBe(false);
    expect(extremes(fromBuckets(empty, 60))).toBeNull();
  });
});

describe("the reach of the means", () => {
  it("is not set by one device's peak", () => {
    const time = Array.from({ length: 30 }, (_, at) => at * MINUTE);
    const means = time.map((_, at) => 10 + (at % 3));
    const peak = buckets(time, means);
    peak.max[29] = 500;
    expect(reachOf(fromBuckets(peak, 60))?.[1]).toBeLessThan(20);
    peak.mean[29] = 90;
    expect(reachOf(fromBuckets(peak, 60))?.[1]).toBe(90);
  });

  it("holds of a band, and of what is usual, what is not too far from the means", () => {
    const time = Array.from({ length: 30 }, (_, at) => at * MINUTE);
    const held = buckets(time, time.map((_, at) => 10 + (at % 3)));
    held.max[7] = 16;
    held.max[8] = 17;
    held.min[9] = 6.5;
    const series = fromBuckets(held, 60);
    expect(reachOf(series)).toEqual([6.5, 16]);
    const far = time.map(() => 3);
    expect(reachOf(series, [{ min: time.map(() => 6), max: far }])).toEqual([6, 16]);
  });

  it("is everything where the means lie on a line, which nothing can flatten", () => {
    const flat = buckets([0, MINUTE, 2 * MINUTE], [0, 0, 0]);
    flat.min.fill(0);
    flat.max = [0, 0, 80];
    expect(reachOf(fromBuckets(flat, 60))).toEqual([0, 80]);
  });

  it("is everything for readings without a band", () => {
    expect(reachOf(fromRaw({ time: [0, 1], value: [1, 2], quality: [1, 1] }, 60))).toBeNull();
  });
});

describe("what is cut of a band", () => {
  const time = [0, 1, 2, 3].map((at) => at * MINUTE);
  const band = { min: [1, null, -9, 1], max: [5, null, 12, 30] };

  it("is told at each edge: when, and how far it goes", () => {
    expect(cutsOf(time, [band], [0, 10])).toEqual({ above: { times: [2 * MINUTE, 3 * MINUTE], value: 30 }, below: { times: [2 * MINUTE], value: -9 } });
    expect(cutsOf(time, [band, { min: [1, 1, 1, 1], max: [1, 11, 40, 1] }], [-10, 10]).above).toEqual({ times: [MINUTE, 2 * MINUTE, 3 * MINUTE], value: 40 });
    expect(cutsOf(time, [band], [-9, 30])).toEqual(NO_CUTS);
    expect(cutsOf(time, [], [0, 1])).toEqual(NO_CUTS);
  });

  it("is said in both languages, with the unit", () => {
    const cuts = cutsOf(time, [band], [0, 10]);
    setLanguage("en");
    expect(cutWords(cuts, 0, "µg/m³")).toEqual(["▲ cut off, reaches 30\u00a0µg/m³", "▼ cut off, reaches −9\u00a0µg/m³"]);
    setLanguage("zh");
    expect(cutWords({ ...cuts, below: null }, 1, "")).toEqual(["▲ 已截断，最高 30.0"]);
    setLanguage("en");
    expect(cutWords(NO_CUTS, 0, "m")).toEqual([]);
  });

  it("is marked once where marks would lie on each other", () => {
    expect(apart([0, 5, 13, 14, 20, 40], 14)).toEqual([0, 14, 40]);
  });
});

describe("the window of a chart", () => {
  const now = Date.parse("2026-11-23T10:00:00Z");
  it("ends now while there are readings in it", () => {
    expect(windowOf("1h", now - 600_000, now)).toEqual({ from: now - 3_600_000, to: now, past: null });
  });
  it("ends at the newest reading when that is older, and says so", () => {
    const newest = Date.parse("2015-12-10T15:00:00Z");
    const { from, to, past } = windowOf("7d", newest, now);
    expect(past).toBe(newest);
    expect(from).toBeLessThan(newest);
    expect(to).toBeGreaterThan(newest);
  });
  it("follows the device's rhythm", () => {
    expect([5, 300, 1800, 3600, null].map(rangeForInterval)).toEqual(["1h", "6h", "24h", "7d", "6h"]);
  });
});

describe("the value axis", () => {
  it("holds the limit", () => {
    const [low, high] = yRange(10, 20, { value: 75, label: "", colour: "" }, 0);
    expect(low).toBeLessThan(10);
    expect(high).toBeGreaterThan(75);
  });

  it("gives no negative room to what is never negative", () => {
    expect(yRange(0, 10, null, 0)[0]).toBe(0);
    expect(yRange(-3, 10, null, 1)[0]).toBeLessThan(-3);
  });

  it("survives the absence of values", () => {
    expect(yRange(null, null, null, 0)).toEqual([0, 1]);
  });
});

describe("the words of limits", () => {
  const chart: Taken = [0, 100];

  it("stand on the wanted side, or on the other where that is taken or outside", () => {
    expect(placeForWords(50, 16, 1, false, chart, [])).toEqual([33, 49]);
    expect(placeForWords(50, 16, 1, true, chart, [])).toEqual([51, 67]);
    expect(placeForWords(10, 16, 1, false, chart, [])).toEqual([11, 27]);
    expect(placeForWords(50, 16, 1, false, chart, [[40, 56]])).toBeNull();
    expect(placeForWords(58, 16, 1, false, chart, [[40, 56]])).toEqual([59, 75]);
  });
});
