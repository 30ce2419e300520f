/** Editing something that others may change at the same time: drafts, tags, conflicts. */
import { useEffect, useState } from "preact/hooks";
import { ApiError, type Tagged } from "../api/client";
import { isSame, merge, type Difference, type Side } from "./merge";

export interface Conflict<Draft> {
  theirs: Tagged<Draft>;
  clashes: readonly Difference[];
  taken: readonly Difference[];
}

export interface Editing<Draft> {
  draft: Draft;
  change(part: Partial<Draft>): void;
  dirty: boolean;
  busy: boolean;
  failure: unknown;
  conflict: Conflict<Draft> | null;
  /** Whether it was saved. */
  save(): Promise<boolean>;
  /** Saves on top of what the other person saved; clashes go as chosen. */
  saveMerged(choose: (clash: Difference) => Side): Promise<boolean>;
}

interface Options<Draft> {
  /** As it was loaded; with the tag null nothing is there yet. */
  initial: { value: Draft; tag: string | null };
  load(): Promise<Tagged<Draft>>;
  send(draft: Draft, tag: string | null): Promise<Tagged<Draft>>;
}

export function useEditing<Draft extends object>({ initial, load, send }: Options<Draft>): Editing<Draft> {
  const [base, setBase] = useState(initial);
  const [draft, setDraft] = useState(initial.value);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const [conflict, setConflict] = useState<Conflict<Draft> | null>(null);
  const dirty = !isSame(base.value, draft);

  useEffect(() => {
    if (!dirty) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, [dirty]);

  // Loaded again, and nothing is lost by it.
  useEffect(() => {
    if (initial.tag === base.tag || dirty) return;
    setBase(initial);
    setDraft(initial.value);
  }, [initial.tag]);

  const store = async (next: Draft, from: { value: Draft; tag: string | null }): Promise<boolean> => {
    setBusy(true);
    setFailure(null);
    try {
      const saved = await send(next, from.tag);
      setBase(saved);
      setDraft(saved.value);
      setConflict(null);
      return true;
    } catch (error) {
      const theirs = isConflict(error) && from.tag !== null ? await load().catch(() => null) : null;
      if (theirs === null) setFailure(error);
      else setConflict({ theirs, ...merge(from.value, next, theirs.value) });
      return false;
    } finally {
      setBusy(false);
    }
  };

  return {
    draft,
    change: (part) => setDraft((now) => ({ ...now, ...part })),
    dirty,
    busy,
    failure,
    conflict,
    save: () => store(draft, base),
    saveMerged: async (choose) => {
      if (conflict === null) return false;
      const { theirs } = conflict;
      const { value } = merge(base.value, draft, theirs.value, choose);
      setBase(theirs);
      setDraft(value);
      return store(value, theirs);
    },
  };
}

function isConflict(error: unknown): boolean {
  return error instanceof ApiError && error.code === "changed_meanwhile";
}
