/** What is under the pointer: a device, a zone, or a cluster of abnormal devices. */
import type { Map as MapLibre, MapMouseEvent, MapGeoJSONFeature, PointLike } from "maplibre-gl";
import type { LonLat } from "../api/types";
import { DEVICE_LAYERS, ZONE_LAYER, countName } from "./style";

const POINTER_REACH_PX = 5;

export type MapTarget = { type: "device"; id: string } | { type: "zone"; id: string };

/** Some abnormal devices that stand too close together: how many of each order, the worst first. */
export interface ClusterTarget {
  type: "cluster";
  id: number;
  place: LonLat;
  counts: readonly (readonly [order: number, count: number])[];
}

export interface Hover {
  target: MapTarget | ClusterTarget;
  x: number;
  y: number;
}

export interface PointerListener {
  onHover(hover: Hover | null): void;
  onPick(target: MapTarget | ClusterTarget | null): void;
  /** Devices of the static layer that another layer shows. */
  isHidden(id: string | number | undefined, layer: string): boolean;
}

const ORDERS = [4, 3, 2, 1, 0, -1] as const;

export function followPointer(map: MapLibre, listener: PointerListener): void {
  let hoveredZone: string | null = null;
  const hoverZone = (id: string | null) => {
    if (id === hoveredZone) return;
    if (hoveredZone) map.setFeatureState({ source: "zones", id: hoveredZone }, { hover: false });
    if (id) map.setFeatureState({ source: "zones", id }, { hover: true });
    hoveredZone = id;
  };
  map.on("mousemove", (event) => {
    const target = targetAt(map, listener, event);
    hoverZone(target?.type === "zone" ? target.id : null);
    map.getCanvas().style.cursor = target ? "pointer" : "";
    listener.onHover(target ? { target, x: event.point.x, y: event.point.y } : null);
  });
  map.on("mouseout", () => {
    hoverZone(null);
    listener.onHover(null);
  });
  map.on("click", (event) => listener.onPick(targetAt(map, listener, event)));
}

function targetAt(map: MapLibre, listener: PointerListener, event: MapMouseEvent): MapTarget | ClusterTarget | null {
  const { x, y } = event.point;
  const box: [PointLike, PointLike] = [
    [x - POINTER_REACH_PX, y - POINTER_REACH_PX],
    [x + POINTER_REACH_PX, y + POINTER_REACH_PX],
  ];
  for (const layer of DEVICE_LAYERS) {
    const found = map.queryRenderedFeatures(box, { layers: [layer] }).find((feature) => !listener.isHidden(feature.id, layer));
    if (!found) continue;
    if (layer === "clusters") return clusterOf(found);
    const { id, zone } = found.properties;
    if (typeof zone === "string") return { type: "zone", id: zone };
    if (typeof id === "string") return { type: "device", id };
  }
  const zone = map.queryRenderedFeatures(event.point, { layers: [ZONE_LAYER] })[0]?.properties["id"];
  return typeof zone === "string" ? { type: "zone", id: zone } : null;
}

function clusterOf({ properties, geometry }: MapGeoJSONFeature): ClusterTarget {
  const counts = ORDERS.map((order) => [order, Number(properties[countName(order)] ?? 0)] as const).filter(([, count]) => count > 0);
  const place = geometry.type === "Point" ? (geometry.coordinates as LonLat) : ([0, 0] as LonLat);
  return { type: "cluster", id: Number(properties["cluster_id"]), place, counts };
}
