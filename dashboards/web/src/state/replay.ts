/** A past hour or day on the map: what fired when, and where moving devices were. Pure: no clock, no network. */
import { SEVERITY_CODES, severityRank } from "../api/codes";
import type { LonLat, MapChange, MapSnapshot, Severity, Subject } from "../api/types";
import { Fleet } from "./fleet";

/** An alert's life as far as the replay knows it, in epoch milliseconds. */
export interface AlertSpan {
  id: string;
  subject: Subject;
  from: number;
  /** Null while it fires. */
  to: number | null;
  /** From when on it had which severity, oldest first; the first holds from the beginning. */
  steps: readonly { at: number; severity: Severity }[];
}

/** Where a device was, oldest first. */
export interface Track {
  times: number[];
  places: LonLat[];
}

/** A position older than this is no longer where the device is. */
export const TRACK_GAP_MS = 5 * 60_000;

export function severityAt(span: AlertSpan, at: number): Severity | null {
  if (at < span.from || (span.to !== null && at >= span.to)) return null;
  let severity = span.steps[0]?.severity ?? null;
  for (const step of span.steps) if (step.at <= at) severity = step.severity;
  return severity;
}

export interface Placed {
  place: LonLat;
  /** Whether nothing was heard of it for so long that it may be elsewhere. */
  old: boolean;
}

/** Between two positions it moved evenly, unless they are too far apart in time. */
export function placeAt({ times, places }: Track, at: number): Placed | null {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  const before = places[low - 1];
  const since = times[low - 1];
  if (!before || since === undefined) return null;
  const [after, until] = [places[low], times[low]];
  if (!after || until === undefined || until - since > TRACK_GAP_MS) return { place: before, old: at - since > TRACK_GAP_MS };
  const part = (at - since) / (until - since);
  return { place: [before[0] + (after[0] - before[0]) * part, before[1] + (after[1] - before[1]) * part], old: false };
}

/** How many alerts fired in each of `count` equal parts of a range, by severity: the worst last. */
export function loadOf(spans: readonly AlertSpan[], from: number, to: number, count: number): Record<Severity, number>[] {
  return Array.from({ length: count }, (_, part) => {
    const at = from + ((part + 0.5) * (to - from)) / count;
    const load: Record<Severity, number> = { low: 0, medium: 0, high: 0, critical: 0 };
    for (const span of spans) {
      const severity = severityAt(span, at);
      if (severity !== null) load[severity] += 1;
    }
    return load;
  });
}

const LATE = 1;

/** The fleet as it was at an instant; moves to another one by changes, as the live one does. */
export class Replay {
  readonly fleet = new Fleet();
  private readonly fixed: readonly string[];
  private readonly moving: readonly string[];
  private readonly tracks = new Map<string, Track>();

  constructor(
    now: MapSnapshot,
    readonly spans: readonly AlertSpan[],
  ) {
    const { devices } = now;
    // Which of them were silent then is not kept, so none is shown as silent. Where those that
    // move were is not known before their tracks are there.
    const isMoving = devices.moving.map((each) => each === 1);
    this.fixed = devices.id.filter((_, at) => !isMoving[at]);
    this.moving = devices.id.filter((_, at) => isMoving[at]);
    this.fleet.load({
      ...now,
      devices: {
        ...devices,
        lon: devices.lon.map((lon, at) => (isMoving[at] ? null : lon)),
        lat: devices.lat.map((lat, at) => (isMoving[at] ? null : lat)),
        status: devices.status.map(() => 0),
        severity: devices.severity.map(() => 0),
      },
    });
  }

  get movingIds(): readonly string[] {
    return this.moving;
  }

  /** Adds what is known of a device's way; parts may come in any order. */
  addTrack(id: string, part: Track): void {
    const known = this.tracks.get(id);
    if (!known) this.tracks.set(id, part);
    else {
      const all = new Map([...known.times.map((time, at) => [time, known.places[at]] as const), ...part.times.map((time, at) => [time, part.places[at]] as const)]);
      const order = [...all].sort((a, b) => a[0] - b[0]);
      this.tracks.set(id, { times: order.map(([time]) => time), places: order.map(([, place]) => place as LonLat) });
    }
  }

  track(id: string): Track | null {
    return this.tracks.get(id) ?? null;
  }

  /** Moves the fleet to an instant. */
  seek(at: number): void {
    const worst = this.deviceSeverities(at);
    const changes: MapChange[] = [];
    for (const id of this.fixed) {
      const severity = worst.get(id) ?? 0;
      if (severity !== severityRank(this.fleet.byId(id)?.severity ?? null)) changes.push({ id, severity });
    }
    for (const id of this.moving) {
      const placed = this.placeOf(id, at);
      changes.push({ id, severity: worst.get(id) ?? 0, ...(placed && { lon: placed.place[0], lat: placed.place[1], status: placed.old ? LATE : 0 }) });
    }
    this.fleet.apply(changes);
  }

  /** Zones that were themselves in alert. */
  zoneSeverities(at: number): Map<string, Severity> {
    const found = new Map<string, Severity>();
    for (const span of this.spans) {
      if (span.subject.type !== "zone") continue;
      const severity = severityAt(span, at);
      if (severityRank(severity) > severityRank(found.get(span.subject.zone) ?? null)) found.set(span.subject.zone, severity as Severity);
    }
    return found;
  }

  firing(at: number): number {
    return this.spans.filter((span) => severityAt(span, at) !== null).length;
  }

  /** The way of a device up to an instant, as far back as it is worth a line. */
  trail(id: string, at: number, backMs: number): LonLat[] {
    const track = this.tracks.get(id);
    if (!track) return [];
    const places = track.places.filter((_, index) => (track.times[index] ?? 0) <= at && (track.times[index] ?? 0) > at - backMs);
    const last = placeAt(track, at);
    return last ? [...places, last.place] : places;
  }

  private placeOf(id: string, at: number): Placed | null {
    const track = this.tracks.get(id);
    return track ? placeAt(track, at) : null;
  }

  private deviceSeverities(at: number): Map<string, number> {
    const worst = new Map<string, number>();
    for (const span of this.spans) {
      if (span.subject.type === "zone") continue;
      const rank = severityRank(severityAt(span, at));
      if (rank > (worst.get(span.subject.device) ?? 0)) worst.set(span.subject.device, rank);
    }
    return worst;
  }
}

/** The severity next to this one: what an alert had before a step that is known without its beginning. */
export function beside(severity: Severity, by: -1 | 1): Severity {
  return SEVERITY_CODES[severityRank(severity) + by] ?? severity;
}

