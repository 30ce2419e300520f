/** Metrics of the city that dashboards show by themselves; all others are chosen by a variable. */
import type { Say } from "./language";

export interface CityMetric {
  /** As in the catalogue, and so the measurement in InfluxDB. */
  id: string;
  en: string;
  zh: string;
  /** As people write it; empty for what has none. */
  symbol: string;
  decimals: number;
}

export const CITY_METRICS: readonly CityMetric[] = [
  { id: "pm25", en: "PM2.5", zh: "细颗粒物 PM2.5", symbol: "µg/m³", decimals: 0 },
  { id: "noise_laeq", en: "Noise level LAeq", zh: "噪声 LAeq", symbol: "dB(A)", decimals: 1 },
  { id: "temperature", en: "Air temperature", zh: "气温", symbol: "°C", decimals: 1 },
  { id: "traffic_speed", en: "Traffic speed", zh: "车速", symbol: "km/h", decimals: 0 },
  { id: "water_level", en: "Water level", zh: "水位", symbol: "m", decimals: 2 },
  { id: "fill_level", en: "Fill level of waste bins", zh: "垃圾桶满溢度", symbol: "%", decimals: 0 },
];

export const nameOf = (metric: CityMetric, say: Say) => say(metric.en, metric.zh);
export const unitOf = (metric: CityMetric) => (metric.symbol === "" ? "none" : `suffix: ${metric.symbol}`);

/** QARTOD, as the field `quality` has it. */
export const QUALITIES = [
  { code: 1, en: "good", zh: "合格", colour: "green" },
  { code: 2, en: "not checked", zh: "未检查", colour: "blue" },
  { code: 3, en: "suspect", zh: "可疑", colour: "yellow" },
  { code: 4, en: "failed", zh: "未通过", colour: "red" },
  { code: 9, en: "no value", zh: "无值", colour: "purple" },
] as const;
