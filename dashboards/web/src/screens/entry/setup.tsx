/** The first administrator of a new installation, made with the token that the server printed. */
import { useState } from "preact/hooks";
import { admin } from "../../api/admin";
import { problemText } from "../../api/problem-text";
import { t } from "../../i18n";
import { setupToken, to } from "../../router";
import { askSession } from "../../state/session";
import { TextField } from "../../ui/field";
import { Mishap } from "../../ui/mishap";
import { NewPassword } from "../../ui/new-password";
import { Quoted } from "../../ui/quoted";
import { EntryFrame } from "./entry-frame";
import { useLoginMethods } from "./login-form";

export function SetupScreen({ onDone }: { onDone(): void }) {
  const methods = useLoginMethods();
  // The link's token comes after the first look at this page.
  const linked = setupToken.value !== null;
  const [typed, setTyped] = useState("");
  const token = setupToken.value ?? typed;
  const [user, setUser] = useState("");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [ready, setReady] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);

  const submit = async () => {
    if (!ready || busy) return;
    setBusy(true);
    setFailure(null);
    try {
      await admin.setUp({ token: token.trim(), user: user.trim(), name: name.trim(), password });
      setupToken.value = null;
      if ((await askSession()).phase === "in") onDone();
    } catch (error) {
      setFailure(error);
    }
    setBusy(false);
  };

  if (methods !== null && !methods.setup_needed) {
    return (
      <EntryFrame title={t("setup.done")} onSubmit={() => undefined}>
        <p><Quoted text={t("setup.done.why")} /></p>
        <a class="button primary" href={to.login()}>{t("login.go")}</a>
      </EntryFrame>
    );
  }
  return (
    <EntryFrame title={t("setup.title")} onSubmit={() => void submit()}>
      <p class="muted">{t("setup.why")}</p>
      {!linked && <TextField label={t("setup.token")} hint={t("setup.token.why")} value={typed} onInput={setTyped} autocomplete="off" autofocus required />}
      <TextField label={t("login.user")} hint={t("user.id.why")} value={user} onInput={setUser} autocomplete="username" autofocus={linked} required maxLength={64} />
      <TextField label={t("user.name")} value={name} onInput={setName} autocomplete="name" required maxLength={100} />
      <NewPassword user={user} name={name} value={password} onInput={setPassword} onReady={setReady} />
      {failure !== null && <Mishap {...problemText(failure)} />}
      <button type="submit" class="button primary" disabled={busy || !ready || token.trim() === "" || user.trim() === "" || name.trim() === ""}>
        {t(busy ? "form.wait" : "setup.go")}
      </button>
    </EntryFrame>
  );
}
