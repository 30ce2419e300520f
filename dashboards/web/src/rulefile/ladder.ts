/** The severities of a rule, in either way of writing them, as rows of a table. */
import type { Severity } from "../api/types";
import { put, remove, typed, type Value } from "./edit";
import { ORDER, type KindSpec, type StepStyle } from "./kinds";
import { nodeAt, readYaml, type Path, type YamlNode } from "./yaml";

export const MILD_FIRST: readonly Severity[] = ["low", "medium", "high", "critical"];

export type Side = "above" | "below";

export interface Step {
  severity: Severity;
  /** By key, as written. */
  cells: Readonly<Record<string, string>>;
}

export interface LadderState {
  /** `plain`: one severity, with its limits beside it. */
  form: "plain" | "ladder" | "missing";
  side: Side;
  /** Of counts: whether devices or a share of them are counted. */
  share: boolean;
  steps: readonly Step[];
}

/** A number in the rule's own limits, or whole limits by a device's attribute, as written. */
function cellOf(text: string, node: YamlNode | null): string {
  if (node === null) return "";
  return node.type === "scalar" ? node.text : text.slice(node.start, node.end);
}

export function columnsOf(style: StepStyle, state: Pick<LadderState, "side" | "share">): readonly string[] {
  switch (style) {
    case "limits":
      return state.side === "above" ? ["above", "clear_below", "for"] : ["below", "clear_above", "for"];
    case "counts":
      return [state.share ? "share" : "devices", "for"];
    case "classes":
      return ["category", "for"];
    case "times":
      return ["within", "clear_beyond", "for"];
    case "lengths":
    case "waits":
      return ["for"];
    default:
      return [];
  }
}

/** Where a cell stands when there is only one severity. */
function plainPath(column: string): Path {
  if (column === "above" || column === "below") return ["raise", column];
  return column === "clear_below" ? ["clear", "below"] : column === "clear_above" ? ["clear", "above"] : [column];
}

const ALL_COLUMNS = ["above", "below", "clear_below", "clear_above", "for", "devices", "share", "category", "within", "clear_beyond"];

/** An expression has limits if it gives a number, else waits. */
export function styleOf(kind: KindSpec, root: YamlNode | null, rule: Path): StepStyle {
  if (kind.steps !== "formula") return kind.steps;
  const severity = nodeAt(root, [...rule, "severity"]);
  if (severity?.type === "map") return severity.entries.some(({ value }) => value.type === "map" && value.entries.some(({ key }) => key === "above" || key === "below")) ? "limits" : "waits";
  return nodeAt(root, [...rule, "raise"]) !== null ? "limits" : "waits";
}

export function readLadder(text: string, root: YamlNode | null, rule: Path): LadderState {
  const severity = nodeAt(root, [...rule, "severity"]);
  const cells = (at: (column: string) => Path) => Object.fromEntries(ALL_COLUMNS.map((column) => [column, cellOf(text, nodeAt(root, at(column)))] as const).filter(([, cell]) => cell !== ""));
  let steps: Step[] = [];
  let form: LadderState["form"] = "missing";
  if (severity?.type === "map") {
    form = "ladder";
    const named = severity.entries.map(({ key }) => key).filter((key): key is Severity => MILD_FIRST.includes(key as Severity));
    steps = named.sort((a, b) => MILD_FIRST.indexOf(a) - MILD_FIRST.indexOf(b)).map((each) => ({ severity: each, cells: cells((column) => [...rule, "severity", each, column]) }));
  } else if (severity?.type === "scalar") {
    form = "plain";
    steps = [{ severity: severity.text as Severity, cells: cells((column) => [...rule, ...plainPath(column)]) }];
  }
  return {
    form,
    side: steps.some(({ cells: each }) => each["below"] !== undefined) && !steps.some(({ cells: each }) => each["above"] !== undefined) ? "below" : "above",
    share: steps.some(({ cells: each }) => each["share"] !== undefined),
    steps,
  };
}

