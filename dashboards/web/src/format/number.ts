/** Numbers and values as people read them, in the language that is on. */
import type { Metric, ReadingValue } from "../api/types";
import { locale, t } from "../i18n";

const formats = new Map<string, Intl.NumberFormat>();

export function number(value: number, decimals = 0): string {
  const key = `${locale.value}/${decimals}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(locale.value, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
    formats.set(key, format);
  }
  return format.format(value).replace(/^-/, "−");
}

/** As a compact figure: exact up to 99,999, then 123 k. */
export function figure(value: number): string {
  return Math.abs(value) < 100_000 ? number(value, Math.abs(value) < 10 && !Number.isInteger(value) ? 1 : 0) : `${number(value / 1000)} k`;
}

/** A value without its unit. */
export function plainValue(value: ReadingValue | null | undefined, decimals = 0): string {
  if (value === null || value === undefined) return t("value.none");
  if (typeof value === "boolean") return t(value ? "value.true" : "value.false");
  if (typeof value === "string") return value;
  return number(value, decimals);
}

/** A value with its unit, as in `35 µg/m³`. */
export function valueWithUnit(value: ReadingValue | null | undefined, metric: Pick<Metric, "decimals" | "symbol"> | undefined): string {
  const text = plainValue(value, metric?.decimals ?? decimalsOf(value));
  const symbol = metric?.symbol ?? "";
  if (symbol === "" || typeof value !== "number") return text;
  return symbol === "%" || symbol.startsWith("°") ? `${text}\u2009${symbol}` : `${text}\u00a0${symbol}`;
}

function decimalsOf(value: ReadingValue | null | undefined): number {
  return typeof value === "number" && !Number.isInteger(value) ? 2 : 0;
}

/** Coordinates as people copy them: latitude first. */
export function latLon(lon: number, lat: number): string {
  return `${lat.toFixed(5)}, ${lon.toFixed(5)}`;
}
