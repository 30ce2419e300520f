/**
 * The kinds of rules as a form shows them: one description of each kind's fields, with their shapes,
 * units, ranges and what holds where they are left out. The server's parser (`crates/rules`) is what
 * counts; a test compares this with the examples that it is tested with.
 */
import type { TextKey } from "../i18n";

export type NameSource = "metric" | "kind" | "department" | "zone" | "device" | "layer" | "rule" | "calendar";

export interface FieldSpec {
  /** Below the rule. */
  path: readonly string[];
  label: TextKey;
  hint?: TextKey;
  type: "text" | "local" | "span" | "number" | "count" | "flag" | "choice" | "names" | "formula" | "times" | "labels";
  required?: boolean;
  /** What holds if it is not there. */
  fallback?: string;
  choices?: readonly (readonly [value: string, text: TextKey])[];
  names?: NameSource;
  min?: number;
  max?: number;
  /** Numbers are in the unit of the rule's metric. */
  metricUnit?: boolean;
}

/** What a severity is given by. */
export type StepStyle = "limits" | "lengths" | "waits" | "counts" | "classes" | "times" | "plain" | "none" | "formula";

export interface KindSpec {
  id: KindId;
  fields: readonly FieldSpec[];
  steps: StepStyle;
  /** Whether the rule has a `for` of its own. */
  waits: boolean;
  select: "one-metric" | "metrics" | "devices" | "none";
  /** What texts may hold between braces. */
  placeholders: readonly string[];
  /** How a rule of it is written; also what a new one begins with. */
  example: string;
}

export const KIND_IDS = ["threshold", "window", "rate_of_change", "flat_line", "state_duration", "anomaly", "absence", "zone_aggregate", "k_of_n", "aqi", "forecast", "geofence", "expression", "composite", "dependency"] as const;
export type KindId = (typeof KIND_IDS)[number];

const SERIES = ["device", "device_name", "zone", "metric", "value", "limit", "unit", "for"] as const;
const PLACED = ["device", "device_name", "zone"] as const;
const ZONED = ["zone", "metric", "value", "limit", "unit", "for", "devices"] as const;

const over: FieldSpec = { path: ["over"], label: "rf.over", hint: "rf.over.why", type: "span", required: true };
const inside = (parent: string, field: FieldSpec): FieldSpec => ({ ...field, path: [parent, ...field.path] });
const choice = (path: readonly string[], label: TextKey, choices: FieldSpec["choices"] & object, more: Partial<FieldSpec> = {}): FieldSpec => ({ path, label, type: "choice", choices, ...more });
const count = (path: readonly string[], label: TextKey, min: number, fallback: string, more: Partial<FieldSpec> = {}): FieldSpec => ({ path, label, type: "count", min, fallback, ...more });
const layer: FieldSpec = { path: ["layer"], label: "rf.layer", hint: "rf.layer.why", type: "names", names: "layer" };
const rules = (path: readonly string[], label: TextKey, more: Partial<FieldSpec> = {}): FieldSpec => ({ path, label, type: "names", names: "rule", ...more });

const FUNCTIONS = ["mean", "min", "max", "sum", "count", "range", "stddev", "median", "p90", "p95", "p99"] as const;
const functions = (names: readonly (typeof FUNCTIONS)[number][]) => names.map((name) => [name, `rf.function.${name}`] as const);

