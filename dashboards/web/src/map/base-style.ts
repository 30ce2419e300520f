/** How a base map looks: calm greys below zones and devices, the same shapes in both themes. */
import type { ExpressionSpecification, LayerSpecification, SourceSpecification } from "maplibre-gl";
import type { BaseGroup, BaseKind, BaseLayer, BaseMap } from "./base-map";
import { FONTS, zoomed } from "./expressions";
import type { Palette } from "./palette";
import { GCJ02_PROTOCOL } from "./tile-shift";

/** Areas and lines lie below the zones' borders, names above them. */
export interface BaseStyle {
  sources: Record<string, SourceSpecification>;
  below: LayerSpecification[];
  labels: LayerSpecification[];
}

/** The layers inside a vector file, once it has been looked into. */
export type VectorLayers = ReadonlyMap<string, readonly string[]>;

export interface BaseOptions {
  palette: Palette;
  language: "en" | "zh";
  origin: string;
  inside: VectorLayers;
  hidden: ReadonlySet<string>;
}

const PREFIX = "base-";

/** The group that a style's layer belongs to; null if it is no layer of the base map. */
export function groupOf(layerId: string): string | null {
  return layerId.startsWith(PREFIX) ? (layerId.slice(PREFIX.length).split(":")[0] ?? null) : null;
}

export function baseStyle({ layers }: BaseMap, options: BaseOptions): BaseStyle {
  const style: BaseStyle = { sources: {}, below: [], labels: [] };
  for (const layer of layers) {
    const source = `${PREFIX}${layer.id}`;
    style.sources[source] = sourceOf(layer, options);
    for (const [kind, part] of partsOf(layer, options)) {
      for (const drawn of drawnAs(kind, layer, source, part, options)) (kind === "label" ? style.labels : style.below).push(drawn);
    }
  }
  style.below.sort((a, b) => depth(a.id) - depth(b.id));
  return style;
}

/** Pictures lowest, then areas, then lines. */
const DEPTHS: readonly BaseKind[] = ["raster", "green", "water", "building", "boundary", "rail", "road"];
const depth = (id: string) => DEPTHS.indexOf(groupOf(id) as BaseKind);

function sourceOf(layer: BaseLayer, { origin }: BaseOptions): SourceSpecification {
  const url = origin + layer.url;
  const zooms = { minzoom: Math.floor(layer.min_zoom ?? 0), maxzoom: Math.floor(layer.max_zoom ?? 22) };
  if (layer.format === "geojson") return { type: "geojson", data: layer.coordinates === "gcj02" ? EMPTY : url, tolerance: 0.4 };
  if (layer.format === "pmtiles") return { type: layer.kind === "raster" ? "raster" : "vector", url: `pmtiles://${url}`, ...(layer.kind === "raster" && { tileSize: 256 }) };
  const tiles = [layer.coordinates === "gcj02" ? `${GCJ02_PROTOCOL}://${url}` : url];
  return layer.kind === "raster" ? { type: "raster", tiles, tileSize: 256, ...zooms } : { type: "vector", tiles, ...zooms };
}

const EMPTY = { type: "FeatureCollection", features: [] } as const;

/** What is drawn of a source: itself, or the layers inside of a vector file. */
function partsOf(layer: BaseLayer, { inside }: BaseOptions): [kind: BaseKind, part: string | null][] {
  if (layer.kind === "raster" || layer.format === "geojson") return [[layer.kind, null]];
  const names = inside.get(layer.id) ?? [];
  return names.flatMap((name): [BaseKind, string][] => {
    const kind = layer.kind === "vector" ? kindOfPart(name) : layer.kind;
    return kind === null ? [] : [[kind, name]];
  });
}

const PART_NAMES: readonly (readonly [BaseKind, RegExp])[] = [
  ["label", /(label|place|_name$|^poi|^mountain|housenumber|addresses)/],
  ["boundary", /^(boundar|admin)/],
  ["building", /^building/],
  ["rail", /(rail|transit|aerialway|ferries)/],
  ["road", /^(road|street|transportation|highway|bridge)/],
  ["water", /(water|ocean|dam|pier)/],
  ["green", /^(park|landcover|green|forest|wood|sites)/],
];

/** By the names that OpenMapTiles, Protomaps and Shortbread give their layers; others are left out. */
export function kindOfPart(name: string): BaseKind | null {
  return PART_NAMES.find(([, pattern]) => pattern.test(name))?.[0] ?? null;
}

