/** What one view of the wall holds: figures, map, alerts, trend. The map stays and only looks elsewhere. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { SEVERITIES } from "../../api/codes";
import type { AlertItem, Bounds } from "../../api/types";
import { AggregateChart, useAggregate } from "../../charts/aggregate-chart";
import { figure, number } from "../../format/number";
import { shortTime } from "../../format/time";
import { counted, local, t } from "../../i18n";
import type { CityMap } from "../../map/city-map";
import { hiddenOf } from "../../map/layer-choice";
import { Legend } from "../../map/legend";
import { MapPanel } from "../../map/map-panel";
import { query } from "../../router";
import { zoneLoads } from "../../state/alert-book";
import { metricName, metricOf, system, zoneName } from "../../state/city";
import { now } from "../../state/clock";
import { loaded } from "../../state/live";
import { Age } from "../../ui/age";
import { CheckIcon } from "../../ui/icons";
import { SeverityMark } from "../../ui/marks";
import { boundsOf, isKnown, useAlerts, useDevices, useMetrics, viewKey, type WallAlerts } from "./scope";
import type { WallPlan, WallView } from "./views";

/** So many metrics take turns in the chart. */
const METRICS_SHOWN = 4;

interface Props {
  view: WallView;
  plan: WallPlan;
  round: number;
  scale: number;
}

export function Board({ view, plan, round, scale }: Props) {
  const alerts = useAlerts(view);
  const known = isKnown(view);
  const full = view.kind === "alerts";
  return (
    <div class={full ? "wall-board wall-full" : isTall(system.value?.city.bounds) ? "wall-board wall-tall" : "wall-board"}>
      <Figures view={view} alerts={alerts} />
      <WallMap view={view} alerts={alerts} scale={scale} />
      {!full && <WallTrend view={view} plan={plan} round={round} />}
      {view.kind === "city" && <Zones />}
      {known ? <Alerts alerts={alerts} columns={full} /> : <p class="wall-panel wall-nothing">{t("wall.unknown", { what: t(view.kind === "zone" ? "wall.zone" : "wall.department"), id: viewKey(view) })}</p>}
    </div>
  );
}

function isTall(bounds: Bounds | undefined): boolean {
  if (!bounds) return false;
  const [west, south, east, north] = bounds;
  return north - south > (east - west) * Math.cos((((south + north) / 2) * Math.PI) / 180);
}

function Figures({ view, alerts }: { view: WallView; alerts: WallAlerts }) {
  const devices = useDevices(view);
  const none = t("value.none");
  return (
    <section class="wall-panel wall-figures" aria-label={t("figure.label")}>
      <div>
        <span>{t("wall.devices")}</span>
        <strong>{devices.online === null ? none : number(devices.online)}</strong>
        {devices.total !== null && <small>{t("figure.of", { n: number(devices.total) })}</small>}
      </div>
      <div>
        <span>{t("wall.firing")}</span>
        <strong>{loaded.value ? number(alerts.total) : none}</strong>
        <small class="wall-severities">
          {SEVERITIES.map((severity) => (
            <span key={severity} title={t(`severity.${severity}`)}>
              <SeverityMark severity={severity} label />
              {number(alerts.bySeverity[severity])}
            </span>
          ))}
        </small>
      </div>
      <div class={alerts.unacknowledged > 0 ? "some" : ""}>
        <span>{t("wall.unacknowledged")}</span>
        <strong>{loaded.value ? number(alerts.unacknowledged) : none}</strong>
        {alerts.oldest !== null && (
          <small>
            {t("wall.oldest")} <Age at={alerts.oldest} />
          </small>
        )}
      </div>
      <div>
        <span>{t("wall.rate")}</span>
        <strong>{system.value ? figure(system.value.readings_per_s) : none}</strong>
      </div>
    </section>
  );
}

/** Drawn small and dense, and then enlarged: its shapes and names grow with the screen. */
function WallMap({ view, alerts, scale }: { view: WallView; alerts: WallAlerts; scale: number }) {
  const map = useRef<CityMap | null>(null);
  const bounds = boundsOf(view, alerts.firing);
  const key = viewKey(view);
  useEffect(() => {
    if (bounds && view.kind !== "alerts") map.current?.fit(bounds);
  }, [key]);
  const factor = Math.max(1, scale * 1.2);
  const size = `${100 / factor}%`;
  return (
    <section class="wall-panel wall-map" aria-label={t("map.label")}>
      <div class="wall-map-scaled" style={{ width: size, height: size, transform: `scale(${factor})` }}>
        <MapPanel
          key={factor}
          bounds={bounds}
          bare
          density={factor * devicePixelRatio}
          zone={view.kind === "zone" ? view.id : null}
          hidden={hiddenOf(query.value)}
          onMap={(made) => {
            map.current = made;
          }}
        >
          <Legend />
        </MapPanel>
      </div>
    </section>
  );
}

