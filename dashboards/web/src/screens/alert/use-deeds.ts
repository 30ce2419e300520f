/** One person's work on one alert: what is filled in, what others did meanwhile, what came of it. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Tagged } from "../../api/client";
import type { AlertDetail, AlertLogEntry } from "../../api/types";
import { t } from "../../i18n";
import { doDeed, doneByOthers, isReady, lastSeq, needsNote, takesUntil, whyNotDeed, type Deed } from "../../state/deeds";
import { serverNow } from "../../state/clock";
import { draftOf, emptyInput, type DeedInput } from "./deed-fields";

export interface Failure {
  what: string;
  hint: string;
}

export interface DeedWork {
  /** The deed whose fields are open; null while none is. */
  open: Deed | null;
  input: DeedInput;
  busy: boolean;
  failure: Failure | null;
  /** What others did since this person began. */
  meanwhile: AlertLogEntry[];
  setNote(note: string): void;
  setInput(input: DeedInput): void;
  choose(deed: Deed): void;
  close(): void;
  /** This person has read what others did. */
  look(): void;
  ready(deed: Deed): boolean;
  whyNot(deed: Deed): string | null;
  run(deed: Deed): Promise<void>;
}

/** What the engine does that changes what a person would do. */
const TELLING: readonly string[] = ["resolved", "escalated", "overdue"];

const isTelling = ({ by, kind }: AlertLogEntry) => (by !== "engine" && by !== "brain") || TELLING.includes(kind);

export function useDeeds({ value: alert, tag }: Tagged<AlertDetail>): DeedWork {
  const [open, setOpen] = useState<Deed | null>(null);
  const [input, setInput] = useState<DeedInput>(emptyInput("note"));
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const last = lastSeq(alert.log);
  const [seen, setSeen] = useState(last);
  const drafting = open !== null || input.note.trim() !== "";
  const meanwhile = drafting ? doneByOthers(alert.log, seen).filter(isTelling) : [];

  // Who writes nothing sees every change where it happens.
  useEffect(() => {
    if (!drafting) setSeen(last);
  }, [drafting, last]);

  // A half-written note must not be lost by a click beside it.
  const dirty = useRef(false);
  dirty.current = input.note.trim() !== "";
  useEffect(() => {
    const ask = (event: BeforeUnloadEvent) => dirty.current && event.preventDefault();
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, []);

  const whyNot = (deed: Deed) => whyNotDeed(deed, alert) ?? (meanwhile.length > 0 && deed !== "note" ? t("deed.not.look") : null);
  const ready = (deed: Deed) => isReady(deed, draftOf(input, deed, serverNow()), serverNow());

  const run = async (deed: Deed) => {
    if (busy || whyNot(deed) !== null || !ready(deed)) return;
    setBusy(true);
    setFailure(null);
    const outcome = await doDeed(deed, alert.id, draftOf(input, deed, serverNow()), tag);
    setBusy(false);
    if (outcome.done) {
      // What was opened or written while it was on its way stays.
      setOpen((now) => (now === open ? null : now));
      setInput((now) => (now === input ? emptyInput("note") : now.note === input.note ? { ...now, note: "" } : now));
    } else {
      setFailure(outcome);
    }
  };

  return {
    open,
    input,
    busy,
    failure,
    meanwhile,
    setNote: (note) => setInput((old) => ({ ...old, note })),
    setInput,
    choose: (deed) => {
      setFailure(null);
      setOpen(open === deed ? null : deed);
      setInput((old) => ({ ...emptyInput(deed), note: old.note }));
    },
    close: () => {
      setOpen(null);
      setFailure(null);
    },
    look: () => {
      setSeen(last);
      setFailure(null);
    },
    ready,
    whyNot,
    run,
  };
}

/** Whether a deed needs more than a press of its button. */
export function asks(deed: Deed): boolean {
  return takesUntil(deed) || (needsNote(deed) && deed !== "note");
}

