/** Which alerts a silence means, as the server judges it; and in which departments one needs the right to it. */
import { severityRank } from "../api/codes";
import type { AlertItem, AlertMatch, RuleRef, Silence, Subject } from "../api/types";
import { whyNot } from "./rights";

export function subjectText(subject: Subject): string {
  if (subject.type === "series") return `series:${subject.device}/${subject.metric}`;
  return subject.type === "device" ? `device:${subject.device}` : `zone:${subject.zone}`;
}

const isEmptyList = (list: readonly string[] | undefined) => list === undefined || list.length === 0;
const oneOf = (list: readonly string[] | undefined, value: string | null) => isEmptyList(list) || (value !== null && (list as readonly string[]).includes(value));

/** A match that says nothing would mean every alert, and is refused. */
export function isEmptyMatch(match: AlertMatch): boolean {
  const lists = [match.rule, match.subject, match.device, match.zone, match.department, ...Object.values(match.labels ?? {})];
  return lists.every(isEmptyList) && !match.severity_at_least && !match.severity_at_most;
}

/** Whether no severity is left between the two. */
export function isCrossed({ severity_at_least: least, severity_at_most: most }: AlertMatch): boolean {
  return Boolean(least && most && severityRank(most) < severityRank(least));
}

export function matchesAlert(match: AlertMatch, alert: AlertItem): boolean {
  const { subject } = alert;
  const rank = severityRank(alert.severity);
  const device = subject.type === "zone" ? null : subject.device;
  const inZone = (zone: string) => alert.zones.includes(zone) || (subject.type === "zone" && subject.zone === zone);
  return (
    (!match.severity_at_most || rank <= severityRank(match.severity_at_most)) &&
    (!match.severity_at_least || rank >= severityRank(match.severity_at_least)) &&
    oneOf(match.rule, alert.rule.id) &&
    oneOf(match.department, alert.rule.department) &&
    oneOf(match.device, device) &&
    (isEmptyList(match.zone) || (match.zone as string[]).some(inZone)) &&
    Object.entries(match.labels ?? {}).every(([name, values]) => name in alert.labels && oneOf(values, alert.labels[name] ?? null)) &&
    oneOf(match.subject, subjectText(subject))
  );
}

type Owned = Pick<RuleRef, "id" | "department">;

/** The departments whose alerts a match can mean; null is the whole city. */
export function departmentsOfMatch(match: AlertMatch, rules: readonly Owned[]): (string | null)[] {
  if (!isEmptyList(match.department)) return [...new Set(match.department)];
  if (isEmptyList(match.rule)) return [null];
  return [...new Set((match.rule as string[]).map((id) => rules.find((rule) => rule.id === id)?.department ?? null))];
}

/** Why this person may not make or end such a silence; null if they may. */
export function whyNoSilence(match: AlertMatch, rules: readonly Owned[]): string | null {
  for (const department of departmentsOfMatch(match, rules)) {
    const why = whyNot("operator", department);
    if (why !== null) return why;
  }
  return null;
}

/** What it keeps from receivers now. */
export function hiddenNow(silence: Silence, alerts: Iterable<AlertItem>): AlertItem[] {
  const found: AlertItem[] = [];
  for (const alert of alerts) if (alert.state === "firing" && alert.silenced_by.includes(silence.id)) found.push(alert);
  return found;
}
