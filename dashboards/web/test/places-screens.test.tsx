import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Device, Readings } from "../src/api/types";
import { setLanguage } from "../src/i18n";
import { setQuery } from "../src/router";
import { Commands } from "../src/screens/device/commands";
import { History } from "../src/screens/device/history";
import { Messages } from "../src/screens/device/messages";
import { DevicesScreen } from "../src/screens/devices";
import { departments, kinds, metrics } from "../src/state/city";
import { session } from "../src/state/session";
import { signedIn } from "./samples";

let root: HTMLElement;
beforeEach(() => {
  setLanguage("en");
  root = document.createElement("div");
  document.body.append(root);
  departments.value = [{ id: "water", name: { en: "Water", zh: "水务" }, devices: 1 }];
  kinds.value = [{ id: "gauge", name: { en: "Gauge", zh: "水位计" }, devices: 1 }];
  metrics.value = [{ id: "water_level", name: { en: "Water level", zh: "水位" }, unit: "m", symbol: "m", range: null, decimals: 2, unmapped: false }];
});
afterEach(() => {
  render(null, root);
  root.remove();
  vi.unstubAllGlobals();
  setQuery({ kind: null, sort: null, view: null, doubted: null, metric: null, until: null, letter: null });
});

const show = (what: preact.ComponentChild) => act(() => render(what, root));
const device: Device = {
  id: "g1", name: { en: "Gauge 1", zh: "水位计 1" }, kind: "gauge", department: "water", position: null, moving: false, declared: null, zones: [], interval_s: 60, gateway: null, life_cycle: "active",
  simulated: false, attributes: {}, status: "online", last_seen_at: null, newest_reading_at: null, severity: null, counters: { received: 10, stored: 6, duplicate: 1, dead_lettered: 2 },
};
const problem = (status: number, code: string) => new Response(JSON.stringify({ title: "No", status, code, detail: "because" }), { status, headers: { "Content-Type": "application/problem+json" } });
/** Answers by path, in the order in which they are listed. */
const serve = (answers: Readonly<Record<string, () => Response>>) => {
  const fetched = vi.fn(async (url: string) => (Object.entries(answers).find(([path]) => url.startsWith(`/api/v1${path}`))?.[1] ?? (() => problem(404, "not_found")))());
  vi.stubGlobal("fetch", fetched);
  return fetched;
};
const json = (body: unknown) => () => new Response(JSON.stringify(body));

describe("the list of devices", () => {
  it("asks for what the address says, and gives the same as files", async () => {
    setQuery({ kind: "gauge", sort: "-last_seen_at" });
    const fetched = serve({ "/devices": json({ items: [device], next_cursor: null, total: 1 }) });
    await show(<DevicesScreen />);
    await vi.waitFor(() => expect(root.querySelector("[data-row]")?.getAttribute("data-row")).toBe("g1"));
    const asked = new URL(fetched.mock.calls[0]?.[0] ?? "", "http://x").searchParams;
    expect([asked.get("kind"), asked.get("sort"), asked.get("fields")?.includes("attributes")]).toEqual(["gauge", "-last_seen_at", false]);
    const files = [...root.querySelectorAll<HTMLAnchorElement>(".file-links a")].map((link) => new URL(link.href).searchParams);
    expect(files.map((file) => [file.get("format"), file.get("kind"), file.get("sort")])).toEqual([["csv", "gauge", "-last_seen_at"], ["geojson", "gauge", "-last_seen_at"]]);
    expect(root.querySelector("[aria-sort=descending]")?.textContent).toBe("Last heard");
  });

  it("says that nothing matches, that it may not be seen, or that the server is away", async () => {
    serve({ "/devices": json({ items: [], next_cursor: null, total: 0 }) });
    await show(<DevicesScreen />);
    await vi.waitFor(() => expect(root.textContent).toContain("No device matches."));
    await show(null);
    serve({ "/devices": () => problem(403, "forbidden") });
    await show(<DevicesScreen />);
    await vi.waitFor(() => expect(root.textContent).toContain("No permission"));
    await show(null);
    vi.stubGlobal("fetch", async () => Promise.reject(new TypeError("refused")));
    await show(<DevicesScreen />);
    await vi.waitFor(() => expect(root.textContent).toContain("The server cannot be reached"));
  });
});

