/** One deed and one note for all picked alerts, with what came of it for each. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { AlertItem } from "../../api/types";
import { number } from "../../format/number";
import { counted, local, t } from "../../i18n";
import { to } from "../../router";
import { doForMany, failed, type BulkResult } from "../../state/bulk";
import { serverNow } from "../../state/clock";
import { isReady, whyNotDeed, type Deed } from "../../state/deeds";
import { Dialog } from "../../ui/dialog";
import { CheckIcon, WarnIcon } from "../../ui/icons";
import { SeverityMark } from "../../ui/marks";
import { DeedFields, draftOf, emptyInput } from "../alert/deed-fields";

export const BULK_DEEDS: readonly Deed[] = ["acknowledge", "accept", "assign", "hand_over", "return", "shelve", "unshelve", "note"];

interface Props {
  alerts: readonly AlertItem[];
  deed: Deed;
  onClose(done: boolean): void;
}

export function BulkDialog({ alerts, deed: first, onClose }: Props) {
  const [deed, setDeed] = useState(first);
  const [input, setInput] = useState(emptyInput(first));
  const [results, setResults] = useState<readonly BulkResult[] | null>(null);
  const [busy, setBusy] = useState(false);
  const stop = useRef(false);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => () => void (stop.current = true), []);
  useEffect(() => {
    form.current?.querySelector<HTMLElement>("[data-first], .until select, textarea")?.focus();
  }, [deed]);

  const cannot = alerts.map((alert) => ({ alert, why: whyNotDeed(deed, alert) })).filter(({ why }) => why !== null);
  const can = alerts.length - cannot.length;
  const draft = () => draftOf(input, deed, serverNow());
  const run = async (these: readonly AlertItem[]) => {
    setBusy(true);
    stop.current = false;
    await doForMany(deed, these, draft, { onResult: setResults, stopped: () => stop.current });
    setBusy(false);
  };
  const finished = results !== null && !busy;
  const bad = failed(results ?? []);
  const tried = (results ?? []).filter(({ outcome }) => outcome !== null).length;

  return (
    <Dialog title={counted("bulk.title", alerts.length)} class="bulk" onClose={() => onClose(finished && bad.length === 0)}>
      {results === null ? (
        <form
          ref={form}
          class="dialog-form"
          onSubmit={(event) => {
            event.preventDefault();
            if (can > 0 && isReady(deed, draft(), serverNow())) void run(alerts);
          }}
        >
          <div class="segments bulk-deeds" role="group" aria-label={t("bulk.deed")}>
            {BULK_DEEDS.map((each) => (
              <button
                key={each}
                type="button"
                aria-pressed={deed === each}
                onClick={() => {
                  setDeed(each);
                  setInput({ ...emptyInput(each), note: input.note });
                }}
              >
                {t(`deed.${each}`)}
              </button>
            ))}
          </div>
          <DeedFields deed={deed} input={input} onChange={setInput} />
          {cannot.length > 0 && (
            <details class="bulk-cannot">
              <summary>{counted("bulk.cannot", cannot.length)}</summary>
              <ul>{cannot.map(({ alert, why }) => <Line key={alert.id} alert={alert} text={why ?? ""} bad />)}</ul>
            </details>
          )}
          <div class="dialog-actions">
            <button type="button" class="button" onClick={() => onClose(false)}>{t("form.cancel")}</button>
            <button type="submit" class="button primary" disabled={can === 0 || !isReady(deed, draft(), serverNow())}>
              {t("bulk.do", { deed: t(`deed.${deed}`), n: number(can) })}
            </button>
          </div>
        </form>
      ) : (
        <>
          <p role="status" class="bulk-sum">
            {busy ? t("bulk.running", { done: number(tried), all: number(results.length) }) : bad.length === 0 ? t("bulk.all_done", { n: number(tried) }) : t("bulk.some_failed", { done: number(tried - bad.length), failed: number(bad.length) })}
          </p>
          <progress max={results.length} value={tried} aria-label={t("bulk.progress")} />
          <ul class="bulk-results">
            {[...bad, ...(results.filter(({ outcome }) => outcome?.done))].map(({ alert, outcome }) => (
              <Line key={alert.id} alert={alert} bad={outcome?.done === false} text={outcome === null ? "" : outcome.done ? t("bulk.done") : `${outcome.what} ${outcome.hint}`.trim()} />
            ))}
          </ul>
          <div class="dialog-actions">
            {busy && <button type="button" class="button" onClick={() => (stop.current = true)}>{t("bulk.stop")}</button>}
            {finished && bad.length > 0 && <button type="button" class="button" onClick={() => void run(bad.map(({ alert, outcome }) => (outcome?.done === false && outcome.fresh) || alert))}>{t("bulk.again", { n: number(bad.length) })}</button>}
            {finished && bad.length > 0 && <button type="button" class="button" onClick={() => setResults(null)}>{t("bulk.back")}</button>}
            <button type="button" class="button primary" disabled={busy} onClick={() => onClose(bad.length === 0)}>{t("help.close")}</button>
          </div>
        </>
      )}
    </Dialog>
  );
}

function Line({ alert, text, bad }: { alert: AlertItem; text: string; bad: boolean }) {
  return (
    <li class={bad ? "bulk-line bad" : "bulk-line"} data-alert={alert.id}>
      {bad ? <WarnIcon /> : <CheckIcon />}
      <SeverityMark severity={alert.severity} label />
      <a href={to.alert(alert.id)} target="_blank" rel="noreferrer">{local(alert.summary)}</a>
      <span class={bad ? "bulk-why" : "muted"}>{text}</span>
    </li>
  );
}
