/** The spans of time that a person may choose for a chart. */
import { serverNow } from "../state/clock";

export const RANGES = ["1h", "6h", "24h", "7d"] as const;
export type Range = (typeof RANGES)[number];

const HOUR_MS = 3_600_000;
const LENGTH_MS: Readonly<Record<Range, number>> = { "1h": HOUR_MS, "6h": 6 * HOUR_MS, "24h": 24 * HOUR_MS, "7d": 168 * HOUR_MS };

/** So that a mean of many devices has about 200 steps. */
const STEP: Readonly<Record<Range, string>> = { "1h": "1m", "6h": "2m", "24h": "10m", "7d": "1h" };

export function parseRange(text: string | null, otherwise: Range): Range {
  return RANGES.find((range) => range === text) ?? otherwise;
}

export function stepOf(range: Range): string {
  return STEP[range];
}

/** How often a chart of this range is worth loading again, in milliseconds. */
export function refreshMs(range: Range): number {
  return range === "1h" ? 10_000 : range === "6h" ? 20_000 : 60_000;
}

export function windowOf(range: Range, endMs: number = serverNow()): { from: number; to: number } {
  return { from: endMs - LENGTH_MS[range], to: endMs };
}

export const iso = (ms: number) => new Date(ms).toISOString();
