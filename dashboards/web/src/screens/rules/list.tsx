/** All rules in force: what they are, whose, how bad, what they raised; filters are in the address. */
import { rulesApi, type FiredCounts, type Rule, type RuleGroup } from "../../api/rules";
import { SEVERITIES } from "../../api/codes";
import { iso } from "../../charts/ranges";
import { number } from "../../format/number";
import { counted, local, t } from "../../i18n";
import { go, query, setQuery, to } from "../../router";
import { KINDS, isKind } from "../../rulefile/kinds";
import { departmentName } from "../../state/city";
import { serverNow } from "../../state/clock";
import { useResource } from "../../state/resource";
import { Age } from "../../ui/age";
import { Choice } from "../../ui/choice";
import { DataTable } from "../../ui/data-table";
import { departmentChoices } from "../../ui/grants";
import { SeverityMark } from "../../ui/marks";
import { ResourceView } from "../../ui/resource-view";
import { rowId, useRowKeys } from "../../ui/rows";
import { SearchField } from "../../ui/search-field";

const REFRESH_MS = 15_000;
const WEEK_MS = 7 * 86_400_000;
const FILTERS = ["q", "kind", "group", "department", "severity", "state"] as const;
const STATES = ["firing", "quiet", "silent"] as const;

export const kindTitle = (kind: string) => (isKind(kind) ? t(`kind.${kind}`) : kind);
/** The API has no member for it: it stands in the rule's text. */
export const isSilent = (rule: Pick<Rule, "text">) => /^silent:\s*true\b/m.test(rule.text);

function fits(rule: Rule, ask: URLSearchParams): boolean {
  const is = (name: (typeof FILTERS)[number], value: string) => ask.get(name) === null || ask.get(name) === value;
  const text = ask.get("q")?.toLowerCase() ?? "";
  const state = ask.get("state");
  return (
    is("kind", rule.kind) && is("group", rule.group) && is("department", rule.department) &&
    (ask.get("severity") === null || rule.severities.some(({ severity }) => severity === ask.get("severity"))) &&
    (text === "" || [rule.id, rule.name.en, rule.name.zh].some((each) => each.toLowerCase().includes(text))) &&
    (state === null || (state === "firing" ? rule.firing > 0 : state === "silent" ? isSilent(rule) : rule.firing === 0 && !isSilent(rule)))
  );
}

export function RulesList() {
  const params = query.value;
  const rules = useResource("rules", (signal) => rulesApi.rules(signal), { everyMs: REFRESH_MS });
  const groups = useResource("rule-groups", (signal) => rulesApi.groups(signal), { everyMs: REFRESH_MS * 4 });
  const fired = useResource("rules-fired", (signal) => rulesApi.firedSince(iso(serverNow() - WEEK_MS), signal), { everyMs: REFRESH_MS * 4 });
  const shown = (rules.data ?? []).filter((rule) => fits(rule, params));
  const { selected } = useRowKeys(shown.map(({ id }) => id), (id) => go(to.rule(id)));
  const filtered = FILTERS.some((name) => params.get(name) !== null);
  const disabled = groups.data?.items.filter((group) => group.problems.length > 0) ?? [];
  return (
    <>
      <header class="list-head">
        <h1>{t("rules.title")}</h1>
        <SearchField label={t("rules.search")} value={params.get("q") ?? ""} onSearch={(q) => setQuery({ q })} />
        <Filter name="kind" any={t("rules.kind.any")} options={KINDS.map(({ id }) => [id, t(`kind.${id}`)] as const)} label={t("rf.kind")} />
        <Filter name="group" any={t("rules.group.any")} options={(groups.data?.items ?? []).map(({ group }) => [group, group] as const)} label={t("rules.group")} />
        <Filter name="department" any={t("filter.department.any")} options={departmentChoices(null)} label={t("alert.department")} />
        <Filter name="severity" any={t("rules.severity.any")} options={SEVERITIES.map((severity) => [severity, t(`severity.${severity}`)] as const)} label={t("severity.label")} />
        <Filter name="state" any={t("filter.state.any")} options={STATES.map((state) => [state, t(`rules.state.${state}`)] as const)} label={t("user.state")} />
        {filtered && <button type="button" class="plain" onClick={() => setQuery(Object.fromEntries(FILTERS.map((name) => [name, null])))}>{t("alerts.filter.clear")}</button>}
        {rules.data && <span class="list-total">{counted("rules.total", shown.length)}</span>}
      </header>
      {disabled.map((group) => (
        <p key={group.group} class="note" role="alert">
          <a href={to.ruleGroup(group.group)}>{group.group}</a>: {t("rules.group.disabled", { why: group.problems[0]?.message ?? "" })}
        </p>
      ))}
      <div class="panel table-frame" tabIndex={0} role="region" aria-label={t("rules.title")}>
        <ResourceView resource={rules}>
          {(all) => (shown.length === 0 ? <p class="state">{t(all.length === 0 ? "rules.none" : "rules.none.filtered")}</p> : <RuleTable rules={shown} groups={groups.data?.items ?? []} fired={fired.data} selected={selected} />)}
        </ResourceView>
      </div>
    </>
  );
}

