/** What the shared worker and the pages say to each other. */
import type { AlertItem, HelloEvent, MapEvent, ResyncEvent, System } from "../api/types";

/** The events of `GET /api/v1/stream`, by name. */
export interface StreamEvents {
  hello: HelloEvent;
  map: MapEvent;
  alert: AlertItem;
  system: System;
  resync: ResyncEvent;
}

export type StreamEventName = keyof StreamEvents;
export const STREAM_EVENTS: readonly StreamEventName[] = ["hello", "map", "alert", "system", "resync"];

export type StreamEvent = { [Name in StreamEventName]: { name: Name; id: string; data: StreamEvents[Name] } }[StreamEventName];

/** `connecting` before the first event, `reconnecting` after the stream was lost. */
export type LinkState = "connecting" | "live" | "reconnecting";

export interface Link {
  state: LinkState;
  /** When the last event came, in epoch milliseconds of this computer. */
  lastEventAt: number | null;
}

export type ToPage = { type: "event"; event: StreamEvent } | { type: "link"; link: Link };

/** `alive` is repeated; a page that stops saying it is taken for closed. */
export type ToWorker = { type: "alive" } | { type: "retry" } | { type: "bye" };
