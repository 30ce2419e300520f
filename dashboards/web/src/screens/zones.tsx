/** All zones, those with alerts first unless another order is asked for. */
import type { Severity, ZoneProperties } from "../api/types";
import { buildUrl } from "../api/client";
import { severityRank } from "../api/codes";
import { number } from "../format/number";
import { local, t } from "../i18n";
import { go, query, setQuery, to } from "../router";
import { zoneLoads } from "../state/alert-book";
import { layerName, zoneName, zones } from "../state/city";
import { Choice } from "../ui/choice";
import { DataTable } from "../ui/data-table";
import { SeverityWord } from "../ui/marks";
import { Loading } from "../ui/resource-view";
import { rowId, useRowKeys } from "../ui/rows";
import { SearchField } from "../ui/search-field";
import { SortHead } from "../ui/sort-head";
import { sortOf } from "./devices";

export interface ZoneRow {
  id: string;
  name: string;
  layer: string;
  parent: string | null;
  areaKm2: number | null;
  devices: number;
  firing: number;
  worst: Severity | null;
  /** By what it is found: its id and its names in every language. */
  texts: readonly string[];
}

/** The collection says more of a zone than the map reads. */
type ListedZone = ZoneProperties & { area_km2?: number; parent?: string | null };

const SORTS = ["worst", "name", "layer", "firing", "devices", "area"] as const;
type Sort = (typeof SORTS)[number];

export function ZonesScreen() {
  const params = query.value;
  const q = params.get("q") ?? "";
  const layer = params.get("layer") ?? "";
  const sort = sortOf(params.get("sort"), SORTS, "-worst");
  const features = zones.value?.features ?? [];
  const layers = [...new Set(features.map((feature) => feature.properties.layer))];
  const rows = inZoneOrder(rowsOf(features.map((feature) => feature.properties)).filter((row) => matches(row, q, layer)), sort);
  const { selected } = useRowKeys(rows.map((row) => row.id), (id) => go(to.zone(id)));
  return (
    <div class="page list-page">
      <header class="list-head">
        <h1>{t("zones.title")}</h1>
        <SearchField label={t("zones.search")} value={q} onSearch={(text) => setQuery({ q: text })} />
        {layers.length > 1 && <Choice label={t("zones.layer")} value={layer} options={[["", t("zones.layer.any")], ...layers.map((each) => [each, layerName(each)] as const)]} onChange={(next) => setQuery({ layer: next })} />}
        <span class="list-total" role="status">{number(rows.length)}</span>
        <a class="button" href={buildUrl("/zones", { q, layer })} download="zones.geojson" title={t("files.all", { format: "GeoJSON" })}>GeoJSON</a>
      </header>
      <div class="panel table-frame" tabIndex={0} role="region" aria-label={t("zones.title")}>
        {zones.value === null ? <Loading /> : rows.length === 0 ? <p class="state">{t(features.length === 0 ? "zones.none.known" : "zones.none")}</p> : <ZoneTable rows={rows} selected={selected} sort={sort} />}
      </div>
    </div>
  );
}

function ZoneTable({ rows, selected, sort }: { rows: readonly ZoneRow[]; selected: string | null; sort: string }) {
  const nested = rows.some((row) => row.parent !== null);
  const onSort = (next: string) => setQuery({ sort: next === "-worst" ? null : next });
  return (
    <DataTable>
      <thead>
        <tr>
          <SortHead name="worst" first="down" sort={sort} onSort={onSort}>{t("zones.worst")}</SortHead>
          <SortHead name="name" sort={sort} onSort={onSort}>{t("device.name")}</SortHead>
          <SortHead name="layer" sort={sort} onSort={onSort}>{t("zones.layer")}</SortHead>
          {nested && <th scope="col">{t("zones.parent")}</th>}
          <SortHead name="firing" first="down" class="right" sort={sort} onSort={onSort}>{t("zones.firing")}</SortHead>
          <SortHead name="devices" first="down" class="right" sort={sort} onSort={onSort}>{t("zones.devices")}</SortHead>
          <SortHead name="area" first="down" class="right" sort={sort} onSort={onSort}>{t("zones.area")}</SortHead>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.id} id={rowId(row.id)} {...(row.id === selected && { "aria-current": "true" as const })}>
            <td>{row.worst && <SeverityWord severity={row.worst} />}</td>
            <td class="wide"><a href={to.zone(row.id)}>{row.name}</a></td>
            <td class="muted">{layerName(row.layer)}</td>
            {nested && <td class="muted">{row.parent !== null && <a href={to.zone(row.parent)}>{zoneName(row.parent)}</a>}</td>}
            <td class="right">{row.firing > 0 ? number(row.firing) : <span class="muted">0</span>}</td>
            <td class="right"><a href={to.devices({ zone: row.id })}>{number(row.devices)}</a></td>
            <td class="right">{row.areaKm2 === null ? t("value.none") : `${number(row.areaKm2, row.areaKm2 < 10 ? 1 : 0)}\u00a0km²`}</td>
          </tr>
        ))}
      </tbody>
    </DataTable>
  );
}

function rowsOf(all: readonly ListedZone[]): ZoneRow[] {
  const loads = new Map(zoneLoads.value.map((load) => [load.zone, load]));
  return all.map((zone) => ({
    id: zone.id,
    name: local(zone.name),
    layer: zone.layer,
    parent: zone.parent ?? null,
    areaKm2: zone.area_km2 ?? null,
    devices: zone.devices,
    firing: loads.get(zone.id)?.firing ?? 0,
    worst: loads.get(zone.id)?.worst ?? null,
    texts: [zone.id, zone.name.en, zone.name.zh],
  }));
}

function matches(row: ZoneRow, q: string, layer: string): boolean {
  const wanted = q.trim().toLowerCase();
  return (layer === "" || row.layer === layer) && row.texts.some((text) => text.toLowerCase().includes(wanted));
}

const KEYS: Readonly<Record<Sort, (row: ZoneRow) => number | string>> = {
  worst: (row) => severityRank(row.worst) * 1_000_000 + row.firing,
  name: (row) => row.name,
  layer: (row) => layerName(row.layer),
  firing: (row) => row.firing,
  devices: (row) => row.devices,
  area: (row) => row.areaKm2 ?? -1,
};

/** Equals are in the order of their names, whichever way round. */
export function inZoneOrder(rows: readonly ZoneRow[], sort: string): ZoneRow[] {
  const key = KEYS[sort.replace(/^-/, "") as Sort] ?? KEYS.worst;
  const sign = sort.startsWith("-") ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [left, right] = [key(a), key(b)];
    const order = typeof left === "string" ? left.localeCompare(String(right)) : left - Number(right);
    return sign * order || a.name.localeCompare(b.name);
  });
}
