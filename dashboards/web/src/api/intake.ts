/** Typed calls about what came in and was not understood: dead letters, unknown devices, names. */
import { all } from "./admin";
import { buildUrl, call, callTagged, get, type Query } from "./client";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type DeadLetter = Schemas["DeadLetter"];
export type DeadLetterPage = Schemas["DeadLetterPage"];
export type Mapping = Schemas["Mapping"];
export type MetricUse = Schemas["MetricUse"];
export type Unknown = Schemas["Unknown"];
export type UnknownPage = Schemas["UnknownPage"];
export type Accepted = Schemas["Accepted"];
export type AcceptDevice = Schemas["AcceptDevice"];
export type DeviceEntry = Schemas["DeviceEntry"];

const id = encodeURIComponent;
const REPLAY_MS = 30_000;

export const intakeApi = {
  letters: (query: Query, signal?: AbortSignal) => get<DeadLetterPage>("/dead-letters", query, signal),
  letter: (letter: string, signal?: AbortSignal) => get<DeadLetter>(`/dead-letters/${id(letter)}`, {}, signal),
  lettersCsv: (query: Query) => buildUrl("/dead-letters", { ...query, format: "csv" }),
  replay: (letter: string) => call<unknown>("POST", `/dead-letters/${id(letter)}/replay`, { timeoutMs: REPLAY_MS }),

  mappings: (signal?: AbortSignal) => callTagged<{ items: Mapping[] }>("GET", "/mappings", { ...(signal && { signal }) }),
  putMapping: (mapping: Mapping, tag: string | null) => call<void>("PUT", "/mappings", { body: mapping, ...(tag !== null && { ifMatch: tag }) }),
  deleteMapping: ({ name, source }: Mapping, tag: string) => call<void>("DELETE", "/mappings", { query: { name, source }, ifMatch: tag }),
  unmapped: (signal?: AbortSignal) => get<{ items: MetricUse[] }>("/metrics", { unmapped: true }, signal),

  unknown: (query: Query, signal?: AbortSignal) => get<UnknownPage>("/provisioning/unknown", query, signal),
  allUnknown: (signal?: AbortSignal) => all<Unknown>("/provisioning/unknown", signal),
  accept: (device: string, body: AcceptDevice) => call<Accepted>("POST", `/provisioning/unknown/${id(device)}/accept`, { body }),
  ignore: (device: string, ignored: boolean) => call<void>("POST", `/provisioning/unknown/${id(device)}/ignore`, { body: { ignored } }),
  patchDevice: (device: string, body: Partial<DeviceEntry>) => call<unknown>("PATCH", `/devices/${id(device)}`, { body }),
};
