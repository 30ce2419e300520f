/** Several names: those that are there can be taken away, others are found by typing. */
import { useId, useRef, useState } from "preact/hooks";
import { t } from "../../i18n";
import { CloseIcon } from "../../ui/icons";
import type { FieldParts } from "../../ui/field";

interface Props {
  parts: FieldParts;
  label: string;
  names: readonly string[];
  options: readonly (readonly [id: string, name: string])[];
  disabled: boolean;
  onChange(names: string[]): void;
}

/** A browser shows no longer list anyway. */
const MOST_OPTIONS = 500;

export function NamesField({ parts, label, names, options, disabled, onChange }: Props) {
  const [text, setText] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const list = useId();
  const nameOf = (id: string) => options.find(([each]) => each === id)?.[1] ?? id;
  const add = (said: string) => {
    const wanted = said.split(/[,，]/).map((each) => each.trim()).filter((each) => each !== "");
    const ids = wanted.map((each) => options.find(([id, name]) => id === each || name === each)?.[0] ?? each);
    const fresh = ids.filter((id, at) => !names.includes(id) && ids.indexOf(id) === at);
    if (fresh.length > 0) onChange([...names, ...fresh]);
    setText("");
  };
  return (
    <div class="names-field">
      {names.map((name) => (
        <span key={name} class="name-chip" title={name}>
          {nameOf(name)}
          <button type="button" disabled={disabled} aria-label={t("names.remove", { name: nameOf(name) })} onClick={() => (onChange(names.filter((each) => each !== name)), field.current?.focus())}>
            <CloseIcon />
          </button>
        </span>
      ))}
      <input
        {...parts}
        ref={field}
        list={list}
        value={text}
        disabled={disabled}
        placeholder={t("names.add")}
        aria-label={t("names.add.to", { list: label })}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => {
          const said = event.currentTarget.value;
          // Chosen from the list: nothing more needs to be typed.
          if (options.some(([id]) => id === said) && !options.some(([id]) => id !== said && id.startsWith(said))) add(said);
          else if (/[,，]$/.test(said)) add(said);
          else setText(said);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter" && text.trim() !== "") {
            event.preventDefault();
            add(text);
          } else if (event.key === "Backspace" && text === "" && names.length > 0) onChange(names.slice(0, -1));
        }}
        onBlur={() => text.trim() !== "" && add(text)}
      />
      <datalist id={list}>
        {options.slice(0, MOST_OPTIONS).map(([id, name]) => (
          <option key={id} value={id} label={name === id ? id : `${name} · ${id}`} />
        ))}
      </datalist>
    </div>
  );
}
