import { describe, expect, it } from "vitest";
import type { Buckets, ExplainedStep } from "../src/api/types";
import { DAY_MS, bandAt, expectedOf, usualOf, usualStep } from "../src/charts/usual";

const START = Date.parse("2026-11-23T10:00:00Z");
const day = (back: number, means: (number | null)[]): Buckets => ({
  start: means.map((_, at) => START - back * DAY_MS + at * 60_000), count: means.map((mean) => (mean === null ? 0 : 5)), min: means, mean: means, max: means, flagged: means.map(() => 0),
});

describe("what is usual", () => {
  it("is what the days before were at the same hours", () => {
    const usual = usualOf([day(1, [10, 20, 30]), day(2, [12, 18, null]), day(3, [11, 25, 33])], 60);
    expect(usual).toMatchObject({ start: [START, START + 60_000], low: [10, 18], high: [12, 25], days: 3 });
    expect(bandAt(usual!, [START + 5_000, START + 61_000, START + 150_000])).toEqual({ min: [10, 18, null], max: [12, 25, null] });
  });

  it("is nothing before there are days enough", () => {
    expect(usualOf([day(1, [1, 2]), day(2, [1, 2])], 60)).toBeNull();
    expect(usualOf([], 60)).toBeNull();
  });

  it("is what the rule expected, where it says so", () => {
    const step = (seconds: number, expected: { low: number; high: number } | null): ExplainedStep => {
      const time = new Date(START + seconds * 1000).toISOString();
      const reading = { device: "d", metric: "pm25", time, value: 1, quality: "pass" as const };
      return { at: time, decision: "judged", limit: 3, value: 0, reading, text: { en: "", zh: "" }, expected: expected && { ...expected, value: 5, deviation: 0 } };
    };
    const told = [step(2, null), step(61, { low: 1, high: 9 }), step(122, { low: 2, high: 8 })];
    for (const interval of [60, null]) {
      const usual = expectedOf(told, interval);
      expect(bandAt(usual!, [START - 600_000, START + 61_000, START + 122_000]), `${interval}`).toEqual({ min: [null, 1, 2], max: [null, 9, 8] });
    }
    expect(expectedOf(told.slice(0, 2), 60), "too little for a band").toBeNull();
  });

  it("comes in steps that a chart can show", () => {
    expect(usualStep(10 * 60_000)).toBe(60);
    expect(usualStep(5 * 3_600_000)).toBe(300);
    expect(usualStep(10 * 60_000, 300), "a slow device").toBe(900);
    expect(usualStep(300 * DAY_MS)).toBe(3600);
  });
});
