/** A long list of the server in a screen: what is in sight is loaded, and loaded again while somebody looks. */
import { useEffect, useReducer, useRef } from "preact/hooks";
import { PagedList, type LoadPage } from "../../state/paged-list";
import { refreshEpoch } from "../../state/clock";
import { session } from "../../state/session";

interface Options {
  pageSize: number;
  everyMs: number;
}

interface Paged<Item extends { id: string }> {
  list: PagedList<Item>;
  onRange(first: number, end: number): void;
  onHover(over: boolean): void;
}

/** `key` names what is asked for: another one is another list. */
export function usePaged<Item extends { id: string }>(key: string, load: LoadPage<Item>, { pageSize, everyMs }: Options): Paged<Item> {
  const [, draw] = useReducer((turn: number) => turn + 1, 0);
  const range = useRef({ first: 0, end: 1, over: false });
  const held = useRef<{ key: string; list: PagedList<Item> } | null>(null);
  const epoch = refreshEpoch.value;

  if (held.current?.key !== key) {
    held.current?.list.dispose();
    held.current = { key, list: new PagedList<Item>(load, pageSize, () => draw(0)) };
    range.current = { ...range.current, first: 0, end: 1 };
  }
  const { list } = held.current;

  useEffect(() => {
    list.want(range.current.end);
    return () => list.dispose();
  }, [list]);

  const again = () => void list.refresh(range.current.first, range.current.end, range.current.over);
  const seen = useRef(epoch);
  useEffect(() => {
    if (seen.current !== epoch) again();
    seen.current = epoch;
  }, [epoch]);
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden && session.peek().phase !== "out") again();
    }, everyMs);
    return () => clearInterval(timer);
  }, [list, everyMs]);

  return {
    list,
    onRange: (first, end) => {
      range.current = { ...range.current, first, end };
      list.want(end);
    },
    onHover: (over) => {
      range.current.over = over;
    },
  };
}
