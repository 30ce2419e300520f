/** One zone: its figures, what its devices say together, its alerts, its trend, and how it stands among others. */
import { api } from "../../api/client";
import type { components } from "../../api/schema";
import type { ZoneDetail } from "../../api/types";
import { number } from "../../format/number";
import { local, t } from "../../i18n";
import { to } from "../../router";
import { alertBook } from "../../state/alert-book";
import { kindName, layerName, zoneName } from "../../state/city";
import { useResource } from "../../state/resource";
import { AlertTable, alertMark } from "../../ui/alert-table";
import { FileLinks } from "../../ui/file-links";
import { MiniMap } from "../../ui/mini-map";
import { Facts, Panel } from "../../ui/panel";
import { ResourceView } from "../../ui/resource-view";
import { ZoneMetrics } from "./metrics";
import { SilentDevices } from "./silent-devices";
import { ZoneTrend } from "./trend";

const REFRESH_MS = 10_000;

/** The server says more of a zone than the rest of the page reads. */
export type WholeZone = ZoneDetail & Pick<components["schemas"]["ZoneDetail"], "above" | "below" | "area_km2">;

export function ZoneScreen({ id }: { id: string }) {
  const resource = useResource(`zone|${id}`, (signal) => api.zone(id, signal) as Promise<WholeZone>, { everyMs: REFRESH_MS });
  return (
    <ResourceView resource={resource} missing="zone.gone">
      {(zone) => <ZonePage zone={zone} />}
    </ResourceView>
  );
}

function ZonePage({ zone }: { zone: WholeZone }) {
  const concerned = alertMark((alert) => alert.zones.includes(zone.id), alertBook.all());
  const kinds = Object.entries(zone.devices_by_kind).sort((a, b) => b[1] - a[1]);
  return (
    <article class="page">
      <header class="page-head">
        <div class="page-title">
          <p class="alert-badges muted">
            {layerName(zone.layer)}
            {(zone.above ?? []).map((each) => (
              <span key={each}>
                {t("zone.in")} <a href={to.zone(each)}>{zoneName(each)}</a>
              </span>
            ))}
          </p>
          <h1>{local(zone.name)}</h1>
        </div>
        <dl class="head-figures">
          <div><dt>{t("zones.devices")}</dt><dd><a href={to.devices({ zone: zone.id })}>{number(zone.devices)}</a></dd></div>
          <div><dt>{t("zone.offline")}</dt><dd><a href={to.devices({ zone: zone.id, status: "offline" })}>{number(zone.offline)}</a></dd></div>
          <div><dt>{t("zones.firing")}</dt><dd>{number(zone.alerts_firing)}</dd></div>
          {zone.area_km2 !== undefined && <div><dt>{t("zones.area")}</dt><dd>{number(zone.area_km2, zone.area_km2 < 10 ? 1 : 0)} <small>km²</small></dd></div>}
        </dl>
      </header>
      <div class="columns">
        <div class="column-main">
          <ZoneTrend zone={zone} />
          <ZoneMetrics zone={zone} />
        </div>
        <div class="column-side">
          <Panel title={t("alert.where")} class="map-side">
            <MiniMap zone={zone.id} bounds={zone.bounds} />
          </Panel>
          <AlertTable of={{ zone: zone.id }} title={t("zone.alerts")} none="zone.alerts.none" version={concerned} />
          <SilentDevices zone={zone.id} />
          <Panel title={t("zone.kinds")} note={<a href={to.devices({ zone: zone.id })}>{t("zone.all_devices")}</a>} actions={<FileLinks path="/devices" query={{ zone: zone.id }} name={`${zone.id}-devices`} formats={["csv", "geojson"]} />}>
            {kinds.length === 0 ? <p class="state">{t("zone.kinds.none")}</p> : <Facts items={kinds.map(([kind, count]) => [<a href={to.devices({ zone: zone.id, kind })}>{kindName(kind)}</a>, number(count)] as const)} />}
          </Panel>
          {(zone.below ?? []).length > 0 && (
            <Panel title={t("zone.below")} note={number(zone.below.length)}>
              <ul class="zone-list">
                {zone.below.map((each) => (
                  <li key={each}><a href={to.zone(each)}>{zoneName(each)}</a></li>
                ))}
              </ul>
            </Panel>
          )}
        </div>
      </div>
    </article>
  );
}
