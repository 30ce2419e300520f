/** Ends a silence before its time: what still fires is told to receivers then. */
import { useState } from "preact/hooks";
import { alertWork } from "../../api/alerts";
import { problemText } from "../../api/problem-text";
import type { Silence } from "../../api/types";
import { counted, t } from "../../i18n";
import { alertBook } from "../../state/alert-book";
import { hiddenNow } from "../../state/silence-match";
import { Dialog } from "../../ui/dialog";
import { Field } from "../../ui/field";
import { Mishap } from "../../ui/mishap";

export function EndDialog({ silence, onClose }: { silence: Silence; onClose(done: boolean): void }) {
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const hidden = hiddenNow(silence, alertBook.all()).length;
  const end = async () => {
    setBusy(true);
    setFailure(null);
    try {
      await alertWork.endSilence(silence.id, reason.trim() || null, null);
      onClose(true);
    } catch (error) {
      setFailure(error);
      setBusy(false);
    }
  };
  return (
    <Dialog title={t("silence.end.title")} onClose={() => onClose(false)}>
      <form
        class="dialog-form"
        onSubmit={(event) => {
          event.preventDefault();
          void end();
        }}
      >
        <p><q>{silence.reason}</q></p>
        <p>{hidden === 0 ? t("silence.end.none") : counted("silence.end.told", hidden)}</p>
        <Field label={<>{t("silence.end.reason")}<span class="muted"> · {t("form.optional")}</span></>}>
          {(parts) => <textarea {...parts} rows={2} maxLength={2000} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />}
        </Field>
        {failure !== null && <Mishap {...problemText(failure)} />}
        <div class="dialog-actions">
          <button type="button" class="button" onClick={() => onClose(false)}>{t("form.cancel")}</button>
          <button type="submit" class="button primary" disabled={busy}>{busy ? t("form.wait") : t("silence.end")}</button>
        </div>
      </form>
    </Dialog>
  );
}
