/** The severities of a rule as a table: which there are, and what raises and clears each. */
import { t, type TextKey } from "../../i18n";
import { CLASSES, type KindSpec } from "../../rulefile/kinds";
import { MILD_FIRST, columnsOf, readLadder, setCell, setSeverities, setShare, setSide, styleOf, type LadderState, type Side } from "../../rulefile/ladder";
import { scalarAt } from "../../rulefile/yaml";
import type { Severity } from "../../api/types";
import { SeverityMark } from "../../ui/marks";
import { faultAt, unitOf, type RuleForm } from "./form-field";

export function LadderForm({ form, kind }: { form: RuleForm; kind: KindSpec }) {
  const style = styleOf(kind, form.root, form.rule);
  if (style === "none") return null;
  const state = readLadder(form.text, form.root, form.rule);
  const columns = columnsOf(style, state).filter((column) => column !== "for" || state.form === "ladder" || style === "lengths");
  const on = (severity: Severity) => state.steps.some((step) => step.severity === severity);
  const toggle = (severity: Severity, checked: boolean) => {
    const now = state.steps.map((step) => step.severity);
    const single = style === "plain";
    form.change(setSeverities(form.text, form.rule, state, style, single ? [severity] : checked ? [...now, severity] : now.filter((each) => each !== severity)));
  };
  const general = faultAt(form.faults.filter(({ path }) => path.length <= 1 && path[0] === "severity"), ["severity"]) ?? faultAt(form.faults, ["raise"]);
  return (
    <fieldset class="ladder" disabled={form.disabled}>
      <legend>{t("rf.severity")} <span class="needed" aria-hidden="true">*</span></legend>
      {style === "limits" && <SideChoice state={state} onSide={(side) => form.change(setSide(form.text, form.rule, state, side))} />}
      {style === "counts" && <ShareChoice state={state} onShare={(share) => form.change(setShare(form.text, form.rule, state, share))} />}
      <table>
        <thead>
          <tr>
            <th scope="col">{t("severity.label")}</th>
            {columns.map((column) => (
              <th key={column} scope="col">
                {t(`rf.column.${column}` as TextKey)} <span class="muted">{LIMITS.includes(column) ? unitFor(kind, form) : ""}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {MILD_FIRST.map((severity) => {
            const step = state.steps.find((each) => each.severity === severity);
            return (
              <tr key={severity}>
                <th scope="row">
                  <label class="check">
                    <input type={style === "plain" ? "radio" : "checkbox"} name={`severity-${form.rule.join("-")}`} checked={on(severity)} disabled={form.disabled || (on(severity) && state.steps.length === 1 && style !== "plain")} onChange={(event) => toggle(severity, event.currentTarget.checked)} />
                    <SeverityMark severity={severity} /> {t(`severity.${severity}`)}
                  </label>
                </th>
                {columns.map((column) => (
                  <td key={column}>
                    {step && <Cell form={form} state={state} severity={severity} column={column} value={step.cells[column] ?? ""} />}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
      {general !== null && <p class="field-error" role="alert">{general}</p>}
    </fieldset>
  );
}

const LIMITS = ["above", "below", "clear_below", "clear_above"];

/** What a limit is measured in. */
function unitFor({ id }: KindSpec, form: RuleForm): string {
  if (id === "anomaly" || id === "expression") return "";
  if (id === "window" && scalarAt(form.root, [...form.rule, "window", "function"]) === "count") return "";
  const unit = unitOf(form);
  if (id !== "rate_of_change" || unit === "") return unit;
  return `${unit}/${(scalarAt(form.root, [...form.rule, "rate", "per"]) || "1h").replace(/^1(?=[a-z])/, "")}`;
}

interface CellProps {
  form: RuleForm;
  state: LadderState;
  severity: Severity;
  column: string;
  value: string;
}

function Cell({ form, state, severity, column, value }: CellProps) {
  const set = (next: string) => form.change(setCell(form.text, form.rule, state, severity, column, next));
  const label = `${t(`severity.${severity}`)}: ${t(`rf.column.${column}` as TextKey)}`;
  const own = state.form === "plain" ? null : faultAt(form.faults.filter(({ path }) => path.length >= 3 || (path.length === 2 && path[1] === severity)), ["severity", severity, column]);
  const common = { "aria-label": label, "aria-invalid": own !== null, title: own ?? undefined, "data-field": `severity.${severity}.${column}` };
  if (column === "category") {
    const classes = CLASSES[scalarAt(form.root, [...form.rule, "standard"])] ?? [];
    return (
      <select class="choice" {...common} value={value} onChange={(event) => set(event.currentTarget.value)}>
        <option value="">{t("value.none")}</option>
        {classes.map((each) => (
          <option key={each} value={each} selected={each === value}>{t(`rf.class.${each}` as TextKey)}</option>
        ))}
      </select>
    );
  }
  return (
    <>
      <input class="input" {...common} value={value} autocomplete="off" spellcheck={false} inputMode={LIMITS.includes(column) ? "decimal" : "text"} onInput={(event) => set(event.currentTarget.value)} />
      {own !== null && <p class="field-error" role="alert">{own}</p>}
    </>
  );
}

function SideChoice({ state, onSide }: { state: LadderState; onSide(side: Side): void }) {
  return (
    <div class="segments" role="group" aria-label={t("rf.side")}>
      {(["above", "below"] as const).map((side) => (
        <button key={side} type="button" aria-pressed={state.side === side} onClick={() => onSide(side)}>{t(`rf.side.${side}`)}</button>
      ))}
    </div>
  );
}

function ShareChoice({ state, onShare }: { state: LadderState; onShare(share: boolean): void }) {
  return (
    <div class="segments" role="group" aria-label={t("rf.counts")}>
      <button type="button" aria-pressed={!state.share} onClick={() => onShare(false)}>{t("rf.counts.devices")}</button>
      <button type="button" aria-pressed={state.share} onClick={() => onShare(true)}>{t("rf.counts.share")}</button>
    </div>
  );
}
