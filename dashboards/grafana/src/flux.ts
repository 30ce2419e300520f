/**
 * Flux over what citybrain writes to InfluxDB: a measurement for each metric, the tag `device`, the
 * fields `value`, `rejected`, `state`, `rejected_state`, `text`, `quality`, `lon`, `lat`; and over the
 * tiers that `citybrain influx setup` lets the server compute, with the fields `count`, `sum`, `min`,
 * `max`, `mean`, `last`, `flagged`. The test of these files holds them against the store's own source.
 */

export const RAW_FIELDS = ["value", "rejected", "state", "rejected_state", "text", "quality", "lon", "lat"] as const;
export const TIER_FIELDS = ["count", "sum", "min", "max", "mean", "last", "flagged"] as const;
export const TIERS = ["15m", "1h"] as const;
export const TAGS = ["device"] as const;

export type RawField = (typeof RAW_FIELDS)[number];
export type TierField = (typeof TIER_FIELDS)[number];

/** A Flux text, or a variable of the dashboard that is written as one. */
export const text = (value: string) => JSON.stringify(value);
export const variable = (name: string) => `\${${name}:doublequote}`;

const RANGE = "range(start: v.timeRangeStart, stop: v.timeRangeStop)";

/** `metric` as Flux: `text("pm25")` or `variable("metric")`. */
export const raw = (metric: string, field: RawField, range = RANGE) => `from(bucket: v.defaultBucket)
  |> ${range}
  |> filter(fn: (r) => r._measurement == ${metric} and r._field == ${text(field)})`;

export const tier = (of: (typeof TIERS)[number], metric: string, field: TierField) => `from(bucket: v.defaultBucket + ${text(`_${of}`)})
  |> ${RANGE}
  |> filter(fn: (r) => r._measurement == ${metric} and r._field == ${text(field)})`;

export const since = (span: string) => `range(start: -${span})`;

/**
 * One line for all devices: the steps of each are joined by their times. Grafana takes a table for a
 * series only if it has `_measurement`, and calls it by `_field`.
 */
export const together = (fn: "mean" | "min" | "max") => `  |> group(columns: ["_time"])
  |> ${fn}()
  |> group()
  |> sort(columns: ["_time"])
  |> set(key: "_measurement", value: "city")
  |> set(key: "_field", value: ${text(fn)})`;

/** Of a table, only the figure: Grafana would take what has `_measurement` for a series over time. */
export const ONLY_VALUE = '  |> keep(columns: ["_value"])';

/**
 * Zones, kinds and departments are no tags, because they change: which devices are meant is asked of
 * citybrain. Needs the secret `citybrain_token` in InfluxDB, a token with the role viewer.
 */
export const devicesOfZone = (zone: string) => `import "csv"
import "http/requests"
import "influxdata/influxdb/secrets"

token = secrets.get(key: "citybrain_token")
answer = requests.get(
  url: ${variable("citybrain")} + "/api/v1/devices",
  params: ["zone": [${zone}], "fields": ["id"], "format": ["csv"]],
  headers: ["Authorization": "Bearer " + token],
)
devices = csv.from(csv: string(v: answer.body), mode: "raw") |> findColumn(fn: (key) => true, column: "id")
`;

export const amongDevices = "  |> filter(fn: (r) => contains(value: r.device, set: devices))";

/** Names and ids of all zones, as a variable of the dashboard reads them. */
export const zoneList = (language: "en" | "zh") => `import "array"
import "experimental/json"
import "http/requests"
import "influxdata/influxdb/secrets"

token = secrets.get(key: "citybrain_token")
answer = requests.get(
  url: ${variable("citybrain")} + "/api/v1/zones",
  headers: ["Authorization": "Bearer " + token],
)
zones = json.parse(data: answer.body)
array.from(rows: zones.features |> array.map(fn: (x) => ({_value: string(v: x.properties.name.${language}) + " | " + string(v: x.properties.id)})))
  |> sort(columns: ["_value"])`;
