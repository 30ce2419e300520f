/** Joins the stream with the stores: snapshot first, then every change after it. */
import { computed, effect, signal } from "@preact/signals";
import { api } from "../api/client";
import type { AlertItem, MapEvent } from "../api/types";
import { connectLive, type LiveConnection } from "../live/connect";
import type { Link, StreamEvent } from "../live/protocol";
import { alertBook, alertVersion, serverCounts } from "./alert-book";
import { tellAlertChange } from "./alert-changes";
import { learnServerTime, now, refetchEverything, refreshEpoch, serverNow } from "./clock";
import { takeSystem } from "./city";
import { fleet } from "./fleet";

const ALERT_PAGE = 1000;
/** More firing alerts than this are not worked through in a list; counts come from the server. */
export const ALERTS_LOADED = 5000;
/** A short break is shown by the indicator alone, without a banner. */
const BANNER_AFTER_MS = 5_000;
const OFFLINE_AFTER_MS = 30_000;

const link = signal<Link>({ state: "connecting", lastEventAt: null });
const brokenSince = signal<number | null>(null);
const unreachableSince = signal<number | null>(null);

/** The alert that arrived last, for the spoken summary. */
export const arrived = signal<AlertItem | null>(null);
/** Whether the first snapshot is there. */
export const loaded = signal(false);

export type LinkWord = "live" | "connecting" | "reconnecting" | "offline";

export const linkWord = computed<LinkWord>(() => {
  const since = brokenSince.value;
  if (link.value.state === "live" && since === null) return "live";
  if (since !== null && now.value - since > OFFLINE_AFTER_MS) return "offline";
  return link.value.state === "connecting" ? "connecting" : "reconnecting";
});

/** Since when the shown data gets no news, in server time, once that is worth a banner. */
export const staleSince = computed<number | null>(() => {
  const since = brokenSince.value;
  if (since === null || now.value - since < BANNER_AFTER_MS) return null;
  return link.value.lastEventAt === null ? since : link.value.lastEventAt + (serverNow() - Date.now());
});

/** Events with a position up to the snapshot's are already in it. */
export function isInSnapshot(eventId: string, cursor: string | null): boolean {
  if (cursor === null || !/^\d+$/.test(eventId) || !/^\d+$/.test(cursor)) return false;
  return BigInt(eventId) <= BigInt(cursor);
}

let connection: LiveConnection | null = null;
let cursor: string | null = null;
let waiting: StreamEvent[] | null = null;
let helloSeen = false;

export function startLive(): void {
  if (connection) return connection.retry();
  connection = connectLive({ event: receive, link: takeLink });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && link.peek().state !== "live") connection?.retry();
  });
  addEventListener("online", () => connection?.retry());
  void loadSnapshot();
  let epoch = refreshEpoch.peek();
  effect(() => {
    if (refreshEpoch.value === epoch) return;
    epoch = refreshEpoch.value;
    void loadSnapshot();
  });
}

export function retryLive(): void {
  connection?.retry();
}

/** What the HTTP calls report: a dead server is noticed even while the stream still hopes. */
export const reachability = {
  reached: () => {
    unreachableSince.value = null;
  },
  unreachable: () => {
    unreachableSince.value ??= serverNow();
  },
};

function takeLink(next: Link): void {
  link.value = next;
  if (next.state === "live") brokenSince.value = null;
  else brokenSince.value ??= serverNow();
}

function receive(event: StreamEvent): void {
  if (link.peek().state !== "live") takeLink({ state: "live", lastEventAt: Date.now() });
  else link.value = { state: "live", lastEventAt: Date.now() };
  if (event.name === "hello") return greet(event.data.now);
  if (event.name === "resync") return refetchEverything();
  if (event.name === "system") return takeSystem(event.data);
  if (waiting) waiting.push(event);
  else apply(event);
}

/** The snapshot that was taken before the stream stood may have missed something. */
function greet(serverTime: string): void {
  learnServerTime(serverTime);
  if (!helloSeen && loaded.peek()) void loadSnapshot();
  helloSeen = true;
}

function apply(event: StreamEvent): void {
  if (isInSnapshot(event.id, cursor)) return;
  if (event.name === "map") fleet.apply((event.data as MapEvent).devices);
  if (event.name === "alert") takeAlert(event.data as AlertItem);
}

/** Takes a changed alert from the stream, or from the answer to this person's own action. */
export function takeAlert(item: AlertItem): void {
  const { before, taken } = alertBook.change(item, serverNow());
  if (!taken) return;
  tellAlertChange(item);
  alertVersion.value += 1;
  if (before === null && item.state === "firing") arrived.value = item;
}

let loading = false;
let loadAgain = false;

/** Asked for while one is on its way, a second one follows: the first may be too old. */
async function loadSnapshot(): Promise<void> {
  loadAgain = loading;
  if (loading) return;
  loading = true;
  do {
    loadAgain = false;
    await fetchSnapshot();
  } while (loadAgain);
  loading = false;
}

async function fetchSnapshot(): Promise<void> {
  waiting ??= [];
  cursor = null;
  try {
    const [map, alerts, system] = await Promise.all([api.map(), firingAlerts(), api.system()]);
    takeSystem(system);
    fleet.load(map);
    alertBook.loadFiring(alerts);
    alertVersion.value += 1;
    cursor = map.cursor;
    loaded.value = true;
  } catch {
    // The observer of calls has noted it; the next hello or refresh loads again.
    helloSeen = false;
  }
  const missed = waiting;
  waiting = null;
  missed.forEach(apply);
}

async function firingAlerts(): Promise<AlertItem[]> {
  const items: AlertItem[] = [];
  let next: string | null = null;
  do {
    const page = await api.alerts({ state: "firing", sort: "urgency", limit: ALERT_PAGE, cursor: next });
    items.push(...page.items);
    next = page.next_cursor;
    serverCounts.value = next !== null && items.length >= ALERTS_LOADED ? page.counts : null;
  } while (next !== null && items.length < ALERTS_LOADED);
  return items;
}
