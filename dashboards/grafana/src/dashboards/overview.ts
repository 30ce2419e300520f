/** The city at a glance: what is measured, what is wrong, and whether the platform keeps up. */
import { CITY_METRICS, nameOf, unitOf } from "../city";
import { raw, since, text, tier, together } from "../flux";
import { chart, stat, table } from "../panels";
import { figure, flux, prom, promNow } from "../queries";
import type { Part } from "../part";

export const overview: Part = {
  id: "overview",
  title: (say) => say("City overview", "城市总览"),
  from: "now-24h",
  refresh: "1m",
  variables: ["instance"],
  panels: ({ say, linkTo }) => [
    stat({ title: say("Firing alerts", "正在告警"), targets: [prom(`sum(${figure("citybrain_alert_firing")})`)], limits: [{ from: 1, colour: "yellow" }], graph: true, decimals: 0 }),
    stat({ title: say("Alerts of the last day, per operator", "每值班员近一日告警"), why: say("Up to 144 is acceptable, more than 288 is not manageable (ISA-18.2).", "144 条以内可接受，超过 288 条难以应对（ISA-18.2）。"), targets: [promNow(figure("citybrain_alarm_load_per_operator_day", 'position="city"'))], limits: [{ from: 144, colour: "yellow" }, { from: 288, colour: "red" }], decimals: 0 }),
    stat({ title: say("Readings per second", "每秒读数"), targets: [prom(`sum(rate(${figure("citybrain_pipeline_readings_total", 'outcome="stored"')}[$__rate_interval]))`)], graph: true, decimals: 1 }),
    stat({
      title: say("Devices heard in 15 minutes", "近 15 分钟上报的设备"),
      targets: [flux(`from(bucket: v.defaultBucket)
  |> ${since("15m")}
  |> filter(fn: (r) => r._field == "quality")
  |> last()
  |> keep(columns: ["device"])
  |> group()
  |> unique(column: "device")
  |> count(column: "device")
  |> rename(columns: {device: "_value"})`)],
      decimals: 0,
    }),
    stat({ title: say("Messages in flight", "处理中的消息"), targets: [prom(`sum(${figure("citybrain_pipeline_in_flight")})`)], graph: true, decimals: 0 }),
    stat({ title: say("Rules not in force", "未生效的规则"), why: say("Refused rule files and disabled groups.", "被拒绝的规则文件与停用的规则组。"), targets: [promNow(`sum(${figure("citybrain_rule_problems")})`)], limits: [{ from: 1, colour: "red" }], decimals: 0 }),
    ...CITY_METRICS.map((metric) =>
      chart({
        title: nameOf(metric, say),
        why: say("Mean of all devices, and the lowest and highest of any of them, in steps of 15 minutes. What failed its checks does not count.", "全部设备的均值，以及其中的最低和最高值，每 15 分钟一步。未通过检查的读数不计入。"),
        unit: unitOf(metric),
        names: { A: say("mean", "均值"), B: say("lowest", "最低"), C: say("highest", "最高") },
        decimals: metric.decimals,
        targets: [
          flux(`${tier("15m", text(metric.id), "mean")}\n${together("mean")}`, "A"),
          flux(`${tier("15m", text(metric.id), "min")}\n${together("min")}`, "B"),
          flux(`${tier("15m", text(metric.id), "max")}\n${together("max")}`, "C"),
        ],
      }),
    ),
    table({
      title: say("Highest PM2.5 of the last hour", "近一小时 PM2.5 最高的设备"),
      targets: [flux(`${raw(text("pm25"), "value", since("1h"))}
  |> mean()
  |> group()
  |> top(n: 10, columns: ["_value"])
  |> keep(columns: ["device", "_value"])`)],
      columns: { device: say("Device", "设备"), _value: say("Mean", "均值") },
      units: { _value: "suffix: µg/m³" },
      links: { device: { title: say("Open the device", "打开设备"), url: linkTo("device", "var-device=${__value.text}&var-metric=pm25") } },
      decimals: 1,
    }),
    table({
      title: say("Quietest devices: heard within a day, not within an hour", "静默设备：一天内上报过，近一小时没有"),
      targets: [flux(`from(bucket: v.defaultBucket)
  |> ${since("24h")}
  |> filter(fn: (r) => r._field == "quality")
  |> last()
  |> group(columns: ["device"])
  |> max(column: "_time")
  |> group()
  |> filter(fn: (r) => r._time < experimental.subDuration(d: 1h, from: now()))
  |> sort(columns: ["_time"])
  |> limit(n: 50)
  |> keep(columns: ["device", "_time"])`.replace(/^/, 'import "experimental"\n\n'))],
      columns: { device: say("Device", "设备"), _time: say("Newest reading", "最新读数") },
      links: { device: { title: say("Open the device", "打开设备"), url: linkTo("device", "var-device=${__value.text}") } },
    }),
  ],
};
