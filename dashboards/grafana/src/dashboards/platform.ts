/** Whether citybrain itself is well: from the messages that come in to the pages that go out. */
import { bars, chart, meanings, stat, table } from "../panels";
import { figure, perSecond, prom, promNow, promRows, quantile } from "../queries";
import type { Part } from "../part";

const by = (label: string, expr: string) => `sum by (${label}) (${expr})`;

export const platform: Part = {
  id: "platform",
  title: (say) => say("Platform health", "平台健康"),
  from: "now-6h",
  refresh: "30s",
  variables: ["instance"],
  panels: ({ say }) => {
    const works = meanings([{ value: 0, text: say("works", "正常"), colour: "green" }, { value: 1, text: say("fails", "失败"), colour: "red" }]);
    const linked = meanings([{ value: 1, text: say("connected", "已连接"), colour: "green" }, { value: 0, text: say("away", "断开"), colour: "red" }]);
    const wrong = [{ from: 1, colour: "red" }] as const;
    return [
      { heading: say("At a glance", "概况") },
      stat({ title: say("Answers", "在线"), targets: [promNow(`min(up{job="citybrain",instance=~"$instance"})`)], mappings: meanings([{ value: 1, text: say("yes", "是"), colour: "green" }, { value: 0, text: say("no", "否"), colour: "red" }]) }),
      stat({ title: say("Runs since", "运行时长"), targets: [promNow(`min(time() - ${figure("process_start_time_seconds")})`)], unit: "s" }),
      stat({ title: say("Store", "存储"), targets: [promNow(`max(${figure("citybrain_pipeline_commit_failing")})`)], mappings: works, limits: wrong }),
      stat({ title: say("Alert engine", "告警引擎"), targets: [promNow(`max(${figure("citybrain_alert_engine_failing")})`)], mappings: works, limits: wrong }),
      stat({ title: say("Rules are behind by", "规则滞后"), why: say("Age of the oldest message that the alert engine has not been handed.", "尚未交给告警引擎的最早消息的时长。"), targets: [prom(`max(${figure("citybrain_pipeline_oldest_open_seconds")})`)], unit: "s", graph: true, limits: [{ from: 10, colour: "red" }] }),
      stat({ title: say("Audit log: failures in a day", "审计日志：近一日失败"), targets: [promNow(`sum(increase(${figure("citybrain_audit_failures_total")}[1d]))`)], decimals: 0, limits: wrong }),
      table({ title: say("Versions", "版本"), targets: [promRows(figure("citybrain_build_info"))], columns: { instance: say("Instance", "实例"), version: say("Version", "版本") }, width: 12, height: 5 }),
      table({ title: say("Brokers", "消息服务器"), targets: [promRows(figure("citybrain_broker_connected"))], columns: { instance: say("Instance", "实例"), broker: say("Broker", "消息服务器"), Value: say("State", "状态") }, mappings: { Value: linked }, width: 12, height: 5 }),

      { heading: say("Ingest", "接入") },
      chart({ title: say("Messages that became durable, per second", "每秒落盘消息"), targets: [prom(by("instance", perSecond("citybrain_pipeline_messages_total")), "{{instance}}")], min: 0 }),
      chart({ title: say("Readings per second", "每秒读数"), targets: [prom(by("outcome", perSecond("citybrain_pipeline_readings_total")), "{{outcome}}")], min: 0, stacked: true }),
      chart({ title: say("Dead letters per minute", "每分钟死信"), targets: [prom(`60 * ${by("reason", perSecond("citybrain_pipeline_dead_letters_total"))}`, "{{reason}}")], min: 0, stacked: true }),
      chart({ title: say("In flight", "处理中"), why: say("Messages that were taken and are not durable yet.", "已接收但尚未落盘的消息。"), targets: [prom(by("instance", figure("citybrain_pipeline_in_flight")), "{{instance}}")], min: 0, decimals: 0 }),
      chart({ title: say("Time until a commit is on the disk", "提交落盘耗时"), unit: "s", targets: [prom(quantile(0.5, "citybrain_pipeline_commit_seconds"), "p50", "A"), prom(quantile(0.99, "citybrain_pipeline_commit_seconds"), "p99", "B")], limits: [{ from: 0.25, colour: "yellow" }], min: 0 }),
      chart({ title: say("Never came, by the numbers that devices skipped", "按跳号推算未到达的消息"), targets: [prom(`sum(${figure("citybrain_ledger_missed")})`, say("messages", "消息"))], min: 0, decimals: 0 }),
      chart({ title: say("The ledger: received = stored + duplicate + dead letters", "账目：接收 = 入库 + 重复 + 死信"), why: say("Per second. The last line is what is missing; it is zero but for what is in flight.", "每秒。最后一条为差额，除处理中的消息外应为零。"), targets: [
        prom(`sum(${perSecond("citybrain_ledger_received_total")})`, say("received", "接收"), "A"),
        prom(`sum(${perSecond("citybrain_ledger_stored_total")})`, say("stored", "入库"), "B"),
        prom(`sum(${perSecond("citybrain_ledger_duplicate_total")})`, say("duplicate", "重复"), "C"),
        prom(`sum(${perSecond("citybrain_ledger_dead_lettered_total")})`, say("dead letters", "死信"), "D"),
        prom(`sum(${figure("citybrain_ledger_received_total")}) - sum(${figure("citybrain_ledger_stored_total")}) - sum(${figure("citybrain_ledger_duplicate_total")}) - sum(${figure("citybrain_ledger_dead_lettered_total")})`, say("missing in all", "差额合计"), "E"),
      ], width: 24 }),

      { heading: say("Devices at the MQTT endpoint", "MQTT 接入端") },
      chart({ title: say("Open connections", "在线连接"), targets: [prom(by("instance", figure("citybrain_endpoint_open_connections")), "{{instance}}")], min: 0, decimals: 0 }),
      chart({ title: say("Messages per second", "每秒消息"), targets: [prom(`sum(${perSecond("citybrain_endpoint_messages_total")})`, say("received", "接收"), "A"), prom(`sum(${perSecond("citybrain_endpoint_acknowledged_total")})`, say("acknowledged", "已确认"), "B")], min: 0 }),
      chart({ title: say("Refused, per minute", "每分钟拒绝"), targets: [
        prom(`60 * sum(${perSecond("citybrain_endpoint_failed_logins_total")})`, say("wrong credentials", "凭证错误"), "A"),
        prom(`60 * sum(${perSecond("citybrain_endpoint_limited_connections_total")})`, say("over a limit", "超出限制"), "B"),
        prom(`60 * sum(${perSecond("citybrain_endpoint_refused_messages_total")})`, say("messages without right", "无权限的消息"), "C"),
        prom(`60 * sum(${perSecond("citybrain_endpoint_violations_total")})`, say("broke the protocol", "违反协议"), "D"),
        prom(`60 * sum(${perSecond("citybrain_endpoint_throttled_total")})`, say("slowed down", "被限速"), "E"),
      ], min: 0 }),
      chart({ title: say("Bytes per second", "每秒字节"), unit: "Bps", targets: [prom(by("instance", perSecond("citybrain_endpoint_bytes_total")), "{{instance}}")], min: 0 }),
      chart({ title: say("Commands per minute", "每分钟指令"), targets: [
        prom(`60 * sum(${perSecond("citybrain_endpoint_commands_total")})`, say("given", "下发"), "A"),
        prom(`60 * sum(${perSecond("citybrain_endpoint_commands_acknowledged_total")})`, say("answered", "已应答"), "B"),
        prom(`60 * sum(${perSecond("citybrain_endpoint_commands_dropped_total")})`, say("given up", "已放弃"), "C"),
      ], min: 0 }),
      chart({ title: say("From brokers, per second", "来自消息服务器（每秒）"), targets: [
        prom(by("broker", perSecond("citybrain_collector_messages_total")), "{{broker}}", "A"),
        prom(by("broker", perSecond("citybrain_collector_dropped_total")), say("{{broker}}: dropped", "{{broker}}：丢弃"), "B"),
        prom(by("broker", perSecond("citybrain_collector_overflows_total")), say("{{broker}}: overflow", "{{broker}}：溢出断开"), "C"),
      ], min: 0 }),
      chart({ title: say("HJ 212 frames per minute", "HJ 212 帧（每分钟）"), targets: [
        prom(`60 * sum(${perSecond("citybrain_hj212_frames_total")})`, say("received", "接收"), "A"),
        prom(`60 * sum(${perSecond("citybrain_hj212_answered_total")})`, say("answered", "已应答"), "B"),
        prom(`60 * sum(${perSecond("citybrain_hj212_bad_checksums_total")})`, say("wrong checksum", "校验错误"), "C"),
        prom(`60 * sum(${perSecond("citybrain_hj212_refused_frames_total")})`, say("wrong password", "口令错误"), "D"),
      ], min: 0, width: 24 }),

      { heading: say("InfluxDB, where it is the store", "InfluxDB（作为存储时）") },
      stat({ title: say("Takes readings", "接受读数"), targets: [promNow(`max(${figure("citybrain_influxdb_in_trouble")})`)], mappings: works, limits: wrong, noValue: say("not used", "未使用") }),
      stat({ title: say("Oldest that waits", "最早等待"), targets: [prom(`max(${figure("citybrain_influxdb_oldest_waiting_seconds")})`)], unit: "s", graph: true, noValue: say("not used", "未使用") }),
      chart({ title: say("Confirmed per second", "每秒确认"), targets: [prom(by("server", perSecond("citybrain_influxdb_forwarded_total")), "{{server}}", "A"), prom(by("server", perSecond("citybrain_influxdb_rejected_total")), say("{{server}}: refused", "{{server}}：拒绝"), "B"), prom(by("server", perSecond("citybrain_influxdb_retries_total")), say("{{server}}: again", "{{server}}：重试"), "C")], min: 0 }),
      chart({ title: say("Spool", "本地队列"), unit: "percentunit", targets: [prom(`${figure("citybrain_influxdb_spool_bytes")} / ${figure("citybrain_influxdb_spool_limit_bytes")}`, "{{server}}")], limits: [{ from: 0.7, colour: "red" }], min: 0, max: 1 }),

      { heading: say("HTTP", "HTTP 服务") },
      chart({ title: say("Requests per second, by status", "每秒请求（按状态）"), targets: [prom(by("status", perSecond("citybrain_http_requests_total")), "{{status}}")], min: 0, stacked: true }),
      chart({ title: say("Time to the head of an answer", "应答首部耗时"), unit: "s", targets: [prom(quantile(0.5, "citybrain_http_request_duration_seconds"), "p50", "A"), prom(quantile(0.95, "citybrain_http_request_duration_seconds"), "p95", "B"), prom(quantile(0.99, "citybrain_http_request_duration_seconds"), "p99", "C")], min: 0 }),
      bars({ title: say("Slowest routes (p95)", "最慢的接口（p95）"), unit: "s", targets: [promNow(`topk(8, ${quantile(0.95, "citybrain_http_request_duration_seconds", ["method", "route"])})`, "{{method}} {{route}}")] }),
      chart({ title: say("Connections and live pages", "连接与实时页面"), targets: [prom(`sum(${figure("citybrain_http_connections")})`, say("connections", "连接"), "A"), prom(`sum(${figure("citybrain_http_stream_clients")})`, say("live pages", "实时页面"), "B")], min: 0, decimals: 0 }),
      chart({ title: say("Refused for load, per minute", "因负载拒绝（每分钟）"), targets: [prom(`60 * ${by("class, used_up", perSecond("citybrain_http_requests_refused_total"))}`, "{{class}}: {{used_up}}", "A"), prom(`60 * ${by("full", perSecond("citybrain_http_connections_refused_total"))}`, say("connections: {{full}}", "连接：{{full}}"), "B")], min: 0 }),
      chart({ title: say("Connections ended for waiting, per minute", "因等待过久断开（每分钟）"), targets: [prom(`60 * ${by("waited_for", perSecond("citybrain_http_connections_ended_total"))}`, "{{waited_for}}")], min: 0 }),

      { heading: say("Certificates and the clock", "证书与时钟") },
      bars({ title: say("Days until certificates expire", "证书剩余天数"), unit: "d", decimals: 0, targets: [promNow(`(${figure("citybrain_tls_certificate_expiry_timestamp_seconds")} - time()) / 86400`, "{{certificate}}")], limits: [{ from: 0, colour: "red" }, { from: 2, colour: "orange" }, { from: 21, colour: "green" }], width: 12 }),
      stat({ title: say("Certificate of the HTTP server", "HTTP 服务证书"), why: say("Days until the certificate in use ends.", "正在使用的证书剩余天数。"), unit: "d", decimals: 0, targets: [promNow(`(min(${figure("citybrain_http_certificate_expiry_timestamp_seconds")}) - time()) / 86400`)], limits: [{ from: 0, colour: "red" }, { from: 21, colour: "green" }], width: 4, height: 8, noValue: say("no TLS", "未启用 TLS") }),
      stat({ title: say("Reading it again", "证书重新加载"), targets: [promNow(`max(${figure("citybrain_http_certificate_reload_failing")})`)], mappings: works, limits: wrong, width: 4, height: 8, noValue: say("no TLS", "未启用 TLS") }),
      stat({ title: say("The clock is off by", "时钟偏差"), why: say("Against the clock of Prometheus.", "与 Prometheus 的时钟相比。"), unit: "s", decimals: 1, targets: [prom(`max(abs(${figure("citybrain_clock_timestamp_seconds")} - timestamp(${figure("citybrain_clock_timestamp_seconds")})))`)], limits: [{ from: 5, colour: "red" }], width: 4, height: 8 }),
    ];
  },
};
