/** What is different between two states of something, name by name, as people read it. */

export interface ChangedPart {
  /** As in `grants[0].role`. */
  path: string;
  kind: "added" | "removed" | "changed" | "same";
  before: string;
  after: string;
}

/** More is not read on a screen; the export has it all. */
const MOST = 200;

export interface Difference {
  parts: ChangedPart[];
  /** How many parts are not shown. */
  more: number;
}

/** Without `before` everything is new; without `after`, gone. Parts that are the same are left out unless nothing changed. */
export function difference(before: unknown, after: unknown): Difference {
  const [old, next] = [leavesOf(before), leavesOf(after)];
  const paths = [...new Set([...old.keys(), ...next.keys()])];
  const all = paths.map((path): ChangedPart => {
    const [was, is] = [old.get(path), next.get(path)];
    const kind = was === undefined ? "added" : is === undefined ? "removed" : was === is ? "same" : "changed";
    return { path, kind, before: was ?? "", after: is ?? "" };
  });
  const changed = all.filter(({ kind }) => kind !== "same");
  const parts = changed.length > 0 ? changed : all;
  return { parts: parts.slice(0, MOST), more: Math.max(0, parts.length - MOST) };
}

function leavesOf(value: unknown): Map<string, string> {
  const leaves = new Map<string, string>();
  const walk = (path: string, each: unknown): void => {
    if (Array.isArray(each) && each.length > 0) each.forEach((item, at) => walk(`${path}[${at}]`, item));
    else if (typeof each === "object" && each !== null && Object.keys(each).length > 0) {
      for (const [name, item] of Object.entries(each)) walk(path === "" ? name : `${path}.${name}`, item);
    } else leaves.set(path, typeof each === "string" ? each : JSON.stringify(each));
  };
  if (value !== null && value !== undefined) walk("", value);
  return leaves;
}
