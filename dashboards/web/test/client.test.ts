import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiError, Unreachable, api, buildUrl, observeCalls } from "../src/api/client";

const observed: string[] = [];
observeCalls({
  unauthenticated: () => observed.push("unauthenticated"),
  reached: () => observed.push("reached"),
  unreachable: () => observed.push("unreachable"),
});

function answer(status: number, body: unknown) {
  const fetched = vi.fn(async (_url: string, _init: RequestInit) => new Response(body === null ? null : JSON.stringify(body), { status }));
  vi.stubGlobal("fetch", fetched);
  return fetched;
}

afterEach(() => {
  vi.unstubAllGlobals();
  observed.length = 0;
});

describe("calls", () => {
  it("leave out what is not asked", () => {
    expect(buildUrl("/devices", { q: "", zone: null, kind: undefined, limit: 10, a: false })).toBe("/api/v1/devices?limit=10&a=false");
  });

  it("escape ids", async () => {
    const fetched = answer(200, {});
    await api.device("a/b c");
    expect(fetched.mock.calls[0]?.[0]).toBe("/api/v1/devices/a%2Fb%20c");
  });

  it("carry the custom header when they change something", async () => {
    const fetched = answer(200, {});
    await api.acknowledge("a1", "seen");
    const init = fetched.mock.calls[0]?.[1];
    expect(init).toMatchObject({ method: "POST", body: '{"note":"seen"}', headers: { "X-Citybrain-Csrf": "1" } });
    await api.device("x");
    expect(fetched.mock.calls[1]?.[1].headers).not.toHaveProperty("X-Citybrain-Csrf");
  });

  it("turn problem documents into errors with their code", async () => {
    answer(409, { title: "Conflict", status: 409, code: "already_acknowledged", detail: "by wang" });
    const error: unknown = await api.acknowledge("a1", null).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ApiError);
    expect((error as ApiError).code).toBe("already_acknowledged");
    expect((error as ApiError).message).toBe("by wang");
  });

  it("tell a lost session from a bad token", async () => {
    answer(401, { title: "Unauthorized", status: 401, code: "unauthenticated" });
    await api.system().catch(() => undefined);
    expect(observed).toEqual(["reached", "unauthenticated"]);
    observed.length = 0;
    answer(401, { title: "Unauthorized", status: 401, code: "bad_token" });
    await api.logIn({ token: "x" }).catch(() => undefined);
    expect(observed).toEqual(["reached"]);
  });

  it("tell a server that cannot be reached from one that refuses", async () => {
    vi.stubGlobal("fetch", async () => Promise.reject(new TypeError("failed to fetch")));
    await expect(api.system()).rejects.toBeInstanceOf(Unreachable);
    expect(observed).toEqual(["unreachable"]);
  });

  it("survive a proxy's answer that is no problem document", async () => {
    vi.stubGlobal("fetch", async () => new Response("<html>", { status: 429, statusText: "Too Many Requests" }));
    await expect(api.system()).rejects.toMatchObject({ status: 429, code: "unknown" });
  });

  it("know a proxy that does not reach the server from a server that explains itself", async () => {
    vi.stubGlobal("fetch", async () => new Response("<html>", { status: 502 }));
    await expect(api.system()).rejects.toBeInstanceOf(Unreachable);
    const explained = { headers: { "Content-Type": "application/problem+json" }, status: 503 };
    vi.stubGlobal("fetch", async () => new Response(JSON.stringify({ status: 503, code: "store_full", title: "full" }), explained));
    await expect(api.system()).rejects.toMatchObject({ code: "store_full" });
  });
});
