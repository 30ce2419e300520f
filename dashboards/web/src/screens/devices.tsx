/** All devices: searched, filtered, page by page; the map's alternative for everybody. */
import { api } from "../api/client";
import { STATUS_CODES } from "../api/codes";
import type { Device, DeviceStatus } from "../api/types";
import { counted, local, t } from "../i18n";
import { go, query, setQuery, to } from "../router";
import { kindName, kinds, zoneName } from "../state/city";
import { useResource } from "../state/resource";
import { Age } from "../ui/age";
import { Choice } from "../ui/choice";
import { SeverityWord, StatusWord } from "../ui/marks";
import { Pager } from "../ui/pager";
import { ResourceView } from "../ui/resource-view";
import { rowId, useRowKeys } from "../ui/rows";
import { SearchField } from "../ui/search-field";
import { ZoneChoice } from "./overview/alert-filters";

const PAGE_SIZE = 100;
const REFRESH_MS = 15_000;

export function DevicesScreen() {
  const params = query.value;
  const filters = { q: params.get("q"), kind: params.get("kind"), status: params.get("status"), zone: params.get("zone"), department: params.get("department") };
  const cursor = params.get("cursor");
  const ask = { ...filters, cursor, limit: PAGE_SIZE, sort: "id" };
  const resource = useResource(`devices|${JSON.stringify(ask)}`, (signal) => api.devices(ask, signal), { everyMs: REFRESH_MS });
  const refilter = (change: Record<string, string | null>) => setQuery({ ...change, cursor: null, page: null });
  const ids = resource.data?.items.map((device) => device.id) ?? [];
  const { selected } = useRowKeys(ids, (id) => go(to.device(id)));
  return (
    <div class="page list-page">
      <header class="list-head">
        <h1>{t("devices.title")}</h1>
        <SearchField label={t("devices.search")} value={filters.q ?? ""} onSearch={(q) => refilter({ q })} />
        <Choice label={t("device.kind")} value={filters.kind ?? ""} options={[["", t("devices.kind.any")], ...kinds.value.map((kind) => [kind.id, local(kind.name)] as const)]} onChange={(kind) => refilter({ kind })} />
        <Choice label={t("status.label")} value={filters.status ?? ""} options={[["", t("devices.status.any")], ...STATUS_CODES.map((status: DeviceStatus) => [status, t(`status.${status}`)] as const)]} onChange={(status) => refilter({ status })} />
        <ZoneChoice value={filters.zone} any={t("devices.zone.any")} onChange={(zone) => refilter({ zone })} />
        {resource.data && <span class="list-total">{counted("devices.total", resource.data.total)}</span>}
      </header>
      <div class="panel table-frame">
        <ResourceView resource={resource}>
          {(held) => (held.items.length === 0 ? <p class="state">{t("devices.none")}</p> : <DeviceTable devices={held.items} selected={selected} />)}
        </ResourceView>
      </div>
      <Pager next={resource.data?.next_cursor ?? null} />
    </div>
  );
}

function DeviceTable({ devices, selected }: { devices: readonly Device[]; selected: string | null }) {
  return (
    <table class="table">
      <thead>
        <tr>
          <th scope="col">{t("status.label")}</th>
          <th scope="col">{t("device.name")}</th>
          <th scope="col">{t("device.id")}</th>
          <th scope="col">{t("device.kind")}</th>
          <th scope="col">{t("device.zones")}</th>
          <th scope="col">{t("alerts.title")}</th>
          <th scope="col" class="right">{t("devices.seen")}</th>
        </tr>
      </thead>
      <tbody>
        {devices.map((device) => (
          <tr key={device.id} id={rowId(device.id)} {...(device.id === selected && { "aria-current": "true" as const })}>
            <td><StatusWord status={device.status} /></td>
            <td class="wide"><a href={to.device(device.id)}>{local(device.name)}</a></td>
            <td><code>{device.id}</code></td>
            <td>{kindName(device.kind)}</td>
            <td>{device.zones.map(zoneName).join(", ")}</td>
            <td>{device.severity && <SeverityWord severity={device.severity} />}</td>
            <td class="right"><Age at={device.last_seen_at} /></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
