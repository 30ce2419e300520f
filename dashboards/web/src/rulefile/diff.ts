/** Differences of texts by lines, and the merge of two changes of one text. */

export interface DiffLine {
  kind: "same" | "added" | "removed";
  text: string;
  /** Line numbers from 1, where the line is. */
  before: number | null;
  after: number | null;
}

/** Longer texts would take too long by this method; rule files are far below it. */
const MOST_CELLS = 16_000_000;

/** Which line of `b` each line of `a` became; −1 for those that are gone. */
function matches(a: readonly string[], b: readonly string[]): Int32Array {
  const found = new Int32Array(a.length).fill(-1);
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) {
    found[head] = head;
    head += 1;
  }
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) {
    found[a.length - 1 - tail] = b.length - 1 - tail;
    tail += 1;
  }
  const [rows, columns] = [a.length - head - tail, b.length - head - tail];
  if (rows === 0 || columns === 0 || rows * columns > MOST_CELLS) return found;
  const width = columns + 1;
  const lengths = new Int32Array((rows + 1) * width);
  const at = (row: number, column: number) => lengths[row * width + column] ?? 0;
  for (let row = rows - 1; row >= 0; row -= 1) {
    for (let column = columns - 1; column >= 0; column -= 1) {
      lengths[row * width + column] = a[head + row] === b[head + column] ? at(row + 1, column + 1) + 1 : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  for (let row = 0, column = 0; row < rows && column < columns; ) {
    if (a[head + row] === b[head + column]) {
      found[head + row] = head + column;
      row += 1;
      column += 1;
    } else if (at(row + 1, column) >= at(row, column + 1)) row += 1;
    else column += 1;
  }
  return found;
}

const linesOf = (text: string) => (text === "" ? [] : text.replace(/\n$/, "").split("\n"));

export function diffLines(before: string, after: string): DiffLine[] {
  const [a, b] = [linesOf(before), linesOf(after)];
  const found = matches(a, b);
  const lines: DiffLine[] = [];
  let next = 0;
  const added = (until: number) => {
    for (; next < until; next += 1) lines.push({ kind: "added", text: b[next] ?? "", before: null, after: next + 1 });
  };
  a.forEach((text, at) => {
    const partner = found[at] ?? -1;
    if (partner < 0) return void lines.push({ kind: "removed", text, before: at + 1, after: null });
    added(partner);
    lines.push({ kind: "same", text, before: at + 1, after: partner + 1 });
    next = partner + 1;
  });
  added(b.length);
  return lines;
}

/** Only what changed, with some lines around it; `null` stands for lines that are left out. */
export function withContext(lines: readonly DiffLine[], around = 3): (DiffLine | null)[] {
  const near = lines.map((_, at) => lines.slice(Math.max(0, at - around), at + around + 1).some(({ kind }) => kind !== "same"));
  const shown: (DiffLine | null)[] = [];
  lines.forEach((line, at) => {
    if (near[at]) shown.push(line);
    else if (shown.length === 0 || shown[shown.length - 1] !== null) shown.push(null);
  });
  return shown;
}

export type MergePart = { kind: "agreed"; text: string } | { kind: "clash"; base: string; mine: string; theirs: string };

/** Joins two changes of one text; where both changed the same lines differently, both are given. */
export function mergeTexts(base: string, mine: string, theirs: string): MergePart[] {
  const [b, m, t] = [linesOf(base), linesOf(mine), linesOf(theirs)];
  const [toMine, toTheirs] = [matches(b, m), matches(b, t)];
  const parts: MergePart[] = [];
  const agree = (lines: readonly string[]) => {
    if (lines.length === 0) return;
    const last = parts[parts.length - 1];
    const text = `${lines.join("\n")}\n`;
    if (last?.kind === "agreed") last.text += text;
    else parts.push({ kind: "agreed", text });
  };
  const settle = (was: readonly string[], mineNow: readonly string[], theirsNow: readonly string[]) => {
    const [w, x, y] = [was.join("\n"), mineNow.join("\n"), theirsNow.join("\n")];
    const same = (p: string, q: string, pl: number, ql: number) => p === q && pl === ql;
    if (same(x, y, mineNow.length, theirsNow.length) || same(w, y, was.length, theirsNow.length)) agree(mineNow);
    else if (same(w, x, was.length, mineNow.length)) agree(theirsNow);
    else parts.push({ kind: "clash", base: closed(was), mine: closed(mineNow), theirs: closed(theirsNow) });
  };
  let [fromBase, fromMine, fromTheirs] = [0, 0, 0];
  for (let at = 0; at <= b.length; at += 1) {
    const [inMine, inTheirs] = at === b.length ? [m.length, t.length] : [toMine[at] ?? -1, toTheirs[at] ?? -1];
    if (inMine < 0 || inTheirs < 0) continue;
    settle(b.slice(fromBase, at), m.slice(fromMine, inMine), t.slice(fromTheirs, inTheirs));
    if (at < b.length) agree([b[at] ?? ""]);
    [fromBase, fromMine, fromTheirs] = [at + 1, inMine + 1, inTheirs + 1];
  }
  return parts;
}

const closed = (lines: readonly string[]) => (lines.length === 0 ? "" : `${lines.join("\n")}\n`);

export function joined(parts: readonly MergePart[], choose: (clash: number) => "mine" | "theirs"): string {
  let clash = -1;
  return parts.map((part) => (part.kind === "agreed" ? part.text : part[choose((clash += 1))])).join("");
}
