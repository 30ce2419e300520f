/** Some of many, by check boxes; none picked means all of them. */
import { useState } from "preact/hooks";
import { t } from "../i18n";

/** Shorter lists are looked through faster than searched. */
const SEARCHED_FROM = 12;

interface Props {
  title: string;
  /** What it means that none is picked. */
  none: string;
  options: readonly (readonly [id: string, name: string])[];
  picked: readonly string[];
  onPick(ids: string[]): void;
}

export function PickList({ title, none, options, picked, onPick }: Props) {
  const [text, setText] = useState("");
  const wanted = text.trim().toLowerCase();
  // What is picked but not listed any more can be taken out too.
  const gone = picked.filter((id) => !options.some(([each]) => each === id)).map((id) => [id, id] as const);
  const shown = [...gone, ...options].filter(([id, name]) => wanted === "" || id.toLowerCase().includes(wanted) || name.toLowerCase().includes(wanted));
  return (
    <fieldset class="pick-list">
      <legend>{title}</legend>
      <p class="field-hint" role="status">{picked.length === 0 ? none : t("pick.some", { n: picked.length })}</p>
      {options.length > SEARCHED_FROM && <input class="input" type="search" aria-label={t("pick.search", { list: title })} placeholder={t("pick.search", { list: title })} value={text} onInput={(event) => setText(event.currentTarget.value)} />}
      <div class="pick-options" tabIndex={0} role="group" aria-label={title}>
        {shown.map(([id, name]) => (
          <label key={id} class="check">
            <input type="checkbox" checked={picked.includes(id)} onChange={(event) => onPick(event.currentTarget.checked ? [...picked, id] : picked.filter((each) => each !== id))} />
            <span>{name}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
