/** A labelled field of a form, with what helps and what is wrong with it. */
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

export interface FieldParts {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": boolean;
}

interface Props {
  label: ComponentChildren;
  hint?: ComponentChildren;
  error?: string | null;
  class?: string;
  children(parts: FieldParts): ComponentChildren;
}

export function Field({ label, hint, error = null, class: extra = "", children }: Props) {
  const id = useId();
  const about = [hint === undefined ? "" : `${id}-hint`, error === null ? "" : `${id}-error`].filter((each) => each !== "").join(" ");
  return (
    <div class={`field ${extra}`}>
      <label for={id}>{label}</label>
      {children({ id, "aria-describedby": about || undefined, "aria-invalid": error !== null })}
      {hint !== undefined && <p id={`${id}-hint`} class="field-hint">{hint}</p>}
      {error !== null && <p id={`${id}-error`} class="field-error" role="alert">{error}</p>}
    </div>
  );
}

interface TextProps extends Omit<Props, "children"> {
  value: string;
  onInput(value: string): void;
  type?: "text" | "email" | "number";
  autocomplete?: string;
  maxLength?: number;
  required?: boolean;
  readOnly?: boolean;
  placeholder?: string;
  autofocus?: boolean;
  min?: number;
  max?: number;
  lang?: string;
}

export function TextField({ value, onInput, type = "text", label, hint, error = null, class: extra = "", ...rest }: TextProps) {
  return (
    <Field label={label} {...(hint !== undefined && { hint })} error={error} class={extra}>
      {(parts) => <input {...parts} {...rest} class="input" type={type as "text"} spellcheck={false} value={value} onInput={(event) => onInput(event.currentTarget.value)} />}
    </Field>
  );
}
