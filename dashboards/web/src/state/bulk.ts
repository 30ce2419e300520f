/** One deed for many alerts: a few at a time, each with its own outcome. */
import { alertWork } from "../api/alerts";
import type { AlertItem } from "../api/types";
import { doDeed, whyNotDeed, type Deed, type DeedDraft, type DeedOutcome } from "./deeds";

export interface BulkResult {
  alert: AlertItem;
  /** Null while it has not been tried. */
  outcome: DeedOutcome | null;
}

/** So many are on their way at once: the server has others to serve. */
const AT_ONCE = 4;
/** A server that asks for patience gets it this many times. */
const PATIENCE = 5;

export interface BulkOptions {
  onResult(results: readonly BulkResult[]): void;
  stopped(): boolean;
}

export async function doForMany(deed: Deed, alerts: readonly AlertItem[], draftFor: () => DeedDraft, { onResult, stopped }: BulkOptions): Promise<BulkResult[]> {
  const results: BulkResult[] = alerts.map((alert) => ({ alert, outcome: null }));
  let next = 0;
  const worker = async () => {
    while (next < results.length && !stopped()) {
      const result = results[next] as BulkResult;
      next += 1;
      result.outcome = await doOne(deed, result.alert, draftFor);
      onResult([...results]);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, results.length) }, worker));
  return results;
}

async function doOne(deed: Deed, alert: AlertItem, draftFor: () => DeedDraft): Promise<DeedOutcome> {
  const why = whyNotDeed(deed, alert);
  if (why !== null) return { done: false, what: why, hint: "", fresh: null, waitS: 0 };
  for (let turn = 0; ; turn += 1) {
    // To take an alert from somebody, the server wants to know that this was seen.
    const tag = deed === "assign" && alert.handling.stage !== "unassigned" ? await alertWork.alert(alert.id).then((seen) => seen.tag, () => null) : null;
    const outcome = await doDeed(deed, alert.id, draftFor(), tag);
    if (outcome.done || outcome.waitS === 0 || turn === PATIENCE) return outcome;
    await new Promise((resolve) => setTimeout(resolve, outcome.waitS * 1000));
  }
}

export function failed(results: readonly BulkResult[]): BulkResult[] {
  return results.filter(({ outcome }) => outcome !== null && !outcome.done);
}
