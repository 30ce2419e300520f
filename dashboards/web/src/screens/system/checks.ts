/** What is examined of the platform, and what each finding means. Pure. */
import { total, type BrokerStatus, type Loss, type Samples } from "../../api/platform";
import type { System } from "../../api/types";
import { number } from "../../format/number";
import { age, date, span } from "../../format/time";
import { t } from "../../i18n";

export type Verdict = "good" | "warn" | "bad" | "unknown";

export interface Check {
  id: "store" | "alerts" | "rules" | "brokers" | "receivers" | "books" | "flow" | "devices" | "backlog" | "disk" | "clock" | "certificate" | "stream";
  verdict: Verdict;
  text: string;
}

export interface Findings {
  system: (System & { brokers?: BrokerStatus[] }) | null;
  samples: Samples | null;
  loss: Loss | null;
  /** How far this computer's clock is behind the server's, in milliseconds. */
  clockOffMs: number;
  streamLive: boolean;
  nowMs: number;
}

/** Nothing for so long is unusual in a city. */
const QUIET_S = 60;
const SILENT_S = 600;
const FEW_ONLINE = 0.9;
const BACKLOG_S = { warn: 5, bad: 60 } as const;
const DISK_FREE = { warn: 0.1, bad: 0.03 } as const;
const CLOCK_MS = { warn: 2_000, bad: 60_000 } as const;
const CERTIFICATE_DAYS = { warn: 30, bad: 7 } as const;

/** Worst first, and what could not be examined last but the good. */
export function checksOf(findings: Findings): Check[] {
  const order: readonly Verdict[] = ["bad", "warn", "unknown", "good"];
  return [...examine(findings)].sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
}

function* examine({ system, samples, loss, clockOffMs, streamLive, nowMs }: Findings): Generator<Check> {
  const unknown = t("check.unknown");
  if (system === null) return yield { id: "store", verdict: "unknown", text: unknown };
  yield failing("store", system.commits_failing);
  yield failing("alerts", system.alerts_failing);
  const [problem] = system.rule_problems;
  yield problem === undefined ? { id: "rules", verdict: "good", text: t("check.rules.good") } : { id: "rules", verdict: "bad", text: t("link.rule_problems", { count: system.rule_problems.length, why: problem.split("\n")[0] ?? "" }) };
  yield brokers(system.brokers ?? []);
  const lost = system.receivers.filter((receiver) => receiver.error !== null);
  yield lost.length === 0 ? { id: "receivers", verdict: "good", text: t("check.receivers.good", { n: number(system.receivers.length) }) } : { id: "receivers", verdict: "warn", text: t("check.receivers.bad", { names: lost.map((each) => each.id).join(", ") }) };
  yield loss === null ? { id: "books", verdict: "unknown", text: unknown } : loss.balanced ? { id: "books", verdict: "good", text: t("check.books.good") } : { id: "books", verdict: "bad", text: t("check.books.bad") };
  yield flow(system, nowMs);
  const share = system.devices === 0 ? 1 : system.devices_online / system.devices;
  yield { id: "devices", verdict: share < FEW_ONLINE ? "warn" : "good", text: t("check.devices", { online: number(system.devices_online), total: number(system.devices), share: number(share * 100, 1) }) };
  const open = total(samples, "pipeline_oldest_open_seconds");
  yield open === null ? { id: "backlog", verdict: "unknown", text: unknown } : { id: "backlog", verdict: open > BACKLOG_S.bad ? "bad" : open > BACKLOG_S.warn ? "warn" : "good", text: open < 1 ? t("check.backlog.none") : t("check.backlog", { age: span(open) }) };
  const [free, size] = [total(samples, "data_disk_free_bytes"), total(samples, "data_disk_size_bytes")];
  yield free === null || !size ? { id: "disk", verdict: "unknown", text: unknown } : { id: "disk", verdict: free / size < DISK_FREE.bad ? "bad" : free / size < DISK_FREE.warn ? "warn" : "good", text: t("check.disk", { free: bytes(free), size: bytes(size), share: number((free / size) * 100) }) };
  const off = Math.abs(clockOffMs);
  yield { id: "clock", verdict: off > CLOCK_MS.bad ? "bad" : off > CLOCK_MS.warn ? "warn" : "good", text: off < CLOCK_MS.warn ? t("check.clock.good") : t("check.clock", { by: span(off / 1000) }) };
  const expiry = total(samples, "http_certificate_expiry_timestamp_seconds");
  if (expiry !== null && expiry > 0) {
    const days = (expiry * 1000 - nowMs) / 86_400_000;
    yield { id: "certificate", verdict: days < CERTIFICATE_DAYS.bad ? "bad" : days < CERTIFICATE_DAYS.warn ? "warn" : "good", text: t("check.certificate", { date: date(expiry * 1000) }) };
  }
  yield { id: "stream", verdict: streamLive ? "good" : "warn", text: t(streamLive ? "check.stream.good" : "check.stream.bad") };
}

function failing(id: "store" | "alerts", why: string | null): Check {
  return why === null ? { id, verdict: "good", text: t(`check.${id}.good`) } : { id, verdict: "bad", text: why };
}

function brokers(all: readonly BrokerStatus[]): Check {
  const lost = all.filter((broker) => !broker.ok);
  if (lost.length > 0) return { id: "brokers", verdict: "bad", text: lost.map((broker) => `${broker.name}: ${broker.error ?? t("check.unknown")}`).join("; ") };
  return { id: "brokers", verdict: "good", text: all.length === 0 ? t("check.brokers.none") : t("check.brokers.good", { n: number(all.length) }) };
}

function flow(system: System, nowMs: number): Check {
  if (system.last_reading_at === null) return { id: "flow", verdict: system.devices === 0 ? "good" : "warn", text: t("figure.none_yet") };
  const quiet = (nowMs - Date.parse(system.last_reading_at)) / 1000;
  return { id: "flow", verdict: quiet > SILENT_S ? "bad" : quiet > QUIET_S ? "warn" : "good", text: t("check.flow", { age: age(system.last_reading_at, nowMs), rate: number(system.readings_per_s, system.readings_per_s < 10 ? 1 : 0) }) };
}

const SIZES = ["B", "kB", "MB", "GB", "TB"] as const;

/** 3.2 GB, in powers of 1,000 as disks are sold. */
export function bytes(count: number): string {
  let [value, at] = [count, 0];
  while (value >= 1000 && at < SIZES.length - 1) {
    value /= 1000;
    at += 1;
  }
  return `${number(value, value < 10 && at > 0 ? 1 : 0)}\u00a0${SIZES[at]}`;
}
