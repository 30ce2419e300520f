/** What a rule does, in sentences; and what stands in it, by the names of the form's fields. */
import type { Rule } from "../api/rules";
import { number } from "../format/number";
import { span } from "../format/time";
import { language, local, t } from "../i18n";
import { departmentName, kindName, metricName, metricOf, zoneName } from "../state/city";
import { TELLING, TIMING, WAIT, kindSpec, type FieldSpec } from "./kinds";
import { nodeAt, readYaml, type YamlNode } from "./yaml";

const listed = (names: readonly string[]) => names.join(t("list.and"));

/** Where it looks, and what raises and clears each severity. */
export function sentencesOf(rule: Rule): string[] {
  const { select } = rule;
  const where = [
    select.metric.length > 0 ? listed(select.metric.map(metricName)) : "",
    select.kind.length > 0 ? t("words.of_kind", { kinds: listed(select.kind.map(kindName)) }) : "",
    select.device.length > 0 ? t("words.of_device", { devices: listed(select.device) }) : "",
    select.zone.length > 0 ? t("words.in_zone", { zones: listed(select.zone.map(zoneName)) }) : "",
    select.department.length > 0 ? t("words.of_department", { departments: listed(select.department.map(departmentName)) }) : "",
  ].filter((part) => part !== "");
  const sentences = where.length > 0 ? [t("words.watches", { what: where.join(language.value === "zh" ? "，" : " ") })] : [];
  const symbol = rule.kind === "threshold" || rule.kind === "window" || rule.kind === "zone_aggregate" ? (metricOf(select.metric[0])?.symbol ?? "") : "";
  for (const step of rule.severities) {
    const severity = t(`severity.${step.severity}`);
    const hold = Number(step.for_s ?? 0) > 0 ? t("words.for", { time: span(Number(step.for_s)) }) : "";
    if (step.limit === null || rule.direction === null || NO_LIMIT.includes(rule.kind)) {
      sentences.push(t("words.raises", { severity, hold }));
      continue;
    }
    const decimals = Number.isInteger(step.limit) ? 0 : 2;
    const limit = `${number(step.limit, decimals)}${symbol === "" ? "" : ` ${symbol}`}`;
    const clear = step.clear === null ? "" : t(rule.direction === "above" ? "words.clears.below" : "words.clears.above", { limit: `${number(step.clear, Number.isInteger(step.clear) ? 0 : 2)}${symbol === "" ? "" : ` ${symbol}`}` });
    sentences.push(t(rule.direction === "above" ? "words.raises.above" : "words.raises.below", { severity, limit, hold, clear }));
  }
  if (rule.keep_firing_for_s > 0) sentences.push(t("words.keeps", { time: span(rule.keep_firing_for_s) }));
  return sentences;
}

/** Kinds whose limits are no values of a metric. */
const NO_LIMIT = ["absence", "flat_line", "state_duration", "geofence", "composite", "dependency", "forecast", "aqi", "k_of_n", "expression"];

/** The fields that the rule's text sets, with what it sets them to. */
export function parametersOf(rule: Pick<Rule, "text" | "kind">): [label: string, value: string][] {
  const { root } = readYaml(rule.text);
  const kind = kindSpec(rule.kind);
  const specs: FieldSpec[] = [...(kind?.fields ?? []), ...(kind?.waits ? [WAIT] : []), ...TIMING, ...TELLING];
  return specs.flatMap((spec): [string, string][] => {
    const node = nodeAt(root, spec.path);
    if (node === null || node.type === "null") return [];
    return [[t(spec.label), valueText(rule.text, node, spec)]];
  });
}

function valueText(text: string, node: YamlNode, spec: FieldSpec): string {
  if (spec.type === "local" && node.type === "map") {
    const part = (language: string) => {
      const found = node.entries.find(({ key }) => key === language)?.value;
      return found?.type === "scalar" ? found.text : "";
    };
    return local({ en: part("en"), zh: part("zh") });
  }
  if (node.type === "scalar") return choiceOf(spec, node.text);
  if (node.type === "list") return listed(node.items.map((item) => (item.type === "scalar" ? nameOf(spec, item.text) : text.slice(item.start, item.end))));
  return text.slice(node.start, node.end);
}

function choiceOf(spec: FieldSpec, value: string): string {
  const found = spec.choices?.find(([each]) => each === value);
  return found ? t(found[1]) : spec.type === "flag" ? t(value === "true" ? "value.true" : "value.false") : nameOf(spec, value);
}

function nameOf({ names }: FieldSpec, id: string): string {
  return names === "zone" ? zoneName(id) : names === "metric" ? metricName(id) : names === "kind" ? kindName(id) : id;
}
