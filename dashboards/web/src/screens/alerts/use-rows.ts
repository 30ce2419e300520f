/** Loads the rows of the table page by page, and keeps them current by the stream. */
import { useComputed } from "@preact/signals";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { alertWork } from "../../api/alerts";
import { onAlertChange } from "../../state/alert-changes";
import { now, refreshEpoch, serverNow } from "../../state/clock";
import { whoIs } from "../../state/session";
import type { AlertItem } from "../../api/types";
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
  loadingMore: boolean;
  error: unknown;
  /** Counts up when anything is different. */
  version: number;
  loadMore(): void;
  /** Begins anew. */
  reload(): void;
  /** Asks again for the page that could not be had. */
  retry(): void;
  release(): void;
}

/** `wanted` rows are there at once, so that back leads to where somebody was. */
export function useRows(filter: TableFilter, held: boolean, wanted: number): Rows {
  const me = whoIs.value?.user ?? "";
  const epoch = refreshEpoch.value;
  const lingerTurn = useComputed(() => Math.floor(now.value / LINGER_LOOK_MS)).value;
  const [turn, setTurn] = useState(0);
  const [version, setVersion] = useState(0);
  const [error, setError] = useState<unknown>(null);
  const [loading, setLoading] = useState(true);
  const [loadingMore, setLoadingMore] = useState(false);
  const heldNow = useRef(held);
  heldNow.current = held;
  const key = JSON.stringify([{ ...filter, severities: [...filter.severities].sort() }, me]);

  const list = useMemo(() => {
    const at = serverNow();
    const compare = compareBy(filter.sort);
    return {
      model: new RowsModel({ fits: (alert) => fits(alert, filter, me, serverNow()), compare }),
      ask: askOf(filter, me, at),
      cursor: null as string | null,
      busy: false,
      abort: new AbortController(),
      endedSeen: new Map<string, number>(),
    };
  }, [key, epoch, turn]);

  const fetchPage = async (limit: number) => {
    if (list.busy || list.abort.signal.aborted) return;
    list.busy = true;
    try {
      const page = await alertWork.alerts({ ...list.ask, cursor: list.cursor, limit }, list.abort.signal);
      list.cursor = page.next_cursor;
      list.model.addPage(page.items, page.next_cursor !== null);
      setError(null);
    } catch (problem) {
      if (!list.abort.signal.aborted) setError(problem);
    } finally {
      list.busy = false;
      if (!list.abort.signal.aborted) {
        setLoading(false);
        setLoadingMore(false);
        setVersion((n) => n + 1);
      }
    }
  };

  useEffect(() => {
    setLoading(true);
    setError(null);
    void fetchPage(Math.min(PAGE, Math.max(FIRST_PAGE, wanted)));
    return () => list.abort.abort();
  }, [list]);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | null = null;
    const draw = () => {
      timer = null;
      setVersion((n) => n + 1);
    };
    const stop = onAlertChange((alert) => {
      if (alert.state === "resolved" && list.model.get(alert.id)?.state === "firing") list.endedSeen.set(alert.id, serverNow());
      if (list.model.take(alert, true)) timer ??= setTimeout(draw, DRAW_MS);
    });
    return () => {
      stop();
      if (timer !== null) clearTimeout(timer);
    };
  }, [list]);

  const lingers = (alert: AlertItem) => {
    const seen = list.endedSeen.get(alert.id);
    return seen !== undefined && serverNow() - seen < LINGER_MS;
  };
  // Unless somebody points at it, what waits comes in, and what is out goes; looked at only when something is new.
  const looked = useRef("");
  const look = `${version}|${held}|${lingerTurn}`;
  if (!held && !loading && looked.current !== look && list.model.release(lingers)) list.endedSeen.forEach((_, id) => list.model.indexOf(id) < 0 && list.endedSeen.delete(id));

  looked.current = look;

  return {
    model: list.model,
    loading,
    loadingMore,
    error,
    version,
    loadMore: () => {
      if (!list.model.hasMore || list.busy || error !== null) return;
      setLoadingMore(true);
      void fetchPage(PAGE);
    },
    reload: () => setTurn((n) => n + 1),
    retry: () => {
      setError(null);
      setLoadingMore(true);
      void fetchPage(PAGE);
    },
    release: () => {
      list.model.release();
      setVersion((n) => n + 1);
    },
  };
}
