/**
 * A long list of the server, of which only the pages that somebody looks at are loaded. A page can
 * only be reached through those before it, by their cursors.
 */

export interface ListPage<Item> {
  items: Item[];
  next_cursor: string | null;
  total: number;
}

interface Held<Item> {
  cursor: string | null;
  next: string | null;
  items: Item[];
}

export type LoadPage<Item> = (cursor: string | null, limit: number, signal: AbortSignal) => Promise<ListPage<Item>>;

export class PagedList<Item extends { id: string }> {
  /** How many match in all; null before the first page came. */
  total: number | null = null;
  /** Why the last page did not come; null once one does. */
  error: unknown = null;
  /** When something came last, in epoch milliseconds. */
  at: number | null = null;

  private pages: Held<Item>[] = [];
  private wanted = 0;
  private loading = false;
  private abort = new AbortController();

  constructor(
    private readonly load: LoadPage<Item>,
    private readonly pageSize: number,
    private readonly onChange: () => void,
  ) {}

  itemAt(index: number): Item | undefined {
    return this.pages[Math.floor(index / this.pageSize)]?.items[index % this.pageSize];
  }

  /** Loads what is missing before `end`, which is one past the last row that is wanted. */
  want(end: number): void {
    this.wanted = end;
    void this.loadOn();
  }

  /** Loads the pages of these rows again. With `hold` rows stay where they are, and only what they say changes. */
  async refresh(first: number, end: number, hold: boolean): Promise<void> {
    if (this.loading || this.pages.length === 0) return this.loadOn(true);
    this.loading = true;
    const [from, to] = [Math.floor(first / this.pageSize), Math.floor(Math.max(first, end - 1) / this.pageSize)];
    try {
      for (let at = from; at <= Math.min(to, this.pages.length - 1); at += 1) {
        const page = this.pages[at];
        if (page) this.replace(at, page, await this.load(page.cursor, this.pageSize, this.abort.signal), hold);
      }
      this.came();
    } catch (error) {
      this.failed(error);
    } finally {
      this.loading = false;
    }
    await this.loadOn(true);
  }

  /** After a failure: what is wanted is asked for once more. */
  retry(): void {
    this.error = null;
    this.onChange();
    void this.loadOn();
  }

  dispose(): void {
    this.abort.abort();
  }

  private replace(at: number, page: Held<Item>, fresh: ListPage<Item>, hold: boolean): void {
    this.total = fresh.total;
    if (hold) {
      const byId = new Map(fresh.items.map((item) => [item.id, item]));
      page.items = page.items.map((item) => byId.get(item.id) ?? item);
      return;
    }
    this.pages[at] = { cursor: page.cursor, next: fresh.next_cursor, items: fresh.items };
    // What follows began elsewhere: it is asked for again from here.
    if (this.pages[at + 1] && this.pages[at + 1]?.cursor !== fresh.next_cursor) this.pages.length = at + 1;
  }

  /** Scrolling does not ask again for what did not come; time does. */
  private async loadOn(again = false): Promise<void> {
    if (this.loading || (this.error !== null && !again)) return;
    this.loading = true;
    try {
      for (let last = this.pages.at(-1); this.pages.length * this.pageSize < Math.max(this.wanted, 1) && (last === undefined || last.next !== null); last = this.pages.at(-1)) {
        const cursor = last?.next ?? null;
        const page = await this.load(cursor, this.pageSize, this.abort.signal);
        this.pages.push({ cursor, next: page.next_cursor, items: page.items });
        this.total = page.total;
        this.came();
      }
    } catch (error) {
      this.failed(error);
    } finally {
      this.loading = false;
    }
  }

  private came(): void {
    this.error = null;
    this.at = Date.now();
    this.onChange();
  }

  private failed(error: unknown): void {
    if (this.abort.signal.aborted) return;
    this.error = error;
    this.onChange();
  }
}
