/** One zone: its figures, what its devices say together, its alerts and its trend. */
import { api } from "../api/client";
import type { ZoneDetail } from "../api/types";
import { AggregateChart, useAggregate } from "../charts/aggregate-chart";
import { RangeChoice } from "../charts/range-choice";
import { chosenRange } from "../charts/ranges";
import { number, valueWithUnit } from "../format/number";
import { dateTime } from "../format/time";
import { counted, local, t } from "../i18n";
import { query, setQuery, to } from "../router";
import { alertBook } from "../state/alert-book";
import { inOrder, kindName, layerName, metricName, metricOf } from "../state/city";
import { useResource } from "../state/resource";
import { Age } from "../ui/age";
import { AlertTable, alertMark } from "../ui/alert-table";
import { Choice } from "../ui/choice";
import { MiniMap } from "../ui/mini-map";
import { Facts, Panel } from "../ui/panel";
import { ResourceView } from "../ui/resource-view";

const REFRESH_MS = 10_000;

export function ZoneScreen({ id }: { id: string }) {
  const resource = useResource(`zone|${id}`, (signal) => api.zone(id, signal), { everyMs: REFRESH_MS });
  return (
    <ResourceView resource={resource} missing="zone.gone">
      {(zone) => <ZonePage zone={zone} />}
    </ResourceView>
  );
}

function ZonePage({ zone }: { zone: ZoneDetail }) {
  const concerned = alertMark((alert) => alert.zones.includes(zone.id), alertBook.all());
  const kinds = Object.entries(zone.devices_by_kind).sort((a, b) => b[1] - a[1]);
  return (
    <article class="page">
      <header class="page-head">
        <div class="page-title">
          <p class="alert-badges muted">{layerName(zone.layer)}</p>
          <h1>{local(zone.name)}</h1>
        </div>
        <dl class="head-figures">
          <div><dt>{t("zones.devices")}</dt><dd>{number(zone.devices)}</dd></div>
          <div><dt>{t("zone.offline")}</dt><dd>{number(zone.offline)}</dd></div>
          <div><dt>{t("zones.firing")}</dt><dd>{number(zone.alerts_firing)}</dd></div>
        </dl>
      </header>
      <div class="columns">
        <div class="column-main">
          <ZoneTrend zone={zone} />
          <ZoneMetrics zone={zone} />
        </div>
        <div class="column-side">
          <Panel title={t("alert.where")} class="map-side">
            <MiniMap zone={zone.id} bounds={zone.bounds} />
          </Panel>
          <AlertTable of={{ zone: zone.id }} title={t("zone.alerts")} none="zone.alerts.none" version={concerned} />
          <Panel title={t("zone.kinds")} note={<a href={to.devices({ zone: zone.id })}>{t("zone.all_devices")}</a>}>
            <Facts items={kinds.map(([kind, count]) => [<a href={to.devices({ zone: zone.id, kind })}>{kindName(kind)}</a>, number(count)] as const)} />
          </Panel>
        </div>
      </div>
    </article>
  );
}

function ZoneTrend({ zone }: { zone: ZoneDetail }) {
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
  return (
    <Panel
      title={t("zone.trend")}
      note={held ? `${counted("trend.devices", held.devices)} · ${held.symbol}` : undefined}
      actions={
        <>
          <Choice label={t("trend.metric")} value={metric ?? ""} options={metrics.map((each) => [each, metricName(each)])} onChange={(next) => setQuery({ metric: next })} />
          <RangeChoice range={data?.range ?? range} />
        </>
      }
    >
      {data?.past != null && <p class="note past">{t("chart.past", { time: dateTime(data.past) })}</p>}
      <div class="chart-tall">{metric === null ? <p class="state">{t("chart.none")}</p> : <AggregateChart metric={metric} resource={resource} />}</div>
    </Panel>
  );
}

function ZoneMetrics({ zone }: { zone: ZoneDetail }) {
  const order = inOrder(zone.metrics.map((each) => each.metric));
  const rows = [...zone.metrics].sort((a, b) => order.indexOf(a.metric) - order.indexOf(b.metric));
  return (
    <Panel title={t("zone.metrics")} note={t("zone.metrics.why")}>
      {zone.metrics.length === 0 ? (
        <p class="state">{t("zone.metrics.none")}</p>
      ) : (
        <table class="table">
          <thead>
            <tr>
              <th scope="col">{t("device.metric")}</th>
              <th scope="col" class="right">{t("zone.mean")}</th>
              <th scope="col" class="right">{t("zone.min")}</th>
              <th scope="col" class="right">{t("zone.max")}</th>
              <th scope="col" class="right">{t("zones.devices")}</th>
              <th scope="col" class="right">{t("device.age")}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((each) => (
              <tr key={each.metric}>
                <th scope="row">{metricName(each.metric)}</th>
                <td class="right value">{valueWithUnit(each.mean, metricOf(each.metric))}</td>
                <td class="right">{valueWithUnit(each.min, metricOf(each.metric))}</td>
                <td class="right">{valueWithUnit(each.max, metricOf(each.metric))}</td>
                <td class="right">{number(each.devices)}</td>
                <td class="right"><Age at={each.newest_at} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}
