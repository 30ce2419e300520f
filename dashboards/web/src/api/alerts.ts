/** Typed calls about work on alerts: deeds, silences, load, groups, explanations, loss. */
import { all } from "./admin";
import { buildUrl, call, callTagged, get, type Query, type Tagged } from "./client";
import type { AlarmLoad, AlertDetail, AlertGlance, AlertItem, AlertLogItem, AlertPage, Loss, Page, PositionGroups, RuleExplanation, RuleWithLimits, Silence, SilenceDraft, SilenceState } from "./types";

const id = encodeURIComponent;

/** What people do with an alert, by the last part of its address. */
export type DeedPath = "acknowledge" | "assign" | "accept" | "hand-over" | "return" | "shelve" | "unshelve" | "notes";

export const alertWork = {
  alerts: (query: Query, signal?: AbortSignal) => get<AlertPage>("/alerts", query, signal),
  /** Where what matches can be had as a file. */
  file: (query: Query, format: "csv" | "geojson") => buildUrl("/alerts", { ...query, format }),
  alert: (alert: string, signal?: AbortSignal): Promise<Tagged<AlertDetail>> => callTagged<AlertDetail>("GET", `/alerts/${id(alert)}`, { ...(signal && { signal }) }),
  deed: (alert: string, deed: DeedPath, body: object, tag: string | null): Promise<AlertItem> =>
    call<AlertItem>("POST", `/alerts/${id(alert)}/${deed}`, { body, ...(tag !== null && { ifMatch: tag }) }),
  explain: (alert: string, signal?: AbortSignal, query: { at?: string; limit?: number } = {}) => get<RuleExplanation>(`/alerts/${id(alert)}/explain`, query, signal),
  /** Enough of each to count and date them. */
  glances: (query: Query, signal?: AbortSignal) => get<Page<AlertGlance>>("/alerts", { ...query, fields: "id,fired_at,resolved_at,severity,state" }, signal),
  groups: async (signal?: AbortSignal) => (await get<{ items: PositionGroups[] }>("/alerts/groups", {}, signal)).items,
  load: (query: Query, signal?: AbortSignal) => get<AlarmLoad>("/alarm-load", query, signal),
  log: (query: Query, signal?: AbortSignal) => get<Page<AlertLogItem>>("/alert-log", query, signal),
  rules: (signal?: AbortSignal) => all<RuleWithLimits>("/rules", signal),
  rule: (rule: string, signal?: AbortSignal) => get<RuleWithLimits>(`/rules/${id(rule)}`, {}, signal),
  loss: (by: "department" | "device", signal?: AbortSignal) => get<Loss>("/loss", { by }, signal),

  silences: (state: SilenceState, cursor: string | null, signal?: AbortSignal) => get<Page<Silence>>("/silences", { state, cursor, limit: 100 }, signal),
  silence: (silence: string, signal?: AbortSignal) => callTagged<Silence>("GET", `/silences/${id(silence)}`, { ...(signal && { signal }) }),
  makeSilence: (draft: SilenceDraft) => call<Silence>("POST", "/silences", { body: draft }),
  endSilence: (silence: string, reason: string | null, tag: string | null) =>
    call<Silence>("POST", `/silences/${id(silence)}/end`, { body: { reason }, ...(tag !== null && { ifMatch: tag }) }),
};
