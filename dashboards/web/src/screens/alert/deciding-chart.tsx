/** The series that decided, around the alert: limit line and firing span marked. */
import { useMemo } from "preact/hooks";
import { api } from "../../api/client";
import type { AlertDetail } from "../../api/types";
import { iso } from "../../charts/ranges";
import type { ChartLimit, ChartSpan } from "../../charts/options";
import { DeviceChart } from "../../charts/device-chart";
import { fromBuckets } from "../../charts/series";
import { TimeChart } from "../../charts/time-chart";
import { number } from "../../format/number";
import { t } from "../../i18n";
import { metricName, metricOf } from "../../state/city";
import { serverNow } from "../../state/clock";
import { useResource } from "../../state/resource";
import { ResourceView } from "../../ui/resource-view";

const MINUTE_MS = 60_000;
const LIVE_MS = 10_000;
/** What is shown before and after, at least; a long alert gets a third of its own length. */
const MARGIN_MS = 20 * MINUTE_MS;

export function windowAround(alert: Pick<AlertDetail, "started_at" | "resolved_at">, nowMs: number): { from: number; to: number } {
  const start = Date.parse(alert.started_at);
  const end = alert.resolved_at === null ? nowMs : Date.parse(alert.resolved_at);
  const margin = Math.max(MARGIN_MS, (end - start) / 3);
  return { from: start - margin, to: Math.min(end + margin, nowMs) };
}

export function DecidingChart({ alert }: { alert: AlertDetail }) {
  const { subject, metric } = alert;
  const decimals = metricOf(metric)?.decimals ?? 1;
  const limit: ChartLimit | null =
    alert.limit === null ? null : { value: alert.limit, label: `${t("chart.limit")} ${number(alert.limit, decimals)} ${alert.unit ?? ""}`, colour: `${alert.severity}-line` };
  const span: ChartSpan = {
    from: Date.parse(alert.fired_at),
    to: alert.resolved_at === null ? serverNow() : Date.parse(alert.resolved_at),
    label: t("alert.chart.span"),
    colour: alert.severity,
  };
  if (metric === null) return <p class="state">{t("alert.chart.none")}</p>;
  if (subject.type === "zone") return <ZoneSeries alert={alert} zone={subject.zone} metric={metric} limit={limit} span={span} />;
  return (
    <div class="chart-tall">
      <DeviceChart
        device={subject.device}
        metric={metric}
        intervalS={null}
        windowKey={`alert|${alert.id}|${alert.resolved_at ?? ""}`}
        window={() => windowAround(alert, serverNow())}
        {...(alert.resolved_at === null && { everyMs: LIVE_MS })}
        limit={limit}
        span={span}
      />
    </div>
  );
}

interface ZoneSeriesProps {
  alert: AlertDetail;
  zone: string;
  metric: string;
  limit: ChartLimit | null;
  span: ChartSpan;
}

function ZoneSeries({ alert, zone, metric, limit, span }: ZoneSeriesProps) {
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
              limit={limit}
              span={span}
            />
          )
        }
      </ResourceView>
    </div>
  );
}

/** Whole minutes, so that there are about two hundred steps. */
function stepFor(lengthMs: number): string {
  return `${Math.max(1, Math.round(lengthMs / MINUTE_MS / 200))}m`;
}
