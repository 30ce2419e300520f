/** The alert list's filters as they stand in the address. */
import { SEVERITIES } from "../../api/codes";
import type { Severity } from "../../api/types";
import { query, setQuery } from "../../router";
import { parseSeverities, type AlertFilter } from "../../state/alert-book";

export function filterOf(params: URLSearchParams): AlertFilter {
  const state = params.get("state");
  const acknowledged = params.get("acknowledged");
  return {
    state: state === "resolved" || state === "all" ? state : "firing",
    severities: parseSeverities(params.get("severity")),
    zone: params.get("zone"),
    acknowledged: acknowledged === "true" ? true : acknowledged === "false" ? false : null,
  };
}

export function isFiltered(filter: AlertFilter): boolean {
  return filter.severities.size > 0 || filter.zone !== null || filter.acknowledged !== null;
}

export function clearFilter(): void {
  setQuery({ severity: null, zone: null, acknowledged: null, state: null });
}

export function toggleSeverity(severity: Severity): void {
  const chosen = new Set(parseSeverities(query.peek().get("severity")));
  if (!chosen.delete(severity)) chosen.add(severity);
  setQuery({ severity: chosen.size === SEVERITIES.length ? null : SEVERITIES.filter((each) => chosen.has(each)).join(",") });
}
