/** A new password, typed twice, beside what it must be like. */
import { useState } from "preact/hooks";
import { t } from "../i18n";
import { MIN_LENGTH, isAcceptable, policyOf } from "../state/password-policy";
import { CheckIcon } from "./icons";
import { PasswordField } from "./password-field";

interface Props {
  user: string;
  name: string;
  value: string;
  onInput(password: string): void;
  /** Whether both are the same and may be sent. */
  onReady(ready: boolean): void;
  autofocus?: boolean;
}

export function NewPassword({ user, name, value, onInput, onReady, autofocus = false }: Props) {
  const [again, setAgain] = useState("");
  const [left, setLeft] = useState(false);
  const report = (first: string, second: string) => onReady(isAcceptable(first, user, name) && first === second);
  const differs = left && again !== "" && again !== value;
  return (
    <>
      <PasswordField
        label={t("password.new")}
        name="new-password"
        autocomplete="new-password"
        value={value}
        autofocus={autofocus}
        hint={<Policy password={value} user={user} name={name} />}
        onInput={(password) => {
          onInput(password);
          report(password, again);
        }}
      />
      <div onFocusOut={() => setLeft(true)}>
        <PasswordField
          label={t("password.again")}
          name="new-password-again"
          autocomplete="new-password"
          value={again}
          error={differs ? t("password.differ") : null}
          onInput={(password) => {
            setAgain(password);
            report(value, password);
          }}
        />
      </div>
    </>
  );
}

function Policy({ password, user, name }: { password: string; user: string; name: string }) {
  return (
    <span class="policy">
      {policyOf(password, user, name).map(({ text, met }) => (
        <span key={text} class={met === true ? "policy-point met" : "policy-point"}>
          {met === true ? <CheckIcon /> : <span class="policy-dot" aria-hidden="true" />}
          {t(text, { n: MIN_LENGTH })}
          {met !== null && <span class="spoken">{t(met ? "password.policy.met" : "password.policy.unmet")}</span>}
        </span>
      ))}
    </span>
  );
}
