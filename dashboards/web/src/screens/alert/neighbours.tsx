/** What devices nearby measure of the same: on a small map and as a list. */
import { useMemo } from "preact/hooks";
import { api } from "../../api/client";
import type { AlertDetail, LastValue, LonLat } from "../../api/types";
import { span } from "../../format/time";
import { t } from "../../i18n";
import { metricName } from "../../state/city";
import { fleet } from "../../state/fleet";
import { now } from "../../state/clock";
import { useDeviceNames } from "../../state/device-names";
import { useResource } from "../../state/resource";
import { DeviceId, DeviceLink } from "../../ui/device-link";
import { Panel } from "../../ui/panel";
import { trustedText, QualityWord, isDoubtful } from "../../ui/quality";
import { ResourceView } from "../../ui/resource-view";
import { NeighbourMap } from "./neighbour-map";

const REFRESH_MS = 10_000;
const MOST = 8;
const LOADED = 400;
const EARTH_M = 6_371_000;

export interface Neighbour {
  value: LastValue;
  place: LonLat;
  metres: number;
}

export function Neighbours({ alert }: { alert: AlertDetail }) {
  const { metric, subject, position } = alert;
  const zone = subject.type === "zone" ? subject.zone : alert.zones[0];
  const resource = useResource(metric === null || zone === undefined ? null : `neighbours|${zone}|${metric}`, (signal) => api.lastValues({ zone: alert.zones.length > 0 ? alert.zones.join(",") : zone, metric, limit: LOADED }, signal), { everyMs: REFRESH_MS });
  const own = subject.type === "zone" ? null : subject.device;
  const found = useMemo(() => nearest(resource.data?.items ?? [], own, position ? [position.lon, position.lat] : null, placeOf), [resource.data, own, position]);
  useDeviceNames(found.map(({ value }) => value.device));
  if (metric === null || zone === undefined) return null;
  const self = resource.data?.items.find(({ device }) => device === own) ?? null;
  return (
    <Panel title={t("neighbours.title")} note={metricName(metric)} class="neighbours">
      <ResourceView resource={resource} compact>
        {() =>
          found.length === 0 ? (
            <p class="state">{t("neighbours.none")}</p>
          ) : (
            <>
              <NeighbourMap neighbours={found} own={position ? [position.lon, position.lat] : null} value={self} severity={alert.severity} />
              <ol class="neighbour-lines">
                {found.map((each, at) => <Line key={each.value.device} neighbour={each} n={at + 1} />)}
              </ol>
            </>
          )
        }
      </ResourceView>
    </Panel>
  );
}

function Line({ neighbour: { value, metres }, n }: { neighbour: Neighbour; n: number }) {
  const old = (now.value - Date.parse(value.time)) / 1000;
  const stale = value.stale || old > value.max_age_s;
  return (
    <li class={stale ? "stale" : ""}>
      <span class="neighbour-n">{n}</span>
      <DeviceLink id={value.device} />
      <strong>{trustedText(value)}</strong>
      <span class="muted">
        {metres < 1000 ? t("unit.m", { n: Math.round(metres / 10) * 10 }) : t("unit.km", { n: (metres / 1000).toFixed(1) })} · {span(old)}
        {stale && ` · ${t("device.stale")}`}
      </span>
      <DeviceId id={value.device} />
      {isDoubtful(value.quality) && <QualityWord quality={value.quality} />}
    </li>
  );
}

function placeOf(value: LastValue): LonLat | null {
  if (value.position !== null) return value.position;
  const device = fleet.byId(value.device);
  return device === null || device.lon === null || device.lat === null ? null : [device.lon, device.lat];
}

/** The nearest others, near first; without a place of its own, any. */
export function nearest(values: readonly LastValue[], own: string | null, here: LonLat | null, place: (value: LastValue) => LonLat | null): Neighbour[] {
  const others: Neighbour[] = [];
  for (const value of values) {
    const there = place(value);
    if (value.device === own || there === null) continue;
    others.push({ value, place: there, metres: here === null ? 0 : distance(here, there) });
  }
  return others.sort((a, b) => a.metres - b.metres || (a.value.device < b.value.device ? -1 : 1)).slice(0, MOST);
}

/** In metres, on a sphere: near enough for neighbours. */
export function distance([lon1, lat1]: LonLat, [lon2, lat2]: LonLat): number {
  const rad = Math.PI / 180;
  const x = (lon2 - lon1) * rad * Math.cos(((lat1 + lat2) / 2) * rad);
  const y = (lat2 - lat1) * rad;
  return EARTH_M * Math.hypot(x, y);
}
