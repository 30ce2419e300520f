/** The city's mean of a metric that the person chooses. */
import { useEffect, useState } from "preact/hooks";
import { AggregateChart, useAggregate } from "../../charts/aggregate-chart";
import { RangeChoice } from "../../charts/range-choice";
import { parseRange } from "../../charts/ranges";
import { counted, local, t } from "../../i18n";
import { query, setQuery } from "../../router";
import { metrics } from "../../state/city";
import { Choice } from "../../ui/choice";
import { Panel } from "../../ui/panel";

/** Tried in this order until one has data, unless the person has chosen. */
const FIRST_CHOICES = ["pm25", "noise_laeq", "temperature", "traffic_speed", "water_level"];

export function Trend() {
  const params = query.value;
  const [, setTurn] = useState(0);
  const range = parseRange(params.get("range"), "6h");
  const known = metrics.value;
  const chosen = params.get("metric");
  const metric = known.find((each) => each.id === chosen)?.id ?? defaultMetric(known.map((each) => each.id));
  const resource = useAggregate(metric, null, range);
  const held = resource.data?.aggregates ?? null;
  const step = held?.step_s;

  // A city without this metric gets the next one, once, instead of an empty first chart.
  useEffect(() => {
    if (chosen !== null || !held || held.devices > 0 || metric === null) return;
    noData.add(metric);
    setTurn((turn) => turn + 1);
  }, [held]);

  return (
    <Panel
      class="trend"
      title={t("trend.title")}
      note={held ? [counted("trend.devices", held.devices), step ? held.symbol : ""].filter((part) => part !== "").join(" · ") : undefined}
      actions={
        <>
          <Choice label={t("trend.metric")} value={metric ?? ""} options={known.map((each) => [each.id, local(each.name)])} onChange={(next) => setQuery({ metric: next })} />
          <RangeChoice range={range} />
        </>
      }
    >
      {metric !== null && <AggregateChart metric={metric} resource={resource} />}
    </Panel>
  );
}

/** Metrics that were found empty during this visit. */
const noData = new Set<string>();

function defaultMetric(known: readonly string[]): string | null {
  const candidates = [...FIRST_CHOICES.filter((each) => known.includes(each)), ...known];
  return candidates.find((each) => !noData.has(each)) ?? known[0] ?? null;
}
