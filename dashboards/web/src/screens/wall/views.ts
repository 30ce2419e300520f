/** What a wall shows and when: its views, their rotation and its dimming, as the address says. Pure. */

export type WallView = { kind: "city" } | { kind: "department"; id: string } | { kind: "zone"; id: string } | { kind: "alerts" };

export const PERIOD_S = 30;
const SHORTEST_S = 1;
const LONGEST_S = 3600;

export interface WallPlan {
  views: readonly WallView[];
  periodS: number;
  /** One view that stays, instead of the rotation. */
  pinned: number | null;
  /** Hours of the city's day between which it is dimmed. */
  dim: readonly [from: number, to: number] | null;
  metric: string | null;
}

/** Without `views`: the city, each department, the alerts. */
export function planOf(params: URLSearchParams, departments: readonly string[]): WallPlan {
  const named = (params.get("views") ?? "").split(",").map(viewOf).filter((view): view is WallView => view !== null);
  const views: WallView[] = named.length > 0 ? named : [{ kind: "city" }, ...departments.map((id): WallView => ({ kind: "department", id })), { kind: "alerts" }];
  const period = Number(params.get("period") ?? PERIOD_S);
  const pinned = Number(params.get("view") ?? Number.NaN);
  return {
    views,
    periodS: Number.isFinite(period) ? Math.min(Math.max(period, SHORTEST_S), LONGEST_S) : PERIOD_S,
    pinned: Number.isInteger(pinned) && pinned >= 1 && pinned <= views.length ? pinned - 1 : null,
    dim: hoursOf(params.get("dim")),
    metric: params.get("metric"),
  };
}

function viewOf(text: string): WallView | null {
  if (text === "city" || text === "alerts") return { kind: text };
  const [kind, ...rest] = text.split(":");
  const id = rest.join(":");
  return (kind === "department" || kind === "zone") && id !== "" ? { kind, id } : null;
}

function hoursOf(text: string | null): [number, number] | null {
  const found = /^(\d{1,2})-(\d{1,2})$/.exec(text ?? "");
  const [from, to] = [Number(found?.[1]), Number(found?.[2])];
  return found && from < 24 && to < 24 && from !== to ? [from, to] : null;
}

export interface Turn {
  index: number;
  /** How many times everything was shown: what has more than one page turns them. */
  round: number;
  leftS: number;
}

/** By the clock, not by counting: walls beside each other turn together, and a reload changes nothing. */
export function turnAt({ views, periodS, pinned }: WallPlan, nowMs: number): Turn {
  const turns = Math.floor(nowMs / 1000 / periodS);
  const leftS = Math.ceil((turns + 1) * periodS - nowMs / 1000);
  if (pinned !== null) return { index: pinned, round: turns, leftS };
  return { index: turns % views.length, round: Math.floor(turns / views.length), leftS };
}

export function isDim(dim: WallPlan["dim"], hour: number): boolean {
  if (dim === null) return false;
  const [from, to] = dim;
  return from < to ? hour >= from && hour < to : hour >= from || hour < to;
}

const SHIFT_STEPS = 24;
const SHIFT_S = 60;

/** Every minute all of it stands a little elsewhere, so that nothing burns in: parts of the height. */
export function shiftAt(nowMs: number): [x: number, y: number] {
  const turn = (Math.floor(nowMs / 1000 / SHIFT_S) % SHIFT_STEPS) * ((2 * Math.PI) / SHIFT_STEPS);
  return [Math.round(Math.cos(turn) * 40) / 10_000, Math.round(Math.sin(2 * turn) * 40) / 10_000];
}
