/** Moments and spans as people read them: in the city's zone, 24-hour, with the offset. */
import { signal } from "@preact/signals";
import { locale, t } from "../i18n";

/** The IANA name of the city's zone. The browser's own until the server has said. */
export const cityZone = signal(Intl.DateTimeFormat().resolvedOptions().timeZone);

type Shape = "time" | "minute" | "date" | "dateTime" | "dayMonth";

const SHAPES: Readonly<Record<Shape, Intl.DateTimeFormatOptions>> = {
  time: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
  minute: { hour: "2-digit", minute: "2-digit" },
  date: { year: "numeric", month: "short", day: "numeric" },
  dateTime: { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" },
  dayMonth: { month: "short", day: "numeric" },
};

const formats = new Map<string, Intl.DateTimeFormat>();

function format(shape: Shape): Intl.DateTimeFormat {
  const key = `${locale.value}/${cityZone.value}/${shape}`;
  let made = formats.get(key);
  if (!made) {
    made = new Intl.DateTimeFormat(locale.value, { ...SHAPES[shape], hourCycle: "h23", timeZone: cityZone.value });
    formats.set(key, made);
  }
  return made;
}

export type Moment = string | number;

function epoch(moment: Moment): number {
  return typeof moment === "number" ? moment : Date.parse(moment);
}

function show(shape: Shape, moment: Moment | null | undefined): string {
  if (moment === null || moment === undefined) return t("value.none");
  const ms = epoch(moment);
  return Number.isFinite(ms) ? format(shape).format(ms) : t("value.none");
}

/** 16:32:20 */
export const clockTime = (moment: Moment | null | undefined) => show("time", moment);
/** 16:32 */
export const minuteTime = (moment: Moment | null | undefined) => show("minute", moment);
/** 23 Nov 2026 */
export const date = (moment: Moment | null | undefined) => show("date", moment);
/** 23 Nov 2026, 16:32:20 */
export const dateTime = (moment: Moment | null | undefined) => show("dateTime", moment);
/** 23 Nov */
export const dayMonth = (moment: Moment | null | undefined) => show("dayMonth", moment);

const UTC_TIME = /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z/g;

/** The server's sentences name moments in UTC; people here live by the city's clock. */
export function inCityTime(text: string): string {
  return text.replace(UTC_TIME, (moment) => dateTime(moment));
}

/** The time alone if it was today in the city, else with the day. */
export function shortTime(moment: Moment | null | undefined, nowMs: number): string {
  if (moment === null || moment === undefined) return t("value.none");
  return date(moment) === date(nowMs) ? clockTime(moment) : `${dayMonth(moment)} ${minuteTime(moment)}`;
}

/** Making one takes far longer than using it, and every row of a table has an offset. */
const offsets = new Map<string, Intl.DateTimeFormat>();

/** The city's offset at a moment, as in UTC−06:00. */
export function zoneOffset(moment: Moment): string {
  const zone = cityZone.value;
  let made = offsets.get(zone);
  if (!made) offsets.set(zone, (made = new Intl.DateTimeFormat("en-GB", { timeZone: zone, timeZoneName: "longOffset" })));
  const parts = made.formatToParts(epoch(moment));
  const name = parts.find((part) => part.type === "timeZoneName")?.value ?? "GMT";
  const offset = name.replace("GMT", "").replace("-", "−");
  return `UTC${offset === "" ? "+00:00" : offset}`;
}

/** A span in at most two units: 42 s, 5 min, 3 h 20 min, 2 d 4 h. */
export function span(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 90) return t("unit.s", { n: s });
  const minutes = Math.floor(s / 60);
  if (minutes < 60) return t("unit.min", { n: minutes });
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? t("unit.h", { n: hours }) : t("unit.h_min", { h: hours, min: minutes % 60 });
  const days = Math.floor(hours / 24);
  return hours % 24 === 0 || days > 6 ? t("unit.d", { n: days }) : t("unit.d_h", { d: days, h: hours % 24 });
}

/** How long ago, never negative. */
export function age(moment: Moment | null | undefined, nowMs: number): string {
  if (moment === null || moment === undefined) return t("value.none");
  return span((nowMs - epoch(moment)) / 1000);
}

export function ago(moment: Moment | null | undefined, nowMs: number): string {
  if (moment === null || moment === undefined) return t("value.none");
  return t("time.ago", { age: age(moment, nowMs) });
}
