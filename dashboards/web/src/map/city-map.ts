/** The map itself: MapLibre with the fleet on it. Only this, its pointer and its base layers know MapLibre's API. */
import "maplibre-gl/dist/maplibre-gl.css";
import { Map as MapLibre, ScaleControl, setWorkerUrl, type GeoJSONSource, type PaddingOptions } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import { severityRank } from "../api/codes";
import type { Bounds, LonLat, Severity, ZoneCollection, ZoneFeature } from "../api/types";
import type { Fleet, FleetChange } from "../state/fleet";
import { BaseLayers } from "./base-layers";
import type { BaseMap } from "./base-map";
import { fixedPoints, graticule, iconOf, point, points, zoneLabels, zoneMarks, type PointFeature } from "./features";
import { FleetView } from "./fleet-view";
import { ICONS, ICON_RATIO, drawIcon } from "./icons";
import type { Palette } from "./palette";
import { followPointer, type Hover, type MapTarget } from "./pointer";
import { PLAIN_GROUPS, buildStyle, paints } from "./style";

setWorkerUrl(workerUrl);

type SourceData = Parameters<GeoJSONSource["setData"]>[0];

/** The small sources are redrawn at most this often. */
const REDRAW_MS = 200;
/** Room for what lies over the map. */
const PADDING_PX = { plain: 24, dressed: { top: 52, bottom: 64, left: 24, right: 56 }, crowned: 128 } as const;
/** Part of the width and height at each edge that does not count as in view. */
const SEEN_MARGIN = 0.06;

export interface View {
  lon: number;
  lat: number;
  zoom: number;
}

export type { Hover, MapTarget } from "./pointer";

export interface CityMapOptions {
  container: HTMLElement;
  palette: Palette;
  bounds: Bounds;
  view: View | null;
  label: string;
  /** Pixels of the screen per pixel of the page; null for the screen's own. */
  density: number | null;
  /** Whether a legend and buttons lie over its edges. */
  dressed: boolean;
  onHover(hover: Hover | null): void;
  onPick(target: MapTarget | null): void;
  onView(view: View | null): void;
  /** A layer of the base map could not be had. */
  onTrouble(layer: string): void;
  /** Its worker could not be had: nothing will be drawn by this map any more. */
  onBroken(): void;
}

export class CityMap {
  private readonly map: MapLibre;
  private readonly ready: Promise<void>;
  private readonly base: BaseLayers;
  private readonly view = new FleetView();
  private marksChanged = true;
  private hidden: ReadonlySet<string> = new Set();
  private fleet: Fleet | null = null;
  private zones: ZoneCollection | null = null;
  private zoneSeverities: ReadonlyMap<string, Severity> = new Map();
  private unlisten: (() => void) | null = null;
  private redrawTimer: ReturnType<typeof setTimeout> | null = null;
  private lastRedraw = 0;
  private selectedZone: string | null = null;
  private focused: string | LonLat | null = null;
  /** What the map was fitted to, until somebody moves it: it then follows the size of the window. */
  private fitted: Bounds | null = null;
  /** Whether something stands over the top of the map. */
  private crowned = false;
  private gone = false;

  constructor(private readonly options: CityMapOptions) {
    const { view } = options;
    this.fitted = view ? null : options.bounds;
    this.map = new MapLibre({
      container: options.container,
      style: buildStyle(options.palette),
      ...(view ? { center: [view.lon, view.lat], zoom: view.zoom } : { bounds: options.bounds, fitBoundsOptions: { padding: padding(options) } }),
      attributionControl: false,
      ...(options.density !== null && { pixelRatio: options.density }),
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      maxPitch: 0,
      minZoom: 7,
      maxZoom: 18,
      fadeDuration: 0,
      renderWorldCopies: false,
      locale: { "Map.Title": options.label },
    });
    // "load" waits for tiles that an idle or hidden map may never ask for; the style is enough.
    this.ready = new Promise((resolve) => {
      if (this.map.isStyleLoaded()) resolve();
      else this.map.once("style.load", () => resolve());
    });
    this.map.keyboard.disableRotation();
    this.map.touchZoomRotate.disableRotation();
    this.map.addControl(new ScaleControl({ maxWidth: 90, unit: "metric" }), "bottom-right");
    this.drawIcons(options.palette, false);
    this.base = new BaseLayers(this.map, options.onTrouble);
    this.map.on("error", (event) => {
      const { sourceId } = event as { sourceId?: string };
      if (sourceId?.startsWith("base-")) options.onTrouble(sourceId.slice("base-".length));
      else if (event.error.message.startsWith("Worker failed")) options.onBroken();
      else console.error(event.error);
    });
    this.listenToPointer();
    this.map.on("moveend", () => {
      if (this.gone) return; // removal ends a running movement, when the address is another already
      const { lng, lat } = this.map.getCenter();
      options.onView(this.fitted === null ? { lon: lng, lat, zoom: this.map.getZoom() } : null);
    });
    const moved = () => {
      this.fitted = null;
    };
    for (const name of ["dragstart", "wheel", "dblclick", "touchstart"] as const) this.map.on(name, moved);
    this.map.getCanvas().addEventListener("keydown", moved);
    this.map.on("resize", () => {
      if (this.fitted !== null) this.map.fitBounds(this.fitted, { padding: padding(options, this.crowned), duration: 0 });
    });
  }

