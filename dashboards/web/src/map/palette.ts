/** The colours of the map, read from the theme's custom properties. */
import type { Severity } from "../api/types";
import { token } from "../state/theme";

export interface Palette {
  ground: string;
  land: string;
  line: string;
  hover: string;
  label: string;
  halo: string;
  dot: string;
  dotEdge: string;
  late: string;
  focus: string;
  outline: string;
  offline: string;
  severity: Readonly<Record<Severity, string>>;
}

export function readPalette(): Palette {
  return {
    ground: token("map-ground"),
    land: token("map-land"),
    line: token("map-line"),
    hover: token("map-hover"),
    label: token("map-label"),
    halo: token("map-halo"),
    dot: token("map-dot"),
    dotEdge: token("map-dot-edge"),
    late: token("map-late"),
    focus: token("focus"),
    outline: token("severity-outline"),
    offline: token("offline"),
    severity: {
      critical: token("critical"),
      high: token("high"),
      medium: token("medium"),
      low: token("low"),
    },
  };
}