export const KINDS: readonly KindSpec[] = [
  {
    id: "threshold", steps: "limits", waits: true, select: "metrics", placeholders: SERIES, fields: [],
    example: "kind: threshold\nselect: {metric: pm25}\nseverity:\n  medium: {above: 75, clear_below: 65}\n  high: {above: 115, clear_below: 100}\nfor: 5m",
  },
  {
    id: "window", steps: "limits", waits: true, select: "metrics", placeholders: SERIES,
    fields: [
      choice(["window", "function"], "rf.function", functions(FUNCTIONS), { required: true, hint: "rf.function.why" }),
      inside("window", over),
      count(["window", "min_count"], "rf.min_count", 1, "1", { hint: "rf.min_count.why" }),
    ],
    example: "kind: window\nselect: {metric: noise_laeq}\nwindow: {function: mean, over: 10m, min_count: 5}\nseverity:\n  medium: {above: 70, clear_below: 67}",
  },
  {
    id: "rate_of_change", steps: "limits", waits: true, select: "metrics", placeholders: SERIES,
    fields: [
      inside("rate", over),
      { path: ["rate", "per"], label: "rf.per", hint: "rf.per.why", type: "span", fallback: "1h" },
      choice(["rate", "direction"], "rf.direction", [["rising", "rf.direction.rising"], ["falling", "rf.direction.falling"], ["either", "rf.direction.either"]], { fallback: "rising" }),
      count(["rate", "min_count"], "rf.min_count", 2, "3", { hint: "rf.min_count.why" }),
    ],
    example: "kind: rate_of_change\nselect: {metric: water_level}\nrate: {over: 30m, per: 1h, direction: rising}\nseverity:\n  high: {above: 0.5, clear_below: 0.2}",
  },
  {
    id: "flat_line", steps: "lengths", waits: false, select: "metrics", placeholders: SERIES,
    fields: [
      { path: ["flat", "tolerance"], label: "rf.tolerance", hint: "rf.tolerance.why", type: "number", min: 0, fallback: "0", metricUnit: true },
      count(["flat", "min_count"], "rf.min_count", 2, "3", { hint: "rf.min_count.why" }),
      { path: ["flat", "max_gap"], label: "rf.max_gap", hint: "rf.max_gap.why", type: "span", fallback: "1h" },
    ],
    example: "kind: flat_line\nselect: {metric: temperature}\nflat: {tolerance: 0.05, min_count: 5}\nseverity:\n  low: {for: 2h}\n  medium: {for: 12h}",
  },
  {
    id: "state_duration", steps: "lengths", waits: false, select: "metrics", placeholders: [...PLACED, "metric", "state", "for"],
    fields: [
      { path: ["state", "is"], label: "rf.state.is", hint: "rf.state.why", type: "names" },
      { path: ["state", "not"], label: "rf.state.not", hint: "rf.state.why", type: "names" },
    ],
    example: "kind: state_duration\nselect: {metric: door}\nstate: {is: open}\nseverity:\n  medium: {for: 10m}\n  high: {for: 1h}",
  },
  {
    id: "anomaly", steps: "limits", waits: true, select: "metrics", placeholders: SERIES,
    fields: [
      choice(["anomaly", "season"], "rf.season", [["auto", "rf.season.auto"], ["none", "rf.season.none"], ["day", "rf.season.day"], ["week", "rf.season.week"]], { fallback: "auto" }),
      choice(["anomaly", "direction"], "rf.direction", [["either", "rf.direction.either"], ["above", "rf.direction.above"], ["below", "rf.direction.below"]], { fallback: "either" }),
      { path: ["anomaly", "utc_offset"], label: "rf.utc_offset", hint: "rf.utc_offset.why", type: "span" },
    ],
    example: "kind: anomaly\nselect: {metric: traffic_count}\nanomaly: {season: auto, direction: either}\nseverity:\n  medium: {above: 4}\n  high: {above: 6}\nkeep_firing_for: 1h",
  },
  {
    id: "absence", steps: "plain", waits: false, select: "devices", placeholders: [...PLACED, "metric", "for"],
    fields: [
      { path: ["for"], label: "rf.allowed", hint: "rf.allowed.why", type: "text", required: true },
      choice(["subject"], "rf.subject", [["device", "rf.subject.device"], ["series", "rf.subject.series"]], { hint: "rf.subject.why" }),
      { path: ["interval"], label: "rf.interval", hint: "rf.interval.why", type: "span" },
      choice(["group_by"], "rf.group_by", [["gateway", "rf.group_by.gateway"]], { hint: "rf.group_by.why" }),
      count(["min_devices"], "rf.min_devices", 2, "5"),
      { path: ["share"], label: "rf.share", hint: "rf.share.why", type: "number", min: 0, max: 1, fallback: "0.8" },
      { path: ["gateway_summary"], label: "rf.gateway_summary", type: "local" },
    ],
    example: "kind: absence\nselect: {kind: air_station}\nseverity: medium\nfor: 3x",
  },
  {
    id: "zone_aggregate", steps: "limits", waits: true, select: "one-metric", placeholders: ZONED,
    fields: [
      choice(["aggregate", "function"], "rf.function", functions(["mean", "min", "max", "median"]), { required: true }),
      inside("aggregate", { ...over, hint: "rf.over.device" }),
      count(["aggregate", "min_devices"], "rf.min_devices", 1, "3", { hint: "rf.min_devices.why" }),
      layer,
    ],
    example: "kind: zone_aggregate\nselect: {metric: pm25}\naggregate: {function: mean, over: 5m, min_devices: 3}\nlayer: neighbourhood\nseverity:\n  high: {above: 115, clear_below: 100}",
  },
  {
    id: "k_of_n", steps: "counts", waits: true, select: "one-metric", placeholders: ZONED,
    fields: [
      { path: ["each", "above"], label: "rf.each.above", hint: "rf.each.why", type: "number", metricUnit: true },
      { path: ["each", "clear_below"], label: "rf.each.clear_below", type: "number", metricUnit: true },
      { path: ["each", "below"], label: "rf.each.below", type: "number", metricUnit: true },
      { path: ["each", "clear_above"], label: "rf.each.clear_above", type: "number", metricUnit: true },
      { ...over, hint: "rf.over.device" },
      count(["of"], "rf.of", 1, "", { hint: "rf.of.why" }),
      layer,
    ],
    example: "kind: k_of_n\nselect: {metric: water_level}\neach: {above: 2.0, clear_below: 1.85}\nover: 10m\nof: 4\nseverity:\n  medium: {devices: 2}\n  high: {devices: 4}",
  },
  {
    id: "aqi", steps: "classes", waits: true, select: "devices", placeholders: [...PLACED, "metric", "value", "limit", "state", "for"],
    fields: [
      choice(["standard"], "rf.standard", [["hj633_2026", "rf.standard.hj633_2026"], ["hj633_2012", "rf.standard.hj633_2012"], ["us_epa_2024", "rf.standard.us_epa_2024"]], { required: true }),
      choice(["form"], "rf.form", [["hourly", "rf.form.hourly"], ["daily", "rf.form.daily"]], { fallback: "hourly" }),
    ],
    example: "kind: aqi\nstandard: hj633_2026\nseverity:\n  medium: {category: lightly_polluted}\n  high: {category: heavily_polluted}",
  },
  {
    id: "forecast", steps: "times", waits: true, select: "metrics", placeholders: [...PLACED, "metric", "target", "value", "limit", "for"],
    fields: [
      { path: ["forecast", "limit"], label: "rf.forecast.limit", hint: "rf.forecast.limit.why", type: "number", required: true, metricUnit: true },
      choice(["forecast", "direction"], "rf.direction", [["rising", "rf.direction.rising"], ["falling", "rf.direction.falling"]], { fallback: "rising" }),
      inside("forecast", over),
      { path: ["forecast", "min_agreement"], label: "rf.min_agreement", hint: "rf.min_agreement.why", type: "number", min: 0, max: 1, fallback: "0.6" },
    ],
    example: "kind: forecast\nselect: {metric: water_level}\nforecast: {limit: 2.3, direction: rising, over: 2h}\nseverity:\n  medium: {within: 6h}\n  high: {within: 1h, clear_beyond: 2h}",
  },
  {
    id: "geofence", steps: "waits", waits: true, select: "devices", placeholders: [...PLACED, "state", "for"],
    fields: [
      { path: ["fence", "zone"], label: "rf.fence.zone", type: "names", names: "zone", required: true },
      choice(["fence", "when"], "rf.fence.when", [["inside", "rf.fence.inside"], ["outside", "rf.fence.outside"]], { required: true }),
      count(["fence", "min_fixes"], "rf.min_fixes", 1, "1", { hint: "rf.min_fixes.why" }),
    ],
    example: "kind: geofence\nselect: {kind: bus}\nfence: {zone: loop, when: inside, min_fixes: 2}\nseverity: medium\nfor: 5m",
  },
  {
    id: "expression", steps: "formula", waits: true, select: "devices", placeholders: [...PLACED, "state", "value", "limit", "for"],
    fields: [
      { path: ["expression"], label: "rf.expression", hint: "rf.expression.why", type: "formula", required: true },
      { path: ["max_age"], label: "rf.max_age", hint: "rf.max_age.why", type: "span", fallback: "10m" },
    ],
    example: "kind: expression\nselect: {kind: air_station}\nexpression: \"pm25 > 75 && no2 > 100\"\nseverity: high\nfor: 2m",
  },
  {
    id: "composite", steps: "waits", waits: true, select: "none", placeholders: [...PLACED, "state", "devices", "for"],
    fields: [
      rules(["when", "all"], "rf.when.all", { hint: "rf.when.why" }),
      rules(["when", "any"], "rf.when.any"),
      count(["when", "at_least"], "rf.when.at_least", 1, ""),
      rules(["when", "of"], "rf.when.of"),
      rules(["unless"], "rf.unless", { hint: "rf.unless.why" }),
      choice(["on"], "rf.on", [["device", "rf.on.device"], ["zone", "rf.on.zone"]], { fallback: "device" }),
      layer,
    ],
    example: "kind: composite\nwhen: {all: [pump-off, level-rising]}\nseverity: critical\nfor: 2m",
  },
  {
    id: "dependency", steps: "none", waits: false, select: "none", placeholders: [],
    fields: [
      rules(["when"], "rf.dependency.when", { required: true, hint: "rf.dependency.when.why" }),
      rules(["suppress"], "rf.suppress", { required: true, hint: "rf.suppress.why" }),
      choice(["via"], "rf.via", [["gateway", "rf.via.gateway"], ["zone", "rf.via.zone"], ["device", "rf.via.device"]], { required: true, hint: "rf.via.why" }),
      { path: ["via", "attribute"], label: "rf.via.attribute", type: "text" },
      layer,
    ],
    example: "kind: dependency\nwhen: [power-out]\nsuppress: [air-silent]\nvia: gateway",
  },
];

