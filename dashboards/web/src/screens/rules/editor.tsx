/** The rule editor: form and text side by side, each following the other; below what can be tried. */
import { useMemo, useRef } from "preact/hooks";
import { rulesApi, type RuleFile, type RuleGroupText } from "../../api/rules";
import { problemText } from "../../api/problem-text";
import { faultText, hintText } from "../../rulefile/faults";
import { copyRule, newRule, ruleIds } from "../../rulefile/reshape";
import { remove } from "../../rulefile/edit";
import { kindSpec } from "../../rulefile/kinds";
import { lineOf, nodeAt, pathAt, readYaml, scalarAt } from "../../rulefile/yaml";
import { counted, t } from "../../i18n";
import { useKeys } from "../../keys";
import { query, setQuery } from "../../router";
import { isAtLeast } from "../../state/session";
import { useResource } from "../../state/resource";
import { whyNot } from "../../state/rights";
import { Mishap } from "../../ui/mishap";
import { TextEditor, type TextEditorHandle } from "../../ui/text-editor";
import { BacktestPane } from "./backtest-pane";
import { EditorHead } from "./editor-head";
import { HistoryPane } from "./history-pane";
import { PublishPane } from "./publish-pane";
import { RuleFields } from "./rule-form";
import { RuleTabs } from "./rule-tabs";
import { TestsPane } from "./tests-pane";
import { useGroupEditor, type GroupEditor, type Present } from "./use-group-editor";

export interface EditorProps {
  /** Null for one that is new. */
  group: string | null;
  info: RuleGroupText | null;
  file: string | null;
  present: Present;
  others(): Promise<readonly RuleFile[]>;
  reload(): void;
}

export const PANES = ["problems", "test", "backtest", "history", "publish"] as const;
export type Pane = (typeof PANES)[number];

export function Editor(props: EditorProps) {
  const { group, info, present } = props;
  const readOnly = info?.read_only ?? false;
  const engineer = isAtLeast("engineer");
  const editor = useGroupEditor({ draft: `rules.${group ?? ""}.${props.file ?? ""}`, present, group: readOnly ? null : group, isNew: group === null, mayCheck: engineer, others: props.others });
  const text = useRef<TextEditorHandle>(null);
  const ids = ruleIds(editor.root);
  const others = useResource("rules", (signal) => rulesApi.rules(signal)).data ?? [];
  const everywhere = [...new Set([...ids, ...others.map(({ id }) => id)])].filter((id) => id !== "");
  const asked = query.value.get("rule");
  const at = Math.max(0, asked === null ? 0 : ids.indexOf(asked));
  const chosen = ids[at] ?? null;
  const asks = query.value.get("pane");
  const pane: Pane = PANES.find((each) => each === asks) ?? "problems";
  const department = scalarAt(editor.root, ["rules", at, "department"]) || scalarAt(editor.root, ["department"]);
  const reason = readOnly ? t("rules.read_only.why", { files: (info?.files ?? []).join(", ") }) : whyNot("engineer", department || null);
  const show = (line: number, column: number) => text.current?.goTo(line, column);
  const open = (next: Pane) => setQuery({ pane: next === "problems" ? null : next });
  useKeys({ n: () => nextFault(editor, show), ...Object.fromEntries(PANES.map((each, place) => [String(place + 1), () => open(each)])) });

  /** The cursor in another rule shows that rule's form. */
  const follow = (offset: number) => {
    const [first, rule] = pathAt(editor.root, offset);
    const id = first === "rules" && typeof rule === "number" ? ids[rule] : undefined;
    if (id !== undefined && id !== "" && id !== chosen) setQuery({ rule: id });
  };
  const shown = useMemo(() => {
    const node = nodeAt(editor.root, ["rules", at]);
    return node === null ? null : { from: lineOf(editor.text, node.start), to: lineOf(editor.text, node.end) };
  }, [editor.root, at]);

  return (
    <div class={pane === "problems" ? "rule-editor" : "rule-editor trying"}>
      <EditorHead {...props} editor={editor} reason={reason} onPublish={() => open("publish")} />
      <div class="editor-columns">
        <section class="panel editor-form" aria-label={t("rules.form")}>
          <RuleTabs
            ids={ids}
            at={at}
            faults={editor.placed}
            disabled={!engineer || editor.stopped !== null}
            onChoose={(id) => {
              setQuery({ rule: id });
              const node = nodeAt(editor.root, ["rules", ids.indexOf(id)]);
              if (node !== null) text.current?.reveal(lineOf(editor.text, node.start));
            }}
            onAdd={(kind) => {
              const made = newRule(editor.text, kind, everywhere);
              editor.set(made.text, true);
              setQuery({ rule: made.id });
            }}
            onCopy={() => {
              const made = copyRule(editor.text, at, everywhere);
              if (made === null) return;
              editor.set(made.text, true);
              setQuery({ rule: made.id });
            }}
            onRemove={() => editor.set(remove(editor.text, ["rules", at]), true)}
          />
          {editor.stopped !== null && <p class="note" role="status">{t("rules.form.waits", { line: lineOf(editor.text, editor.stopped) })}</p>}
          {editor.stopped === null && ids.length === 0 && <p class="state">{t("rules.none.group")}</p>}
          {chosen !== null && editor.root !== null && (
            <RuleFields
              key={at}
              form={{
                text: editor.text,
                root: editor.root,
                rule: ["rules", at],
                faults: editor.placed.filter(({ rule }) => rule === at),
                disabled: !engineer,
                rules: everywhere,
                placeholders: [],
                change: (next) => {
                  editor.set(next);
                  const id = scalarAt(readYaml(next).root, ["rules", at, "id"]);
                  if (id !== "" && id !== chosen) setQuery({ rule: id });
                },
              }}
            />
          )}
        </section>
        <section class="panel editor-text" aria-label={t("rules.text")}>
          <TextEditor
            label={t("rules.text")}
            value={editor.text}
            readOnly={!engineer}
            marks={editor.placed.map(({ fault }) => ({ line: fault.line, message: faultText(fault) }))}
            shown={shown}
            handle={text}
            onInput={(next) => editor.set(next)}
            onUndo={() => editor.history.undo()}
            onRedo={() => editor.history.redo()}
            onCursor={follow}
          />
          <KindNote kind={scalarAt(editor.root, ["rules", at, "kind"])} />
        </section>
      </div>
      <section class="panel editor-panes">
        <div class="tabs pane-tabs" role="tablist" aria-label={t("rules.panes")}>
          {PANES.map((each) => (
            <button key={each} type="button" role="tab" id={`tab-${each}`} aria-selected={each === pane} aria-controls="editor-pane" tabIndex={each === pane ? 0 : -1} onClick={() => open(each)} onKeyDown={(event) => moveTab(event, each, open)}>
              {t(`rules.pane.${each}`)}
              {each === "problems" && editor.placed.length > 0 && <span class="fault-count">{editor.placed.length}</span>}
            </button>
          ))}
        </div>
        <div id="editor-pane" role="tabpanel" aria-labelledby={`tab-${pane}`} class="pane-body" tabIndex={-1}>
          {pane === "problems" && <Problems editor={editor} show={show} />}
          {pane === "test" && <TestsPane editor={editor} name={group ?? editor.name} ids={ids} at={at} />}
          {pane === "backtest" && <BacktestPane editor={editor} name={group ?? editor.name} ids={ids} chosen={chosen} others={props.others} />}
          {pane === "history" && <HistoryPane group={group} editor={editor} readOnly={readOnly} reason={reason} onRestored={props.reload} />}
          {pane === "publish" && <PublishPane {...props} editor={editor} reason={reason} />}
        </div>
      </section>
    </div>
  );
}

