import { readFileSync } from "node:fs";
import { validateStyleMin } from "@maplibre/maplibre-gl-style-spec";
import { describe, expect, it } from "vitest";
import { attributions, groupsOf, isDrawable, type BaseLayer } from "../src/map/base-map";
import { baseStyle, groupOf, kindOfPart } from "../src/map/base-style";
import { gcj02FromWgs84, geojsonFromGcj02, wgs84FromGcj02 } from "../src/map/gcj02";
import { readPalette, type Palette } from "../src/map/palette";
import { buildStyle } from "../src/map/style";
import { CELLS, cellsOf, parseTileUrl, project, tilesOf, unproject } from "../src/map/tile-shift";

const layer = (change: Partial<BaseLayer> = {}): BaseLayer => ({ id: "water", kind: "water", format: "geojson", url: "/api/v1/base-map/water.geojson", coordinates: "wgs84", attribution: { en: "A", zh: "甲" }, min_zoom: null, max_zoom: null, ...change });
/** Any colour is a colour; the style's own test of it does not depend on which. */
const palette = JSON.parse(JSON.stringify(readPalette(), (_, value: unknown) => (value === "" ? "#808080" : value))) as Palette;
const options = { palette, language: "zh" as const, origin: "http://city", inside: new Map([["all", ["water", "transportation", "place", "housenumber", "mystery"]]]), hidden: new Set(["road"]) };

describe("the base map's style", () => {
  const kinds = ["water", "green", "road", "rail", "building", "boundary", "label", "raster"] as const;
  const layers = kinds.map((kind) => layer({ id: kind, kind, ...(kind === "raster" && { format: "tiles", url: "/api/v1/base-map/tiles/own/{z}/{x}/{y}.png", coordinates: "gcj02" }) }));
  const style = baseStyle({ layers: [...layers, layer({ id: "all", kind: "vector", format: "pmtiles", url: "/api/v1/base-map/all.pmtiles" })], updated_at: null }, options);

  it("is one that the map library takes", () => {
    const whole = buildStyle(palette);
    const problems = validateStyleMin({ ...whole, sources: { ...whole.sources, ...style.sources }, layers: [...style.below, ...style.labels, ...whole.layers] } as never);
    expect(problems.map((problem: { message: string }) => problem.message)).toEqual([]);
  });

  it("lies in the right order: pictures, areas, lines, and names apart", () => {
    const groups = style.below.map((each) => groupOf(each.id));
    expect(groups.indexOf("raster")).toBe(0);
    expect(groups.indexOf("water")).toBeLessThan(groups.indexOf("road"));
    expect(style.labels.every((each) => each.type === "symbol")).toBe(true);
  });

  it("hides what is taken off, and only that", () => {
    for (const each of style.below) expect(each.layout?.visibility).toBe(groupOf(each.id) === "road" ? "none" : "visible");
  });

  it("names places in the language that is on", () => {
    const field = JSON.stringify((style.labels[0] as { layout: Record<string, unknown> }).layout["text-field"]);
    expect(field.indexOf("name_zh")).toBeLessThan(field.indexOf("name_en"));
  });

  it("asks this server alone", () => {
    for (const source of Object.values(style.sources)) expect(JSON.stringify(source)).toMatch(/^((?!https?:).)*(http:\/\/city\/|http:\/\/city).*$/);
    expect(isDrawable(layer({ url: "https://tiles.example/x" }))).toBe(false);
    expect(isDrawable(layer({ url: "//tiles.example/x" }))).toBe(false);
    expect(isDrawable(layer({ format: "pmtiles", coordinates: "gcj02" }))).toBe(false);
  });

  it("knows the layers of the usual vector files", () => {
    expect(["ocean", "water_lines", "streets", "transportation", "roads", "street_labels", "place_labels", "boundaries", "landcover", "transit", "buildings"].map(kindOfPart)).toEqual(["water", "water", "road", "road", "road", "label", "label", "boundary", "green", "rail", "building"]);
    expect(kindOfPart("mystery")).toBeNull();
  });

  it("says what it has and where it is from, once", () => {
    const base = { layers: [layer(), layer({ id: "x", kind: "road" })], updated_at: null };
    expect(groupsOf(base)).toEqual(["water", "road"]);
    expect(attributions(base)).toEqual([{ en: "A", zh: "甲" }]);
  });
});

