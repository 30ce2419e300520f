/** Small words of MapLibre's style language that several layers use. */
import type { ExpressionSpecification } from "maplibre-gl";

/** Names of fonts of this computer, Chinese included: nothing is fetched. */
export const FONTS = ["Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "sans-serif"];

export const zoomed = (...stops: number[]): ExpressionSpecification => ["interpolate", ["linear"], ["zoom"], ...stops] as ExpressionSpecification;

export const state = (name: string, then: unknown, otherwise: unknown): ExpressionSpecification =>
  ["case", ["boolean", ["feature-state", name], false], then, otherwise] as ExpressionSpecification;
