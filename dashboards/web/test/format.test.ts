import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { latLon, number, plainValue, valueWithUnit } from "../src/format/number";
import { ago, cityZone, clockTime, dateTime, inCityTime, shortTime, span, zoneOffset } from "../src/format/time";
import { setLanguage } from "../src/i18n";
import { decimalsOf, metrics } from "../src/state/city";
import { alert } from "./samples";

beforeEach(() => {
  setLanguage("en");
  cityZone.value = "America/Chicago";
});

describe("time", () => {
  it("is the city's, 24-hour, whatever the browser's zone", () => {
    expect(clockTime("2026-11-23T05:59:58Z")).toBe("23:59:58");
    expect(clockTime("2026-11-23T06:00:00Z")).toBe("00:00:00");
    expect(dateTime("2026-11-23T22:32:20Z")).toBe("23 Nov 2026, 16:32:20");
    setLanguage("zh");
    expect(dateTime("2026-11-23T22:32:20Z")).toBe("2026年11月23日 16:32:20");
  });

  it("is the city's in the server's sentences, too", () => {
    expect(inCityTime("Firing since 2026-11-23T18:00:00.813Z (high), over at 2026-11-24T06:30:00Z")).toBe("Firing since 23 Nov 2026, 12:00:00 (high), over at 24 Nov 2026, 00:30:00");
    expect(inCityTime("95 against 80")).toBe("95 against 80");
  });

  it("has the offset of that moment", () => {
    expect(zoneOffset("2026-11-23T22:00:00Z")).toBe("UTC−06:00");
    expect(zoneOffset("2026-07-01T22:00:00Z")).toBe("UTC−05:00");
    cityZone.value = "Asia/Shanghai";
    expect(zoneOffset("2026-07-01T22:00:00Z")).toBe("UTC+08:00");
    cityZone.value = "UTC";
    expect(zoneOffset("2026-07-01T22:00:00Z")).toBe("UTC+00:00");
  });

  it("names the day when it is another", () => {
    const now = Date.parse("2026-11-23T22:00:00Z");
    expect(shortTime("2026-11-23T20:00:00Z", now)).toBe("14:00:00");
    expect(shortTime("2026-11-22T20:00:00Z", now)).toBe("22 Nov 14:00");
    expect(shortTime(null, now)).toBe("–");
  });

  it("spans in two units at most", () => {
    expect([0, 89, 90, 3600, 3660, 90_000, 86_400 * 9].map(span)).toEqual(["0 s", "89 s", "1 min", "1 h", "1 h 1 min", "1 d 1 h", "9 d"]);
    expect(span(-5)).toBe("0 s");
    setLanguage("zh");
    expect(ago("2026-11-23T21:55:00Z", Date.parse("2026-11-23T22:00:00Z"))).toBe("5 分钟前");
  });
});

describe("values", () => {
  it("have the metric's decimals and unit", () => {
    expect(valueWithUnit(35.4, { decimals: 0, symbol: "µg/m³" })).toBe("35\u00a0µg/m³");
    expect(valueWithUnit(62, { decimals: 0, symbol: "%" })).toBe("62\u2009%");
    expect(valueWithUnit(-3.25, { decimals: 1, symbol: "°C" })).toBe("−3.3\u2009°C");
    expect(valueWithUnit(12, { decimals: 0, symbol: "" })).toBe("12");
  });

  it("may be truth values, texts or absent", () => {
    expect(plainValue(true)).toBe("yes");
    expect(plainValue("open")).toBe("open");
    expect(plainValue(null)).toBe("–");
    expect(number(12345.6, 1)).toBe("12,345.6");
  });

  it("give coordinates latitude first", () => {
    expect(latLon(-87.62981, 41.87812)).toBe("41.87812, -87.62981");
  });
});

describe("decimals of an alert's figures", () => {
  afterEach(() => (metrics.value = []));

  it("are those of its metric in its unit, and of their own otherwise", () => {
    metrics.value = [{ id: "water_level", name: { en: "Water level", zh: "水位" }, unit: "m", symbol: "m", range: null, decimals: 2, unmapped: false }];
    expect(decimalsOf(alert())).toBe(2);
    expect(decimalsOf(alert({ unit: null, value: 6.27, limit: 5 }))).toBe(1);
    expect(decimalsOf(alert({ unit: null, value: 3, limit: 2 }))).toBe(0);
    expect(decimalsOf(alert({ metric: "unknown" }))).toBe(1);
  });
});
