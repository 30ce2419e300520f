import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { meanOf, parseSamples, total, type Loss } from "../src/api/platform";
import type { System } from "../src/api/types";
import { cityZone } from "../src/format/time";
import { setLanguage } from "../src/i18n";
import { routeOf, setQuery } from "../src/router";
import { HelpScreen } from "../src/screens/help";
import { besides, dayOf } from "../src/screens/reports/day";
import { completeness, figuresOf, quantile, worstDevices } from "../src/screens/reports/figures";
import { checksOf, bytes, type Findings } from "../src/screens/system/checks";
import { enHelp } from "../src/i18n/en-help";
import { zhHelp } from "../src/i18n/zh-help";
import { alert } from "./samples";

const T = Date.parse("2026-11-23T12:00:00Z");

beforeEach(() => {
  setLanguage("en");
  cityZone.value = "America/Chicago";
});

describe("the program's own figures", () => {
  const samples = parseSamples('# HELP x\ncitybrain_a 3\ncitybrain_b{kind="x\\"y"} 1.5\ncitybrain_b{kind="z"} 2\ncitybrain_c_sum 6\ncitybrain_c_count 4\nbroken\n');

  it("are read with their labels, and summed over them", () => {
    expect(samples.get("citybrain_b")?.[0]?.labels).toEqual({ kind: 'x"y' });
    expect([total(samples, "a"), total(samples, "b"), total(samples, "none"), total(null, "a")]).toEqual([3, 3.5, null, null]);
    expect([meanOf(samples, "c"), meanOf(samples, "a")]).toEqual([1.5, null]);
  });
});

describe("the checks", () => {
  const system = { devices: 100, devices_online: 99, last_reading_at: "2026-11-23T11:59:58Z", readings_per_s: 12, rule_problems: [], commits_failing: null, alerts_failing: null, receivers: [] } as unknown as System;
  const loss: Loss = { balanced: true, items: [], total: { received: 0, stored: 0, duplicate: 0, dead_lettered: 0, missed: 0, in_flight: 0 } };
  const good: Findings = { system, samples: parseSamples("citybrain_pipeline_oldest_open_seconds 0\ncitybrain_data_disk_free_bytes 50\ncitybrain_data_disk_size_bytes 100\n"), loss, clockOffMs: 20, streamLive: true, nowMs: T };
  const verdicts = (change: Partial<Findings>) => Object.fromEntries(checksOf({ ...good, ...change }).map((check) => [check.id, check.verdict]));

  it("are all good in a good city, and unknown where nothing is known", () => {
    expect(new Set(Object.values(verdicts({})))).toEqual(new Set(["good"]));
    expect(verdicts({ samples: null, loss: null })).toMatchObject({ disk: "unknown", backlog: "unknown", books: "unknown", store: "good" });
    expect(verdicts({ system: null })).toEqual({ store: "unknown" });
  });

  it("find each fault", () => {
    const broken = { ...system, commits_failing: "disk full", rule_problems: ["a\nb"], last_reading_at: "2026-11-23T11:00:00Z", devices_online: 10, receivers: [{ id: "x", error: "no" }], brokers: [{ name: "b", ok: false, error: "gone" }] } as unknown as System;
    expect(verdicts({ system: broken, loss: { ...loss, balanced: false }, clockOffMs: -5_000, streamLive: false })).toMatchObject({ store: "bad", rules: "bad", flow: "bad", devices: "warn", receivers: "warn", brokers: "bad", books: "bad", clock: "warn", stream: "warn" });
  });

  it("stand with the worst first", () => {
    expect(checksOf({ ...good, streamLive: false, loss: { ...loss, balanced: false } }).slice(0, 2).map((check) => check.id)).toEqual(["books", "stream"]);
  });

  it("say sizes as disks are sold", () => {
    expect([bytes(999), bytes(49e9), bytes(1.2e6)]).toEqual(["999\u00a0B", "49\u00a0GB", "1.2\u00a0MB"]);
  });
});

