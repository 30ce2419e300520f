/**
 * What the brain's HTTP API answers, as this app reads it (API version 1).
 *
 * Written by hand and named like the schemas of the OpenAPI document, so that `npm run generate`
 * can check one against the other. Times are RFC 3339 in UTC unless a name says `ms`.
 */

import type { Handling, Shelf } from "./alert-types";

export type * from "./admin-types";
export type * from "./alert-types";

export interface LocalText {
  en: string;
  zh: string;
}

/** RFC 9457. `code` is stable and meant for programs, `hint` for people. */
export interface Problem {
  type?: string;
  title: string;
  status: number;
  detail?: string | null;
  code: string;
  hint?: string | null;
  instance?: string | null;
  /** From the header `Retry-After`: seconds until another try makes sense. */
  retry_after_s?: number;
  /** What is wrong field by field, with code `bad_fields`. */
  fields?: { field: string; message: string }[];
}

export interface Page<Item> {
  items: Item[];
  next_cursor: string | null;
}

export type Severity = "critical" | "high" | "medium" | "low";
export type DeviceStatus = "online" | "late" | "offline" | "never_seen";
export type Quality = "pass" | "not_evaluated" | "suspect" | "fail" | "missing";
export type Crs = "WGS-84" | "GCJ-02" | "BD-09" | "CGCS2000";
export type LonLat = [number, number];
/** West, south, east, north in degrees. */
export type Bounds = [number, number, number, number];
export type ReadingValue = number | boolean | string;

export interface City {
  name: LocalText;
  time_zone: string;
  bounds: Bounds;
}

export interface System {
  version: string;
  mode: "demo" | "live";
  simulated: boolean;
  city: City;
  started_at: string;
  now: string;
  devices: number;
  devices_online: number;
  readings_per_s: number;
  last_reading_at: string | null;
  alerts_firing: number;
  /** What is wrong with the rules, while the others are in force; empty if nothing is. */
  rule_problems: string[];
  /** Messages that were taken and are not yet durable. */
  in_flight: number;
  /** Why readings cannot be stored now; null while they can. */
  commits_failing: string | null;
  receivers: ReceiverState[];
  /** Why alerts cannot be evaluated now; null while they can. */
  alerts_failing: string | null;
}

/** A receiver of alerts as everybody sees it; `error` is null while it works. */
export interface ReceiverState {
  id: string;
  waiting: number;
  last_delivery: string | null;
  error: string | null;
  failing_since: string | null;
}

export interface ReceiverFailure {
  at: string;
  message: string;
}

/** What a receiver is told about; what is empty leaves nothing out. */
export interface ReceiverRoute {
  severity: Severity;
  departments: string[];
  zones: string[];
  rules: string[];
  labels: Record<string, string[]>;
  device_kinds: string[];
  resolved: boolean;
}

/** A receiver of alerts as operators see it. */
export interface Receiver extends ReceiverState {
  type: string;
  /** It is the server itself. */
  inside: boolean;
  ok: boolean;
  next_try_at: string | null;
  last_failure: ReceiverFailure | null;
  oldest_waiting_at: string | null;
  given_up: number;
  last_given_up: ReceiverFailure | null;
  route: ReceiverRoute;
  unknown_rules: string[];
}

export interface ReceiverTrial {
  taken: boolean;
  took_ms: number;
  error: string | null;
  hint: string | null;
}

export interface Metric {
  id: string;
  name: LocalText;
  unit: string;
  symbol: string;
  range: { min: number; max: number } | null;
  decimals: number;
  unmapped: boolean;
}

export interface Kind {
  id: string;
  name: LocalText;
  devices: number;
}

export interface Department {
  id: string;
  name: LocalText;
  devices: number;
}

export interface ZoneProperties {
  id: string;
  name: LocalText;
  layer: string;
  label: LonLat;
  bounds: Bounds;
  devices: number;
}

export interface ZoneFeature {
  type: string;
  properties: ZoneProperties;
  /** A GeoJSON polygon or multi-polygon; only the map looks inside. */
  geometry: unknown;
}

export interface ZoneCollection {
  type: string;
  features: ZoneFeature[];
}

export interface ZoneMetric {
  metric: string;
  mean: number;
  min: number;
  max: number;
  devices: number;
  newest_at: string;
}

export interface ZoneDetail {
  id: string;
  name: LocalText;
  layer: string;
  label: LonLat;
  bounds: Bounds;
  devices: number;
  devices_by_kind: Record<string, number>;
  offline: number;
  alerts_firing: number;
  metrics: ZoneMetric[];
}

export interface DeviceCounters {
  received: number;
  stored: number;
  duplicate: number;
  dead_lettered: number;
}

export interface Device {
  id: string;
  name: LocalText;
  kind: string;
  department: string;
  position: LonLat | null;
  moving: boolean;
  declared: { lon: number; lat: number; crs: Crs } | null;
  zones: string[];
  interval_s: number | null;
  gateway: string | null;
  life_cycle: "planned" | "active" | "maintenance" | "retired";
  simulated: boolean;
  attributes: Record<string, ReadingValue>;
  status: DeviceStatus;
  last_seen_at: string | null;
  newest_reading_at: string | null;
  severity: Severity | null;
  counters: DeviceCounters;
}

