/** The days of a report, by the city's calendar. */
import { parseWallClock, wallClock } from "../../format/wall-clock";

export interface Day {
  /** As in the address: `2026-11-29`. */
  date: string;
  from: number;
  to: number;
  /** Whether it is not over. */
  running: boolean;
}

/** Null if the text names no day; a day that has not begun is none. */
export function dayOf(text: string | null, nowMs: number): Day | null {
  const date = text ?? wallClock(nowMs).slice(0, 10);
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) return null;
  const from = parseWallClock(date);
  if (from === null || from > nowMs) return null;
  const end = parseWallClock(besides(date, 1)) ?? from + 86_400_000;
  return { date, from, to: Math.min(end, nowMs), running: end > nowMs };
}

/** So many days later; clock changes make no difference to calendars. */
export function besides(date: string, days: number): string {
  return new Date(Date.parse(`${date}T12:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}
