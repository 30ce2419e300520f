/** One field of a rule, made from its description; it reads from the text and writes into it. */
import type { ComponentChildren } from "preact";
import { local, t } from "../../i18n";
import { departments, inOrder, kinds, layerName, metricName, metricOf, metrics, zones } from "../../state/city";
import { fleet } from "../../state/fleet";
import { put, remove, typed, written } from "../../rulefile/edit";
import { concerns, faultText, hintText, type PlacedFault } from "../../rulefile/faults";
import { ORDER, type FieldSpec, type NameSource } from "../../rulefile/kinds";
import { nodeAt, scalarAt, type Path, type YamlNode } from "../../rulefile/yaml";
import { Field, type FieldParts } from "../../ui/field";
import { NamesField } from "./names-field";

/** What a form of one rule is about. */
export interface RuleForm {
  text: string;
  root: YamlNode | null;
  /** Where the rule stands. */
  rule: Path;
  /** Those of this rule. */
  faults: readonly PlacedFault[];
  disabled: boolean;
  /** The ids of all rules that can be named. */
  rules: readonly string[];
  /** What the kind's texts may hold. */
  placeholders: readonly string[];
  change(text: string): void;
}

export function faultAt(faults: readonly PlacedFault[], path: Path): string | null {
  const found = faults.filter((each) => concerns(each, path) && (each.path.length >= path.length || each.path.length === 0));
  return found.length === 0 ? null : found.map(({ fault }) => [faultText(fault), hintText(fault)].filter((part) => part !== "").join(" · ")).join("\n");
}

/** How many devices' ids are offered; others can be typed. */
const MOST_DEVICES = 500;

function optionsOf(source: NameSource | undefined, form: RuleForm): readonly (readonly [string, string])[] {
  switch (source) {
    case "metric":
      return inOrder(metrics.value.map(({ id }) => id)).map((id) => [id, metricName(id)]);
    case "kind":
      return kinds.value.map(({ id, name }) => [id, local(name)]);
    case "department":
      return departments.value.map(({ id, name }) => [id, local(name)]);
    case "zone":
      return (zones.value?.features ?? []).map(({ properties }) => [properties.id, local(properties.name)]);
    case "layer":
      return [...new Set((zones.value?.features ?? []).map(({ properties }) => properties.layer))].map((id) => [id, layerName(id)]);
    case "device":
      return Array.from({ length: Math.min(fleet.size, MOST_DEVICES) }, (_, at) => fleet.at(at)?.id ?? "").filter((id) => id !== "").map((id) => [id, id]);
    case "rule":
      return form.rules.map((id) => [id, id]);
    default:
      return [];
  }
}

export function FormField({ spec, form }: { spec: FieldSpec; form: RuleForm }) {
  const path = [...form.rule, ...spec.path];
  const error = faultAt(form.faults, spec.path);
  const hint = hintOf(spec, form);
  const label = labelOf(spec, form);
  const set = (value: string) => form.change(value.trim() === "" ? remove(form.text, path) : put(form.text, path, valueOf(spec, value), ORDER));
  if (spec.type === "local") return <LocalField spec={spec} form={form} label={label} error={error} />;
  if (spec.type === "flag") return <FlagField label={label} hint={hint} value={scalarAt(form.root, path) === "true"} disabled={form.disabled} onChange={(on) => form.change(on ? put(form.text, path, true, ORDER) : remove(form.text, path))} />;
  return (
    <Field label={label} {...(hint !== "" && { hint })} error={error} class={spec.type === "names" || spec.type === "formula" || spec.type === "labels" || spec.type === "times" ? "wide-field" : ""}>
      {(parts) => control(spec, form, parts, path, set)}
    </Field>
  );
}

function valueOf({ type }: FieldSpec, value: string) {
  return type === "text" || type === "formula" ? value : typed(value);
}

function labelOf(spec: FieldSpec, form: RuleForm): ComponentChildren {
  const unit = spec.metricUnit ? unitOf(form) : "";
  return (
    <>
      {t(spec.label)}
      {unit !== "" && <span class="muted"> {unit}</span>}
      {spec.required && <span class="needed" title={t("rf.required")} aria-label={t("rf.required")}> *</span>}
    </>
  );
}

/** The unit of the rule's metric, if it has one. */
export function unitOf({ root, rule }: Pick<RuleForm, "root" | "rule">): string {
  const [only, ...others] = namesAt(root, [...rule, "select", "metric"]);
  return others.length === 0 ? (metricOf(only)?.symbol ?? "") : "";
}

function hintOf(spec: FieldSpec, form: RuleForm): string {
  const said = spec.hint ? t(spec.hint, { names: form.placeholders.map((name) => `{${name}}`).join(" ") }) : "";
  const range = spec.min !== undefined && spec.max === undefined && spec.type === "count" && spec.min > 0 ? t("rf.at_least", { n: spec.min }) : "";
  const fallback = spec.fallback ? t("rf.fallback", { value: choiceText(spec, spec.fallback) }) : "";
  return [said, range, fallback].filter((part) => part !== "").join(" ");
}

function choiceText(spec: FieldSpec, value: string): string {
  const found = spec.choices?.find(([each]) => each === value);
  return found ? t(found[1]) : value;
}