const cellValue = (cell: string): Value => (/^[{[]/.test(cell.trim()) ? { raw: cell } : typed(cell));

export function setCell(text: string, rule: Path, state: LadderState, severity: Severity, column: string, cell: string): string {
  const path = state.form === "plain" ? [...rule, ...plainPath(column)] : [...rule, "severity", severity, column];
  if (cell.trim() !== "") return put(text, path, cellValue(cell.trim()), ORDER);
  // The step itself stays while somebody clears its only cell.
  const { root } = readYaml(text);
  const step = nodeAt(root, path.slice(0, -1));
  return state.form === "ladder" && step?.type === "map" && step.entries.length === 1 ? put(text, path.slice(0, -1), { raw: "{}" }) : remove(text, path);
}

/** Another severity for the only one, or rows on and off. */
export function setSeverities(text: string, rule: Path, state: LadderState, style: StepStyle, severities: readonly Severity[]): string {
  const { root } = readYaml(text);
  const wanted = MILD_FIRST.filter((each) => severities.includes(each));
  const first = wanted[0];
  if (first === undefined) return text;
  if (wanted.length === 1 && state.form !== "ladder") return put(text, [...rule, "severity"], first, ORDER);
  if (state.form === "ladder") {
    let next = text;
    for (const each of wanted) {
      if (!state.steps.some(({ severity }) => severity === each)) next = put(next, [...rule, "severity", each], { raw: emptyStep(style, state) }, MILD_FIRST);
    }
    for (const { severity } of state.steps) if (!wanted.includes(severity)) next = remove(next, [...rule, "severity", severity]);
    return next;
  }
  const map = nodeAt(root, rule);
  const indent = map === null ? 2 : map.start - (text.lastIndexOf("\n", map.start - 1) + 1);
  const own = columnsOf(style, state);
  const was = state.steps[0];
  const lines = wanted.map((each) => {
    const cells = each === was?.severity ? own.filter((column) => was.cells[column] !== undefined && (column !== "for" || style === "lengths" || style === "waits")).map((column) => `${column}: ${was.cells[column]}`) : [];
    return `\n${" ".repeat(indent + 2)}${each}: ${cells.length > 0 ? `{${cells.join(", ")}}` : emptyStep(style, state)}`;
  });
  let next = put(text, [...rule, "severity"], { raw: lines.join("") }, ORDER);
  const gone = style === "limits" ? ["raise", "clear"] : own.filter((column) => column !== "for" || style === "lengths" || style === "waits");
  for (const key of gone) next = remove(next, [...rule, key]);
  return next;
}

/** A new row: what it needs is left open, and the check says so. */
function emptyStep(style: StepStyle, state: LadderState): string {
  const column = columnsOf(style, state)[0];
  const last = state.steps[state.steps.length - 1]?.cells[column ?? ""];
  return column === undefined ? "{}" : last === undefined ? "{}" : `{${column}: ${last}}`;
}

/** High values are bad, or low ones: every limit changes its side. */
export function setSide(text: string, rule: Path, state: LadderState, side: Side): string {
  if (side === state.side) return text;
  const pairs = side === "below" ? [["above", "below"], ["clear_below", "clear_above"]] : [["below", "above"], ["clear_above", "clear_below"]];
  return rename(text, rule, state, pairs as [string, string][]);
}

export function setShare(text: string, rule: Path, state: LadderState, share: boolean): string {
  return share === state.share ? text : rename(text, rule, state, [share ? ["devices", "share"] : ["share", "devices"]]);
}

function rename(text: string, rule: Path, state: LadderState, pairs: readonly [string, string][]): string {
  let next = text;
  for (const { severity, cells } of state.steps) {
    for (const [from, to] of pairs) {
      const cell = cells[from];
      if (cell === undefined) continue;
      const at = (column: string) => (state.form === "plain" ? [...rule, ...plainPath(column)] : [...rule, "severity", severity, column]);
      next = put(next, at(to), cellValue(cell), ORDER);
      next = remove(next, at(from));
    }
  }
  return next;
}
