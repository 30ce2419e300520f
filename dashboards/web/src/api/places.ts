/** Typed calls about devices, zones and what became of their messages. */
import { buildUrl, call, callTagged, get, type Query, type Tagged } from "./client";
import type { components } from "./schema";
import type { Device, DevicePage, Page } from "./types";

type Schemas = components["schemas"];
export type DeviceEntry = Schemas["DeviceEntry"];
export type LifeCycle = Schemas["LifeCycle"];
export type LossItem = Schemas["LossItem"];
export type LateDecided = Schemas["LateDecided"];
export type DeadLetter = Schemas["DeadLetter"];
export type Top = Schemas["Top"];
export type TopBy = Top["by"];
export type NewCommand = Schemas["NewCommand"];
export type CommandKeep = Schemas["CommandKeep"];
export type CommandSent = Schemas["CommandSent"];

/** A device with the names of what it has from its kind: `interval`, `moving`, `crs`, `attributes.NAME`. */
export type WholeDevice = Device & Partial<Pick<Schemas["Device"], "inherited">>;

export const LIFE_CYCLES: readonly LifeCycle[] = ["planned", "active", "maintenance", "retired"];

const id = encodeURIComponent;

/** What a list of devices shows; the whole of a device is three times as much. */
const LISTED = "id,name,kind,department,zones,status,severity,last_seen_at,newest_reading_at,life_cycle,simulated";
export type ListedDevice = Pick<Device, "id" | "name" | "kind" | "department" | "zones" | "status" | "severity" | "last_seen_at" | "newest_reading_at" | "life_cycle" | "simulated">;
export type ListedPage = Omit<DevicePage, "items"> & { items: ListedDevice[] };

export const places = {
  devices: (query: Query, signal?: AbortSignal) => get<ListedPage>("/devices", { ...query, fields: LISTED }, signal),
  entry: (device: string, signal?: AbortSignal) => callTagged<DeviceEntry>("GET", `/devices/${id(device)}/entry`, { ...(signal && { signal }) }),
  putEntry: (device: string, entry: DeviceEntry, tag: string): Promise<Tagged<DeviceEntry>> => callTagged<DeviceEntry>("PUT", `/devices/${id(device)}`, { body: entry, ifMatch: tag }),
  command: (device: string, command: NewCommand) => call<CommandSent>("POST", `/devices/${id(device)}/commands`, { body: command }),
  deadLetters: (query: Query, signal?: AbortSignal) => get<Page<DeadLetter>>("/dead-letters", query, signal),
  deadLetter: (letter: string, signal?: AbortSignal) => get<DeadLetter>(`/dead-letters/${id(letter)}`, {}, signal),
  lateReadings: (query: Query, signal?: AbortSignal) => get<Page<LateDecided>>("/late-readings", query, signal),
  top: (query: Query, signal?: AbortSignal) => get<Top>("/top", query, signal),
};

/** What was counted of one device; null if nothing was. */
export async function lossOf(device: string, signal?: AbortSignal): Promise<LossItem | null> {
  const { items } = await get<Page<LossItem>>("/loss", { by: "device", id: device }, signal);
  return items[0] ?? null;
}

export type FileFormat = "csv" | "geojson";

/** Where all that matches can be had as a file. The mark at the start is how spreadsheet programs know UTF-8. */
export function fileUrl(path: string, query: Query, format: FileFormat): string {
  return buildUrl(path, { ...query, format, ...(format === "csv" && { bom: true }) });
}
