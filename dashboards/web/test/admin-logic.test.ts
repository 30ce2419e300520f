import { afterEach, describe, expect, it } from "vitest";
import type { AccessToken, User } from "../src/api/types";
import { difference } from "../src/format/difference";
import { cityZone } from "../src/format/time";
import { parseWallClock, wallClock } from "../src/format/wall-clock";
import { matchesUser } from "../src/screens/admin/users";
import { stateOfToken } from "../src/screens/admin/tokens";
import { wordsOf } from "../src/screens/admin/dataset";
import { isAcceptable, policyOf, randomPassword } from "../src/state/password-policy";

describe("a password", () => {
  it("is long enough and does not hold the name", () => {
    expect(isAcceptable("correct horse battery", "wang", "Li Na")).toBe(true);
    expect(isAcceptable("elevenchars", "wang", "Li Na")).toBe(false);
    expect(isAcceptable("my name is WANG-li", "wang", "Li Na")).toBe(false);
    expect(isAcceptable("call me li na at noon", "wang", "Li Na")).toBe(false);
    expect(isAcceptable("an ox in a blue field", "ox", "A")).toBe(true);
    expect(isAcceptable("一二三四五六七八九十百千", "wang", "Li Na"), "characters count, not bytes").toBe(true);
    expect(isAcceptable("😀😀😀😀😀😀", "wang", "Li Na"), "nor halves of them").toBe(false);
    expect(policyOf("", "wang", "Li Na").map(({ met }) => met)).toEqual([false, false, null]);
  });

  it("for one login is random, typable and acceptable", () => {
    const made = randomPassword();
    expect(made).toMatch(/^([a-hjkmnp-z2-9]{5}-){3}[a-hjkmnp-z2-9]{5}$/);
    expect(isAcceptable(made, "wang", "Li Na")).toBe(true);
    expect(randomPassword()).not.toBe(made);
    // Bytes at the end of the range would favour the first letters: they are left out.
    let turn = 0;
    const bytes = (into: Uint8Array<ArrayBuffer>) => into.fill(turn++ === 0 ? 255 : 1);
    expect(randomPassword(bytes)).toBe("bbbbb-bbbbb-bbbbb-bbbbb");
  });
});

describe("the difference of two states", () => {
  it("names what is new, gone and changed, in depth", () => {
    const { parts } = difference({ name: "A", grants: [{ role: "viewer" }], old: true }, { name: "B", grants: [{ role: "viewer" }, { role: "admin" }] });
    expect(parts).toEqual([
      { path: "name", kind: "changed", before: "A", after: "B" },
      { path: "old", kind: "removed", before: "true", after: "" },
      { path: "grants[1].role", kind: "added", before: "", after: "admin" },
    ]);
  });

  it("shows all of what was made or removed, and of what stayed the same", () => {
    expect(difference(null, { a: 1, b: [] }).parts.map(({ path, kind }) => [path, kind])).toEqual([["a", "added"], ["b", "added"]]);
    expect(difference({ a: null }, undefined).parts).toEqual([{ path: "a", kind: "removed", before: "null", after: "" }]);
    expect(difference({ a: 1 }, { a: 1 }).parts.map(({ kind }) => kind)).toEqual(["same"]);
    expect(difference(null, null)).toEqual({ parts: [], more: 0 });
  });

  it("tells a text from a number, and does not end in thousands of lines", () => {
    expect(difference({ a: 1 }, { a: 2 }).parts[0]).toMatchObject({ before: "1", after: "2" });
    const long = Object.fromEntries(Array.from({ length: 250 }, (_, n) => [`k${n}`, n]));
    expect(difference(null, long)).toMatchObject({ more: 50 });
  });
});

describe("moments that people type", () => {
  afterEach(() => {
    cityZone.value = "UTC";
  });

  it("are by the city's clock", () => {
    cityZone.value = "America/Chicago";
    expect(parseWallClock("2026-11-29 14:30")).toBe(Date.parse("2026-11-29T20:30:00Z"));
    expect(parseWallClock("2026-07-01 00:00")).toBe(Date.parse("2026-07-01T05:00:00Z"));
    expect(parseWallClock("2026-07-01")).toBe(Date.parse("2026-07-01T05:00:00Z"));
    expect(wallClock(Date.parse("2026-11-29T20:30:00Z"))).toBe("2026-11-29 14:30");
  });

  it("survive the changes of the clock", () => {
    cityZone.value = "America/Chicago";
    // Back on 1 November 2026: 01:30 comes twice, the first is meant.
    expect(parseWallClock("2026-11-01 01:30")).toBe(Date.parse("2026-11-01T06:30:00Z"));
    expect(parseWallClock("2026-11-01 02:30")).toBe(Date.parse("2026-11-01T08:30:00Z"));
    // Forward on 8 March 2026: 02:30 does not come at all, but is near.
    expect(Math.abs((parseWallClock("2026-03-08 02:30") ?? 0) - Date.parse("2026-03-08T08:00:00Z"))).toBeLessThanOrEqual(3_600_000);
    cityZone.value = "Asia/Kolkata";
    expect(parseWallClock("2026-11-29 05:30")).toBe(Date.parse("2026-11-29T00:00:00Z"));
  });

  it("are refused when they are none", () => {
    for (const bad of ["", "yesterday", "2026-02-31", "2026-13-01", "2026-11-29 25:00", "29.11.2026"]) expect(parseWallClock(bad), bad).toBeNull();
  });
});

describe("filters", () => {
  const user = (change: Partial<User>): User => ({ id: "wang.li", name: "王莉", email: "wang@city.example", grants: [{ department: "water", role: "operator" }], enabled: true, external: false, password_change_needed: false, created_at: "", last_login_at: null, ...change });
  const none = { q: null, department: null, role: null, state: null };

  it("find users by what they are called, what they may do and whether they are enabled", () => {
    expect(matchesUser(user({}), none)).toBe(true);
    expect(matchesUser(user({}), { ...none, q: "WANG" })).toBe(true);
    expect(matchesUser(user({}), { ...none, q: "莉" })).toBe(true);
    expect(matchesUser(user({}), { ...none, q: "smith" })).toBe(false);
    expect(matchesUser(user({}), { ...none, department: "water", role: "operator" })).toBe(true);
    expect(matchesUser(user({}), { ...none, department: "water", role: "engineer" })).toBe(false);
    expect(matchesUser(user({}), { ...none, department: "roads" })).toBe(false);
    expect(matchesUser(user({ grants: [{ department: "*", role: "viewer" }] }), { ...none, department: "roads" })).toBe(true);
    expect(matchesUser(user({ enabled: false }), { ...none, state: "enabled" })).toBe(false);
  });

  it("tell tokens that are valid, expired and revoked", () => {
    const token: AccessToken = { id: "1", note: "", grants: [], created_at: "", created_by: null, own: false, expires_at: "2026-12-01T00:00:00Z", last_used_at: null, last_used_from: null, revoked_at: null };
    const end = Date.parse("2026-12-01T00:00:00Z");
    expect([end - 1, end].map((now) => stateOfToken(token, now))).toEqual(["active", "expired"]);
    expect(stateOfToken({ ...token, revoked_at: "2026-11-01T00:00:00Z" }, end)).toBe("revoked");
    expect(stateOfToken({ ...token, expires_at: null }, end)).toBe("active");
  });

  it("take words between any commas", () => {
    expect(wordsOf("pole, height_m，mains、 pole ,")).toEqual(["pole", "height_m", "mains"]);
  });
});
