/** Changes of whole rules: another kind, a copy, a new one. */
import { addRule, put, remove } from "./edit";
import { KINDS, ORDER, kindSpec, type KindSpec } from "./kinds";
import { nodeAt, readYaml, scalarAt, type Path, type YamlNode } from "./yaml";

/** The keys at the top of a rule that belong to a kind, and not to every rule. */
function ownKeys(kind: KindSpec): Set<string> {
  const { root } = readYaml(kind.example);
  const keys = root?.type === "map" ? root.entries.map(({ key }) => key) : [];
  return new Set([...kind.fields.map(({ path }) => path[0] ?? ""), ...keys, ...(kind.waits ? ["for"] : [])].filter((key) => key !== "kind"));
}

const STEP_KEYS = ["severity", "raise", "clear", "category", "within", "clear_beyond", "devices", "share"];

/** Another kind: what does not belong to it goes, what it needs comes from its example. */
export function changeKind(text: string, rule: Path, next: string): string {
  const { root } = readYaml(text);
  const before = kindSpec(scalarAt(root, [...rule, "kind"]));
  const kind = kindSpec(next);
  if (!kind) return text;
  let changed = put(text, [...rule, "kind"], next, ORDER);
  const keeps = ownKeys(kind);
  const sameSteps = before?.steps === kind.steps;
  const gone = new Set([...(before ? ownKeys(before) : [])].filter((key) => !keeps.has(key) || (!sameSteps && STEP_KEYS.includes(key))));
  if (!sameSteps) for (const key of STEP_KEYS) gone.add(key);
  if (kind.select === "none") gone.add("select");
  else gone.delete("select");
  for (const key of gone) changed = remove(changed, [...rule, key]);
  const example = readYaml(kind.example).root;
  if (example?.type !== "map") return changed;
  for (const { key, value } of example.entries) {
    if (key === "kind" || nodeAt(readYaml(changed).root, [...rule, key]) !== null) continue;
    changed = put(changed, [...rule, key], { raw: flowOf(kind.example, value) }, ORDER);
  }
  return changed;
}

/** A value as it can stand on one line. */
function flowOf(text: string, node: YamlNode): string {
  if (node.type === "map" && !node.flow) return `{${node.entries.map(({ key, value }) => `${key}: ${flowOf(text, value)}`).join(", ")}}`;
  if (node.type === "list" && !node.flow) return `[${node.items.map((item) => flowOf(text, item)).join(", ")}]`;
  return text.slice(node.start, node.end);
}

export function ruleIds(root: YamlNode | null): string[] {
  const rules = nodeAt(root, ["rules"]);
  return rules?.type === "list" ? rules.items.map((item) => scalarAt(item, ["id"])) : [];
}

/** An id that none of them has. */
export function freeId(stem: string, taken: readonly string[]): string {
  if (!taken.includes(stem)) return stem;
  for (let n = 2; ; n += 1) if (!taken.includes(`${stem}-${n}`)) return `${stem}-${n}`;
}

export function newRule(text: string, kind: string, taken: readonly string[]): { text: string; id: string } {
  const spec = kindSpec(kind) ?? KINDS[0];
  const id = freeId(`new-${(spec?.id ?? kind).replaceAll("_", "-")}`, [...taken, ...ruleIds(readYaml(text).root)]);
  return { text: addRule(text, `id: ${id}\n${spec?.example ?? ""}`), id };
}

/** A copy of a rule at the end, under another id. */
export function copyRule(text: string, at: number, taken: readonly string[]): { text: string; id: string } | null {
  const { root } = readYaml(text);
  const node = nodeAt(root, ["rules", at]);
  if (node?.type !== "map") return null;
  const indent = node.start - (text.lastIndexOf("\n", node.start - 1) + 1);
  const lines = text.slice(node.start, node.end).split("\n").map((line, n) => (n === 0 ? line : line.slice(Math.min(indent, line.length - line.trimStart().length))));
  const id = freeId(`${scalarAt(node, ["id"])}-copy`, [...taken, ...ruleIds(root)]);
  const copy = put(`rules:\n  - ${lines.join("\n    ")}\n`, ["rules", 0, "id"], id);
  const body = copy.split("\n").slice(1).map((line) => line.slice(4)).join("\n");
  return { text: addRule(text, body), id };
}

/** The text of a group that is new. */
export function newGroup(name: string, department: string): string {
  return `group: ${name}\ndepartment: ${department}\nrules:\n  - id: ${name}-threshold\n${(KINDS[0]?.example ?? "").split("\n").map((line) => `    ${line}`).join("\n")}\n`;
}
