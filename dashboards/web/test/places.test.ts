import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fileUrl, lossOf } from "../src/api/places";
import type { Readings } from "../src/api/types";
import { setLanguage } from "../src/i18n";
import { hexOf, pretty } from "../src/screens/device/dead-letters";
import { attributeText, attributeValue, draftOf, entryOf, isBadDegree } from "../src/screens/device/entry-draft";
import { qualitiesOf } from "../src/screens/device/history";
import { inFlightOf, shareText } from "../src/screens/device/messages";
import { rowsOf } from "../src/screens/device/readings-table";
import { choices, sortOf } from "../src/screens/devices";
import { figuresOf, neighboursOf, signed } from "../src/screens/zone/comparison";
import { inZoneOrder, type ZoneRow } from "../src/screens/zones";
import { PagedList, type ListPage } from "../src/state/paged-list";

beforeEach(() => setLanguage("en"));
afterEach(() => void vi.unstubAllGlobals());

describe("a list in pages", () => {
  interface Item {
    id: string;
    turn: number;
  }
  let turn: number;
  const names = Array.from({ length: 25 }, (_, at) => `d${String(at).padStart(2, "0")}`);
  const server = (all: readonly string[]) =>
    vi.fn(async (cursor: string | null, limit: number): Promise<ListPage<Item>> => {
      const from = cursor === null ? 0 : all.findIndex((id) => id > cursor);
      const items = all.slice(from, from + limit).map((id) => ({ id, turn }));
      return { items, next_cursor: from + limit < all.length ? (items.at(-1)?.id ?? null) : null, total: all.length };
    });
  const settle = () => new Promise((done) => setTimeout(done, 0));
  beforeEach(() => {
    turn = 0;
  });

  it("loads no more than what is looked at", async () => {
    const load = server(names);
    const list = new PagedList<Item>(load, 10, () => undefined);
    list.want(5);
    await settle();
    expect([load.mock.calls.length, list.total, list.itemAt(9)?.id, list.itemAt(10)]).toEqual([1, 25, "d09", undefined]);
    list.want(25);
    await settle();
    expect([load.mock.calls.length, list.itemAt(24)?.id]).toEqual([3, "d24"]);
  });

  it("loads again what is in sight only", async () => {
    const load = server(names);
    const list = new PagedList<Item>(load, 10, () => undefined);
    list.want(25);
    await settle();
    turn = 1;
    await list.refresh(12, 15, false);
    expect([list.itemAt(0)?.turn, list.itemAt(12)?.turn, list.itemAt(24)?.turn]).toEqual([0, 1, 0]);
  });

  it("lets nothing move while it is held, and lets go of what follows when the order has changed", async () => {
    const all = [...names];
    const load = server(all);
    const list = new PagedList<Item>(load, 10, () => undefined);
    list.want(25);
    await settle();
    all.unshift("a-new-one");
    turn = 1;
    await list.refresh(0, 5, true);
    expect([list.itemAt(0)?.id, list.itemAt(0)?.turn]).toEqual(["d00", 1]);
    await list.refresh(0, 5, false);
    expect([list.itemAt(0)?.id, list.itemAt(10)?.id, list.itemAt(25)?.id, list.total]).toEqual(["a-new-one", "d09", "d24", 26]);
  });

  it("says why nothing comes, and tries again in time but not with every scroll", async () => {
    let broken = true;
    const good = server(names);
    const load = (cursor: string | null, limit: number) => (broken ? Promise.reject(new Error("gone")) : good(cursor, limit));
    const list = new PagedList<Item>(load, 10, () => undefined);
    list.want(1);
    await settle();
    expect([String(list.error), list.at]).toEqual(["Error: gone", null]);
    broken = false;
    list.want(5);
    await settle();
    expect(list.total).toBeNull();
    await list.refresh(0, 1, false);
    expect([list.error, list.total]).toEqual([null, 25]);
  });
});

describe("the loss of a device", () => {
  it("is asked for by its id", async () => {
    const fetched = vi.fn(async (url: string) => new Response(JSON.stringify({ items: url.includes("id=g") ? [{ id: "g", missed: 7 }] : [], next_cursor: null })));
    vi.stubGlobal("fetch", fetched);
    expect((await lossOf("g"))?.missed).toBe(7);
    expect(await lossOf("b")).toBeNull();
  });

  it("adds up", () => {
    expect(inFlightOf({ received: 10, stored: 5, duplicate: 2, dead_lettered: 1 })).toBe(2);
    expect([shareText(0, 10), shareText(1, 0), shareText(1, 8), shareText(1, 1_000_000)]).toEqual(["", "", "12.5\u2009%", "< 0.01\u2009%"]);
  });
});

describe("an entry", () => {
  const entry = { id: "d1", name: { en: "Gauge", zh: "水位计" }, kind: "gauge", department: "water", life_cycle: "active" as const, position: { lon: 116.3, lat: 39.9, crs: "GCJ-02" as const }, attributes: { limit: 2.5, pole: "12", mains: true, note: 'say "hi"' } };

  it("is the same after going through the form", () => {
    const draft = draftOf({ value: entry, tag: "t" });
    expect(draft.tag).toBe("t");
    expect(entryOf("d1", draft.value)).toEqual(entry);
    const bare = { id: "d2", kind: "gauge", department: "water", life_cycle: "planned" as const };
    expect(entryOf("d2", draftOf({ value: bare, tag: "t" }).value)).toEqual(bare);
  });

  it("keeps the type of attributes", () => {
    for (const value of [1, -2.5, 1e21, true, false, "x", "12", "true", '"quoted"', "", "0123", "+1", " 12 "]) {
      expect(attributeValue(attributeText(value)), String(value)).toBe(value);
    }
  });

  it("names a thing in both languages even if one was given", () => {
    const { value } = draftOf({ value: entry, tag: "t" });
    expect(entryOf("d1", { ...value, name: { en: " Gauge ", zh: "" } }).name).toEqual({ en: "Gauge", zh: "Gauge" });
  });

  it("has degrees that are some", () => {
    expect(["", "12.5", "-90", "90.1", "x"].map((text) => isBadDegree(text, 90))).toEqual([false, false, false, true, true]);
  });
});

