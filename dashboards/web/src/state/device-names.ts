/** Names of devices that a screen knows only by their ids: each is asked for once, a few at a time. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ApiError, api } from "../api/client";
import type { LocalText } from "../api/types";
import { local } from "../i18n";
import { refreshEpoch } from "./clock";

/** More of one list are not asked for: they keep their ids. */
export const NAMES_ASKED = 100;
/** So many are remembered; the longest known are forgotten first. */
export const NAMES_KEPT = 2000;
/** So many requests at once: others need the server too. */
const AT_ONCE = 4;

const NOT_FOUND = 404;

/** Null if the registry has no such device. */
const names = signal<ReadonlyMap<string, LocalText | null>>(new Map());
/** On their way or known, as of the last refresh. */
const asked = new Set<string>();
const waiting: string[] = [];
let running = 0;

/** Its name, or its id while that is not known. */
export function deviceName(id: string): string {
  return local(names.value.get(id)) || id;
}

/** Has these devices' names come; until then, and where there is none, `deviceName` is the id. */
export function useDeviceNames(ids: readonly string[]): void {
  const wanted = ids.slice(0, NAMES_ASKED);
  useEffect(() => askForNames(wanted), [wanted.join("\n"), refreshEpoch.value]);
}

function askForNames(ids: readonly string[]): void {
  for (const id of ids) {
    if (asked.has(id)) continue;
    asked.add(id);
    waiting.push(id);
  }
  while (running < AT_ONCE && waiting.length > 0) {
    running += 1;
    void work().finally(() => (running -= 1));
  }
}

async function work(): Promise<void> {
  for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
    try {
      learn(id, (await api.device(id)).name);
    } catch (error) {
      if (error instanceof ApiError && error.status === NOT_FOUND) learn(id, null);
      else asked.delete(id); // whoever shows it next tries again
    }
  }
}

function learn(id: string, name: LocalText | null): void {
  const next = new Map(names.peek());
  next.delete(id);
  next.set(id, name);
  for (const oldest of next.keys()) {
    if (next.size <= NAMES_KEPT) break;
    next.delete(oldest);
    asked.delete(oldest);
  }
  names.value = next;
}

/** After a refresh names may be others: they are shown as they were until the new ones are there. */
refreshEpoch.subscribe(() => asked.clear());
