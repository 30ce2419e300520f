/** The session ended while something was open: it stays behind this, and comes back after it. */
import { t } from "../../i18n";
import { Dialog } from "../../ui/dialog";
import { LoginFields, useLogin, useLoginMethods } from "./login-form";

export function Relogin({ user, onDone }: { user: string; onDone(): void }) {
  const methods = useLoginMethods();
  const login = useLogin(onDone, user);
  return (
    <Dialog title={t("relogin.title")} onClose={() => undefined} holds class="relogin">
      <form
        class="login-again"
        onSubmit={(event) => {
          event.preventDefault();
          login.submit();
        }}
      >
        <p>{t("relogin.why")}</p>
        <LoginFields login={login} methods={methods} fixedUser={user !== ""} />
      </form>
    </Dialog>
  );
}
