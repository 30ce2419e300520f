/** A text with line numbers, marks where something is wrong, and quiet colouring. */
import type { Ref } from "preact";
import { useEffect, useId, useImperativeHandle, useMemo, useRef } from "preact/hooks";
import { t } from "../i18n";
import { offsetOf } from "../rulefile/yaml";

export interface TextMark {
  /** From 1. */
  line: number;
  message: string;
}

export interface TextEditorHandle {
  /** Puts the cursor there, line and column from 1, and shows it. */
  goTo(line: number, column: number): void;
}

interface Props {
  label: string;
  value: string;
  onInput(value: string): void;
  marks?: readonly TextMark[];
  readOnly?: boolean;
  onUndo?(): void;
  onRedo?(): void;
  /** The offset of the cursor, when it moves. */
  onCursor?(offset: number): void;
  handle?: Ref<TextEditorHandle>;
  /** The lines that are being looked at elsewhere, from 1. */
  shown?: { from: number; to: number } | null;
  rows?: number;
}

const INDENT = "  ";

export function TextEditor({ label, value, onInput, marks = [], readOnly = false, onUndo, onRedo, onCursor, handle, shown = null, rows }: Props) {
  const area = useRef<HTMLTextAreaElement>(null);
  const gutter = useRef<HTMLDivElement>(null);
  const colours = useRef<HTMLPreElement>(null);
  const leaving = useRef(false);
  const selection = useRef<{ start: number; end: number } | null>(null);
  const id = useId();
  const lines = useMemo(() => value.split("\n"), [value]);
  const byLine = useMemo(() => new Map(marks.map((mark) => [mark.line, mark.message])), [marks]);

  const follow = () => {
    const { scrollTop = 0, scrollLeft = 0 } = area.current ?? {};
    if (gutter.current) gutter.current.style.transform = `translateY(${-scrollTop}px)`;
    if (colours.current) colours.current.style.transform = `translate(${-scrollLeft}px, ${-scrollTop}px)`;
  };
  useEffect(follow, [value]);
  useEffect(() => {
    if (selection.current === null) return;
    area.current?.setSelectionRange(selection.current.start, selection.current.end);
    selection.current = null;
  }, [value]);

  useImperativeHandle(handle ?? null, () => ({
    goTo(line, column) {
      const field = area.current;
      if (!field) return;
      const at = offsetOf(field.value, line, column);
      field.focus();
      field.setSelectionRange(at, at);
      const height = field.scrollHeight / Math.max(1, field.value.split("\n").length);
      field.scrollTop = Math.max(0, (line - 1) * height - field.clientHeight / 2);
      onCursor?.(at);
    },
  }));

  /** By the browser's own way, so that input methods and screen readers follow. */
  const replace = (start: number, end: number, text: string, select: { start: number; end: number }) => {
    selection.current = select;
    onInput(value.slice(0, start) + text + value.slice(end));
  };

  const keyDown = (event: KeyboardEvent) => {
    const field = area.current;
    if (!field || event.isComposing) return;
    const command = event.ctrlKey || event.metaKey;
    if (command && !event.altKey && event.key.toLowerCase() === "z" && onUndo && onRedo) {
      event.preventDefault();
      if (event.shiftKey) onRedo();
      else onUndo();
    } else if (command && !event.altKey && event.key.toLowerCase() === "y" && onRedo) {
      event.preventDefault();
      onRedo();
    } else if (event.key === "Escape") {
      leaving.current = true;
      return;
    } else if (event.key === "Tab" && !command && !leaving.current && !readOnly) {
      event.preventDefault();
      indent(field, event.shiftKey, replace);
    } else if (event.key === "Enter" && !command && !readOnly) {
      event.preventDefault();
      const start = value.lastIndexOf("\n", field.selectionStart - 1) + 1;
      const line = value.slice(start, field.selectionStart);
      const deeper = /:\s*$/.test(line) ? INDENT : "";
      const lead = (/^ */.exec(line)?.[0] ?? "") + (/^ *- /.test(line) ? INDENT : "") + deeper;
      const at = field.selectionStart + 1 + lead.length;
      replace(field.selectionStart, field.selectionEnd, `\n${lead}`, { start: at, end: at });
    }
    leaving.current = false;
  };

  const problems = byLine.size;
  return (
    <div class={`text-editor${readOnly ? " read-only" : ""}`}>
      <div class="text-gutter" aria-hidden="true">
        <div ref={gutter}>
          {lines.map((_, at) => (
            <span key={at} class={byLine.has(at + 1) ? "line-wrong" : shown && at + 1 >= shown.from && at + 1 <= shown.to ? "line-shown" : ""} title={byLine.get(at + 1)}>
              {byLine.has(at + 1) ? "✕ " : ""}
              {at + 1}
            </span>
          ))}
        </div>
      </div>
      <div class="text-body">
        <pre ref={colours} aria-hidden="true">
          {lines.map((line, at) => (
            <span key={at} class={byLine.has(at + 1) ? "line line-wrong" : "line"}>
              {coloured(line)}
            </span>
          ))}
        </pre>
        <textarea
          ref={area}
          value={value}
          {...(rows !== undefined && { rows })}
          aria-label={label}
          aria-describedby={`${id}-keys`}
          aria-invalid={problems > 0}
          readOnly={readOnly}
          spellcheck={false}
          autocomplete="off"
          wrap="off"
          onInput={(event) => onInput(event.currentTarget.value)}
          onScroll={follow}
          onKeyDown={keyDown}
          onSelect={(event) => onCursor?.(event.currentTarget.selectionStart)}
        />
      </div>
      <p class="spoken" id={`${id}-keys`}>{t("editor.keys")}</p>
    </div>
  );
}

/** Tab: spaces at the cursor, or all selected lines in or out. */
function indent(field: HTMLTextAreaElement, out: boolean, replace: (start: number, end: number, text: string, select: { start: number; end: number }) => void): void {
  const { value, selectionStart, selectionEnd } = field;
  if (!out && selectionStart === selectionEnd) {
    const column = selectionStart - (value.lastIndexOf("\n", selectionStart - 1) + 1);
    const spaces = " ".repeat(INDENT.length - (column % INDENT.length));
    const at = selectionStart + spaces.length;
    return replace(selectionStart, selectionEnd, spaces, { start: at, end: at });
  }
  const start = value.lastIndexOf("\n", selectionStart - 1) + 1;
  const end = value.indexOf("\n", Math.max(selectionStart, selectionEnd - 1));
  const stop = end < 0 ? value.length : end;
  const next = value
    .slice(start, stop)
    .split("\n")
    .map((line) => (out ? line.replace(/^ {1,2}/, "") : line === "" ? line : INDENT + line))
    .join("\n");
  if (next !== value.slice(start, stop)) replace(start, stop, next, { start, end: start + next.length });
}

/** Comments, keys and quoted texts stand apart; nothing more. */
function coloured(line: string) {
  const comment = /(^|\s)#.*$/.exec(line);
  const code = comment ? line.slice(0, comment.index) : line;
  const parts: preact.ComponentChild[] = [];
  let last = 0;
  for (const found of code.matchAll(/"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[\w.-]+(?=\s*:(?:\s|$))/g)) {
    if (found.index > last) parts.push(code.slice(last, found.index));
    parts.push(<span key={found.index} class={/^["']/.test(found[0]) ? "word-text" : "word-key"}>{found[0]}</span>);
    last = found.index + found[0].length;
  }
  parts.push(code.slice(last));
  if (comment) parts.push(<span key="comment" class="word-comment">{comment[0]}</span>);
  return parts;
}
