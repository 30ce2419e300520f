/** What a series usually is at these hours: from the same hours of the days before. */
import type { Buckets, ExplainedStep } from "../api/types";
import { medianDistance, type Band } from "./series";

type Column = (number | null)[];

export interface Usual {
  /** Beginnings of steps, in epoch milliseconds of the window that is shown. */
  start: number[];
  low: Column;
  high: Column;
  stepMs: number;
  /** From how many days it is made, at most; 0 if a rule expected it. */
  days: number;
}

export const DAY_MS = 86_400_000;
/** Fewer say nothing about what is usual. */
export const LEAST_DAYS = 3;
const STEPS_S = [60, 300, 900, 3600];
const MOST_STEPS = 120;

/** So wide that a window has no more steps than a chart needs, and each of them a reading of every day. */
export function usualStep(lengthMs: number, intervalS: number | null = null): number {
  return STEPS_S.find((step) => lengthMs / 1000 / step <= MOST_STEPS && step >= 2 * (intervalS ?? 0)) ?? 3600;
}

/** `before[n]` is the history of n + 1 days before; null if nothing is usual yet. */
export function usualOf(before: readonly Buckets[], stepS: number): Usual | null {
  const stepMs = stepS * 1000;
  const seen = new Map<number, number[]>();
  before.forEach((buckets, n) => {
    buckets.start.forEach((start, at) => {
      const mean = buckets.mean[at] ?? null;
      if (mean === null || (buckets.count[at] ?? 0) === 0) return;
      // Steps of one day need not begin where those of another do.
      const here = Math.round((start + (n + 1) * DAY_MS) / stepMs) * stepMs;
      seen.set(here, [...(seen.get(here) ?? []), mean]);
    });
  });
  const start = [...seen.keys()].filter((at) => (seen.get(at)?.length ?? 0) >= LEAST_DAYS).sort((a, b) => a - b);
  if (start.length < 2) return null;
  const of = (at: number) => seen.get(at) as number[];
  return { start, low: start.map((at) => Math.min(...of(at))), high: start.map((at) => Math.max(...of(at))), stepMs, days: Math.max(...start.map((at) => of(at).length)) };
}

/** What a rule expected of single readings, as it told step by step; null if it expected nothing. */
export function expectedOf(steps: readonly ExplainedStep[], intervalS: number | null): Usual | null {
  const told = steps.flatMap(({ reading, expected }) => (reading && expected ? [{ at: Date.parse(reading.time), low: expected.low, high: expected.high }] : []));
  if (told.length < 2) return null;
  const stepMs = intervalS !== null && intervalS > 0 ? intervalS * 1000 : Math.max(1, medianDistance(told.map(({ at }) => at)));
  const of = new Map(told.map((each) => [Math.floor(each.at / stepMs) * stepMs, each]));
  const start = [...of.keys()].sort((a, b) => a - b);
  const pick = (end: "low" | "high") => start.map((at) => of.get(at)?.[end] ?? null);
  return { start, low: pick("low"), high: pick("high"), stepMs, days: 0 };
}

/** The band at the times that a chart has; gaps stay gaps. */
export function bandAt(usual: Usual, times: readonly number[]): Band {
  const index = new Map(usual.start.map((start, at) => [start, at]));
  const pick = (column: Column) => times.map((time) => {
    const at = index.get(Math.floor(time / usual.stepMs) * usual.stepMs) ?? index.get(Math.round(time / usual.stepMs) * usual.stepMs);
    return at === undefined ? null : (column[at] ?? null);
  });
  return { min: pick(usual.low), max: pick(usual.high) };
}
