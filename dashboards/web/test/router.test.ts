import { beforeEach, describe, expect, it } from "vitest";
import { safeNext } from "../src/app";
import { formatView, parseView } from "../src/map/view-query";
import { go, loginTokenOf, query, route, routeOf, setQuery, takeLoginToken, to } from "../src/router";

describe("routes", () => {
  it("name every screen", () => {
    expect(routeOf("/")).toEqual({ screen: "overview" });
    expect(routeOf("/devices")).toEqual({ screen: "devices" });
    expect(routeOf("/zones/")).toEqual({ screen: "zones" });
    expect(routeOf("/devices/a%2Fb")).toEqual({ screen: "device", id: "a/b" });
    expect(routeOf("/alerts/x")).toEqual({ screen: "alert", id: "x" });
    expect(routeOf("/alerts")).toEqual({ screen: "alerts" });
    expect(routeOf("/silences/ab12")).toEqual({ screen: "silence", id: "ab12" });
    expect(routeOf("/new-silence")).toEqual({ screen: "silence", id: null });
    expect(routeOf("/hand-overs")).toEqual({ screen: "hand-overs" });
    expect(routeOf("/departments/water")).toEqual({ screen: "department", id: "water" });
    expect(routeOf("/zones/a/b")).toEqual({ screen: "unknown", path: "/zones/a/b" });
    expect(routeOf("/devices/100%")).toEqual({ screen: "device", id: "100%" });
  });

  it("survive ids with slashes and spaces", () => {
    for (const id of ["zigbee/kitchen lamp", "100%", "a?b#c", "温度"]) expect(routeOf(to.device(id))).toEqual({ screen: "device", id });
  });
});

describe("the query", () => {
  beforeEach(() => go("/"));

  it("changes in place and stays readable", () => {
    setQuery({ severity: "critical,high", map: "10.5/41.8/-87.6" });
    expect(location.search).toBe("?severity=critical,high&map=10.5/41.8/-87.6");
    setQuery({ severity: null });
    expect(query.value.get("severity")).toBeNull();
    expect(query.value.get("map")).toBe("10.5/41.8/-87.6");
  });

  it("keeps the path", () => {
    go("/devices?q=x");
    setQuery({ q: "" });
    expect(location.pathname + location.search).toBe("/devices");
    expect(route.value).toEqual({ screen: "devices" });
  });

  it("holds the map's view", () => {
    const view = { zoom: 10.5, lat: 41.8781, lon: -87.6298 };
    expect(parseView(formatView(view))).toEqual(view);
    for (const bad of [null, "", "1/2", "a/b/c", "10/91/0", "10/0/181"]) expect(parseView(bad)).toBeNull();
  });
});

describe("the login link", () => {
  it("is understood in both spellings", () => {
    expect(loginTokenOf("#token=abc")).toBe("abc");
    expect(loginTokenOf("#/login?token=a%2Bb")).toBe("a+b");
    expect(loginTokenOf("#content")).toBeNull();
    expect(loginTokenOf("")).toBeNull();
  });

  it("leaves no token in the address", () => {
    history.replaceState(null, "", "/#/login?token=secret");
    expect(takeLoginToken()).toBe("secret");
    expect(location.href).not.toContain("secret");
    expect(route.value).toEqual({ screen: "login" });
  });

  it("leads only within this app", () => {
    expect(safeNext("/devices?q=1")).toBe("/devices?q=1");
    for (const bad of [null, "", "//evil.example", "/\\evil.example", "https://evil.example"]) expect(safeNext(bad)).toBe("/");
  });
});