describe("a device's messages", () => {
  const loss = { items: [{ id: "g1", received: 10, stored: 6, duplicate: 1, dead_lettered: 2, missed: 3, in_flight: 0 }], next_cursor: null };
  const letter = { id: "7", at: "2026-11-29T10:00:00Z", source: "json", topic: "city/g1", device: "g1", reason: "malformed", detail: "not JSON", hint: "send JSON", size: 3, payload_text: "abc", payload_base64: "YWJj", replayed_at: null };

  it("add up, and what never came stands apart", async () => {
    session.value = { phase: "in", session: signedIn([{ department: "*", role: "viewer" }]) };
    serve({ "/loss": json(loss), "/dead-letters/7": json(letter), "/dead-letters": json({ items: [letter], next_cursor: null }) });
    setQuery({ letter: "7" });
    await show(<Messages device={device} />);
    await vi.waitFor(() => expect(root.querySelector(".ledger-missed td")?.textContent).toBe("3"));
    expect([...root.querySelectorAll(".ledger tr td:nth-child(2)")].map((cell) => cell.textContent)).toEqual(["10", "6", "1", "2", "1", "3"]);
    await vi.waitFor(() => expect(root.querySelector("pre")?.textContent).toBe("abc"));
    expect(root.textContent).toContain("Needs the role Engineer in Whole city");
  });
});

describe("commands", () => {
  it("are offered with the reason to whoever may not send them, and say where they went", async () => {
    session.value = { phase: "in", session: signedIn([{ department: "water", role: "operator" }]) };
    await show(<Commands device={device} />);
    expect(root.querySelector(".why-not")?.textContent).toMatch(/Needs the role Engineer in Water/);
    expect(root.querySelector("button[type=submit]")?.getAttribute("aria-disabled")).toBe("true");
    session.value = { phase: "in", session: signedIn([{ department: "water", role: "engineer" }]) };
    const fetched = serve({ "/devices/g1/commands": json({ topic: "cmd/g1/set", delivery: "queued" }) });
    await show(<Commands device={device} />);
    await act(async () => void root.querySelector("form")?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true })));
    await vi.waitFor(() => expect(root.textContent).toContain("Waits for the device"));
    expect(fetched.mock.calls).toHaveLength(1);
  });
});

describe("a device's history", () => {
  it("is shown reading by reading, with those alone that are doubted if wanted", async () => {
    const now = Date.now();
    const raw = { time: [now - 60_000, now - 30_000, now - 1_000], value: [1.5, 99, 1.6], quality: [1, 4, 2] };
    const readings: Readings = { device: "g1", metric: "water_level", unit: "m", symbol: "m", from: "", to: "", step_s: null, raw, buckets: null, truncated: false };
    const fetched = serve({ "/readings": json(readings) });
    const last = { device: "g1", metric: "water_level", value: 1.6, quality: "pass" as const, time: new Date(now).toISOString(), received: "", age_s: 1, max_age_s: 60, stale: false, position: null, simulated: false, marks: [] };
    setQuery({ view: "table", doubted: "1" });
    await show(<History device={device} values={[last]} loading={false} />);
    await vi.waitFor(() => expect(root.querySelectorAll("[data-row]")).toHaveLength(1));
    expect(root.querySelector("[data-row]")?.textContent).toMatch(/99.00\sm.*Failed check/);
    expect(new URL(fetched.mock.calls[0]?.[0] ?? "", "http://x").searchParams.get("step")).toBe("raw");
    await act(() => setQuery({ doubted: null }));
    expect(root.querySelectorAll("[data-row]")).toHaveLength(3);
  });
});
