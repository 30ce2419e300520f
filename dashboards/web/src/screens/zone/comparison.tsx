/** A zone among others: the same metric over the same time, in the whole city and in the zones around or chosen. */
import { api } from "../../api/client";
import type { Aggregates, Metric, ZoneProperties } from "../../api/types";
import type { AggregateWindow } from "../../charts/aggregate-chart";
import { iso, refreshMs, stepOf } from "../../charts/ranges";
import { Sparkline } from "../../charts/sparkline";
import { number, valueWithUnit } from "../../format/number";
import { local, t } from "../../i18n";
import { query, setQuery, to } from "../../router";
import { metricName, metricOf, zoneName, zones } from "../../state/city";
import { useResource } from "../../state/resource";
import { Choice } from "../../ui/choice";
import { DataTable } from "../../ui/data-table";
import { CloseIcon } from "../../ui/icons";
import { Panel } from "../../ui/panel";
import { ResourceView } from "../../ui/resource-view";
import type { WholeZone } from ".";

/** How many neighbours stand there unless somebody chose. */
const NEIGHBOURS = 5;
/** Each is asked for by itself. */
const MOST = 12;

interface Compared {
  /** Null for the whole city. */
  zone: string | null;
  figures: Figures | null;
  means: number[];
}

export interface Figures {
  mean: number;
  min: number;
  max: number;
  readings: number;
  devices: number;
}

/** Of all steps together, each as heavy as its readings; null if none counts. */
export function figuresOf({ buckets, devices }: Aggregates): Figures | null {
  let sum = 0;
  let readings = 0;
  let min = Infinity;
  let max = -Infinity;
  buckets.count.forEach((count, at) => {
    const mean = buckets.mean[at];
    if (count === 0 || mean === null || mean === undefined) return;
    sum += mean * count;
    readings += count;
    min = Math.min(min, buckets.min[at] ?? mean);
    max = Math.max(max, buckets.max[at] ?? mean);
  });
  return readings === 0 ? null : { mean: sum / readings, min, max, readings, devices };
}

/** The zones of the same layer whose places for names are nearest. */
export function neighboursOf(zone: Pick<ZoneProperties, "id" | "layer" | "label">, all: readonly ZoneProperties[], most: number): string[] {
  const narrow = Math.cos((zone.label[1] * Math.PI) / 180);
  const distance = (other: ZoneProperties) => Math.hypot((other.label[0] - zone.label[0]) * narrow, other.label[1] - zone.label[1]);
  return all
    .filter((other) => other.layer === zone.layer && other.id !== zone.id)
    .sort((a, b) => distance(a) - distance(b) || a.id.localeCompare(b.id))
    .slice(0, most)
    .map((other) => other.id);
}

interface Props {
  zone: WholeZone;
  metric: string;
  window: AggregateWindow;
}

export function Comparison({ zone, metric, window }: Props) {
  const all = (zones.value?.features ?? []).map((feature) => feature.properties);
  const asked = query.value.get("with");
  const known = new Set(all.map((each) => each.id));
  const others = asked === null ? neighboursOf(zone, all, NEIGHBOURS) : asked.split(",").filter((id) => known.has(id) && id !== zone.id).slice(0, MOST);
  const list = [zone.id, null, ...others];
  const resource = useResource(
    `compare|${metric}|${window.range}|${window.past ?? ""}|${list.join()}`,
    async (signal): Promise<Compared[]> =>
      Promise.all(
        list.map(async (each) => {
          const found = each === zone.id ? window.aggregates : await api.aggregates({ metric, zone: each, from: iso(window.from), to: iso(window.to), step: stepOf(window.range) }, signal);
          return { zone: each, figures: figuresOf(found), means: found.buckets.mean.filter((mean): mean is number => mean !== null) };
        }),
      ),
    { everyMs: refreshMs(window.range) * 3 },
  );
  const choose = (ids: readonly string[]) => setQuery({ with: ids.length === 0 ? "none" : ids.join(",") });
  const free = all.filter((each) => !list.includes(each.id)).map((each) => [each.id, local(each.name)] as const).sort((a, b) => a[1].localeCompare(b[1]));
  return (
    <Panel
      title={t("compare.title")}
      note={asked === null && others.length > 0 ? t("compare.nearest") : metricName(metric)}
      actions={
        <>
          {asked !== null && <button type="button" class="plain" onClick={() => setQuery({ with: null })}>{t("compare.again")}</button>}
          <Choice label={t("compare.add")} value="" options={[["", t("compare.add")], ...free]} onChange={(id) => id !== "" && choose([...others, id])} />
        </>
      }
    >
      <ResourceView resource={resource} compact>
        {(rows) => <Rows rows={rows} own={zone.id} metric={metric} onRemove={(id) => choose(others.filter((each) => each !== id))} />}
      </ResourceView>
    </Panel>
  );
}

