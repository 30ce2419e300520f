/** What people do with alerts: which deeds are possible and why not, and how one is done. */
import { ApiError } from "../api/client";
import { alertWork, type DeedPath } from "../api/alerts";
import { problemText } from "../api/problem-text";
import type { AlertDetail, AlertItem, AlertLogEntry } from "../api/types";
import { dateTime } from "../format/time";
import { t } from "../i18n";
import { departmentName } from "./city";
import { takeAlert } from "./live";
import { whyNoAlertChange } from "./rights";
import { whoIs } from "./session";

export type Deed = "acknowledge" | "assign" | "accept" | "hand_over" | "return" | "shelve" | "unshelve" | "note";

export const DEEDS: readonly Deed[] = ["acknowledge", "accept", "assign", "hand_over", "return", "shelve", "unshelve", "note"];

const PATHS: Readonly<Record<Deed, DeedPath>> = {
  acknowledge: "acknowledge",
  assign: "assign",
  accept: "accept",
  hand_over: "hand-over",
  return: "return",
  shelve: "shelve",
  unshelve: "unshelve",
  note: "notes",
};

/** Those that pass an alert from hand to hand: for these the server compares what was seen. */
const HANDLING: readonly Deed[] = ["assign", "accept", "hand_over", "return"];

/** The longest that each may reach ahead, as the server has it, in milliseconds. */
export const DAY_MS = 86_400_000;
export const REACH_MS: Readonly<Partial<Record<Deed, number>>> = { assign: 30 * DAY_MS, accept: 30 * DAY_MS, hand_over: 30 * DAY_MS, return: 30 * DAY_MS, shelve: DAY_MS };

/** What a person has filled in; each deed takes its part of it. */
export interface DeedDraft {
  note: string;
  /** Epoch milliseconds; null for none, or for what cannot be read. */
  until: number | null;
  who: string;
  department: string;
}

export const needsUntil = (deed: Deed) => deed === "assign" || deed === "hand_over" || deed === "return" || deed === "shelve";
export const takesUntil = (deed: Deed) => needsUntil(deed) || deed === "accept";
export const needsNote = (deed: Deed) => deed === "note" || deed === "shelve";

/** Why this cannot be done with this alert now; null if it can. The server decides; this spares the attempt. */
export function whyNotDeed(deed: Deed, alert: AlertItem): string | null {
  if (deed === "note") return whyNoAlertChange(alert);
  if (alert.state !== "firing") return t("deed.not.ended");
  return whyNotNow(deed, alert) ?? whyNoAlertChange(alert);
}

function whyNotNow(deed: Deed, alert: AlertItem): string | null {
  const me = whoIs.value?.user ?? "";
  const { handling, shelved, acknowledged } = alert;
  const others = (handling.stage === "assigned" || handling.stage === "accepted") && handling.who !== me ? t("deed.not.theirs", { who: handling.who ?? "" }) : null;
  switch (deed) {
    case "acknowledge":
      return acknowledged === null ? null : t("deed.not.acknowledged", { who: acknowledged.by });
    case "accept":
      return handling.stage === "accepted" && handling.who === me ? t("deed.not.have_it") : others;
    case "hand_over":
      return handling.stage === "handed_over" ? t("deed.not.waiting", { department: departmentName(handling.department ?? "") }) : others;
    case "return":
      return handling.stage === "unassigned" ? t("deed.not.from_nobody") : others;
    case "shelve":
      return shelved === null ? null : t("deed.not.shelved", { who: shelved.by, time: dateTime(shelved.until) });
    case "unshelve":
      return shelved === null ? t("deed.not.on_shelf") : null;
    default:
      return null;
  }
}

/** Whether what must be filled in is. */
export function isReady(deed: Deed, draft: DeedDraft, nowMs: number): boolean {
  if (needsNote(deed) && draft.note.trim() === "") return false;
  if (deed === "assign" && draft.who.trim() === "") return false;
  if (deed === "hand_over" && draft.department === "") return false;
  if (!needsUntil(deed)) return true;
  return draft.until !== null && draft.until > nowMs && draft.until - nowMs <= (REACH_MS[deed] ?? Infinity);
}

/** What is sent. */
export function bodyOf(deed: Deed, draft: DeedDraft): Record<string, unknown> {
  const note = draft.note.trim();
  const until = draft.until === null ? null : new Date(draft.until).toISOString();
  const said = note === "" ? {} : { note };
  switch (deed) {
    case "acknowledge":
    case "unshelve":
    case "note":
      return said;
    case "accept":
      return { ...said, ...(until !== null && { until }) };
    case "assign":
      return { ...said, who: draft.who.trim(), until };
    case "hand_over":
      return { ...said, department: draft.department, until };
    case "return":
      return { ...said, until };
    case "shelve":
      return { reason: note, until };
  }
}

export type DeedOutcome =
  | { done: true; alert: AlertItem }
  /** `fresh` is the alert as it is now, when somebody else was faster. */
  | { done: false; what: string; hint: string; fresh: AlertDetail | null; waitS: number };

/** Codes that mean: it is not as this person saw it. */
const OVERTAKEN = ["already_acknowledged", "already_resolved", "already_shelved", "not_shelved", "not_yours", "nothing_to_do", "changed_meanwhile", "precondition_required"];

/** `tag` is of the alert as it was seen; null takes it as it is. */
export async function doDeed(deed: Deed, alert: string, draft: DeedDraft, tag: string | null): Promise<DeedOutcome> {
  try {
    const changed = await alertWork.deed(alert, PATHS[deed], bodyOf(deed, draft), HANDLING.includes(deed) ? tag : null);
    takeAlert(changed);
    return { done: true, alert: changed };
  } catch (error) {
    const overtaken = error instanceof ApiError && OVERTAKEN.includes(error.code);
    const fresh = overtaken ? await alertWork.alert(alert).then(({ value }) => value, () => null) : null;
    if (fresh !== null) takeAlert(fresh);
    const { what, hint } = fresh === null ? problemText(error) : { what: overtakenText(deed, fresh, error as ApiError), hint: "" };
    return { done: false, what, hint, fresh, waitS: error instanceof ApiError && error.status === 429 ? (error.problem.retry_after_s ?? 1) : 0 };
  }
}

function overtakenText(deed: Deed, fresh: AlertDetail, error: ApiError): string {
  if (fresh.state === "resolved") return t("deed.not.ended");
  return whyNotDeed(deed, fresh) ?? (error.code === "changed_meanwhile" ? t("deed.changed") : problemText(error).what);
}

/** What others did since this person last saw the log. */
export function doneByOthers(log: readonly AlertLogEntry[], seen: number): AlertLogEntry[] {
  const me = whoIs.value?.user ?? "";
  return log.filter((entry) => entry.seq > seen && entry.by !== me);
}

export function lastSeq(log: readonly AlertLogEntry[]): number {
  return log.reduce((last, { seq }) => Math.max(last, seq), 0);
}
