/** The city's mean of a metric that the person chooses. */
import { useEffect, useState } from "preact/hooks";
import { AggregateChart, useAggregate } from "../../charts/aggregate-chart";
import { RangeChoice } from "../../charts/range-choice";
import { chosenRange } from "../../charts/ranges";
import { dateTime } from "../../format/time";
import { counted, t } from "../../i18n";
import { query, setQuery } from "../../router";
import { inOrder, metricName, metrics } from "../../state/city";
import { Choice } from "../../ui/choice";
import { Panel } from "../../ui/panel";

export function Trend() {
  const params = query.value;
  const [, setTurn] = useState(0);
  const range = chosenRange(params.get("range"));
  const known = metrics.value;
  const chosen = params.get("metric");
  const metric = known.find((each) => each.id === chosen)?.id ?? defaultMetric(known.map((each) => each.id));
  const resource = useAggregate(metric, null, range);
  const data = resource.data;
  const held = data?.aggregates ?? null;

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
      actions={
        <Choice label={t("trend.metric")} value={metric ?? ""} options={inOrder(known.map((each) => each.id)).map((each) => [each, metricName(each)])} onChange={(next) => setQuery({ metric: next })} />
      }
    >
      <div class="chart-bar">
        <span class="panel-note">{held && (
            <>
              {held.symbol} <span class="trend-devices">{counted("trend.devices", held.devices)}</span>
            </>
          )}</span>
        <RangeChoice range={data?.range ?? range} />
      </div>
      {data?.past != null && <p class="note past">{t("chart.past", { time: dateTime(data.past) })}</p>}
      {metric !== null && <AggregateChart metric={metric} resource={resource} />}
    </Panel>
  );
}

/** Metrics that were found empty during this visit. */
const noData = new Set<string>();

/** The first that has data. */
function defaultMetric(known: readonly string[]): string | null {
  const candidates = inOrder(known);
  return candidates.find((each) => !noData.has(each)) ?? candidates[0] ?? null;
}
