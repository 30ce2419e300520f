/** How uPlot is set up: the city's zone, 24 hours, the theme's colours, limit line and firing span. */
import type uPlot from "uplot";
import { clockTime, dayMonth, minuteTime } from "../format/time";
import { number } from "../format/number";
import { token } from "../state/theme";
import { drawCuts, type Cuts } from "./cuts";

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

export interface ChartLimit {
  value: number;
  label: string;
  /** The custom property of its colour. */
  colour: string;
  /** Where it is over again, if that is elsewhere: what lies between is shaded. */
  clear?: { value: number; label: string };
}

export interface ChartSpan {
  from: number;
  to: number;
  label: string;
  colour: string;
}

export interface ChartSetup {
  width: number;
  height: number;
  from: number;
  to: number;
  decimals: number;
  limit: ChartLimit | null;
  /** Other limits, drawn fainter. */
  otherLimits: readonly ChartLimit[];
  span: ChartSpan | null;
  hasBand: boolean;
  /** Whether what is usual is drawn, after the band. */
  hasUsual: boolean;
  /** What the value axis must hold, if not every value of every column. */
  reach: readonly [number, number] | null;
  /** What lies beyond the axis for that. */
  cuts: Cuts;
  tzDate(ms: number): Date;
  onCursor(index: number | null, left: number): void;
}

export function chartOptions(setup: ChartSetup): uPlot.Options {
  const text = token("text-muted");
  const grid = token("chart-grid");
  const line = token("chart-line");
  const scale = chartScale();
  const axis = { stroke: text, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1, size: 4 }, font: `${11 * scale}px ${token("font")}` };
  return {
    width: setup.width,
    height: setup.height,
    ms: 1,
    tzDate: setup.tzDate,
    padding: [10, 26 * scale, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 6, fill: line, stroke: line }, drag: { x: false, y: false } },
    scales: { x: { time: true, range: () => [setup.from, setup.to] }, y: { range: (_, min, max) => yRange(setup.reach?.[0] ?? min, setup.reach?.[1] ?? max, setup.limit, setup.decimals, setup.otherLimits) } },
    axes: [
      { ...axis, space: 64 * scale, size: 28 * scale, gap: 3, values: (_, splits, __, ___, step) => splits.map((at) => timeLabel(at, step, setup.tzDate)) },
      { ...axis, space: 30 * scale, size: (_, values) => 18 + 6.6 * scale * Math.max(2, ...(values ?? []).map((value) => value.length)), gap: 4, values: (_, splits) => tickLabels(splits) },
    ],
    series: [
      {},
      { stroke: line, width: 1.6 * scale, spanGaps: false, points: { show: true, filter: lonePoints, size: 4, fill: line } },
      { stroke: "transparent", width: 0, spanGaps: false, points: { show: true, size: 6, width: 1.4, stroke: token("chart-flagged"), fill: token("panel") } },
      ...(setup.hasBand ? [edge(), edge()] : []),
      ...(setup.hasUsual ? [edge(), edge()] : []),
    ],
    ...((setup.hasBand || setup.hasUsual) && { bands: bandsOf(setup) }),
    hooks: {
      drawClear: [(plot) => drawSpan(plot, setup.span), (plot) => drawLimitBand(plot, setup.limit)],
      draw: [(plot) => drawLimits(plot, setup), (plot) => drawSpanLabel(plot, setup.span), (plot) => drawCuts(plot, setup.cuts, scale)],
      setCursor: [(plot) => setup.onCursor(plot.cursor.idx ?? null, plot.cursor.left ?? -1)],
    },
  };
}

/** Each lies between two series without a line, after the first two. */
function bandsOf({ hasBand, hasUsual }: ChartSetup): uPlot.Band[] {
  const after = hasBand ? 5 : 3;
  return [
    ...(hasBand ? [{ series: [4, 3] as uPlot.Band.Bounds, fill: token("chart-band") }] : []),
    ...(hasUsual ? [{ series: [after + 1, after] as uPlot.Band.Bounds, fill: token("chart-usual") }] : []),
  ];
}

/** How much larger than usual texts and lines are, for screens that are seen from afar. */
export function chartScale(): number {
  return (Number(token("chart-font")) || 11) / 11;
}

const edge = (): uPlot.Series => ({ stroke: "transparent", width: 0, spanGaps: false, points: { show: false } });

/** A reading between two gaps has no line, so it gets a dot. */
function lonePoints(plot: uPlot, series: number): number[] {
  const values = plot.data[series] ?? [];
  const lone: number[] = [];
  for (let at = 0; at < values.length; at += 1) {
    if (values[at] != null && values[at - 1] == null && values[at + 1] == null) lone.push(at);
  }
  return lone;
}

export function yRange(min: number | null, max: number | null, limit: ChartLimit | null, decimals: number, others: readonly ChartLimit[] = []): [number, number] {
  const values = [min, max, ...[limit, ...others].flatMap((limit) => [limit?.value ?? null, limit?.clear?.value ?? null])].filter((value): value is number => value !== null && Number.isFinite(value));
  if (values.length === 0) return [0, 1];
  const low = Math.min(...values);
  const high = Math.max(...values);
  const room = Math.max((high - low) * 0.12, 2 * 10 ** -decimals);
  // Quantities that cannot be negative are not given negative room.
  return [low >= 0 && low - room < 0 ? 0 : low - room, high + room];
}

function tickLabels(splits: readonly number[]): string[] {
  const step = Math.abs((splits[1] ?? 1) - (splits[0] ?? 0));
  let decimals = 0;
  while (decimals < 4 && Math.abs(step * 10 ** decimals - Math.round(step * 10 ** decimals)) > 1e-6) decimals += 1;
  return splits.map((value) => number(value, decimals));
}

