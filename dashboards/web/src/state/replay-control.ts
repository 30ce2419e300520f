/** The replay that a person watches: which span of time, which moment, how fast. All of it is in the address. */
import { computed, signal } from "@preact/signals";
import { query, setQuery } from "../router";
import { serverNow } from "./clock";
import { fleet } from "./fleet";
import { Replay } from "./replay";
import { loadSpans, loadTracks } from "./replay-load";

export const REPLAY_RANGES = ["1h", "24h"] as const;
export type ReplayRange = (typeof REPLAY_RANGES)[number];
export const REPLAY_SPEEDS = [1, 5, 10, 30, 60, 120] as const;
export const SPEED_DEFAULT = 30;
const HOUR_MS = 3_600_000;
const LENGTH_MS: Readonly<Record<ReplayRange, number>> = { "1h": HOUR_MS, "24h": 24 * HOUR_MS };
/** As often as the live map changes. */
const TICK_MS = 200;
/** Tracks of more devices would be more requests than a map is worth. */
export const TRACKS_SHOWN = 200;

export interface ReplayChoice {
  range: ReplayRange;
  from: number;
  to: number;
  at: number;
  speed: number;
}

/** What the address says; null while the map is live. */
export function choiceOf(params: URLSearchParams, nowMs: number): ReplayChoice | null {
  const range = REPLAY_RANGES.find((each) => each === params.get("replay"));
  if (range === undefined) return null;
  const until = Date.parse(params.get("until") ?? "");
  const to = Number.isFinite(until) && until <= nowMs ? until : nowMs;
  const from = to - LENGTH_MS[range];
  const at = Date.parse(params.get("at") ?? "");
  const speed = REPLAY_SPEEDS.find((each) => String(each) === params.get("speed")) ?? SPEED_DEFAULT;
  return { range, from, to, at: Number.isFinite(at) ? Math.min(Math.max(at, from), to) : from, speed };
}

export interface ReplayData {
  key: string;
  replay: Replay;
  from: number;
  to: number;
  capped: boolean;
  /** Moving devices whose tracks are not loaded, because there are so many. */
  untracked: number;
}

export const replayWanted = computed(() => query.value.get("replay") !== null);
export const replayData = signal<ReplayData | null>(null);
export const replayError = signal<unknown>(null);
/** The moment that is shown, in epoch milliseconds; null while live. */
export const replayAt = signal<number | null>(null);
export const replayPlaying = signal(false);
/** Tracks that are on their way. */
export const replayLoading = signal(false);

const isoSecond = (ms: number) => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");

export function openReplay(range: ReplayRange = "1h"): void {
  setQuery({ replay: range, until: isoSecond(serverNow()), at: null }, { push: true });
}

export function closeReplay(): void {
  pause(false);
  setQuery({ replay: null, until: null, at: null, speed: null }, { push: true });
}

export function seek(at: number): void {
  const data = replayData.peek();
  if (!data) return;
  const clamped = Math.min(Math.max(at, data.from), data.to);
  replayAt.value = clamped;
  data.replay.seek(clamped);
  wantTracks(clamped);
  if (!replayPlaying.peek()) remember();
}

/** The address has the moment of every pause; while it plays it would change five times a second. */
function remember(): void {
  const at = replayAt.peek();
  if (at !== null && query.peek().get("replay") !== null) setQuery({ at: isoSecond(at) });
}

let timer: ReturnType<typeof setInterval> | null = null;
let last = 0;

export function play(): void {
  const data = replayData.peek();
  if (!data || timer !== null) return;
  if ((replayAt.peek() ?? 0) >= data.to) seek(data.from);
  replayPlaying.value = true;
  last = performance.now();
  timer = setInterval(() => {
    const nowMs = performance.now();
    // A computer that slept does not jump over what it slept through.
    const passed = Math.min(nowMs - last, 5 * TICK_MS);
    last = nowMs;
    const held = replayData.peek();
    const at = replayAt.peek();
    if (!held || at === null) return;
    seek(at + passed * speedOf());
    if ((replayAt.peek() ?? 0) >= held.to) pause();
  }, TICK_MS);
}

export function pause(keep = true): void {
  if (timer !== null) clearInterval(timer);
  timer = null;
  replayPlaying.value = false;
  if (keep) remember();
}

export function toggle(): void {
  if (replayPlaying.peek()) pause();
  else play();
}

function speedOf(): number {
  return choiceOf(query.peek(), serverNow())?.speed ?? 1;
}

export function changeSpeed(by: -1 | 1): void {
  const at = REPLAY_SPEEDS.findIndex((each) => each === speedOf());
  const next = REPLAY_SPEEDS[Math.min(Math.max(at + by, 0), REPLAY_SPEEDS.length - 1)];
  if (next !== undefined) setQuery({ speed: String(next) });
}

let abort: AbortController | null = null;
let hours = new Set<number>();

/** Begins, changes or ends the replay as the address says. */
export async function follow(choice: ReplayChoice | null): Promise<void> {
  // An address that does not say until when, or says a time to come, is made to say it: else every
  // change of it would begin another replay.
  if (choice !== null && Date.parse(query.peek().get("until") ?? "") !== Date.parse(isoSecond(choice.to))) {
    setQuery({ until: isoSecond(choice.to) });
    return;
  }
  const key = choice === null ? null : `${choice.range}|${Math.round(choice.to / 1000)}`;
  if (key === (replayData.peek()?.key ?? null) && replayError.peek() === null) {
    // Back and forward in the history move the moment.
    if (choice !== null && !replayPlaying.peek() && Math.abs(choice.at - (replayAt.peek() ?? 0)) >= 1000) seek(choice.at);
    return;
  }
  end();
  if (choice === null || key === null) return;
  const mine = new AbortController();
  abort = mine;
  replayLoading.value = true;
  try {
    const { spans, capped } = await loadSpans(choice.from, choice.to, mine.signal);
    if (mine.signal.aborted) return;
    const replay = new Replay(fleet.snapshot(), spans);
    replayData.value = { key, replay, from: choice.from, to: choice.to, capped, untracked: Math.max(0, replay.movingIds.length - TRACKS_SHOWN) };
    replayAt.value = choice.at;
    replay.seek(choice.at);
    wantTracks(choice.at);
  } catch (error) {
    if (!mine.signal.aborted) replayError.value = error;
  }
  if (!mine.signal.aborted && hours.size === 0) replayLoading.value = false;
}

export function end(): void {
  abort?.abort();
  abort = null;
  hours = new Set();
  pause(false);
  replayData.value = null;
  replayAt.value = null;
  replayError.value = null;
  replayLoading.value = false;
}

/** Loads the tracks of the hour that is shown, and of the one that comes. */
function wantTracks(at: number): void {
  const data = replayData.peek();
  const mine = abort;
  if (!data || !mine) return;
  const hour = Math.floor((at - data.from) / HOUR_MS);
  for (const each of [hour, hour + 1]) {
    const from = data.from + each * HOUR_MS;
    if (each < 0 || from >= data.to || hours.has(each)) continue;
    hours.add(each);
    replayLoading.value = true;
    const to = Math.min(from + HOUR_MS, data.to);
    void loadTracks(data.replay.movingIds.slice(0, TRACKS_SHOWN), from, to, mine.signal, (id, track) => data.replay.addTrack(id, track)).then(() => {
      if (mine.signal.aborted) return;
      replayLoading.value = false;
      const now = replayAt.peek();
      if (now !== null) data.replay.seek(now);
    });
  }
}
