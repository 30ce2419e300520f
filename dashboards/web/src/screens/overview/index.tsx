/** The overview: key figures, map, live alerts, the city's trend. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { AlertItem, LonLat } from "../../api/types";
import { t } from "../../i18n";
import { useKeys } from "../../keys";
import type { CityMap, MapTarget } from "../../map/city-map";
import { Legend } from "../../map/legend";
import { MapPanel } from "../../map/map-panel";
import { formatView, parseView } from "../../map/view-query";
import { query, setQuery } from "../../router";
import { zoneById } from "../../state/city";
import { hiddenOf } from "../../map/layer-choice";
import { MapTools } from "../../map/map-tools";
import { ReplayBar, ReplayFrame } from "../../map/replay-bar";
import { choiceOf, closeReplay, end as endReplay, follow, openReplay, replayAt, replayData, replayWanted } from "../../state/replay-control";
import { loaded } from "../../state/live";
import { serverNow } from "../../state/clock";
import { AlertList } from "./alert-list";
import { Attention } from "./attention";
import { Figures } from "./figures";
import { Kinds } from "./kinds";
import { MapCard } from "./map-card";
import { Trend } from "./trend";

export function Overview() {
  const map = useRef<CityMap | null>(null);
  const [alert, setAlert] = useState<AlertItem | null>(null);
  const picked = query.value.get("device");
  const zone = query.value.get("zone");
  useKeys({
    f: () => map.current?.fit(),
    h: () => (replayWanted.peek() ? closeReplay() : openReplay()),
    Escape: () => (query.peek().get("device") === null ? false : setQuery({ device: null })),
  });
  const replaying = replayWanted.value;
  const ready = loaded.value;
  useEffect(() => {
    if (ready) void follow(choiceOf(query.value, serverNow()));
  }, [ready, query.value]);
  useEffect(() => endReplay, []);
  const replay = replayData.value?.replay ?? null;
  return (
    <div class="overview">
      <h1 class="spoken">{t("nav.overview")}</h1>
      <Figures />
      <section class="panel map-panel">
        {replaying && <ReplayFrame />}
        <MapPanel
          view={parseView(query.peek().get("map"))}
          focus={alert ? placeOf(alert) : picked}
          follow={alert !== null}
          zone={zone}
          hidden={hiddenOf(query.value)}
          replay={replay}
          at={replayAt.value}
          onPick={pick}
          onView={(view) => setQuery({ map: view && formatView(view) })}
          onMap={(made) => {
            map.current = made;
          }}
        >
          <Legend past={replaying} />
          <MapTools map={map} zone={zone} />
          <MapCard />
        </MapPanel>
        {replaying && <ReplayBar />}
      </section>
      <Trend />
      <Attention />
      <Kinds />
      <AlertList onSelect={setAlert} />
    </div>
  );
}

function pick(target: MapTarget | null): void {
  if (target === null) setQuery({ device: null, zone: null }, { push: true });
  else if (target.type === "device") setQuery({ device: target.id }, { push: true });
  else setQuery({ zone: target.id, device: null }, { push: true });
}

/** Where an alert is: its own place, its device's, or its zone's label. */
function placeOf(alert: AlertItem): string | LonLat | null {
  if (alert.subject.type !== "zone") return alert.subject.device;
  if (alert.position) return [alert.position.lon, alert.position.lat];
  return zoneById.value.get(alert.subject.zone)?.properties.label ?? null;
}
