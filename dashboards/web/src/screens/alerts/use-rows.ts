/** Loads the rows of the table page by page, and keeps them current by the stream. */
import { useComputed } from "@preact/signals";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { alertWork } from "../../api/alerts";
import type { Query } from "../../api/client";
import type { AlertItem } from "../../api/types";
import { onAlertChange } from "../../state/alert-changes";
import { now, refreshEpoch, serverNow } from "../../state/clock";
import { whoIs } from "../../state/session";
import { askOf, compareBy, fits, type TableFilter } from "./filter";
import { RowsModel } from "./rows-model";

const FIRST_PAGE = 200;
/** The server's largest: fewer stops on a long way down. */
const PAGE = 1000;
/** The next page is asked for when so many rows are left below. */
export const AHEAD = 600;
/** Changes in a burst are drawn together. */
const DRAW_MS = 200;
/** An alert that ended stays so long before it leaves by itself. */
const LINGER_MS = 45_000;
const LINGER_LOOK_MS = 15_000;

export interface Rows {
  model: RowsModel;
  loading: boolean;
  error: unknown;
  /** Since when the rows are what they were because they could not be loaded again; null while they are current. */
  staleSince: number | null;
  /** Counts up when anything is different. */
  version: number;
  loadMore(): void;
  /** Begins anew. */
  reload(): void;
  /** Asks again for the page that could not be had. */
  retry(): void;
  release(): void;
}

/** One loading of the list: its rows, and where it goes on. */
interface List {
  key: string;
  model: RowsModel;
  ask: Query;
  cursor: string | null;
  busy: boolean;
  /** When its first rows were there, in epoch milliseconds of the server. */
  loadedAt: number | null;
  abort: AbortController;
  endedSeen: Map<string, number>;
}

/** `wanted` says how many rows must be there at once, so that nobody loses their place. */
export function useRows(filter: TableFilter, held: boolean, wanted: () => number): Rows {
  const me = whoIs.value?.user ?? "";
  const epoch = refreshEpoch.value;
  const lingerTurn = useComputed(() => Math.floor(now.value / LINGER_LOOK_MS)).value;
  const [turn, setTurn] = useState(0);
  const [version, setVersion] = useState(0);
  const [error, setError] = useState<unknown>(null);
  const key = JSON.stringify([{ ...filter, severities: [...filter.severities].sort() }, me]);
  const draw = () => setVersion((n) => n + 1);

  const list = useMemo<List>(
    () => ({
      key,
      model: new RowsModel({ fits: (alert) => fits(alert, filter, me, serverNow()), compare: compareBy(filter.sort) }),
      ask: askOf(filter, me, serverNow()),
      cursor: null,
      busy: false,
      loadedAt: null,
      abort: new AbortController(),
      endedSeen: new Map(),
    }),
    [key, epoch, turn],
  );
  // While the same list is loaded again, what was there stays: old rows are better than none.
  const shown = useRef(list);
  if (list.loadedAt !== null || shown.current.key !== key) shown.current = list;
  const current = shown.current;

  const fetchPage = async (of: List, limit: number): Promise<boolean> => {
    if (of.busy || of.abort.signal.aborted) return false;
    of.busy = true;
    try {
      const page = await alertWork.alerts({ ...of.ask, cursor: of.cursor, limit }, of.abort.signal);
      of.cursor = page.next_cursor;
      of.model.addPage(page.items, page.next_cursor !== null);
      setError(null);
      return true;
    } catch (problem) {
      if (!of.abort.signal.aborted) setError(problem);
      return false;
    } finally {
      of.busy = false;
      if (!of.abort.signal.aborted) draw();
    }
  };

  useEffect(() => {
    setError(null);
    const begin = async () => {
      const target = wanted();
      let more = await fetchPage(list, Math.min(PAGE, Math.max(FIRST_PAGE, target)));
      while (more && list.model.hasMore && list.model.size < target) more = await fetchPage(list, PAGE);
      if (list.abort.signal.aborted || !more) return;
      list.loadedAt = serverNow();
      draw();
    };
    void begin();
    return () => list.abort.abort();
  }, [list]);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | null = null;
    const stop = onAlertChange((alert) => {
      for (const each of new Set([list, shown.current])) {
        if (alert.state === "resolved" && each.model.get(alert.id)?.state === "firing") each.endedSeen.set(alert.id, serverNow());
        if (each.model.take(alert, true)) {
          timer ??= setTimeout(() => {
            timer = null;
            draw();
          }, DRAW_MS);
        }
      }
    });
    return () => {
      stop();
      if (timer !== null) clearTimeout(timer);
    };
  }, [list]);

  const lingers = (alert: AlertItem) => {
    const seen = current.endedSeen.get(alert.id);
    return seen !== undefined && serverNow() - seen < LINGER_MS;
  };
  const loading = current.loadedAt === null && error === null;
  // Unless somebody points at it, what waits comes in, and what is out goes; looked at only when something is new.
  const looked = useRef("");
  const look = `${version}|${held}|${lingerTurn}`;
  if (!held && !loading && looked.current !== look && current.model.release(lingers)) {
    current.endedSeen.forEach((_, id) => current.model.indexOf(id) < 0 && current.endedSeen.delete(id));
  }
  looked.current = look;

  return {
    model: current.model,
    loading,
    error,
    staleSince: error !== null && current !== list ? current.loadedAt : null,
    version,
    loadMore: () => {
      if (current.loadedAt !== null && current.model.hasMore && error === null) void fetchPage(current, PAGE);
    },
    reload: () => setTurn((n) => n + 1),
    retry: () => {
      setError(null);
      if (current !== list) setTurn((n) => n + 1);
      else void fetchPage(current, PAGE);
    },
    release: () => {
      current.model.release();
      draw();
    },
  };
}
