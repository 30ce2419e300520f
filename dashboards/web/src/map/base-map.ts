/** The city's own base map: what the server offers, and how it is asked for. */
import { signal } from "@preact/signals";
import { ApiError, get } from "../api/client";
import type { LocalText } from "../api/types";
import { refreshEpoch } from "../state/clock";

export type BaseKind = "water" | "green" | "road" | "rail" | "building" | "boundary" | "label" | "raster" | "vector";
export type BaseFormat = "geojson" | "pmtiles" | "tiles";

export interface BaseLayer {
  id: string;
  kind: BaseKind;
  format: BaseFormat;
  /** On this server; of tiles with `{z}`, `{x}` and `{y}`. */
  url: string;
  coordinates: "wgs84" | "gcj02";
  attribution: LocalText | null;
  min_zoom: number | null;
  max_zoom: number | null;
}

export interface BaseMap {
  layers: BaseLayer[];
  updated_at: string | null;
}

export const NO_BASE_MAP: BaseMap = { layers: [], updated_at: null };

/** Null until it is known whether there is one. */
export const baseMap = signal<BaseMap | null>(null);

/** Layers that could not be had, by id. */
export const baseTrouble = signal<ReadonlySet<string>>(new Set());

export function noteTrouble(layer: string): void {
  if (!baseTrouble.peek().has(layer)) baseTrouble.value = new Set([...baseTrouble.peek(), layer]);
}

let asked = -1;

/** Once for every connection: a new version of the server may have another map. */
export async function loadBaseMap(): Promise<void> {
  const epoch = refreshEpoch.peek();
  if (asked === epoch) return;
  asked = epoch;
  try {
    const found = await get<BaseMap>("/base-map");
    // The same map again is no reason to draw it anew.
    if (JSON.stringify(found) !== JSON.stringify(baseMap.peek())) baseMap.value = { ...found, layers: found.layers.filter(isDrawable) };
  } catch (error) {
    // No base map is a map with zones alone; an unreachable server is asked again after the break.
    if (error instanceof ApiError) baseMap.value ??= NO_BASE_MAP;
    else asked = -1;
  }
}

/** Only what this server has itself, and what can be put in its right place. */
export function isDrawable(layer: BaseLayer): boolean {
  if (!layer.url.startsWith("/") || layer.url.startsWith("//")) return false;
  return layer.coordinates === "wgs84" || layer.format !== "pmtiles";
}

/** What a person can take off the map, in the order of the list. */
export const BASE_GROUPS = ["raster", "water", "green", "building", "road", "rail", "boundary", "label"] as const;
export type BaseGroup = (typeof BASE_GROUPS)[number];

/** The groups that this map has; a vector map may have any of the drawn ones. */
export function groupsOf({ layers }: BaseMap): BaseGroup[] {
  const kinds = new Set(layers.map((layer) => layer.kind));
  const mixed = kinds.has("vector");
  return BASE_GROUPS.filter((group) => kinds.has(group) || (mixed && group !== "raster"));
}

/** What must be said of where the map is from, once each. */
export function attributions({ layers }: BaseMap): LocalText[] {
  const found = new Map<string, LocalText>();
  for (const { attribution } of layers) if (attribution && (attribution.en !== "" || attribution.zh !== "")) found.set(`${attribution.en}|${attribution.zh}`, attribution);
  return [...found.values()];
}
