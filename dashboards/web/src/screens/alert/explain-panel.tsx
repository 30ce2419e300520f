/** Why an alert fired, in words: the rule run again over what was stored before it. */
import { alertWork } from "../../api/alerts";
import type { AlertDetail, ExplainedStep, RuleExplanation } from "../../api/types";
import { number } from "../../format/number";
import { clockTime, dateTime, inCityTime } from "../../format/time";
import { local, t } from "../../i18n";
import { setQuery, query, to } from "../../router";
import { useResource } from "../../state/resource";
import { Panel } from "../../ui/panel";
import { ResourceView } from "../../ui/resource-view";

const SHORT = 8;

export function ExplainPanel({ alert }: { alert: AlertDetail }) {
  const resource = useResource(`explain|${alert.id}`, (signal) => alertWork.explain(alert.id, signal));
  return (
    <Panel title={t("explain.title")} note={t("explain.note")} class="explain">
      <ResourceView resource={resource} compact missing="explain.gone">
        {(found) => <Explanation found={found} alert={alert} />}
      </ResourceView>
    </Panel>
  );
}

function Explanation({ found, alert }: { found: RuleExplanation; alert: AlertDetail }) {
  const all = query.value.get("steps") === "all";
  const steps = all ? found.steps : found.steps.slice(-SHORT);
  const untrusted = Object.values(found.untrusted).reduce((sum, n) => sum + n, 0);
  return (
    <>
      <p class="explain-sentence">{inCityTime(local(found.sentence))}</p>
      {found.version !== alert.rule.version && <p class="note">{t("explain.other_version")}</p>}
      {found.mismatches.length > 0 && (
        <ul class="explain-caveats">
          {found.mismatches.map((part) => <li key={part.part}>{inCityTime(local(part.text))}</li>)}
        </ul>
      )}
      {steps.length > 0 && (
        <ol class="explain-steps" aria-label={t("explain.steps")}>
          {steps.map((step, at) => <Step key={`${step.at}/${at}`} step={step} />)}
        </ol>
      )}
      <p class="explain-end muted">
        {t("explain.looked", { n: number(found.readings), time: dateTime(found.from) })}
        {untrusted > 0 && ` ${t("explain.untrusted", { n: number(untrusted) })}`}
        {found.steps.length > SHORT && (
          <button type="button" class="plain" aria-expanded={all} onClick={() => setQuery({ steps: all ? null : "all" })}>
            {t(all ? "explain.fewer" : "explain.all", { n: number(found.steps.length) })}
          </button>
        )}
      </p>
      {found.caveats.length > 0 && (
        <details class="explain-end muted">
          <summary>{t("explain.caveats")}</summary>
          <ul class="explain-caveats">
            {found.caveats.map((caveat) => <li key={caveat.en}>{inCityTime(local(caveat))}</li>)}
          </ul>
        </details>
      )}
      {found.silences.map((silence) => (
        <p key={silence.id} class="explain-end">
          <a href={to.silence(silence.id)}>{t("explain.silenced", { who: silence.owner, reason: silence.reason })}</a>
        </p>
      ))}
    </>
  );
}

function Step({ step }: { step: ExplainedStep }) {
  return (
    <li class={`explain-step decision-${step.decision}`}>
      <time dateTime={step.at} title={dateTime(step.at)}>{clockTime(step.at)}</time>
      <span>{inCityTime(local(step.text))}</span>
    </li>
  );
}