function control(spec: FieldSpec, form: RuleForm, parts: FieldParts, path: Path, set: (value: string) => void) {
  const value = scalarAt(form.root, path);
  const { disabled } = form;
  const name = { "data-field": spec.path.join(".") };
  switch (spec.type) {
    case "choice": {
      const node = nodeAt(form.root, path);
      const odd = value !== "" && !spec.choices?.some(([each]) => each === value) ? value : node !== null && node.type === "map" ? "{…}" : null;
      return (
        <select {...parts} {...name} class="choice" disabled={disabled || odd === "{…}"} value={odd ?? value} onChange={(event) => set(event.currentTarget.value)}>
          <option value="">{spec.fallback ? t("rf.fallback.choice", { value: choiceText(spec, spec.fallback) }) : t("value.none")}</option>
          {odd !== null && <option value={odd}>{odd}</option>}
          {spec.choices?.map(([each, text]) => (
            <option key={each} value={each} selected={each === value}>{t(text)}</option>
          ))}
        </select>
      );
    }
    case "names":
      return <div {...name}><NamesField parts={parts} label={String(t(spec.label))} names={namesAt(form.root, path)} options={optionsOf(spec.names, form)} disabled={disabled} onChange={(names) => form.change(putNames(form.text, path, names))} /></div>;
    case "times":
      return <textarea {...parts} {...name} class="input" rows={2} disabled={disabled} value={namesAt(form.root, path).join("\n")} onChange={(event) => form.change(putNames(form.text, path, lines(event.currentTarget.value)))} />;
    case "labels":
      return <textarea {...parts} {...name} class="input" rows={2} disabled={disabled} value={labelsAt(form.root, path)} onChange={(event) => form.change(putLabels(form.text, path, event.currentTarget.value))} />;
    case "formula":
      return <textarea {...parts} {...name} class="input formula" rows={2} disabled={disabled} spellcheck={false} value={value} onInput={(event) => set(event.currentTarget.value)} />;
    default: {
      const options = spec.names ? optionsOf(spec.names, form) : [];
      const list = options.length > 0 ? `${parts.id}-list` : undefined;
      return (
        <>
          <input {...parts} {...name} class="input" list={list} disabled={disabled} value={value} autocomplete="off" spellcheck={false} inputMode={spec.type === "number" || spec.type === "count" ? "decimal" : "text"} placeholder={spec.fallback ?? ""} aria-required={spec.required === true} onInput={(event) => set(event.currentTarget.value)} />
          {list && <datalist id={list}>{options.map(([id, text]) => <option key={id} value={id} label={text} />)}</datalist>}
        </>
      );
    }
  }
}

const lines = (text: string) => text.split("\n").map((line) => line.trim()).filter((line) => line !== "");

/** One or many names; of other things none. */
export function namesAt(root: YamlNode | null, path: Path): string[] {
  const node = nodeAt(root, path);
  if (node?.type === "scalar") return [node.text];
  return node?.type === "list" ? node.items.flatMap((item) => (item.type === "scalar" ? [item.text] : [])) : [];
}

function putNames(text: string, path: Path, names: readonly string[]): string {
  const [only, ...others] = names;
  if (only === undefined) return remove(text, path);
  return put(text, path, others.length === 0 ? typed(only) : { raw: `[${names.map((name) => written(typed(name))).join(", ")}]` }, ORDER);
}

function labelsAt(root: YamlNode | null, path: Path): string {
  const node = nodeAt(root, path);
  return node?.type === "map" ? node.entries.map(({ key, value }) => `${key}=${value.type === "scalar" ? value.text : ""}`).join("\n") : "";
}

function putLabels(text: string, path: Path, said: string): string {
  const labels = lines(said).map((line) => /^([^=]+?)\s*=\s*(.*)$/.exec(line)).flatMap((found) => (found?.[1] && found[2] ? [[found[1], found[2]] as const] : []));
  return labels.length === 0 ? remove(text, path) : put(text, path, { entries: labels }, ORDER);
}

interface FlagProps {
  label: ComponentChildren;
  hint: string;
  value: boolean;
  disabled: boolean;
  onChange(on: boolean): void;
}

function FlagField({ label, hint, value, disabled, onChange }: FlagProps) {
  return (
    <label class="check">
      <input type="checkbox" checked={value} disabled={disabled} onChange={(event) => onChange(event.currentTarget.checked)} />
      <span>
        {label}
        {hint !== "" && <span class="field-hint">{hint}</span>}
      </span>
    </label>
  );
}

/** One text for both languages, or one for each. */
function LocalField({ spec, form, label, error }: { spec: FieldSpec; form: RuleForm; label: ComponentChildren; error: string | null }) {
  const path = [...form.rule, ...spec.path];
  const node = nodeAt(form.root, path);
  const both = node?.type === "scalar" ? node.text : null;
  const valueIn = (language: "en" | "zh") => both ?? scalarAt(form.root, [...path, language]);
  const set = (language: "en" | "zh", value: string) => {
    const [en, zh] = language === "en" ? [value, valueIn("zh")] : [valueIn("en"), value];
    if (node?.type === "map" && value !== "") return form.change(put(form.text, [...path, language], value, ["en", "zh"]));
    const entries = ([["en", en], ["zh", zh]] as const).filter(([, text]) => text !== "");
    form.change(entries.length === 0 ? remove(form.text, path) : put(form.text, path, { entries }, ORDER));
  };
  const hint = hintOf(spec, form);
  return (
    <fieldset class="local-field wide-field">
      <legend>{label}</legend>
      {(["en", "zh"] as const).map((language) => (
        <Field key={language} label={t(`rf.language.${language}`)} error={language === "en" ? error : null}>
          {(parts) => <input {...parts} data-field={`${spec.path.join(".")}.${language}`} class="input" lang={language === "zh" ? "zh-CN" : "en"} disabled={form.disabled} value={valueIn(language)} spellcheck={false} autocomplete="off" onInput={(event) => set(language, event.currentTarget.value)} />}
        </Field>
      ))}
      {hint !== "" && <p class="field-hint">{hint}</p>}
    </fieldset>
  );
}
