/** The colours of the map, read from the theme's custom properties. */
import type { Severity } from "../api/types";
import { theme, token } from "../state/theme";

export interface Palette {
  ground: string;
  land: string;
  line: string;
  hover: string;
  label: string;
  text: string;
  halo: string;
  dot: string;
  dotEdge: string;
  late: string;
  focus: string;
  outline: string;
  offline: string;
  dark: boolean;
  water: string;
  green: string;
  building: string;
  road: string;
  roadMajor: string;
  rail: string;
  placeLabel: string;
  trail: string;
  severity: Readonly<Record<Severity, string>>;
}

export function readPalette(): Palette {
  return {
    ground: token("map-ground"),
    land: token("map-land"),
    line: token("map-line"),
    hover: token("map-hover"),
    label: token("map-label"),
    text: token("text"),
    halo: token("map-halo"),
    dot: token("map-dot"),
    dotEdge: token("map-dot-edge"),
    late: token("map-late"),
    focus: token("focus"),
    outline: token("severity-outline"),
    offline: token("offline"),
    dark: theme.peek() === "dark",
    water: token("map-water"),
    green: token("map-green"),
    building: token("map-building"),
    road: token("map-road"),
    roadMajor: token("map-road-major"),
    rail: token("map-rail"),
    placeLabel: token("map-place"),
    trail: token("map-trail"),
    severity: {
      critical: token("critical"),
      high: token("high"),
      medium: token("medium"),
      low: token("low"),
    },
  };
}
