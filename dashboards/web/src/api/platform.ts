/** Calls about the platform itself: what was received, what became of it, and its own figures. */
import { Unreachable, get, type Query } from "./client";
import type { Severity } from "./types";

export interface Counters {
  received: number;
  stored: number;
  duplicate: number;
  dead_lettered: number;
  missed: number;
}

export interface LossItem extends Counters {
  id: string;
}

export interface Loss {
  balanced: boolean;
  items: LossItem[];
  total: Counters & { in_flight: number };
}

export interface IngestReport {
  date: string;
  available: string[];
  balanced: boolean;
  closed: boolean;
  counted_from: string;
  counted_to: string;
  total: Counters;
  items: LossItem[];
  dead_letters: { source: string; reason: string; letters: number; items: number; replayed: number }[];
  silent_devices: { count: number; ids: string[] };
}

export interface PositionLoad {
  position: string;
  operators: number;
  alerts: number;
  per_operator_day: number;
  ten_minutes_mean: number;
  ten_minutes_peak: number;
  hours_over_30: number;
  ten_minutes_over_10: number;
  floods: number;
  flood_share: number;
  chattering: number;
  fleeting: number;
  standing: number;
  stale: number;
  severities: { severity: Severity; alerts: number; share: number; target: number }[];
}

export interface AlarmLoad {
  from: string;
  to: string;
  city: PositionLoad;
  departments: PositionLoad[];
  bad_actors: { rule: string; subject: string; alerts: number; share: number; chattering: boolean; fleeting: number; stale: number }[];
}

export interface BrokerStatus {
  name: string;
  ok: boolean;
  error: string | null;
}

export const platform = {
  loss: (query: Query, signal?: AbortSignal) => get<Loss>("/loss", query, signal),
  ingest: (query: Query, signal?: AbortSignal) => get<IngestReport>("/reports/ingest", query, signal),
  alarmLoad: (query: Query, signal?: AbortSignal) => get<AlarmLoad>("/alarm-load", query, signal),
  clients: (signal?: AbortSignal) => get<{ total: number; items: { enabled: boolean; created_at: string }[] }>("/credentials", { limit: 1000 }, signal),
  unknown: (signal?: AbortSignal) => get<{ total: number }>("/provisioning/unknown", { limit: 1 }, signal),
};

/** The program's own figures; null where a proxy does not let them through. */
export async function platformMetrics(signal: AbortSignal): Promise<Samples | null> {
  try {
    const answer = await fetch("/metrics", { credentials: "same-origin", signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]) });
    if (!answer.ok || !(answer.headers.get("Content-Type") ?? "").startsWith("text/plain")) return null;
    return parseSamples(await answer.text());
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Unreachable(error);
  }
}

export interface Sample {
  labels: Readonly<Record<string, string>>;
  value: number;
}

export type Samples = ReadonlyMap<string, readonly Sample[]>;

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** The text format of Prometheus, as far as figures on a page need it. */
export function parseSamples(text: string): Samples {
  const found = new Map<string, Sample[]>();
  for (const line of text.split("\n")) {
    const parts = LINE.exec(line);
    const [, name, labels = "", value = ""] = parts ?? [];
    if (name === undefined) continue;
    const sample = { labels: Object.fromEntries([...labels.matchAll(LABEL)].map(([, key = "", text = ""]) => [key, text.replace(/\\(.)/g, "$1")])), value: Number(value) };
    const known = found.get(name);
    if (known) known.push(sample);
    else found.set(name, [sample]);
  }
  return found;
}

/** The sum over all labels; null if there is no such figure. */
export function total(samples: Samples | null, name: string): number | null {
  const found = samples?.get(`citybrain_${name}`);
  return found ? found.reduce((sum, sample) => sum + sample.value, 0) : null;
}

/** The mean of a histogram's observations. */
export function meanOf(samples: Samples | null, name: string): number | null {
  const [sum, count] = [total(samples, `${name}_sum`), total(samples, `${name}_count`)];
  return sum === null || count === null || count === 0 ? null : sum / count;
}
