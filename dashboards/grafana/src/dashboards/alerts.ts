/** Alerts: how many, whether operators can bear them, and whether they reach whom they should. */
import { chart, meanings, stat, table } from "../panels";
import { figure, perSecond, prom, promNow, promRows, quantile } from "../queries";
import type { Part } from "../part";

export const alerts: Part = {
  id: "alerts",
  title: (say) => say("Alerts", "告警"),
  from: "now-24h",
  refresh: "30s",
  variables: ["instance"],
  panels: ({ say }) => {
    const failing = meanings([{ value: 0, text: say("works", "正常"), colour: "green" }, { value: 1, text: say("fails", "失败"), colour: "red" }]);
    return [
      { heading: say("Now", "当前") },
      stat({ title: say("Firing", "正在告警"), targets: [prom(`sum(${figure("citybrain_alert_firing")})`)], graph: true, decimals: 0, limits: [{ from: 1, colour: "yellow" }] }),
      stat({ title: say("Standing for over a day", "持续超过一天"), why: say("Should be fewer than 5.", "应少于 5 条。"), targets: [promNow(figure("citybrain_alarm_load_stale", 'position="city"'))], decimals: 0, limits: [{ from: 5, colour: "red" }] }),
      stat({ title: say("Held back from receivers", "暂不外发"), why: say("Silenced, inhibited or in a flood.", "被静默、抑制或处于洪泛中。"), targets: [prom(`sum(${figure("citybrain_notifier_held")})`)], graph: true, decimals: 0 }),
      stat({ title: say("Rules in force", "生效的规则"), targets: [promNow(`sum(${figure("citybrain_rules")})`)], decimals: 0 }),
      stat({ title: say("Rules not in force", "未生效的规则"), targets: [promNow(`sum(${figure("citybrain_rule_problems")})`)], decimals: 0, limits: [{ from: 1, colour: "red" }] }),
      stat({ title: say("Alert engine", "告警引擎"), targets: [promNow(`max(${figure("citybrain_alert_engine_failing")})`)], mappings: failing, limits: [{ from: 1, colour: "red" }] }),
      chart({ title: say("Firing alerts", "正在告警"), targets: [prom(`sum by (instance) (${figure("citybrain_alert_firing")})`, "{{instance}}")], decimals: 0, min: 0, width: 12 }),
      chart({ title: say("Alert events per minute", "每分钟告警事件"), why: say("Fired, escalated, de-escalated, resolved.", "触发、升级、降级、解除。"), targets: [prom(`60 * sum by (instance) (${perSecond("citybrain_alert_events_total")})`, "{{instance}}")], min: 0, width: 12 }),
      { heading: say("Load of operators (ISA-18.2)", "值班负荷（ISA-18.2）") },
      table({
        title: say("By position", "按岗位"),
        why: say("Acceptable: 144 a day, 1 in ten minutes, 10 at the peak, 1 % in flood, fewer than 5 stale, none chattering.", "可接受：每日 144 条、每十分钟 1 条、峰值 10 条、洪泛时间占 1 %、陈旧少于 5 条、无抖动。"),
        targets: [
          promRows(figure("citybrain_alarm_load_per_operator_day"), "A"),
          promRows(figure("citybrain_alarm_load_mean"), "B"),
          promRows(figure("citybrain_alarm_load_peak"), "C"),
          promRows(figure("citybrain_alarm_load_flood_share"), "D"),
          promRows(figure("citybrain_alarm_load_standing"), "E"),
          promRows(figure("citybrain_alarm_load_stale"), "F"),
          promRows(figure("citybrain_alarm_load_chattering"), "G"),
        ],
        merged: true,
        width: 24,
        columns: {
          position: say("Position", "岗位"),
          "Value #A": say("A day, per operator", "每日每人"),
          "Value #B": say("In ten minutes", "每十分钟"),
          "Value #C": say("Peak of ten minutes", "十分钟峰值"),
          "Value #D": say("In flood", "洪泛时间占比"),
          "Value #E": say("Standing", "当前"),
          "Value #F": say("Stale", "陈旧"),
          "Value #G": say("Chattering", "抖动"),
        },
        units: { "Value #D": "percentunit" },
        decimals: 1,
      }),
      chart({ title: say("Alerts a day, per operator", "每日每值班员告警"), targets: [prom(figure("citybrain_alarm_load_per_operator_day"), "{{position}}")], limits: [{ from: 144, colour: "yellow" }, { from: 288, colour: "red" }], min: 0, width: 12 }),
      chart({ title: say("Most alerts in any ten minutes", "十分钟内最多告警"), targets: [prom(figure("citybrain_alarm_load_peak"), "{{position}}")], limits: [{ from: 10, colour: "red" }], min: 0, width: 12 }),
      { heading: say("Delivery", "送达") },
      table({
        title: say("Receivers", "接收方"),
        targets: [promRows(figure("citybrain_receiver_failing"), "A"), promRows(figure("citybrain_receiver_waiting"), "B")],
        merged: true,
        columns: { receiver: say("Receiver", "接收方"), "Value #A": say("State", "状态"), "Value #B": say("Waiting", "等待") },
        mappings: { "Value #A": failing },
        width: 8,
      }),
      chart({ title: say("Attempts per minute", "每分钟送达尝试"), targets: [prom(`60 * sum by (receiver, outcome) (${perSecond("citybrain_notifier_deliveries_total")})`, "{{receiver}}: {{outcome}}")], min: 0 }),
      chart({ title: say("Events that wait", "等待送达的事件"), targets: [prom(`sum by (receiver) (${figure("citybrain_receiver_waiting")})`, "{{receiver}}")], decimals: 0, min: 0 }),
      { heading: say("Alert engine", "告警引擎") },
      chart({ title: say("Readings evaluated per second", "每秒判定读数"), targets: [prom(`sum by (instance) (${perSecond("citybrain_alert_readings_total")})`, "{{instance}}")], min: 0 }),
      chart({ title: say("Time to evaluate a commit", "单次判定耗时"), unit: "s", targets: [prom(quantile(0.5, "citybrain_alert_batch_seconds"), "p50", "A"), prom(quantile(0.99, "citybrain_alert_batch_seconds"), "p99", "B")], min: 0 }),
      chart({ title: say("State of the engine", "引擎状态大小"), unit: "bytes", targets: [prom(`sum by (instance) (${figure("citybrain_alert_snapshot_bytes")})`, "{{instance}}")], min: 0 }),
    ];
  },
};
