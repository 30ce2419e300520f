/** The mean of a metric over many devices: of the city, or of a zone. */
import { useMemo } from "preact/hooks";
import { api } from "../api/client";
import { metricName, metricOf } from "../state/city";
import { useResource } from "../state/resource";
import { ResourceView } from "../ui/resource-view";
import { fromBuckets } from "./series";
import { iso, refreshMs, stepOf, windowOf, type Range } from "./ranges";
import { TimeChart } from "./time-chart";
import type { Aggregates } from "../api/types";

export interface AggregateWindow {
  aggregates: Aggregates;
  from: number;
  to: number;
}

export function useAggregate(metric: string | null, zone: string | null, range: Range) {
  return useResource<AggregateWindow>(
    metric === null ? null : `${metric}|${zone ?? ""}|${range}`,
    async (signal) => {
      const { from, to } = windowOf(range);
      const aggregates = await api.aggregates({ metric, zone, from: iso(from), to: iso(to), step: stepOf(range) }, signal);
      return { aggregates, from, to };
    },
    { everyMs: refreshMs(range) },
  );
}

export function AggregateChart({ metric, resource }: { metric: string; resource: ReturnType<typeof useAggregate> }) {
  const { data } = resource;
  const series = useMemo(() => (data ? fromBuckets(data.aggregates.buckets, data.aggregates.step_s) : null), [data]);
  return (
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
          />
        )
      }
    </ResourceView>
  );
}
