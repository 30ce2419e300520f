/** One series of one device: its values, what was refused of them, how often it came, and the readings themselves. */
import { QUALITIES } from "../city";
import { ONLY_VALUE, raw, tier, variable } from "../flux";
import { chart, meanings, stat, states, table } from "../panels";
import { flux } from "../queries";
import type { Part } from "../part";

const METRIC = variable("metric");
const OF_DEVICE = `  |> filter(fn: (r) => r.device == ${variable("device")})`;

export const device: Part = {
  id: "device",
  title: (say) => say("One device", "单台设备"),
  from: "now-6h",
  refresh: "30s",
  variables: ["device", "deviceMetric"],
  panels: ({ say }) => {
    const qualities = meanings(QUALITIES.map(({ code, en, zh, colour }) => ({ value: code, text: say(en, zh), colour })));
    return [
      stat({ title: say("Newest value", "最新值"), targets: [flux(`${raw(METRIC, "value")}\n${OF_DEVICE}\n  |> last()\n${ONLY_VALUE}`)], width: 6, noValue: say("none in this range", "该时段内没有") }),
      stat({ title: say("Quality of the newest", "最新读数的质量"), targets: [flux(`${raw(METRIC, "quality")}\n${OF_DEVICE}\n  |> last()\n${ONLY_VALUE}`)], mappings: qualities, width: 6, noValue: say("none in this range", "该时段内没有") }),
      stat({
        title: say("Age of the newest", "最新读数距今"),
        why: say("By the event time.", "按测量时间计算。"),
        targets: [flux(`${raw(METRIC, "quality")}
${OF_DEVICE}
  |> last()
  |> map(fn: (r) => ({r with _value: float(v: uint(v: now()) - uint(v: r._time)) / 1000000000.0}))
${ONLY_VALUE}`)],
        unit: "s",
        width: 6,
        noValue: say("none in this range", "该时段内没有"),
      }),
      stat({
        title: say("Readings in this range", "该时段内的读数"),
        targets: [flux(`${raw(METRIC, "quality")}\n${OF_DEVICE}\n  |> count()\n${ONLY_VALUE}`)],
        width: 6,
        decimals: 0,
        noValue: "0",
      }),
      chart({
        title: say("Values", "数值"),
        why: say("Lines are values that count. Points were refused by a check, or stand for none; they are in no mean.", "线为有效读数；点为未通过检查或代表无值的读数，不计入均值。"),
        width: 24,
        height: 10,
        targets: [
          flux(`${raw(METRIC, "value")}\n${OF_DEVICE}\n  |> aggregateWindow(every: v.windowPeriod, fn: mean, createEmpty: false)`, "A"),
          flux(`${raw(METRIC, "rejected")}\n${OF_DEVICE}\n  |> limit(n: 1000)`, "B"),
          flux(`${raw(METRIC, "state")}\n${OF_DEVICE}\n  |> map(fn: (r) => ({r with _value: if r._value then 1.0 else 0.0}))`, "C"),
        ],
        names: { A: say("value", "数值"), B: say("refused", "被拒"), C: say("state", "状态") },
        looks: { B: [{ id: "custom.drawStyle", value: "points" }, { id: "color", value: { mode: "fixed", fixedColor: "orange" } }] },
      }),
      states({
        title: say("Quality", "质量"),
        name: say("worst of the step", "该步最差"),
        targets: [flux(`${raw(METRIC, "quality")}\n${OF_DEVICE}\n  |> aggregateWindow(every: v.windowPeriod, fn: max, createEmpty: false)`)],
        mappings: qualities,
      }),
      chart({
        title: say("Readings per hour", "每小时读数"),
        names: { A: say("counted", "有效"), B: say("flagged", "存疑") },
        why: say("From the hourly tier: how many came, and how many of them are suspect, failed or without value.", "取自小时汇总：到达的读数，及其中可疑、未通过或无值的读数。"),
        width: 12,
        decimals: 0,
        targets: [
          flux(`${tier("1h", METRIC, "count")}\n${OF_DEVICE}`, "A"),
          flux(`${tier("1h", METRIC, "flagged")}\n${OF_DEVICE}`, "B"),
        ],
      }),
      table({
        title: say("Readings, newest first", "读数（最新在前）"),
        targets: [flux(`from(bucket: v.defaultBucket)
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == ${METRIC} and r.device == ${variable("device")})
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group()
  |> sort(columns: ["_time"], desc: true)
  |> limit(n: 500)
  |> keep(columns: ["_time", "value", "rejected", "state", "text", "quality"])`)],
        width: 12,
        height: 10,
        columns: { _time: say("Measured at", "测量时间"), value: say("Value", "数值"), rejected: say("Refused", "被拒"), state: say("State", "状态"), text: say("Text", "文本"), quality: say("Quality", "质量") },
        mappings: { quality: qualities },
      }),
    ];
  },
};
