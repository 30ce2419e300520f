/** Trying the text on stored history: the range, the run with its progress, and what came of it. */
import { useEffect, useRef, useState } from "preact/hooks";
import { problemText } from "../../api/problem-text";
import { rulesApi, type Progress, type RuleFile } from "../../api/rules";
import { iso } from "../../charts/ranges";
import { parseWallClock, wallClock } from "../../format/wall-clock";
import { zoneOffset } from "../../format/time";
import { number } from "../../format/number";
import { t } from "../../i18n";
import { query, setQuery } from "../../router";
import { ruleIds } from "../../rulefile/reshape";
import type { Trial } from "../../rulefile/trial";
import { readYaml } from "../../rulefile/yaml";
import { now, serverNow } from "../../state/clock";
import { Choice } from "../../ui/choice";
import { Mishap } from "../../ui/mishap";
import { BacktestResult } from "./backtest-result";
import { namesAt } from "./form-field";
import { fileName, type GroupEditor } from "./use-group-editor";

const HOUR_MS = 3_600_000;
export const SPANS = { "6h": 6, "24h": 24, "7d": 168, "30d": 720 } as const;
export type Span = keyof typeof SPANS;

interface Kept {
  text: string;
  only: string;
  trial: Trial;
}

/** What was tried last, by group: going to another pane and back must not lose minutes of work. */
const kept = new Map<string, Kept>();

interface Props {
  editor: Pick<GroupEditor, "text" | "checked">;
  name: string;
  ids: readonly string[];
  chosen: string | null;
  others(): Promise<readonly RuleFile[]>;
  /** The rules in force are tried, not a text. */
  inForce?: boolean;
}

export function BacktestPane({ editor, name, ids, chosen, others, inForce = false }: Props) {
  const params = query.value;
  const span = (Object.keys(SPANS) as Span[]).find((each) => each === params.get("span")) ?? (params.get("begin") ? null : "24h");
  const operators = Math.max(1, Math.min(999, Number(params.get("operators") ?? "1") || 1));
  const only = params.get("only") === "all" ? "all" : (chosen ?? "all");
  const [held, setHeld] = useState<Kept | null>(kept.get(name) ?? null);
  const [progress, setProgress] = useState<(Progress & { ofPresent: boolean }) | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const abort = useRef<AbortController | null>(null);
  useEffect(() => () => abort.current?.abort(), []);
  const faulty = editor.checked !== null && editor.checked.text === editor.text && editor.checked.faults.length > 0;

  const run = async () => {
    const { from, to } = rangeOf(params, span);
    const running = new AbortController();
    abort.current = running;
    setFailure(null);
    setProgress({ done: 0, of: 1, ofPresent: false });
    const wanted = only === "all" ? ids : [only];
    const common = { from: iso(from), to: iso(to), operators };
    try {
      const idsInForce = (await rulesApi.rules(running.signal)).map(({ id }) => id);
      const known = wanted.filter((id) => idsInForce.includes(id));
      if (inForce) {
        const tried = await rulesApi.backtest({ ...common, files: [], only: [...wanted], compare: false, incidents: [] }, (step) => setProgress({ ...step, ofPresent: false }), running.signal);
        return keep({ text: editor.text, only: wanted.join(", "), trial: { tried, present: null, operators, inForce: true } });
      }
      const files = [{ name: fileName(name), text: editor.text }, ...(await others())];
      const tried = await rulesApi.backtest({ ...common, files, only: [...wanted], compare: known.length > 0, incidents: [] }, (step) => setProgress({ ...step, ofPresent: false }), running.signal);
      const present = known.length === 0 ? null : await rulesApi.backtest({ ...common, files: [], only: known, compare: false, incidents: [] }, (step) => setProgress({ ...step, ofPresent: true }), running.signal);
      keep({ text: editor.text, only: wanted.join(", "), trial: { tried, present, operators, inForce: false } });
    } catch (error) {
      if (!running.signal.aborted) setFailure(error);
    } finally {
      setProgress(null);
    }
  };
  const keep = (next: Kept) => {
    kept.set(name, next);
    setHeld(next);
  };

  return (
    <div class="backtest-pane">
      <form class="filters" aria-label={t("backtest.what")} onSubmit={(event) => (event.preventDefault(), void run())}>
        <div class="segments" role="group" aria-label={t("chart.range")}>
          {(Object.keys(SPANS) as Span[]).map((each) => (
            <button key={each} type="button" aria-pressed={each === span} onClick={() => setQuery({ span: each, begin: null, end: null })}>{t(`backtest.span.${each}`)}</button>
          ))}
        </div>
        <Moment name="begin" label={t("audit.from")} fallback={rangeOf(params, span).from} />
        <Moment name="end" label={t("audit.to")} fallback={null} />
        <span class="muted">{zoneOffset(now.value)}</span>
        <label class="filter">
          <span>{t("backtest.operators")}</span>
          <input class="input number-field" type="number" min={1} max={999} value={operators} onChange={(event) => setQuery({ operators: event.currentTarget.value })} />
        </label>
        {!inForce && <Choice label={t("backtest.only")} value={only} options={[["all", t("backtest.all_rules")], ...ids.map((id) => [id, id] as const)]} onChange={(id) => setQuery(id === "all" ? { only: "all" } : { only: null, rule: id })} />}
        {progress === null ? (
          <button type="submit" class="button primary" disabled={faulty || ids.length === 0}>{t("backtest.run")}</button>
        ) : (
          <button type="button" class="button" onClick={() => abort.current?.abort()}>{t("backtest.stop")}</button>
        )}
      </form>
      {faulty && <p class="note">{t("publish.faulty")}</p>}
      {progress !== null && (
        <p class="backtest-progress" role="status">
          <progress max={progress.of} value={progress.done} aria-label={t("backtest.running")} />
          {t(progress.ofPresent ? "backtest.running.present" : "backtest.running")} {number((100 * progress.done) / Math.max(1, progress.of))} %
        </p>
      )}
      {failure !== null && <Mishap {...problemText(failure)} />}
      {held !== null && held.text !== editor.text && progress === null && <p class="note" role="status">{t("backtest.older")}</p>}
      {held !== null && <BacktestResult trial={held.trial} only={held.only} about={(rule) => aboutOf(held.text, rule)} />}
      {held === null && progress === null && failure === null && <p class="state">{t("backtest.none_yet")}</p>}
    </div>
  );
}

