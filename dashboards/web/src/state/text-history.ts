/** Undo and redo of a text that is changed both by typing and by a form beside it. */
import { useRef, useState } from "preact/hooks";

/** What is typed without a pause is taken back in one step. */
const PAUSE_MS = 800;
const MOST_STEPS = 300;

export interface TextHistory {
  text: string;
  /** `steps` true: a step of its own, whatever came just before. */
  set(next: string, step?: boolean): void;
  undo(): boolean;
  redo(): boolean;
  /** Begins anew with this text. */
  reset(text: string): void;
  canUndo: boolean;
  canRedo: boolean;
}

export function useTextHistory(initial: string): TextHistory {
  const [, setTurn] = useState(0);
  const held = useRef({ past: [] as string[], text: initial, future: [] as string[], at: 0 });
  const state = held.current;
  const render = () => setTurn((turn) => turn + 1);
  return {
    text: state.text,
    canUndo: state.past.length > 0,
    canRedo: state.future.length > 0,
    set(next, step = false) {
      if (next === state.text) return;
      const now = Date.now();
      if (step || state.past.length === 0 || now - state.at > PAUSE_MS) state.past = [...state.past, state.text].slice(-MOST_STEPS);
      state.at = step ? 0 : now;
      state.text = next;
      state.future = [];
      render();
    },
    undo() {
      const last = state.past.pop();
      if (last === undefined) return false;
      state.future.push(state.text);
      state.text = last;
      state.at = 0;
      render();
      return true;
    },
    redo() {
      const next = state.future.pop();
      if (next === undefined) return false;
      state.past.push(state.text);
      state.text = next;
      state.at = 0;
      render();
      return true;
    },
    reset(text) {
      Object.assign(state, { past: [], text, future: [], at: 0 });
      render();
    },
  };
}
