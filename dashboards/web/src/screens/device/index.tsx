/** One device: what it is, what it says now and how old that is, its history, alerts and counters. */
import { api } from "../../api/client";
import type { Device, LastValue } from "../../api/types";
import { DeviceChart } from "../../charts/device-chart";
import { RangeChoice } from "../../charts/range-choice";
import { chosenRange, rangeForInterval, refreshMs, windowOf, type Range } from "../../charts/ranges";
import { dateTime } from "../../format/time";
import { local, t } from "../../i18n";
import { query } from "../../router";
import { alertBook } from "../../state/alert-book";
import { inOrder, kindName, metricName, metricOf } from "../../state/city";
import { fleet, fleetCounts } from "../../state/fleet";
import { useResource } from "../../state/resource";
import { AlertTable, alertMark } from "../../ui/alert-table";
import { SeverityWord, StatusWord } from "../../ui/marks";
import { MiniMap } from "../../ui/mini-map";
import { Panel } from "../../ui/panel";
import { Loading, ResourceView } from "../../ui/resource-view";
import { About, Attributes, Counters } from "./facts";
import { LastValues } from "./last-values";

const REFRESH_MS = 5_000;

export function DeviceScreen({ id }: { id: string }) {
  const device = useResource(`device|${id}`, (signal) => api.device(id, signal), { everyMs: REFRESH_MS });
  return (
    <ResourceView resource={device} missing="device.gone">
      {(held) => <DevicePage device={held} />}
    </ResourceView>
  );
}

function DevicePage({ device }: { device: Device }) {
  const values = useResource(`values|${device.id}`, (signal) => api.lastValues({ device: device.id, limit: 100 }, signal), { everyMs: REFRESH_MS });
  const concerned = alertMark((alert) => alert.subject.type !== "zone" && alert.subject.device === device.id, alertBook.all());
  const drawn = (values.data?.items ?? []).filter((value) => typeof value.value !== "string");
  return (
    <article class="page">
      <DeviceHead device={device} />
      <div class="columns">
        <div class="column-main">
          <Panel title={t("device.values")}>
            <ResourceView resource={values} compact>
              {(held) => <LastValues values={inOrder(held.items.map((each) => each.metric)).flatMap((metric) => held.items.filter((each) => each.metric === metric))} />}
            </ResourceView>
          </Panel>
          <History device={device} values={drawn} loading={values.loading} />
        </div>
        <div class="column-side">
          <Panel title={t("device.position")} class="map-side">
            {device.position ? <MiniMap place={device.position} device={device.id} /> : <p class="state">{t("device.position.none")}</p>}
          </Panel>
          <About device={device} />
          <AlertTable of={{ device: device.id }} title={t("device.alerts")} none="device.alerts.none" version={concerned} />
          <Attributes device={device} />
          <Counters counters={device.counters} />
        </div>
      </div>
    </article>
  );
}

function DeviceHead({ device }: { device: Device }) {
  void fleetCounts.value; // the fleet changes in place; its counts say when
  const live = fleet.byId(device.id);
  const severity = live?.severity ?? device.severity;
  return (
    <header class={`page-head${severity ? ` bar-${severity}` : ""}`}>
      <div class="page-title">
        <p class="alert-badges">
          <span class="muted">{kindName(device.kind)}</span>
          <StatusWord status={live?.status ?? device.status} />
          {severity && <SeverityWord severity={severity} />}
          {device.simulated && <span class="badge">{t("device.simulated")}</span>}
        </p>
        <h1>{local(device.name)}</h1>
        <p class="muted">
          <code>{device.id}</code>
        </p>
      </div>
    </header>
  );
}

interface HistoryProps {
  device: Device;
  values: readonly LastValue[];
  loading: boolean;
}

function History({ device, values, loading }: HistoryProps) {
  const range = chosenRange(query.value.get("range")) ?? rangeForInterval(device.interval_s);
  const newest = new Map(values.map((value) => [value.metric, Date.parse(value.time)]));
  const derived = new Set(values.filter((value) => value.marks.includes("derived")).map((value) => value.metric));
  const metrics = inOrder([...newest.keys()]);
  const past = Math.max(...newest.values());
  return (
    <Panel title={t("device.history")} actions={<RangeChoice range={range} />}>
      {metrics.length === 0 && (loading ? <Loading /> : <p class="state">{t("chart.none")}</p>)}
      {metrics.length > 0 && windowOf(range, past).past !== null && <p class="note past">{t("chart.past", { time: dateTime(past) })}</p>}
      <div class={metrics.length > 1 ? "charts-grid" : ""}>
        {metrics.map((metric) => (
          <MetricChart key={metric} device={device} metric={metric} range={range} newest={newest.get(metric) ?? null} derived={derived.has(metric)} />
        ))}
      </div>
    </Panel>
  );
}

interface MetricChartProps {
  device: Device;
  metric: string;
  range: Range;
  /** When its newest reading was, in epoch milliseconds. */
  newest: number | null;
  /** Whether it is computed here, hour by hour. */
  derived: boolean;
}

const DERIVED_EVERY_S = 3_600;

function MetricChart({ device, metric, range, newest, derived }: MetricChartProps) {
  const symbol = metricOf(metric)?.symbol ?? "";
  const { past } = windowOf(range, newest);
  return (
    <figure class="chart-figure">
      <figcaption>
        {metricName(metric)} {symbol !== "" && <span class="muted">{symbol}</span>}
      </figcaption>
      <DeviceChart device={device.id} metric={metric} intervalS={derived ? DERIVED_EVERY_S : device.interval_s} windowKey={`${range}|${past ?? ""}`} window={() => windowOf(range, newest)} everyMs={refreshMs(range)} />
    </figure>
  );
}
