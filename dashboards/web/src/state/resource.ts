/** Data of one screen: loaded by key, refetched after a break, kept while newer data loads. */
import { useEffect, useRef, useState } from "preact/hooks";
import { refreshEpoch } from "./clock";
import { session } from "./session";

export interface Resource<T> {
  data: T | null;
  error: unknown;
  loading: boolean;
  /** When `data` came, in epoch milliseconds of this computer. */
  at: number | null;
  reload(): void;
}

export interface ResourceOptions {
  /** Loads again this often while the page is visible. */
  everyMs?: number;
  /** Loads again when this changes, keeping the data meanwhile. */
  version?: unknown;
}

interface Held<T> {
  key: string;
  data: T | null;
  error: unknown;
  at: number | null;
}

/** `key` null means: nothing to load yet. */
export function useResource<T>(key: string | null, load: (signal: AbortSignal) => Promise<T>, options: ResourceOptions = {}): Resource<T> {
  const [held, setHeld] = useState<Held<T> | null>(null);
  const [turn, setTurn] = useState(0);
  const latestLoad = useRef(load);
  latestLoad.current = load;
  const epoch = refreshEpoch.value;

  useEffect(() => {
    if (key === null) return;
    const abort = new AbortController();
    latestLoad.current(abort.signal).then(
      (data) => {
        if (!abort.signal.aborted) setHeld({ key, data, error: null, at: Date.now() });
      },
      (error: unknown) => {
        if (abort.signal.aborted) return;
        setHeld((old) => (old?.key === key ? { ...old, error } : { key, data: null, error, at: null }));
      },
    );
    return () => abort.abort();
  }, [key, turn, epoch, options.version]);

  useEffect(() => {
    if (key === null || !options.everyMs) return;
    const timer = setInterval(() => {
      if (!document.hidden && session.peek().phase !== "out") setTurn((n) => n + 1);
    }, options.everyMs);
    return () => clearInterval(timer);
  }, [key, options.everyMs]);

  const current = held?.key === key ? held : null;
  return {
    data: current?.data ?? null,
    error: current?.error ?? null,
    loading: key !== null && current === null,
    at: current?.at ?? null,
    reload: () => setTurn((n) => n + 1),
  };
}
