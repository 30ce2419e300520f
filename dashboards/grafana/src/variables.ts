/** The choices at the top of dashboards. */
import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import { ConstantVariableBuilder, QueryVariableBuilder, VariableRefresh, VariableSort, type VariableModel } from "@grafana/grafana-foundation-sdk/dashboard";
import { variable, zoneList } from "./flux";
import type { Context, VariableName } from "./part";
import { INFLUXDB, PROMETHEUS } from "./queries";

/** Where InfluxDB's server reaches citybrain; to be changed in the dashboard's settings, or before provisioning. */
export const CITYBRAIN = "http://127.0.0.1:8080";

const ofFlux = (name: string, label: string, query: string) => new QueryVariableBuilder(name).label(label).datasource(INFLUXDB).query(query).refresh(VariableRefresh.OnTimeRangeChanged).sort(VariableSort.AlphabeticalAsc);

const METRICS = `import "influxdata/influxdb/schema"

schema.measurements(bucket: v.defaultBucket, start: v.timeRangeStart)`;

const DEVICES = `import "influxdata/influxdb/schema"

schema.tagValues(bucket: v.defaultBucket, tag: "device", start: v.timeRangeStart)`;

const METRICS_OF_DEVICE = `import "influxdata/influxdb/schema"

schema.tagValues(bucket: v.defaultBucket, tag: "_measurement", predicate: (r) => r.device == ${variable("device")}, start: v.timeRangeStart)`;

export function variableOf(name: VariableName, { say, language }: Context): Builder<VariableModel> {
  switch (name) {
    case "instance":
      return new QueryVariableBuilder("instance").label(say("Instance", "实例")).datasource(PROMETHEUS).query("label_values(citybrain_build_info, instance)").refresh(VariableRefresh.OnDashboardLoad).sort(VariableSort.AlphabeticalAsc).multi(true).includeAll(true).allValue(".*").current({ text: say("All", "全部"), value: "$__all", selected: true });
    case "metric":
      return ofFlux("metric", say("Metric", "指标"), METRICS);
    case "deviceMetric":
      return ofFlux("metric", say("Metric", "指标"), METRICS_OF_DEVICE);
    case "device":
      return ofFlux("device", say("Device", "设备"), DEVICES);
    case "zone":
      // The names are what people choose by, the ids are what is asked for.
      return ofFlux("zone", say("Zone", "区域"), zoneList(language)).regex("/^(?<text>.*) \\| (?<value>[^|]*)$/");
    case "citybrain":
      return new ConstantVariableBuilder("citybrain").label("citybrain").value(CITYBRAIN);
  }
}
