/** All devices as the map needs them: columns, changed in place by the stream. */
import { signal } from "@preact/signals";
import { SEVERITY_CODES, STATUS_CODES } from "../api/codes";
import type { DeviceStatus, LonLat, MapChange, MapSnapshot, Severity } from "../api/types";

export interface FleetCounts {
  total: number;
  byStatus: Readonly<Record<DeviceStatus, number>>;
  withoutPosition: number;
  /** In the order of the snapshot's kinds, without the empty ones. */
  byKind: readonly KindCount[];
}

export interface KindCount {
  kind: string;
  total: number;
  online: number;
  /** With a firing alert, and the worst of them. */
  alerting: number;
  worst: Severity | null;
}

/** What a listener must redraw: everything, or the devices at these indexes. */
export type FleetChange = { reset: true } | { reset: false; indexes: readonly number[] };

export interface FleetDevice {
  id: string;
  kind: string;
  lon: number | null;
  lat: number | null;
  status: DeviceStatus;
  severity: Severity | null;
  moving: boolean;
  /** Where it goes, in degrees clockwise from north; null until it has been seen to move. */
  heading: number | null;
}

export class Fleet {
  private columns: MapSnapshot["devices"] = { id: [], kind: [], lon: [], lat: [], status: [], severity: [], moving: [] };
  private kinds: string[] = [];
  private index = new Map<string, number>();
  /** Of those that moved while this page looked. */
  private headings = new Map<number, number>();
  private listeners = new Set<(change: FleetChange) => void>();

  get size(): number {
    return this.columns.id.length;
  }

