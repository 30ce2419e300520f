/** The end of a form: save, leave, and what has happened. */
import { useState } from "preact/hooks";
import { t } from "../i18n";
import type { Editing } from "../state/editing";

interface Props {
  editing: Pick<Editing<object>, "dirty" | "busy" | "conflict">;
  /** Whether what must be there is there. */
  ready: boolean;
  action: string;
  /** Where leaving leads. */
  cancel: string;
  /** What it is called when nothing is left behind. */
  back?: string;
}

export function FormActions({ editing, ready, action, cancel, back = t("form.back") }: Props) {
  const { dirty, busy, conflict } = editing;
  const [wasDirty, setWasDirty] = useState(false);
  if (dirty && !wasDirty) setWasDirty(true);
  return (
    <div class="form-actions">
      <button type="submit" class="button primary" disabled={!dirty || !ready || busy || conflict !== null}>
        {busy ? t("form.wait") : action}
      </button>
      <a class="button" href={cancel}>
        {dirty ? t("form.cancel") : back}
      </a>
      <span role="status" class="muted">{dirty ? t("form.unsaved") : wasDirty ? t("form.saved") : ""}</span>
    </div>
  );
}