function Rows({ rows, own, metric, onRemove }: { rows: readonly Compared[]; own: string; metric: string; onRemove(zone: string): void }) {
  const base = rows.find((row) => row.zone === own)?.figures ?? null;
  const most = Math.max(...rows.map((row) => Math.abs(row.figures?.mean ?? 0)));
  const of = metricOf(metric);
  const ofMeans = forMeans(of);
  return (
    <DataTable class="comparison">
      <thead>
        <tr>
          <th scope="col">{t("alert.zone")}</th>
          <th scope="col" class="right">{t("zone.mean")}</th>
          <th scope="col"><span class="spoken">{t("compare.bar")}</span></th>
          <th scope="col" class="right">{t("compare.difference")}</th>
          <th scope="col" class="right">{t("zone.min")}</th>
          <th scope="col" class="right">{t("zone.max")}</th>
          <th scope="col">{t("compare.course")}</th>
          <th scope="col" class="right">{t("zones.devices")}</th>
          <th scope="col"><span class="spoken">{t("compare.remove")}</span></th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ zone, figures, means }) => (
          <tr key={zone ?? ""} class={zone === own ? "own" : ""}>
            <th scope="row">{zone === null ? t("compare.city") : zone === own ? zoneName(zone) : <a href={to.zone(zone)}>{zoneName(zone)}</a>}</th>
            <td class="right value">{figures ? valueWithUnit(figures.mean, ofMeans) : t("value.none")}</td>
            <td class="bar-cell">{figures && most > 0 && <Bar part={Math.abs(figures.mean) / most} />}</td>
            <td class="right">{zone !== own && figures && base ? signed(figures.mean - base.mean, ofMeans.decimals) : ""}</td>
            <td class="right">{figures ? valueWithUnit(figures.min, of) : t("value.none")}</td>
            <td class="right">{figures ? valueWithUnit(figures.max, of) : t("value.none")}</td>
            <td><Sparkline values={means} label={t("compare.course")} /></td>
            <td class="right">{figures ? number(figures.devices) : "0"}</td>
            <td class="right">
              {zone !== null && zone !== own && (
                <button type="button" class="plain icon-only" title={t("compare.remove")} aria-label={`${t("compare.remove")}: ${zoneName(zone)}`} onClick={() => onRemove(zone)}>
                  <CloseIcon />
                </button>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </DataTable>
  );
}

/** Means are told apart by less than what single values are shown with. */
export function forMeans(metric: Metric | undefined): Pick<Metric, "decimals" | "symbol"> {
  return { symbol: metric?.symbol ?? "", decimals: (metric?.decimals ?? 1) + 1 };
}

/** Its figure stands beside it. */
export function Bar({ part }: { part: number }) {
  return (
    <svg class="part-bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
      <rect class="ground" width="100" height="8" />
      <rect width={(100 * Math.min(1, Math.max(0, part))).toFixed(1)} height="8" />
    </svg>
  );
}

export function signed(value: number, decimals: number): string {
  const text = number(value, decimals);
  return Number(value.toFixed(decimals)) > 0 ? `+${text}` : Number(value.toFixed(decimals)) === 0 ? number(0, decimals) : text;
}
