/**
 * Joins what one person changed with what another one saved meanwhile: whatever only one of them
 * touched is taken, whatever both changed differently is a clash that somebody has to decide.
 */
import type { Grant } from "../api/types";

type Leaf = string | number | boolean | null | undefined;

export interface Difference {
  path: readonly string[];
  base: Leaf;
  mine: Leaf;
  theirs: Leaf;
}

export interface Merged<T> {
  value: T;
  /** Both changed it, differently. */
  clashes: Difference[];
  /** Only they changed it. */
  taken: Difference[];
}

export type Side = "mine" | "theirs";

type Tree = { [name: string]: Tree | Leaf };

export function merge<T>(base: T, mine: T, theirs: T, choose: (clash: Difference) => Side = () => "theirs"): Merged<T> {
  const clashes: Difference[] = [];
  const taken: Difference[] = [];
  const leaf = (clash: Difference): Leaf => {
    if (clash.mine === clash.theirs || clash.theirs === clash.base) return clash.mine;
    if (clash.mine === clash.base) {
      taken.push(clash);
      return clash.theirs;
    }
    clashes.push(clash);
    return choose(clash) === "mine" ? clash.mine : clash.theirs;
  };
  const walk = (path: string[], b: unknown, m: unknown, t: unknown): unknown => {
    if (!isBranch(b) && !isBranch(m) && !isBranch(t)) return leaf({ path, base: b as Leaf, mine: m as Leaf, theirs: t as Leaf });
    const [tb, tm, tt] = [treeOf(b), treeOf(m), treeOf(t)];
    const joined: Record<string, unknown> = {};
    for (const name of new Set([...Object.keys(tt), ...Object.keys(tm), ...Object.keys(tb)])) {
      const value = walk([...path, name], tb[name], tm[name], tt[name]);
      if (value !== undefined) joined[name] = value;
    }
    return likeShapeOf(t ?? m ?? b, joined);
  };
  return { value: walk([], base, mine, theirs) as T, clashes, taken };
}

export function isSame(a: unknown, b: unknown): boolean {
  const { clashes, taken } = merge(a, a, b);
  return clashes.length === 0 && taken.length === 0;
}

function isBranch(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function isGrant(value: unknown): value is Grant {
  return isBranch(value) && "department" in value && "role" in value;
}

/** Lists of names are sets, and rights are one role for each department. */
function treeOf(value: unknown): Tree {
  if (!isBranch(value)) return {};
  if (!Array.isArray(value)) return value as Tree;
  return Object.fromEntries(value.map((item) => (isGrant(item) ? [item.department, item.role] : [String(item), true])));
}

function likeShapeOf(shape: unknown, tree: Record<string, unknown>): unknown {
  if (!Array.isArray(shape)) return tree;
  const roles = Object.entries(tree);
  return roles.some(([, value]) => typeof value === "string") ? roles.map(([department, role]) => ({ department, role })) : roles.map(([name]) => name);
}
