/** A table of any length: only the rows in sight exist, and the keyboard moves through all of them. */
import type { ComponentChildren } from "preact";
import { useEffect, useReducer, useRef, useState } from "preact/hooks";
import { t } from "../i18n";
import { useKeys } from "../keys";
import { SortHead } from "./sort-head";
import { windowOfRows, type RowWindow } from "./window-of-rows";

/** As `.long-table td` has it, border included. */
export const LONG_ROW_HEIGHT = 34;
const HEAD_HEIGHT = 34;
/** How long scrolling must rest before the place is kept. */
const REST_MS = 200;

export interface Column<Row> {
  key: string;
  head: ComponentChildren;
  /** How the order by it is named; without it there is none. */
  sort?: string;
  first?: "up" | "down";
  class?: string;
  cell(row: Row): ComponentChildren;
}

interface Props<Row> {
  label: string;
  columns: readonly Column<Row>[];
  count: number;
  /** Undefined while it is not loaded. */
  rowAt(index: number): Row | undefined;
  idOf(row: Row): string;
  open?(row: Row): void;
  sort?: string;
  onSort?(sort: string): void;
  /** Which rows are in sight. */
  onRange?(first: number, end: number): void;
  /** The row that is at the top to begin with. */
  startAt?: number;
  onRest?(first: number): void;
  onHover?(over: boolean): void;
  class?: string;
}

export function LongTable<Row>(props: Props<Row>) {
  const { columns, count, rowAt, idOf, open } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const place = useRef({ top: (props.startAt ?? 0) * LONG_ROW_HEIGHT, height: 800 });
  const [, draw] = useReducer((turn: number) => turn + 1, 0);
  const [at, setAt] = useState<number | null>(null);
  const latest = useRef(props);
  latest.current = props;

  useEffect(() => {
    const box = scroller.current;
    if (!box) return;
    box.scrollTop = (latest.current.startAt ?? 0) * LONG_ROW_HEIGHT;
    let resting: ReturnType<typeof setTimeout> | undefined;
    const measure = () => {
      const before = windowOf(place.current, latest.current.count);
      place.current = { top: box.scrollTop, height: box.clientHeight - HEAD_HEIGHT };
      const now = windowOf(place.current, latest.current.count);
      // Most steps of scrolling bring no other rows.
      if (now.first !== before.first || now.end !== before.end) draw(0);
    };
    const scrolled = () => {
      measure();
      clearTimeout(resting);
      resting = setTimeout(() => latest.current.onRest?.(Math.round(box.scrollTop / LONG_ROW_HEIGHT)), REST_MS);
    };
    measure();
    const resize = new ResizeObserver(measure);
    resize.observe(box);
    box.addEventListener("scroll", scrolled, { passive: true });
    return () => {
      resize.disconnect();
      clearTimeout(resting);
      box.removeEventListener("scroll", scrolled);
    };
  }, []);

  const { first, end } = windowOf(place.current, count);
  useEffect(() => latest.current.onRange?.(first, end), [first, end, count]);

  const move = (to: number) => {
    if (count === 0) return false;
    const next = Math.min(Math.max(to, 0), count - 1);
    setAt(next);
    // A row that the keyboard reaches may not exist yet, so the table scrolls by numbers.
    const box = scroller.current;
    if (!box) return true;
    const top = next * LONG_ROW_HEIGHT;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + LONG_ROW_HEIGHT > box.scrollTop + box.clientHeight - HEAD_HEIGHT) box.scrollTop = top + LONG_ROW_HEIGHT - box.clientHeight + HEAD_HEIGHT;
    return true;
  };
  const seen = () => Math.ceil(place.current.top / LONG_ROW_HEIGHT);
  useKeys({
    j: () => move(at === null ? seen() : at + 1),
    k: () => move(at === null ? seen() : at - 1),
    Enter: () => {
      const row = at === null ? undefined : rowAt(at);
      return row === undefined || open === undefined ? false : open(row);
    },
    Escape: () => (at === null ? false : setAt(null)),
  });
  useEffect(() => {
    if (at !== null && at >= count) setAt(null);
  }, [count]);

  const indexes = Array.from({ length: end - first }, (_, offset) => first + offset);
  return (
    <div class={`table-frame long-table ${props.class ?? ""}`} ref={scroller} tabIndex={0} role="region" aria-label={props.label} onMouseEnter={() => props.onHover?.(true)} onMouseLeave={() => props.onHover?.(false)}>
      <table class="table" aria-rowcount={count + 1}>
        <thead>
          <tr aria-rowindex={1}>
            {columns.map((column) =>
              column.sort !== undefined && props.onSort ? (
                <SortHead key={column.key} name={column.sort} sort={props.sort ?? ""} onSort={props.onSort} {...(column.first && { first: column.first })} {...(column.class && { class: column.class })}>
                  {column.head}
                </SortHead>
              ) : (
                <th key={column.key} scope="col" class={column.class}>{column.head}</th>
              ),
            )}
          </tr>
        </thead>
        <tbody>
          <Spacer rows={first} columns={columns.length} />
          {indexes.map((index) => {
            const row = rowAt(index);
            return (
              <tr key={row === undefined ? index : `${index} ${idOf(row)}`} aria-rowindex={index + 2} {...(row !== undefined && { "data-row": idOf(row) })} {...(index === at && { "aria-current": "true" as const })} class={row === undefined ? "waiting" : ""}>
                {row === undefined ? <td colSpan={columns.length}>{t("state.loading")}</td> : columns.map((column) => <td key={column.key} class={column.class}>{column.cell(row)}</td>)}
              </tr>
            );
          })}
          <Spacer rows={count - end} columns={columns.length} />
        </tbody>
      </table>
    </div>
  );
}

/** By fours, so that scrolling row by row does not draw each time. */
const STEP = 4;

function windowOf({ top, height }: { top: number; height: number }, count: number): RowWindow {
  const { first, end } = windowOfRows(top, height, LONG_ROW_HEIGHT, count);
  return { first: Math.floor(first / STEP) * STEP, end: Math.min(count, Math.ceil(end / STEP) * STEP) };
}

/** The height of rows that do not exist. */
function Spacer({ rows, columns }: { rows: number; columns: number }) {
  if (rows <= 0) return null;
  return (
    <tr class="spacer" aria-hidden="true">
      <td colSpan={columns} style={{ height: `${rows * LONG_ROW_HEIGHT}px` }} />
    </tr>
  );
}
