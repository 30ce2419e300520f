/** The series that decided, around the alert: limit line and firing span marked. */
import { useMemo } from "preact/hooks";
import { alertWork } from "../../api/alerts";
import { api } from "../../api/client";
import type { AlertDetail, RuleWithLimits } from "../../api/types";
import { iso } from "../../charts/ranges";
import type { ChartSpan } from "../../charts/options";
import { DeviceChart } from "../../charts/device-chart";
import { fromBuckets } from "../../charts/series";
import { DAY_MS, expectedOf, LEAST_DAYS, usualOf, usualStep, type Usual } from "../../charts/usual";
import { TimeChart } from "../../charts/time-chart";
import { t } from "../../i18n";
import { metricName, metricOf } from "../../state/city";
import { serverNow } from "../../state/clock";
import { useResource } from "../../state/resource";
import { Loading, ResourceView } from "../../ui/resource-view";
import { NO_LIMITS, isOfReadings, limitsOf, type Limits } from "./limits";

const MINUTE_MS = 60_000;
const LIVE_MS = 10_000;
/** What is shown before and after, at least; a long alert gets a third of its own length. */
const MARGIN_MS = 5 * MINUTE_MS;
/** So many readings are shown before and after, at least. */
const MARGIN_READINGS = 12;
/** The same, around the reading of a recorded alert, whose end in recorded time is not known. */
const RECORDED_READINGS = 48;
const RECORDED_MARGIN_MS = 60 * MINUTE_MS;
/** A decision so much later than its reading was made on recorded or long delayed data. */
const RECORDED_AFTER_MS = 60 * MINUTE_MS;

type Times = Pick<AlertDetail, "started_at" | "resolved_at" | "reading_time" | "updated_at">;

/** The time of the deciding reading, when it is of another time than the decision; else null. */
export function recordedAt(alert: Times): number | null {
  if (alert.reading_time === null) return null;
  const reading = Date.parse(alert.reading_time);
  return Date.parse(alert.updated_at) - reading > RECORDED_AFTER_MS && Date.parse(alert.started_at) - reading > RECORDED_AFTER_MS ? reading : null;
}

export function windowAround(alert: Times, nowMs: number, intervalS: number | null = null): { from: number; to: number } {
  const interval = (intervalS ?? 0) * 1000;
  const reading = recordedAt(alert);
  if (reading !== null) {
    const margin = Math.max(RECORDED_MARGIN_MS, RECORDED_READINGS * interval);
    return { from: reading - margin, to: reading + margin };
  }
  const start = Date.parse(alert.started_at);
  const end = alert.resolved_at === null ? nowMs : Date.parse(alert.resolved_at);
  const margin = Math.max(MARGIN_MS, MARGIN_READINGS * interval, (end - start) / 3);
  return { from: start - margin, to: Math.min(end + margin, nowMs) };
}

function spanOf(alert: AlertDetail): ChartSpan {
  const reading = recordedAt(alert);
  if (reading !== null) return { from: reading, to: reading, label: t("alert.chart.reading"), colour: alert.severity };
  const to = alert.resolved_at === null ? serverNow() : Date.parse(alert.resolved_at);
  return { from: Date.parse(alert.fired_at), to, label: t("alert.chart.span"), colour: alert.severity };
}

export function DecidingChart({ alert, rule }: { alert: AlertDetail; rule: RuleWithLimits | null }) {
  const { subject, metric } = alert;
  if (metric === null) return <p class="state">{t("alert.chart.none")}</p>;
  const ofReadings = isOfReadings(alert, metricOf(metric)?.symbol);
  const limits = ofReadings ? limitsOf(alert, rule, metricOf(metric)?.decimals ?? 1) : NO_LIMITS;
  return (
    <>
      {subject.type === "zone" ? (
        <ZoneSeries alert={alert} zone={subject.zone} metric={metric} limits={limits} span={spanOf(alert)} />
      ) : (
        <DeviceSeries alert={alert} device={subject.device} metric={metric} limits={limits} span={spanOf(alert)} expects={rule?.kind === EXPECTING} />
      )}
      {!ofReadings && alert.limit !== null && <p class="chart-legend muted">{t("alert.chart.no_line")}</p>}
    </>
  );
}

interface DeviceSeriesProps {
  alert: AlertDetail;
  device: string;
  metric: string;
  limits: Limits;
  span: ChartSpan;
  /** Whether the rule expects something of each reading, and can tell what. */
  expects: boolean;
}

