/** A rule as a form: all kinds from one description of their fields. */
import type { ComponentChildren } from "preact";
import { t } from "../../i18n";
import { KINDS, NAMING, TELLING, TIMING, WAIT, kindSpec, knowsMetrics, selecting, type FieldSpec } from "../../rulefile/kinds";
import { changeKind } from "../../rulefile/reshape";
import { readLadder, styleOf } from "../../rulefile/ladder";
import { nodeAt, scalarAt } from "../../rulefile/yaml";
import { Field } from "../../ui/field";
import { FormField, faultAt, type RuleForm } from "./form-field";
import { LadderForm } from "./ladder-form";

export function RuleFields({ form }: { form: RuleForm }) {
  const id = scalarAt(form.root, [...form.rule, "kind"]);
  const kind = kindSpec(id);
  const whole = form.faults.filter(({ path }) => path.length === 0);
  const known = { ...form, placeholders: kind?.placeholders ?? [] };
  return (
    <form class="rule-form" onSubmit={(event) => event.preventDefault()} aria-label={t("rules.form")}>
      {whole.length > 0 && <p class="field-error" role="alert">{faultAt(whole.map((each) => ({ ...each, path: ["*"] })), ["*"])}</p>}
      <Part title={t("rules.part.what")}>
        <Fields specs={NAMING} form={known} />
      </Part>
      <Part title={t("rules.part.condition")}>
        <KindChoice form={known} id={id} />
        {kind && (
          <>
            <Fields specs={kind.fields} form={known} />
            <LadderForm form={known} kind={kind} />
            {kind.waits && !waitsInside(form, id) && <Fields specs={[WAIT]} form={known} />}
          </>
        )}
      </Part>
      {kind && kind.select !== "none" && (
        <Part title={t("rules.part.where")}>
          <Fields specs={selecting(kind, knowsMetrics(id))} form={known} />
        </Part>
      )}
      {kind && (
        <>
          <Folded title={t("rules.part.when")} specs={TIMING} form={known} />
          <Folded title={t("rules.part.tell")} specs={TELLING} form={known} />
        </>
      )}
    </form>
  );
}

/** Each severity has its own `for`, so the rule has none. */
function waitsInside(form: RuleForm, id: string): boolean {
  const kind = kindSpec(id);
  if (!kind) return false;
  const style = styleOf(kind, form.root, form.rule);
  return style === "waits" && readLadder(form.text, form.root, form.rule).form === "ladder";
}

function Part({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="form-part">
      <h3>{title}</h3>
      <div class="form-grid">{children}</div>
    </section>
  );
}

/** What most rules do without; open where something stands or is wrong. */
function Folded({ title, specs, form }: { title: string; specs: readonly FieldSpec[]; form: RuleForm }) {
  const used = specs.some(({ path }) => nodeAt(form.root, [...form.rule, ...path]) !== null || faultAt(form.faults, path) !== null);
  return (
    <details class="form-part" open={used}>
      <summary><h3>{title}</h3></summary>
      <div class="form-grid"><Fields specs={specs} form={form} /></div>
    </details>
  );
}

function Fields({ specs, form }: { specs: readonly FieldSpec[]; form: RuleForm }) {
  return <>{specs.map((spec) => <FormField key={spec.path.join(".")} spec={spec} form={form} />)}</>;
}

function KindChoice({ form, id }: { form: RuleForm; id: string }) {
  const kind = kindSpec(id);
  return (
    <div class="wide-field kind-choice">
      <Field label={t("rf.kind")} error={faultAt(form.faults, ["kind"])}>
        {(parts) => (
          <select {...parts} class="choice" disabled={form.disabled} value={id} onChange={(event) => form.change(changeKind(form.text, form.rule, event.currentTarget.value))}>
            {!kind && <option value={id}>{id || t("value.none")}</option>}
            {KINDS.map((each) => (
              <option key={each.id} value={each.id} selected={each.id === id}>{t(`kind.${each.id}`)}</option>
            ))}
          </select>
        )}
      </Field>
      {kind && <p class="field-hint">{t(`kind.${kind.id}.about`)}</p>}
    </div>
  );
}