describe("a day of a report", () => {
  it("is the city's, whatever its length", () => {
    expect(dayOf("2026-11-22", T)).toEqual({ date: "2026-11-22", from: Date.parse("2026-11-22T06:00:00Z"), to: Date.parse("2026-11-23T06:00:00Z"), running: false });
    // Clocks are put back on 1 November: 25 hours.
    const long = dayOf("2026-11-01", T);
    expect(((long?.to ?? 0) - (long?.from ?? 0)) / 3_600_000).toBe(25);
    expect(dayOf(null, T)).toMatchObject({ date: "2026-11-23", to: T, running: true });
  });

  it("is none if it has not begun or is no day", () => {
    expect([dayOf("2026-11-24", T), dayOf("yesterday", T), dayOf("2026-02-31", T)]).toEqual([null, null, null]);
    expect(besides("2026-03-01", -1)).toBe("2026-02-28");
  });
});

describe("the figures of a report", () => {
  const alerts = [
    alert({ id: "1", fired_at: "2026-11-23T06:10:00Z", acknowledged: { by: "a", at: "2026-11-23T06:11:00Z", note: null }, resolved_at: "2026-11-23T06:20:00Z" }),
    alert({ id: "2", fired_at: "2026-11-23T07:10:00Z", acknowledged: { by: "a", at: "2026-11-23T07:20:00Z", note: null } }),
    alert({ id: "3", fired_at: "2026-11-23T07:30:00Z", severity: "low", subject: { type: "zone", zone: "riverdale" }, device_name: null }),
  ];

  it("count alerts and how fast they were answered", () => {
    const figures = figuresOf(alerts, Date.parse("2026-11-23T06:00:00Z"), Date.parse("2026-11-23T09:00:00Z"));
    expect(figures.severities.find((line) => line.severity === "high")).toEqual({ severity: "high", alerts: 2, answered: 2, medianS: 60, p90S: 600, lastedS: 600 });
    expect(figures.severities.find((line) => line.severity === "low")).toMatchObject({ answered: 0, medianS: null });
    expect(figures.hours).toEqual([1, 2, 0]);
    expect(figures.devices.map((line) => [line.id, line.alerts])).toEqual([["gauge-1", 2]]);
    expect(figures.zones[0]).toMatchObject({ id: "riverdale", alerts: 3, bySeverity: { high: 2, low: 1 } });
  });

  it("take the nearest rank", () => {
    expect([quantile([], 0.5), quantile([1], 0.9), quantile([1, 2, 3, 4], 0.5)]).toEqual([null, 1, 2]);
  });

  it("find who loses most, and how much is there", () => {
    const line = (id: string, missed: number, dead_lettered = 0) => ({ id, received: 10, stored: 10 - dead_lettered, duplicate: 0, dead_lettered, missed });
    expect(worstDevices([line("a", 1), line("b", 0), line("c", 2, 3), line("d", -4)], 5).map((item) => item.id)).toEqual(["c", "a"]);
    expect(completeness(line("a", 10))).toBe(0.5);
    expect(completeness({ stored: 0, duplicate: 0, dead_lettered: 0, missed: 0 })).toBeNull();
  });
});

describe("the help page", () => {
  let root: HTMLElement;
  beforeEach(() => {
    root = document.createElement("div");
    document.body.append(root);
  });
  afterEach(() => {
    render(null, root);
    root.remove();
    setQuery({ q: null });
    vi.unstubAllGlobals();
  });

  it("explains words in both languages, and finds them", async () => {
    await act(() => render(<HelpScreen />, root));
    expect(root.textContent).toContain("Dead letter");
    await act(() => setQuery({ q: "skipped" }));
    expect(root.querySelectorAll(".guide-terms dt")).toHaveLength(1);
    expect(root.textContent).toContain("Missed");
    await act(() => setLanguage("zh"));
    await act(() => setQuery({ q: "网关" }));
    expect(root.textContent).toContain("网关中断时以一条告警代表全部设备");
  });
});

it("has an address for each of these screens", () => {
  expect(["/wall", "/system", "/reports", "/help"].map((path) => routeOf(path).screen)).toEqual(["wall", "system", "reports", "help"]);
});

it("has the help's texts in both languages", () => {
  expect(Object.keys(zhHelp)).toEqual(Object.keys(enHelp));
  expect(Object.entries(zhHelp).filter(([, text]) => !/\p{Script=Han}|、/u.test(text))).toEqual([]);
});
