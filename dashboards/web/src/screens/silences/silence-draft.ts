/** What is typed into the form of a silence, read. */
import type { Weekday, Weekly } from "../../api/types";

export const EVERY_DAY: readonly Weekday[] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

export interface WeekDraft {
  days: Weekday[];
  from: string;
  to: string;
}

/** Words between commas or spaces. */
export function listOf(text: string): string[] {
  return [...new Set(text.split(/[,，\s]+/).map((word) => word.trim()).filter((word) => word !== ""))];
}

/** `team=north, shift=a|b` as labels with their values; null if it cannot be read. */
export function labelsOf(text: string): Record<string, string[]> | null {
  const labels: Record<string, string[]> = {};
  for (const part of text.split(/[,，]/).map((each) => each.trim()).filter((each) => each !== "")) {
    const at = part.indexOf("=");
    const values = part.slice(at + 1).split("|").map((value) => value.trim());
    const name = part.slice(0, at).trim();
    if (at < 1 || name === "" || values.some((value) => value === "")) return null;
    labels[name] = [...(labels[name] ?? []), ...values];
  }
  return labels;
}

const TIME = /^([01]\d|2[0-3]):[0-5]\d$/;

/** Null while it is not whole: no day, or a time that is none. */
export function weeklyOf({ days, from, to }: WeekDraft, timeZone: string): Weekly | null {
  if (days.length === 0 || !TIME.test(from) || !(TIME.test(to) || to === "24:00")) return null;
  return { time_zone: timeZone, spans: [{ days: EVERY_DAY.filter((day) => days.includes(day)), from, to }] };
}
