/** Where the person is: the path and query of the address, as signals; back and forward work. */
import { computed, signal } from "@preact/signals";
import { engineerRouteOf, engineerTo, type EngineerRoute } from "./engineer-routes";

export type Route =
  | { screen: "overview" }
  | { screen: "alerts" }
  | { screen: "alert"; id: string }
  | { screen: "silences" }
  | { screen: "silence"; id: string | null }
  | { screen: "hand-overs" }
  | { screen: "departments" }
  | { screen: "department"; id: string }
  | { screen: "devices" }
  | { screen: "device"; id: string }
  | { screen: "zones" }
  | { screen: "zone"; id: string }
  | { screen: "receivers" }
  | { screen: "login" }
  | { screen: "setup" }
  | { screen: "account" }
  | { screen: "wall" }
  | { screen: "system" }
  | { screen: "reports" }
  | { screen: "help" }
  | { screen: "users" }
  | { screen: "user"; id: string | null }
  | { screen: "tokens" }
  | { screen: "datasets" }
  | { screen: "dataset"; id: string | null }
  | { screen: "audit" }
  | EngineerRoute
  | { screen: "unknown"; path: string };

export const path = signal(location.pathname);
export const search = signal(location.search);

export const route = computed<Route>(() => routeOf(path.value));
export const query = computed(() => new URLSearchParams(search.value));

export function routeOf(pathname: string): Route {
  const [first, second, ...rest] = pathname.split("/").filter((part) => part !== "").map(decode);
  if (first === "admin") return adminRouteOf(pathname, second, rest);
  if (rest.length > 0) return { screen: "unknown", path: pathname };
  if (first === undefined) return { screen: "overview" };
  const engineers = engineerRouteOf(first, second);
  if (engineers !== null) return engineers;
  if (second === undefined) {
    if (first === "new-silence") return { screen: "silence", id: null };
    if (PLAIN.includes(first as (typeof PLAIN)[number])) return { screen: first as (typeof PLAIN)[number] };
    return { screen: "unknown", path: pathname };
  }
  if (first === "silences") return { screen: "silence", id: second };
  if (first === "departments") return { screen: "department", id: second };
  if (first === "alerts") return { screen: "alert", id: second };
  if (first === "devices") return { screen: "device", id: second };
  if (first === "zones") return { screen: "zone", id: second };
  return { screen: "unknown", path: pathname };
}

/** Screens whose address is their name. */
const PLAIN = ["alerts", "silences", "hand-overs", "departments", "devices", "zones", "receivers", "login", "setup", "account", "wall", "system", "reports", "help"] as const;

/** Ids may be any word, so what makes something new has an address beside the list's. */
function adminRouteOf(pathname: string, list: string | undefined, rest: readonly string[]): Route {
  const [id, ...more] = rest;
  if (more.length > 0) return { screen: "unknown", path: pathname };
  if (id === undefined) {
    if (list === undefined) return { screen: "users" };
    if (list === "users" || list === "tokens" || list === "datasets") return { screen: list };
    if (list === "audit-log") return { screen: "audit" };
    if (list === "new-user") return { screen: "user", id: null };
    if (list === "new-dataset") return { screen: "dataset", id: null };
  } else {
    if (list === "users") return { screen: "user", id };
    if (list === "datasets") return { screen: "dataset", id };
  }
  return { screen: "unknown", path: pathname };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a stray % is somebody's typing mistake, not a reason to fail
  }
}

