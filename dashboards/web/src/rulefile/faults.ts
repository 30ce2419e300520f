/** Where in a form the server's problems belong, and what they say in Chinese. */
import type { RuleFault } from "../api/rules";
import { language } from "../i18n";
import { CHINESE, CHINESE_HINTS, type Pattern } from "./faults-zh";
import { nodeAt, offsetOf, pathAt, type Path, type YamlNode } from "./yaml";

/** A problem at its field. */
export interface PlacedFault {
  fault: RuleFault;
  /** Which rule of the file, or null for the file itself. */
  rule: number | null;
  /** The field, below the rule. */
  path: Path;
}

export function placeFault(text: string, root: YamlNode | null, fault: RuleFault): PlacedFault {
  const offset = offsetOf(text, fault.line, fault.column);
  const path = pathAt(root, offset);
  const rule = path[0] === "rules" && typeof path[1] === "number" ? path[1] : ruleNamed(root, fault.rule);
  const missing = /^`([\w]+)` is missing/.exec(fault.message)?.[1];
  if (rule === null) return { fault, rule, path };
  const below = path[0] === "rules" ? path.slice(2) : [];
  if (missing === undefined) {
    // What is said of the rule as a whole stands where it begins, which is its first key.
    const node = nodeAt(root, ["rules", rule]);
    const whole = node !== null && offset === node.start && !/`id`|the id/.test(fault.message);
    return { fault, rule, path: whole ? [] : below };
  }
  // A missing key is told where the mapping begins that should have it, which is where its first key is.
  const parent = [...below];
  while (parent.length > 0) {
    const node = nodeAt(root, ["rules", rule, ...parent]);
    if (node?.type === "map" && node.start === offset) break;
    parent.pop();
  }
  return { fault, rule, path: [...parent, missing] };
}

function ruleNamed(root: YamlNode | null, id: string | null): number | null {
  const rules = nodeAt(root, ["rules"]);
  if (id === null || rules?.type !== "list") return null;
  const at = rules.items.findIndex((item) => {
    const node = nodeAt(item, ["id"]);
    return node?.type === "scalar" && node.text === id;
  });
  return at < 0 ? null : at;
}

/** Whether a problem belongs to this field: at it, inside it, or about what holds it. */
export function concerns({ path }: PlacedFault, field: Path): boolean {
  const length = Math.min(path.length, field.length);
  return path.length > 0 && path.slice(0, length).every((step, at) => step === field[at]) && (path.length >= field.length || path.length === field.length - 1);
}

function say(patterns: readonly Pattern[], text: string): string {
  if (language.value !== "zh") return text;
  for (const [pattern, words] of patterns) {
    const found = pattern.exec(text);
    if (found) return words(...found.slice(1).map((part) => part ?? ""));
  }
  return text;
}

export const faultText = (fault: Pick<RuleFault, "message">) => say(CHINESE, fault.message);
export const hintText = (fault: Pick<RuleFault, "hint">) => (fault.hint === null ? "" : say(CHINESE_HINTS, fault.hint));