  setZones(zones: ZoneCollection, nameOf: (zone: ZoneFeature) => string): void {
    const fresh = zones !== this.zones;
    this.zones = zones;
    this.marksChanged = true;
    this.when(() => {
      if (fresh) {
        this.source("zones").setData(zones as unknown as SourceData);
        if (zones.features.length === 0) this.source("graticule").setData(graticule(this.options.bounds) as unknown as SourceData);
      }
      this.setPoints("zone-labels", zoneLabels(zones, nameOf));
      this.showZoneSeverities();
      this.redrawSoon();
    });
  }

  setFleet(fleet: Fleet): void {
    this.unlisten?.();
    this.fleet = fleet;
    this.unlisten = fleet.listen((change) => this.when(() => this.follow(change)));
    this.when(() => this.follow({ reset: true }));
  }

  /** Zones that are themselves the subject of a firing alert. */
  setZoneSeverities(severities: ReadonlyMap<string, Severity>): void {
    const before = this.zoneSeverities;
    this.zoneSeverities = severities;
    this.marksChanged = true;
    this.when(() => {
      for (const id of before.keys()) if (!severities.has(id)) this.map.removeFeatureState({ source: "zones", id }, "severity");
      this.showZoneSeverities();
      this.redrawSoon();
    });
  }

  setPalette(palette: Palette): void {
    this.when(() => {
      this.drawIcons(palette, true);
      for (const [layer, property, value] of paints(palette)) {
        this.map.setPaintProperty(layer, property as Parameters<MapLibre["setPaintProperty"]>[1], value as never);
      }
    });
  }

  /** The base map below everything; without layers it is taken off. */
  setBaseMap(base: BaseMap, palette: Palette, language: "en" | "zh"): void {
    this.when(() => void this.base.draw(base, { palette, language, hidden: this.hidden }));
  }

  /** Takes groups of layers off the map. */
  hide(hidden: ReadonlySet<string>): void {
    this.hidden = hidden;
    this.when(() => {
      for (const [group, names] of Object.entries(PLAIN_GROUPS)) {
        for (const name of names) this.map.setLayoutProperty(name, "visibility", hidden.has(group) ? "none" : "visible");
      }
      this.base.show(hidden);
    });
  }

  /** The way that a moving device came, oldest place first. */
  setTrail(places: readonly LonLat[]): void {
    this.when(() => {
      const line = { type: "Feature" as const, properties: {}, geometry: { type: "LineString" as const, coordinates: places.map((place) => [...place]) } };
      void this.source("trail").setData(places.length < 2 ? { type: "FeatureCollection", features: [] } : line);
    });
  }

  /** What is drawn now, as a picture; the frame must be taken while it is there. */
  picture(): Promise<HTMLCanvasElement> {
    return new Promise((resolve) => {
      this.map.once("render", () => {
        const shown = this.map.getCanvas();
        const copy = document.createElement("canvas");
        copy.width = shown.width;
        copy.height = shown.height;
        copy.getContext("2d")?.drawImage(shown, 0, 0);
        resolve(copy);
      });
      this.map.triggerRepaint();
    });
  }

  /** Metres on the ground that one pixel of the page stands for, in the middle. */
  metresPerPixel(): number {
    return (40_075_016.686 * Math.cos((this.map.getCenter().lat * Math.PI) / 180)) / (512 * 2 ** this.map.getZoom());
  }

  selectZone(id: string | null): void {
    const before = this.selectedZone;
    this.selectedZone = id;
    this.when(() => {
      if (before) this.map.setFeatureState({ source: "zones", id: before }, { selected: false });
      if (id) this.map.setFeatureState({ source: "zones", id }, { selected: true });
    });
  }

  /** Rings a device, by id, or a place. */
  focus(at: string | LonLat | null): void {
    this.focused = at;
    this.when(() => this.drawFocus());
  }

  /** Moves so that a place is seen; what is well in view does not move. */
  show(place: LonLat): void {
    const { x, y } = this.map.project(place);
    const { clientWidth, clientHeight } = this.map.getContainer();
    const within = (at: number, length: number) => at > SEEN_MARGIN * length && at < (1 - SEEN_MARGIN) * length;
    if (within(x, clientWidth) && within(y, clientHeight)) return;
    this.fitted = null;
    this.map.easeTo({ center: place, duration: moveMs() });
  }

  fit(bounds: Bounds = this.options.bounds): void {
    this.fitted = bounds;
    this.map.fitBounds(bounds, { padding: padding(this.options, this.crowned), duration: moveMs() });
  }

