/** The password was set by an administrator: nothing else is possible before it is one's own. */
import type { Session } from "../../api/types";
import { t } from "../../i18n";
import { logOut } from "../../state/session";
import { usePasswordChange } from "../../ui/password-change";
import { EntryFrame } from "./entry-frame";

export function MustChangeScreen({ own }: { own: Session }) {
  const change = usePasswordChange(own, () => undefined);
  const leave = (
    <button type="button" class="plain" onClick={() => void logOut()}>
      {t("nav.logout")}
    </button>
  );
  return (
    <EntryFrame title={t("must_change.title")} onSubmit={change.submit} after={leave}>
      <p>{t("must_change.why")}</p>
      {change.fields}
    </EntryFrame>
  );
}
