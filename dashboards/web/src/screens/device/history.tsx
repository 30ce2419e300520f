/** The history of a device: a span of time that can be moved, as charts or as the readings themselves. */
import { useMemo } from "preact/hooks";
import { api } from "../../api/client";
import { isTrusted, qualityOfCode } from "../../api/codes";
import type { Device, LastValue, Quality, Readings } from "../../api/types";
import { seriesOf } from "../../charts/device-chart";
import { RangeChoice } from "../../charts/range-choice";
import { chosenRange, iso, lengthOf, rangeForInterval, refreshMs, windowOf, type ChartWindow, type Range } from "../../charts/ranges";
import { EMPTY_SERIES, extremes } from "../../charts/series";
import { TimeChart } from "../../charts/time-chart";
import { number } from "../../format/number";
import { dateTime, zoneOffset } from "../../format/time";
import { counted, t } from "../../i18n";
import { query, setQuery } from "../../router";
import { inOrder, metricName, metricOf } from "../../state/city";
import { serverNow } from "../../state/clock";
import { useResource } from "../../state/resource";
import { Choice } from "../../ui/choice";
import { FileLinks } from "../../ui/file-links";
import { Panel } from "../../ui/panel";
import { Loading, ResourceView } from "../../ui/resource-view";
import { ReadingsTable } from "./readings-table";

/** What is computed here is computed hour by hour. */
const DERIVED_EVERY_S = 3_600;

interface HistoryProps {
  device: Device;
  values: readonly LastValue[];
  loading: boolean;
}

export function History({ device, values, loading }: HistoryProps) {
  const params = query.value;
  const range = chosenRange(params.get("range")) ?? rangeForInterval(device.interval_s);
  const until = momentOf(params.get("until"));
  const asTable = params.get("view") === "table";
  const byMetric = new Map(values.map((value) => [value.metric, value]));
  const all = inOrder([...byMetric.keys()]);
  const drawn = all.filter((metric) => typeof byMetric.get(metric)?.value !== "string");
  const one = all.find((metric) => metric === params.get("metric")) ?? null;
  const newest = Math.max(...values.map((value) => Date.parse(value.time)));
  const shown = windowOf(range, Number.isFinite(newest) && until === null ? newest : null, until ?? serverNow());
  const metrics = asTable ? all.slice(0, 1) : drawn;
  const list = one === null ? metrics : [one];
  return (
    <Panel
      title={t("device.history")}
      class="history"
      actions={
        <>
          {all.length > 1 && <Choice label={t("device.metric")} value={one ?? (asTable ? (all[0] ?? "") : "")} options={[...(asTable ? [] : [["", t("history.all")] as const]), ...all.map((metric) => [metric, metricName(metric)] as const)]} onChange={(metric) => setQuery({ metric })} />}
          <div class="segments" role="group" aria-label={t("history.view")}>
            <button type="button" aria-pressed={!asTable} onClick={() => setQuery({ view: null, doubted: null })}>{t("history.chart")}</button>
            <button type="button" aria-pressed={asTable} onClick={() => setQuery({ view: "table" })}>{t("history.table")}</button>
          </div>
          <RangeChoice range={range} />
          <Mover range={range} until={until} past={shown.past} />
        </>
      }
    >
      {all.length === 0 && (loading ? <Loading /> : <p class="state">{t("chart.none")}</p>)}
      {all.length > 0 && (until !== null ? <p class="note past">{t("history.until", { from: dateTime(shown.from), to: dateTime(shown.to), offset: zoneOffset(shown.to) })}</p> : shown.past !== null && <p class="note past">{t("chart.past", { time: dateTime(shown.past) })}</p>)}
      {asTable && list[0] !== undefined ? (
        <ReadingsTable device={device.id} metric={list[0]} windowKey={`${range}|${until ?? ""}|${shown.past ?? ""}`} window={() => windowOf(range, newestOf(byMetric, list[0], until), until ?? serverNow())} />
      ) : (
        <div class={list.length > 1 ? "charts-grid" : "chart-alone"}>
          {list.map((metric) => (
            <MetricChart key={metric} device={device} metric={metric} range={range} until={until} last={byMetric.get(metric)} />
          ))}
        </div>
      )}
    </Panel>
  );
}

/** An epoch in milliseconds; null for none that can be read, or what is not over yet. */
function momentOf(text: string | null): number | null {
  const moment = text === null ? NaN : Date.parse(text);
  return Number.isFinite(moment) && moment < serverNow() ? moment : null;
}

function newestOf(byMetric: ReadonlyMap<string, LastValue>, metric: string | undefined, until: number | null): number | null {
  const last = metric === undefined ? undefined : byMetric.get(metric);
  return until !== null || last === undefined ? null : Date.parse(last.time);
}

