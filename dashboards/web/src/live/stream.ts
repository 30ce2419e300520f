/** One connection to the event stream: resumes where it stopped, backs off, notices silence. */
import { STREAM_EVENTS, type Link, type LinkState, type StreamEvent, type StreamEventName } from "./protocol";

const URL_PATH = "/api/v1/stream";
const FIRST_DELAY_MS = 1_000;
const LONGEST_DELAY_MS = 30_000;
/** Until the server says its own pace in `hello`. */
const DEFAULT_HEARTBEAT_S = 10;
/**
 * Heartbeats are comments, which pages cannot see, but `system` events come five times as often:
 * so long a silence is a dead server behind a living proxy, or a pulled cable.
 */
const MISSED_HEARTBEATS = 1.5;

/** The part of EventSource that is used, so that tests can bring their own. */
export interface Source {
  addEventListener(name: string, listener: (event: { data: string; lastEventId: string }) => void): void;
  onerror: ((event: never) => unknown) | null;
  close(): void;
}

export interface Environment {
  open(url: string): Source;
  now(): number;
  random(): number;
  later(run: () => void, ms: number): unknown;
  cancel(timer: unknown): void;
}

export const browser: Environment = {
  open: (url) => new EventSource(url) as unknown as Source,
  now: () => Date.now(),
  random: () => Math.random(),
  later: (run, ms) => setTimeout(run, ms),
  cancel: (timer) => clearTimeout(timer as number),
};

export interface Listener {
  event(event: StreamEvent): void;
  link(link: Link): void;
}

export class Stream {
  private source: Source | null = null;
  private state: LinkState = "connecting";
  private lastId: string | null = null;
  private lastEventAt: number | null = null;
  private heartbeatMs = DEFAULT_HEARTBEAT_S * 1000;
  private failures = 0;
  private retryTimer: unknown = null;
  private silenceTimer: unknown = null;

  constructor(
    private readonly listener: Listener,
    private readonly environment: Environment = browser,
  ) {}

  get link(): Link {
    return { state: this.state, lastEventAt: this.lastEventAt };
  }

  open(): void {
    if (this.source) return;
    this.cancelTimers();
    const source = this.environment.open(this.url());
    this.source = source;
    for (const name of STREAM_EVENTS) source.addEventListener(name, (event) => this.receive(source, name, event));
    source.onerror = () => this.lost(source);
    this.watchSilence();
  }

  /** Tries at once instead of waiting for the next turn. */
  retry(): void {
    if (this.source && this.state === "live") return;
    this.dropSource();
    this.failures = 0;
    this.open();
  }

  close(): void {
    this.cancelTimers();
    this.dropSource();
    this.setState("connecting");
  }

  private url(): string {
    return this.lastId === null ? URL_PATH : `${URL_PATH}?after=${encodeURIComponent(this.lastId)}`;
  }

  private receive(source: Source, name: StreamEventName, event: { data: string; lastEventId: string }): void {
    if (source !== this.source) return;
    let data: StreamEvent["data"];
    try {
      data = JSON.parse(event.data) as StreamEvent["data"];
    } catch {
      return this.lost(source); // a cut event: resume from the last whole one
    }
    if (event.lastEventId !== "") this.lastId = event.lastEventId;
    if (name === "hello") this.heartbeatMs = Math.max(1, (data as { heartbeat_s?: number }).heartbeat_s ?? DEFAULT_HEARTBEAT_S) * 1000;
    // After a resync the old position means nothing any more.
    if (name === "resync" && event.lastEventId === "") this.lastId = null;
    this.failures = 0;
    this.lastEventAt = this.environment.now();
    this.setState("live");
    this.watchSilence();
    this.listener.event({ name, id: event.lastEventId, data } as StreamEvent);
  }

  private lost(source: Source): void {
    if (source !== this.source) return;
    this.dropSource();
    this.cancelTimers();
    this.setState(this.lastEventAt === null ? "connecting" : "reconnecting");
    const ceiling = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.failures);
    this.failures += 1;
    // Half fixed, half chance: a restarted server is not met by all browsers at once.
    const delay = ceiling / 2 + (ceiling / 2) * this.environment.random();
    this.retryTimer = this.environment.later(() => this.open(), delay);
  }

  private watchSilence(): void {
    this.environment.cancel(this.silenceTimer);
    const source = this.source;
    if (!source) return;
    this.silenceTimer = this.environment.later(() => this.lost(source), MISSED_HEARTBEATS * this.heartbeatMs);
  }

  private setState(state: LinkState): void {
    const changed = state !== this.state;
    this.state = state;
    if (changed) this.listener.link(this.link);
  }

  private dropSource(): void {
    this.source?.close();
    this.source = null;
  }

  private cancelTimers(): void {
    this.environment.cancel(this.retryTimer);
    this.environment.cancel(this.silenceTimer);
  }
}