export interface DevicePage extends Page<Device> {
  total: number;
}

/** One entry per device, as columns. Codes: see `STATUS_CODES` and `SEVERITY_CODES`. */
export interface MapSnapshot {
  at: string;
  cursor: string;
  devices: {
    id: string[];
    kind: number[];
    lon: (number | null)[];
    lat: (number | null)[];
    status: number[];
    severity: number[];
    moving: number[];
  };
  kinds: string[];
}

export interface LastValue {
  device: string;
  metric: string;
  value: ReadingValue;
  quality: Quality;
  time: string;
  received: string;
  age_s: number;
  max_age_s: number;
  stale: boolean;
  position: LonLat | null;
  simulated: boolean;
  marks: string[];
}

export interface RawReadings {
  time: number[];
  value: (ReadingValue | null)[];
  quality: number[];
}

export interface Buckets {
  start: number[];
  count: number[];
  min: (number | null)[];
  mean: (number | null)[];
  max: (number | null)[];
  flagged: number[];
}

export interface Readings {
  device: string;
  metric: string;
  unit: string;
  symbol: string;
  from: string;
  to: string;
  step_s: number | null;
  raw: RawReadings | null;
  buckets: (Buckets & { last?: (number | null)[] }) | null;
  truncated: boolean;
}

export interface Aggregates {
  metric: string;
  unit: string;
  symbol: string;
  zone: string | null;
  devices: number;
  step_s: number;
  buckets: Buckets;
}

export interface RuleRef {
  id: string;
  version: string;
  name: LocalText;
  department: string;
}

export type Subject =
  | { type: "series"; device: string; metric: string }
  | { type: "device"; device: string }
  | { type: "zone"; zone: string };

export interface Acknowledgement {
  by: string;
  at: string;
  note: string | null;
}

export interface AlertItem {
  id: string;
  rule: RuleRef;
  subject: Subject;
  severity: Severity;
  started_at: string;
  fired_at: string;
  resolved_at: string | null;
  metric: string | null;
  unit: string | null;
  value: number | null;
  limit: number | null;
  reading_time: string | null;
  summary: LocalText;
  zones: string[];
  kind: string | null;
  position: { lon: number; lat: number } | null;
  simulated: boolean;
  runbook: string | null;
  labels: Record<string, string>;
  state: "firing" | "resolved";
  acknowledged: Acknowledgement | null;
  handling: Handling;
  shelved: Shelf | null;
  /** Ids of the silences that keep outside receivers from being told of it. */
  silenced_by: string[];
  /** Ids of the alerts that make it a consequence. */
  inhibited_by: string[];
  updated_at: string;
  events: number;
  device_name: LocalText | null;
  zone_names: LocalText[];
}

export type AlertLogKind =
  | "fired"
  | "escalated"
  | "deescalated"
  | "resolved"
  | "acknowledged"
  | "noted"
  | "silenced"
  | "unsilenced"
  | "inhibited"
  | "uninhibited"
  | "shelved"
  | "unshelved"
  | "silence_created"
  | "silence_ended"
  | "assigned"
  | "accepted"
  | "handed_over"
  | "returned"
  | "overdue"
  | "flood_began"
  | "flood_ended";

export type EndReason = "rule_removed" | "rule_changed" | "not_selected" | "not_watched" | "no_limit" | "off_schedule" | "zone_gone" | "state_lost";

export interface AlertLogEntry {
  seq: number;
  at: string;
  kind: AlertLogKind;
  by: string;
  note: string | null;
  severity: Severity | null;
  value: number | null;
  reason: EndReason | null;
  /** The silence, alert, department or person that it speaks of. */
  about: string | null;
}

export interface AlertDetail extends AlertItem {
  log: AlertLogEntry[];
}

export interface AlertCounts {
  firing: number;
  unacknowledged: number;
  by_severity: Record<Severity, number>;
}

export interface AlertPage extends Page<AlertItem> {
  counts: AlertCounts;
}

export interface Rule {
  id: string;
  group: string;
  name: LocalText;
  department: string;
  kind: string;
  version: string;
  for_s: number | null;
  text: string;
  file: string;
  line: number;
  firing: number;
}

/* Events of `GET /stream`. */

export interface HelloEvent {
  now: string;
  heartbeat_s: number;
  cursor: string;
}

/** A device that changed: only what changed is present; codes as in `MapSnapshot`. */
export interface MapChange {
  id: string;
  status?: number | null;
  severity?: number | null;
  lon?: number | null;
  lat?: number | null;
  /** Only of a device that is new on the map. */
  kind?: string | null;
  moving?: number | null;
}

export interface MapEvent {
  at: string;
  devices: MapChange[];
}

export interface ResyncEvent {
  reason: string;
}
