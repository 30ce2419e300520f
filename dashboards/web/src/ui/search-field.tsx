/** A search field that reports after a pause in typing; `/` goes into it, Esc leaves it. */
import { useEffect, useRef, useState } from "preact/hooks";
import { useKeys } from "../keys";

const PAUSE_MS = 250;

interface Props {
  label: string;
  value: string;
  onSearch(text: string): void;
}

export function SearchField({ label, value, onSearch }: Props) {
  const field = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(value);
  const reported = useRef(value);

  useEffect(() => {
    // The address changed from outside: back, forward or a link.
    if (value !== reported.current) setText(value);
    reported.current = value;
  }, [value]);

  useEffect(() => {
    if (text === reported.current) return;
    const timer = setTimeout(() => {
      reported.current = text;
      onSearch(text);
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);

  useKeys({
    "/": () => field.current?.focus(),
    Escape: () => (document.activeElement === field.current ? field.current?.blur() : false),
  });

  return (
    <input
      ref={field}
      class="search"
      type="search"
      placeholder={`${label}  /`}
      aria-label={label}
      value={text}
      autocomplete="off"
      spellcheck={false}
      onInput={(event) => setText(event.currentTarget.value)}
    />
  );
}
