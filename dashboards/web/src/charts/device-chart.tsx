/** One series of one device over time. */
import { useMemo } from "preact/hooks";
import { api } from "../api/client";
import type { Readings } from "../api/types";
import { t } from "../i18n";
import { metricName, metricOf } from "../state/city";
import { useResource } from "../state/resource";
import { ResourceView } from "../ui/resource-view";
import type { ChartLimit, ChartSpan } from "./options";
import { EMPTY_SERIES, fromBuckets, fromRaw, type ChartSeries } from "./series";
import { iso } from "./ranges";
import type { Usual } from "./usual";
import { TimeChart } from "./time-chart";

export interface DeviceChartProps {
  device: string;
  metric: string;
  intervalS: number | null;
  /** Names the window: it is computed when loading, so that it moves on with time. */
  windowKey: string;
  window(): { from: number; to: number };
  everyMs?: number;
  limit?: ChartLimit | null;
  otherLimits?: readonly ChartLimit[];
  span?: ChartSpan | null;
  usual?: Usual | null;
}

export function DeviceChart(props: DeviceChartProps) {
  const { device, metric } = props;
  const resource = useResource(
    `${device}|${metric}|${props.windowKey}`,
    async (signal) => {
      const { from, to } = props.window();
      const readings = await api.readings({ device, metric, from: iso(from), to: iso(to) }, signal);
      return { readings, from, to };
    },
    props.everyMs === undefined ? {} : { everyMs: props.everyMs },
  );
  const { data } = resource;
  const series = useMemo(() => (data ? seriesOf(data.readings, props.intervalS) : EMPTY_SERIES), [data, props.intervalS]);
  return (
    <ResourceView resource={resource} compact>
      {(held) => (
        <>
          <TimeChart
            name={metricName(metric)}
            series={series}
            from={held.from}
            to={held.to}
            symbol={held.readings.symbol}
            decimals={metricOf(metric)?.decimals ?? 1}
            limit={props.limit ?? null}
            {...(props.otherLimits && { otherLimits: props.otherLimits })}
            span={props.span ?? null}
            usual={props.usual ?? null}
          />
          {held.readings.truncated && <p class="note">{t("chart.truncated")}</p>}
        </>
      )}
    </ResourceView>
  );
}

export function seriesOf(readings: Readings, intervalS: number | null): ChartSeries {
  if (readings.raw) return fromRaw(readings.raw, intervalS);
  return readings.buckets && readings.step_s !== null ? fromBuckets(readings.buckets, readings.step_s) : EMPTY_SERIES;
}
