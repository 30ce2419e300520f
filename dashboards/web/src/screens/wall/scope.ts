/** The figures of what a view is about: the city, a department or a zone. */
import { useMemo } from "preact/hooks";
import { api } from "../../api/client";
import type { AlertItem, Bounds, Severity } from "../../api/types";
import { alertBook, alertCounts, alertVersion, byUrgency } from "../../state/alert-book";
import { departments, inOrder, metrics, system, zoneById } from "../../state/city";
import { fleetCounts } from "../../state/fleet";
import { useResource } from "../../state/resource";
import { departmentsOf } from "../../state/session";
import type { WallView } from "./views";

const DEVICES_EVERY_MS = 20_000;
const METRICS_OF = 1000;
const METRICS_EVERY_MS = 600_000;

export function isKnown(view: WallView): boolean {
  if (view.kind === "zone") return zoneById.value.has(view.id);
  return view.kind !== "department" || departments.value.some((department) => department.id === view.id);
}

function concerns(view: WallView, alert: AlertItem): boolean {
  if (view.kind === "zone") return alert.zones.includes(view.id);
  return view.kind !== "department" || departmentsOf(alert).includes(view.id);
}

export interface WallAlerts {
  firing: readonly AlertItem[];
  total: number;
  unacknowledged: number;
  bySeverity: Readonly<Record<Severity, number>>;
  /** When the one fired that waits longest for an acknowledgement. */
  oldest: string | null;
}

export function useAlerts(view: WallView): WallAlerts {
  const version = alertVersion.value;
  const key = viewKey(view);
  const whole = alertCounts.value;
  return useMemo(() => {
    const firing = [...alertBook.all()].filter((alert) => alert.state === "firing" && concerns(view, alert)).sort(byUrgency);
    const bySeverity: Record<Severity, number> = { critical: 0, high: 0, medium: 0, low: 0 };
    for (const alert of firing) bySeverity[alert.severity] += 1;
    const waiting = firing.filter((alert) => alert.acknowledged === null);
    const oldest = waiting.map((alert) => alert.fired_at).sort()[0] ?? null;
    // Of the whole city the server counts also what is not loaded.
    const city = view.kind === "city" || view.kind === "alerts";
    return city
      ? { firing, total: whole.firing, unacknowledged: whole.unacknowledged, bySeverity: whole.by_severity, oldest }
      : { firing, total: firing.length, unacknowledged: waiting.length, bySeverity, oldest };
  }, [version, key, whole]);
}

export interface WallDevices {
  total: number | null;
  online: number | null;
}

/** The city's are on the map; of a part the server counts. */
export function useDevices(view: WallView): WallDevices {
  const counts = fleetCounts.value;
  const part = filterOf(view);
  const resource = useResource(part === null ? null : `wall-devices|${viewKey(view)}`, async (signal) => {
    const [all, online] = await Promise.all([api.devices({ ...part, limit: 1 }, signal), api.devices({ ...part, status: "online", limit: 1 }, signal)]);
    return { total: all.total, online: online.total };
  }, { everyMs: DEVICES_EVERY_MS });
  if (part !== null) return resource.data ?? { total: null, online: null };
  return { total: counts?.total ?? null, online: counts?.byStatus.online ?? null };
}

/** What can be drawn of it, in the usual order. */
export function useMetrics(view: WallView): readonly string[] {
  const part = filterOf(view);
  const resource = useResource(`wall-metrics|${viewKey(view)}`, async (signal) => {
    const { items } = await api.lastValues({ ...part, limit: METRICS_OF }, signal);
    return [...new Set(items.filter((value) => typeof value.value === "number").map((value) => value.metric))];
  }, { everyMs: METRICS_EVERY_MS });
  const known = metrics.value;
  return useMemo(() => inOrder(resource.data ?? []).filter((id) => known.some((metric) => metric.id === id && !metric.unmapped)), [resource.data, known]);
}

function filterOf(view: WallView): Record<string, string> | null {
  if (view.kind === "zone") return { zone: view.id };
  return view.kind === "department" ? { department: view.id } : null;
}

export function viewKey(view: WallView): string {
  return "id" in view ? `${view.kind}:${view.id}` : view.kind;
}

/** Where the map looks: the zone, where a department's alerts are, or the city. */
export function boundsOf(view: WallView, firing: readonly AlertItem[]): Bounds | null {
  if (view.kind === "zone") return zoneById.value.get(view.id)?.properties.bounds ?? null;
  const city = system.value?.city.bounds ?? null;
  if (view.kind !== "department") return city;
  const places = firing.flatMap((alert) => (alert.position ? [alert.position] : []));
  if (places.length === 0) return city;
  const reach = 0.012;
  const [lons, lats] = [places.map((place) => place.lon), places.map((place) => place.lat)];
  return [Math.min(...lons) - reach, Math.min(...lats) - reach, Math.max(...lons) + reach, Math.max(...lats) + reach];
}

