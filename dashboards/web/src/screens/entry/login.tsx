/** Signing in; a login link's token was used already and taken out of the address. */
import { t } from "../../i18n";
import { to } from "../../router";
import { EntryFrame } from "./entry-frame";
import { LoginFields, useLogin, useLoginMethods } from "./login-form";

export function LoginScreen({ onDone }: { onDone(): void }) {
  const methods = useLoginMethods();
  const login = useLogin(onDone);
  return (
    <EntryFrame title={t("login.title")} onSubmit={login.submit}>
      {methods?.setup_needed && (
        <div class="login-note">
          <p>{t("login.setup_needed")}</p>
          <a class="button" href={to.setup()}>{t("setup.title")}</a>
        </div>
      )}
      <LoginFields login={login} methods={methods} />
    </EntryFrame>
  );
}
