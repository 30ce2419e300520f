/** The server's clock, as seen from here: ages stay right on a computer whose clock is wrong. */
import { signal } from "@preact/signals";

const TICK_MS = 1000;
/** A tick that comes this late means that the computer slept. */
const SLEEP_MS = 30_000;

let offsetMs = 0;

/** Now by the server's clock, in epoch milliseconds; changes every second. */
export const now = signal(Date.now());

/** Counts up when everything should be fetched again: after a sleep or a lost stream. */
export const refreshEpoch = signal(0);

export function refetchEverything(): void {
  refreshEpoch.value += 1;
}

export function learnServerTime(rfc3339: string): void {
  const server = Date.parse(rfc3339);
  if (Number.isFinite(server)) offsetMs = server - Date.now();
}

export function serverNow(): number {
  return Date.now() + offsetMs;
}

export function startClock(): void {
  let last = Date.now();
  setInterval(() => {
    const wall = Date.now();
    if (wall - last > SLEEP_MS) refetchEverything();
    last = wall;
    now.value = wall + offsetMs;
  }, TICK_MS);
}
