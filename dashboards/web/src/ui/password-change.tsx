/** Changing one's own password; afterwards one is still in, with a new session. */
import { useState } from "preact/hooks";
import { admin } from "../api/admin";
import { ApiError } from "../api/client";
import { problemText } from "../api/problem-text";
import type { Session } from "../api/types";
import { t } from "../i18n";
import { askSession, logIn } from "../state/session";
import { Mishap } from "./mishap";
import { NewPassword } from "./new-password";
import { PasswordField } from "./password-field";

/** The fields and their button; what surrounds them is a form that calls `submit`. */
export function usePasswordChange(own: Pick<Session, "user" | "name">, onDone: () => void) {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [ready, setReady] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const [turn, setTurn] = useState(0);

  const submit = async () => {
    if (!ready || busy || current === "") return;
    setBusy(true);
    setFailure(null);
    try {
      await admin.changePassword(current, next);
      // The old sessions may have ended with the old password.
      if ((await askSession()).phase !== "in") await logIn({ user: own.user, password: next });
      setCurrent("");
      setNext("");
      setReady(false);
      setTurn(turn + 1);
      onDone();
    } catch (error) {
      setFailure(error);
    }
    setBusy(false);
  };
  const fields = (
    <>
      {/* Password managers look for whose password it is. */}
      <input class="spoken" type="text" name="username" autocomplete="username" value={own.user} readOnly tabIndex={-1} aria-hidden="true" />
      <PasswordField label={t("password.current")} name="password" autocomplete="current-password" value={current} onInput={setCurrent} />
      <NewPassword key={turn} user={own.user} name={own.name} value={next} onInput={setNext} onReady={setReady} />
      {failure !== null && <Mishap {...(isWrong(failure) ? { what: t("problem.wrong_password"), hint: "" } : problemText(failure))} />}
      <button type="submit" class="button primary" disabled={busy || !ready || current === ""}>
        {t(busy ? "form.wait" : "password.change")}
      </button>
    </>
  );
  return { submit: () => void submit(), fields };
}

/** Here the name is known, so only the present password can be wrong. */
function isWrong(failure: unknown): boolean {
  return failure instanceof ApiError && failure.code === "bad_login";
}
