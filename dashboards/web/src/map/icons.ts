/** The shapes of severities and of silence, drawn for the map; the same as in ui/marks.tsx. */
import type { Severity } from "../api/types";
import type { Palette } from "./palette";

/** Pixels per style pixel, so that shapes stay sharp on dense screens. */
export const ICON_RATIO = 2;
const SIZE = 20;

export type IconName = Severity | "offline" | "never_seen";
/** Beside the shapes, the arrow that says where something goes. */
export type DrawnName = IconName | "heading";
export const ICONS: readonly DrawnName[] = ["critical", "high", "medium", "low", "offline", "never_seen", "heading"];

type Drawing = (c: CanvasRenderingContext2D) => void;

const OUTLINES: Readonly<Record<DrawnName, Drawing>> = {
  critical: (c) => c.rect(4, 4, 12, 12),
  high: (c) => polygon(c, [[10, 2], [18, 10], [10, 18], [2, 10]]),
  medium: (c) => polygon(c, [[10, 2.5], [18, 16.5], [2, 16.5]]),
  low: (c) => c.arc(10, 10, 6, 0, 2 * Math.PI),
  offline: (c) => c.arc(10, 10, 5.2, 0, 2 * Math.PI),
  never_seen: (c) => c.arc(10, 10, 4.6, 0, 2 * Math.PI),
  // Points north; in front of the device's dot, which is in the middle.
  heading: (c) => polygon(c, [[10, 0.5], [13.5, 5.5], [6.5, 5.5]]),
};

function polygon(c: CanvasRenderingContext2D, corners: readonly (readonly [number, number])[]): void {
  corners.forEach(([x, y], at) => (at === 0 ? c.moveTo(x, y) : c.lineTo(x, y)));
  c.closePath();
}

export function drawIcon(name: DrawnName, palette: Palette): ImageData {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIZE * ICON_RATIO;
  const c = canvas.getContext("2d", { willReadFrequently: true });
  if (!c) throw new Error("this browser gives no 2D canvas");
  c.scale(ICON_RATIO, ICON_RATIO);
  c.lineJoin = "round";
  c.beginPath();
  OUTLINES[name](c);
  if (name === "heading") {
    c.fillStyle = palette.late;
    c.fill();
  } else if (name === "offline" || name === "never_seen") strokeSilent(c, name, palette);
  else fillSeverity(c, palette.severity[name], palette.outline);
  return c.getImageData(0, 0, canvas.width, canvas.height);
}

function fillSeverity(c: CanvasRenderingContext2D, fill: string, outline: string): void {
  c.strokeStyle = outline;
  c.lineWidth = 2.5;
  c.stroke();
  c.fillStyle = fill;
  c.fill();
}

function strokeSilent(c: CanvasRenderingContext2D, name: IconName, palette: Palette): void {
  c.fillStyle = palette.land;
  c.fill();
  c.strokeStyle = palette.offline;
  c.lineWidth = 1.8;
  if (name === "never_seen") c.setLineDash([2.4, 2.4]);
  c.stroke();
  if (name === "offline") {
    c.beginPath();
    c.moveTo(6.3, 13.7);
    c.lineTo(13.7, 6.3);
    c.stroke();
  }
}
