/** From the API's columns to what a chart draws. Gaps stay gaps: absence is never bridged. */
import { isTrusted } from "../api/codes";
import type { Buckets, RawReadings, ReadingValue } from "../api/types";

type Column = (number | null)[];

/** A shaded range: its two edges. */
export interface Band {
  min: Column;
  max: Column;
}

/** Columns of equal length; times in epoch milliseconds. */
export interface ChartSeries {
  time: number[];
  /** Trusted values, or the mean of a step. */
  value: Column;
  /** Lowest and highest of each step; null for raw readings. */
  band: Band | null;
  /** Values that failed a check or are suspect: drawn apart, never in the line. */
  flagged: Column;
}

/** A silence longer than this many usual distances is a gap. */
const GAP_FACTOR = 2.5;
/** So many distances on one side make a rhythm. */
const RHYTHM = 2;
const RHYTHM_LOOKS = 5;

export const EMPTY_SERIES: ChartSeries = { time: [], value: [], band: null, flagged: [] };

export function hasValues(series: ChartSeries): boolean {
  return series.value.some((value) => value !== null) || series.flagged.some((value) => value !== null);
}

export function fromRaw(raw: RawReadings, intervalS: number | null): ChartSeries {
  const series: ChartSeries = { time: [], value: [], band: null, flagged: [] };
  const usual = intervalS !== null ? intervalS * 1000 : medianDistance(raw.time);
  let before: number | null = null;
  raw.time.forEach((time, at) => {
    if (before !== null && usual > 0 && isGap(raw.time, at, GAP_FACTOR * usual)) push(series, before + usual, null, null);
    const value = asNumber(raw.value[at] ?? null);
    const trusted = isTrusted(raw.quality[at] ?? 2);
    push(series, time, trusted ? value : null, trusted ? null : value);
    before = time;
  });
  return series;
}

export function fromBuckets(buckets: Buckets, stepS: number): ChartSeries {
  const min: Column = [];
  const max: Column = [];
  const series: ChartSeries = { time: [], value: [], band: { min, max }, flagged: [] };
  const step = stepS * 1000;
  let before: number | null = null;
  buckets.start.forEach((start, at) => {
    if (before !== null && isGap(buckets.start, at, 1.5 * step)) {
      push(series, before + step, null, null);
      min.push(null);
      max.push(null);
    }
    const empty = (buckets.count[at] ?? 0) === 0;
    push(series, start, empty ? null : (buckets.mean[at] ?? null), null);
    min.push(empty ? null : (buckets.min[at] ?? null));
    max.push(empty ? null : (buckets.max[at] ?? null));
    before = start;
  });
  return series;
}

/** The part of a series that its spoken summary tells. */
export function extremes(series: ChartSeries): { min: number; max: number; last: number } | null {
  let min = Infinity;
  let max = -Infinity;
  let last: number | null = null;
  for (const value of series.value) {
    if (value === null) continue;
    min = Math.min(min, value);
    max = Math.max(max, value);
    last = value;
  }
  return last === null ? null : { min, max, last };
}

/** So many usual spreads beyond it on each side the axis goes for the sake of a shaded range. */
const SPREADS_HELD = 2;

/**
 * The part of the value axis that a series with a band needs: every mean, and of the band and of `more`
 * shaded ranges what is not too far from them. A single device's peak must not flatten the means; what is
 * cut for their sake is marked (`cuts.ts`).
 */
export function reachOf(series: ChartSeries, more: readonly Band[] = []): [number, number] | null {
  const means = numbers(series.value);
  if (!series.band || means.length === 0) return null;
  const low = Math.min(median(numbers(series.band.min)), ...means);
  const high = Math.max(median(numbers(series.band.max)), ...means);
  // A line without any spread is flat however far the axis goes.
  const room = high > low ? SPREADS_HELD * (high - low) : Infinity;
  const edges = [series.band, ...more].flatMap(({ min, max }) => [...numbers(min), ...numbers(max)]).filter((value) => value >= low - room && value <= high + room);
  return [Math.min(low, ...edges), Math.max(high, ...edges)];
}

const numbers = (column: Column) => column.filter((value): value is number => value !== null);

/**
 * Whether nothing came between a time and the one before it although something should have.
 * History that was loaded in a slower rhythm than the device has now is no gap.
 */
function isGap(times: readonly number[], at: number, allowedMs: number): boolean {
  const distance = (times[at] ?? 0) - (times[at - 1] ?? 0);
  if (distance <= allowedMs) return false;
  return distance > GAP_FACTOR * Math.max(rhythm(times, at - 1 - RHYTHM_LOOKS, at - 1), rhythm(times, at, at + RHYTHM_LOOKS));
}

/** The usual distance between these times; 0 when they are too few to tell. */
function rhythm(times: readonly number[], from: number, to: number): number {
  const part = times.slice(Math.max(0, from), to + 1);
  return part.length > RHYTHM ? medianDistance(part) : 0;
}

function push(series: ChartSeries, time: number, value: number | null, flagged: number | null): void {
  series.time.push(time);
  series.value.push(value);
  series.flagged.push(flagged);
}

function asNumber(value: ReadingValue | null): number | null {
  if (typeof value === "number") return value;
  return typeof value === "boolean" ? Number(value) : null;
}

export function medianDistance(times: readonly number[]): number {
  return median(times.slice(1).map((time, at) => time - (times[at] ?? time)));
}

/** The middle value, the upper of two; 0 of nothing. */
function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
