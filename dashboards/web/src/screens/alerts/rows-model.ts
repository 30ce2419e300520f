/** The rows of the alert table: pages as they are loaded, and changes that came since. Nothing moves while it is held. */
import type { AlertItem } from "../../api/types";

export interface RowsRules {
  fits(alert: AlertItem): boolean;
  compare(a: AlertItem, b: AlertItem): number;
}

export class RowsModel {
  /** In the order shown. */
  rows: AlertItem[] = [];
  private readonly places = new Map<string, number>();
  /** Those that came meanwhile and wait. */
  private readonly waiting = new Map<string, AlertItem>();
  private readonly rules: RowsRules;
  /** Whether the server has more after the last row. */
  hasMore = true;
  /** Whether anything may stand where it should not. */
  private unsettled = false;

  constructor(rules: RowsRules) {
    this.rules = rules;
  }

  get size(): number {
    return this.rows.length;
  }

  get waitingCount(): number {
    return this.waiting.size;
  }

  get(id: string): AlertItem | undefined {
    const at = this.places.get(id);
    return at === undefined ? undefined : this.rows[at];
  }

  indexOf(id: string): number {
    return this.places.get(id) ?? -1;
  }

  /** A page in the server's order; what moved between two pages comes twice and is taken once. */
  addPage(items: readonly AlertItem[], hasMore: boolean): void {
    this.hasMore = hasMore;
    for (const item of items) {
      const known = this.get(item.id);
      if (known === undefined) {
        this.places.set(item.id, this.rows.length);
        this.rows.push(item);
        this.waiting.delete(item.id);
      } else if (known.updated_at <= item.updated_at) {
        this.rows[this.indexOf(item.id)] = item;
      }
    }
  }

  /** A change. Returns whether anything that is shown, or the number of those that wait, is different. */
  take(item: AlertItem, held: boolean): boolean {
    const at = this.places.get(item.id);
    const fits = this.rules.fits(item);
    if (at !== undefined) {
      this.rows[at] = item;
      this.unsettled = true;
      return true;
    }
    if (!fits) return this.waiting.delete(item.id);
    // It will come with a later page.
    const last = this.rows[this.rows.length - 1];
    if (this.hasMore && last !== undefined && this.rules.compare(last, item) < 0) return false;
    this.waiting.set(item.id, item);
    if (!held) this.release();
    return true;
  }

  /** Whether a row is still what the filter asks for: one that is not any more stays until the list moves. */
  isOut(item: AlertItem): boolean {
    return !this.rules.fits(item);
  }

  /** Lets in what waits, takes out what does not fit any more, and puts all in order. Returns whether anything moved. */
  release(keep: (item: AlertItem) => boolean = () => false): boolean {
    if (!this.unsettled && this.waiting.size === 0) return false;
    const stays = this.rows.filter((item) => this.rules.fits(item) || keep(item));
    const next = [...stays, ...this.waiting.values()];
    // What is kept for a while has to be looked at again.
    this.unsettled = stays.some((item) => !this.rules.fits(item));
    const moved = this.waiting.size > 0 || stays.length !== this.rows.length || !this.isSorted(next);
    if (!moved) return false;
    this.waiting.clear();
    next.sort(this.rules.compare);
    this.rows = next;
    this.places.clear();
    next.forEach((item, at) => this.places.set(item.id, at));
    return true;
  }

  private isSorted(rows: readonly AlertItem[]): boolean {
    for (let at = 1; at < rows.length; at += 1) if (this.rules.compare(rows[at - 1] as AlertItem, rows[at] as AlertItem) > 0) return false;
    return true;
  }
}

/** The ids between two rows, both included; only the second if the first is gone. */
export function idsBetween(rows: readonly AlertItem[], first: number, second: number): string[] {
  if (first < 0) return rows[second] === undefined ? [] : [(rows[second] as AlertItem).id];
  return rows.slice(Math.min(first, second), Math.max(first, second) + 1).map(({ id }) => id);
}
