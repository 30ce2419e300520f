/** The keyboard: single letters outside text fields, and `g` followed by a letter. */
import { useEffect, useRef } from "preact/hooks";

/** By key as in `KeyboardEvent.key`, or `g o` for a sequence. A handler that returns false passes on. */
export type KeyMap = Readonly<Record<string, () => boolean | void>>;

const SEQUENCE_MS = 1500;
const stack: { current: KeyMap }[] = [];

/** While mounted these keys work; those mounted later come first. */
export function useKeys(keys: KeyMap): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    stack.push(latest);
    return () => {
      stack.splice(stack.indexOf(latest), 1);
    };
  }, []);
}

export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

let prefixAt = -Infinity;

export function startKeys(): void {
  document.addEventListener("keydown", handleKey);
}

export function handleKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (document.querySelector("dialog[open]")) return; // it has its own keys
  if (isTyping(event.target) && event.key !== "Escape") return;
  // Enter and space belong to the focused button or link.
  const onControl = event.target instanceof Element && event.target.closest("button, a, summary") !== null;
  if (onControl && (event.key === "Enter" || event.key === " ")) return;
  const inSequence = event.timeStamp - prefixAt < SEQUENCE_MS;
  prefixAt = -Infinity;
  if (event.key === "g" && !inSequence) {
    prefixAt = event.timeStamp;
    return;
  }
  if (run(inSequence ? `g ${event.key}` : event.key)) event.preventDefault();
}

function run(key: string): boolean {
  for (let at = stack.length - 1; at >= 0; at -= 1) {
    const handler = stack[at]?.current[key];
    if (handler && handler() !== false) return true;
  }
  return false;
}