export const to = {
  ...engineerTo,
  overview: () => "/",
  alerts: (params: Record<string, string> = {}) => withParams("/alerts", params),
  silences: (params: Record<string, string> = {}) => withParams("/silences", params),
  silence: (id: string) => `/silences/${encodeURIComponent(id)}`,
  newSilence: (params: Record<string, string> = {}) => withParams("/new-silence", params),
  handOvers: (params: Record<string, string> = {}) => withParams("/hand-overs", params),
  departments: () => "/departments",
  department: (id: string) => `/departments/${encodeURIComponent(id)}`,
  rule: (id: string) => `/rules/${encodeURIComponent(id)}`,
  alert: (id: string) => `/alerts/${encodeURIComponent(id)}`,
  devices: (params: Record<string, string> = {}) => withParams("/devices", params),
  device: (id: string) => `/devices/${encodeURIComponent(id)}`,
  zones: () => "/zones",
  zone: (id: string) => `/zones/${encodeURIComponent(id)}`,
  receivers: () => "/receivers",
  login: () => "/login",
  setup: () => "/setup",
  account: () => "/account",
  wall: (params: Record<string, string> = {}) => withParams("/wall", params),
  system: () => "/system",
  reports: (params: Record<string, string> = {}) => withParams("/reports", params),
  help: () => "/help",
  users: () => "/admin/users",
  user: (id: string | null) => (id === null ? "/admin/new-user" : `/admin/users/${encodeURIComponent(id)}`),
  tokens: () => "/admin/tokens",
  datasets: () => "/admin/datasets",
  dataset: (id: string | null) => (id === null ? "/admin/new-dataset" : `/admin/datasets/${encodeURIComponent(id)}`),
  audit: (params: Record<string, string> = {}) => withParams("/admin/audit-log", params),
};

function withParams(base: string, params: Record<string, string>): string {
  const text = new URLSearchParams(params).toString();
  return text === "" ? base : `${base}?${text}`;
}

function readLocation(): void {
  path.value = location.pathname;
  search.value = location.search;
}

/** Marks entries of the history that were reached from within the app. */
const INSIDE = { inside: true };

/** To where the person came from, if that was in this app, else to the overview. */
export function back(): void {
  if ((history.state as typeof INSIDE | null)?.inside) history.back();
  else go(to.overview());
}

export function go(url: string, options: { replace?: boolean } = {}): void {
  if (options.replace) history.replaceState(history.state, "", url);
  else history.pushState(INSIDE, "", url);
  const moved = location.pathname !== path.peek();
  readLocation();
  if (moved) scrollTo(0, 0);
}

/** Changes some parameters of the query, in place; `null` or an empty text removes one. */
export function setQuery(changes: Record<string, string | null>, options: { push?: boolean } = {}): void {
  const params = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") params.delete(name);
    else params.set(name, value);
  }
  // Commas, colons and slashes need no escaping in a query, and addresses are read by people.
  const text = params.toString().replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%2F", "/");
  const next = location.pathname + (text === "" ? "" : `?${text}`);
  if (next !== location.pathname + location.search) go(next, { replace: !options.push });
}

/** What the server answers itself. */
const OTHERS = ["/api/", "/open/", "/sta/"];

/** Follows back, forward and plain clicks on links of this origin. */
export function startRouter(): void {
  addEventListener("popstate", readLocation);
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!link || link.target !== "" || link.origin !== location.origin || link.hasAttribute("download")) return;
    if (OTHERS.some((prefix) => link.pathname.startsWith(prefix)) || link.getAttribute("href")?.startsWith("#")) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}

/** The token with which a new installation gets its first administrator, from the link that the server printed. */
export const setupToken = signal<string | null>(null);

/** The token of a login link, `/login#token=…` or `/#/login?token=…`, taken out of the address. */
export function takeLoginToken(): string | null {
  const token = loginTokenOf(location.hash);
  if (token !== null && routeOf(location.pathname).screen === "setup") {
    setupToken.value = token;
    go(to.setup(), { replace: true });
    return null;
  }
  if (token !== null) go(to.login() + location.search, { replace: true });
  return token;
}

export function loginTokenOf(fragment: string): string | null {
  const text = fragment.replace(/^#/, "");
  const inPath = /^\/?login\?(.*)$/.exec(text);
  return new URLSearchParams(inPath ? inPath[1] : text).get("token") || null;
}
