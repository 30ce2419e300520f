/** Which devices the small sources hold: a change of one does not mean looking at all 20,000. */
import type { Fleet } from "../state/fleet";
import { iconOf, iconOrder, point, type PointFeature } from "./features";

export class FleetView {
  private readonly moving = new Set<number>();
  private readonly abnormal = new Set<number>();
  private movingChanged = true;
  private abnormalChanged = true;

  reset(fleet: Fleet): void {
    this.moving.clear();
    this.abnormal.clear();
    for (let index = 0; index < fleet.size; index += 1) this.sort(fleet, index);
    this.movingChanged = this.abnormalChanged = true;
  }

  note(fleet: Fleet, indexes: readonly number[]): void {
    for (const index of indexes) {
      const before = this.abnormal.has(index);
      this.sort(fleet, index);
      if (before || this.abnormal.has(index)) this.abnormalChanged = true;
      if (this.moving.has(index)) this.movingChanged = true;
    }
  }

  /** What moves, if anything of it changed since it was asked for last; else null. */
  takeMoving(fleet: Fleet): PointFeature[] | null {
    if (!this.movingChanged) return null;
    this.movingChanged = false;
    return this.points(fleet, this.moving, (device) => {
      const { heading } = device;
      return { id: device.id, status: device.status, ...(heading !== null && { heading }), ...(iconOf(device) && { abnormal: 1 }) };
    });
  }

  takeAbnormal(fleet: Fleet): PointFeature[] | null {
    if (!this.abnormalChanged) return null;
    this.abnormalChanged = false;
    return this.points(fleet, this.abnormal, (device) => ({ id: device.id, icon: iconOf(device) ?? "offline", order: iconOrder(device) }));
  }

  private sort(fleet: Fleet, index: number): void {
    const device = fleet.at(index);
    if (!device) return;
    if (device.moving) this.moving.add(index);
    else this.moving.delete(index);
    if (iconOf(device) !== null) this.abnormal.add(index);
    else this.abnormal.delete(index);
  }

  private points(fleet: Fleet, indexes: ReadonlySet<number>, about: (device: NonNullable<ReturnType<Fleet["at"]>>) => Record<string, string | number>): PointFeature[] {
    const found: PointFeature[] = [];
    for (const index of indexes) {
      const device = fleet.at(index);
      if (device && device.lon !== null && device.lat !== null) found.push(point(device.lon, device.lat, about(device)));
    }
    return found;
  }
}
