import { beforeEach, describe, expect, it } from "vitest";
import { AlertBook, LINGER_MS, alertBook, alertVersion, byUrgency, matches, parseSeverities, zoneLoads, type AlertFilter } from "../src/state/alert-book";
import { holdOrder } from "../src/ui/held-order";
import { windowOfRows } from "../src/ui/window-of-rows";
import { recordedAt, windowAround } from "../src/screens/alert/deciding-chart";
import { alert } from "./samples";

const ALL: AlertFilter = { state: "firing", severities: new Set(), zone: null, acknowledged: null };
const ACK = { by: "wang", at: "2026-11-23T10:02:00Z", note: null };

describe("the alert book", () => {
  let book: AlertBook;
  beforeEach(() => {
    book = new AlertBook();
  });

  it("does not go back in time", () => {
    book.change(alert({ updated_at: "2026-11-23T10:05:00Z", acknowledged: ACK }), 0);
    expect(book.change(alert({ updated_at: "2026-11-23T10:01:00Z" }), 0).taken).toBe(false);
    expect(book.get("a1")?.acknowledged).toEqual(ACK);
  });

  it("forgets firing alerts that a fresh list no longer has", () => {
    book.loadFiring([alert(), alert({ id: "a2" })]);
    book.loadFiring([alert({ id: "a2" })]);
    expect(book.size).toBe(1);
  });

  it("lets a resolved alert linger, then go from the firing list", () => {
    book.loadFiring([alert()]);
    const resolved = alert({ state: "resolved", resolved_at: "2026-11-23T10:09:00Z", updated_at: "2026-11-23T10:09:00Z" });
    book.change(resolved, 1000);
    expect(matches(resolved, ALL, book.lingers("a1", 1000 + LINGER_MS - 1))).toBe(true);
    expect(matches(resolved, ALL, book.lingers("a1", 1000 + LINGER_MS))).toBe(false);
    expect(book.counts()).toEqual({ firing: 0, unacknowledged: 0, by_severity: { critical: 0, high: 0, medium: 0, low: 0 } });
  });

  it("counts what fires", () => {
    book.loadFiring([alert(), alert({ id: "a2", severity: "critical", acknowledged: ACK }), alert({ id: "a3", severity: "critical" })]);
    expect(book.counts()).toEqual({ firing: 3, unacknowledged: 2, by_severity: { critical: 2, high: 1, medium: 0, low: 0 } });
  });
});

describe("order and filters", () => {
  it("puts critical first, then unacknowledged, then new", () => {
    const rows = [
      alert({ id: "low", severity: "low" }),
      alert({ id: "old", fired_at: "2026-11-23T09:00:00Z" }),
      alert({ id: "acked", acknowledged: ACK, fired_at: "2026-11-23T11:00:00Z" }),
      alert({ id: "new", fired_at: "2026-11-23T10:30:00Z" }),
      alert({ id: "gone", severity: "critical", state: "resolved" }),
      alert({ id: "worst", severity: "critical" }),
    ];
    expect(rows.sort(byUrgency).map((row) => row.id)).toEqual(["worst", "new", "old", "acked", "low", "gone"]);
  });

  it("filters by severity, zone, state and acknowledgement", () => {
    expect(matches(alert(), { ...ALL, severities: new Set(["critical"]) }, false)).toBe(false);
    expect(matches(alert(), { ...ALL, zone: "riverdale" }, false)).toBe(true);
    expect(matches(alert(), { ...ALL, zone: "loop" }, false)).toBe(false);
    expect(matches(alert(), { ...ALL, acknowledged: true }, false)).toBe(false);
    expect(matches(alert({ acknowledged: ACK }), { ...ALL, acknowledged: true }, false)).toBe(true);
    expect(matches(alert({ state: "resolved" }), { ...ALL, state: "resolved" }, false)).toBe(true);
    expect(matches(alert(), { ...ALL, state: "resolved" }, false)).toBe(false);
  });

  it("reads severities from the address", () => {
    expect([...parseSeverities("high,bogus,critical")]).toEqual(["critical", "high"]);
    expect(parseSeverities(null).size).toBe(0);
  });

  it("ranks zones by their worst alert", () => {
    alertBook.loadFiring([alert({ id: "1", zones: ["a"], severity: "low" }), alert({ id: "2", zones: ["a"], severity: "low" }), alert({ id: "3", zones: ["b"], severity: "high" })]);
    alertVersion.value += 1;
    expect(zoneLoads.value).toEqual([{ zone: "b", firing: 1, worst: "high" }, { zone: "a", firing: 2, worst: "low" }]);
  });
});

describe("a held list", () => {
  const row = (id: string) => ({ id });
  const known = new Map(["a", "b", "c", "n"].map((id) => [id, row(id)]));

  it("keeps its order and counts what waits", () => {
    const held = holdOrder(["b", "a"], [row("n"), row("a"), row("b")], (id) => known.get(id));
    expect(held.rows.map((each) => each.id)).toEqual(["b", "a"]);
    expect(held.waiting).toBe(1);
  });

  it("is free when nobody holds it", () => {
    expect(holdOrder(null, [row("n"), row("a")], (id) => known.get(id))).toEqual({ rows: [row("n"), row("a")], waiting: 0 });
  });
});

describe("a long list", () => {
  it("draws what is near the viewport", () => {
    expect(windowOfRows(0, 540, 54, 10_000)).toEqual({ first: 0, end: 18 });
    expect(windowOfRows(54_000, 540, 54, 10_000)).toEqual({ first: 992, end: 1018 });
    expect(windowOfRows(1e9, 540, 54, 3)).toEqual({ first: 3, end: 3 });
    expect(windowOfRows(0, 540, 54, 0)).toEqual({ first: 0, end: 0 });
  });
});

describe("the window around an alert", () => {
  const start = Date.parse("2026-11-23T10:00:00Z");
  it("shows time before, and no future", () => {
    const now = start + 5 * 60_000;
    expect(windowAround(alert(), now)).toEqual({ from: start - 5 * 60_000, to: now });
  });
  it("shows a dozen readings of a slow device", () => {
    expect(windowAround(alert(), start, 600).from).toBe(start - 120 * 60_000);
  });
  it("stands around the deciding reading when the data are recorded", () => {
    const reading = Date.parse("2015-12-10T00:00:00Z");
    const recorded = alert({ reading_time: "2015-12-10T00:00:00Z", resolved_at: "2026-11-23T10:00:04Z" });
    expect(recordedAt(recorded)).toBe(reading);
    const { from, to } = windowAround(recorded, start + 60_000, 3600);
    expect([from, to]).toEqual([reading - 48 * 3_600_000, reading + 48 * 3_600_000]);
  });
  it("does not take a condition that stands for long for recorded data", () => {
    expect(recordedAt(alert({ updated_at: "2026-11-23T14:00:00Z" }))).toBeNull();
    expect(recordedAt(alert({ reading_time: null }))).toBeNull();
  });
  it("grows with a long alert", () => {
    const { from, to } = windowAround(alert({ resolved_at: "2026-11-23T13:00:00Z" }), start + 1e9);
    expect([start - from, to - start]).toEqual([3_600_000, 4 * 3_600_000]);
  });
});
