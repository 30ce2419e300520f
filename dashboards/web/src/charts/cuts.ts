/** Where the shaded ranges of a chart go on beyond its edge: that is marked there, and said in words. */
import type uPlot from "uplot";
import { valueWithUnit } from "../format/number";
import { t } from "../i18n";
import { token } from "../state/theme";
import type { Band } from "./series";

/** What is cut at one edge. */
export interface Cut {
  /** When, oldest first, in epoch milliseconds. */
  times: number[];
  /** How far it would go. */
  value: number;
}

export interface Cuts {
  above: Cut | null;
  below: Cut | null;
}

export const NO_CUTS: Cuts = { above: null, below: null };

/** Of an arrowhead, in CSS pixels. */
const ARROW_PX = 8;
/** Arrowheads nearer than this are one. */
const APART_PX = 14;

export function cutsOf(time: readonly number[], bands: readonly Band[], [low, high]: readonly [number, number]): Cuts {
  const beyond = (pick: (band: Band) => Band["min"], farther: (value: number, than: number) => boolean, edge: number): Cut | null => {
    const cut: Cut = { times: [], value: edge };
    time.forEach((at, index) => {
      for (const band of bands) {
        const value = pick(band)[index] ?? null;
        if (value === null || !farther(value, edge)) continue;
        if (cut.times.at(-1) !== at) cut.times.push(at);
        if (farther(value, cut.value)) cut.value = value;
      }
    });
    return cut.times.length === 0 ? null : cut;
  };
  return { above: beyond((band) => band.max, (a, b) => a > b, high), below: beyond((band) => band.min, (a, b) => a < b, low) };
}

/** One sentence for each edge; none where nothing is cut. */
export function cutWords({ above, below }: Cuts, decimals: number, symbol: string): string[] {
  const said = (value: number) => valueWithUnit(value, { decimals, symbol });
  return [...(above === null ? [] : [t("chart.cut.above", { value: said(above.value) })]), ...(below === null ? [] : [t("chart.cut.below", { value: said(below.value) })])];
}

/** Of ascending places those that are so far from the last one before. */
export function apart(places: readonly number[], gap: number): number[] {
  const kept: number[] = [];
  for (const place of places) {
    const last = kept.at(-1);
    if (last === undefined || place - last >= gap) kept.push(place);
  }
  return kept;
}

/** On the canvas, so that a picture of the chart has them, too. */
export function drawCuts(plot: uPlot, { above, below }: Cuts, scale: number): void {
  const { bbox } = plot;
  if (above) arrows(plot, above.times, bbox.top, -1, scale);
  if (below) arrows(plot, below.times, bbox.top + bbox.height, 1, scale);
}

function arrows(plot: uPlot, times: readonly number[], edge: number, way: -1 | 1, scale: number): void {
  const { ctx, bbox } = plot;
  const px = scale * devicePixelRatio;
  const xs = times.map((time) => plot.valToPos(time, "x", true)).filter((x) => x >= bbox.left - 1 && x <= bbox.left + bbox.width + 1);
  ctx.save();
  ctx.fillStyle = token("text");
  ctx.strokeStyle = token("panel");
  ctx.lineWidth = 2 * px;
  ctx.lineJoin = "round";
  for (const x of apart(xs, APART_PX * px)) {
    const tip = edge - way * px;
    const base = tip - way * ARROW_PX * px;
    ctx.beginPath();
    ctx.moveTo(x, tip);
    ctx.lineTo(x - (ARROW_PX / 2) * px, base);
    ctx.lineTo(x + (ARROW_PX / 2) * px, base);
    ctx.closePath();
    ctx.stroke();
    ctx.fill();
  }
  ctx.restore();
}
