/** Acknowledging alerts and noting on them, with what went wrong said in place. */
import { signal } from "@preact/signals";
import { ApiError, api } from "../api/client";
import type { AlertItem } from "../api/types";
import { t } from "../i18n";
import { takeAlert } from "./live";
import { whyNoAlertChange } from "./rights";

/** Alerts whose acknowledgement is on its way. */
export const acknowledging = signal<ReadonlySet<string>>(new Set());

/** The last thing that could not be done, to be shown and dismissed. */
export const notice = signal<string | null>(null);

function mark(id: string, on: boolean): void {
  const next = new Set(acknowledging.peek());
  if (on) next.add(id);
  else next.delete(id);
  acknowledging.value = next;
}

export async function acknowledge(alert: AlertItem, note: string | null = null): Promise<boolean> {
  if (alert.acknowledged !== null || alert.state !== "firing" || acknowledging.peek().has(alert.id)) return false;
  const forbidden = whyNoAlertChange(alert);
  if (forbidden !== null) {
    notice.value = forbidden;
    return false;
  }
  mark(alert.id, true);
  try {
    takeAlert(await api.acknowledge(alert.id, note));
    return true;
  } catch (error) {
    notice.value = await explain(error, alert.id);
    return false;
  } finally {
    mark(alert.id, false);
  }
}

export async function addNote(alert: AlertItem, note: string): Promise<boolean> {
  try {
    takeAlert(await api.addNote(alert.id, note));
    return true;
  } catch (error) {
    notice.value = await explain(error, alert.id);
    return false;
  }
}

/** Somebody else was faster: show theirs. */
async function explain(error: unknown, id: string): Promise<string> {
  if (!(error instanceof ApiError)) return t("state.unreachable");
  if (error.code === "already_acknowledged" || error.code === "already_resolved") {
    const fresh = await api.alert(id).catch(() => null);
    if (fresh) takeAlert(fresh);
    if (error.code === "already_acknowledged") {
      return fresh?.acknowledged ? `${t("alerts.already")} (${fresh.acknowledged.by})` : t("alerts.already");
    }
    return t("alert.state.resolved");
  }
  if (error.status === 403) return `${t("state.forbidden")}: ${[error.problem.detail, error.problem.hint].filter(Boolean).join(" ")}`;
  return error.problem.detail ?? error.problem.title;
}
