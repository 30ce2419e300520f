/** Which alerts the table shows: as it stands in the address, as the server is asked, and as changes are judged. */
import { SEVERITIES, severityRank } from "../../api/codes";
import type { Query } from "../../api/client";
import type { AlertItem, Severity } from "../../api/types";
import { setQuery } from "../../router";
import { parseSeverities } from "../../state/alert-book";

export type Sort = "urgency" | "newest" | "oldest" | "updated";
export const SORTS: readonly Sort[] = ["urgency", "newest", "oldest", "updated"];
export type Held = "shelved" | "silenced" | "neither";
export const HELD: readonly Held[] = ["shelved", "silenced", "neither"];
/** Hours back from now that one click asks for. */
export const SPANS_H = [1, 8, 24, 168] as const;
const HOUR_MS = 3_600_000;

export interface TableFilter {
  state: "firing" | "resolved" | "all";
  severities: ReadonlySet<Severity>;
  acknowledged: boolean | null;
  held: Held | null;
  department: string | null;
  zone: string | null;
  kind: string | null;
  rule: string | null;
  device: string | null;
  /** A user, or `me`. */
  who: string | null;
  q: string | null;
  /** Hours back from when the list was loaded. */
  last: number | null;
  from: string | null;
  to: string | null;
  sort: Sort;
}

/** Who is signed in, in the address: a link to it is everybody's own list. */
export const ME = "me";

/** What `clear` takes away; the sort stays. */
const NAMES = ["state", "severity", "acknowledged", "held", "department", "zone", "kind", "rule", "device", "who", "q", "last", "from", "to"] as const;

export function filterOf(params: URLSearchParams): TableFilter {
  const one = <Word extends string>(name: string, words: readonly Word[]): Word | null => words.find((word) => word === params.get(name)) ?? null;
  const acknowledged = params.get("acknowledged");
  const last = Number(params.get("last") ?? "");
  const moment = (name: string) => (Number.isFinite(Date.parse(params.get(name) ?? "")) ? params.get(name) : null);
  return {
    state: one("state", ["resolved", "all"]) ?? "firing",
    severities: parseSeverities(params.get("severity")),
    acknowledged: acknowledged === "true" ? true : acknowledged === "false" ? false : null,
    held: one("held", HELD),
    department: params.get("department"),
    zone: params.get("zone"),
    kind: params.get("kind"),
    rule: params.get("rule"),
    device: params.get("device"),
    who: params.get("who"),
    q: params.get("q"),
    last: last > 0 && Number.isFinite(last) ? last : null,
    from: moment("from"),
    to: moment("to"),
    sort: one("sort", SORTS) ?? "urgency",
  };
}

export function isNarrowed(filter: TableFilter): boolean {
  const words = [filter.acknowledged, filter.held, filter.department, filter.zone, filter.kind, filter.rule, filter.device, filter.who, filter.q, filter.last, filter.from, filter.to];
  return filter.severities.size > 0 || words.some((word) => word !== null);
}

export function clearTableFilter(): void {
  setQuery(Object.fromEntries(NAMES.map((name) => [name, null])));
}

/** What the server is asked, without page and size. `me` is who is signed in. */
export function askOf(filter: TableFilter, me: string, nowMs: number): Query {
  return {
    state: filter.state,
    severity: SEVERITIES.filter((severity) => filter.severities.has(severity)).join(","),
    acknowledged: filter.acknowledged,
    shelved: filter.held === "shelved" ? true : filter.held === "neither" ? false : null,
    silenced: filter.held === "silenced" ? true : filter.held === "neither" ? false : null,
    department: listed(filter.department),
    zone: listed(filter.zone),
    kind: listed(filter.kind),
    rule: listed(filter.rule),
    device: listed(filter.device),
    who: filter.who === ME ? me : filter.who,
    q: filter.q,
    from: filter.last === null ? filter.from : new Date(nowMs - filter.last * HOUR_MS).toISOString(),
    to: filter.last === null ? filter.to : null,
    sort: filter.sort,
  };
}

/** One value of a list that is separated by commas. */
function listed(value: string | null): string | null {
  return value === null ? null : value.replaceAll(",", "\\,");
}

/** Whether the server would give this alert; for changes that come after the list. */
export function fits(alert: AlertItem, filter: TableFilter, me: string, nowMs: number): boolean {
  const { subject } = alert;
  const fired = Date.parse(alert.fired_at);
  if (filter.state !== "all" && alert.state !== filter.state) return false;
  if (filter.severities.size > 0 && !filter.severities.has(alert.severity)) return false;
  if (filter.acknowledged !== null && filter.acknowledged !== (alert.acknowledged !== null)) return false;
  if (filter.held === "shelved" && alert.shelved === null) return false;
  if (filter.held === "silenced" && alert.silenced_by.length === 0) return false;
  if (filter.held === "neither" && (alert.shelved !== null || alert.silenced_by.length > 0)) return false;
  if (filter.department !== null && alert.rule.department !== filter.department) return false;
  if (filter.zone !== null && !alert.zones.includes(filter.zone) && !(subject.type === "zone" && subject.zone === filter.zone)) return false;
  if (filter.kind !== null && alert.kind !== filter.kind) return false;
  if (filter.rule !== null && alert.rule.id !== filter.rule) return false;
  if (filter.device !== null && (subject.type === "zone" || subject.device !== filter.device)) return false;
  if (filter.who !== null && alert.handling.who !== (filter.who === ME ? me : filter.who)) return false;
  if (filter.q !== null && !says(alert, filter.q)) return false;
  if (filter.last !== null) return fired >= nowMs - filter.last * HOUR_MS;
  return (filter.from === null || fired >= Date.parse(filter.from)) && (filter.to === null || fired < Date.parse(filter.to));
}

function says(alert: AlertItem, q: string): boolean {
  const device = alert.subject.type === "zone" ? "" : alert.subject.device;
  const text = [alert.id, alert.rule.id, alert.rule.name.en, alert.rule.name.zh, alert.summary.en, alert.summary.zh, device, alert.device_name?.en, alert.device_name?.zh].join("\n");
  return text.toLowerCase().includes(q.toLowerCase());
}

const urgency = (alert: AlertItem) => (alert.state === "resolved" ? 0 : alert.acknowledged !== null ? 1 : 2);

/** As the server orders them, so that what comes later finds its place. */
export function compareBy(sort: Sort): (a: AlertItem, b: AlertItem) => number {
  const newest = (a: AlertItem, b: AlertItem) => Date.parse(b.fired_at) - Date.parse(a.fired_at) || (a.id < b.id ? 1 : -1);
  switch (sort) {
    case "newest":
      return newest;
    case "oldest":
      return (a, b) => -newest(a, b);
    case "updated":
      return (a, b) => Date.parse(b.updated_at) - Date.parse(a.updated_at) || (a.id < b.id ? 1 : -1);
    case "urgency":
      return (a, b) => urgency(b) - urgency(a) || severityRank(b.severity) - severityRank(a.severity) || newest(a, b);
  }
}