function timeLabel(at: number, step: number, tzDate: (ms: number) => Date): string {
  const local = tzDate(at);
  const midnight = local.getHours() === 0 && local.getMinutes() === 0;
  if (step >= DAY_MS || midnight) return dayMonth(at);
  return step < MINUTE_MS ? clockTime(at) : minuteTime(at);
}

function drawSpan(plot: uPlot, span: ChartSpan | null): void {
  if (!span) return;
  const { ctx, bbox } = plot;
  const left = clamp(plot.valToPos(span.from, "x", true), bbox.left, bbox.left + bbox.width);
  const right = clamp(plot.valToPos(span.to, "x", true), bbox.left, bbox.left + bbox.width);
  const colour = token(span.colour);
  ctx.save();
  ctx.globalAlpha = 0.14;
  ctx.fillStyle = colour;
  ctx.fillRect(left, bbox.top, Math.max(right - left, devicePixelRatio), bbox.height);
  ctx.globalAlpha = 0.9;
  ctx.fillRect(left, bbox.top, 2 * devicePixelRatio, bbox.height);
  ctx.restore();
}

function drawSpanLabel(plot: uPlot, span: ChartSpan | null): void {
  if (!span) return;
  const { ctx, bbox } = plot;
  const left = clamp(plot.valToPos(span.from, "x", true), bbox.left, bbox.left + bbox.width);
  ctx.save();
  ctx.fillStyle = token("text");
  ctx.font = `${11 * devicePixelRatio}px ${token("font")}`;
  ctx.textBaseline = "top";
  const room = bbox.left + bbox.width - left > 90 * devicePixelRatio;
  ctx.textAlign = room ? "left" : "right";
  ctx.fillText(span.label, left + (room ? 6 : -6) * devicePixelRatio, bbox.top + 4 * devicePixelRatio);
  ctx.restore();
}

/** Between where it is raised and where it is over: neither one nor the other happens there. */
function drawLimitBand(plot: uPlot, limit: ChartLimit | null): void {
  if (!limit?.clear) return;
  const { ctx, bbox } = plot;
  const [a, b] = [limit.value, limit.clear.value].map((value) => clamp(plot.valToPos(value, "y", true), bbox.top, bbox.top + bbox.height)) as [number, number];
  ctx.save();
  ctx.globalAlpha = 0.1;
  ctx.fillStyle = token(limit.colour);
  ctx.fillRect(bbox.left, Math.min(a, b), bbox.width, Math.abs(a - b));
  ctx.restore();
}

function drawLimits(plot: uPlot, { limit, otherLimits }: ChartSetup): void {
  const words: Taken[] = [];
  if (limit) {
    // The words stand outside of the band between the two.
    const downwards = limit.clear !== undefined && limit.clear.value < limit.value;
    drawLimit(plot, limit, { dash: [6, 4], alpha: 1, below: limit.clear !== undefined && !downwards }, words);
    if (limit.clear) drawLimit(plot, { ...limit, ...limit.clear }, { dash: [2, 3], alpha: 1, below: downwards }, words);
  }
  for (const other of otherLimits) drawLimit(plot, other, { dash: [2, 4], alpha: 0.75, below: false }, words);
}

/** From where to where down the chart there are words already. */
export type Taken = readonly [top: number, bottom: number];

/** Where the words of a line at `y` go: on the wanted side, else on the other; null if there is no room on either. */
export function placeForWords(y: number, height: number, gap: number, wantsBelow: boolean, chart: Taken, words: readonly Taken[]): Taken | null {
  const above: Taken = [y - gap - height, y - gap];
  const below: Taken = [y + gap, y + gap + height];
  const free = ([top, bottom]: Taken) => top >= chart[0] && bottom <= chart[1] && words.every((other) => bottom <= other[0] || top >= other[1]);
  return (wantsBelow ? [below, above] : [above, below]).find(free) ?? null;
}

interface LimitLook {
  dash: [number, number];
  alpha: number;
  /** Its label stands below the line, where there is room. */
  below: boolean;
}

/** The line, and its words on the side where there is room; on neither, the line has to do without. */
function drawLimit(plot: uPlot, limit: ChartLimit, look: LimitLook, words: Taken[]): void {
  const { ctx, bbox } = plot;
  const y = Math.round(plot.valToPos(limit.value, "y", true));
  if (y < bbox.top - 1 || y > bbox.top + bbox.height + 1) return;
  ctx.save();
  ctx.strokeStyle = token(limit.colour);
  ctx.globalAlpha = look.alpha;
  ctx.lineWidth = 1.5 * devicePixelRatio;
  ctx.setLineDash(look.dash.map((part) => part * devicePixelRatio));
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.font = `${11 * devicePixelRatio}px ${token("font")}`;
  ctx.textAlign = "left";
  const room = { width: ctx.measureText(limit.label).width + 8 * devicePixelRatio, height: 16 * devicePixelRatio };
  const place = placeForWords(y, room.height, devicePixelRatio, look.below, [bbox.top, bbox.top + bbox.height], words);
  if (place) {
    words.push(place);
    const left = bbox.left + 2 * devicePixelRatio;
    ctx.fillStyle = token("panel");
    ctx.globalAlpha = 0.8;
    ctx.fillRect(left, place[0], room.width, room.height);
    ctx.globalAlpha = 1;
    ctx.fillStyle = token("text");
    ctx.textBaseline = "middle";
    ctx.fillText(limit.label, left + 4 * devicePixelRatio, (place[0] + place[1]) / 2);
  }
  ctx.restore();
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