/** Back and forth by half of what is seen, and to what is newest. */
function Mover({ range, until, past }: { range: Range; until: number | null; past: number | null }) {
  const by = (part: number) => {
    const next = (until ?? past ?? serverNow()) + part * lengthOf(range);
    setQuery({ until: next >= serverNow() ? null : iso(Math.round(next / 1000) * 1000) });
  };
  return (
    <div class="segments" role="group" aria-label={t("history.move")}>
      <button type="button" aria-label={t("history.earlier")} title={t("history.earlier")} onClick={() => by(-0.5)}>◂</button>
      <button type="button" aria-label={t("history.later")} title={t("history.later")} disabled={until === null} onClick={() => by(0.5)}>▸</button>
      <button type="button" aria-pressed={until === null} onClick={() => setQuery({ until: null })}>{t("history.newest")}</button>
    </div>
  );
}

interface MetricChartProps {
  device: Device;
  metric: string;
  range: Range;
  until: number | null;
  last: LastValue | undefined;
}

interface Loaded extends ChartWindow {
  readings: Readings;
}

function MetricChart({ device, metric, range, until, last }: MetricChartProps) {
  const newest = last === undefined || until !== null ? null : Date.parse(last.time);
  const past = windowOf(range, newest, until ?? serverNow()).past;
  const intervalS = last?.marks.includes("derived") ? DERIVED_EVERY_S : device.interval_s;
  const resource = useResource<Loaded>(
    `${device.id}|${metric}|${range}|${until ?? ""}|${past ?? ""}`,
    async (signal) => {
      const window = windowOf(range, newest, until ?? serverNow());
      return { ...window, readings: await api.readings({ device: device.id, metric, from: iso(window.from), to: iso(window.to) }, signal) };
    },
    until === null ? { everyMs: refreshMs(range) } : {},
  );
  const { data } = resource;
  const series = useMemo(() => (data ? seriesOf(data.readings, intervalS) : EMPTY_SERIES), [data, intervalS]);
  const symbol = metricOf(metric)?.symbol ?? "";
  return (
    <figure class="chart-figure">
      <figcaption>
        {metricName(metric)} {symbol !== "" && <span class="muted">{symbol}</span>}
        {data && <Summary readings={data.readings} metric={metric} lowHigh={extremes(series)} />}
      </figcaption>
      <ResourceView resource={resource} compact>
        {(held) => <TimeChart name={metricName(metric)} series={series} from={held.from} to={held.to} symbol={held.readings.symbol} decimals={metricOf(metric)?.decimals ?? 1} />}
      </ResourceView>
      {data && (
        <FileLinks path="/readings/export" query={{ device: device.id, metric, from: iso(data.from), to: iso(data.to) }} name={`${device.id}-${metric}`} formats={["csv"]} />
      )}
    </figure>
  );
}

/** How many readings of which quality; `null` for how many of each flag where only steps are known. */
export function qualitiesOf(readings: Readings): { total: number; doubted: number; byFlag: ReadonlyMap<Quality, number> | null } {
  if (readings.raw) {
    const byFlag = new Map<Quality, number>();
    let doubted = 0;
    for (const code of readings.raw.quality) {
      const quality = qualityOfCode(code);
      byFlag.set(quality, (byFlag.get(quality) ?? 0) + 1);
      if (!isTrusted(code)) doubted += 1;
    }
    return { total: readings.raw.quality.length, doubted, byFlag };
  }
  const sum = (column: readonly number[]) => column.reduce((all, each) => all + each, 0);
  const { count, flagged } = readings.buckets ?? { count: [], flagged: [] };
  // Suspect readings stand in both columns, so the two are not added.
  return { total: sum(count), doubted: sum(flagged), byFlag: null };
}

function Summary({ readings, metric, lowHigh }: { readings: Readings; metric: string; lowHigh: { min: number; max: number } | null }) {
  const { total, doubted, byFlag } = qualitiesOf(readings);
  const decimals = metricOf(metric)?.decimals ?? 1;
  const said = byFlag === null ? t("history.doubted", { n: number(doubted) }) : (["suspect", "fail", "missing"] as const).flatMap((flag) => (byFlag.has(flag) ? [`${t(`quality.${flag}`)} ${number(byFlag.get(flag) ?? 0)}`] : [])).join(" · ");
  return (
    <span class="chart-summary">
      <span>{counted("history.readings", total)}</span>
      {lowHigh && <span>{[...new Set([number(lowHigh.min, decimals), number(lowHigh.max, decimals)])].join(" – ")}</span>}
      {doubted > 0 && (
        <button type="button" class="badge badge-doubt" title={t("history.doubted.show")} onClick={() => setQuery({ metric, view: "table", doubted: "1" })}>
          {said}
        </button>
      )}
      {readings.truncated && <span class="badge">{t("chart.truncated")}</span>}
    </span>
  );
}
