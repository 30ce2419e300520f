/** The scrolled part of the table: only rows near the window exist, and the next page comes before the end is reached. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { number } from "../../format/number";
import { t, type TextKey } from "../../i18n";
import { windowOfRows, type RowWindow } from "../../ui/window-of-rows";
import { ROW_HEIGHT, TableRow } from "./row";
import { AHEAD, type Rows } from "./use-rows";

const COLUMNS: readonly (readonly [name: string, text: TextKey])[] = [
  ["at-severity", "severity.label"],
  ["at-fired", "table.fired"],
  ["at-what", "alert.title"],
  ["at-value", "alert.value"],
  ["at-department", "alert.department"],
  ["at-handling", "table.handling"],
  ["at-state", "alerts.state"],
];

/** The window moves by so many rows at once: fewer turns while scrolling. */
const STRIDE = 4;
/** More than ever exist at once: a row that leaves on one side is used again on the other. */
const SLOTS = 128;

interface Props {
  rows: Rows;
  current: string | null;
  picked: ReadonlySet<string>;
  allPicked: boolean;
  /** Where it stood when it was left. */
  startTop: number;
  onPoint(id: string): void;
  onPick(id: string, range: boolean): void;
  onPickAll(): void;
  onScroll(top: number): void;
}

export function RowsView({ rows, current, picked, allPicked, startTop, onPoint, onPick, onPickAll, onScroll }: Props) {
  const { model } = rows;
  const scroller = useRef<HTMLDivElement>(null);
  const head = useRef<HTMLDivElement>(null);
  const count = model.size;
  const counted = useRef(count);
  counted.current = count;
  const [view, setView] = useState<RowWindow>({ first: 0, end: Math.min(count, 60) });
  const ahead = useRef(rows);
  ahead.current = rows;

  const measure = () => {
    const box = scroller.current;
    if (!box) return;
    const next = windowOfRows(box.scrollTop, box.clientHeight, ROW_HEIGHT, counted.current);
    const first = Math.max(0, Math.floor(next.first / STRIDE) * STRIDE);
    const end = Math.min(counted.current, Math.ceil(next.end / STRIDE) * STRIDE);
    setView((old) => (old.first === first && old.end === end ? old : { first, end }));
    leaveLostRow(box, first, end);
    if (end + AHEAD > counted.current) ahead.current.loadMore();
    onScroll(box.scrollTop);
  };

  useEffect(() => {
    const box = scroller.current;
    if (!box) return;
    const resize = new ResizeObserver(measure);
    resize.observe(box);
    box.addEventListener("scroll", measure, { passive: true });
    return () => {
      resize.disconnect();
      box.removeEventListener("scroll", measure);
    };
  }, []);
  useEffect(measure, [rows.version, count]);
  useLayoutEffect(() => {
    if (scroller.current && startTop > 0) scroller.current.scrollTop = startTop;
  }, []);

  // A row that the keyboard reaches may not exist yet, so the table scrolls by numbers.
  useEffect(() => {
    const box = scroller.current;
    const at = current === null ? -1 : model.indexOf(current);
    if (!box || at < 0) return;
    const top = at * ROW_HEIGHT;
    const room = box.clientHeight - (head.current?.offsetHeight ?? 0);
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + ROW_HEIGHT > box.scrollTop + room) box.scrollTop = top + ROW_HEIGHT - room;
  }, [current]);

  const end = Math.min(view.end, count);
  return (
    <div class="at-scroller" ref={scroller} tabIndex={0} role="region" aria-label={t("alerts.list")}>
      <div role="table" aria-label={t("alerts.list")} aria-rowcount={model.hasMore ? -1 : count + 1}>
        <div role="rowgroup" class="at-head" ref={head}>
          <div role="row" class="at-row" aria-rowindex={1}>
            <span role="columnheader" class="at-pick">
              <input type="checkbox" checked={allPicked} aria-label={t("table.pick_all")} onClick={onPickAll} />
            </span>
            {COLUMNS.map(([name, text]) => <span key={name} role="columnheader" class={name}>{t(text)}</span>)}
          </div>
        </div>
        <div role="rowgroup" class="at-body" style={{ height: `${count * ROW_HEIGHT}px` }}>
          {model.rows.slice(view.first, end).map((alert, at) => (
            <TableRow key={(view.first + at) % SLOTS} alert={alert} index={view.first + at + 2} top={(view.first + at) * ROW_HEIGHT} current={alert.id === current} picked={picked.has(alert.id)} out={model.isOut(alert)} onPoint={onPoint} onPick={onPick} />
          ))}
        </div>
      </div>
      <p class="at-end muted" role="status">{rows.error !== null ? <EndError rows={rows} /> : model.hasMore ? t("table.more") : t("table.end", { n: number(count) })}</p>
    </div>
  );
}

/** The keyboard must not go on in another alert's row because that one was used again. */
function leaveLostRow(box: HTMLElement, first: number, end: number): void {
  const row = document.activeElement?.closest(".at-body .at-row");
  const at = Number(row?.getAttribute("aria-rowindex") ?? NaN) - 2;
  if (row && (at < first || at >= end)) box.focus({ preventScroll: true });
}

function EndError({ rows }: { rows: Rows }) {
  return (
    <>
      {t("table.more_failed")} <button type="button" class="button" onClick={rows.retry}>{t("state.retry")}</button>
    </>
  );
}
