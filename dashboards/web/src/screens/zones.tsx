/** All zones, those with alerts first. */
import type { Severity } from "../api/types";
import { number } from "../format/number";
import { severityRank } from "../api/codes";
import { local, t } from "../i18n";
import { go, query, setQuery, to } from "../router";
import { zoneLoads } from "../state/alert-book";
import { layerName, zones } from "../state/city";
import { SeverityWord } from "../ui/marks";
import { Loading } from "../ui/resource-view";
import { rowId, useRowKeys } from "../ui/rows";
import { SearchField } from "../ui/search-field";

interface ZoneRow {
  id: string;
  name: string;
  layer: string;
  devices: number;
  firing: number;
  worst: Severity | null;
}

export function ZonesScreen() {
  const q = query.value.get("q") ?? "";
  const rows = rowsFor(q);
  const { selected } = useRowKeys(rows.map((row) => row.id), (id) => go(to.zone(id)));
  return (
    <div class="page list-page">
      <header class="list-head">
        <h1>{t("zones.title")}</h1>
        <SearchField label={t("zones.search")} value={q} onSearch={(text) => setQuery({ q: text })} />
        <span class="list-total">{number(rows.length)}</span>
      </header>
      <div class="panel table-frame">
        {zones.value === null ? <Loading /> : rows.length === 0 ? <p class="state">{t(zones.value.features.length === 0 ? "zones.none.known" : "zones.none")}</p> : <ZoneTable rows={rows} selected={selected} />}
      </div>
    </div>
  );
}

function ZoneTable({ rows, selected }: { rows: readonly ZoneRow[]; selected: string | null }) {
  return (
    <table class="table">
      <thead>
        <tr>
          <th scope="col">{t("zones.worst")}</th>
          <th scope="col">{t("device.name")}</th>
          <th scope="col">{t("zones.layer")}</th>
          <th scope="col" class="right">{t("zones.firing")}</th>
          <th scope="col" class="right">{t("zones.devices")}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.id} id={rowId(row.id)} {...(row.id === selected && { "aria-current": "true" as const })}>
            <td>{row.worst && <SeverityWord severity={row.worst} />}</td>
            <td class="wide"><a href={to.zone(row.id)}>{row.name}</a></td>
            <td class="muted">{layerName(row.layer)}</td>
            <td class="right">{row.firing > 0 ? number(row.firing) : <span class="muted">0</span>}</td>
            <td class="right">{number(row.devices)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function rowsFor(q: string): ZoneRow[] {
  const loads = new Map(zoneLoads.value.map((load) => [load.zone, load]));
  const wanted = q.trim().toLowerCase();
  return (zones.value?.features ?? [])
    .map(({ properties: zone }) => ({
      id: zone.id,
      name: local(zone.name),
      layer: zone.layer,
      devices: zone.devices,
      firing: loads.get(zone.id)?.firing ?? 0,
      worst: loads.get(zone.id)?.worst ?? null,
      found: [zone.id, zone.name.en, zone.name.zh].some((text) => text.toLowerCase().includes(wanted)),
    }))
    .filter((row) => row.found)
    .sort((a, b) => severityRank(b.worst) - severityRank(a.worst) || b.firing - a.firing || a.name.localeCompare(b.name));
}
