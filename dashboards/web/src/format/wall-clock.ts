/** Moments that people type, by the clock of the city: `2026-11-29 14:30`, or a day alone. */
import { cityZone } from "./time";

const SHAPE = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?$/;

/** Epoch milliseconds; null if it cannot be read. In the hour that a clock change repeats, the first. */
export function parseWallClock(text: string): number | null {
  const found = SHAPE.exec(text.trim());
  if (!found) return null;
  const [year, month, day, hour = 0, minute = 0, second = 0] = found.slice(1).map((part) => (part === undefined ? undefined : Number(part)));
  if (year === undefined || month === undefined || day === undefined || hour > 23 || minute > 59 || second > 59) return null;
  const wall = Date.UTC(year, month - 1, day, hour, minute, second);
  if (new Date(wall).getUTCDate() !== day || new Date(wall).getUTCMonth() !== month - 1) return null; // 31 February
  // The offset depends on the moment that is looked for: tried on both sides of a change.
  const tries = [wall - offsetMs(wall - 86_400_000), wall - offsetMs(wall + 86_400_000)];
  const fits = tries.filter((moment) => moment + offsetMs(moment) === wall);
  return Math.min(...(fits.length > 0 ? fits : tries));
}

/** How far the city's clock is ahead of UTC at a moment. */
function offsetMs(moment: number): number {
  return wallParts(moment) - Math.floor(moment / 1000) * 1000;
}

function wallParts(moment: number): number {
  const format = new Intl.DateTimeFormat("en-US", { timeZone: cityZone.value, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" });
  const part = Object.fromEntries(format.formatToParts(moment).map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(part["year"] ?? 0, (part["month"] ?? 1) - 1, part["day"] ?? 1, part["hour"] ?? 0, part["minute"] ?? 0, part["second"] ?? 0);
}

/** As it is typed: `2026-11-29 14:30`. */
export function wallClock(moment: number): string {
  return new Date(wallParts(moment)).toISOString().slice(0, 16).replace("T", " ");
}
