/** Gets from the server what a replay needs: alerts of the time, and the tracks of what moved. */
import { api, get } from "../api/client";
import type { AlertItem, LonLat, Severity } from "../api/types";
import { beside, type AlertSpan, type Track } from "./replay";

const PAGE = 1000;
/** More alerts than this are not worked through; the bar says so. */
export const SPANS_LOADED = 5000;
/** So many requests for tracks at once: others need the server too. */
const AT_ONCE = 4;

const iso = (ms: number) => new Date(ms).toISOString();

interface LogStep {
  at: string;
  alert: string | null;
  kind: "fired" | "escalated" | "deescalated";
  severity: Severity | null;
}

interface Pages<Item> {
  items: Item[];
  more: boolean;
}

async function pages<Item>(load: (cursor: string | null) => Promise<{ items: Item[]; next_cursor: string | null }>): Promise<Pages<Item>> {
  const items: Item[] = [];
  let cursor: string | null = null;
  do {
    const page = await load(cursor);
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null && items.length < SPANS_LOADED);
  return { items, more: cursor !== null };
}

export interface LoadedSpans {
  spans: AlertSpan[];
  /** Whether there were more alerts than are worked through. */
  capped: boolean;
}

/** Alerts that fired at any moment between the two. */
export async function loadSpans(from: number, to: number, signal: AbortSignal): Promise<LoadedSpans> {
  const [within, before, ended, steps] = await Promise.all([
    pages((cursor) => api.alerts({ state: "all", from: iso(from), to: iso(to), sort: "newest", limit: PAGE, cursor }, signal)),
    pages((cursor) => api.alerts({ state: "firing", to: iso(from), limit: PAGE, cursor }, signal)),
    // Changed last first: those that ended since then stand before the others.
    api.alerts({ state: "resolved", to: iso(from), sort: "updated", limit: PAGE }, signal),
    pages((cursor) => get<{ items: LogStep[]; next_cursor: string | null }>("/alert-log", { kind: "fired,escalated,deescalated", from: iso(from), to: iso(to), limit: PAGE, cursor }, signal)),
  ]);
  const items = [...within.items, ...before.items, ...ended.items.filter((alert) => alert.resolved_at !== null && Date.parse(alert.resolved_at) > from)];
  return { spans: spansOf(items, steps.items), capped: within.more || before.more || steps.more };
}

/** Joins alerts with the steps of their severity, newest first as the log gives them. */
export function spansOf(alerts: readonly AlertItem[], log: readonly LogStep[]): AlertSpan[] {
  const steps = new Map<string, { at: number; severity: Severity; kind: LogStep["kind"] }[]>();
  for (const { alert, at, kind, severity } of log) {
    if (alert === null || severity === null) continue;
    const known = steps.get(alert) ?? [];
    known.push({ at: Date.parse(at), severity, kind });
    steps.set(alert, known);
  }
  const spans = new Map<string, AlertSpan>();
  for (const alert of alerts) {
    const from = Date.parse(alert.fired_at);
    const known = (steps.get(alert.id) ?? []).sort((a, b) => a.at - b.at);
    const first = known[0];
    const begin = !first ? alert.severity : first.kind === "fired" ? first.severity : beside(first.severity, first.kind === "escalated" ? -1 : 1);
    spans.set(alert.id, {
      id: alert.id,
      subject: alert.subject,
      from,
      to: alert.resolved_at === null ? null : Date.parse(alert.resolved_at),
      steps: [{ at: from, severity: begin }, ...known.filter((step) => step.kind !== "fired")],
    });
  }
  return [...spans.values()];
}

interface TrackAnswer {
  properties: { times: string[] };
  geometry: { coordinates: LonLat[] } | null;
}

export async function loadTrack(device: string, from: number, to: number, signal?: AbortSignal): Promise<Track> {
  const answer = await get<TrackAnswer>("/track", { device, from: iso(from), to: iso(to) }, signal);
  if (answer.geometry === null) return { times: [], places: [] };
  return { times: answer.properties.times.map((time) => Date.parse(time)), places: answer.geometry.coordinates };
}

/** Tracks of many, some at a time; one that cannot be had is left out and counted. */
export async function loadTracks(ids: readonly string[], from: number, to: number, signal: AbortSignal, take: (id: string, track: Track) => void): Promise<number> {
  let next = 0;
  let failed = 0;
  const work = async () => {
    for (let at = next++; at < ids.length && !signal.aborted; at = next++) {
      const id = ids[at];
      if (id === undefined) return;
      try {
        take(id, await loadTrack(id, from, to, signal));
      } catch {
        failed += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return failed;
}