export function kindSpec(id: string): KindSpec | undefined {
  return KINDS.find((kind) => kind.id === id);
}

export const isKind = (id: string): id is KindId => KIND_IDS.includes(id as KindId);

/** What says which rule it is. */
export const NAMING: readonly FieldSpec[] = [
  { path: ["id"], label: "rf.id", hint: "rf.id.why", type: "text", required: true },
  { path: ["department"], label: "rf.department", hint: "rf.department.why", type: "text", names: "department" },
  { path: ["name"], label: "rf.name", type: "local" },
];

const PARTS: readonly FieldSpec[] = [
  { path: ["select", "metric"], label: "rf.select.metric", type: "names", names: "metric" },
  { path: ["select", "kind"], label: "rf.select.kind", type: "names", names: "kind" },
  { path: ["select", "zone"], label: "rf.select.zone", type: "names", names: "zone" },
  { path: ["select", "department"], label: "rf.select.department", type: "names", names: "department" },
  { path: ["select", "device"], label: "rf.select.device", type: "names", names: "device" },
];

/** Where a rule applies. */
export function selecting({ select }: KindSpec, knowsMetrics: boolean): readonly FieldSpec[] {
  if (select === "none") return [];
  const required = select === "metrics" || select === "one-metric";
  return PARTS.filter(({ path }) => path[1] !== "metric" || !knowsMetrics).map((field) => (field.path[1] === "metric" ? { ...field, required } : field));
}

