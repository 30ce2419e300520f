/** The map's layers: no tiles, no glyph server; zones are the base map, labels use local fonts. */
import type { ExpressionSpecification, LayerSpecification, StyleSpecification } from "maplibre-gl";
import { FONTS, state, zoomed } from "./expressions";
import type { Palette } from "./palette";

const EMPTY = { type: "FeatureCollection", features: [] } as const;

/** Nearer than this every abnormal device stands alone. */
export const CLUSTER_MAX_ZOOM = 12;
const CLUSTER_RADIUS_PX = 26;

/** Layers on which a pointer finds devices, uppermost first. */
export const DEVICE_LAYERS = ["clusters", "abnormal", "zone-marks", "moving", "devices"] as const;
export const ZONE_LAYER = "zones";
/** The base map's areas and lines go below this one, its names below that one. */
export const BELOW_AREAS = "zone-alert-fill";
export const BELOW_NAMES = "trail";
/** What a person can take off the map beside the base map; what is abnormal cannot be taken off. */
export const PLAIN_GROUPS = { normal: ["devices", "moving", "headings"], zones: ["zones", "zone-lines"], names: ["zone-labels"] } as const;
export type PlainGroup = keyof typeof PLAIN_GROUPS;

export function buildStyle(palette: Palette): StyleSpecification {
  return {
    version: 8,
    sources: {
      graticule: { type: "geojson", data: EMPTY },
      zones: { type: "geojson", data: EMPTY, promoteId: "id", tolerance: 0.3 },
      "zone-labels": { type: "geojson", data: EMPTY },
      devices: { type: "geojson", data: EMPTY, maxzoom: 14 },
      moving: { type: "geojson", data: EMPTY, maxzoom: 14 },
      abnormal: {
        type: "geojson",
        data: EMPTY,
        maxzoom: 14,
        cluster: true,
        clusterRadius: CLUSTER_RADIUS_PX,
        clusterMaxZoom: CLUSTER_MAX_ZOOM,
        clusterProperties: { worst: ["max", ["get", "order"]], ...counters() },
      },
      "zone-marks": { type: "geojson", data: EMPTY },
      trail: { type: "geojson", data: EMPTY, lineMetrics: true, tolerance: 0.2 },
      focus: { type: "geojson", data: EMPTY },
    },
    layers: layers(palette),
  };
}

