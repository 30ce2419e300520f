/** The table of all alerts: filtered, scrolled without end, worked on one by one or many at a time. */
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { alertWork } from "../../api/alerts";
import type { AlertItem } from "../../api/types";
import { number } from "../../format/number";
import { clockTime } from "../../format/time";
import { counted, t } from "../../i18n";
import { useKeys } from "../../keys";
import { go, query, setQuery, to } from "../../router";
import { acknowledge, notice } from "../../state/acknowledge";
import { alertCounts } from "../../state/alert-book";
import { serverNow } from "../../state/clock";
import type { Deed } from "../../state/deeds";
import { whoIs } from "../../state/session";
import { Failure, Loading } from "../../ui/resource-view";
import { BulkDialog, BULK_DEEDS } from "./bulk";
import { askOf, clearTableFilter, filterOf, isNarrowed } from "./filter";
import { SortChoice, TableFilters } from "./filters";
import { idsBetween } from "./rows-model";
import { ROW_HEIGHT } from "./row";
import { RowsView } from "./rows-view";
import { forgetPlace, placeOf, rememberPlace } from "./place";
import { useRows } from "./use-rows";

/** Scrolled further than this, new rows wait. */
const TOP_PX = 8;
/** So many at most are worked on at once: each is one change with its own outcome. */
const MOST_PICKED = 500;
const ADDRESS_MS = 300;

