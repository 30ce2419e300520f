/** The alerts that this page knows, kept current by the stream. */
import { computed, signal } from "@preact/signals";
import { SEVERITIES, severityRank } from "../api/codes";
import type { AlertCounts, AlertItem, Severity } from "../api/types";

/** A resolved alert stays in the firing list this long, greyed, so that people see it end. */
export const LINGER_MS = 45_000;
/** What the page keeps of resolved alerts. */
const RESOLVED_KEPT_MS = 30 * 60_000;

export class AlertBook {
  private readonly items = new Map<string, AlertItem>();
  /** When each alert was seen to resolve, in epoch milliseconds of the server. */
  private readonly resolvedSeen = new Map<string, number>();

  get size(): number {
    return this.items.size;
  }

  get(id: string): AlertItem | undefined {
    return this.items.get(id);
  }

  all(): IterableIterator<AlertItem> {
    return this.items.values();
  }

  /** Replaces what is known about firing alerts by a fresh list. */
  loadFiring(items: readonly AlertItem[]): void {
    const fresh = new Set(items.map((item) => item.id));
    for (const [id, known] of this.items) if (known.state === "firing" && !fresh.has(id)) this.items.delete(id);
    for (const item of items) this.items.set(item.id, item);
  }

  /** Adds alerts from a list; those known from the stream may be newer and then stay. */
  add(items: readonly AlertItem[]): void {
    for (const item of items) if (this.isNews(item)) this.items.set(item.id, item);
  }

  /** Takes a change from the stream. Returns what it was before, or null if it is new. */
  change(item: AlertItem, nowMs: number): { before: AlertItem | null; taken: boolean } {
    const before = this.items.get(item.id) ?? null;
    if (!this.isNews(item)) return { before, taken: false };
    this.items.set(item.id, item);
    if (item.state === "resolved") {
      if (before?.state === "firing") this.resolvedSeen.set(item.id, nowMs);
    } else {
      this.resolvedSeen.delete(item.id);
    }
    this.forget(nowMs);
    return { before, taken: true };
  }

  /** Whether a resolved alert still shows among the firing ones. */
  lingers(id: string, nowMs: number): boolean {
    const seen = this.resolvedSeen.get(id);
    return seen !== undefined && nowMs - seen < LINGER_MS;
  }

  counts(): AlertCounts {
    const by_severity: Record<Severity, number> = { critical: 0, high: 0, medium: 0, low: 0 };
    let firing = 0;
    let unacknowledged = 0;
    for (const item of this.items.values()) {
      if (item.state !== "firing") continue;
      firing += 1;
      by_severity[item.severity] += 1;
      if (item.acknowledged === null) unacknowledged += 1;
    }
    return { firing, unacknowledged, by_severity };
  }

  private isNews(item: AlertItem): boolean {
    const known = this.items.get(item.id);
    return known === undefined || Date.parse(item.updated_at) >= Date.parse(known.updated_at);
  }

  private forget(nowMs: number): void {
    for (const [id, seen] of this.resolvedSeen) {
      if (nowMs - seen < RESOLVED_KEPT_MS) continue;
      this.resolvedSeen.delete(id);
      if (this.items.get(id)?.state === "resolved") this.items.delete(id);
    }
  }
}

/** Firing before resolved, critical first, unacknowledged first, newest first. */
export function byUrgency(a: AlertItem, b: AlertItem): number {
  return (
    Number(a.state === "resolved") - Number(b.state === "resolved") ||
    severityRank(b.severity) - severityRank(a.severity) ||
    Number(a.acknowledged !== null) - Number(b.acknowledged !== null) ||
    Date.parse(b.fired_at) - Date.parse(a.fired_at) ||
    (a.id < b.id ? -1 : 1)
  );
}

export interface AlertFilter {
  state: "firing" | "resolved" | "all";
  severities: ReadonlySet<Severity>;
  zone: string | null;
  acknowledged: boolean | null;
}

export function matches(item: AlertItem, filter: AlertFilter, lingers: boolean): boolean {
  if (filter.state === "firing" && item.state !== "firing" && !lingers) return false;
  if (filter.state === "resolved" && item.state !== "resolved") return false;
  if (filter.severities.size > 0 && !filter.severities.has(item.severity)) return false;
  if (filter.zone !== null && !item.zones.includes(filter.zone)) return false;
  return filter.acknowledged === null || filter.acknowledged === (item.acknowledged !== null);
}

/** The address's spelling of a severity list. */
export function parseSeverities(text: string | null): Set<Severity> {
  return new Set(SEVERITIES.filter((severity) => (text ?? "").split(",").includes(severity)));
}

export const alertBook = new AlertBook();
/** Counts up with every change of the book. */
export const alertVersion = signal(0);
/** Set while the server has more firing alerts than the page loads. */
export const serverCounts = signal<AlertCounts | null>(null);

export const alertCounts = computed<AlertCounts>(() => {
  void alertVersion.value;
  return serverCounts.value ?? alertBook.counts();
});

export interface ZoneLoad {
  zone: string;
  firing: number;
  worst: Severity;
}

/** Zones with firing alerts, worst first. */
export const zoneLoads = computed<ZoneLoad[]>(() => {
  void alertVersion.value;
  const loads = new Map<string, ZoneLoad>();
  for (const item of alertBook.all()) {
    if (item.state !== "firing") continue;
    for (const zone of item.zones) {
      const load = loads.get(zone);
      if (!load) loads.set(zone, { zone, firing: 1, worst: item.severity });
      else {
        load.firing += 1;
        if (severityRank(item.severity) > severityRank(load.worst)) load.worst = item.severity;
      }
    }
  }
  return [...loads.values()].sort(
    (a, b) => severityRank(b.worst) - severityRank(a.worst) || b.firing - a.firing || (a.zone < b.zone ? -1 : 1),
  );
});
