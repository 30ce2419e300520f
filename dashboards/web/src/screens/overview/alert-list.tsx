/** The live alert list: most urgent first, only visible rows exist, nothing moves under a pointer. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { api } from "../../api/client";
import type { AlertItem } from "../../api/types";
import { t } from "../../i18n";
import { useKeys } from "../../keys";
import { go, query, to } from "../../router";
import { acknowledge } from "../../state/acknowledge";
import { alertBook, alertVersion, byUrgency, matches, serverCounts, type AlertFilter } from "../../state/alert-book";
import { now, serverNow } from "../../state/clock";
import { ALERTS_LOADED, loaded } from "../../state/live";
import { useResource } from "../../state/resource";
import { holdOrder } from "../../ui/held-order";
import { Loading } from "../../ui/resource-view";
import { useRowKeys } from "../../ui/rows";
import { windowOfRows } from "../../ui/window-of-rows";
import { AlertFilters } from "./alert-filters";
import { clearFilter, filterOf, isFiltered } from "./alert-filter";
import { AlertRow, isNarrow, rowHeight } from "./alert-row";
import { number } from "../../format/number";

const RESOLVED_SHOWN = 200;
/** How often lingering rows are looked at again. */
const LINGER_CHECK_MS = 15_000;

export function AlertList({ onSelect }: { onSelect(alert: AlertItem | null): void }) {
  const params = query.value;
  const filter = useMemo(() => filterOf(params), [params]);
  useResolved(filter);
  const matching = useMatching(filter);
  const [hovered, setHovered] = useState(false);
  const shown = useRef<string[] | null>(null);
  const [selectedRow, setSelectedRow] = useState<string | null>(null);

  const held = hovered || selectedRow !== null;
  if (!held) shown.current = null;
  const { rows, waiting } = holdOrder(shown.current, matching, (id) => alertBook.get(id));
  if (held && shown.current === null) shown.current = rows.map((row) => row.id);
  const release = () => {
    shown.current = matching.map((row) => row.id);
    setSelectedRow(null);
    keys.select(null);
  };

  // Another filter is another list: nothing of the old one is held.
  const filterKey = params.toString().replace(/(^|&)map=[^&]*/, "");
  const lastFilter = useRef(filterKey);
  if (lastFilter.current !== filterKey) {
    lastFilter.current = filterKey;
    shown.current = null;
  }

  const ids = rows.map((row) => row.id);
  const keys = useRowKeys(ids, (id) => go(to.alert(id)));
  useEffect(() => {
    setSelectedRow(keys.selected);
    onSelect(keys.selected === null ? null : (alertBook.get(keys.selected) ?? null));
  }, [keys.selected]);
  useKeys({
    a: () => {
      const alert = keys.selected === null ? undefined : alertBook.get(keys.selected);
      if (!alert) return false;
      void acknowledge(alert);
      return true;
    },
    "/": () => document.getElementById("alert-zone")?.focus(),
  });

  return (
    <section class="panel alerts" aria-labelledby="alerts-title">
      <AlertFilters filter={filter} shown={filter.state === "firing" ? matching.filter((alert) => alert.state === "firing").length : matching.length} waiting={waiting} onRelease={release} />
      <div class="alert-rows-frame" onMouseEnter={() => setHovered(true)} onMouseLeave={() => setHovered(false)}>
        {!loaded.value ? <Loading /> : rows.length === 0 ? <NoAlerts filter={filter} /> : <Rows rows={rows} selected={keys.selected} onSelect={keys.select} />}
      </div>
      {serverCounts.value && <p class="note">{t("alerts.capped", { n: number(ALERTS_LOADED) })}</p>}
    </section>
  );
}

function NoAlerts({ filter }: { filter: AlertFilter }) {
  if (!isFiltered(filter)) return <p class="state">{t(filter.state === "firing" ? "alerts.none" : "alerts.none.filtered")}</p>;
  return (
    <div class="state">
      <p>{t("alerts.none.filtered")}</p>
      <button type="button" class="button" onClick={clearFilter}>
        {t("alerts.filter.clear")}
      </button>
    </div>
  );
}

interface RowsProps {
  rows: AlertItem[];
  selected: string | null;
  onSelect(id: string | null): void;
}

function Rows({ rows, selected, onSelect }: RowsProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800, width: 0 });
  useEffect(() => {
    const box = scroller.current;
    if (!box) return;
    const measure = () => setView({ top: box.scrollTop, height: box.clientHeight, width: box.clientWidth });
    const resize = new ResizeObserver(measure);
    resize.observe(box);
    box.addEventListener("scroll", measure, { passive: true });
    return () => {
      resize.disconnect();
      box.removeEventListener("scroll", measure);
    };
  }, []);

  const high = rowHeight(view.width);

  // A row that the keyboard reaches may not exist yet, so the list scrolls by numbers.
  useEffect(() => {
    const box = scroller.current;
    const at = selected === null ? -1 : rows.findIndex((row) => row.id === selected);
    if (!box || at < 0) return;
    const top = at * high;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + high > box.scrollTop + box.clientHeight) box.scrollTop = top + high - box.clientHeight;
  }, [selected]);

  const { first, end } = windowOfRows(view.top, view.height, high, rows.length);
  return (
    <div class={isNarrow(view.width) ? "alert-rows narrow" : "alert-rows"} ref={scroller} tabIndex={0} role="region" aria-label={t("alerts.list")}>
      <ul style={{ height: `${rows.length * high}px` }}>
        {rows.slice(first, end).map((alert, at) => (
          <AlertRow key={alert.id} alert={alert} top={(first + at) * high} selected={alert.id === selected} onSelect={() => onSelect(alert.id === selected ? null : alert.id)} />
        ))}
      </ul>
    </div>
  );
}

function useMatching(filter: AlertFilter): AlertItem[] {
  const version = alertVersion.value;
  const turn = Math.floor(now.value / LINGER_CHECK_MS);
  return useMemo(() => {
    const time = serverNow();
    return [...alertBook.all()].filter((item) => matches(item, filter, alertBook.lingers(item.id, time))).sort(byUrgency);
  }, [filter, version, turn]);
}

/** Resolved alerts are fetched only when somebody asks for them. */
function useResolved(filter: AlertFilter): void {
  const wanted = filter.state !== "firing";
  const resource = useResource(wanted ? `resolved|${filter.zone ?? ""}` : null, (signal) =>
    api.alerts({ state: "resolved", zone: filter.zone, limit: RESOLVED_SHOWN }, signal),
  );
  useEffect(() => {
    if (!resource.data) return;
    alertBook.add(resource.data.items);
    alertVersion.value += 1;
  }, [resource.data]);
}