  /** Makes room for what stands over the top, or takes it back. */
  crown(on: boolean): void {
    if (on === this.crowned) return;
    this.crowned = on;
    if (this.fitted !== null) this.fit(this.fitted);
  }

  zoomBy(steps: number): void {
    this.fitted = null;
    this.map.easeTo({ zoom: this.map.getZoom() + steps, duration: moveMs() / 2 });
  }

  destroy(): void {
    this.gone = true;
    this.unlisten?.();
    if (this.redrawTimer !== null) clearTimeout(this.redrawTimer);
    this.map.remove();
  }

  private when(run: () => void): void {
    void this.ready.then(() => {
      if (!this.gone) run();
    });
  }

  private source(name: string): GeoJSONSource {
    const source = this.map.getSource<GeoJSONSource>(name);
    if (!source) throw new Error(`the map has no source ${name}`);
    return source;
  }

  private setPoints(name: string, features: PointFeature[]): void {
    void this.source(name).setData(points(features) as unknown as SourceData);
  }

  private drawIcons(palette: Palette, update: boolean): void {
    for (const name of ICONS) {
      const image = drawIcon(name, palette);
      if (update && this.map.hasImage(name)) this.map.updateImage(name, image);
      else this.when(() => this.map.addImage(name, image, { pixelRatio: ICON_RATIO }));
    }
  }

  private follow(change: FleetChange): void {
    const { fleet } = this;
    if (!fleet) return;
    if (change.reset) {
      this.view.reset(fleet);
      this.map.removeFeatureState({ source: "devices" });
      this.setPoints("devices", fixedPoints(fleet));
      for (let index = 0; index < fleet.size; index += 1) this.showState(index, false);
    } else {
      this.view.note(fleet, change.indexes);
      for (const index of change.indexes) this.showState(index, true);
    }
    this.redrawSoon();
  }

  /** Feature state of one fixed device: cheap, where new data for 20,000 would not be. */
  private showState(index: number, known: boolean): void {
    const device = this.fleet?.at(index);
    if (!device || device.moving) return;
    const hidden = iconOf(device) !== null;
    const late = device.status === "late";
    if (known || hidden || late) this.map.setFeatureState({ source: "devices", id: index }, { hidden, late });
  }

  private redrawSoon(): void {
    if (this.redrawTimer !== null) return;
    const wait = Math.max(0, this.lastRedraw + REDRAW_MS - Date.now());
    this.redrawTimer = setTimeout(() => {
      this.redrawTimer = null;
      this.lastRedraw = Date.now();
      this.redraw();
    }, wait);
  }

  private redraw(): void {
    if (this.gone || !this.fleet) return;
    const [moving, abnormal] = [this.view.takeMoving(this.fleet), this.view.takeAbnormal(this.fleet)];
    if (moving) this.setPoints("moving", moving);
    if (abnormal) this.setPoints("abnormal", abnormal);
    if (this.marksChanged) this.setPoints("zone-marks", this.zones ? zoneMarks(this.zones, this.zoneSeverities) : []);
    this.marksChanged = false;
    if (typeof this.focused === "string") this.drawFocus();
  }

  private drawFocus(): void {
    const place = typeof this.focused === "string" ? this.placeOf(this.focused) : this.focused;
    this.setPoints("focus", place ? [point(place[0], place[1], {})] : []);
  }

  private placeOf(id: string): LonLat | null {
    const device = this.fleet?.byId(id);
    return device && device.lon !== null && device.lat !== null ? [device.lon, device.lat] : null;
  }

  private showZoneSeverities(): void {
    for (const [id, severity] of this.zoneSeverities) {
      this.map.setFeatureState({ source: "zones", id }, { severity: severityRank(severity) });
    }
  }

  private listenToPointer(): void {
    const { onHover, onPick } = this.options;
    followPointer(this.map, {
      onHover,
      onPick: (target) => {
        if (target?.type === "cluster") void this.open(target.id, target.place);
        else onPick(target);
      },
      isHidden: (id, layer) => {
        if (layer !== "devices" || typeof id !== "number") return false;
        const device = this.fleet?.at(id);
        return device ? iconOf(device) !== null : true;
      },
    });
  }

  /** Goes so near that a cluster falls apart. */
  private async open(cluster: number, center: LonLat): Promise<void> {
    const zoom = await this.source("abnormal").getClusterExpansionZoom(cluster).catch(() => this.map.getZoom() + 2);
    if (this.gone) return;
    this.fitted = null;
    this.map.easeTo({ center, zoom: zoom + 0.2, duration: moveMs() });
  }
}

function padding({ dressed }: CityMapOptions, crowned = false): PaddingOptions | number {
  if (!dressed) return PADDING_PX.plain;
  return crowned ? { ...PADDING_PX.dressed, top: PADDING_PX.crowned } : PADDING_PX.dressed;
}

function moveMs(): number {
  return matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 450;
}
