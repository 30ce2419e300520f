/** The alarm load against what ISA-18.2 holds to be acceptable, and at most manageable. */
import type { PositionLoad } from "../../api/types";

export type Verdict = "acceptable" | "manageable" | "over";

export interface LoadFigure {
  name: "per_operator_day" | "ten_minutes_mean" | "ten_minutes_peak" | "hours_over_30" | "ten_minutes_over_10" | "flood_share" | "stale" | "chattering" | "fleeting";
  value: number;
  /** Up to this it is acceptable. */
  acceptable: number;
  /** Up to this it can be managed; the same where there is nothing between. */
  manageable: number;
  /** Whether the bounds themselves are too much already. */
  below: boolean;
  percent: boolean;
  decimals: number;
  verdict: Verdict;
}

type Bounds = Omit<LoadFigure, "value" | "verdict">;

const RATE: readonly Bounds[] = [
  { name: "per_operator_day", acceptable: 144, manageable: 288, below: false, percent: false, decimals: 0 },
  { name: "ten_minutes_mean", acceptable: 1, manageable: 2, below: false, percent: false, decimals: 2 },
  { name: "ten_minutes_peak", acceptable: 10, manageable: 10, below: false, percent: false, decimals: 0 },
  { name: "hours_over_30", acceptable: 0.01, manageable: 0.01, below: true, percent: true, decimals: 1 },
  { name: "ten_minutes_over_10", acceptable: 0.01, manageable: 0.01, below: true, percent: true, decimals: 1 },
  { name: "flood_share", acceptable: 0.01, manageable: 0.01, below: true, percent: true, decimals: 1 },
  { name: "stale", acceptable: 5, manageable: 5, below: true, percent: false, decimals: 0 },
  { name: "chattering", acceptable: 0, manageable: 0, below: false, percent: false, decimals: 0 },
  { name: "fleeting", acceptable: 0, manageable: 0, below: false, percent: false, decimals: 0 },
];

export function verdictOf(value: number, { acceptable, manageable, below }: Pick<Bounds, "acceptable" | "manageable" | "below">): Verdict {
  const within = (bound: number) => (below ? value < bound : value <= bound);
  return within(acceptable) ? "acceptable" : within(manageable) ? "manageable" : "over";
}

export function figuresOf(load: PositionLoad): LoadFigure[] {
  // What is rounded to nothing may come as less than nothing.
  return RATE.map((bounds) => ({ ...bounds, value: Math.max(0, load[bounds.name]), verdict: verdictOf(load[bounds.name], bounds) }));
}

const ORDER: readonly Verdict[] = ["acceptable", "manageable", "over"];

export function worstVerdict(figures: readonly LoadFigure[]): Verdict {
  return figures.reduce<Verdict>((worst, { verdict }) => (ORDER.indexOf(verdict) > ORDER.indexOf(worst) ? verdict : worst), "acceptable");
}

/** What a subject of the load is about, taken apart. */
export function subjectOf(text: string): { zone: string | null; device: string | null; metric: string | null } {
  const [kind = "", rest = ""] = split(text, ":");
  if (kind === "zone") return { zone: rest, device: null, metric: null };
  if (kind === "device") return { zone: null, device: rest, metric: null };
  // A device's id may hold slashes, a metric's may not.
  const at = rest.lastIndexOf("/");
  return at < 0 ? { zone: null, device: rest, metric: null } : { zone: null, device: rest.slice(0, at), metric: rest.slice(at + 1) };
}

function split(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? ["", text] : [text.slice(0, at), text.slice(at + 1)];
}
