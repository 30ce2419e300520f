/** A password: hidden unless asked for, with a word about caps lock, which nobody sees otherwise. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { t } from "../i18n";
import { Field } from "./field";
import { EyeIcon } from "./icons";

interface Props {
  label: string;
  value: string;
  onInput(value: string): void;
  autocomplete: "current-password" | "new-password";
  name: string;
  hint?: ComponentChildren;
  error?: string | null;
  autofocus?: boolean;
}

export function PasswordField({ label, value, onInput, autocomplete, name, hint, error = null, autofocus = false }: Props) {
  const [shown, setShown] = useState(false);
  const [capsLock, setCapsLock] = useState(false);
  const look = (event: KeyboardEvent) => setCapsLock(event.getModifierState?.("CapsLock") ?? false);
  return (
    <Field label={label} {...(hint !== undefined && { hint })} error={error}>
      {(parts) => (
        <>
          <span class="password">
            <input
              {...parts}
              class="input"
              type={(shown ? "text" : "password") as "password"}
              name={name}
              value={value}
              autocomplete={autocomplete}
              autocapitalize="off"
              spellcheck={false}
              autofocus={autofocus}
              required
              onInput={(event) => onInput(event.currentTarget.value)}
              onKeyDown={look}
              onKeyUp={look}
              onBlur={() => setCapsLock(false)}
            />
            <button type="button" class="plain icon-only" aria-pressed={shown} title={t(shown ? "password.hide" : "password.show")} aria-label={t("password.show")} onClick={() => setShown(!shown)}>
              <EyeIcon crossed={shown} />
            </button>
          </span>
          <span role="status">{capsLock && <span class="caps-lock">{t("password.caps_lock")}</span>}</span>
        </>
      )}
    </Field>
  );
}
