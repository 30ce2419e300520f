/** Which alerts go from department to department, as seen by one person. */
import type { AlertItem } from "../api/types";

export interface HandOvers {
  /** Asked of these departments, and not answered: the most pressing first. */
  asked: AlertItem[];
  /** This person was asked to take them, or has them. */
  mine: AlertItem[];
  /** Of these departments' rules, with others or on the way to them. */
  away: AlertItem[];
  /** Taken over from others by these departments, by anybody there. */
  taken: AlertItem[];
}

/** `ours` null is every department. */
export function handOversOf(alerts: Iterable<AlertItem>, me: string, ours: ReadonlySet<string> | null): HandOvers {
  const found: HandOvers = { asked: [], mine: [], away: [], taken: [] };
  const isOurs = (department: string | null) => department !== null && (ours === null || ours.has(department));
  for (const alert of alerts) {
    if (alert.state !== "firing") continue;
    const { stage, who, department, holder } = alert.handling;
    const owner = alert.rule.department;
    if (stage === "handed_over" && isOurs(department)) found.asked.push(alert);
    if ((stage === "assigned" || stage === "accepted") && who === me) found.mine.push(alert);
    if (isOurs(owner) && ((holder !== null && holder !== owner) || (stage === "handed_over" && department !== owner))) found.away.push(alert);
    if (stage !== "handed_over" && holder !== null && holder !== owner && isOurs(holder)) found.taken.push(alert);
  }
  for (const list of Object.values(found) as AlertItem[][]) list.sort(byDeadline);
  return found;
}

/** The nearest deadline first; what has none is last, the oldest first. */
export function byDeadline(a: AlertItem, b: AlertItem): number {
  const at = ({ handling }: AlertItem) => (handling.until === null ? Infinity : Date.parse(handling.until));
  const [first, second] = [at(a), at(b)];
  return first === second ? Date.parse(a.fired_at) - Date.parse(b.fired_at) : first - second;
}
