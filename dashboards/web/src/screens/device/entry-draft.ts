/** A device's entry as a form holds it: everything is text until it is sent, so that nothing typed is lost. */
import type { Tagged } from "../../api/client";
import type { DeviceEntry, LifeCycle } from "../../api/places";
import type { Crs, LocalText, ReadingValue } from "../../api/types";

export interface EntryDraft {
  name: LocalText;
  kind: string;
  department: string;
  life_cycle: LifeCycle;
  /** Such as `30s`; empty for what the kind says. */
  interval: string;
  /** Empty for what the kind says. */
  moving: "" | "true" | "false";
  crs: "" | Crs;
  gateway: string;
  simulated: boolean;
  /** Both empty for a device that stands nowhere. */
  position: { lat: string; lon: string; crs: Crs };
  attributes: Record<string, string>;
}

export const CRS: readonly Crs[] = ["WGS-84", "GCJ-02", "BD-09", "CGCS2000"];

export function draftOf({ value, tag }: Tagged<DeviceEntry>): Tagged<EntryDraft> {
  const { position } = value;
  return {
    tag,
    value: {
      name: { en: value.name?.en ?? "", zh: value.name?.zh ?? "" },
      kind: value.kind,
      department: value.department,
      life_cycle: value.life_cycle ?? "active",
      interval: value.interval ?? "",
      moving: value.moving === undefined ? "" : value.moving ? "true" : "false",
      crs: value.crs ?? "",
      gateway: value.gateway ?? "",
      simulated: value.simulated ?? false,
      position: { lat: position ? String(position.lat) : "", lon: position ? String(position.lon) : "", crs: position?.crs ?? "WGS-84" },
      attributes: Object.fromEntries(Object.entries(value.attributes ?? {}).map(([name, each]) => [name, attributeText(each as ReadingValue)])),
    },
  };
}

/** What is sent; what is empty is left to the kind. */
export function entryOf(id: string, draft: EntryDraft): DeviceEntry {
  const name = { en: draft.name.en.trim(), zh: draft.name.zh.trim() };
  const { lat, lon, crs } = draft.position;
  const attributes = Object.fromEntries(Object.entries(draft.attributes).map(([each, text]) => [each, attributeValue(text)]));
  return {
    id,
    kind: draft.kind,
    department: draft.department,
    life_cycle: draft.life_cycle,
    ...((name.en !== "" || name.zh !== "") && { name: { en: name.en || name.zh, zh: name.zh || name.en } }),
    ...(draft.interval.trim() !== "" && { interval: draft.interval.trim() }),
    ...(draft.moving !== "" && { moving: draft.moving === "true" }),
    ...(draft.crs !== "" && { crs: draft.crs }),
    ...(draft.gateway.trim() !== "" && { gateway: draft.gateway.trim() }),
    ...(draft.simulated && { simulated: true }),
    ...(lat.trim() !== "" && lon.trim() !== "" && { position: { lat: Number(lat), lon: Number(lon), crs } }),
    ...(Object.keys(attributes).length > 0 && { attributes: attributes as NonNullable<DeviceEntry["attributes"]> }),
  };
}

/** Numbers and truth values as they are; texts that look like one of them, or like a quoted text, in quotes. */
export function attributeText(value: ReadingValue): string {
  return typeof value !== "string" ? String(value) : attributeValue(value) === value ? value : JSON.stringify(value);
}

export function attributeValue(text: string): ReadingValue {
  const trimmed = text.trim();
  if (trimmed === "true" || trimmed === "false") return trimmed === "true";
  if (/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(trimmed) && Number.isFinite(Number(trimmed))) return Number(trimmed);
  if (/^".*"$/s.test(trimmed)) {
    try {
      return JSON.parse(trimmed) as string;
    } catch {
      return text;
    }
  }
  return text;
}

/** Whether a coordinate cannot be one; the server knows the rest. */
export function isBadDegree(text: string, most: number): boolean {
  const value = Number(text);
  return text.trim() !== "" && !(Number.isFinite(value) && Math.abs(value) <= most);
}
