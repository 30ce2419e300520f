/** What somebody has written and not yet published: kept in this browser, for this person only. */
import { whoIs } from "./session";

export interface KeptDraft {
  text: string;
  /** The text and tag that it began from; the tag is null if nothing was there. */
  base: string;
  tag: string | null;
  /** When it was kept, in epoch milliseconds. */
  at: number;
}

const keyOf = (name: string) => `citybrain.draft.${whoIs.peek()?.user ?? ""}.${name}`;

export function readDraft(name: string): KeptDraft | null {
  try {
    const found = JSON.parse(localStorage.getItem(keyOf(name)) ?? "null") as Partial<KeptDraft> | null;
    return found && typeof found.text === "string" && typeof found.base === "string" && typeof found.at === "number" ? { text: found.text, base: found.base, tag: found.tag ?? null, at: found.at } : null;
  } catch {
    return null; // no storage, or not ours
  }
}

/** Whether it could be kept. */
export function keepDraft(name: string, draft: KeptDraft): boolean {
  try {
    localStorage.setItem(keyOf(name), JSON.stringify(draft));
    return true;
  } catch {
    return false;
  }
}

export function dropDraft(name: string): void {
  try {
    localStorage.removeItem(keyOf(name));
  } catch {
    // nothing was kept
  }
}
