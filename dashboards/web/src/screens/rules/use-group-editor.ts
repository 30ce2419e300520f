/** Editing the text of a group: undo, a draft that outlives the tab, and the server's check of it. */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ApiError } from "../../api/client";
import { faultsOf, rulesApi, type RuleCheck, type RuleFault, type RuleFile, type RuleReload } from "../../api/rules";
import { placeFault, type PlacedFault } from "../../rulefile/faults";
import { readYaml, scalarAt, type YamlNode } from "../../rulefile/yaml";
import { dropDraft, keepDraft, readDraft } from "../../state/drafts";
import { useTextHistory, type TextHistory } from "../../state/text-history";

/** So long nothing must change before the server is asked. */
const CHECK_AFTER_MS = 450;
const KEEP_AFTER_MS = 300;

export interface Present {
  text: string;
  /** Null if there is no such group yet. */
  tag: string | null;
}

export interface Checked {
  /** The text that was checked. */
  text: string;
  faults: readonly RuleFault[];
  /** What publishing would do, where the server can say. */
  reload: RuleReload | null;
  notJudged: RuleCheck["not_judged"];
  /** Why it could not be checked. */
  error: unknown;
}

export interface GroupEditor {
  history: TextHistory;
  text: string;
  root: YamlNode | null;
  /** Where the text can no longer be read. */
  stopped: number | null;
  /** The name that the text gives the group. */
  name: string;
  base: Present;
  dirty: boolean;
  checked: Checked | null;
  checking: boolean;
  placed: readonly PlacedFault[];
  /** When the draft was kept that this began with. */
  restored: number | null;
  /** False if the browser keeps nothing. */
  kept: boolean;
  set(text: string, step?: boolean): void;
  /** Back to what is published. */
  discard(): void;
  /** It is published, or what is published was taken. */
  settle(present: Present, text?: string): void;
}

interface Options {
  /** Names the draft. */
  draft: string;
  present: Present;
  /** The group that is edited in place; null for files, which are only checked. */
  group: string | null;
  isNew: boolean;
  mayCheck: boolean;
  /** Everything else that the text may name. */
  others(): Promise<readonly RuleFile[]>;
}

export function useGroupEditor(options: Options): GroupEditor {
  const found = useMemo(() => readDraft(options.draft), []);
  const [base, setBase] = useState<Present>(() => (found && found.text !== options.present.text ? { text: found.base, tag: found.tag } : options.present));
  const history = useTextHistory(found && found.text !== options.present.text ? found.text : options.present.text);
  const [restored, setRestored] = useState<number | null>(found && found.text !== options.present.text ? found.at : null);
  const [kept, setKept] = useState(true);
  const [checked, setChecked] = useState<Checked | null>(null);
  const [checking, setChecking] = useState(false);
  const { text } = history;
  const dirty = text !== base.text;
  const file = useMemo(() => readYaml(text), [text]);
  const latest = useRef(options);
  latest.current = options;
  const name = scalarAt(file.root, ["group"]);

  useEffect(() => {
    const timer = setTimeout(() => {
      if (dirty) setKept(keepDraft(options.draft, { text, base: base.text, tag: base.tag, at: Date.now() }));
      else dropDraft(options.draft);
    }, KEEP_AFTER_MS);
    return () => clearTimeout(timer);
  }, [text, base]);

  // What was typed last is kept too, however fast the tab closes: by the latest render, not the latest effect.
  const keep = useRef(() => undefined as void);
  keep.current = () => void (dirty && keepDraft(options.draft, { text, base: base.text, tag: base.tag, at: Date.now() }));
  useEffect(() => {
    const leave = () => keep.current();
    addEventListener("pagehide", leave);
    return () => {
      removeEventListener("pagehide", leave);
      leave();
    };
  }, []);

  // Loaded again: what somebody else published is shown, unless something of one's own would be lost.
  useEffect(() => {
    if (options.present.tag === base.tag || dirty) return;
    setBase(options.present);
    history.reset(options.present.text);
  }, [options.present.tag]);

  useEffect(() => {
    if (!options.mayCheck) return;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      setChecking(true);
      void check(latest.current, text, base, name, abort.signal).then((next) => {
        if (abort.signal.aborted) return;
        setChecked(next);
        setChecking(false);
      });
    }, checked === null ? 0 : CHECK_AFTER_MS);
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [text, base, options.mayCheck]);

  const placed = useMemo(() => (checked?.text === text ? checked.faults.map((fault) => placeFault(text, file.root, fault)) : []), [checked, text]);
  return {
    history, text, root: file.root, stopped: file.stopped, name, base, dirty, checked, checking, placed, restored, kept,
    set: (next, step) => history.set(next, step),
    discard() {
      setBase(latest.current.present);
      history.set(latest.current.present.text, true);
      setRestored(null);
      dropDraft(options.draft);
    },
    settle(present, next) {
      setBase(present);
      if (next !== undefined) history.set(next, true);
      setRestored(null);
    },
  };
}

async function check(options: Options, text: string, base: Present, name: string, signal: AbortSignal): Promise<Checked> {
  const result: Checked = { text, faults: [], reload: null, notJudged: [], error: null };
  try {
    const target = options.isNew ? name : options.group;
    if (target) {
      const change = await rulesApi.tryGroup(target, text, base.tag, signal).catch((error: unknown) => {
        // Somebody else changed it: it can still be checked, publishing settles the rest.
        if (error instanceof ApiError && (error.status === 412 || error.status === 409 || error.status === 403)) return null;
        throw error;
      });
      if (change !== null) return { ...result, faults: change.problems, reload: change.reload };
    }
    const own = { name: fileName(options.group ?? name), text };
    const said = await rulesApi.check([own, ...(await options.others())], signal);
    return { ...result, faults: said.problems.filter(({ file }) => file === own.name), notJudged: said.not_judged };
  } catch (error) {
    const faults = faultsOf(error);
    return faults.length > 0 ? { ...result, faults } : { ...result, error };
  }
}

export const fileName = (group: string) => `${group || "group"}.yaml`;
