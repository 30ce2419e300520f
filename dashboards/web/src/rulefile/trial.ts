/** What a backtest says, compared with the rules in force and counted by the city's days. */
import type { Backtest, WouldBe } from "../api/rules";
import { cityZone } from "../format/time";

/** `both`: fires in either version; `gained`: only in the new one; `lost`: only in the one in force. */
export type Change = "both" | "gained" | "lost";

export interface Would extends WouldBe {
  change: Change;
}

export interface Trial {
  tried: Backtest;
  /** The rules in force over the same readings; null if none of these rules is. */
  present: Backtest | null;
  operators: number;
  /** What was tried is what is in force, so there is nothing to compare it with. */
  inForce: boolean;
}

/** ISA-18.2: up to so many alerts a day and operator are acceptable, up to so many manageable. */
export const ACCEPTABLE = 144;
export const MANAGEABLE = 288;

export type Verdict = "acceptable" | "manageable" | "too_many";

export function verdictOf(perOperatorDay: number): Verdict {
  return perOperatorDay <= ACCEPTABLE ? "acceptable" : perOperatorDay <= MANAGEABLE ? "manageable" : "too_many";
}

export function subjectKey({ subject }: Pick<WouldBe, "subject">): string {
  return subject.type === "series" ? `${subject.device}/${subject.metric}` : subject.type === "device" ? subject.device : subject.zone;
}

const keyOf = (alert: WouldBe) => `${alert.rule}|${subjectKey(alert)}|${alert.fired_at}`;

export function changesOf({ tried, present, inForce }: Trial): Would[] {
  const gained = new Set((tried.difference?.gained ?? []).map(keyOf));
  const here = tried.alerts.map((alert): Would => ({ ...alert, change: !inForce && (present === null || gained.has(keyOf(alert))) ? "gained" : "both" }));
  const lost = (tried.difference?.lost ?? []).map((alert): Would => ({ ...alert, change: "lost" }));
  return [...here, ...lost].sort((a, b) => (a.fired_at < b.fired_at ? -1 : 1));
}

export interface Day {
  /** As in 2026-11-29, by the city's calendar. */
  day: string;
  tried: number;
  present: number | null;
}

const dayFormat = new Map<string, Intl.DateTimeFormat>();

export function dayOf(moment: string | number): string {
  let format = dayFormat.get(cityZone.value);
  if (!format) {
    format = new Intl.DateTimeFormat("en-CA", { timeZone: cityZone.value, year: "numeric", month: "2-digit", day: "2-digit" });
    dayFormat.set(cityZone.value, format);
  }
  return format.format(typeof moment === "string" ? Date.parse(moment) : moment);
}

/** Alerts of each day of the range, days without any included; `fits` says which count. */
export function daysOf({ tried, present }: Trial, fits: (alert: WouldBe) => boolean): Day[] {
  const count = (alerts: readonly WouldBe[]) => {
    const days = new Map<string, number>();
    for (const alert of alerts) if (fits(alert)) days.set(dayOf(alert.fired_at), (days.get(dayOf(alert.fired_at)) ?? 0) + 1);
    return days;
  };
  const [now, before] = [count(tried.alerts), present === null ? null : count(present.alerts)];
  const days: Day[] = [];
  const seen = new Set<string>();
  // Half days, so that a day of 23 hours is not leapt over.
  for (let at = Date.parse(tried.from); ; at += 43_200_000) {
    const day = dayOf(Math.min(at, Date.parse(tried.to) - 1));
    if (!seen.has(day)) days.push({ day, tried: now.get(day) ?? 0, present: before === null ? null : (before.get(day) ?? 0) });
    seen.add(day);
    if (at >= Date.parse(tried.to) - 1) return days;
  }
}

/** Alerts a day and operator among those that count. */
export function loadOf(result: Backtest, operators: number, fits: (alert: WouldBe) => boolean): number {
  const days = (Date.parse(result.to) - Date.parse(result.from)) / 86_400_000;
  return days <= 0 ? 0 : result.alerts.filter(fits).length / days / operators;
}
