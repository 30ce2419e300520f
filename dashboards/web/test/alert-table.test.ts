import { beforeEach, describe, expect, it } from "vitest";
import type { AlertItem } from "../src/api/types";
import { go, query } from "../src/router";
import { askOf, clearTableFilter, compareBy, filterOf, fits, isNarrowed } from "../src/screens/alerts/filter";
import { RowsModel, idsBetween } from "../src/screens/alerts/rows-model";
import { alert } from "./samples";

const NOW = Date.parse("2026-11-23T12:00:00Z");
const filter = (search: string) => filterOf(new URLSearchParams(search));

describe("the table's filter", () => {
  it("asks the server for exactly what the address says", () => {
    const asked = askOf(filter("severity=high,critical&department=water&zone=old,town&who=me&held=neither&last=8&q=pump&sort=oldest"), "li", NOW);
    expect(asked).toMatchObject({ state: "firing", severity: "critical,high", department: "water", zone: "old\\,town", who: "li", shelved: false, silenced: false, from: "2026-11-23T04:00:00.000Z", to: null, q: "pump", sort: "oldest" });
    expect(askOf(filter(""), "li", NOW)).toMatchObject({ state: "firing", sort: "urgency", shelved: null, from: null });
  });

  it("reads what nobody can mean as nothing", () => {
    const read = filter("state=x&held=x&sort=x&last=-3&from=yesterday&severity=x");
    expect(isNarrowed(read)).toBe(false);
    expect(read.state).toBe("firing");
  });

  it("judges a change as the server judges the list", () => {
    const one = (search: string, change: Partial<AlertItem> = {}) => fits(alert(change), filter(search), "li", NOW);
    expect(one("")).toBe(true);
    expect(one("", { state: "resolved" })).toBe(false);
    expect(one("state=all", { state: "resolved" })).toBe(true);
    expect(one("severity=critical")).toBe(false);
    expect(one("department=roads")).toBe(false);
    expect(one("zone=riverdale")).toBe(true);
    expect(one("zone=austin", { zones: [], subject: { type: "zone", zone: "austin" } })).toBe(true);
    expect(one("kind=water_gauge&rule=water_rising&device=gauge-1")).toBe(true);
    expect(one("device=gauge-2")).toBe(false);
    expect(one("who=me", { handling: { ...alert().handling, stage: "accepted", who: "li" } })).toBe(true);
    expect(one("who=me")).toBe(false);
    expect(one("held=shelved")).toBe(false);
    expect(one("held=silenced", { silenced_by: ["s"] })).toBe(true);
    expect(one("held=neither", { silenced_by: ["s"] })).toBe(false);
    expect(one("acknowledged=true")).toBe(false);
    expect(one("q=WATER LEVEL")).toBe(true);
    expect(one("q=水位")).toBe(true);
    expect(one("q=nothing")).toBe(false);
    expect(one("last=1")).toBe(false);
    expect(one("last=8")).toBe(true);
    expect(one("from=2026-11-23T10:01:00Z&to=2026-11-23T10:01:01Z")).toBe(true);
    expect(one("to=2026-11-23T10:01:00Z")).toBe(false);
  });

  it("is cleared without losing the order", () => {
    go("/alerts?q=x&severity=high&sort=newest&from=2026-11-23T10:01:00Z");
    clearTableFilter();
    expect(query.value.toString()).toBe("sort=newest");
  });
});

describe("orders", () => {
  const low = alert({ id: "low", severity: "low" });
  const acked = alert({ id: "acked", severity: "critical", acknowledged: { by: "li", at: "", note: null } });
  const over = alert({ id: "over", severity: "critical", state: "resolved" });
  const late = alert({ id: "late", severity: "low", fired_at: "2026-11-23T10:05:00Z", updated_at: "2026-11-23T10:05:00Z" });
  const sorted = (sort: Parameters<typeof compareBy>[0]) => [over, low, acked, late].sort(compareBy(sort)).map(({ id }) => id);

  it("are those of the server", () => {
    expect(sorted("urgency")).toEqual(["late", "low", "acked", "over"]);
    expect(sorted("newest")).toEqual(["late", "over", "low", "acked"]);
    expect(sorted("oldest")).toEqual(["acked", "low", "over", "late"]);
    expect(sorted("updated")[0]).toBe("late");
  });
});

describe("the rows of the table", () => {
  let model: RowsModel;
  const at = (id: string, minute: number, change: Partial<AlertItem> = {}) => alert({ id, fired_at: `2026-11-23T10:${String(minute).padStart(2, "0")}:00Z`, updated_at: `2026-11-23T11:${String(minute).padStart(2, "0")}:00Z`, ...change });
  const ids = () => model.rows.map(({ id }) => id);
  beforeEach(() => {
    model = new RowsModel({ fits: (each) => each.state === "firing", compare: compareBy("newest") });
    model.addPage([at("c", 30), at("b", 20)], true);
  });

  it("take what comes twice over a page's edge once, and the newer of it", () => {
    model.addPage([at("b", 20, { severity: "critical", updated_at: "2026-11-23T11:59:00Z" }), at("a", 10)], false);
    expect(ids()).toEqual(["c", "b", "a"]);
    expect(model.get("b")?.severity).toBe("critical");
    model.addPage([at("b", 20, { severity: "low" })], false);
    expect(model.get("b")?.severity, "an older page changes nothing back").toBe("critical");
  });

  it("let what is new wait while somebody holds the list", () => {
    expect(model.take(at("d", 40), true)).toBe(true);
    expect(ids()).toEqual(["c", "b"]);
    expect(model.waitingCount).toBe(1);
    expect(model.release()).toBe(true);
    expect(ids()).toEqual(["d", "c", "b"]);
    expect(model.indexOf("b")).toBe(2);
  });

  it("come in at once when nobody does", () => {
    model.take(at("d", 40), false);
    expect(ids()).toEqual(["d", "c", "b"]);
  });

  it("do not take before its time what a later page brings", () => {
    expect(model.take(at("a", 10), false)).toBe(false);
    model.addPage([], false);
    model.take(at("a", 10), false);
    expect(ids()).toEqual(["c", "b", "a"]);
  });

  it("keep in place what does not fit any more, until they move", () => {
    const ended = at("c", 30, { state: "resolved" });
    model.take(ended, true);
    expect(ids()).toEqual(["c", "b"]);
    expect(model.isOut(ended)).toBe(true);
    model.release(({ id }) => id === "c");
    expect(ids(), "what has just ended stays for a while").toEqual(["c", "b"]);
    model.release();
    expect(ids()).toEqual(["b"]);
    expect(model.release(), "nothing is left to move").toBe(false);
  });

  it("forget what waited and is over", () => {
    model.take(at("d", 40), true);
    model.take(at("d", 40, { state: "resolved" }), true);
    expect(model.waitingCount).toBe(0);
  });

  it("are picked from one to another, whichever comes first", () => {
    expect(idsBetween(model.rows, 0, 1)).toEqual(["c", "b"]);
    expect(idsBetween(model.rows, 1, 0)).toEqual(["c", "b"]);
    expect(idsBetween(model.rows, -1, 1)).toEqual(["b"]);
    expect(idsBetween(model.rows, -1, 9)).toEqual([]);
  });
});
