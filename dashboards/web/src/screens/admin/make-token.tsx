/** A new access token: within the maker's own rights, for a time, shown once. */
import { useState } from "preact/hooks";
import { admin } from "../../api/admin";
import { problemText } from "../../api/problem-text";
import type { Grant, MadeToken } from "../../api/types";
import { date } from "../../format/time";
import { t } from "../../i18n";
import { serverNow } from "../../state/clock";
import { grants as ownGrants } from "../../state/session";
import { Choice } from "../../ui/choice";
import { Dialog } from "../../ui/dialog";
import { Field, TextField } from "../../ui/field";
import { GrantsEditor, givenByAdmins } from "../../ui/grants";
import { Mishap } from "../../ui/mishap";
import { ShownOnce } from "../../ui/once";

const DAY_MS = 86_400_000;
/** Days until it ends; the text `never` is a choice that one has to make. */
const LIFETIMES = ["30", "90", "365", "never"] as const;

export function MakeToken({ onClose }: { onClose(): void }) {
  const [note, setNote] = useState("");
  // Seeing is the least that any of them can do.
  const [grants, setGrants] = useState<Grant[]>(() => ownGrants.peek().filter(givenByAdmins).slice(0, 1).map(({ department }) => ({ department, role: "viewer" })));
  const [lifetime, setLifetime] = useState<(typeof LIFETIMES)[number]>("90");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const [made, setMade] = useState<MadeToken | null>(null);
  const expires = lifetime === "never" ? null : new Date(serverNow() + Number(lifetime) * DAY_MS);

  const make = async () => {
    setBusy(true);
    setFailure(null);
    try {
      setMade(await admin.makeToken({ note: note.trim(), grants, ...(expires && { expires_at: expires.toISOString() }) }));
    } catch (error) {
      setFailure(error);
    }
    setBusy(false);
  };

  if (made !== null) {
    return (
      <Dialog title={t("tokens.made.title")} onClose={onClose}>
        <p>{t("tokens.made.why", { note: note.trim() })}</p>
        <ShownOnce secret={made.token} label={t("login.token")} />
        <p class="muted">{t("tokens.made.use")}</p>
        <code class="block">Authorization: Bearer …</code>
      </Dialog>
    );
  }
  return (
    <Dialog title={t("tokens.make")} onClose={onClose}>
      <form
        class="dialog-form"
        onSubmit={(event) => {
          event.preventDefault();
          void make();
        }}
      >
        <TextField label={t("tokens.note")} hint={t("tokens.note.why")} value={note} onInput={setNote} maxLength={200} autocomplete="off" required autofocus />
        <GrantsEditor grants={grants} mayGive={givenByAdmins} onChange={setGrants} />
        <Field label={t("tokens.lifetime")} hint={expires ? t("tokens.until", { time: date(expires.getTime()) }) : t("tokens.endless.why")}>
          {({ id }) => <Choice id={id} label={t("tokens.lifetime")} value={lifetime} options={LIFETIMES.map((each) => [each, t(each === "never" ? "tokens.endless" : "tokens.days", { n: each })] as const)} onChange={(next) => setLifetime(next as typeof lifetime)} />}
        </Field>
        {failure !== null && <Mishap {...problemText(failure)} />}
        <div class="dialog-actions">
          <button type="button" class="button" onClick={onClose}>{t("form.cancel")}</button>
          <button type="submit" class="button primary" disabled={busy || note.trim() === "" || grants.length === 0}>{t(busy ? "form.wait" : "tokens.make")}</button>
        </div>
      </form>
    </Dialog>
  );
}
