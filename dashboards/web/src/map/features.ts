/** What the map's sources hold, made from the fleet and the zones. */
import { severityRank } from "../api/codes";
import type { Bounds, LonLat, Severity, ZoneCollection, ZoneFeature } from "../api/types";
import type { Fleet, FleetDevice } from "../state/fleet";
import type { IconName } from "./icons";

export interface PointFeature {
  type: "Feature";
  id?: number;
  geometry: { type: "Point"; coordinates: LonLat };
  properties: Record<string, string | number>;
}

export interface Points {
  type: "FeatureCollection";
  features: PointFeature[];
}

export function point(lon: number, lat: number, properties: Record<string, string | number>, id?: number): PointFeature {
  return { type: "Feature", ...(id !== undefined && { id }), geometry: { type: "Point", coordinates: [lon, lat] }, properties };
}

export function points(features: PointFeature[]): Points {
  return { type: "FeatureCollection", features };
}

/** The shape that shows a device, or null while it is normal or merely late. */
export function iconOf(device: Pick<FleetDevice, "severity" | "status">): IconName | null {
  if (device.severity !== null) return device.severity;
  return device.status === "offline" || device.status === "never_seen" ? device.status : null;
}

/** Drawn later means drawn above: the worst on top. */
export function iconOrder(device: Pick<FleetDevice, "severity" | "status">): number {
  return device.severity === null ? (device.status === "offline" ? 0 : -1) : severityRank(device.severity);
}

/** Devices that stand still: drawn once, and changed by their state. */
export function fixedPoints(fleet: Fleet): PointFeature[] {
  const fixed: PointFeature[] = [];
  for (let index = 0; index < fleet.size; index += 1) {
    const device = fleet.at(index);
    if (device && !device.moving && device.lon !== null && device.lat !== null) fixed.push(point(device.lon, device.lat, { id: device.id }, index));
  }
  return fixed;
}

/** Larger zones get their label first. */
export function zoneLabels(zones: ZoneCollection, nameOf: (zone: ZoneFeature) => string): PointFeature[] {
  return zones.features.map((zone) => {
    const [w, s, e, n] = zone.properties.bounds;
    return point(...zone.properties.label, { id: zone.properties.id, name: nameOf(zone), order: -(e - w) * (n - s) });
  });
}

/** A mark beside the label of each zone that is itself in alert. */
export function zoneMarks(zones: ZoneCollection, severities: ReadonlyMap<string, Severity>): PointFeature[] {
  return zones.features.flatMap((zone) => {
    const severity = severities.get(zone.properties.id);
    if (!severity) return [];
    return [point(...zone.properties.label, { zone: zone.properties.id, icon: severity, order: severityRank(severity) })];
  });
}

const GRATICULE_STEPS = [0.01, 0.05, 0.1, 0.5];
/** At most so many lines across the city, and as many on each side of it. */
const GRATICULE_LINES = 12;

/** Lines of longitude and latitude, so that a city without zones has a scale and a place. */
export function graticule([west, south, east, north]: Bounds) {
  const step = GRATICULE_STEPS.find((each) => (north - south) / each <= GRATICULE_LINES) ?? 1;
  const [w, s] = [Math.floor(west / step) - GRATICULE_LINES, Math.floor(south / step) - GRATICULE_LINES];
  const [e, n] = [Math.ceil(east / step) + GRATICULE_LINES, Math.ceil(north / step) + GRATICULE_LINES];
  const coordinates: LonLat[][] = [];
  for (let x = w; x <= e; x += 1) coordinates.push([[x * step, s * step], [x * step, n * step]]);
  for (let y = s; y <= n; y += 1) coordinates.push([[w * step, y * step], [e * step, y * step]]);
  return { type: "MultiLineString" as const, coordinates };
}