function moveTab(event: KeyboardEvent, now: Pane, open: (pane: Pane) => void): void {
  const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
  if (step === 0) return;
  event.preventDefault();
  const next = PANES[(PANES.indexOf(now) + step + PANES.length) % PANES.length] ?? now;
  open(next);
  document.getElementById(`tab-${next}`)?.focus();
}

function nextFault(editor: GroupEditor, show: (line: number, column: number) => void): boolean {
  const first = editor.placed[0]?.fault;
  if (first) show(first.line, first.column);
  return first !== undefined;
}

function Problems({ editor, show }: { editor: GroupEditor; show(line: number, column: number): void }) {
  const { checked, checking, placed, stopped } = editor;
  if (checked === null) return <p class="state" role="status">{t(checking ? "rules.checking" : "rules.unchecked")}</p>;
  if (checked.error !== null) return <Mishap {...problemText(checked.error)} />;
  const current = checked.text === editor.text;
  return (
    <>
      <p class="check-sum" role="status">
        {!current || checking ? t("rules.checking") : placed.length === 0 ? t("rules.no_problem") : counted("rules.problems", placed.length)}
      </p>
      {current && stopped !== null && placed.length === 0 && <p class="note">{t("rules.form.waits", { line: lineOf(editor.text, stopped) })}</p>}
      <ul class="fault-list">
        {placed.map(({ fault }, at) => (
          <li key={at}>
            <button type="button" class="fault" onClick={() => show(fault.line, fault.column)}>
              <span class="fault-place">{t("rules.at_line", { line: fault.line, column: fault.column })}</span>
              <span>
                <strong>{faultText(fault)}</strong>
                {fault.hint !== null && <span class="muted"> {hintText(fault)}</span>}
                {fault.rule !== null && <code class="under">{fault.rule}</code>}
              </span>
            </button>
          </li>
        ))}
      </ul>
      {checked.notJudged.map((each) => (
        <p key={each.rule} class="note">{t("rules.not_judged", { rule: each.rule, n: each.devices, first: each.first.slice(0, 3).join(", ") })}</p>
      ))}
    </>
  );
}

/** What the kind does and how it is written. */
function KindNote({ kind }: { kind: string }) {
  const spec = kindSpec(kind);
  if (!spec) return null;
  return (
    <details class="kind-note">
      <summary>{t("rules.about_kind", { kind: t(`kind.${spec.id}`) })}</summary>
      <p>{t(`kind.${spec.id}.about`)} {t(`kind.${spec.id}.more`)}</p>
      <pre class="source" tabIndex={0} aria-label={t("rules.example")}><code>{spec.example}</code></pre>
    </details>
  );
}
