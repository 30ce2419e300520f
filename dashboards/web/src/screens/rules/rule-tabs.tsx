/** The rules of a file: which one the form shows; adding, copying and removing. */
import { useState } from "preact/hooks";
import { t } from "../../i18n";
import { KINDS } from "../../rulefile/kinds";
import type { PlacedFault } from "../../rulefile/faults";
import { PlusIcon } from "../../ui/icons";

interface Props {
  ids: readonly string[];
  at: number;
  faults: readonly PlacedFault[];
  disabled: boolean;
  onChoose(id: string): void;
  onAdd(kind: string): void;
  onCopy(): void;
  onRemove(): void;
}

export function RuleTabs({ ids, at, faults, disabled, onChoose, onAdd, onCopy, onRemove }: Props) {
  const [sure, setSure] = useState(false);
  return (
    <header class="rule-tabs">
      <div class="rule-tab-list" role="group" aria-label={t("rules.in_group")}>
        {ids.map((id, each) => {
          const wrong = faults.filter(({ rule }) => rule === each).length;
          return (
            <button key={`${each}${id}`} type="button" class="chip" aria-pressed={each === at} onClick={() => (setSure(false), onChoose(id))}>
              {id || t("rules.unnamed")}
              {wrong > 0 && <span class="fault-count" title={t("rules.faults", { n: wrong })}>✕ {wrong}</span>}
            </button>
          );
        })}
      </div>
      <div class="rule-tab-actions">
        <label class="add-rule">
          <PlusIcon />
          <span class="spoken">{t("rules.add")}</span>
          <select class="choice" disabled={disabled} value="" aria-label={t("rules.add")} onChange={(event) => (onAdd(event.currentTarget.value), (event.currentTarget.value = ""))}>
            <option value="">{t("rules.add")}</option>
            {KINDS.map(({ id }) => <option key={id} value={id}>{t(`kind.${id}`)}</option>)}
          </select>
        </label>
        <button type="button" class="plain" disabled={disabled || ids.length === 0} onClick={onCopy}>{t("rules.copy")}</button>
        <button type="button" class="plain" disabled={disabled || ids.length < 2} onClick={() => (sure ? (setSure(false), onRemove()) : setSure(true))}>
          {t(sure ? "rules.remove.sure" : "rules.remove")}
        </button>
      </div>
    </header>
  );
}
