/** What a person can do about an alert: acknowledge it, and say what they saw or did. */
import { useRef, useState } from "preact/hooks";
import type { AlertDetail } from "../../api/types";
import { dateTime } from "../../format/time";
import { t } from "../../i18n";
import { useKeys } from "../../keys";
import { back } from "../../router";
import { acknowledge, acknowledging, addNote } from "../../state/acknowledge";
import { whyNoAlertChange } from "../../state/rights";
import { GuardedButton } from "../../ui/guarded-button";
import { Panel } from "../../ui/panel";

export function Actions({ alert }: { alert: AlertDetail }) {
  const [note, setNote] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  const open = alert.state === "firing" && alert.acknowledged === null;
  const reason = whyNoAlertChange(alert);
  const busy = acknowledging.value.has(alert.id);
  const acknowledgeNow = async () => {
    if (await acknowledge(alert, note.trim() || null)) setNote("");
  };
  const sendNote = async () => {
    if (note.trim() !== "" && (await addNote(alert, note.trim()))) setNote("");
  };
  useKeys({
    a: () => (open ? void acknowledgeNow() : false),
    Escape: () => (document.activeElement === field.current ? field.current?.blur() : back()),
  });
  return (
    <Panel title={t(alert.acknowledged ? "alerts.acknowledged" : alert.state === "resolved" ? "alert.never_acked" : "alert.not_acked")} class="actions">
      {alert.acknowledged && (
        <p class="acknowledged">
          <strong>{alert.acknowledged.by}</strong> <time dateTime={alert.acknowledged.at}>{dateTime(alert.acknowledged.at)}</time>
          {alert.acknowledged.note !== null && alert.acknowledged.note !== "" && <q>{alert.acknowledged.note}</q>}
        </p>
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (reason === null) void (open ? acknowledgeNow() : sendNote());
        }}
      >
        <label class="spoken" for="alert-note">
          {t("alert.note")}
        </label>
        <textarea id="alert-note" ref={field} rows={3} value={note} maxLength={2000} readOnly={reason !== null} placeholder={reason !== null ? "" : open ? t("alert.note.placeholder") : t("alert.note")} onInput={(event) => setNote(event.currentTarget.value)} />
        <div class="buttons">
          {open && (
            <GuardedButton type="submit" class="button primary" reason={reason} disabled={busy} onPress={() => void acknowledgeNow()}>
              {t("alerts.ack")} <kbd>a</kbd>
            </GuardedButton>
          )}
          <GuardedButton reason={reason} disabled={note.trim() === ""} onPress={() => void sendNote()}>
            {t("alert.note.add")}
          </GuardedButton>
        </div>
        {reason !== null && <p class="muted why-not">{reason}</p>}
      </form>
      {alert.runbook !== null && (
        <p>
          <a href={alert.runbook} target="_blank" rel="noreferrer noopener">
            {t("alert.runbook")} ↗
          </a>
        </p>
      )}
    </Panel>
  );
}
