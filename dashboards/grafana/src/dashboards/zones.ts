/** A zone: a metric in it and in the whole city, and its devices. Which devices stand in it is asked of citybrain. */
import { ONLY_VALUE, amongDevices, devicesOfZone, raw, together, variable } from "../flux";
import { chart, stat, table } from "../panels";
import { flux } from "../queries";
import type { Part } from "../part";

const METRIC = variable("metric");
const IN_ZONE = devicesOfZone(variable("zone"));
const STEPS = "  |> aggregateWindow(every: v.windowPeriod, fn: mean, createEmpty: false)";

export const zones: Part = {
  id: "zones",
  title: (say) => say("Zones", "区域"),
  from: "now-24h",
  refresh: "1m",
  variables: ["citybrain", "zone", "metric"],
  panels: ({ say, linkTo }) => {
    return [
      stat({ title: say("Devices with this metric", "有此指标的设备"), targets: [flux(`${IN_ZONE}
${raw(METRIC, "quality")}
${amongDevices}
  |> last()
  |> keep(columns: ["device"])
  |> group()
  |> unique(column: "device")
  |> count(column: "device")
  |> rename(columns: {device: "_value"})`)], width: 6, decimals: 0, noValue: "0" }),
      stat({ title: say("Mean of the zone", "区域均值"), targets: [flux(`${IN_ZONE}
${raw(METRIC, "value")}
${amongDevices}
  |> group()
  |> mean()
${ONLY_VALUE}`)], width: 6, decimals: 1, noValue: say("none", "无") }),
      stat({ title: say("Mean of the whole city", "全市均值"), targets: [flux(`${raw(METRIC, "value")}
  |> group()
  |> mean()
${ONLY_VALUE}`)], width: 6, decimals: 1, noValue: say("none", "无") }),
      stat({
        title: say("Suspect or failed", "可疑或未通过"),
        why: say("Readings of the zone in this range with quality 3, 4 or 9.", "该时段内区域读数中质量为 3、4 或 9 的条数。"),
        targets: [flux(`${IN_ZONE}
${raw(METRIC, "quality")}
${amongDevices}
  |> filter(fn: (r) => r._value >= 3)
  |> group()
  |> count()
${ONLY_VALUE}`)],
        width: 6,
        decimals: 0,
        noValue: "0",
        limits: [{ from: 1, colour: "yellow" }],
      }),
      chart({
        title: say("The zone and the whole city", "区域与全市"),
        names: { A: say("mean of the zone", "区域均值"), B: say("lowest of the zone", "区域最低"), C: say("highest of the zone", "区域最高"), D: say("mean of the whole city", "全市均值") },
        width: 24,
        height: 10,
        targets: [
          flux(`${IN_ZONE}\n${raw(METRIC, "value")}\n${amongDevices}\n${STEPS}\n${together("mean")}`, "A"),
          flux(`${IN_ZONE}\n${raw(METRIC, "value")}\n${amongDevices}\n${STEPS}\n${together("min")}`, "B"),
          flux(`${IN_ZONE}\n${raw(METRIC, "value")}\n${amongDevices}\n${STEPS}\n${together("max")}`, "C"),
          flux(`${raw(METRIC, "value")}\n${STEPS}\n${together("mean")}`, "D"),
        ],
      }),
      table({
        title: say("Devices of the zone", "区域内的设备"),
        targets: [flux(`${IN_ZONE}
${raw(METRIC, "value")}
${amongDevices}
  |> last()
  |> group()
  |> sort(columns: ["_value"], desc: true)
  |> keep(columns: ["device", "_value", "_time"])`)],
        columns: { device: say("Device", "设备"), _value: say("Newest value", "最新值"), _time: say("Measured at", "测量时间") },
        links: { device: { title: say("Open the device", "打开设备"), url: linkTo("device", "var-device=${__value.text}&var-metric=${metric}") } },
        decimals: 1,
      }),
      table({
        title: say("Highest mean of this range", "该时段均值最高"),
        targets: [flux(`${IN_ZONE}
${raw(METRIC, "value")}
${amongDevices}
  |> mean()
  |> group()
  |> top(n: 10, columns: ["_value"])
  |> keep(columns: ["device", "_value"])`)],
        columns: { device: say("Device", "设备"), _value: say("Mean", "均值") },
        links: { device: { title: say("Open the device", "打开设备"), url: linkTo("device", "var-device=${__value.text}&var-metric=${metric}") } },
        decimals: 1,
      }),
    ];
  },
};
