/** The head of a column by which a table can be put in order; the order is in the address. */
import type { ComponentChildren } from "preact";
import { t } from "../i18n";

interface Props {
  /** As the order is named in the address. */
  name: string;
  /** The order that is on, `-name` being the other way round. */
  sort: string;
  onSort(sort: string): void;
  /** The way round that is asked for first. */
  first?: "up" | "down";
  class?: string;
  children: ComponentChildren;
}

export function SortHead({ name, sort, onSort, first = "up", class: look, children }: Props) {
  const state = sort === name ? "ascending" : sort === `-${name}` ? "descending" : "none";
  const next = state === "none" ? (first === "up" ? name : `-${name}`) : state === "ascending" ? `-${name}` : name;
  return (
    <th scope="col" class={look} aria-sort={state}>
      <button type="button" class="sort" title={t("table.sort")} onClick={() => onSort(next)}>
        {children}
        <svg class="sort-mark" viewBox="0 0 10 14" aria-hidden="true">
          {state !== "descending" && <path class={state === "none" ? "faint" : ""} d="M5 1.5 8.5 6h-7z" />}
          {state !== "ascending" && <path class={state === "none" ? "faint" : ""} d="M5 12.5 1.5 8h7z" />}
        </svg>
      </button>
    </th>
  );
}
