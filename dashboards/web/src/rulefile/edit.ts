/** Changes one thing in a rule file and leaves the rest as it was written. */
import { nodeAt, readYaml, type MapNode, type Path, type YamlNode } from "./yaml";

/** What is written: texts are quoted where they need it, `raw` stands as it is. */
export type Value = string | number | boolean | { raw: string } | { list: readonly string[] } | { entries: readonly (readonly [string, Value])[] };

/** Plain words that YAML would take for something else. */
const NOT_TEXT = /^(?:true|false|null|yes|no|on|off|~|[-+]?(?:\d[\d_]*)?\.?\d+(?:[eE][-+]?\d+)?|0x[\da-f]+|\d{4}-\d{2}-\d{2}.*)$/i;
const SAFE = /^[\p{L}\p{N}_./%°µ(][\p{L}\p{N}_./%°µ()+*<>=\-–·，。；（）、 ：]*$/u;

export function written(value: Value): string {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "string") return SAFE.test(value) && !NOT_TEXT.test(value) && value === value.trim() ? value : JSON.stringify(value);
  if ("raw" in value) return value.raw;
  if ("entries" in value) return `{${value.entries.map(([key, each]) => `${key}: ${written(each)}`).join(", ")}}`;
  return `[${value.list.map(written).join(", ")}]`;
}

/** A number or a length of time as somebody types it: it must be seen even while it is wrong. */
export function typed(text: string): Value {
  return /^[\w.+-]+$/.test(text) ? { raw: text } : text;
}

const splice = (text: string, start: number, end: number, next: string) => text.slice(0, start) + next + text.slice(end);

/** Puts a value there; what is missing above it is made. `order` says which keys go first in its map. */
export function put(text: string, path: Path, value: Value, order: readonly string[] = []): string {
  const { root } = readYaml(text);
  const last = path[path.length - 1];
  const parent = nodeAt(root, path.slice(0, -1));
  if (last === undefined || root === null) return text;
  if (typeof last === "number") return parent?.type === "list" ? putItem(text, parent.items[last] ?? null, value) : text;
  if (parent?.type !== "map") return path.length > 1 ? put(text, path.slice(0, -1), { entries: [[last, value]] }, order) : text;
  const entry = parent.entries.find(({ key }) => key === last);
  if (entry) {
    const { value: old, afterColon } = entry;
    const next = written(value);
    if (next.startsWith("\n")) return splice(text, afterColon, Math.max(old.end, afterColon), next);
    if (old.type === "scalar" || isFlow(old)) return splice(text, old.start, old.end, next);
    return splice(text, afterColon, Math.max(old.end, afterColon), ` ${next}`);
  }
  return insert(text, parent, last, written(value), order);
}

function putItem(text: string, item: YamlNode | null, value: Value): string {
  return item === null ? text : splice(text, item.start, item.end, written(value));
}

const isFlow = (node: YamlNode) => (node.type === "map" || node.type === "list") && node.flow;

function insert(text: string, map: MapNode, key: string, value: string, order: readonly string[]): string {
  const before = lastBefore(map, key, order);
  if (map.flow) {
    const said = `${key}: ${value}`;
    if (map.entries.length === 0) return splice(text, map.start, map.end, `{${said}}`);
    return before === null ? splice(text, map.start + 1, map.start + 1, `${said}, `) : splice(text, before, before, `, ${said}`);
  }
  const indent = columnOf(text, map.start);
  const at = lineEndOf(text, before ?? map.end);
  return splice(text, at, at, `\n${" ".repeat(indent)}${key}:${value.startsWith("\n") ? "" : " "}${value}`);
}

/** The end of the entry after which a key stands by the order; null for the very first place of a flow map. */
function lastBefore(map: MapNode, key: string, order: readonly string[]): number | null {
  const place = order.indexOf(key);
  const rank = (each: string) => (order.includes(each) ? order.indexOf(each) : order.length);
  const earlier = place < 0 ? map.entries : map.entries.filter((entry) => rank(entry.key) < place);
  const last = earlier[earlier.length - 1] ?? (map.flow ? undefined : map.entries[0]);
  return last === undefined ? null : Math.max(last.value.end, last.afterColon);
}

function columnOf(text: string, at: number): number {
  return at - (text.lastIndexOf("\n", at - 1) + 1);
}

function lineEndOf(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}

/** Takes something out; a map of the rule that is empty then goes too. */
export function remove(text: string, path: Path): string {
  const { root } = readYaml(text);
  const last = path[path.length - 1];
  const parent = nodeAt(root, path.slice(0, -1));
  if (last === undefined) return text;
  if (parent?.type === "list" && typeof last === "number") return removeItem(text, parent.items, last, parent.flow);
  if (parent?.type !== "map") return text;
  const at = parent.entries.findIndex(({ key }) => key === last);
  const entry = parent.entries[at];
  if (!entry) return text;
  if (parent.entries.length === 1 && path.length > 1 && typeof path[path.length - 2] === "string") return remove(text, path.slice(0, -1));
  const end = Math.max(entry.value.end, entry.afterColon);
  const next = parent.entries[at + 1];
  const previous = parent.entries[at - 1];
  if (next && (parent.flow || at === 0)) return splice(text, entry.keyStart, next.keyStart, "");
  if (parent.flow) return splice(text, previous ? Math.max(previous.value.end, previous.afterColon) : entry.keyStart, end, "");
  return splice(text, text.lastIndexOf("\n", entry.keyStart - 1) + 1, Math.min(text.length, lineEndOf(text, end) + 1), "");
}

function removeItem(text: string, items: readonly YamlNode[], at: number, flow: boolean): string {
  const item = items[at];
  if (!item) return text;
  const next = items[at + 1];
  if (flow) return next ? splice(text, item.start, next.start, "") : splice(text, items[at - 1]?.end ?? item.start, item.end, "");
  const start = text.lastIndexOf("\n", item.start - 1) + 1;
  return splice(text, start, next ? text.lastIndexOf("\n", next.start - 1) + 1 : Math.min(text.length, lineEndOf(text, item.end) + 1), "");
}

/** Puts another rule at the end of the list, as deep as those that are there. */
export function addRule(text: string, rule: string): string {
  const { root } = readYaml(text);
  const rules = nodeAt(root, ["rules"]);
  const indent = rules?.type === "list" && !rules.flow ? columnOf(text, rules.start) : 2;
  const lines = rule.trimEnd().split("\n").map((line, at) => " ".repeat(indent) + (at === 0 ? "- " : "  ") + line);
  const base = text.trimEnd();
  if (rules?.type === "list" && !rules.flow && rules.items.length > 0) return `${base}\n\n${lines.join("\n")}\n`;
  if (rules !== null) return `${put(text, ["rules"], { raw: "" }).trimEnd()}\n${lines.join("\n")}\n`;
  return `${base}${base === "" ? "" : "\n"}rules:\n${lines.join("\n")}\n`;
}