  /** Calls back on every change; the first call comes from the caller's own initial draw. */
  listen(listener: (change: FleetChange) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  load(snapshot: MapSnapshot): void {
    this.keepHeadings(snapshot);
    this.columns = snapshot.devices;
    this.kinds = [...snapshot.kinds];
    this.index = new Map(snapshot.devices.id.map((id, at) => [id, at]));
    this.tell({ reset: true });
  }

  /** A copy of what is known now, as the server would say it. */
  snapshot(): MapSnapshot {
    const c = this.columns;
    const devices = { id: [...c.id], kind: [...c.kind], lon: [...c.lon], lat: [...c.lat], status: [...c.status], severity: [...c.severity], moving: [...c.moving] };
    return { at: new Date().toISOString(), cursor: "", devices, kinds: [...this.kinds] };
  }

  apply(changes: readonly MapChange[]): void {
    const indexes: number[] = [];
    let reset = false;
    for (const change of changes) {
      let at = this.index.get(change.id);
      if (at === undefined) {
        at = this.add(change.id);
        reset = true;
      } else if (!this.columns.moving[at] && this.moves(at, change)) {
        // A device whose position only its messages tell is not known as moving until it moves.
        reset = true;
        if (this.columns.lon[at] !== null) this.columns.moving[at] = 1;
      }
      this.write(at, change);
      indexes.push(at);
    }
    if (reset) this.tell({ reset: true });
    else if (indexes.length > 0) this.tell({ reset: false, indexes });
  }

  at(index: number): FleetDevice | null {
    const c = this.columns;
    const id = c.id[index];
    if (id === undefined) return null;
    return {
      id,
      kind: this.kinds[c.kind[index] ?? -1] ?? "",
      lon: c.lon[index] ?? null,
      lat: c.lat[index] ?? null,
      status: STATUS_CODES[c.status[index] ?? 3] ?? "never_seen",
      severity: SEVERITY_CODES[c.severity[index] ?? 0] ?? null,
      moving: c.moving[index] === 1,
      heading: this.headings.get(index) ?? null,
    };
  }

  byId(id: string): FleetDevice | null {
    const at = this.index.get(id);
    return at === undefined ? null : this.at(at);
  }

  indexOf(id: string): number | null {
    return this.index.get(id) ?? null;
  }

  count(): FleetCounts {
    const byStatus: Record<DeviceStatus, number> = { online: 0, late: 0, offline: 0, never_seen: 0 };
    let withoutPosition = 0;
    const tally = this.kinds.map(() => ({ total: 0, online: 0, alerting: 0, worst: 0 }));
    for (let i = 0; i < this.size; i += 1) {
      byStatus[STATUS_CODES[this.columns.status[i] ?? 3] ?? "never_seen"] += 1;
      if (this.columns.lon[i] === null || this.columns.lat[i] === null) withoutPosition += 1;
      const kind = tally[this.columns.kind[i] ?? -1];
      if (!kind) continue;
      const severity = this.columns.severity[i] ?? 0;
      kind.total += 1;
      if (STATUS_CODES[this.columns.status[i] ?? 3] === "online") kind.online += 1;
      if (severity > 0) kind.alerting += 1;
      kind.worst = Math.max(kind.worst, severity);
    }
    const byKind = tally.map((count, at) => ({ ...count, kind: this.kinds[at] ?? "", worst: SEVERITY_CODES[count.worst] ?? null })).filter((count) => count.total > 0);
    return { total: this.size, byStatus, withoutPosition, byKind };
  }

  private moves(at: number, change: MapChange): boolean {
    const { lon, lat } = change;
    return lon != null && lat != null && (lon !== this.columns.lon[at] || lat !== this.columns.lat[at]);
  }

  private add(id: string): number {
    const c = this.columns;
    const at = c.id.push(id) - 1;
    c.kind.push(-1);
    c.lon.push(null);
    c.lat.push(null);
    c.status.push(3);
    c.severity.push(0);
    c.moving.push(0);
    this.index.set(id, at);
    return at;
  }

  private write(at: number, change: MapChange): void {
    const c = this.columns;
    c.status[at] = change.status ?? c.status[at] ?? 3;
    c.severity[at] = change.severity ?? c.severity[at] ?? 0;
    this.turn(at, change);
    c.lon[at] = change.lon ?? c.lon[at] ?? null;
    c.lat[at] = change.lat ?? c.lat[at] ?? null;
    c.moving[at] = change.moving ?? c.moving[at] ?? 0;
    if (change.kind) c.kind[at] = this.kindIndex(change.kind);
  }

  private turn(at: number, { lon, lat }: MapChange): void {
    const [x, y] = [this.columns.lon[at] ?? null, this.columns.lat[at] ?? null];
    if (lon == null || lat == null || x === null || y === null) return;
    const heading = headingOf([x, y], [lon, lat]);
    if (heading !== null) this.headings.set(at, heading);
  }

  /** A fresh snapshot has other indexes. */
  private keepHeadings(next: MapSnapshot): void {
    if (this.headings.size === 0) return;
    const known = new Map([...this.headings].map(([at, heading]) => [this.columns.id[at], heading]));
    this.headings.clear();
    next.devices.id.forEach((id, at) => {
      const heading = known.get(id);
      if (heading !== undefined) this.headings.set(at, heading);
    });
  }

  private kindIndex(kind: string): number {
    const known = this.kinds.indexOf(kind);
    return known >= 0 ? known : this.kinds.push(kind) - 1;
  }

  private tell(change: FleetChange): void {
    for (const listener of this.listeners) listener(change);
  }
}

/** Jitter of a position that stands still is no direction: about 2 m. */
const STILL_DEGREES = 0.00002;

/** Degrees clockwise from north along a short way; null if it hardly moved. */
export function headingOf([lon, lat]: LonLat, [lonTo, latTo]: LonLat): number | null {
  const east = (lonTo - lon) * Math.cos((lat * Math.PI) / 180);
  const north = latTo - lat;
  if (Math.hypot(east, north) < STILL_DEGREES) return null;
  return (Math.round((Math.atan2(east, north) * 180) / Math.PI) + 360) % 360;
}

export const fleet = new Fleet();

export const fleetCounts = signal<FleetCounts | null>(null);

/** Counting 20,000 devices takes a moment; five times a second would be waste. */
const COUNT_EVERY_MS = 500;
let counting: ReturnType<typeof setTimeout> | null = null;

fleet.listen((change) => {
  if (change.reset) {
    fleetCounts.value = fleet.count();
    return;
  }
  counting ??= setTimeout(() => {
    counting = null;
    fleetCounts.value = fleet.count();
  }, COUNT_EVERY_MS);
});
