import { beforeEach, describe, expect, it, vi } from "vitest";
import { arrivalOf, arrive, takeArrival } from "../src/screens/entry/arrival";
import { textOf } from "../src/api/problem-text";
import { setLanguage } from "../src/i18n";
import { refusal, session } from "../src/state/session";

beforeEach(() => {
  setLanguage("en");
  refusal.value = null;
  session.value = { phase: "unknown" };
});

describe("coming from the identity provider", () => {
  it("knows it from other addresses", () => {
    const at = (pathname: string, search: string) => arrivalOf({ pathname, search });
    expect(at("/login", "?state=s&code=c&iss=https%3A%2F%2Fid")).toEqual({ state: "s", code: "c", issuer: "https://id" });
    expect(at("/login", "?error=access_denied&state=s")).toEqual({ state: "s", code: null, issuer: null });
    for (const [path, query] of [["/login", ""], ["/login", "?state=s"], ["/login", "?code=c"], ["/", "?state=s&code=c"], ["/alerts", "?state=firing"]] as const) {
      expect(at(path, query)).toBeNull();
    }
  });

  it("takes what it brings out of the address and sends it once", async () => {
    history.replaceState(null, "", "/login?state=s&code=c");
    const sent: unknown[] = [];
    vi.stubGlobal("fetch", async (url: string, options?: RequestInit) => {
      if (options?.method === "POST") sent.push([url, JSON.parse(String(options.body))]);
      return new Response(JSON.stringify({ status: 401, code: "bad_external_login", title: "x" }), { status: 401 });
    });
    const arrival = takeArrival();
    expect(location.search).toBe("");
    expect(takeArrival()).toBeNull();
    if (arrival === null) throw new Error("somebody came");
    await arrive(arrival);
    expect(sent).toEqual([["/api/v1/session", { state: "s", code: "c" }]]);
    expect(session.value).toEqual({ phase: "out", why: "none" });
    expect(refusal.value === null ? "" : textOf(refusal.value).what).toContain("did not begin in this browser");
    vi.unstubAllGlobals();
  });
});
