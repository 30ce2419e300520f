/** The mean of a metric over many devices: of the city, or of a zone. */
import { useMemo } from "preact/hooks";
import { api } from "../api/client";
import type { Aggregates } from "../api/types";
import { metricName, metricOf } from "../state/city";
import { serverNow } from "../state/clock";
import { useResource } from "../state/resource";
import { ResourceView } from "../ui/resource-view";
import { fromBuckets } from "./series";
import { iso, refreshMs, stepOf, windowOf, type ChartWindow, type Range } from "./ranges";
import { TimeChart } from "./time-chart";

export interface AggregateWindow extends ChartWindow {
  aggregates: Aggregates;
  range: Range;
}

interface Wanted {
  metric: string;
  zone: string | null;
  department?: string | null;
}

/** How many devices' newest values are asked for to find the newest of all. */
const NEWEST_OF = 1000;
/** Fewer steps than this tell less than a longer range would. */
const FEW_STEPS = 12;
/** How long a range that the data chose stands before they are asked again, in milliseconds. */
const SETTLED_MS = 600_000;

const settled = new Map<string, { range: Range; at: number }>();

/** `range` null: the longest that the data fill at least by half. */
export function useAggregate(metric: string | null, zone: string | null, range: Range | null, department: string | null = null) {
  const wanted: Wanted = { metric: metric ?? "", zone, department };
  return useResource<AggregateWindow>(
    metric === null ? null : `${keyOf(wanted)}|${range ?? ""}`,
    (signal) => (range === null ? loadFitting(wanted, signal) : load(wanted, range, signal)),
    { everyMs: refreshMs(range) },
  );
}

const keyOf = ({ metric, zone, department }: Wanted) => `${metric}|${zone ?? ""}|${department ?? ""}`;

async function loadFitting(wanted: Wanted, signal: AbortSignal): Promise<AggregateWindow> {
  const key = keyOf(wanted);
  const known = settled.get(key);
  if (known && serverNow() - known.at < SETTLED_MS) return load(wanted, known.range, signal);
  const held = await load(wanted, "6h", signal);
  const range = fittingRange(held);
  if (!isEmpty(held.aggregates)) settled.set(key, { range, at: serverNow() });
  return range === held.range ? held : load(wanted, range, signal);
}

/** From what six hours hold: shorter when they are half empty, longer when the steps are few. */
export function fittingRange({ aggregates, from, to }: AggregateWindow): Range {
  const filled = aggregates.buckets.start.filter((_, at) => (aggregates.buckets.count[at] ?? 0) > 0);
  const first = filled[0];
  if (first === undefined) return "6h";
  if (first > (from + to) / 2) return "1h";
  return filled.length < FEW_STEPS ? "7d" : "6h";
}

async function load(wanted: Wanted, range: Range, signal: AbortSignal): Promise<AggregateWindow> {
  const ask = async (window: ChartWindow) => {
    const aggregates = await api.aggregates({ ...wanted, from: iso(window.from), to: iso(window.to), step: stepOf(range) }, signal);
    return { ...window, aggregates, range };
  };
  const held = await ask(windowOf(range));
  if (!isEmpty(held.aggregates)) return held;
  const { items } = await api.lastValues({ ...wanted, limit: NEWEST_OF }, signal);
  const newest = Math.max(...items.map((value) => Date.parse(value.time)));
  return Number.isFinite(newest) && newest < held.from ? ask(windowOf(range, newest)) : held;
}

function isEmpty({ buckets }: Aggregates): boolean {
  return !buckets.count.some((count) => count > 0);
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
