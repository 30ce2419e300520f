/** Dead letters that have the same reason and came the same way, counted together. */
import type { LetterHead } from "./replay";

export interface LetterGroup<Letter extends LetterHead> {
  key: string;
  reason: string;
  source: string;
  /** Newest first. */
  letters: Letter[];
  /** How many of them were not replayed. */
  waiting: number;
  first: string;
  last: string;
}

export function groupsOf<Letter extends LetterHead & { replayed_at: string | null }>(letters: readonly Letter[]): LetterGroup<Letter>[] {
  const groups = new Map<string, LetterGroup<Letter>>();
  for (const letter of letters) {
    const key = `${letter.reason}|${letter.source}`;
    const group = groups.get(key) ?? { key, reason: letter.reason, source: letter.source, letters: [], waiting: 0, first: letter.at, last: letter.at };
    group.letters.push(letter);
    if (letter.replayed_at === null) group.waiting += 1;
    if (letter.at < group.first) group.first = letter.at;
    if (letter.at > group.last) group.last = letter.at;
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => b.waiting - a.waiting || (a.last < b.last ? 1 : -1));
}
