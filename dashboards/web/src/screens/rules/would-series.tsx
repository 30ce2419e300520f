/** The readings of what would have raised alerts, with the marks where it would. */
import { useMemo } from "preact/hooks";
import { api } from "../../api/client";
import type { Aggregates, Metric, Readings } from "../../api/types";
import { seriesOf } from "../../charts/device-chart";
import { iso } from "../../charts/ranges";
import { fromBuckets, EMPTY_SERIES, type ChartSeries } from "../../charts/series";
import { WouldChart, type WouldMark } from "../../charts/would-chart";
import { number } from "../../format/number";
import { t } from "../../i18n";
import type { Would } from "../../rulefile/trial";
import { metricOf } from "../../state/city";
import { useResource } from "../../state/resource";
import { ResourceView } from "../../ui/resource-view";
import { subjectName } from "./backtest-result";

const STEPS_S = [60, 300, 900, 3600, 10_800, 86_400];

interface Props {
  alerts: readonly Would[];
  /** What the rule is about, for alerts about zones, which do not say it. */
  about: string | null;
  from: number;
  to: number;
}

export function WouldSeries({ alerts, about, from, to }: Props) {
  const subject = alerts[0]?.subject;
  const metric = subject?.type === "series" ? subject.metric : null;
  const resource = useResource(metric === null || subject?.type !== "series" ? null : `would|${JSON.stringify(subject)}|${from}|${to}`, (signal) =>
    api.readings({ device: subject?.type === "series" ? subject.device : null, metric, from: iso(from), to: iso(to) }, signal),
  );
  const marks = useMemo((): WouldMark[] => alerts.map((alert) => ({ from: Date.parse(alert.fired_at), to: alert.resolved_at === null ? null : Date.parse(alert.resolved_at), severity: alert.severity, change: alert.change })), [alerts]);
  const limit = useMemo(() => {
    const own = alerts.find((alert) => alert.change !== "lost" && alert.limit !== null);
    return own?.limit == null || metric === null ? null : { value: own.limit, label: `${t("chart.limit")} ${number(own.limit, Number.isInteger(own.limit) ? 0 : 2)}`, colour: `${own.severity}-line` };
  }, [alerts, metric]);
  if (!subject) return null;
  const name = subjectName({ subject });
  const chart: Chart = (series, measured) => (
    <div class="chart-tall would-chart">
      <WouldChart name={name} series={series} from={from} to={to} symbol={measured?.symbol ?? ""} decimals={measured?.decimals ?? 1} limit={plausible(series, limit)} marks={marks} />
    </div>
  );
  if (subject.type === "zone") return <ZoneMarks zone={subject.zone} metric={about} from={from} to={to} chart={chart} />;
  if (metric === null) return chart(EMPTY_SERIES, undefined);
  return (
    <ResourceView resource={resource} compact>
      {(readings: Readings) => chart(seriesOf(readings, null), metricOf(metric))}
    </ResourceView>
  );
}

/** A limit of a computed value (a rate, a surprise) does not belong on the axis of the readings. */
function plausible<Limit extends { value: number } | null>(series: ChartSeries, limit: Limit): Limit | null {
  const values = [...series.value, ...(series.band?.max ?? [])].filter((value): value is number => value !== null);
  if (limit === null || values.length === 0) return null;
  const [low, high] = values.reduce(([min, max], value) => [Math.min(min, value), Math.max(max, value)] as const, [Infinity, -Infinity] as const);
  const room = Math.max(high - low, Math.abs(high)) * 1.5;
  return limit.value >= low - room && limit.value <= high + room ? limit : null;
}

type Chart = (series: ChartSeries, measured: Metric | undefined) => preact.ComponentChild;

interface ZoneProps {
  zone: string;
  metric: string | null;
  from: number;
  to: number;
  chart: Chart;
}

/** The mean over the zone; the marks stand alone where nobody knows of what. */
function ZoneMarks({ zone, metric, from, to, chart }: ZoneProps) {
  const step = STEPS_S.find((each) => each >= (to - from) / 1000 / 200) ?? 86_400;
  const resource = useResource(metric === null ? null : `would-zone|${zone}|${metric}|${from}|${to}`, (signal) => api.aggregates({ metric, zone, from: iso(from), to: iso(to), step: `${step}s` }, signal));
  if (metric === null) return <>{chart(EMPTY_SERIES, undefined)}</>;
  return (
    <ResourceView resource={resource} compact>
      {(held: Aggregates) => <>{chart(fromBuckets(held.buckets, held.step_s), metricOf(metric))}</>}
    </ResourceView>
  );
}

