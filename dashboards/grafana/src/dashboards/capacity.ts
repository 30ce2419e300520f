/** How long the machine will do: disk, memory, processors, descriptors, and what grows. */
import { chart, stat } from "../panels";
import { figure, perSecond, prom, promNow } from "../queries";
import type { Part } from "../part";

const FREE = figure("citybrain_data_disk_free_bytes");
const SIZE = figure("citybrain_data_disk_size_bytes");

export const capacity: Part = {
  id: "capacity",
  title: (say) => say("Capacity", "容量"),
  from: "now-7d",
  refresh: "5m",
  variables: ["instance"],
  panels: ({ say }) => [
    { heading: say("Disk", "磁盘") },
    stat({ title: say("Free", "剩余空间"), unit: "percentunit", targets: [prom(`min(${FREE} / ${SIZE})`)], graph: true, decimals: 1, limits: [{ from: 0, colour: "red" }, { from: 0.05, colour: "orange" }, { from: 0.2, colour: "green" }] }),
    stat({
      title: say("Full in", "预计写满"),
      why: say("By the course of the last day; nothing if the disk does not fill.", "按近一日的走势推算；不增长时不显示。"),
      unit: "s",
      targets: [promNow(`min(${FREE} / (-deriv(${FREE}[1d]) > 0))`)],
      limits: [{ from: 0, colour: "red" }, { from: 259200, colour: "orange" }, { from: 2592000, colour: "green" }],
      noValue: say("does not fill", "无增长"),
    }),
    stat({ title: say("The store's files", "存储文件"), unit: "bytes", targets: [prom(`sum(${figure("citybrain_store_disk_bytes")})`)], graph: true }),
    stat({ title: say("Growth a day", "每日增长"), unit: "bytes", targets: [promNow(`sum(delta(${figure("citybrain_store_disk_bytes")}[1d]))`)] }),
    stat({ title: say("Bytes a reading", "每条读数字节"), decimals: 2, targets: [promNow(`sum(${figure("citybrain_store_disk_bytes")}) / sum(${figure("citybrain_store_readings")})`)] }),
    stat({ title: say("Series", "序列"), targets: [prom(`sum(${figure("citybrain_store_series")})`)], decimals: 0, graph: true }),
    chart({ title: say("Free space, and in three days by its course", "剩余空间及三日后预测"), unit: "bytes", targets: [prom(`min by (instance) (${FREE})`, say("{{instance}}: free", "{{instance}}：剩余"), "A"), prom(`min by (instance) (predict_linear(${FREE}[6h], 3 * 86400))`, say("{{instance}}: in three days", "{{instance}}：三日后"), "B")], width: 12 }),
    chart({ title: say("What takes the room", "空间占用"), unit: "bytes", targets: [
      prom(`sum(${figure("citybrain_store_disk_bytes")})`, say("store", "存储"), "A"),
      prom(`sum(${figure("citybrain_store_log_bytes")})`, say("log, not sealed yet", "未封存的日志"), "B"),
      prom(`sum(${figure("citybrain_store_dead_letter_bytes")})`, say("dead letters", "死信"), "C"),
      prom(`sum(${figure("citybrain_influxdb_spool_bytes")})`, say("spool before InfluxDB", "InfluxDB 本地队列"), "D"),
    ], min: 0, width: 12 }),
    chart({ title: say("Readings that are stored", "已存读数"), targets: [prom(`sum(${figure("citybrain_store_readings")})`, say("readings", "读数"))], min: 0, width: 12 }),
    chart({ title: say("Dead letters that are kept", "保留的死信"), targets: [prom(`sum(${figure("citybrain_store_dead_letters")})`, say("kept", "保留"), "A"), prom(`3600 * sum(${perSecond("citybrain_store_dead_letters_dropped_total")})`, say("dropped per hour", "每小时丢弃"), "B")], min: 0, width: 12 }),

    { heading: say("Machine", "主机") },
    chart({ title: say("Processors in use", "占用处理器核数"), decimals: 2, targets: [prom(`sum by (instance) (${perSecond("process_cpu_seconds_total")})`, "{{instance}}")], min: 0 }),
    chart({ title: say("Memory", "内存"), unit: "bytes", targets: [prom(`sum by (instance) (${figure("process_resident_memory_bytes")})`, say("{{instance}}: resident", "{{instance}}：常驻"), "A"), prom(`sum by (instance) (${figure("process_virtual_memory_bytes")})`, say("{{instance}}: virtual", "{{instance}}：虚拟"), "B")], min: 0 }),
    chart({ title: say("File descriptors in use", "文件描述符占用"), unit: "percentunit", targets: [prom(`max by (instance) (${figure("process_open_fds")} / ${figure("process_max_fds")})`, "{{instance}}")], limits: [{ from: 0.85, colour: "red" }], min: 0, max: 1 }),
    chart({ title: say("Threads", "线程"), decimals: 0, targets: [prom(`sum by (instance) (${figure("process_threads")})`, "{{instance}}")], min: 0 }),
    chart({ title: say("Restarts a day", "每日重启"), decimals: 0, targets: [prom(`sum by (instance) (changes(${figure("process_start_time_seconds")}[1d]))`, "{{instance}}")], min: 0 }),
    chart({ title: say("Load that comes in", "接入负载"), targets: [prom(`sum(${perSecond("citybrain_pipeline_readings_total")})`, say("readings per second", "每秒读数"), "A"), prom(`sum(${figure("citybrain_endpoint_open_connections")})`, say("open connections", "在线连接"), "B")], min: 0 }),
  ],
};