function Filter({ name, any, options, label }: { name: (typeof FILTERS)[number]; any: string; options: readonly (readonly [string, string])[]; label: string }) {
  return <Choice label={label} value={query.value.get(name) ?? ""} options={[["", any], ...options]} onChange={(value) => setQuery({ [name]: value })} />;
}

interface TableProps {
  rules: readonly Rule[];
  groups: readonly RuleGroup[];
  fired: FiredCounts | null;
  selected: string | null;
}

function RuleTable({ rules, groups, fired, selected }: TableProps) {
  const groupOf = (name: string) => groups.find(({ group }) => group === name);
  return (
    <DataTable class="rule-table">
      <thead>
        <tr>
          <th scope="col">{t("rules.rule")}</th>
          <th scope="col">{t("rf.kind")}</th>
          <th scope="col">{t("rules.group")}</th>
          <th scope="col">{t("alert.department")}</th>
          <th scope="col">{t("rf.severity")}</th>
          <th scope="col">{t("user.state")}</th>
          <th scope="col" class="right">{t("rules.fired.week")}</th>
          <th scope="col">{t("alert.rule.version")}</th>
          <th scope="col">{t("rules.changed")}</th>
        </tr>
      </thead>
      <tbody>
        {rules.map((rule) => {
          const group = groupOf(rule.group);
          return (
            <tr key={rule.id} id={rowId(rule.id)} data-rule={rule.id} {...(rule.id === selected && { "aria-current": "true" as const })}>
              <th scope="row" class="wide">
                <a href={to.rule(rule.id)}>{local(rule.name)}</a>
                <code class="under">{rule.id}</code>
              </th>
              <td>{kindTitle(rule.kind)}</td>
              <td><a href={to.ruleGroup(rule.group, { rule: rule.id })}>{rule.group}</a></td>
              <td>{departmentName(rule.department)}</td>
              <td><Severities rule={rule} /></td>
              <td><RuleState rule={rule} /></td>
              <td class="right">{fired === null ? t("value.none") : `${number(fired.byRule.get(rule.id) ?? 0)}${fired.more ? "+" : ""}`}</td>
              <td><code>{rule.version.slice(0, 7)}</code></td>
              <td>{group?.source === "api" ? <>{group.by} <span class="under"><Age at={group.at} past /></span></> : <span class="muted">{t("rules.in_files")}</span>}</td>
            </tr>
          );
        })}
      </tbody>
    </DataTable>
  );
}

export function Severities({ rule }: { rule: Pick<Rule, "severities"> }) {
  if (rule.severities.length === 0) return <span class="muted">{t("value.none")}</span>;
  return <span class="severity-row">{rule.severities.map(({ severity }) => <SeverityMark key={severity} severity={severity} label />)}</span>;
}

export function RuleState({ rule }: { rule: Rule }) {
  if (rule.firing > 0) return <strong class="rule-firing">{counted("rules.firing", rule.firing)}</strong>;
  return <span class="muted">{t(isSilent(rule) ? "rules.state.silent" : "rules.state.quiet")}</span>;
}
