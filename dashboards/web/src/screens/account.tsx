/** One's own account: who one is, what one may do, the password, and where one is signed in. */
import { useState } from "preact/hooks";
import { admin } from "../api/admin";
import type { Session } from "../api/types";
import { dateTime, span, zoneOffset } from "../format/time";
import { t } from "../i18n";
import { now } from "../state/clock";
import { logOut, session, whoIs } from "../state/session";
import { Confirm } from "../ui/dialog";
import { GrantChips } from "../ui/grants";
import { Facts, Panel } from "../ui/panel";
import { usePasswordChange } from "../ui/password-change";

export function AccountScreen() {
  const own = whoIs.value;
  if (own === null) return null;
  return (
    <div class="page account">
      <header class="list-head">
        <h1>{t("account.title")}</h1>
      </header>
      <div class="account-panels">
        <Panel title={t("account.who")}>
          <Who own={own} />
        </Panel>
        {own.password_changeable && <PasswordPanel own={own} />}
        <SessionsPanel own={own} />
      </div>
    </div>
  );
}

function Who({ own }: { own: Session }) {
  return (
    <>
      <Facts
        items={[
          [t("user.name"), own.name],
          [t("login.user"), <code>{own.user}</code>],
          [t("grants.title"), <GrantChips grants={own.grants} />],
        ]}
      />
      <p class="panel-text muted">{t("account.rights.why")}</p>
    </>
  );
}

function PasswordPanel({ own }: { own: Session }) {
  const [done, setDone] = useState(false);
  const change = usePasswordChange(own, () => setDone(true));
  return (
    <Panel title={t("password.change")}>
      <form
        class="panel-form"
        onInput={() => setDone(false)}
        onSubmit={(event) => {
          event.preventDefault();
          change.submit();
        }}
      >
        <p class="muted">{t("password.change.why")}</p>
        {change.fields}
        <p role="status">{done ? t("password.changed") : ""}</p>
      </form>
    </Panel>
  );
}

function SessionsPanel({ own }: { own: Session }) {
  const [asking, setAsking] = useState(false);
  const left = own.expires_at === null ? null : (Date.parse(own.expires_at) - now.value) / 1000;
  return (
    <Panel title={t("account.sessions")}>
      <div class="panel-form">
        {own.expires_at !== null && left !== null && (
          <p>
            {t("account.ends", { time: `${dateTime(own.expires_at)} ${zoneOffset(own.expires_at)}`, span: span(left) })}
          </p>
        )}
        <div class="buttons">
          <button type="button" class="button" onClick={() => void logOut()}>{t("nav.logout")}</button>
          {own.password_changeable && <button type="button" class="button" onClick={() => setAsking(true)}>{t("account.everywhere")}</button>}
        </div>
        {asking && (
          <Confirm
            title={t("account.everywhere")}
            action={t("account.everywhere")}
            onConfirm={async () => {
              await admin.logOutEverywhere();
              session.value = { phase: "out", why: "none" };
            }}
            onClose={() => setAsking(false)}
          >
            <p>{t("account.everywhere.ask")}</p>
          </Confirm>
        )}
      </div>
    </Panel>
  );
}
