/** The map in a panel: loads the library when first shown, follows theme, language and stores. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Bounds, LonLat, Severity } from "../api/types";
import { language, local, t } from "../i18n";
import { alertBook, alertVersion } from "../state/alert-book";
import { kindName, system, zoneById, zones } from "../state/city";
import { refreshEpoch } from "../state/clock";
import { fleet, type Fleet } from "../state/fleet";
import { linkWord, loaded } from "../state/live";
import { theme } from "../state/theme";
import { number } from "../format/number";
import { SEVERITY_CODES, severityRank } from "../api/codes";
import { counted } from "../i18n";
import { FitIcon, MinusIcon, PlusIcon } from "../ui/icons";
import { SeverityWord, StatusWord } from "../ui/marks";
import type { Replay } from "../state/replay";
import { baseMap, loadBaseMap, noteTrouble } from "./base-map";
import type { CityMap, Hover, MapTarget, View } from "./city-map";
import { Attribution } from "./layer-choice";
import { readPalette } from "./palette";
import type { ClusterTarget } from "./pointer";
import { useTrail } from "./use-trail";

export interface MapPanelProps {
  view?: View | null;
  bounds?: Bounds | null;
  /** A device's id or a place, ringed. */
  focus?: string | LonLat | null;
  /** Moves the map so that the focus is seen when it changes. */
  follow?: boolean;
  zone?: string | null;
  onPick?(target: MapTarget | null): void;
  onView?(view: View | null): void;
  /** Gives the map to the caller, for its keys. */
  onMap?(map: CityMap | null): void;
  /** Groups of layers that are not shown. */
  hidden?: ReadonlySet<string>;
  /** The past in place of the present, at this moment. */
  replay?: Replay | null;
  at?: number | null;
  /** Without buttons, for screens that nobody operates. */
  bare?: boolean;
  /** Pixels of the screen per pixel of the page, if the map is enlarged afterwards. */
  density?: number;
  children?: ComponentChildren;
}

const NOTHING_HIDDEN: ReadonlySet<string> = new Set();

export function MapPanel(props: MapPanelProps) {
  const container = useRef<HTMLDivElement>(null);
  const [map, setMap] = useState<CityMap | null>(null);
  const [failed, setFailed] = useState(false);
  const [hover, setHover] = useState<Hover | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const cityBounds = system.value?.city.bounds;
  const known = cityBounds !== undefined;
  // A map that was begun while the network was away is begun anew when it is back.
  const [turn, setTurn] = useState(0);
  const broken = useRef(false);
  const live = linkWord.value === "live";
  useEffect(() => {
    if (live && broken.current) setTurn((at) => at + 1);
  }, [live]);

  useEffect(() => {
    if (!known || !container.current) return;
    let made: CityMap | null = null;
    let left = false;
    const box = container.current;
    broken.current = false;
    const fail = (error: unknown) => {
      console.error("the map cannot be drawn", error);
      setFailed(true);
    };
    void afterTheAlerts().then(() => import("./city-map")).then((module) => {
      if (left) return;
      try {
        made = new module.CityMap({
          container: box,
          palette: readPalette(),
          bounds: latest.current.bounds ?? (cityBounds as Bounds),
          view: latest.current.view ?? null,
          label: t("map.label"),
          density: latest.current.density ?? null,
          dressed: latest.current.children !== undefined,
          onHover: setHover,
          onPick: (target) => latest.current.onPick?.(target),
          onView: (view) => latest.current.onView?.(view),
          onTrouble: noteTrouble,
          onBroken: () => {
            broken.current = true;
          },
        });
        setMap(made);
        latest.current.onMap?.(made);
      } catch (error) {
        fail(error);
      }
    }, fail);
    return () => {
      left = true;
      latest.current.onMap?.(null);
      made?.destroy();
      setMap(null);
    };
  }, [known, turn]);

  const zoneData = zones.value;
  useEffect(() => {
    if (map && zoneData) map.setZones(zoneData, (zone) => local(zone.properties.name));
  }, [map, zoneData, language.value]);

  const { replay = null, at = null, hidden = NOTHING_HIDDEN } = props;
  useEffect(() => map?.setFleet(replay?.fleet ?? fleet), [map, replay]);
  useEffect(() => map?.crown(replay !== null), [map, replay === null]);
  const version = alertVersion.value;
  const moment = replay ? at : version;
  useEffect(() => map?.setZoneSeverities(replay && at !== null ? replay.zoneSeverities(at) : zoneSubjects()), [map, replay, moment]);
  useEffect(() => map?.setPalette(readPalette()), [map, theme.value]);
  const epoch = refreshEpoch.value;
  useEffect(() => {
    if (map) void loadBaseMap();
  }, [map, epoch]);
  const base = baseMap.value;
  useEffect(() => {
    if (map && base && base.layers.length > 0) map.setBaseMap(base, readPalette(), language.value);
  }, [map, base, theme.value, language.value]);
  const hiddenKey = [...hidden].join();
  useEffect(() => map?.hide(hidden), [map, hiddenKey]);
  useTrail(map, typeof props.focus === "string" ? props.focus : null, replay, at);
  useEffect(() => map?.selectZone(props.zone ?? null), [map, props.zone]);
  const focusKey = Array.isArray(props.focus) ? props.focus.join() : props.focus;
  useEffect(() => {
    if (!map) return;
    map.focus(props.focus ?? null);
    const device = typeof props.focus === "string" ? fleet.byId(props.focus) : null;
    const place = Array.isArray(props.focus) ? props.focus : device?.lon != null && device.lat != null ? ([device.lon, device.lat] as LonLat) : null;
    if (props.follow && place) map.show(place);
  }, [map, focusKey]);

  return (
    <div class="map">
      <div class="map-canvas" ref={container} data-ready={map !== null} />
      {failed && <p class="map-message">{t("map.failed")}</p>}
      {!failed && !map && <p class="map-message">{t("map.loading")}</p>}
      {map && !props.bare && (
        <div class="map-buttons">
          <button type="button" title={t("map.zoom_in")} aria-label={t("map.zoom_in")} onClick={() => map.zoomBy(1)}>
            <PlusIcon />
          </button>
          <button type="button" title={t("map.zoom_out")} aria-label={t("map.zoom_out")} onClick={() => map.zoomBy(-1)}>
            <MinusIcon />
          </button>
          <button type="button" title={`${t("map.fit")} (f)`} aria-label={t("map.fit")} onClick={() => map.fit()}>
            <FitIcon />
          </button>
        </div>
      )}
      {hover && <MapTip hover={hover} known={replay?.fleet ?? fleet} />}
      <Attribution />
      {props.children}
    </div>
  );
}