function drawnAs(kind: BaseKind, layer: BaseLayer, source: string, part: string | null, options: BaseOptions): LayerSpecification[] {
  const { palette: p, hidden } = options;
  const group: BaseGroup = kind === "vector" ? "boundary" : kind;
  const head = (suffix: string) => ({
    id: `${PREFIX}${group}:${layer.id}${part === null ? "" : `:${part}`}${suffix}`,
    source,
    ...(part !== null && { "source-layer": part }),
    ...(layer.min_zoom !== null && { minzoom: layer.min_zoom }),
  });
  const layout = { visibility: hidden.has(group) ? "none" : "visible" } as const;
  const round = { ...layout, "line-join": "round", "line-cap": "round" } as const;
  const areas = ["==", ["geometry-type"], "Polygon"] as ExpressionSpecification;
  const lines = ["==", ["geometry-type"], "LineString"] as ExpressionSpecification;
  switch (kind) {
    case "raster":
      // A printed map has its own colours; abnormal devices must still be what is seen first.
      return [{ ...head(""), type: "raster", layout, paint: { "raster-saturation": -0.85, "raster-contrast": -0.1, "raster-opacity": p.dark ? 0.4 : 0.6, "raster-fade-duration": 0 } }];
    case "green":
      return [{ ...head(""), type: "fill", filter: areas, layout, paint: { "fill-color": p.green, "fill-antialias": false } }];
    case "water":
      return [
        { ...head(""), type: "fill", filter: areas, layout, paint: { "fill-color": p.water } },
        { ...head(":lines"), type: "line", filter: lines, layout: round, paint: { "line-color": p.water, "line-width": zoomed(9, 1.2, 12, 2.6, 16, 8) } },
      ];
    case "building":
      return [{ ...head(""), minzoom: Math.max(13, layer.min_zoom ?? 0), type: "fill", filter: areas, layout, paint: { "fill-color": p.building, "fill-opacity": zoomed(13, 0, 14, 1) } }];
    case "road":
      return [{ ...head(""), type: "line", filter: lines, layout: { ...round, "line-sort-key": ["-", 0, roadRank()] }, paint: { "line-color": ["match", roadRank(), [0, 1], p.roadMajor, p.road], "line-width": roadWidth(), "line-opacity": roadOpacity() } }];
    case "rail":
      return [{ ...head(""), type: "line", filter: lines, minzoom: Math.max(10, layer.min_zoom ?? 0), layout, paint: { "line-color": p.rail, "line-width": zoomed(10, 0.8, 15, 2), "line-dasharray": [4, 2] } }];
    case "boundary":
    case "vector":
      return [{ ...head(""), type: "line", layout, paint: { "line-color": p.line, "line-width": 1, "line-dasharray": [3, 2] } }];
    case "label":
      return [labelLayer(head(""), layout, "point", options), labelLayer(head(":lines"), layout, "line", options)];
  }
}

type Head = { id: string; source: string; "source-layer"?: string; minzoom?: number };

function labelLayer(head: Head, layout: { visibility: "none" | "visible" }, along: "point" | "line", { palette: p, language }: BaseOptions): LayerSpecification {
  return {
    ...head,
    type: "symbol",
    filter: ["==", ["geometry-type"], along === "line" ? "LineString" : "Point"],
    layout: {
      ...layout,
      "text-field": nameIn(language),
      "text-font": FONTS,
      "text-size": zoomed(9, 10, 12, 11.5, 16, 14),
      "text-max-width": 8,
      "text-padding": 6,
      "symbol-placement": along,
      "symbol-sort-key": ["to-number", ["coalesce", ["get", "rank"], ["get", "scalerank"]], 5],
    },
    paint: { "text-color": p.placeLabel, "text-halo-color": p.halo, "text-halo-width": 1.3 },
  };
}

/** In the language that is on, else in whatever the map has. */
function nameIn(language: "en" | "zh"): ExpressionSpecification {
  const zh = ["name_zh", "name:zh", "name:zh-Hans"];
  const en = ["name_en", "name:en", "name:latin"];
  const names = language === "zh" ? [...zh, "name", ...en] : [...en, "name", ...zh];
  return ["coalesce", ...names.map((name) => ["get", name]), ""] as unknown as ExpressionSpecification;
}

/** 0 motorway … 4 path: from `class`, `kind`, `highway` or `pmap:kind`, as the usual files call it. */
function roadRank(): ExpressionSpecification {
  const name = ["coalesce", ["get", "class"], ["get", "highway"], ["get", "kind"], ["get", "fclass"], ""];
  return [
    "match", name,
    ["motorway", "highway", "motorway_link", "trunk"], 0,
    ["primary", "major_road", "trunk_link", "primary_link"], 1,
    ["secondary", "tertiary", "medium_road"], 2,
    ["path", "footway", "track", "steps", "cycleway", "pedestrian"], 4,
    3,
  ] as unknown as ExpressionSpecification;
}

function roadWidth(): ExpressionSpecification {
  const at = (...widths: number[]) => ["match", roadRank(), 0, widths[0], 1, widths[1], 2, widths[2], 4, widths[4], widths[3]];
  return ["interpolate", ["exponential", 1.4], ["zoom"], 8, at(0.9, 0.6, 0.3, 0.1, 0.1), 12, at(2.4, 1.8, 1.2, 0.6, 0.4), 16, at(9, 7, 5, 3.4, 1.4), 18, at(20, 16, 12, 9, 3)] as unknown as ExpressionSpecification;
}

/** Small streets come in as one goes nearer. */
function roadOpacity(): ExpressionSpecification {
  const at = (...opacities: number[]) => ["match", roadRank(), [0, 1], opacities[0], 2, opacities[1], opacities[2]];
  return ["interpolate", ["linear"], ["zoom"], 9, at(0.75, 0.35, 0), 11.5, at(0.9, 0.7, 0.3), 13.5, at(1, 1, 0.9)] as unknown as ExpressionSpecification;
}
