import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { LastValue, Receiver, Role, System } from "../src/api/types";
import { setLanguage } from "../src/i18n";
import { handleKey, useKeys } from "../src/keys";
import { Legend } from "../src/map/legend";
import { ReplayFrame } from "../src/map/replay-bar";
import { setQuery } from "../src/router";
import { AlertRow } from "../src/screens/overview/alert-row";
import { MapCard } from "../src/screens/overview/map-card";
import { LastValues } from "../src/screens/device/last-values";
import { ReceiversScreen } from "../src/screens/receivers";
import { alertBook } from "../src/state/alert-book";
import { metrics, system } from "../src/state/city";
import { now } from "../src/state/clock";
import { session } from "../src/state/session";
import { useRowKeys } from "../src/ui/rows";
import { ReceiverBanner } from "../src/ui/shell";
import { alert, signedIn } from "./samples";

let root: HTMLElement;
beforeEach(() => {
  setLanguage("en");
  root = document.createElement("div");
  document.body.append(root);
});
afterEach(() => {
  render(null, root);
  root.remove();
  vi.unstubAllGlobals();
});

const show = (what: preact.ComponentChild) => act(() => render(what, root));
const press = (key: string, target: EventTarget = document.body) =>
  act(() => {
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
    Object.defineProperty(event, "target", { value: target });
    handleKey(event);
  });

describe("an alert's row", () => {
  it("says what, how bad and where in words, not by colour alone", async () => {
    await show(<AlertRow alert={alert()} top={0} selected={false} onSelect={() => undefined} />);
    expect(root.textContent).toContain("Water level above 2.4 m");
    expect(root.textContent).toContain("High");
    expect(root.textContent).toContain("Riverdale");
    await act(() => setLanguage("zh"));
    expect(root.textContent).toContain("水位超过 2.4 米");
    expect(root.textContent).toContain("重要");
  });

  it("acknowledges in place", async () => {
    session.value = { phase: "in", session: signedIn([{ department: "water", role: "operator" }]) };
    const acked = alert({ acknowledged: { by: "wang", at: "2026-11-23T10:02:00Z", note: null }, updated_at: "2026-11-23T10:02:00Z" });
    const fetched = vi.fn(async (_url: string) => new Response(JSON.stringify(acked)));
    vi.stubGlobal("fetch", fetched);
    await show(<AlertRow alert={alert()} top={0} selected={false} onSelect={() => undefined} />);
    await act(async () => root.querySelector("button")?.click());
    expect(fetched.mock.calls[0]?.[0]).toBe("/api/v1/alerts/a1/acknowledge");
    await vi.waitFor(() => expect(alertBook.get("a1")?.acknowledged?.by).toBe("wang"));
    await show(<AlertRow alert={acked} top={0} selected={false} onSelect={() => undefined} />);
    expect(root.querySelector("button")).toBeNull();
    expect(root.textContent).toContain("wang");
  });
});

const receiver = (change: Partial<Receiver> = {}): Receiver => ({
  id: "duty-desk", type: "webhook", inside: false, ok: true, error: null, failing_since: null, next_try_at: null, last_failure: null, last_delivery: null, waiting: 0, oldest_waiting_at: null, given_up: 0, last_given_up: null,
  route: { severity: "high", departments: [], zones: [], rules: [], labels: {}, device_kinds: [], resolved: true }, unknown_rules: [], ...change,
});

describe("receivers", () => {
  const signIn = (role: Role) => {
    session.value = { phase: "in", session: signedIn([{ department: "*", role }]) };
  };
  const answer = (items: Receiver[]) => {
    const fetched = vi.fn(async (url: string) => new Response(JSON.stringify(url.endsWith("/test") ? { taken: false, took_ms: 3, error: "refused", hint: "mend it" } : { items })));
    vi.stubGlobal("fetch", fetched);
    return fetched;
  };

  it("say in words whether they work, since when not, and what waits", async () => {
    signIn("operator");
    // By the page's own clock, which stands still in tests.
    const since = new Date(now.peek() - 600_000).toISOString();
    answer([receiver({ id: "good" }), receiver({ ok: false, error: "cannot reach it", failing_since: since, waiting: 14, oldest_waiting_at: since, unknown_rules: ["typo"] })]);
    await show(<ReceiversScreen />);
    await vi.waitFor(() => expect(root.querySelectorAll("tbody tr")).toHaveLength(2));
    const [good, bad] = [...root.querySelectorAll("tbody tr")].map((row) => row.textContent ?? "");
    expect(good).toContain("Works");
    expect(bad).toContain("Not reached for 10 min");
    expect(bad).toContain("cannot reach it");
    expect(bad).toContain("14");
    expect(bad).toContain("No such rule: typo");
    expect(root.querySelector("table button"), "operators try nothing").toBeNull();
    await act(() => setLanguage("zh"));
    expect(root.textContent).toContain("无法送达，已持续 10 分钟");
  });

  it("are tried by engineers, and say what came of it", async () => {
    signIn("engineer");
    const fetched = answer([receiver(), receiver({ id: "brain", inside: true })]);
    await show(<ReceiversScreen />);
    await vi.waitFor(() => expect(root.querySelectorAll("table button")).toHaveLength(1));
    await act(async () => root.querySelector<HTMLButtonElement>("table button")?.click());
    await vi.waitFor(() => expect(root.querySelector(".trial")?.textContent).toContain("refused"));
    expect(fetched.mock.calls.map(([url]) => url)).toContain("/api/v1/receivers/duty-desk/test");
    expect(root.querySelector(".trial")?.textContent).toContain("mend it");
  });

  it("that have been away for minutes are told of everywhere", async () => {
    signIn("viewer");
    const state = (id: string, minutes: number) => ({ id, waiting: 3, last_delivery: null, error: "x", failing_since: new Date(Date.now() - minutes * 60_000).toISOString() });
    system.value = { city: { time_zone: "UTC" }, receivers: [state("brief", 1)] } as unknown as System;
    await show(<ReceiverBanner />);
    expect(root.textContent).toBe("");
    await act(() => {
      system.value = { city: { time_zone: "UTC" }, receivers: [state("brief", 1), state("desk", 9)] } as unknown as System;
    });
    expect(root.textContent).toContain("Alerts have not reached desk since");
    expect(root.querySelector("a"), "viewers cannot look closer").toBeNull();
    system.value = null;
  });
});

