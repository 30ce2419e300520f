/** All devices: searched, filtered, in any order, however many; the map's alternative for everybody. */
import { STATUS_CODES } from "../api/codes";
import { LIFE_CYCLES, places, type ListedDevice } from "../api/places";
import type { LocalText } from "../api/types";
import { clockTime } from "../format/time";
import { counted, local, t } from "../i18n";
import { go, query, setQuery, to } from "../router";
import { departmentName, departments, kindName, kinds, zoneName } from "../state/city";
import { fleet, fleetCounts } from "../state/fleet";
import { Age } from "../ui/age";
import { Choice } from "../ui/choice";
import { FileLinks } from "../ui/file-links";
import { LongTable, type Column } from "../ui/long-table";
import { SeverityWord, StatusWord } from "../ui/marks";
import { Failure, Loading } from "../ui/resource-view";
import { SearchField } from "../ui/search-field";
import { ZoneChoice } from "./overview/alert-filters";
import { usePaged } from "./places/use-paged";

const PAGE_SIZE = 200;
const REFRESH_MS = 15_000;
const FILTERS = ["q", "kind", "status", "zone", "department", "life_cycle"] as const;
type Filter = (typeof FILTERS)[number];
const SORTS = ["id", "name", "kind", "department", "last_seen_at", "newest_reading_at"];

export function sortOf(text: string | null, known: readonly string[], usual: string): string {
  return text !== null && known.includes(text.replace(/^-/, "")) ? text : usual;
}

export function DevicesScreen() {
  const params = query.value;
  const filters = Object.fromEntries(FILTERS.map((name) => [name, params.get(name)])) as Record<Filter, string | null>;
  const sort = sortOf(params.get("sort"), SORTS, "id");
  const key = JSON.stringify([filters, sort]);
  const ask = { ...filters, sort };
  const { list, onRange, onHover } = usePaged<ListedDevice>(key, (cursor, limit, signal) => places.devices({ ...ask, cursor, limit }, signal), { pageSize: PAGE_SIZE, everyMs: REFRESH_MS });
  // Another filter is another list: it begins at its first row.
  const refilter = (change: Partial<Record<Filter | "sort", string | null>>) => setQuery({ ...change, at: null });
  const filtered = FILTERS.some((name) => filters[name] !== null);
  return (
    <div class="page list-page">
      <header class="list-head">
        <h1>{t("devices.title")}</h1>
        <SearchField label={t("devices.search")} value={filters.q ?? ""} onSearch={(q) => refilter({ q })} />
        <Choice label={t("device.kind")} value={filters.kind ?? ""} options={choices(t("devices.kind.any"), kinds.value, filters.kind)} onChange={(kind) => refilter({ kind })} />
        <Choice label={t("device.department")} value={filters.department ?? ""} options={choices(t("filter.department.any"), departments.value, filters.department)} onChange={(department) => refilter({ department })} />
        <ZoneChoice value={filters.zone} any={t("devices.zone.any")} onChange={(zone) => refilter({ zone })} />
        <Choice label={t("status.label")} value={filters.status ?? ""} options={choices(t("devices.status.any"), STATUS_CODES.map((id) => ({ id, text: t(`status.${id}`) })), filters.status)} onChange={(status) => refilter({ status })} />
        <Choice label={t("device.lifecycle")} value={filters.life_cycle ?? ""} options={choices(t("devices.lifecycle.any"), LIFE_CYCLES.map((id) => ({ id, text: t(`lifecycle.${id}`) })), filters.life_cycle)} onChange={(life_cycle) => refilter({ life_cycle })} />
        {filtered && (
          <button type="button" class="plain" onClick={() => refilter(Object.fromEntries(FILTERS.map((name) => [name, null])))}>
            {t("alerts.filter.clear")}
          </button>
        )}
        <span class="list-total" role="status">{list.total !== null && counted("devices.total", list.total)}</span>
        <FileLinks path="/devices" query={ask} name="devices" formats={["csv", "geojson"]} />
      </header>
      {list.error !== null && list.at !== null && (
        <p class="note" role="status">
          {t("state.refreshing_failed", { time: clockTime(list.at) })}{" "}
          <button type="button" class="plain" onClick={() => list.retry()}>{t("state.retry")}</button>
        </p>
      )}
      <div class="panel list-panel">
        {list.total === null ? (
          list.error === null ? <Loading /> : <Failure error={list.error} retry={() => list.retry()} />
        ) : list.total === 0 ? (
          <p class="state">{t("devices.none")}</p>
        ) : (
          <LongTable
            key={key}
            class="devices-table"
            label={t("devices.list")}
            columns={columns()}
            count={list.total}
            rowAt={(index) => list.itemAt(index)}
            idOf={(device) => device.id}
            open={(device) => go(to.device(device.id))}
            sort={sort}
            onSort={(next) => refilter({ sort: next === "id" ? null : next })}
            onRange={onRange}
            onHover={onHover}
            startAt={Math.max(0, Math.floor(Number(params.get("at")) || 0))}
            onRest={(first) => setQuery({ at: first === 0 ? null : String(first) })}
          />
        )}
      </div>
    </div>
  );
}

/** The usual choices, and what the address asks for besides, such as two at once. */
export function choices(any: string, known: readonly ({ id: string; name: LocalText } | { id: string; text: string })[], asked: string | null): readonly (readonly [string, string])[] {
  const named = known.map((each) => [each.id, "text" in each ? each.text : local(each.name)] as const);
  const more = asked === null || asked === "" || known.some(({ id }) => id === asked) ? [] : [[asked, asked.split(",").map((id) => named.find(([each]) => each === id)?.[1] ?? id).join(t("list.and"))] as const];
  return [["", any], ...more, ...named];
}

/** How it is now comes with the stream; the list itself is a quarter of a minute old. */
function liveOf(device: ListedDevice) {
  void fleetCounts.value;
  return fleet.byId(device.id) ?? device;
}

function columns(): readonly Column<ListedDevice>[] {
  return [
    { key: "status", class: "c-status", head: t("status.label"), cell: (device) => <StatusWord status={liveOf(device).status} /> },
    { key: "name", class: "c-name", head: t("device.name"), sort: "name", cell: (device) => <a href={to.device(device.id)} title={local(device.name)}>{local(device.name)}</a> },
    { key: "id", class: "c-id", head: t("device.id"), sort: "id", cell: (device) => <code title={device.id}>{device.id}</code> },
    { key: "kind", class: "c-kind", head: t("device.kind"), sort: "kind", cell: (device) => <span title={kindName(device.kind)}>{kindName(device.kind)}</span> },
    { key: "department", class: "c-department", head: t("device.department"), sort: "department", cell: (device) => <span title={departmentName(device.department)}>{departmentName(device.department)}</span> },
    { key: "zones", class: "c-zones", head: t("device.zones"), cell: (device) => <span title={device.zones.map(zoneName).join(t("list.and"))}>{device.zones.map(zoneName).join(t("list.and"))}</span> },
    {
      key: "alert",
      class: "c-alert",
      head: t("alerts.title"),
      cell: (device) => {
        const { severity } = liveOf(device);
        return severity !== null && <SeverityWord severity={severity} />;
      },
    },
    { key: "newest", class: "c-age right", head: t("device.newest"), sort: "newest_reading_at", first: "down", cell: (device) => <Age at={device.newest_reading_at} /> },
    { key: "seen", class: "c-age right", head: t("devices.seen"), sort: "last_seen_at", first: "down", cell: (device) => <Age at={device.last_seen_at} /> },
  ];
}
