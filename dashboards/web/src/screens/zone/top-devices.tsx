/** The devices of a zone with the highest or lowest of a metric. */
import { places, type Top, type TopBy } from "../../api/places";
import type { AggregateWindow } from "../../charts/aggregate-chart";
import { iso, refreshMs } from "../../charts/ranges";
import { number, valueWithUnit } from "../../format/number";
import { local, t } from "../../i18n";
import { query, setQuery, to } from "../../router";
import { metricName, metricOf } from "../../state/city";
import { useResource } from "../../state/resource";
import { Choice } from "../../ui/choice";
import { DataTable } from "../../ui/data-table";
import { Panel } from "../../ui/panel";
import { ResourceView } from "../../ui/resource-view";
import { Bar, forMeans } from "./comparison";

const BY: readonly TopBy[] = ["mean", "max", "min", "last", "count"];
const SHOWN = 10;

export function TopDevices({ zone, metric, window }: { zone: string; metric: string; window: AggregateWindow }) {
  const by = BY.find((each) => each === query.value.get("by")) ?? "mean";
  const resource = useResource(
    `top|${zone}|${metric}|${by}|${window.range}|${window.past ?? ""}`,
    (signal) => places.top({ zone, metric, by, from: iso(window.from), to: iso(window.to), limit: SHOWN }, signal),
    { everyMs: refreshMs(window.range) * 3 },
  );
  return (
    <Panel title={t("top.title")} note={metricName(metric)} actions={<Choice label={t("top.by")} value={by} options={BY.map((each) => [each, t(`top.by.${each}` as "top.by.mean")] as const)} onChange={(next) => setQuery({ by: next === "mean" ? null : next })} />}>
      <ResourceView resource={resource} compact>
        {(top) => (top.ranking.length === 0 ? <p class="state">{t("chart.none")}</p> : <Ranking top={top} by={by} metric={metric} />)}
      </ResourceView>
    </Panel>
  );
}

function Ranking({ top, by, metric }: { top: Top; by: TopBy; metric: string }) {
  const of = metricOf(metric);
  const most = Math.max(...top.ranking.map((device) => Math.abs(device[by])));
  return (
    <DataTable>
      <thead>
        <tr>
          <th scope="col" class="right">{t("top.place")}</th>
          <th scope="col">{t("alert.device")}</th>
          <th scope="col" class="right">{t("zone.mean")}</th>
          <th scope="col" class="right">{t("zone.min")}</th>
          <th scope="col" class="right">{t("zone.max")}</th>
          <th scope="col" class="right">{t("top.readings")}</th>
          <th scope="col"><span class="spoken">{t("compare.bar")}</span></th>
        </tr>
      </thead>
      <tbody>
        {top.ranking.map((device, at) => (
          <tr key={device.device}>
            <td class="right muted">{number(at + 1)}</td>
            <th scope="row" class="wide"><a href={to.device(device.device)}>{local(device.name)}</a></th>
            <td class="right value">{valueWithUnit(device.mean, forMeans(of))}</td>
            <td class="right">{valueWithUnit(device.min, of)}</td>
            <td class="right">{valueWithUnit(device.max, of)}</td>
            <td class="right">{number(device.count)}</td>
            <td class="bar-cell">{most > 0 && <Bar part={Math.abs(device[by]) / most} />}</td>
          </tr>
        ))}
      </tbody>
    </DataTable>
  );
}
