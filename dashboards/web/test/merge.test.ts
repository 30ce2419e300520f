import { describe, expect, it } from "vitest";
import type { UserDraft } from "../src/api/types";
import { isSame, merge } from "../src/state/merge";

const base: UserDraft = { name: "Wang Li", email: null, enabled: true, grants: [{ department: "water", role: "viewer" }, { department: "roads", role: "operator" }] };

describe("changes by two people", () => {
  it("go together when they touch different things", () => {
    const mine = { ...base, email: "w@city.example", grants: [{ department: "water", role: "operator" as const }, { department: "roads", role: "operator" as const }] };
    const theirs = { ...base, name: "Wang Li-Meyer", grants: [{ department: "water", role: "viewer" as const }] };
    const { value, clashes, taken } = merge(base, mine, theirs);
    expect(clashes).toEqual([]);
    expect(value).toEqual({ name: "Wang Li-Meyer", email: "w@city.example", enabled: true, grants: [{ department: "water", role: "operator" }] });
    expect(taken.map(({ path }) => path.join("."))).toEqual(["name", "grants.roads"]);
  });

  it("clash where both changed the same, and go as chosen", () => {
    const mine = { ...base, grants: [{ department: "water", role: "engineer" as const }] };
    const theirs = { ...base, grants: [{ department: "water", role: "admin" as const }, { department: "roads", role: "operator" as const }] };
    const result = merge(base, mine, theirs, () => "mine");
    expect(result.clashes).toEqual([{ path: ["grants", "water"], base: "viewer", mine: "engineer", theirs: "admin" }]);
    expect(result.value.grants).toEqual([{ department: "water", role: "engineer" }]);
    expect(merge(base, mine, theirs, () => "theirs").value.grants).toEqual([{ department: "water", role: "admin" }]);
  });

  it("clash when one removes what the other changes", () => {
    const mine = { ...base, grants: [base.grants[1]!] };
    const theirs = { ...base, grants: [{ department: "water", role: "admin" as const }, base.grants[1]!] };
    const { clashes } = merge(base, mine, theirs);
    expect(clashes).toEqual([{ path: ["grants", "water"], base: "viewer", mine: undefined, theirs: "admin" }]);
    expect(merge(base, mine, theirs, () => "mine").value.grants).toEqual([{ department: "roads", role: "operator" }]);
  });

  it("join lists of names as sets", () => {
    const select = (kinds: string[]) => ({ select: { kinds } });
    expect(merge(select(["a", "b"]), select(["a", "b", "c"]), select(["b"])).value).toEqual(select(["b", "c"]));
    expect(merge(select(["a"]), select([]), select(["a"])).value).toEqual(select([]));
  });

  it("are none where only the order differs", () => {
    expect(isSame(base, { ...base, grants: [...base.grants].reverse() })).toBe(true);
    expect(isSame(base, { ...base, grants: [] })).toBe(false);
    expect(isSame({ ...base, grants: [] }, base)).toBe(false);
    expect(isSame({ publisher: null }, { publisher: { en: "a", zh: "" } })).toBe(false);
  });
});