/** Kinds that know their metrics themselves. */
export const knowsMetrics = (id: string) => id === "aqi" || id === "expression";

export const WAIT: FieldSpec = { path: ["for"], label: "rf.for", hint: "rf.for.why", type: "span", fallback: "0s" };

/** When a rule is on, how long it holds, and what it trusts. */
export const TIMING: readonly FieldSpec[] = [
  { path: ["keep_firing_for"], label: "rf.keep_firing_for", hint: "rf.keep_firing_for.why", type: "span", fallback: "0s" },
  { path: ["schedule", "times"], label: "rf.schedule.times", hint: "rf.schedule.times.why", type: "times" },
  { path: ["schedule", "calendar"], label: "rf.schedule.calendar", type: "text" },
  { path: ["schedule", "outside"], label: "rf.schedule.outside", type: "choice", choices: [["hold", "rf.schedule.outside.hold"], ["end", "rf.schedule.outside.end"]], fallback: "hold" },
  { path: ["trust"], label: "rf.trust", hint: "rf.trust.why", type: "names", fallback: "pass, not_evaluated" },
  { path: ["lateness"], label: "rf.lateness", hint: "rf.lateness.why", type: "text", fallback: "5m" },
];

/** What it says and to whom. */
export const TELLING: readonly FieldSpec[] = [
  { path: ["summary"], label: "rf.summary", hint: "rf.summary.why", type: "local" },
  { path: ["silent"], label: "rf.silent", hint: "rf.silent.why", type: "flag" },
  { path: ["runbook"], label: "rf.runbook", hint: "rf.runbook.why", type: "text" },
  { path: ["labels"], label: "rf.labels", hint: "rf.labels.why", type: "labels" },
];

/** Classes of air that can raise, by standard. */
export const CLASSES: Readonly<Record<string, readonly string[]>> = {
  hj633_2026: ["good", "lightly_polluted", "moderately_polluted", "heavily_polluted", "severely_polluted"],
  hj633_2012: ["good", "lightly_polluted", "moderately_polluted", "heavily_polluted", "severely_polluted"],
  us_epa_2024: ["moderate", "unhealthy_for_sensitive_groups", "unhealthy", "very_unhealthy", "hazardous"],
};

/** In which order the keys of a rule stand. */
export const ORDER = ["id", "name", "department", "kind", "select", "standard", "form", "expression", "max_age", "window", "rate", "flat", "state", "anomaly", "aggregate", "each", "over", "of", "forecast", "fence", "when", "unless", "on", "suppress", "via", "layer", "subject", "severity", "raise", "clear", "category", "within", "clear_beyond", "devices", "share", "for", "interval", "group_by", "min_devices", "gateway_summary", "keep_firing_for", "schedule", "trust", "lateness", "silent", "summary", "labels", "runbook", "metric", "above", "below", "clear_below", "clear_above"] as const;