describe("what is shown of a device", () => {
  const readings = (part: Partial<Readings>): Readings => ({ device: "d", metric: "m", unit: "", symbol: "", from: "", to: "", step_s: null, raw: null, buckets: null, truncated: false, ...part });

  it("tells apart how good its readings are", () => {
    const raw = { time: [1, 2, 3, 4], value: [1, 2, 3, null], quality: [1, 3, 4, 9] };
    const { total, doubted, byFlag } = qualitiesOf(readings({ raw }));
    expect([total, doubted, byFlag?.get("suspect"), byFlag?.get("missing")]).toEqual([4, 3, 1, 1]);
    const buckets = { start: [0, 60], count: [3, 2], min: [], mean: [], max: [], flagged: [1, 0] };
    expect(qualitiesOf(readings({ buckets }))).toEqual({ total: 5, doubted: 1, byFlag: null });
    expect(rowsOf(raw, false).map((row) => row.time)).toEqual([4, 3, 2, 1]);
    expect(rowsOf(raw, true).map((row) => row.quality)).toEqual(["missing", "fail", "suspect"]);
  });

  it("has payloads that can be read, whatever they are", () => {
    expect(pretty('{"a":1}')).toBe('{\n  "a": 1\n}');
    expect([pretty("12"), pretty("a,b")]).toEqual(["12", "a,b"]);
    expect(hexOf(btoa("\x00broken\xff"))).toMatch(/^000000 {2}00 62 72 6f 6b 65 6e ff +·broken·$/);
    expect(hexOf(btoa("0123456789abcdefg")).split("\n")).toHaveLength(2);
  });

  it("can be had as files", () => {
    expect(fileUrl("/devices", { kind: "bus", zone: null }, "csv")).toBe("/api/v1/devices?kind=bus&format=csv&bom=true");
    expect(fileUrl("/devices", {}, "geojson")).toBe("/api/v1/devices?format=geojson");
  });
});

describe("lists", () => {
  it("take orders that they know", () => {
    expect([sortOf("-name", ["name"], "id"), sortOf("x", ["name"], "id"), sortOf(null, ["name"], "id")]).toEqual(["-name", "id", "id"]);
  });

  it("offer what the address asks for besides the usual", () => {
    const known = [{ id: "bus", text: "Bus" }, { id: "bin", text: "Bin" }];
    expect(choices("Any", known, "bus,bin")).toEqual([["", "Any"], ["bus,bin", "Bus, Bin"], ["bus", "Bus"], ["bin", "Bin"]]);
    expect(choices("Any", known, "bus")).toHaveLength(3);
  });

  it("put zones in order, equals by name whichever way round", () => {
    const zone = (name: string, firing: number, devices: number): ZoneRow => ({ id: name, name, layer: "district", parent: null, areaKm2: null, devices, firing, worst: firing > 1 ? "high" : null, texts: [] });
    const rows = [zone("b", 0, 3), zone("a", 0, 3), zone("c", 2, 1)];
    const order = (sort: string) => inZoneOrder(rows, sort).map((row) => row.id).join("");
    expect([order("-worst"), order("devices"), order("-devices"), order("-name")]).toEqual(["cab", "cab", "abc", "cba"]);
  });
});

describe("a zone among others", () => {
  it("weighs each step by its readings", () => {
    const buckets = { start: [0, 1, 2], count: [1, 3, 0], min: [1, 2, null], mean: [1, 5, null], max: [1, 9, null], flagged: [0, 0, 2] };
    expect(figuresOf({ metric: "m", unit: "", symbol: "", zone: null, devices: 4, step_s: 1, buckets })).toEqual({ mean: 4, min: 1, max: 9, readings: 4, devices: 4 });
    expect(figuresOf({ metric: "m", unit: "", symbol: "", zone: null, devices: 0, step_s: 1, buckets: { ...buckets, count: [0, 0, 0] } })).toBeNull();
    expect([signed(1.26, 1), signed(-0.5, 1), signed(0.001, 1), signed(-0.001, 1)]).toEqual(["+1.3", "−0.5", "0.0", "0.0"]);
  });

  it("stands among the nearest of its own layer", () => {
    const zone = (id: string, layer: string, label: [number, number]) => ({ id, layer, label, name: { en: id, zh: id }, bounds: [0, 0, 0, 0] as [number, number, number, number], devices: 0 });
    // A degree of longitude is half as long at 60° north.
    const all = [zone("own", "d", [0, 60]), zone("east", "d", [1.5, 60]), zone("north", "d", [0, 61]), zone("other", "e", [0, 60]), zone("far", "d", [9, 60])];
    expect(neighboursOf(zone("own", "d", [0, 60]), all, 2)).toEqual(["east", "north"]);
  });
});