describe("last values", () => {
  const value = (change: Partial<LastValue>): LastValue => ({
    device: "d", metric: "pm25", value: 35.2, quality: "pass", time: new Date().toISOString(), received: "", age_s: 1, max_age_s: 180, stale: false, position: null, simulated: false, marks: [], ...change,
  });

  it("show unit, quality and what is special", async () => {
    metrics.value = [{ id: "pm25", name: { en: "PM2.5", zh: "PM2.5" }, unit: "ug/m3", symbol: "µg/m³", range: null, decimals: 0, unmapped: false }];
    await show(<LastValues values={[value({ quality: "suspect", marks: ["retained"] })]} />);
    expect(root.textContent).toContain("35\u00a0µg/m³");
    expect(root.textContent).toContain("Suspect");
    expect(root.textContent).toContain("retained");
    expect(root.querySelector(".stale")).toBeNull();
  });

  it("mark as stale what has grown old since it was fetched", async () => {
    await show(<LastValues values={[value({ time: new Date(Date.now() - 3_600_000).toISOString() })]} />);
    expect(root.querySelector(".stale")?.textContent).toContain("Stale");
  });
});

describe("the card of a device on the map", () => {
  it("says in both languages which values are doubted, and shows no placeholder as a value", async () => {
    const base = { device: "d1", time: new Date().toISOString(), received: "", age_s: 1, max_age_s: 180, stale: false, position: null, simulated: false, marks: [] };
    const items = [
      { ...base, metric: "pm25", value: 300, quality: "suspect" },
      { ...base, metric: "pm10", value: -9999, quality: "missing" },
      { ...base, metric: "no2", value: 40, quality: "pass" },
    ];
    vi.stubGlobal("fetch", vi.fn(async (url: string) => new Response(JSON.stringify(url.includes("last-values") ? { items, next_cursor: null } : { id: "d1", name: { en: "D1", zh: "D1" }, kind: "air_station" }))));
    setQuery({ device: "d1" });
    await show(<MapCard />);
    await vi.waitFor(() => expect(root.querySelectorAll("tr")).toHaveLength(3));
    const rows = [...root.querySelectorAll("tr")].map((row) => row.textContent ?? "");
    expect(rows[0]).toContain("Suspect");
    expect(rows[1]).toContain("No value");
    expect(rows[1]).not.toContain("9999");
    expect(rows[2]).not.toContain("Good");
    await act(() => setLanguage("zh"));
    expect(root.textContent).toContain("可疑");
    setQuery({ device: null });
  });
});

describe("the map of the past", () => {
  it("says in both languages that nobody is shown as silent, and has no shape for it in its legend", async () => {
    await show(<><ReplayFrame /><Legend past /></>);
    expect(root.querySelector(".replay-badge")?.textContent).toContain("silent devices not marked");
    expect(root.querySelector(".legend")?.textContent).not.toContain("Offline");
    expect(root.querySelector(".legend")?.textContent, "moving ones are late where they were last heard").toContain("Late");
    await act(() => setLanguage("zh"));
    expect(root.querySelector(".replay-badge")?.textContent).toContain("不显示当时的静默");
    await show(<Legend />);
    expect(root.querySelector(".legend")?.textContent).toContain("离线");
  });
});

describe("keys", () => {
  function List({ open }: { open(id: string): void }) {
    const { selected } = useRowKeys(["a", "b", "c"], open);
    return <p>{selected ?? "none"}</p>;
  }

  it("move through rows and open them", async () => {
    const open = vi.fn();
    await show(<List open={open} />);
    await press("j");
    await press("j");
    expect(root.textContent).toBe("b");
    await press("Enter");
    expect(open).toHaveBeenCalledWith("b");
    await press("k");
    expect(root.textContent).toBe("a");
    await press("Escape");
    expect(root.textContent).toBe("none");
  });

  it("are silent while somebody types, and know sequences", async () => {
    const went = vi.fn();
    function Keys() {
      useKeys({ "g d": () => void went("devices"), d: () => void went("d") });
      return <input />;
    }
    await show(<Keys />);
    await press("d", root.querySelector("input") as HTMLElement);
    expect(went).not.toHaveBeenCalled();
    await press("g");
    await press("d");
    expect(went).toHaveBeenCalledExactlyOnceWith("devices");
    await press("d");
    expect(went).toHaveBeenLastCalledWith("d");
  });
});
