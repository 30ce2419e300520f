/** A line over time: mean with its band, flagged readings apart, limit, firing span, read-out. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { number } from "../format/number";
import { cityZone, clockTime, dateTime, dayMonth, minuteTime } from "../format/time";
import { language, t } from "../i18n";
import { theme } from "../state/theme";
import { PictureIcon } from "../ui/icons";
import { CutNote } from "./cut-note";
import { NO_CUTS, cutWords, cutsOf } from "./cuts";
import { chartOptions, yRange, type ChartLimit, type ChartSpan } from "./options";
import { bandAt, type Usual } from "./usual";
import { extremes, hasValues, reachOf, type Band, type ChartSeries } from "./series";

export interface TimeChartProps {
  name: string;
  series: ChartSeries;
  from: number;
  to: number;
  symbol: string;
  decimals: number;
  limit?: ChartLimit | null;
  otherLimits?: readonly ChartLimit[];
  span?: ChartSpan | null;
  /** What is usual at these hours. */
  usual?: Usual | null;
}

const NO_LIMITS: readonly ChartLimit[] = [];

interface ReadOut {
  left: number;
  index: number;
}

export function TimeChart(props: TimeChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [readOut, setReadOut] = useState<ReadOut | null>(null);
  const { series, from, to, limit = null, otherLimits = NO_LIMITS, span = null, usual = null } = props;
  const usualBand = useMemo(() => (usual === null ? null : bandAt(usual, series.time)), [series, usual]);
  const data = useMemo(() => columns(series, usualBand), [series, usualBand]);
  const hasBand = series.band !== null;
  const look = [theme.value, language.value, cityZone.value, hasBand, usual !== null, props.decimals, JSON.stringify([limit, otherLimits]), span?.colour, span?.label].join("|");
  const { reach, cuts } = useMemo(() => {
    const more = usualBand === null ? [] : [usualBand];
    const reach = limit === null ? reachOf(series, more) : null;
    return { reach, cuts: reach === null ? NO_CUTS : cutsOf(series.time, [...(series.band ? [series.band] : []), ...more], yRange(...reach, limit, props.decimals, otherLimits)) };
  }, [series, usualBand, look]);
  const shown = useRef({ from, to, span, reach, cuts });
  const cut = cutWords(cuts, props.decimals, props.symbol);

  useEffect(() => {
    const host = box.current;
    if (!host) return;
    const zone = cityZone.peek();
    shown.current = { from, to, span, reach, cuts };
    const made = new uPlot(
      chartOptions({
        width: Math.max(host.clientWidth, 50),
        height: Math.max(host.clientHeight, 50),
        get from() {
          return shown.current.from;
        },
        get to() {
          return shown.current.to;
        },
        get span() {
          return shown.current.span;
        },
        get reach() {
          return shown.current.reach;
        },
        get cuts() {
          return shown.current.cuts;
        },
        decimals: props.decimals,
        limit,
        otherLimits,
        hasBand,
        hasUsual: usual !== null,
        tzDate: (ms) => uPlot.tzDate(new Date(ms), zone),
        onCursor: (index, left) => setReadOut(index === null || left < 0 ? null : { left: left + made.over.offsetLeft, index }),
      }),
      data,
      host,
    );
    plot.current = made;
    const resize = new ResizeObserver(() => {
      if (host.clientWidth > 0 && host.clientHeight > 0) made.setSize({ width: host.clientWidth, height: host.clientHeight });
    });
    resize.observe(host);
    return () => {
      resize.disconnect();
      made.destroy();
      plot.current = null;
      setReadOut(null);
    };
  }, [look]);

  useEffect(() => {
    shown.current = { from, to, span, reach, cuts };
    plot.current?.batch(() => {
      plot.current?.setData(data, false);
      plot.current?.setScale("x", { min: from, max: to });
    });
  }, [data, from, to, span?.from, span?.to]);

  return (
    <div class={cut.length > 0 ? "chart has-cut" : "chart"}>
      <div class="chart-plot" ref={box} role="img" aria-label={spoken(props)} />
      {cut.length > 0 && <CutNote words={cut} />}
      {hasValues(series) && (
        <button type="button" class="plain icon-only chart-save" title={t("picture.chart")} aria-label={`${t("picture.chart")}: ${props.name}`} onClick={() => void save(plot.current, props, cut)}>
          <PictureIcon />
        </button>
      )}
      {readOut && <ReadOutBox {...props} at={readOut} />}
      {!hasValues(series) && <p class="chart-empty">{t("chart.none")}</p>}
    </div>
  );
}

/** Its module is loaded when somebody wants a picture. */
async function save(plot: uPlot | null, { name, symbol, from, to, series }: TimeChartProps, cut: readonly string[]): Promise<void> {
  if (!plot) return;
  const { saveChart } = await import("./chart-picture");
  await saveChart(plot.ctx.canvas, { title: name, symbol, from, to, hasBand: series.band !== null, cut });
}

function columns(series: ChartSeries, usual: Band | null): uPlot.AlignedData {
  const all = [series.time, series.value, series.flagged];
  if (series.band) all.push(series.band.min, series.band.max);
  if (usual) all.push(usual.min, usual.max);
  return all as uPlot.AlignedData;
}

function ReadOutBox({ series, at, symbol, decimals, from, to, usual = null }: TimeChartProps & { at: ReadOut }) {
  const time = series.time[at.index];
  if (time === undefined) return null;
  const value = series.value[at.index] ?? null;
  const flagged = series.flagged[at.index] ?? null;
  const low = series.band?.min[at.index] ?? null;
  const high = series.band?.max[at.index] ?? null;
  const expected = usual === null ? null : bandAt(usual, [time]);
  const stamp = to - from > 86_400_000 ? `${dayMonth(time)} ${minuteTime(time)}` : clockTime(time);
  return (
    <div class="chart-tip" style={{ left: `${at.left}px` }}>
      <span class="muted">{stamp}</span>
      {value !== null && <strong>{`${number(value, decimals)} ${symbol}`}</strong>}
      {value === null && flagged === null && <span>{t("chart.none.value")}</span>}
      {flagged !== null && <span>{`${t("chart.flagged")}: ${number(flagged, decimals)} ${symbol}`}</span>}
      {low !== null && high !== null && low !== high && <span class="muted">{`${number(low, decimals)} – ${number(high, decimals)}`}</span>}
      {expected !== null && typeof expected.min[0] === "number" && typeof expected.max[0] === "number" && <span class="muted">{t("chart.usual.at", { low: number(expected.min[0], decimals), high: number(expected.max[0], decimals) })}</span>}
    </div>
  );
}

function spoken({ name, series, from, to, symbol, decimals }: TimeChartProps): string {
  const found = extremes(series);
  if (!found) return `${name}: ${t("chart.none")}`;
  return t("chart.summary", {
    name,
    from: dateTime(from),
    to: dateTime(to),
    min: number(found.min, decimals),
    max: number(found.max, decimals),
    last: number(found.last, decimals),
    unit: symbol,
  });
}
