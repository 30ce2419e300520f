/** Signing in with a token; the login link's token is used and taken out of the address. */
import { useState } from "preact/hooks";
import { language, t, toggleLanguage } from "../i18n";
import { logIn, session } from "../state/session";
import { ThemeButton } from "../ui/shell";

export function LoginScreen({ onDone }: { onDone(): void }) {
  const [token, setToken] = useState("");
  const [busy, setBusy] = useState(false);
  const state = session.value;
  const why = state.phase === "out" ? state.why : state.phase === "unreachable" ? "unreachable" : "none";

  const submit = async (event: Event) => {
    event.preventDefault();
    if (token.trim() === "" || busy) return;
    setBusy(true);
    const result = await logIn(token.trim());
    setBusy(false);
    if (result.phase === "in") onDone();
  };

  return (
    <main class="login" id="content">
      <form onSubmit={(event) => void submit(event)}>
        <p class="login-brand">{t("app.name")}</p>
        <h1>{t("login.title")}</h1>
        <label for="token">{t("login.token")}</label>
        <input id="token" type="password" autocomplete="current-password" autofocus value={token} aria-describedby="login-help" aria-invalid={why === "bad_token"} onInput={(event) => setToken(event.currentTarget.value)} />
        {why === "bad_token" && <p class="field-error" role="alert">{t("login.bad")}</p>}
        {why === "expired" && <p role="status">{t("login.expired")}</p>}
        {why === "unreachable" && <p class="field-error" role="alert">{t("state.unreachable")}</p>}
        <button type="submit" class="button primary" disabled={busy || token.trim() === ""}>
          {t(busy ? "login.wait" : "login.go")}
        </button>
        <p id="login-help" class="muted">{t("login.help")}</p>
      </form>
      <div class="login-actions">
        <button type="button" class="plain" onClick={toggleLanguage} lang={language.value === "zh" ? "en" : "zh-CN"}>
          {t("pref.language")}
        </button>
        <ThemeButton />
      </div>
    </main>
  );
}
