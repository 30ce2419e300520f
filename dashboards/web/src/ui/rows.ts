/** Moving through the rows of a list by keyboard: j, k, Enter, Esc. */
import { useEffect, useState } from "preact/hooks";
import { useKeys } from "../keys";

export interface RowKeys {
  selected: string | null;
  select(id: string | null): void;
}

/** `ids` in the order shown; `open` follows Enter. */
export function useRowKeys(ids: readonly string[], open: (id: string) => void): RowKeys {
  const [selected, select] = useState<string | null>(null);
  const at = selected === null ? -1 : ids.indexOf(selected);
  const move = (step: number) => {
    if (ids.length === 0) return false;
    select(ids[Math.min(Math.max(at + step, 0), ids.length - 1)] ?? null);
    return true;
  };
  useKeys({
    j: () => move(1),
    k: () => move(at === -1 ? ids.length : -1),
    Enter: () => (at >= 0 && selected !== null ? open(selected) : false),
    Escape: () => (selected === null ? false : select(null)),
  });
  useEffect(() => {
    if (selected !== null) document.getElementById(rowId(selected))?.scrollIntoView({ block: "nearest" });
  }, [selected]);
  return { selected, select };
}

export function rowId(id: string): string {
  return `row-${id}`;
}
