/** The page's end of the live connection: through the shared worker, or directly without one. */
import workerUrl from "./shared-worker.ts?sharedworker&url";
import type { Link, StreamEvent, ToPage, ToWorker } from "./protocol";
import { Stream } from "./stream";

const ALIVE_MS = 15_000;

export interface LiveConnection {
  retry(): void;
}

export interface LiveListener {
  event(event: StreamEvent): void;
  link(link: Link): void;
}

export function connectLive(listener: LiveListener): LiveConnection {
  if (typeof SharedWorker === "undefined") return connectDirectly(listener);
  try {
    return connectShared(listener);
  } catch {
    return connectDirectly(listener); // forbidden by a policy or by private browsing
  }
}

function connectDirectly(listener: LiveListener): LiveConnection {
  const stream = new Stream(listener);
  stream.open();
  return { retry: () => stream.retry() };
}

function connectShared(listener: LiveListener): LiveConnection {
  const worker = new SharedWorker(workerUrl, { type: "module", name: "citybrain-live" });
  const say = (message: ToWorker) => worker.port.postMessage(message);
  let direct: LiveConnection | null = null;
  worker.onerror = () => {
    direct ??= connectDirectly(listener); // the worker's file could not be loaded
  };
  worker.port.onmessage = (message: MessageEvent<ToPage>) => {
    if (message.data.type === "event") listener.event(message.data.event);
    else listener.link(message.data.link);
  };
  setInterval(() => say({ type: "alive" }), ALIVE_MS);
  addEventListener("pagehide", () => say({ type: "bye" }));
  addEventListener("pageshow", (event) => {
    if (event.persisted) say({ type: "retry" });
  });
  return { retry: () => (direct ? direct.retry() : say({ type: "retry" })) };
}
