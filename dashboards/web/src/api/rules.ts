/** Typed calls about rules, their groups, their trials and their history. */
import { all } from "./admin";
import { ApiError, call, callTagged, get, type Query, type Tagged } from "./client";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type Rule = Schemas["Rule"];
export type RuleFault = Schemas["RuleFault"];
export type RuleGroup = Schemas["RuleGroup"];
export type RuleGroupText = Schemas["RuleGroupText"];
export type RuleGroupList = Schemas["RuleGroupList"];
export type RuleGroupChange = Schemas["RuleGroupChange"];
export type RuleGroupVersion = Schemas["RuleGroupVersion"];
export type RuleGroupVersionText = Schemas["RuleGroupVersionText"];
export type RuleReload = Schemas["RuleReload"];
export type RuleFile = Schemas["RuleFile"];
export type RuleCheck = Schemas["RuleCheck"];
export type RuleTestReport = Schemas["RuleTestReport"];
export type NewBacktest = Schemas["NewBacktest"];
export type Backtest = Schemas["Backtest"];
export type WouldBe = Schemas["WouldBe"];
export type RuleExplanation = Schemas["RuleExplanation"];

const id = encodeURIComponent;
const TRIAL_MS = 30_000;
/** A backtest over months may take minutes; it tells how far it is. */
const BACKTEST_MS = 30 * 60_000;
/** More alerts of a week than this are not counted one by one. */
const COUNTED = 5_000;
const COUNT_PAGE = 1_000;

const tagOf = (tag: string | null) => (tag === null ? { ifNew: true } : { ifMatch: tag });
const given = (signal?: AbortSignal) => ({ ...(signal && { signal }) });

export const rulesApi = {
  rules: (signal?: AbortSignal) => all<Rule>("/rules", signal),
  rule: (rule: string, signal?: AbortSignal) => get<Rule>(`/rules/${id(rule)}`, {}, signal),
  explain: (rule: string, query: Query, signal?: AbortSignal) => call<RuleExplanation>("GET", `/rules/${id(rule)}/explain`, { query, timeoutMs: TRIAL_MS * 4, ...given(signal) }),

  groups: (signal?: AbortSignal) => get<RuleGroupList>("/rule-groups", {}, signal),
  group: (group: string, signal?: AbortSignal) => callTagged<RuleGroupText>("GET", `/rule-groups/${id(group)}`, given(signal)),
  /** What a text would do, or what is wrong with it. */
  tryGroup: (group: string, text: string, tag: string | null, signal?: AbortSignal) =>
    call<RuleGroupChange>("PUT", `/rule-groups/${id(group)}`, { query: { check: true }, body: { text }, timeoutMs: TRIAL_MS, ...tagOf(tag), ...given(signal) }),
  putGroup: (group: string, text: string, why: string, tag: string | null): Promise<Tagged<RuleGroupChange>> =>
    callTagged<RuleGroupChange>("PUT", `/rule-groups/${id(group)}`, { body: { text, why }, timeoutMs: TRIAL_MS, ...tagOf(tag) }),
  deleteGroup: (group: string, why: string, tag: string) => call<RuleGroupChange>("DELETE", `/rule-groups/${id(group)}`, { query: { why }, ifMatch: tag }),
  history: (group: string, signal?: AbortSignal) => all<RuleGroupVersion>(`/rule-groups/${id(group)}/history`, signal),
  version: (group: string, version: number, signal?: AbortSignal) => get<RuleGroupVersionText>(`/rule-groups/${id(group)}/history/${version}`, {}, signal),
  restore: (group: string, version: number, why: string, tag: string | null) =>
    call<RuleGroupChange>("POST", `/rule-groups/${id(group)}/history/${version}/restore`, { body: { why }, ...tagOf(tag) }),

  check: (files: readonly RuleFile[], signal?: AbortSignal) => call<RuleCheck>("POST", "/rules/check", { body: { files }, timeoutMs: TRIAL_MS, ...given(signal) }),
  test: (files: readonly RuleFile[], tests: RuleFile) => call<RuleTestReport>("POST", "/rules/test", { body: { files, tests }, timeoutMs: TRIAL_MS * 2 }),
  backtest,
  firedSince,
};

export interface Progress {
  done: number;
  of: number;
}

type Line = Progress | { result: Backtest } | { problem: ApiError["problem"] };

/** A backtest that tells how far it is; it ends when the signal does. */
async function backtest(body: NewBacktest, onProgress: (progress: Progress) => void, signal: AbortSignal): Promise<Backtest> {
  const response = await fetch("/api/v1/rules/backtest", {
    method: "POST",
    headers: { Accept: "application/x-ndjson", "Content-Type": "application/json", "X-Citybrain-Csrf": "1" },
    body: JSON.stringify(body),
    credentials: "same-origin",
    signal: AbortSignal.any([signal, AbortSignal.timeout(BACKTEST_MS)]),
  });
  if (!response.ok || response.body === null) throw new ApiError({ title: response.statusText, status: response.status, code: "unknown", ...(await response.json().catch(() => ({}))) });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    const lines = (rest + (value ?? "")).split("\n");
    rest = done ? "" : (lines.pop() ?? "");
    for (const line of lines) {
      if (line.trim() === "") continue;
      const said = JSON.parse(line) as Line;
      if ("result" in said) return said.result;
      if ("problem" in said) throw new ApiError(said.problem);
      onProgress(said);
    }
    if (done) throw new TypeError("the answer broke off");
  }
}

export interface FiredCounts {
  byRule: ReadonlyMap<string, number>;
  /** Whether there are more than were counted. */
  more: boolean;
}

/** How often each rule has fired since then. */
async function firedSince(from: string, signal?: AbortSignal): Promise<FiredCounts> {
  const byRule = new Map<string, number>();
  let cursor: string | null = null;
  let seen = 0;
  do {
    const page: { items: { rule: { id: string } }[]; next_cursor: string | null } = await get("/alerts", { state: "all", from, fields: "rule", limit: COUNT_PAGE, cursor }, signal);
    for (const { rule } of page.items) byRule.set(rule.id, (byRule.get(rule.id) ?? 0) + 1);
    seen += page.items.length;
    cursor = page.next_cursor;
  } while (cursor !== null && seen < COUNTED);
  return { byRule, more: cursor !== null };
}

/** Problems that came with a refusal. */
export function faultsOf(error: unknown): readonly RuleFault[] {
  if (!(error instanceof ApiError)) return [];
  const { problems } = error.problem as { problems?: readonly RuleFault[] };
  return Array.isArray(problems) ? problems : [];
}
