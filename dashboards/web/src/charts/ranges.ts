/** The spans of time that a person may choose for a chart. */
import { serverNow } from "../state/clock";

export const RANGES = ["1h", "6h", "24h", "7d"] as const;
export type Range = (typeof RANGES)[number];

const HOUR_MS = 3_600_000;
const LENGTH_MS: Readonly<Record<Range, number>> = { "1h": HOUR_MS, "6h": 6 * HOUR_MS, "24h": 24 * HOUR_MS, "7d": 168 * HOUR_MS };

/** So that a mean of many devices has about 200 steps. */
const STEP: Readonly<Record<Range, string>> = { "1h": "30s", "6h": "2m", "24h": "10m", "7d": "1h" };

/** Room after the newest reading of a chart that does not end now. */
const ROOM = 0.02;

export interface ChartWindow {
  from: number;
  to: number;
  /** When the newest reading was, if the window ends there because there is none since. */
  past: number | null;
}

/** Null when the address names no range: the data then choose. */
export function chosenRange(text: string | null): Range | null {
  return RANGES.find((range) => range === text) ?? null;
}

/** The range in which a device's own rhythm is seen best. */
export function rangeForInterval(intervalS: number | null): Range {
  if (intervalS === null) return "6h";
  return intervalS <= 60 ? "1h" : intervalS <= 600 ? "6h" : intervalS < 3600 ? "24h" : "7d";
}

export function lengthOf(range: Range): number {
  return LENGTH_MS[range];
}

export function stepOf(range: Range): string {
  return STEP[range];
}

/** How often a chart of this range is worth loading again, in milliseconds. */
export function refreshMs(range: Range | null): number {
  return range === "1h" || range === null ? 10_000 : range === "6h" ? 20_000 : 60_000;
}

/** Up to now, or up to the newest reading (epoch milliseconds) when that was before the range. */
export function windowOf(range: Range, newest: number | null = null, nowMs: number = serverNow()): ChartWindow {
  const length = LENGTH_MS[range];
  const past = newest !== null && newest < nowMs - length ? newest : null;
  const to = past === null ? nowMs : past + ROOM * length;
  return { from: to - length, to, past };
}

export const iso = (ms: number) => new Date(ms).toISOString();
