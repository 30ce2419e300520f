/**
 * The offset that maps made in China have: GCJ-02 from WGS-84 and back, in degrees.
 * The same formulas as the server's `geo` crate, so that a device and a street of one place meet.
 */
import type { LonLat } from "../api/types";

/** Outside of this box there is no offset: west, south, east, north. */
const CHINA = [72.004, 0.8293, 137.8347, 55.8271] as const;
const AXIS = 6_378_245;
const ECCENTRICITY_2 = 0.006_693_421_622_965_943;
const DEGREE = Math.PI / 180;
const MAX_STEPS = 12;
const CONVERGED = 1e-10;

export function inChina(lon: number, lat: number): boolean {
  return lon >= CHINA[0] && lon <= CHINA[2] && lat >= CHINA[1] && lat <= CHINA[3];
}

export function gcj02FromWgs84(lon: number, lat: number): LonLat {
  return inChina(lon, lat) ? shifted(lon, lat) : [lon, lat];
}

/** Fixed-point iteration: the offset changes by less than 3 % of a move, so each step is 30 times closer. */
export function wgs84FromGcj02(lon: number, lat: number): LonLat {
  if (!inChina(lon, lat)) return [lon, lat];
  let [x, y] = [lon, lat];
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const [there, up] = shifted(x, y);
    const [dx, dy] = [lon - there, lat - up];
    x += dx;
    y += dy;
    if (Math.max(Math.abs(dx), Math.abs(dy)) < CONVERGED) break;
  }
  return [x, y];
}

function shifted(lon: number, lat: number): LonLat {
  const [x, y] = [lon - 105, lat - 35];
  const wave = (turns: number, amplitude: number) => amplitude * Math.sin(turns * Math.PI);
  const common = wave(6 * x, 20) + wave(2 * x, 20);
  const latWaves = common + wave(y, 20) + wave(y / 3, 40) + wave(y / 12, 160) + wave(y / 30, 320);
  const lonWaves = common + wave(x, 20) + wave(x / 3, 40) + wave(x / 12, 150) + wave(x / 30, 300);
  const root = 0.1 * Math.sqrt(Math.abs(x));
  // Metres north and east.
  const north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 2 * root + (latWaves * 2) / 3;
  const east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + root + (lonWaves * 2) / 3;
  // To degrees, with the ellipsoid's radii of curvature at this latitude.
  const sin = Math.sin(lat * DEGREE);
  const flat = 1 - ECCENTRICITY_2 * sin * sin;
  const meridian = (AXIS * (1 - ECCENTRICITY_2)) / (flat * Math.sqrt(flat));
  const parallel = (AXIS / Math.sqrt(flat)) * Math.cos(lat * DEGREE);
  return [lon + east / parallel / DEGREE, lat + north / meridian / DEGREE];
}

/** GeoJSON with every position moved from GCJ-02 to WGS-84; what is no position stays. */
export function geojsonFromGcj02<T>(value: T): T {
  if (Array.isArray(value)) {
    const [lon, lat, ...rest] = value as unknown[];
    if (typeof lon === "number" && typeof lat === "number") return [...wgs84FromGcj02(lon, lat), ...rest] as T;
    return value.map(geojsonFromGcj02) as T;
  }
  if (value === null || typeof value !== "object") return value;
  const moved: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    moved[name] = ["coordinates", "geometry", "geometries", "features"].includes(name) ? geojsonFromGcj02(member) : member;
  }
  return moved as T;
}
