/** A series with marks where rules would have fired: by shape which version, by colour how bad. */
import { useEffect, useMemo, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Severity } from "../api/types";
import { cityZone } from "../format/time";
import { language, t } from "../i18n";
import type { Change } from "../rulefile/trial";
import { theme, token } from "../state/theme";
import { CutNote } from "./cut-note";
import { NO_CUTS, cutWords, cutsOf } from "./cuts";
import { chartOptions, yRange, type ChartLimit } from "./options";
import { hasValues, reachOf, type ChartSeries } from "./series";

export interface WouldMark {
  from: number;
  /** Null if it fires at the end. */
  to: number | null;
  severity: Severity;
  change: Change;
}

interface Props {
  name: string;
  series: ChartSeries;
  from: number;
  to: number;
  symbol: string;
  decimals: number;
  limit: ChartLimit | null;
  marks: readonly WouldMark[];
}

/** Rows of marks above the line: the new version's and, below it, those that it no longer has. */
const ROW_PX = 13;

export function WouldChart({ name, series, from, to, symbol, decimals, limit, marks }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const data = useMemo(() => (series.band ? [series.time, series.value, series.flagged, series.band.min, series.band.max] : [series.time, series.value, series.flagged]) as uPlot.AlignedData, [series]);
  const { reach, cuts } = useMemo(() => {
    const reach = limit === null ? reachOf(series) : null;
    return { reach, cuts: reach === null || !series.band ? NO_CUTS : cutsOf(series.time, [series.band], yRange(...reach, limit, decimals)) };
  }, [series, limit, decimals]);
  const cut = cutWords(cuts, decimals, symbol);
  useEffect(() => {
    const host = box.current;
    if (!host) return;
    const zone = cityZone.peek();
    const options = chartOptions({
      width: Math.max(host.clientWidth, 50),
      height: Math.max(host.clientHeight, 50),
      from, to, decimals, limit, reach, cuts,
      span: null,
      otherLimits: [],
      hasUsual: false,
      hasBand: series.band !== null,
      tzDate: (ms) => uPlot.tzDate(new Date(ms), zone),
      onCursor: () => undefined,
    });
    options.padding = [10 + 2 * ROW_PX, 26, 0, 0];
    options.hooks = { ...options.hooks, drawClear: [(plot) => drawSpans(plot, marks, to)], draw: [...(options.hooks?.draw ?? []), (plot) => drawMarks(plot, marks)] };
    const plot = new uPlot(options, data, host);
    const resize = new ResizeObserver(() => host.clientWidth > 0 && plot.setSize({ width: host.clientWidth, height: host.clientHeight }));
    resize.observe(host);
    return () => {
      resize.disconnect();
      plot.destroy();
    };
  }, [data, from, to, marks, limit, decimals, theme.value, language.value]);
  const count = (change: Change) => marks.filter((mark) => mark.change === change).length;
  return (
    <div class={cut.length > 0 ? "chart has-cut" : "chart"}>
      <div class="chart-plot" ref={box} role="img" aria-label={t("backtest.chart.summary", { name, both: count("both"), gained: count("gained"), lost: count("lost") })} />
      {cut.length > 0 && <CutNote words={cut} />}
      {!hasValues(series) && <p class="chart-empty">{t("chart.none")}</p>}
    </div>
  );
}

function drawSpans(plot: uPlot, marks: readonly WouldMark[], end: number): void {
  const { ctx, bbox } = plot;
  ctx.save();
  for (const mark of marks) {
    if (mark.change === "lost") continue;
    const left = clamp(plot.valToPos(mark.from, "x", true), bbox);
    const right = clamp(plot.valToPos(mark.to ?? end, "x", true), bbox);
    ctx.globalAlpha = 0.13;
    ctx.fillStyle = token(mark.severity);
    ctx.fillRect(left, bbox.top, Math.max(right - left, 2 * devicePixelRatio), bbox.height);
  }
  ctx.restore();
}

function drawMarks(plot: uPlot, marks: readonly WouldMark[]): void {
  const { ctx, bbox } = plot;
  ctx.save();
  for (const mark of marks) {
    const x = plot.valToPos(mark.from, "x", true);
    if (x < bbox.left - 1 || x > bbox.left + bbox.width + 1) continue;
    const y = bbox.top - (mark.change === "lost" ? 0.5 : 1.5) * ROW_PX * devicePixelRatio;
    const r = 4.5 * devicePixelRatio;
    ctx.beginPath();
    if (mark.change === "both") ctx.rect(x - r * 0.8, y - r * 0.8, r * 1.6, r * 1.6);
    else {
      // New ones point down at the line, gone ones are hollow and point away from it.
      const way = mark.change === "gained" ? 1 : -1;
      ctx.moveTo(x - r, y - way * r);
      ctx.lineTo(x + r, y - way * r);
      ctx.lineTo(x, y + way * r);
      ctx.closePath();
    }
    ctx.lineWidth = 1.3 * devicePixelRatio;
    ctx.strokeStyle = token(mark.change === "lost" ? "text-muted" : "severity-outline");
    ctx.fillStyle = token(mark.severity);
    if (mark.change !== "lost") ctx.fill();
    ctx.stroke();
  }
  ctx.restore();
}

function clamp(x: number, { left, width }: { left: number; width: number }): number {
  return Math.min(Math.max(x, left), left + width);
}
