/** Tests of the group's rules: written here or opened from a file, run by the server's evaluator. */
import { useEffect, useRef, useState } from "preact/hooks";
import { problemText } from "../../api/problem-text";
import { rulesApi, type RuleTestReport } from "../../api/rules";
import { counted, t } from "../../i18n";
import { faultText, hintText } from "../../rulefile/faults";
import { testFor } from "../../rulefile/test-template";
import { keepDraft, readDraft } from "../../state/drafts";
import { useTextHistory } from "../../state/text-history";
import { CheckIcon, WarnIcon } from "../../ui/icons";
import { Mishap } from "../../ui/mishap";
import { TextEditor, type TextEditorHandle } from "../../ui/text-editor";
import { fileName, type GroupEditor } from "./use-group-editor";

export function TestsPane({ editor, name, ids, at }: { editor: GroupEditor; name: string; ids: readonly string[]; at: number }) {
  const key = `tests.${name}`;
  const file = fileName(name);
  const history = useTextHistory(readDraft(key)?.text ?? testFor(editor.text, ["rules", at], file));
  const [report, setReport] = useState<RuleTestReport | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const area = useRef<TextEditorHandle>(null);
  const { text } = history;
  useEffect(() => void keepDraft(key, { text, base: "", tag: null, at: Date.now() }), [text]);

  const run = async () => {
    setBusy(true);
    setFailure(null);
    try {
      setReport(await rulesApi.test([{ name: file, text: editor.text }], { name: "tests", text }));
    } catch (error) {
      setReport(null);
      setFailure(error);
    }
    setBusy(false);
  };
  const own = report?.problems.filter((problem) => problem.file === "tests") ?? [];
  return (
    <div class="tests-pane">
      <div class="tests-text">
        <p class="pane-note">{t("tests.why", { file })}</p>
        <TextEditor label={t("tests.text")} value={text} marks={own.map(({ line, message }) => ({ line, message }))} rows={18} handle={area} onInput={history.set} onUndo={history.undo} onRedo={history.redo} />
        <div class="buttons">
          <button type="button" class="button primary" disabled={busy} onClick={() => void run()}>{t(busy ? "tests.running" : "tests.run")}</button>
          <button type="button" class="button" onClick={() => history.set(`${text.trimEnd()}\n${testFor(editor.text, ["rules", at], file).split("tests:\n")[1] ?? ""}`, true)}>
            {t("tests.add", { rule: ids[at] ?? "" })}
          </button>
          <label class="button file-button">
            {t("tests.open")}
            <input type="file" accept=".yaml,.yml" class="spoken" onChange={(event) => void event.currentTarget.files?.[0]?.text().then((opened) => history.set(opened, true))} />
          </label>
        </div>
      </div>
      <div class="tests-result" role="status" aria-live="polite">
        {failure !== null && <Mishap {...problemText(failure)} />}
        {report === null && failure === null && <p class="state">{t("tests.none_yet")}</p>}
        {report && (
          <>
            <p class={report.ok ? "outcome outcome-good" : "outcome outcome-bad"}>
              {report.ok ? <CheckIcon /> : <WarnIcon />}
              <strong>{report.ok ? counted("tests.passed", report.passed.length) : counted("tests.failed", Math.max(1, report.failed.length))}</strong>
            </p>
            <ul class="fault-list">
              {report.problems.map((problem, place) => (
                <li key={place}>
                  <button type="button" class="fault" onClick={() => problem.file === "tests" && area.current?.goTo(problem.line, problem.column)}>
                    <span class="fault-place">{t("rules.at_line", { line: problem.line, column: problem.column })}</span>
                    <span><strong>{faultText(problem)}</strong> <span class="muted">{hintText(problem)}</span></span>
                  </button>
                </li>
              ))}
            </ul>
            <ul class="test-names">
              {report.failed.map((each) => <li key={each}><WarnIcon /> {each}</li>)}
              {report.passed.map((each) => <li key={each} class="muted"><CheckIcon /> {each}</li>)}
            </ul>
          </>
        )}
      </div>
    </div>
  );
}
