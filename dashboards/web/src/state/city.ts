/** What hardly changes: the city, its zones, kinds and metrics; and the figures of `/system`. */
import { computed, effect, signal } from "@preact/signals";
import { api } from "../api/client";
import type { AlertItem, Department, Kind, Metric, System, ZoneCollection, ZoneFeature } from "../api/types";
import { cityZone } from "../format/time";
import { local, t, type TextKey } from "../i18n";
import { learnServerTime } from "./clock";

export const system = signal<System | null>(null);
export const metrics = signal<readonly Metric[]>([]);
export const kinds = signal<readonly Kind[]>([]);
export const departments = signal<readonly Department[]>([]);
export const zones = signal<ZoneCollection | null>(null);

const TRACE_LENGTH = 120;
/** Readings per second of the last minutes, as far as this page has seen them. */
export const rateTrace = signal<readonly number[]>([]);

export const zoneById = computed(() => new Map<string, ZoneFeature>((zones.value?.features ?? []).map((zone) => [zone.properties.id, zone])));
const metricById = computed(() => new Map(metrics.value.map((metric) => [metric.id, metric])));
const kindById = computed(() => new Map(kinds.value.map((kind) => [kind.id, kind])));

/** What people of a city ask for first. */
const FIRST_METRICS = ["pm25", "noise_laeq", "temperature", "traffic_speed", "water_level"];
/** What says how a device works, not what it measures. */
const HOUSEKEEPING = ["battery", "battery_voltage", "sequence"];

/** The asked-for first, then the catalogue's order, what is housekeeping last. */
export function inOrder(ids: readonly string[]): string[] {
  const catalogue = metrics.value.map((metric) => metric.id);
  const place = (id: string) => {
    if (HOUSEKEEPING.includes(id)) return 2000 + HOUSEKEEPING.indexOf(id);
    const first = FIRST_METRICS.indexOf(id);
    const listed = catalogue.indexOf(id);
    return first >= 0 ? first : listed >= 0 ? 100 + listed : 1900;
  };
  return [...ids].sort((a, b) => place(a) - place(b));
}

export function metricOf(id: string | null | undefined): Metric | undefined {
  return id ? metricById.value.get(id) : undefined;
}

/** With how many decimals the figures of an alert are written: those of its metric, as long as they are in its unit. */
export function decimalsOf(alert: Pick<AlertItem, "metric" | "unit" | "value" | "limit">): number {
  const metric = metricOf(alert.metric);
  if (metric !== undefined && metric.symbol === (alert.unit ?? "")) return metric.decimals;
  // Counts, shares, and how unusual something is.
  return [alert.value, alert.limit].every((figure) => figure === null || Number.isInteger(figure)) ? 0 : 1;
}

export function metricName(id: string): string {
  return local(metricById.value.get(id)?.name) || id;
}

export function kindName(id: string | null | undefined): string {
  return id ? local(kindById.value.get(id)?.name) || id : "";
}

export function departmentName(id: string): string {
  return local(departments.value.find((department) => department.id === id)?.name) || id;
}

const LAYERS: Readonly<Record<string, TextKey>> = {
  neighbourhood: "layer.neighbourhood",
  district: "layer.district",
  ward: "layer.ward",
  grid: "layer.grid",
};

/** Layers are named by the city's configuration; the usual ones have names in both languages. */
export function layerName(id: string): string {
  const key = LAYERS[id];
  return key ? t(key) : id;
}

export function zoneName(id: string): string {
  return local(zoneById.value.get(id)?.properties.name) || id;
}

export function takeSystem(next: System): void {
  learnServerTime(next.now);
  system.value = next;
  rateTrace.value = [...rateTrace.peek(), next.readings_per_s].slice(-TRACE_LENGTH);
}

effect(() => {
  if (system.value) cityZone.value = system.value.city.time_zone;
});

export async function loadCity(): Promise<void> {
  const [nextSystem, catalogue, nextKinds, nextDepartments, nextZones] = await Promise.all([api.system(), api.metrics(), api.kinds(), api.departments(), api.zones()]);
  metrics.value = catalogue.items;
  kinds.value = nextKinds.items;
  departments.value = nextDepartments.items;
  zones.value = nextZones;
  takeSystem(nextSystem);
}
