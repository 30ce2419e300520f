/** The ways to sign in: name and password, single sign-on, or an access token. */
import { useEffect, useState } from "preact/hooks";
import { admin } from "../../api/admin";
import type { LoginMethods } from "../../api/types";
import { ApiError } from "../../api/client";
import { textOf } from "../../api/problem-text";
import { span } from "../../format/time";
import { local, t } from "../../i18n";
import { now } from "../../state/clock";
import { rememberPlace, takePlace } from "../../state/return-place";
import { logIn, refusal } from "../../state/session";
import { TextField } from "../../ui/field";
import { Mishap } from "../../ui/mishap";
import { PasswordField } from "../../ui/password-field";

const ONLY_PASSWORDS: LoginMethods = { password: true, setup_needed: false, oidc: null };

export function useLoginMethods(): LoginMethods | null {
  const [methods, setMethods] = useState<LoginMethods | null>(null);
  useEffect(() => {
    let gone = false;
    admin.loginMethods().then(
      (found) => !gone && setMethods(found),
      () => !gone && setMethods(ONLY_PASSWORDS),
    );
    return () => {
      gone = true;
    };
  }, []);
  return methods;
}

interface Login {
  way: "password" | "token";
  setWay(way: "password" | "token"): void;
  user: string;
  setUser(user: string): void;
  secret: string;
  setSecret(secret: string): void;
  busy: boolean;
  /** Seconds until another attempt is let through; 0 if it is now. */
  waitS: number;
  submit(): void;
}

/** `knownUser`: whose session ended. */
export function useLogin(onDone: () => void, knownUser = ""): Login {
  const [way, setWay] = useState<"password" | "token">("password");
  const [user, setUser] = useState(knownUser);
  const [secret, setSecret] = useState("");
  const [busy, setBusy] = useState(false);
  const [waitUntil, setWaitUntil] = useState(0);
  const waitS = waitUntil === 0 ? 0 : Math.max(0, Math.ceil((waitUntil - now.value) / 1000));

  const submit = async () => {
    if (busy || waitS > 0 || secret === "" || (way === "password" && user.trim() === "")) return;
    setBusy(true);
    const done = await logIn(way === "password" ? { user: user.trim(), password: secret } : { token: secret.trim() });
    setBusy(false);
    if (done) {
      takePlace(); // an attempt by single sign-on that was given up leads nowhere
      return onDone();
    }
    const why = refusal.peek();
    if (why !== null && why !== "unreachable" && why.retry_after_s) setWaitUntil(now.peek() + why.retry_after_s * 1000);
  };
  const change = (next: "password" | "token") => {
    setWay(next);
    setSecret("");
    refusal.value = null;
  };
  return { way, setWay: change, user, setUser, secret, setSecret, busy, waitS, submit: () => void submit() };
}

export function LoginFields({ login, methods, fixedUser = false }: { login: Login; methods: LoginMethods | null; fixedUser?: boolean }) {
  const { way, waitS, busy } = login;
  const empty = login.secret === "" || (way === "password" && login.user.trim() === "");
  return (
    <>
      {way === "password" ? (
        <>
          <TextField label={t("login.user")} value={login.user} onInput={login.setUser} autocomplete="username" autofocus={!fixedUser} required />
          <PasswordField label={t("login.password")} name="password" autocomplete="current-password" value={login.secret} onInput={login.setSecret} autofocus={fixedUser} />
        </>
      ) : (
        <PasswordField label={t("login.token")} name="token" autocomplete="current-password" value={login.secret} onInput={login.setSecret} autofocus hint={t("login.token.why")} />
      )}
      <Refused waitS={waitS} />
      <button type="submit" class="button primary" disabled={busy || empty || waitS > 0}>
        {t(busy ? "login.wait" : "login.go")}
      </button>
      {methods?.oidc && <SingleSignOn name={local(methods.oidc.name)} />}
      <button type="button" class="plain login-way" onClick={() => login.setWay(way === "password" ? "token" : "password")}>
        {t(way === "password" ? "login.with_token" : "login.with_password")}
      </button>
    </>
  );
}

/** Leads to the identity provider, which leads back to the login page. */
function SingleSignOn({ name }: { name: string }) {
  const [busy, setBusy] = useState(false);
  const leave = async () => {
    setBusy(true);
    refusal.value = null;
    try {
      const { url } = await admin.leaveForProvider();
      rememberPlace();
      location.assign(url);
    } catch (error) {
      refusal.value = error instanceof ApiError ? error.problem : "unreachable";
      setBusy(false);
    }
  };
  return (
    <button type="button" class="button" disabled={busy} onClick={() => void leave()}>
      {t("login.sso", { name })}
    </button>
  );
}

/** What was refused and why; a time to wait counts down. */
function Refused({ waitS }: { waitS: number }) {
  const why = refusal.value;
  if (why === null) return null;
  if (why !== "unreachable" && why.status === 429) {
    return <Mishap what={t("problem.too_many")} hint={waitS > 0 ? t("problem.too_many.wait", { time: span(waitS) }) : t("problem.too_many.now")} />;
  }
  return <Mishap {...textOf(why)} />;
}