/** The metric of a rule, if it has only one. */
function aboutOf(text: string, rule: string): string | null {
  const { root } = readYaml(text);
  const [only = null, ...others] = namesAt(root, ["rules", ruleIds(root).indexOf(rule), "select", "metric"]);
  return others.length === 0 ? only : null;
}

export function rangeOf(params: URLSearchParams, span: Span | null): { from: number; to: number } {
  const [begin, end] = [Date.parse(params.get("begin") ?? ""), Date.parse(params.get("end") ?? "")];
  const to = Number.isFinite(end) ? end : serverNow();
  return { from: span === null && Number.isFinite(begin) ? begin : to - SPANS[span ?? "24h"] * HOUR_MS, to };
}

/** A moment by the city's clock. */
function Moment({ name, label, fallback }: { name: "begin" | "end"; label: string; fallback: number | null }) {
  const value = query.value.get(name);
  const given = value !== null && Number.isFinite(Date.parse(value)) ? wallClock(Date.parse(value)) : "";
  const [text, setText] = useState(given);
  useEffect(() => setText(given), [given]);
  const wrong = text.trim() !== "" && parseWallClock(text) === null;
  const report = () => {
    const moment = parseWallClock(text);
    if (text.trim() === "") setQuery({ [name]: null });
    else if (moment !== null && text !== given) setQuery({ [name]: new Date(moment).toISOString(), ...(name === "begin" && { span: null }) });
  };
  return (
    <label class="filter">
      <span>{label}</span>
      <input class="input moment" value={text} placeholder={fallback === null ? t("explain.now") : wallClock(fallback)} aria-invalid={wrong} title={wrong ? t("audit.moment.wrong") : undefined} autocomplete="off" spellcheck={false} onInput={(event) => setText(event.currentTarget.value)} onBlur={report} onKeyDown={(event) => event.key === "Enter" && (event.preventDefault(), report())} />
    </label>
  );
}
