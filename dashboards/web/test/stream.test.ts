import { describe, expect, it } from "vitest";
import { Hub } from "../src/live/hub";
import type { Link, StreamEvent, ToPage } from "../src/live/protocol";
import { Stream, type Environment, type Source } from "../src/live/stream";
import { isInSnapshot } from "../src/state/live";

/** A browser whose clock and connections the test moves. */
class Bench implements Environment {
  time = 0;
  chance = 0;
  opened: { url: string; source: FakeSource }[] = [];
  private timers: { at: number; run: () => void }[] = [];

  open(url: string): Source {
    const source = new FakeSource();
    this.opened.push({ url, source });
    return source;
  }
  now = () => this.time;
  random = () => this.chance;
  later(run: () => void, ms: number) {
    const timer = { at: this.time + ms, run };
    this.timers.push(timer);
    return timer;
  }
  cancel(timer: unknown) {
    this.timers = this.timers.filter((each) => each !== timer);
  }
  pass(ms: number) {
    const end = this.time + ms;
    for (;;) {
      const due = this.timers.filter((each) => each.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.cancel(due);
      this.time = due.at;
      due.run();
    }
    this.time = end;
  }
  get last() {
    const last = this.opened.at(-1);
    if (!last) throw new Error("nothing was opened");
    return last;
  }
}

class FakeSource implements Source {
  onerror: ((event: never) => unknown) | null = null;
  closed = false;
  private listeners = new Map<string, (event: { data: string; lastEventId: string }) => void>();
  addEventListener(name: string, listener: (event: { data: string; lastEventId: string }) => void) {
    this.listeners.set(name, listener);
  }
  close() {
    this.closed = true;
  }
  say(name: string, id: string, data: unknown) {
    this.listeners.get(name)?.({ data: typeof data === "string" ? data : JSON.stringify(data), lastEventId: id });
  }
  fail() {
    this.onerror?.(undefined as never);
  }
}

const HELLO = { now: "2026-11-23T10:00:00Z", heartbeat_s: 10, cursor: "5" };

function stream() {
  const bench = new Bench();
  const events: StreamEvent[] = [];
  const links: Link[] = [];
  const made = new Stream({ event: (event) => events.push(event), link: (link) => links.push(link) }, bench);
  made.open();
  return { bench, events, links, made };
}

describe("the stream", () => {
  it("resumes after the last event", () => {
    const { bench, events, links } = stream();
    expect(bench.last.url).toBe("/api/v1/stream");
    bench.last.source.say("hello", "5", HELLO);
    bench.last.source.say("map", "6", { at: "", devices: [] });
    expect(events.map((event) => event.name)).toEqual(["hello", "map"]);
    bench.last.source.fail();
    expect(links.map((link) => link.state)).toEqual(["live", "reconnecting"]);
    bench.pass(1000);
    expect(bench.opened).toHaveLength(2);
    expect(bench.last.url).toBe("/api/v1/stream?after=6");
  });

  it("waits longer after each failure, up to half a minute, with chance", () => {
    const { bench } = stream();
    bench.chance = 1;
    const waits: number[] = [];
    for (let turn = 0; turn < 7; turn += 1) {
      const before = bench.time;
      const count = bench.opened.length;
      bench.last.source.fail();
      while (bench.opened.length === count) bench.pass(100);
      waits.push(bench.time - before);
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16000, 30000, 30000]);
    bench.chance = 0;
    const count = bench.opened.length;
    bench.last.source.fail();
    bench.pass(14_900);
    expect(bench.opened).toHaveLength(count);
    bench.pass(200);
    expect(bench.opened).toHaveLength(count + 1);
  });

  it("notices a silence of one and a half heartbeats, in which several figures should have come", () => {
    const { bench, links } = stream();
    bench.last.source.say("hello", "5", { ...HELLO, heartbeat_s: 4 });
    bench.pass(5_900);
    expect(links.at(-1)?.state).toBe("live");
    bench.pass(200);
    expect(links.at(-1)).toEqual({ state: "reconnecting", lastEventAt: 0 });
    expect(bench.opened[0]?.source.closed).toBe(true);
  });

  it("forgets failures once an event came, and ignores old connections", () => {
    const { bench, events } = stream();
    const first = bench.last.source;
    first.fail();
    bench.pass(1000);
    bench.last.source.say("hello", "9", HELLO);
    first.say("map", "4", { at: "", devices: [] });
    expect(events.map((event) => event.name)).toEqual(["hello"]);
    bench.last.source.fail();
    bench.pass(1000);
    expect(bench.last.url).toBe("/api/v1/stream?after=9");
  });

  it("reconnects when an event is cut, from the last whole one", () => {
    const { bench } = stream();
    bench.last.source.say("hello", "5", HELLO);
    bench.last.source.say("map", "6", '{"at":"","dev');
    bench.pass(1000);
    expect(bench.last.url).toBe("/api/v1/stream?after=5");
  });

  it("retries at once when asked", () => {
    const { bench, made } = stream();
    bench.last.source.fail();
    made.retry();
    expect(bench.opened).toHaveLength(2);
    bench.last.source.say("hello", "5", HELLO);
    made.retry();
    expect(bench.opened).toHaveLength(2);
  });
});

describe("the hub", () => {
  const page = () => {
    const heard: ToPage[] = [];
    return { heard, postMessage: (message: ToPage) => void heard.push(message) };
  };

  it("shares one connection and tells late pages where things stand", () => {
    const bench = new Bench();
    const hub = new Hub(bench);
    const [a, b] = [page(), page()];
    hub.join(a);
    bench.last.source.say("hello", "5", HELLO);
    bench.last.source.say("system", "6", { now: HELLO.now });
    hub.join(b);
    expect(bench.opened).toHaveLength(1);
    expect(b.heard.map((message) => (message.type === "event" ? message.event.name : message.link.state))).toEqual(["live", "hello", "system"]);
  });

  it("closes when the last page has gone, also without a goodbye", () => {
    const bench = new Bench();
    const hub = new Hub(bench);
    const [a, b] = [page(), page()];
    hub.join(a);
    hub.join(b);
    bench.last.source.say("hello", "5", HELLO);
    hub.hear(a, { type: "bye" });
    expect(bench.last.source.closed).toBe(false);
    for (let second = 0; second < 200; second += 1) {
      bench.pass(1000);
      bench.last.source.say("system", String(6 + second), { now: HELLO.now });
    }
    expect(bench.last.source.closed).toBe(true);
  });
});

describe("events and the snapshot", () => {
  it("drops what the snapshot holds", () => {
    expect(isInSnapshot("7", "7")).toBe(true);
    expect(isInSnapshot("8", "7")).toBe(false);
    expect(isInSnapshot("100000000000000000001", "100000000000000000000")).toBe(false);
    expect(isInSnapshot("x", "7")).toBe(false);
    expect(isInSnapshot("7", null)).toBe(false);
  });
});
