import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Grant } from "../src/api/types";
import { setLanguage } from "../src/i18n";
import { departments } from "../src/state/city";
import { whyNot, whyNoAlertChange } from "../src/state/rights";
import { departmentsWith, isAtLeast, logIn, may, refusal, session, sessionLost, whoIs } from "../src/state/session";
import { alert, signedIn } from "./samples";

const be = (...grants: Grant[]) => {
  session.value = { phase: "in", session: signedIn(grants) };
};

beforeEach(() => {
  setLanguage("en");
  departments.value = [{ id: "water", name: { en: "Water", zh: "水务" }, devices: 0 }];
});
afterEach(() => {
  vi.unstubAllGlobals();
  session.value = { phase: "unknown" };
  departments.value = [];
});

describe("rights", () => {
  it("hold in their department, and with * everywhere", () => {
    be({ department: "water", role: "engineer" }, { department: "roads", role: "viewer" });
    expect([may("operator", "water"), may("engineer", "water"), may("admin", "water")]).toEqual([true, true, false]);
    expect([may("viewer", "roads"), may("operator", "roads"), may("viewer", "parks")]).toEqual([true, false, false]);
    expect(may("viewer", null), "what is the whole city's").toBe(false);
    be({ department: "*", role: "operator" });
    expect([may("operator", "parks"), may("operator", null), may("engineer", null)]).toEqual([true, true, false]);
  });

  it("add up to the highest where the whole city and a department both give some", () => {
    be({ department: "*", role: "viewer" }, { department: "water", role: "admin" });
    expect([may("admin", "water"), may("viewer", "roads"), may("operator", "roads")]).toEqual([true, true, false]);
    expect(isAtLeast("admin")).toBe(true);
    expect(departmentsWith("admin")).toEqual(["water"]);
    expect(departmentsWith("viewer")).toBeNull();
  });

  it("of nobody are none", () => {
    session.value = { phase: "out", why: "none" };
    expect([may("viewer", "water"), isAtLeast("viewer")]).toEqual([false, false]);
  });

  it("that are missing are named, in both languages", () => {
    be({ department: "roads", role: "operator" });
    expect(whyNot("operator", "roads")).toBeNull();
    expect(whyNot("operator", "water")).toBe("Needs the role Operator in Water. You have: roads · Operator.");
    expect(whyNot("engineer", null)).toContain("Whole city");
    setLanguage("zh");
    expect(whyNot("operator", "water")).toContain("水务");
  });

  it("on an alert are those of who has it", () => {
    be({ department: "roads", role: "operator" });
    expect(whyNoAlertChange(alert())).toContain("Water");
    expect(whyNoAlertChange(alert({ handling: { ...alert().handling, department: "roads", holder: null } })), "they were asked to take it").toBeNull();
    expect(whyNoAlertChange(alert({ handling: { ...alert().handling, department: null, holder: "roads" } })), "they have it").toBeNull();
    be({ department: "water", role: "operator" });
    expect(whyNoAlertChange(alert({ handling: { ...alert().handling, department: null, holder: "roads" } })), "the rule's department gave it away").toContain("roads");
  });
});

describe("a session that ends", () => {
  it("leaves who it was, so that what is open can stay", () => {
    be({ department: "water", role: "admin" });
    sessionLost();
    expect(session.value).toMatchObject({ phase: "out", why: "expired" });
    expect(whoIs.value?.user).toBe("u");
    expect(may("admin", "water"), "forms do not vanish under the login").toBe(true);
    session.value = { phase: "out", why: "none" };
    expect(whoIs.value).toBeNull();
  });

  it("is still ended after a wrong password, and says why", async () => {
    be({ department: "water", role: "admin" });
    sessionLost();
    vi.stubGlobal("fetch", async () => new Response(JSON.stringify({ status: 429, title: "Too many", code: "too_many_attempts" }), { status: 429, headers: { "Retry-After": "42" } }));
    expect(await logIn({ user: "u", password: "wrong" })).toBe(false);
    expect(refusal.value).toMatchObject({ code: "too_many_attempts", retry_after_s: 42 });
    expect(session.value).toMatchObject({ phase: "out", why: "expired" });
    vi.stubGlobal("fetch", async () => Promise.reject(new TypeError("no network")));
    expect(await logIn({ user: "u", password: "right" })).toBe(false);
    expect(refusal.value).toBe("unreachable");
    expect(session.value).toMatchObject({ phase: "out", why: "expired" });
  });
});
