/** Values for tests, whole and plausible; a test says only what matters to it. */
import type { AlertItem, Grant, MapSnapshot, Session } from "../src/api/types";

export function alert(change: Partial<AlertItem> = {}): AlertItem {
  return {
    id: "a1",
    rule: { id: "water_rising", version: "0123456789ab", name: { en: "Water rising", zh: "水位上涨" }, department: "water" },
    subject: { type: "series", device: "gauge-1", metric: "water_level" },
    severity: "high",
    started_at: "2026-11-23T10:00:00Z",
    fired_at: "2026-11-23T10:01:00Z",
    resolved_at: null,
    metric: "water_level",
    unit: "m",
    value: 2.71,
    limit: 2.4,
    reading_time: "2026-11-23T10:00:58Z",
    summary: { en: "Water level above 2.4 m", zh: "水位超过 2.4 米" },
    zones: ["riverdale"],
    kind: "water_gauge",
    position: { lon: -87.6, lat: 41.65 },
    simulated: true,
    runbook: null,
    labels: {},
    state: "firing",
    acknowledged: null,
    handling: { stage: "unassigned", who: null, department: null, holder: null, until: null, overdue: false, overdue_count: 0, step: 0, from: null },
    shelved: null,
    silenced_by: [],
    inhibited_by: [],
    updated_at: "2026-11-23T10:01:00Z",
    events: 1,
    device_name: { en: "Gauge 1", zh: "水位计 1" },
    zone_names: [{ en: "Riverdale", zh: "河谷" }],
    ...change,
  };
}

export function snapshot(): MapSnapshot {
  return {
    at: "2026-11-23T10:00:00Z",
    cursor: "7",
    devices: {
      id: ["lamp-1", "gauge-1", "bus-1", "lost-1"],
      kind: [0, 1, 2, 0],
      lon: [-87.6, -87.7, -87.65, null],
      lat: [41.8, 41.7, 41.9, null],
      status: [0, 0, 0, 3],
      severity: [0, 4, 0, 0],
      moving: [0, 0, 1, 0],
    },
    kinds: ["street_light", "water_gauge", "bus"],
  };
}

/** Somebody with these rights. */
export function signedIn(grants: Grant[], change: Partial<Session> = {}): Session {
  return { user: "u", name: "U", role: "viewer", grants, csrf_header: "x", expires_at: null, password_change_needed: false, password_changeable: true, ...change };
}
