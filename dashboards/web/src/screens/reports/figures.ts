/** What a day's alerts come to. Pure. */
import { SEVERITIES } from "../../api/codes";
import type { AlertItem, LocalText, Severity } from "../../api/types";
import type { LossItem } from "../../api/platform";

export interface SeverityLine {
  severity: Severity;
  alerts: number;
  /** Of those that somebody acknowledged: seconds from firing, in the middle and of nine in ten. */
  answered: number;
  medianS: number | null;
  p90S: number | null;
  /** How long those that ended lasted, in the middle. */
  lastedS: number | null;
}

export interface Line {
  id: string;
  name: LocalText;
  alerts: number;
  bySeverity: Readonly<Record<Severity, number>>;
}

export interface AlertFigures {
  severities: SeverityLine[];
  rules: Line[];
  zones: Line[];
  devices: Line[];
  hours: number[];
}

export function figuresOf(alerts: readonly AlertItem[], from: number, to: number): AlertFigures {
  const device = (alert: AlertItem) => (alert.subject.type === "zone" ? [] : [{ id: alert.subject.device, name: alert.device_name ?? plain(alert.subject.device) }]);
  return {
    severities: SEVERITIES.map((severity) => severityLine(severity, alerts.filter((alert) => alert.severity === severity))),
    rules: linesOf(alerts, (alert) => [{ id: alert.rule.id, name: alert.rule.name }]),
    zones: linesOf(alerts, (alert) => alert.zones.map((id, at) => ({ id, name: alert.zone_names[at] ?? plain(id) }))),
    devices: linesOf(alerts, device),
    hours: hoursOf(alerts, from, to),
  };
}

const plain = (text: string): LocalText => ({ en: text, zh: text });

function severityLine(severity: Severity, alerts: readonly AlertItem[]): SeverityLine {
  const answers = alerts.flatMap((alert) => (alert.acknowledged === null ? [] : [secondsBetween(alert.fired_at, alert.acknowledged.at)])).sort((a, b) => a - b);
  const lengths = alerts.flatMap((alert) => (alert.resolved_at === null ? [] : [secondsBetween(alert.fired_at, alert.resolved_at)])).sort((a, b) => a - b);
  return { severity, alerts: alerts.length, answered: answers.length, medianS: quantile(answers, 0.5), p90S: quantile(answers, 0.9), lastedS: quantile(lengths, 0.5) };
}

function secondsBetween(from: string, to: string): number {
  return Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);
}

/** Of sorted values, the nearest rank; null of none. */
export function quantile(sorted: readonly number[], part: number): number | null {
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? null;
}

function linesOf(alerts: readonly AlertItem[], namesOf: (alert: AlertItem) => { id: string; name: LocalText }[]): Line[] {
  const lines = new Map<string, { id: string; name: LocalText; alerts: number; bySeverity: Record<Severity, number> }>();
  for (const alert of alerts) {
    for (const { id, name } of namesOf(alert)) {
      const line = lines.get(id) ?? { id, name, alerts: 0, bySeverity: { critical: 0, high: 0, medium: 0, low: 0 } };
      line.alerts += 1;
      line.bySeverity[alert.severity] += 1;
      lines.set(id, line);
    }
  }
  return [...lines.values()].sort((a, b) => b.alerts - a.alerts || (a.id < b.id ? -1 : 1));
}

const HOUR_MS = 3_600_000;

/** How many fired in each hour since the day began; days with a clock change have 23 or 25. */
function hoursOf(alerts: readonly AlertItem[], from: number, to: number): number[] {
  const hours = Array.from({ length: Math.max(1, Math.ceil((to - from) / HOUR_MS)) }, () => 0);
  for (const alert of alerts) {
    const at = Math.floor((Date.parse(alert.fired_at) - from) / HOUR_MS);
    if (at >= 0 && at < hours.length) hours[at] = (hours[at] ?? 0) + 1;
  }
  return hours;
}

/** Devices whose messages were lost or unreadable most. */
export function worstDevices(items: readonly LossItem[], shown: number): LossItem[] {
  const harm = (item: LossItem) => Math.max(0, item.missed) + item.dead_lettered;
  return items.filter((item) => harm(item) > 0).sort((a, b) => harm(b) - harm(a) || (a.id < b.id ? -1 : 1)).slice(0, shown);
}

/** How much of what should have come is there; null if nothing should have. */
export function completeness({ stored, duplicate, dead_lettered, missed }: Pick<LossItem, "stored" | "duplicate" | "dead_lettered" | "missed">): number | null {
  const expected = stored + duplicate + dead_lettered + Math.max(0, missed);
  return expected === 0 ? null : (stored + duplicate) / expected;
}
