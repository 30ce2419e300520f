/** A metric of a zone: over time, against other zones, and the devices that stand first. */
import { api } from "../../api/client";
import { AggregateChart, useAggregate } from "../../charts/aggregate-chart";
import { RangeChoice } from "../../charts/range-choice";
import { chosenRange, iso, stepOf } from "../../charts/ranges";
import { dateTime } from "../../format/time";
import { counted, t } from "../../i18n";
import { query, setQuery } from "../../router";
import { inOrder, metricName } from "../../state/city";
import { useResource } from "../../state/resource";
import { Choice } from "../../ui/choice";
import { FileLinks } from "../../ui/file-links";
import { Panel } from "../../ui/panel";
import type { WholeZone } from ".";
import { Comparison } from "./comparison";
import { TopDevices } from "./top-devices";

export function ZoneTrend({ zone }: { zone: WholeZone }) {
  const params = query.value;
  const range = chosenRange(params.get("range"));
  const fresh = zone.metrics.map((each) => each.metric);
  // A zone whose devices are silent, or whose data are old, still has a history.
  const older = useResource(fresh.length === 0 ? `zone-values|${zone.id}` : null, (signal) => api.lastValues({ zone: zone.id, limit: 1000 }, signal));
  const metrics = inOrder([...new Set(fresh.length > 0 ? fresh : (older.data?.items ?? []).filter((value) => typeof value.value !== "string").map((value) => value.metric))]);
  const metric = metrics.find((each) => each === params.get("metric")) ?? metrics[0] ?? null;
  const resource = useAggregate(metric, zone.id, range);
  const data = resource.data;
  const held = data?.aggregates;
  const shown = data?.range ?? range;
  return (
    <>
      <Panel
        title={t("zone.trend")}
        note={held ? `${counted("trend.devices", held.devices)} · ${held.symbol}` : undefined}
        actions={
          <>
            <Choice label={t("trend.metric")} value={metric ?? ""} options={metrics.map((each) => [each, metricName(each)])} onChange={(next) => setQuery({ metric: next })} />
            <RangeChoice range={shown} />
            {data && metric !== null && <FileLinks path="/readings/export" query={{ zone: zone.id, metric, from: iso(data.from), to: iso(data.to), step: stepOf(data.range) }} name={`${zone.id}-${metric}`} formats={["csv"]} />}
          </>
        }
      >
        {data?.past != null && <p class="note past">{t("chart.past", { time: dateTime(data.past) })}</p>}
        <div class="chart-tall">{metric === null ? <p class="state">{t("chart.none")}</p> : <AggregateChart metric={metric} resource={resource} />}</div>
      </Panel>
      {metric !== null && data && (
        <>
          <Comparison zone={zone} metric={metric} window={data} />
          <TopDevices zone={zone.id} metric={metric} window={data} />
        </>
      )}
    </>
  );
}
