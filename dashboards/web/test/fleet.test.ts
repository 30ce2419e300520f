import { beforeEach, describe, expect, it } from "vitest";
import { fixedPoints, iconOf, zoneMarks } from "../src/map/features";
import { FleetView } from "../src/map/fleet-view";
import { Fleet, type FleetChange } from "../src/state/fleet";
import { snapshot } from "./samples";

let fleet: Fleet;
let changes: FleetChange[];

beforeEach(() => {
  fleet = new Fleet();
  fleet.load(snapshot());
  changes = [];
  fleet.listen((change) => changes.push(change));
});

describe("the fleet", () => {
  it("reads columns", () => {
    expect(fleet.byId("gauge-1")).toEqual({ id: "gauge-1", kind: "water_gauge", lon: -87.7, lat: 41.7, status: "online", severity: "critical", moving: false, heading: null });
    expect(fleet.count()).toMatchObject({ total: 4, byStatus: { online: 3, late: 0, offline: 0, never_seen: 1 }, withoutPosition: 1 });
  });

  it("counts by kind, with the worst alert of each", () => {
    const { byKind } = fleet.count();
    expect(byKind.reduce((sum, kind) => sum + kind.total, 0)).toBe(4);
    expect(byKind.find((kind) => kind.kind === "water_gauge")).toEqual({ kind: "water_gauge", total: 1, online: 1, alerting: 1, worst: "critical" });
  });

  it("changes only what an event says", () => {
    fleet.apply([{ id: "lamp-1", status: 2 }, { id: "bus-1", lon: -87.66, lat: 41.91 }]);
    expect(fleet.byId("lamp-1")).toMatchObject({ status: "offline", lon: -87.6, severity: null });
    expect(fleet.byId("bus-1")).toMatchObject({ lon: -87.66, moving: true });
    expect(changes).toEqual([{ reset: false, indexes: [0, 2] }]);
  });

  it("takes devices that it did not know, and redraws all", () => {
    fleet.apply([{ id: "new-1", status: 0, lon: 1, lat: 2, kind: "drone" }]);
    expect(fleet.byId("new-1")).toMatchObject({ kind: "drone", status: "online", lon: 1 });
    expect(changes).toEqual([{ reset: true }]);
  });

  it("learns that a device moves", () => {
    fleet.apply([{ id: "lamp-1", lon: -87.61, lat: 41.8 }]);
    expect(fleet.byId("lamp-1")?.moving).toBe(true);
    expect(changes).toEqual([{ reset: true }]);
  });

  it("does not call a first position a movement", () => {
    fleet.apply([{ id: "lost-1", lon: -87.61, lat: 41.8 }]);
    expect(fleet.byId("lost-1")?.moving).toBe(false);
  });
});

describe("what the map draws", () => {
  it("parts devices into layers, each in one", () => {
    const view = new FleetView();
    view.reset(fleet);
    expect(fixedPoints(fleet).map((each) => each.id)).toEqual([0, 1]);
    expect(view.takeMoving(fleet)?.map((each) => each.properties["id"])).toEqual(["bus-1"]);
    expect(view.takeAbnormal(fleet)?.map((each) => each.properties)).toEqual([{ id: "gauge-1", icon: "critical", order: 4 }]);
  });

  it("draws anew only what changed", () => {
    const view = new FleetView();
    view.reset(fleet);
    view.takeMoving(fleet);
    view.takeAbnormal(fleet);
    const change = (...changed: Parameters<Fleet["apply"]>[0]) => {
      fleet.apply(changed);
      view.note(fleet, changed.map(({ id }) => fleet.indexOf(id) ?? -1));
      return [view.takeMoving(fleet)?.length ?? null, view.takeAbnormal(fleet)?.length ?? null];
    };
    expect(change({ id: "lamp-1", status: 1 })).toEqual([null, null]);
    expect(change({ id: "bus-1", lon: -87.66, lat: 41.91 })).toEqual([1, null]);
    expect(change({ id: "lamp-1", severity: 2 })).toEqual([null, 2]);
    expect(change({ id: "gauge-1", severity: 0 })).toEqual([null, 1]);
    // A bus in alert is drawn by its shape, and still moves.
    expect(change({ id: "bus-1", severity: 4 })).toEqual([1, 2]);
  });

  it("gives an alert's shape precedence over silence", () => {
    expect(iconOf({ severity: "low", status: "offline" })).toBe("low");
    expect(iconOf({ severity: null, status: "offline" })).toBe("offline");
    expect(iconOf({ severity: null, status: "late" })).toBeNull();
  });

  it("marks zones that are in alert", () => {
    const zone = { type: "Feature", properties: { id: "z", name: { en: "Z", zh: "Z" }, layer: "city", label: [1, 2], bounds: [0, 0, 2, 4], devices: 0 }, geometry: { type: "Polygon", coordinates: [] } } as const;
    const zones = { type: "FeatureCollection", features: [zone] } as never;
    expect(zoneMarks(zones, new Map())).toEqual([]);
    expect(zoneMarks(zones, new Map([["z", "high"]]))[0]?.properties).toEqual({ zone: "z", icon: "high", order: 3 });
  });
});