export function AlertTableView() {
  const params = query.value;
  const filterKey = params.toString().replace(/(^|&)(row|view)=[^&]*/g, "");
  const filter = useMemo(() => filterOf(params), [filterKey]);
  const [current, select] = useState(params.get("row"));
  useRowInAddress(current);
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const [anchor, setAnchor] = useState<string | null>(null);
  const [hovered, setHovered] = useState(false);
  const [scrolled, setScrolled] = useState(placeOf(filterKey) > TOP_PX);
  const [bulk, setBulk] = useState<Deed | null>(null);
  const held = hovered || scrolled || picked.size > 0 || current !== null || bulk !== null;
  const rows = useRows(filter, held, () => Math.ceil(placeOf(filterKey) / ROW_HEIGHT) + 100);
  const { model } = rows;
  const list = useRef({ rows, picked, anchor, current });
  list.current = { rows, picked, anchor, current };

  const lastKey = useRef(filterKey);
  useEffect(() => {
    if (lastKey.current === filterKey) return;
    lastKey.current = filterKey;
    setPicked(new Set());
    setAnchor(null);
    setScrolled(false);
    select(null);
  }, [filterKey]);

  const pick = useCallback((id: string, range: boolean) => {
    const { rows: { model: all }, picked: before, anchor: from } = list.current;
    const next = new Set(before);
    if (range && from !== null) for (const each of idsBetween(all.rows, all.indexOf(from), all.indexOf(id))) next.add(each);
    else if (!next.delete(id)) next.add(id);
    if (next.size > MOST_PICKED) {
      notice.value = t("bulk.most", { n: number(MOST_PICKED) });
      return;
    }
    setPicked(next);
    setAnchor(id);
  }, []);
  const point = useCallback((id: string) => select(id === list.current.current ? null : id), []);
  const allPicked = model.size > 0 && picked.size >= Math.min(model.size, MOST_PICKED);
  const pickAll = useCallback(() => {
    const { rows: { model: all }, picked: before } = list.current;
    setPicked(before.size >= Math.min(all.size, MOST_PICKED) ? new Set() : new Set(all.rows.slice(0, MOST_PICKED).map(({ id }) => id)));
  }, []);
  const scrolledTo = useCallback((top: number) => {
    rememberPlace(lastKey.current, top);
    setScrolled(top > TOP_PX);
  }, []);

  const chosen = (): AlertItem[] => {
    const ids = picked.size > 0 ? [...picked] : current === null ? [] : [current];
    return ids.map((id) => model.get(id)).filter((alert): alert is AlertItem => alert !== undefined).sort((a, b) => model.indexOf(a.id) - model.indexOf(b.id));
  };
  const open = (deed: Deed) => (chosen().length > 0 ? setBulk(deed) : false);
  const move = (step: number) => {
    if (model.size === 0) return false;
    const at = current === null ? -1 : model.indexOf(current);
    const next = model.rows[at === -1 ? (step > 0 ? 0 : model.size - 1) : Math.min(Math.max(at + step, 0), model.size - 1)];
    if (next !== undefined) select(next.id);
    return true;
  };
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    J: () => extend(1),
    K: () => extend(-1),
    x: () => (current === null ? false : pick(current, false)),
    X: pickAll,
    Enter: () => (current === null ? false : go(to.alert(current))),
    a: () => {
      const alerts = chosen();
      if (alerts.length === 0) return false;
      if (picked.size === 0 && alerts[0] !== undefined) void acknowledge(alerts[0]);
      else setBulk("acknowledge");
      return true;
    },
    c: () => open("accept"),
    s: () => open("assign"),
    h: () => open("hand_over"),
    b: () => open("return"),
    z: () => open(chosen().every(({ shelved }) => shelved !== null) ? "unshelve" : "shelve"),
    n: () => open("note"),
    ".": () => (model.waitingCount > 0 ? release() : false),
    Escape: () => {
      if (picked.size > 0) setPicked(new Set());
      else if (current !== null) select(null);
      else return false;
      return true;
    },
  });
  /** From where it began to where it is now: the row that one stands on is in it. */
  function extend(step: number): boolean {
    if (current === null) return move(step);
    const from = picked.size > 0 && anchor !== null ? anchor : current;
    const at = model.indexOf(current);
    const next = model.rows[Math.min(Math.max(at + step, 0), model.size - 1)];
    if (next === undefined) return false;
    setPicked(new Set([...picked, ...idsBetween(model.rows, model.indexOf(from), model.indexOf(next.id))].slice(0, MOST_PICKED)));
    setAnchor(from);
    select(next.id);
    return true;
  }
  const release = () => {
    forgetPlace();
    document.querySelector(".at-scroller")?.scrollTo(0, 0);
    setScrolled(false);
    rows.release();
  };

  const counts = alertCounts.value;
  const me = whoIs.value?.user ?? "";
  const narrowed = isNarrowed(filter) || filter.state !== "firing";
  const ask = askOf(filter, me, serverNow());
  return (
    <>
      <header class="list-head">
        <h1>{t("alerts.title")}</h1>
        <span class="panel-note" role="status">
          {counted("alerts.live", counts.firing, { unacknowledged: number(counts.unacknowledged) })}
          {narrowed && !rows.loading && ` · ${t(model.hasMore ? "table.shown_more" : "table.shown", { n: number(model.size) })}`}
        </span>
        {model.waitingCount > 0 && (
          <button type="button" class="new-rows" title={`${t("alerts.new.show")} (.)`} onClick={release}>
            {counted("alerts.new", model.waitingCount)}
          </button>
        )}
        <span class="list-total" />
        <SortChoice sort={filter.sort} />
        <a class="button" href={alertWork.file(ask, "csv")} download="alerts.csv">CSV</a>
        <a class="button" href={alertWork.file(ask, "geojson")} download="alerts.geojson">GeoJSON</a>
      </header>
      <TableFilters filter={filter} />
      {rows.staleSince !== null && <p class="note" role="status">{t("state.refreshing_failed", { time: clockTime(rows.staleSince) })}</p>}
      <div class="panel at-frame" onMouseEnter={() => setHovered(true)} onMouseLeave={() => setHovered(false)}>
        {rows.loading ? <Loading /> : rows.error !== null && model.size === 0 ? <Failure error={rows.error} retry={rows.reload} /> : model.size === 0 ? <Nothing narrowed={narrowed} /> : (
          <RowsView key={filterKey} rows={rows} current={current} picked={picked} allPicked={allPicked} startTop={placeOf(filterKey)} onPoint={point} onPick={pick} onPickAll={pickAll} onScroll={scrolledTo} />
        )}
      </div>
      {picked.size > 0 && (
        <div class="bulk-bar" role="group" aria-label={t("bulk.deed")}>
          <strong role="status">{counted("bulk.picked", picked.size)}</strong>
          {BULK_DEEDS.map((deed) => (
            <button key={deed} type="button" class="button" onClick={() => setBulk(deed)}>{t(`deed.${deed}`)}</button>
          ))}
          <button type="button" class="plain" onClick={() => setPicked(new Set())}>{t("bulk.none")}</button>
        </div>
      )}
      {bulk !== null && (
        <BulkDialog
          alerts={chosen()}
          deed={bulk}
          onClose={(done) => {
            setBulk(null);
            if (done) setPicked(new Set());
          }}
        />
      )}
    </>
  );
}

/** Written after a pause: browsers refuse an address that changes with every key press. */
function useRowInAddress(row: string | null): void {
  useEffect(() => {
    const timer = setTimeout(() => setQuery({ row }), ADDRESS_MS);
    return () => clearTimeout(timer);
  }, [row]);
}

function Nothing({ narrowed }: { narrowed: boolean }) {
  if (!narrowed) return <p class="state state-page">{t("alerts.none")}</p>;
  return (
    <div class="state state-page">
      <p>{t("alerts.none.filtered")}</p>
      <button type="button" class="button" onClick={clearTableFilter}>{t("alerts.filter.clear")}</button>
    </div>
  );
}
