/** What the devices of a zone say together, metric by metric: now, or over the last day or week. */
import { api } from "../../api/client";
import type { ZoneDetail } from "../../api/types";
import { iso, lengthOf } from "../../charts/ranges";
import { number, valueWithUnit } from "../../format/number";
import { dateTime } from "../../format/time";
import { t } from "../../i18n";
import { query, setQuery } from "../../router";
import { inOrder, metricName, metricOf } from "../../state/city";
import { serverNow } from "../../state/clock";
import { useResource } from "../../state/resource";
import { Age } from "../../ui/age";
import { DataTable } from "../../ui/data-table";
import { FileLinks } from "../../ui/file-links";
import { Panel } from "../../ui/panel";
import { ResourceView } from "../../ui/resource-view";
import { figuresOf, forMeans, type Figures } from "./comparison";

const OVERS = ["now", "day", "week"] as const;
type Over = (typeof OVERS)[number];
const SPANS = { day: { length: lengthOf("24h"), step: "1h" }, week: { length: lengthOf("7d"), step: "6h" } } as const;
/** Each metric is asked for by itself; so many at a time leave room for what else the page needs. */
const AT_ONCE = 3;

export function ZoneMetrics({ zone }: { zone: ZoneDetail }) {
  const over = OVERS.find((each) => each === query.value.get("over")) ?? "now";
  return (
    <Panel
      title={t("zone.metrics.title")}
      note={over === "now" ? t("zone.metrics.why") : undefined}
      actions={
        <>
          <div class="segments" role="group" aria-label={t("zone.over")}>
            {OVERS.map((each) => (
              <button key={each} type="button" aria-pressed={each === over} onClick={() => setQuery({ over: each === "now" ? null : each })}>
                {t(`zone.over.${each}`)}
              </button>
            ))}
          </div>
          <FileLinks path="/last-values" query={{ zone: zone.id }} name={`${zone.id}-last-values`} formats={["csv", "geojson"]} />
        </>
      }
    >
      {over === "now" ? <Now zone={zone} /> : <Span key={over} zone={zone} over={over} />}
    </Panel>
  );
}

function Now({ zone }: { zone: ZoneDetail }) {
  if (zone.metrics.length === 0) return <p class="state">{t("zone.metrics.none")}</p>;
  const order = inOrder(zone.metrics.map((each) => each.metric));
  const rows = [...zone.metrics].sort((a, b) => order.indexOf(a.metric) - order.indexOf(b.metric));
  return (
    <DataTable>
      <Head last={t("device.age")} />
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
    </DataTable>
  );
}

interface Counted {
  metric: string;
  figures: Figures | null;
}

function Span({ zone, over }: { zone: ZoneDetail; over: Exclude<Over, "now"> }) {
  const resource = useResource(`over|${zone.id}|${over}`, async (signal) => {
    const { length, step } = SPANS[over];
    const to = serverNow();
    const window = { from: to - length, to };
    const { items } = await api.lastValues({ zone: zone.id, limit: 1000 }, signal);
    const metrics = inOrder([...new Set(items.filter((value) => typeof value.value !== "string").map((value) => value.metric))]);
    const rows: Counted[] = [];
    for (let at = 0; at < metrics.length; at += AT_ONCE) {
      rows.push(...(await Promise.all(metrics.slice(at, at + AT_ONCE).map(async (metric) => ({ metric, figures: figuresOf(await api.aggregates({ metric, zone: zone.id, from: iso(window.from), to: iso(window.to), step }, signal)) })))));
    }
    return { ...window, rows: rows.filter((row) => row.figures !== null) };
  });
  return (
    <ResourceView resource={resource} compact>
      {(held) =>
        held.rows.length === 0 ? (
          <p class="state">{t("zone.metrics.over.none")}</p>
        ) : (
          <>
            <p class="panel-text muted">{t("zone.metrics.over", { from: dateTime(held.from), to: dateTime(held.to) })}</p>
            <DataTable>
              <Head last={t("zone.readings")} />
              <tbody>
                {held.rows.map(({ metric, figures }) => figures && (
                  <tr key={metric}>
                    <th scope="row">{metricName(metric)}</th>
                    <td class="right value">{valueWithUnit(figures.mean, forMeans(metricOf(metric)))}</td>
                    <td class="right">{valueWithUnit(figures.min, metricOf(metric))}</td>
                    <td class="right">{valueWithUnit(figures.max, metricOf(metric))}</td>
                    <td class="right">{number(figures.devices)}</td>
                    <td class="right">{number(figures.readings)}</td>
                  </tr>
                ))}
              </tbody>
            </DataTable>
          </>
        )
      }
    </ResourceView>
  );
}

function Head({ last }: { last: string }) {
  return (
    <thead>
      <tr>
        <th scope="col">{t("device.metric")}</th>
        <th scope="col" class="right">{t("zone.mean")}</th>
        <th scope="col" class="right">{t("zone.min")}</th>
        <th scope="col" class="right">{t("zone.max")}</th>
        <th scope="col" class="right">{t("zones.devices")}</th>
        <th scope="col" class="right">{last}</th>
      </tr>
    </thead>
  );
}
