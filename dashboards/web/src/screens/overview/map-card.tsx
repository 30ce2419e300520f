/** What was picked on the map: a device with its newest values, or a zone. */
import { api } from "../../api/client";
import { counted, local, t } from "../../i18n";
import { query, setQuery, to } from "../../router";
import { kindName, metricName, zoneById } from "../../state/city";
import { fleet, fleetCounts } from "../../state/fleet";
import { replayAt, replayData } from "../../state/replay-control";
import { useResource } from "../../state/resource";
import { Age } from "../../ui/age";
import { CloseIcon } from "../../ui/icons";
import { SeverityWord, StatusWord } from "../../ui/marks";
import { QualityWord, isDoubtful, trustedText } from "../../ui/quality";
import { ValuesThen } from "./values-then";

const VALUES_EVERY_MS = 5_000;

export function MapCard() {
  const device = query.value.get("device");
  const zone = query.value.get("zone");
  if (device !== null) return <DeviceCard id={device} />;
  return zone !== null ? <ZoneCard id={zone} /> : null;
}

function DeviceCard({ id }: { id: string }) {
  void fleetCounts.value; // the fleet changes in place; its counts say when
  const at = replayAt.value;
  const known = (replayData.value?.replay.fleet ?? fleet).byId(id);
  const about = useResource(`device|${id}`, (signal) => api.device(id, signal));
  const values = useResource(at === null ? `values|${id}` : null, (signal) => api.lastValues({ device: id }, signal), { everyMs: VALUES_EVERY_MS });
  return (
    <aside class="map-card" aria-label={t("map.selected")}>
      <CardHead title={about.data ? local(about.data.name) : id} onClose={() => setQuery({ device: null })} />
      <p class="card-line">
        <span class="muted">{kindName(known?.kind ?? about.data?.kind)}</span>
        {known?.severity && <SeverityWord severity={known.severity} />}
        {known && at === null && <StatusWord status={known.status} />}
      </p>
      {at !== null && <ValuesThen device={id} at={at} />}
      {at === null && values.data && (
        <table class="card-values">
          <tbody>
            {values.data.items.map((value) => (
              <tr key={value.metric} class={value.stale ? "stale" : ""}>
                <th scope="row">{metricName(value.metric)}</th>
                <td>
                  {trustedText(value)} {isDoubtful(value.quality) && <QualityWord quality={value.quality} />}
                </td>
                <td class="muted">
                  <Age at={value.time} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <a class="button" href={to.device(id)}>
        {t("map.open_device")}
      </a>
    </aside>
  );
}

function ZoneCard({ id }: { id: string }) {
  const zone = zoneById.value.get(id)?.properties;
  if (!zone) return null;
  return (
    <aside class="map-card" aria-label={t("map.selected")}>
      <CardHead title={local(zone.name)} onClose={() => setQuery({ zone: null })} />
      <p class="card-line muted">{counted("devices.total", zone.devices)}</p>
      <p class="card-line">
        <a class="button" href={to.zone(id)}>
          {t("map.open_zone")}
        </a>
        <button type="button" class="button" onClick={() => setQuery({ zone: null })}>
          {t("map.all_zones")}
        </button>
      </p>
    </aside>
  );
}

function CardHead({ title, onClose }: { title: string; onClose(): void }) {
  return (
    <header>
      <h2 title={title}>{title}</h2>
      <button type="button" class="plain icon-only" aria-label={t("map.close")} onClick={onClose}>
        <CloseIcon />
      </button>
    </header>
  );
}
