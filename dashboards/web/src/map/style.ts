/** The map's layers: no tiles, no glyph server; zones are the base map, labels use local fonts. */
import type { ExpressionSpecification, LayerSpecification, StyleSpecification } from "maplibre-gl";
import type { Palette } from "./palette";

const EMPTY = { type: "FeatureCollection", features: [] } as const;
const FONTS = ["Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "sans-serif"];

const zoomed = (...stops: number[]): ExpressionSpecification => ["interpolate", ["linear"], ["zoom"], ...stops] as ExpressionSpecification;
const state = (name: string, then: unknown, otherwise: unknown): ExpressionSpecification =>
  ["case", ["boolean", ["feature-state", name], false], then, otherwise] as ExpressionSpecification;

/** Layers on which a pointer finds devices, uppermost first. */
export const DEVICE_LAYERS = ["abnormal", "moving", "devices"] as const;
export const ZONE_LAYER = "zones";

export function buildStyle(palette: Palette): StyleSpecification {
  return {
    version: 8,
    sources: {
      graticule: { type: "geojson", data: EMPTY },
      zones: { type: "geojson", data: EMPTY, promoteId: "id", tolerance: 0.3 },
      "zone-labels": { type: "geojson", data: EMPTY },
      devices: { type: "geojson", data: EMPTY, maxzoom: 14 },
      moving: { type: "geojson", data: EMPTY, maxzoom: 14 },
      abnormal: { type: "geojson", data: EMPTY, maxzoom: 14 },
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
      id: "abnormal",
      type: "symbol",
      source: "abnormal",
      layout: {
        "icon-image": ["get", "icon"],
        "icon-size": zoomed(9, 0.62, 11, 0.85, 14, 1.15),
        // A zone's mark stands above its name.
        "icon-offset": ["case", ["has", "zone"], ["literal", [0, -18]], ["literal", [0, 0]]],
        "icon-allow-overlap": true,
        "icon-ignore-placement": true,
        "symbol-sort-key": ["get", "order"],
      },
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