function DeviceSeries({ alert, device, metric, limits, span, expects }: DeviceSeriesProps) {
  const about = useResource(`alert-device|${device}`, (signal) => api.device(device, signal));
  const known = !about.loading;
  const intervalS = about.data?.interval_s ?? null;
  const usual = useResource(known ? `usual|${alert.id}|${expects}` : null, async (signal) => {
    const shown = windowAround(alert, serverNow(), intervalS);
    const expected = expects ? await loadExpected(alert, shown.to, intervalS, signal) : null;
    return expected ?? loadUsual(device, metric, shown, intervalS, signal);
  });
  // A device that the registry no longer has may still have readings.
  if (!known) return <Loading />;
  return (
    <>
      <div class="chart-tall">
        <DeviceChart
          device={device}
          metric={metric}
          intervalS={intervalS}
          windowKey={`alert|${alert.id}|${alert.resolved_at ?? ""}`}
          window={() => windowAround(alert, serverNow(), intervalS)}
          {...(alert.resolved_at === null && { everyMs: LIVE_MS })}
          limit={limits.limit}
          otherLimits={limits.others}
          span={span}
          usual={usual.data}
        />
      </div>
      <p class="chart-legend muted">
        {usual.data !== null ? <><span class="usual-key" /> {usual.data.days === 0 ? t("chart.expected") : t("chart.usual", { n: usual.data.days })}</> : usual.loading ? t("state.loading") : t("chart.usual.none", { n: LEAST_DAYS })}
      </p>
    </>
  );
}

/** The kind of rules that say what they expected. */
const EXPECTING = "anomaly";
const MOST_STEPS = 1000;

/** What the rule expected, as it makes it out again from what is stored; null where it cannot. */
async function loadExpected(alert: AlertDetail, to: number, intervalS: number | null, signal: AbortSignal): Promise<Usual | null> {
  const found = await alertWork.explain(alert.id, signal, { at: iso(to), limit: MOST_STEPS });
  return expectedOf(found.steps, intervalS);
}

const DAYS_BACK = 7;

/** The same hours of the days before; a firing alert's window is some minutes long and grows only slowly. */
async function loadUsual(device: string, metric: string, { from, to }: { from: number; to: number }, intervalS: number | null, signal: AbortSignal): Promise<Usual | null> {
  const end = to + MARGIN_MS;
  const step = usualStep(end - from, intervalS);
  const before = await Promise.all(
    Array.from({ length: DAYS_BACK }, async (_, n) => {
      const back = (n + 1) * DAY_MS;
      return (await api.readings({ device, metric, from: iso(from - back), to: iso(end - back), step: `${step}s` }, signal)).buckets;
    }),
  );
  const none = { start: [], count: [], min: [], mean: [], max: [], flagged: [] };
  return usualOf(before.map((buckets) => buckets ?? none), step);
}

interface ZoneSeriesProps {
  alert: AlertDetail;
  zone: string;
  metric: string;
  limits: Limits;
  span: ChartSpan;
}

function ZoneSeries({ alert, zone, metric, limits, span }: ZoneSeriesProps) {
  const resource = useResource(
    `alert-zone|${alert.id}|${alert.resolved_at ?? ""}`,
    async (signal) => {
      const { from, to } = windowAround(alert, serverNow());
      const aggregates = await api.aggregates({ metric, zone, kind: alert.kind, from: iso(from), to: iso(to), step: stepFor(to - from) }, signal);
      return { aggregates, from, to };
    },
    alert.resolved_at === null ? { everyMs: LIVE_MS } : {},
  );
  const series = useMemo(() => (resource.data ? fromBuckets(resource.data.aggregates.buckets, resource.data.aggregates.step_s) : null), [resource.data]);
  return (
    <div class="chart-tall">
      <ResourceView resource={resource} compact>
        {(held) =>
          series && (
            <TimeChart
              name={metricName(metric)}
              series={series}
              from={held.from}
              to={held.to}
              symbol={held.aggregates.symbol}
              decimals={Math.max(1, metricOf(metric)?.decimals ?? 1)}
              limit={limits.limit}
              otherLimits={limits.others}
              span={span}
            />
          )
        }
      </ResourceView>
    </div>
  );
}

const STEPS_S = [10, 30, 60, 300, 900, 3600, 10_800];

/** So that there are at most about two hundred steps. */
function stepFor(lengthMs: number): string {
  const least = lengthMs / 1000 / 200;
  return `${STEPS_S.find((step) => step >= least) ?? 86_400}s`;
}
