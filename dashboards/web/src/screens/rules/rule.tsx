/** One rule: what it does in words, its parameters, its alerts, why it did or did not fire, and a trial. */
import { rulesApi, type Rule } from "../../api/rules";
import { counted, local, t } from "../../i18n";
import { go, query, setQuery, to } from "../../router";
import { useKeys } from "../../keys";
import { parametersOf, sentencesOf } from "../../rulefile/words";
import { isKind } from "../../rulefile/kinds";
import { alertBook } from "../../state/alert-book";
import { departmentName } from "../../state/city";
import { whyNot } from "../../state/rights";
import { isAtLeast } from "../../state/session";
import { useResource } from "../../state/resource";
import { Age } from "../../ui/age";
import { AlertTable, alertMark } from "../../ui/alert-table";
import { SeverityWord } from "../../ui/marks";
import { Facts, Panel } from "../../ui/panel";
import { ResourceView } from "../../ui/resource-view";
import { BacktestPane } from "./backtest-pane";
import { ExplainPanel } from "./explain";
import { RuleState, isSilent, kindTitle } from "./list";

const REFRESH_MS = 15_000;

export function RuleScreen({ id }: { id: string }) {
  const rule = useResource(`rule|${id}`, (signal) => rulesApi.rule(id, signal), { everyMs: REFRESH_MS });
  return (
    <ResourceView resource={rule} missing="rules.gone">
      {(held) => <RulePage rule={held} />}
    </ResourceView>
  );
}

function RulePage({ rule }: { rule: Rule }) {
  const group = useResource(`rule-group|${rule.group}`, (signal) => rulesApi.group(rule.group, signal));
  const info = group.data?.value ?? null;
  const edit = to.ruleGroup(rule.group, { rule: rule.id });
  useKeys({ e: () => go(edit) });
  const concerned = alertMark((alert) => alert.rule.id === rule.id, alertBook.all());
  const tab = query.value.get("tab") === "backtest" ? "backtest" : "explain";
  const trial = whyNot("engineer", rule.department);
  return (
    <article class="rule-page">
      <header class="page-head">
        <div class="page-title">
          <p class="alert-badges">
            <span class="muted">{kindTitle(rule.kind)}</span>
            <RuleState rule={rule} />
            {isSilent(rule) && <span class="badge">{t("rules.state.silent")}</span>}
            {info?.read_only && <span class="badge">{t("rules.read_only")}</span>}
          </p>
          <h1>{local(rule.name)}</h1>
          <p class="muted"><code>{rule.id}</code> · {departmentName(rule.department)}</p>
        </div>
        <p class="buttons">
          <a class="button primary" href={edit} title={`${t("rules.edit")} (e)`}>{t(info?.read_only ? "rules.open_text" : "rules.edit")}</a>
          <a class="button" href={to.rules({ group: rule.group })}>{t("rules.all_of_group")}</a>
        </p>
      </header>
      <div class="columns">
        <div class="column-main">
          <Panel title={t("rules.words")}>
            <div class="words">
              {isKind(rule.kind) && <p>{t(`kind.${rule.kind}.about`)}</p>}
              <ul>{sentencesOf(rule).map((sentence, at) => <li key={at}>{sentence}</li>)}</ul>
              <p class="severity-row">{rule.severities.map(({ severity }) => <SeverityWord key={severity} severity={severity} />)}</p>
            </div>
          </Panel>
          <section class="panel">
            <div class="tabs pane-tabs" role="tablist" aria-label={t("rules.panes")}>
              {(["explain", "backtest"] as const).map((each) => (
                <button key={each} type="button" role="tab" id={`tab-${each}`} aria-selected={each === tab} aria-controls="rule-pane" tabIndex={each === tab ? 0 : -1} onClick={() => setQuery({ tab: each === "explain" ? null : each })} onKeyDown={(event) => {
                  if (event.key !== "ArrowRight" && event.key !== "ArrowLeft") return;
                  const next = each === "explain" ? "backtest" : "explain";
                  setQuery({ tab: next === "explain" ? null : next });
                  document.getElementById(`tab-${next}`)?.focus();
                }}>
                  {t(each === "explain" ? "explain.rule.title" : "backtest.of_present")}
                </button>
              ))}
            </div>
            <div id="rule-pane" role="tabpanel" aria-labelledby={`tab-${tab}`} class="pane-body">
              {tab === "explain" && <ExplainPanel rule={rule} />}
              {tab === "backtest" && (trial !== null && !isAtLeast("engineer") ? <p class="state">{trial}</p> : <BacktestPane inForce editor={{ text: `rules:\n  - ${rule.text.trimEnd().replaceAll("\n", "\n    ")}\n`, checked: null }} name={`in-force ${rule.id}`} ids={[rule.id]} chosen={rule.id} others={async () => []} />)}
            </div>
          </section>
        </div>
        <div class="column-side">
          <AlertTable of={{ rule: rule.id }} title={t("rules.alerts")} none="rules.alerts.none" version={concerned} />
          <Panel title={t("rules.about")}>
            <Facts
              items={[
                [t("rules.group"), <a href={to.ruleGroup(rule.group)}>{rule.group}</a>],
                [t("alert.department"), departmentName(rule.department)],
                [t("alert.rule.version"), <code>{rule.version}</code>],
                ...(info?.by ? [[t("rules.changed"), <>{info.by} · <Age at={info.at} past /></>] as const, [t("history.why"), info.why ?? ""] as const] : [[t("rules.lives"), <code>{`${rule.file}:${rule.line}`}</code>] as const]),
                ...(rule.runbook ? [[t("alert.runbook"), <a href={rule.runbook} rel="noreferrer" target="_blank">{rule.runbook}</a>] as const] : []),
              ]}
            />
          </Panel>
          <Panel title={t("rules.parameters")}>
            <Facts items={parametersOf(rule).map(([label, value]) => [label, value.includes("{") ? <code>{value}</code> : value] as const)} />
            <details class="rule-source">
              <summary>{counted("rules.lines", rule.text.trimEnd().split("\n").length)}</summary>
              <pre class="source" tabIndex={0} aria-label={t("alert.rule.source")}><code>{rule.text}</code></pre>
            </details>
          </Panel>
        </div>
      </div>
    </article>
  );
}