interface Row {
  attrs: { name: string };
  coords: { WGS84: [number, number]; GCJ02: [number, number] };
}

describe("GCJ-02", () => {
  // The same places as the server's own test.
  const rows = (JSON.parse(readFileSync("../../crates/geo/testdata/coords/coord_vectors.json", "utf8")) as { gcoord_china_cities: { rows: Row[] } }).gcoord_china_cities.rows;

  it("agrees with 332 cities to a metre", () => {
    expect(rows.length).toBe(332);
    for (const { coords } of rows) {
      const [lon, lat] = gcj02FromWgs84(...coords.WGS84);
      expect(Math.max(Math.abs(lon - coords.GCJ02[0]), Math.abs(lat - coords.GCJ02[1]))).toBeLessThan(1e-5);
      const back = wgs84FromGcj02(...coords.GCJ02);
      expect(Math.max(Math.abs(back[0] - coords.WGS84[0]), Math.abs(back[1] - coords.WGS84[1]))).toBeLessThan(1e-5);
    }
  });

  it("shifts nothing outside of China", () => {
    expect(gcj02FromWgs84(-87.6, 41.8)).toEqual([-87.6, 41.8]);
  });

  it("moves every position of GeoJSON and nothing else", () => {
    const [lon, lat] = gcj02FromWgs84(116.4, 39.9);
    const moved = geojsonFromGcj02({ type: "FeatureCollection", features: [{ type: "Feature", properties: { at: [1, 2] }, geometry: { type: "LineString", coordinates: [[lon, lat], [lon, lat]] } }] });
    expect(moved.features[0]?.properties.at).toEqual([1, 2]);
    expect(moved.features[0]?.geometry.coordinates[1]?.[0]).toBeCloseTo(116.4, 8);
  });

  it("draws tiles where their streets are, far below a pixel, at every zoom", () => {
    const worst: Record<number, number> = {};
    for (const [lon, lat] of [[116.39, 39.91], [121.47, 31.23], [113.26, 23.13], [104.06, 30.57], [87.6, 43.8]] as const) {
      for (let z = 3; z <= 18; z += 1) {
        const [x, y] = project(lon, lat, z).map((px) => Math.floor(px / 256)) as [number, number];
        for (const cell of cellsOf(z, x, y)) {
          // Every place of a cell, its corners worst: where its true pixel comes from, and where it should.
          for (const [dx, dy] of [[0, 0], [1, 0], [0, 1], [1, 1], [0.5, 0.5]] as const) {
            const [px, py] = [x * 256 + cell.x + dx * cell.size, y * 256 + cell.y + dy * cell.size];
            const [rightX, rightY] = project(...gcj02FromWgs84(...unproject(px, py, z)), z);
            const error = Math.hypot(cell.fromX + dx * cell.size - rightX, cell.fromY + dy * cell.size - rightY);
            const metres = (error * 40_075_017 * Math.cos((lat * Math.PI) / 180)) / (256 * 2 ** z);
            worst[z] = Math.max(worst[z] ?? 0, metres);
            if (z >= 8) expect(error).toBeLessThan(0.15);
          }
        }
      }
    }
    // Metres on the ground, so that a worse way would be seen here.
    expect(worst[10]).toBeLessThan(20);
    expect(worst[14]).toBeLessThan(1.5);
    expect(worst[17]).toBeLessThan(0.2);
    if (process.env["SHOW"]) console.log(Object.entries(worst).map(([z, metres]) => `z${z} ${metres.toFixed(3)} m`).join("\n"));
  });

  it("puts a tile together from its neighbours", () => {
    const cells = cellsOf(15, 26_979, 12_416);
    expect(cells).toHaveLength(CELLS * CELLS);
    const tiles = tilesOf(cells, 15);
    expect(tiles.length).toBeGreaterThanOrEqual(2);
    expect(tiles.length).toBeLessThanOrEqual(9);
    expect(parseTileUrl("gcj02://http://city/api/v1/base-map/tiles/own/15/26979/12416.png")?.urlOf(1, 2)).toBe("http://city/api/v1/base-map/tiles/own/15/1/2.png");
  });
});
