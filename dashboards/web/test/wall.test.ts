import { beforeEach, describe, expect, it, vi } from "vitest";
import { isDim, planOf, shiftAt, turnAt } from "../src/screens/wall/views";
import { session } from "../src/state/session";
import { rememberWallToken, staySignedIn } from "../src/state/wall-session";
import { signedIn } from "./samples";

const plan = (text: string) => planOf(new URLSearchParams(text), ["water", "roads"]);

describe("what a wall shows", () => {
  it("is the city, each department and the alerts, unless the address says otherwise", () => {
    expect(plan("").views.map((view) => ("id" in view ? view.id : view.kind))).toEqual(["city", "water", "roads", "alerts"]);
    expect(plan("views=zone:old:town,alerts,nonsense,department:&period=5")).toMatchObject({ views: [{ kind: "zone", id: "old:town" }, { kind: "alerts" }], periodS: 5 });
  });

  it("takes no nonsense for periods, pins and hours", () => {
    expect([plan("period=0").periodS, plan("period=x").periodS, plan("period=99999").periodS]).toEqual([1, 30, 3600]);
    expect([plan("view=2").pinned, plan("view=9").pinned, plan("view=x").pinned]).toEqual([1, null, null]);
    expect([plan("dim=22-6").dim, plan("dim=25-6").dim, plan("dim=6-6").dim]).toEqual([[22, 6], null, null]);
  });

  it("turns by the clock, so that walls beside each other turn together", () => {
    const four = plan("period=10");
    expect([0, 9_999, 10_000, 35_000, 40_000].map((ms) => turnAt(four, ms).index)).toEqual([0, 0, 1, 3, 0]);
    expect(turnAt(four, 43_000)).toEqual({ index: 0, round: 1, leftS: 7 });
    expect(turnAt(plan("view=3&period=10"), 40_000).index).toBe(2);
  });

  it("is dimmed over midnight", () => {
    expect([21, 22, 3, 5, 6].map((hour) => isDim([22, 6], hour))).toEqual([false, true, true, true, false]);
    expect(isDim(null, 3)).toBe(false);
  });

  it("moves a little every minute and comes back", () => {
    const places = Array.from({ length: 25 }, (_, minute) => shiftAt(minute * 60_000));
    expect(new Set(places.map(String)).size).toBeGreaterThan(15);
    expect(places[24]).toEqual(places[0]);
    for (const [x, y] of places) expect(Math.max(Math.abs(x), Math.abs(y))).toBeLessThanOrEqual(0.004);
  });
});

describe("the wall's session", () => {
  beforeEach(() => {
    sessionStorage.clear();
    session.value = { phase: "in", session: signedIn([]) };
  });

  it("keeps the token of a login link that leads to the wall, and of no other", () => {
    rememberWallToken("secret", "/");
    rememberWallToken("secret", "/wallpaper");
    expect(sessionStorage.length).toBe(0);
    rememberWallToken("t1", "/wall?period=10");
    expect(Object.values(sessionStorage)).toContain("t1");
  });

  it("signs in again when the session has ended", async () => {
    rememberWallToken("t1", "/wall");
    const calls: [string, string][] = [];
    vi.stubGlobal("fetch", async (_url: string, init: RequestInit) => {
      calls.push([init.method ?? "", String(init.body)]);
      return init.method === "POST" ? new Response(null, { status: 204 }) : new Response(JSON.stringify(signedIn([])));
    });
    const done = vi.fn();
    const stop = staySignedIn(done);
    session.value = { phase: "out", why: "expired", session: signedIn([]) };
    await vi.waitFor(() => expect(done).toHaveBeenCalledOnce());
    expect(calls[0]).toEqual(["POST", '{"token":"t1"}']);
    expect(session.value.phase).toBe("in");
    stop();
    vi.unstubAllGlobals();
  });
});