function zoneSubjects(): Map<string, Severity> {
  const worst = new Map<string, Severity>();
  for (const alert of alertBook.all()) {
    if (alert.state !== "firing" || alert.subject.type !== "zone") continue;
    const known = worst.get(alert.subject.zone) ?? null;
    if (severityRank(alert.severity) > severityRank(known)) worst.set(alert.subject.zone, alert.severity);
  }
  return worst;
}

function MapTip({ hover, known }: { hover: Hover; known: Fleet }) {
  const style = { left: `${hover.x}px`, top: `${hover.y}px` };
  const { target } = hover;
  if (target.type === "cluster") return <ClusterTip target={target} style={style} />;
  if (target.type === "zone") {
    const zone = zoneById.value.get(target.id)?.properties;
    if (!zone) return null;
    return (
      <div class="map-tip" style={style}>
        <strong>{local(zone.name)}</strong>
        <span>{counted("devices.total", zone.devices)}</span>
      </div>
    );
  }
  const device = known.byId(target.id);
  if (!device) return null;
  return (
    <div class="map-tip" style={style}>
      <strong>{device.id}</strong>
      <span>{kindName(device.kind)}</span>
      {device.severity && <SeverityWord severity={device.severity} />}
      <StatusWord status={device.status} />
      {device.lon !== null && device.lat !== null && <span class="muted">{`${number(device.lat, 4)}, ${number(device.lon, 4)}`}</span>}
    </div>
  );
}

/** What is in a cluster, the worst first. */
function ClusterTip({ target, style }: { target: ClusterTarget; style: Record<string, string> }) {
  return (
    <div class="map-tip" style={style}>
      {target.counts.map(([order, count]) => {
        const severity = SEVERITY_CODES[Math.max(0, order)] ?? null;
        return (
          <span key={order}>
            <b>{number(count)}</b> {severity ? <SeverityWord severity={severity} /> : <StatusWord status={order === 0 ? "offline" : "never_seen"} />}
          </span>
        );
      })}
      <span class="muted">{t("map.cluster.open")}</span>
    </div>
  );
}

/** Loading and starting the map takes the whole thread for a moment: the alerts are on the screen before. */
function afterTheAlerts(): Promise<void> {
  return new Promise((resolve) => {
    const stop = loaded.subscribe((there) => {
      if (there) setTimeout(() => requestAnimationFrame(() => (stop(), resolve())));
    });
  });
}
