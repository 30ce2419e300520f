/** Typed calls to the brain's HTTP API. Every failure is an `ApiError` or an `Unreachable`. */
import type {
  Department,
  Aggregates,
  AlertDetail,
  AlertItem,
  AlertPage,
  Device,
  DevicePage,
  Kind,
  LastValue,
  MapSnapshot,
  Metric,
  Page,
  Problem,
  Readings,
  Receiver,
  ReceiverTrial,
  Rule,
  Session,
  System,
  ZoneCollection,
  ZoneDetail,
} from "./types";

const ROOT = "/api/v1";
const CSRF_HEADER = "X-Citybrain-Csrf";
/** A request that takes longer than this is treated as an unreachable server. */
const TIMEOUT_MS = 20_000;
/** A receiver is told twice, and each time may take a minute. */
const TRIAL_TIMEOUT_MS = 125_000;

/** The server answered with a problem document. */
export class ApiError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail ?? problem.title);
    this.name = "ApiError";
    this.problem = problem;
  }

  get status(): number {
    return this.problem.status;
  }

  get code(): string {
    return this.problem.code;
  }
}

/** The server did not answer at all. */
export class Unreachable extends Error {
  constructor(cause: unknown) {
    super("the server cannot be reached", { cause });
    this.name = "Unreachable";
  }
}

export type Query = Record<string, string | number | boolean | null | undefined>;

/** What listens to the outcome of every call, to keep the connection indicator honest. */
export interface CallObserver {
  unauthenticated(): void;
  reached(): void;
  unreachable(): void;
}

let observer: CallObserver | null = null;

export function observeCalls(next: CallObserver): void {
  observer = next;
}

export function buildUrl(path: string, query: Query = {}): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") params.set(name, String(value));
  }
  const text = params.toString();
  return ROOT + path + (text === "" ? "" : `?${text}`);
}

export interface CallOptions {
  query?: Query;
  body?: unknown;
  signal?: AbortSignal;
  timeoutMs?: number;
  /** The tag of what is to be replaced, as it came. */
  ifMatch?: string;
  /** Refuses to replace what is there already. */
  ifNew?: boolean;
  /** The call itself shows who somebody is, so a 401 does not mean that the session is over. */
  proves?: boolean;
}

async function send(method: string, url: string, options: CallOptions): Promise<Response> {
  const { body, signal } = options;
  const headers: Record<string, string> = { Accept: "application/json" };
  if (method !== "GET") headers[CSRF_HEADER] = "1";
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (options.ifMatch !== undefined) headers["If-Match"] = options.ifMatch;
  if (options.ifNew) headers["If-None-Match"] = "*";
  const timeout = AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS);
  try {
    const response = await fetch(url, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      credentials: "same-origin",
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    });
    if (isGatewaysAnswer(response)) throw new TypeError(`HTTP ${response.status} from a proxy in between`);
    observer?.reached();
    return response;
  } catch (error) {
    if (signal?.aborted) throw error;
    observer?.unreachable();
    throw new Unreachable(error);
  }
}

/** The server explains its own errors; a proxy that cannot reach it does not. */
function isGatewaysAnswer(response: Response): boolean {
  return response.status >= 502 && response.status <= 504 && !(response.headers.get("Content-Type") ?? "").includes("problem+json");
}

async function problemOf(response: Response): Promise<Problem> {
  const wait = Number(response.headers.get("Retry-After") ?? "");
  const fallback: Problem = { title: response.statusText || `HTTP ${response.status}`, status: response.status, code: "unknown", ...(wait > 0 && { retry_after_s: wait }) };
  try {
    return { ...fallback, ...((await response.json()) as Partial<Problem>) };
  } catch {
    return fallback; // a proxy in between may answer with anything
  }
}

async function answer(method: string, path: string, options: CallOptions): Promise<Response> {
  const response = await send(method, buildUrl(path, options.query), options);
  if (response.ok) return response;
  const problem = await problemOf(response);
  if (problem.status === 401 && !options.proves) observer?.unauthenticated();
  throw new ApiError(problem);
}

export async function call<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
  const response = await answer(method, path, options);
  const text = await response.text(); // 202 and 204 have none
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

/** Something that can be changed, with the tag that says which version of it this is. */
export interface Tagged<T> {
  value: T;
  tag: string;
}

export async function callTagged<T>(method: string, path: string, options: CallOptions = {}): Promise<Tagged<T>> {
  const response = await answer(method, path, options);
  return { value: (await response.json()) as T, tag: response.headers.get("ETag") ?? "" };
}

export function get<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> {
  return call<T>("GET", path, { ...(query && { query }), ...(signal && { signal }) });
}

/** What shows who somebody is: an access token, a name with its password, or what the identity provider gave. */
export type LoginProof = { token: string } | { user: string; password: string } | { state: string; code: string; issuer?: string };

const id = encodeURIComponent;

export const api = {
  session: () => get<Session>("/session"),
  logIn: (proof: LoginProof) => call<void>("POST", "/session", { body: proof, proves: true }),
  logOut: () => call<void>("DELETE", "/session"),

  system: () => get<System>("/system"),
  metrics: () => get<{ items: Metric[] }>("/metrics-catalogue"),
  kinds: () => get<{ items: Kind[] }>("/kinds"),
  departments: () => get<{ items: Department[] }>("/departments"),
  zones: () => get<ZoneCollection>("/zones"),
  map: () => get<MapSnapshot>("/map"),

  zone: (zone: string, signal?: AbortSignal) => get<ZoneDetail>(`/zones/${id(zone)}`, {}, signal),
  devices: (query: Query, signal?: AbortSignal) => get<DevicePage>("/devices", query, signal),
  device: (device: string, signal?: AbortSignal) => get<Device>(`/devices/${id(device)}`, {}, signal),
  lastValues: (query: Query, signal?: AbortSignal) => get<Page<LastValue>>("/last-values", query, signal),
  readings: (query: Query, signal?: AbortSignal) => get<Readings>("/readings", query, signal),
  aggregates: (query: Query, signal?: AbortSignal) => get<Aggregates>("/aggregates", query, signal),

  alerts: (query: Query, signal?: AbortSignal) => get<AlertPage>("/alerts", query, signal),
  alert: (alert: string, signal?: AbortSignal) => get<AlertDetail>(`/alerts/${id(alert)}`, {}, signal),
  acknowledge: (alert: string, note: string | null) =>
    call<AlertItem>("POST", `/alerts/${id(alert)}/acknowledge`, { body: note === null ? {} : { note } }),
  addNote: (alert: string, note: string) => call<AlertItem>("POST", `/alerts/${id(alert)}/notes`, { body: { note } }),
  receivers: (signal?: AbortSignal) => get<{ items: Receiver[] }>("/receivers", {}, signal),
  testReceiver: (receiver: string) => call<ReceiverTrial>("POST", `/receivers/${id(receiver)}/test`, { timeoutMs: TRIAL_TIMEOUT_MS }),
  rule: (rule: string, signal?: AbortSignal) => get<Rule>(`/rules/${id(rule)}`, {}, signal),
};