function WallTrend({ view, plan, round }: { view: WallView; plan: WallPlan; round: number }) {
  const known = useMetrics(view);
  const chosen = plan.metric !== null && known.includes(plan.metric) ? plan.metric : (known[round % Math.max(1, Math.min(METRICS_SHOWN, known.length))] ?? null);
  const resource = useAggregate(chosen, view.kind === "zone" ? view.id : null, null, view.kind === "department" ? view.id : null);
  const held = resource.data?.aggregates;
  return (
    <section class="wall-panel wall-trend">
      <h2>
        {chosen === null ? t("zone.trend") : metricName(chosen)} {held && <small>{`${metricOf(chosen)?.symbol ?? ""} · ${counted("trend.devices", held.devices)}`}</small>}
      </h2>
      <div class="wall-chart">{chosen === null ? <p class="state">{t("wall.no_metric")}</p> : <AggregateChart metric={chosen} resource={resource} />}</div>
    </section>
  );
}

function Zones() {
  const [box, rows] = useRows(2.1);
  const loads = zoneLoads.value;
  return (
    <section class="wall-panel wall-zones">
      <h2>{t("wall.worst_zones")}</h2>
      <ul ref={box}>
        {loads.slice(0, rows).map(({ zone, firing, worst }) => (
          <li key={zone}>
            <SeverityMark severity={worst} label />
            <span>{zoneName(zone)}</span>
            <b>{number(firing)}</b>
          </li>
        ))}
      </ul>
      {loads.length === 0 && <p class="state">{t("zones.attention.none")}</p>}
    </section>
  );
}

function Alerts({ alerts, columns }: { alerts: WallAlerts; columns: boolean }) {
  const [box, rows, across] = useRows(3.9, columns ? 34 : 1e9);
  const room = rows * across;
  const { firing } = alerts;
  // The last place is kept to say how many more there are.
  const shown = firing.length > room ? firing.slice(0, Math.max(0, room - 1)) : firing;
  const more = alerts.total - shown.length;
  return (
    <section class="wall-panel wall-alerts">
      <h2>
        {t("alerts.title")} <small>{number(alerts.total)}</small>
      </h2>
      <ul ref={box} class={across > 1 ? "columns-on" : ""} style={{ gridTemplateColumns: `repeat(${across}, minmax(0, 1fr))`, gridTemplateRows: `repeat(${Math.max(1, rows)}, auto)` }}>
        {shown.map((alert) => (
          <WallAlert key={alert.id} alert={alert} />
        ))}
        {more > 0 && <li class="wall-more">{t("wall.more", { n: number(more) })}</li>}
      </ul>
      {loaded.value && firing.length === 0 && <p class="wall-nothing">{t("wall.none")}</p>}
    </section>
  );
}

function WallAlert({ alert }: { alert: AlertItem }) {
  const where = [alert.zone_names.map(local).join(" · "), alert.device_name ? local(alert.device_name) : ""].filter((part) => part !== "");
  return (
    <li class={`bar-${alert.severity} ${alert.acknowledged === null ? "unacknowledged" : ""}`} data-alert={alert.id}>
      <SeverityMark severity={alert.severity} />
      <div>
        <span class="wall-what">{local(alert.summary)}</span>
        <span class="wall-where">
          <b>{t(`severity.${alert.severity}`)}</b> {where.map((part) => `· ${part}`).join(" ")}
        </span>
      </div>
      <div class="wall-when">
        <span>{shortTime(alert.fired_at, now.value)}</span>
        {alert.acknowledged === null ? <Age at={alert.fired_at} /> : <span class="wall-acked"><CheckIcon /> {alert.acknowledged.by}</span>}
      </div>
    </li>
  );
}

/** How many rows of so many ems fit into a box, and how many columns. */
function useRows(rowEm: number, columnEm = 1e9): [box: { current: HTMLUListElement | null }, rows: number, across: number] {
  const box = useRef<HTMLUListElement>(null);
  const [room, setRoom] = useState({ rows: 0, across: 1 });
  useEffect(() => {
    const host = box.current;
    if (!host) return;
    const measure = () => {
      const em = Number.parseFloat(getComputedStyle(host).fontSize);
      const next = { rows: Math.max(0, Math.floor(host.clientHeight / (rowEm * em))), across: Math.max(1, Math.floor(host.clientWidth / (columnEm * em))) };
      setRoom((old) => (old.rows === next.rows && old.across === next.across ? old : next));
    };
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(host);
    return () => watch.disconnect();
  }, [rowEm, columnEm]);
  return useMemo(() => [box, room.rows, room.across], [room]);
}