function layers(p: Palette): LayerSpecification[] {
  return [
    { id: "ground", type: "background", paint: { "background-color": p.ground } },
    { id: "graticule", type: "line", source: "graticule", paint: { "line-color": p.line, "line-width": 0.6, "line-opacity": 0.55 } },
    {
      id: "zones",
      type: "fill",
      source: "zones",
      paint: { "fill-color": state("hover", p.hover, p.land), "fill-antialias": false },
    },
    {
      id: "zone-alert-fill",
      type: "fill",
      source: "zones",
      paint: { "fill-color": zoneSeverity(p), "fill-opacity": ["case", [">", severityState(), 0], 0.12, 0], "fill-antialias": false },
    },
    { id: "zone-lines", type: "line", source: "zones", paint: { "line-color": p.line, "line-width": zoomed(9, 0.6, 13, 1.4) } },
    {
      id: "zone-alert-lines",
      type: "line",
      source: "zones",
      layout: { "line-join": "round" },
      paint: { "line-color": zoneSeverity(p), "line-width": ["case", [">", severityState(), 0], 2.2, 0] },
    },
    {
      id: "zone-selected",
      type: "line",
      source: "zones",
      layout: { "line-join": "round" },
      paint: { "line-color": p.focus, "line-width": state("selected", 2.4, 0) },
    },
    {
      id: "trail",
      type: "line",
      source: "trail",
      layout: { "line-cap": "round", "line-join": "round" },
      // Older is fainter: the line says which way the device went.
      paint: { "line-width": zoomed(9, 2, 14, 4), "line-gradient": ["interpolate", ["linear"], ["line-progress"], 0, "rgba(128,128,128,0)", 0.15, "rgba(128,128,128,0.25)", 1, p.trail] },
    },
    {
      id: "devices",
      type: "circle",
      source: "devices",
      paint: {
        "circle-radius": zoomed(9, 1.5, 11, 2.4, 14, 5),
        "circle-color": state("late", p.land, p.dot),
        "circle-stroke-color": state("late", p.late, p.dotEdge),
        "circle-stroke-width": state("late", 1.4, zoomedEdge()),
        "circle-opacity": state("hidden", 0, 1),
        "circle-stroke-opacity": state("hidden", 0, 1),
      },
    },
    {
      id: "moving",
      type: "circle",
      source: "moving",
      filter: ["!", ["has", "abnormal"]],
      paint: {
        "circle-radius": zoomed(9, 1.5, 11, 2.4, 14, 4.5),
        "circle-color": ["case", ["==", ["get", "status"], "late"], p.land, p.dot],
        "circle-stroke-color": ["case", ["==", ["get", "status"], "late"], p.late, p.dot],
        "circle-stroke-opacity": ["case", ["==", ["get", "status"], "late"], 1, 0.4],
        "circle-stroke-width": zoomed(9, 1.6, 11, 2.4, 14, 4),
      },
    },
    {
      id: "zone-labels",
      type: "symbol",
      source: "zone-labels",
      layout: {
        "text-field": ["get", "name"],
        "text-font": FONTS,
        "text-size": zoomed(9, 9.5, 11, 12, 14, 15),
        "text-max-width": 7,
        "text-padding": 4,
        "symbol-sort-key": ["get", "order"],
      },
      paint: { "text-color": p.label, "text-halo-color": p.halo, "text-halo-width": 1.6 },
    },
    {
      id: "headings",
      type: "symbol",
      source: "moving",
      minzoom: 11,
      filter: ["has", "heading"],
      layout: {
        "icon-image": "heading",
        "icon-size": zoomed(11, 0.7, 14, 1.1),
        "icon-rotate": ["get", "heading"],
        "icon-rotation-alignment": "map",
        "icon-allow-overlap": true,
        "icon-ignore-placement": true,
      },
    },
    {
      id: "abnormal",
      type: "symbol",
      source: "abnormal",
      filter: ["!", ["has", "point_count"]],
      layout: { ...shape(["get", "icon"]), "icon-size": zoomed(9, 0.62, 11, 0.85, 14, 1.15), "symbol-sort-key": ["get", "order"] },
    },
    {
      id: "zone-marks",
      type: "symbol",
      source: "zone-marks",
      // Above the zone's name.
      layout: { ...shape(["get", "icon"]), "icon-size": zoomed(9, 0.62, 11, 0.85, 14, 1.15), "icon-offset": [0, -18], "symbol-sort-key": ["get", "order"] },
    },
    {
      id: "clusters",
      type: "symbol",
      source: "abnormal",
      filter: ["has", "point_count"],
      layout: {
        ...shape(["match", ["get", "worst"], 4, "critical", 3, "high", 2, "medium", 1, "low", 0, "offline", "never_seen"]),
        "icon-size": zoomed(8, 0.8, 12, 1.15),
        "symbol-sort-key": ["get", "worst"],
        "text-field": ["to-string", ["get", "point_count"]],
        "text-font": FONTS,
        "text-size": zoomed(8, 12, 12, 14),
        "text-anchor": "left",
        "text-offset": [0.75, 0],
        "text-allow-overlap": true,
        "text-ignore-placement": true,
      },
      paint: { "text-color": p.text, "text-halo-color": p.halo, "text-halo-width": 2 },
    },
    {
      id: "focus",
      type: "circle",
      source: "focus",
      paint: {
        "circle-radius": zoomed(9, 9, 14, 15),
        "circle-color": "rgba(0,0,0,0)",
        "circle-stroke-color": p.focus,
        "circle-stroke-width": 2.4,
      },
    },
  ];
}

/** A cluster knows what is in it: how many of each. */
function counters(): Record<string, [ExpressionSpecification | string, ExpressionSpecification]> {
  return Object.fromEntries([4, 3, 2, 1, 0, -1].map((order) => [countName(order), ["+", ["case", ["==", ["get", "order"], order], 1, 0]]]));
}

/** The property with which a cluster counts members of this order. */
export const countName = (order: number) => `of${order}`;

function shape(icon: unknown) {
  return { "icon-image": icon as ExpressionSpecification, "icon-allow-overlap": true, "icon-ignore-placement": true } as const;
}

function zoomedEdge(): number {
  return 0.5;
}

function severityState(): ExpressionSpecification {
  return ["to-number", ["feature-state", "severity"], 0];
}

function zoneSeverity(p: Palette): ExpressionSpecification {
  return ["match", severityState(), 4, p.severity.critical, 3, p.severity.high, 2, p.severity.medium, 1, p.severity.low, p.line] as ExpressionSpecification;
}

/** Every paint property that follows the theme, to change it without rebuilding the style. */
export function* paints(palette: Palette): Generator<[layer: string, property: string, value: unknown]> {
  for (const layer of layers(palette)) {
    for (const [property, value] of Object.entries(layer.paint ?? {})) yield [layer.id, property, value];
  }
}
