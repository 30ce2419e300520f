/** Somebody else saved meanwhile: what of theirs is taken, and what has to be decided. */
import { useState } from "preact/hooks";
import { t } from "../i18n";
import type { Conflict, Editing } from "../state/editing";
import type { Difference, Side } from "../state/merge";

interface Props<Draft> {
  editing: Editing<Draft>;
  conflict: Conflict<Draft>;
  labelOf(path: readonly string[]): string;
  valueOf(path: readonly string[], value: Difference["mine"]): string;
  onSaved(): void;
}

export function ConflictPanel<Draft>({ editing, conflict, labelOf, valueOf, onSaved }: Props<Draft>) {
  const [sides, setSides] = useState<Readonly<Record<string, Side>>>({});
  const keyOf = (clash: Difference) => JSON.stringify(clash.path);
  const open = conflict.clashes.some((clash) => sides[keyOf(clash)] === undefined);
  const save = async () => {
    if (await editing.saveMerged((clash) => sides[keyOf(clash)] ?? "theirs")) onSaved();
  };
  return (
    <section class="conflict" role="alert">
      <h2>{t("conflict.title")}</h2>
      <p>{t(conflict.clashes.length > 0 ? "conflict.why" : "conflict.why.easy")}</p>
      {conflict.taken.length > 0 && (
        <dl class="conflict-taken">
          {conflict.taken.map((each) => (
            <div key={keyOf(each)}>
              <dt>{labelOf(each.path)}</dt>
              <dd>
                <del>{valueOf(each.path, each.base)}</del> <ins>{valueOf(each.path, each.theirs)}</ins>
              </dd>
            </div>
          ))}
        </dl>
      )}
      {conflict.clashes.map((clash, at) => (
        <fieldset key={keyOf(clash)}>
          <legend>{labelOf(clash.path)}</legend>
          {(["mine", "theirs"] as const).map((side) => (
            <label key={side}>
              <input type="radio" name={`clash-${at}`} checked={sides[keyOf(clash)] === side} onChange={() => setSides({ ...sides, [keyOf(clash)]: side })} />
              <span class="muted">{t(`conflict.${side}`)}</span> {valueOf(clash.path, clash[side])}
            </label>
          ))}
        </fieldset>
      ))}
      <button type="button" class="button primary" disabled={open || editing.busy} onClick={() => void save()}>
        {t("conflict.save")}
      </button>
    </section>
  );
}
