/** The groups of rules: where each lives, who changed it last, and those that were deleted. */
import { rulesApi, type RuleGroup } from "../../api/rules";
import { dateTime, zoneOffset } from "../../format/time";
import { counted, t } from "../../i18n";
import { go, to } from "../../router";
import { isAtLeast } from "../../state/session";
import { whyNot } from "../../state/rights";
import { useResource } from "../../state/resource";
import { Age } from "../../ui/age";
import { DataTable } from "../../ui/data-table";
import { GuardedButton } from "../../ui/guarded-button";
import { ResourceView } from "../../ui/resource-view";
import { rowId, useRowKeys } from "../../ui/rows";

const REFRESH_MS = 30_000;

export function GroupsScreen() {
  const resource = useResource("rule-groups", (signal) => rulesApi.groups(signal), { everyMs: REFRESH_MS });
  const items = resource.data?.items ?? [];
  const deleted = resource.data?.deleted ?? [];
  const { selected } = useRowKeys(items.map(({ group }) => group), (group) => go(to.ruleGroup(group)));
  return (
    <>
      <header class="list-head">
        <h1>{t("rules.groups")}</h1>
        {resource.data && <span class="list-total">{counted("rules.groups.total", items.length)}</span>}
        <GuardedButton class="button primary" reason={isAtLeast("engineer") ? null : whyNot("engineer", null)} onPress={() => go(to.ruleGroup(null))}>{t("rules.group.make")}</GuardedButton>
      </header>
      <div class="panel table-frame" tabIndex={0} role="region" aria-label={t("rules.groups")}>
        <ResourceView resource={resource}>
          {() => (items.length === 0 ? <p class="state">{t("rules.none")}</p> : <GroupTable groups={items} selected={selected} />)}
        </ResourceView>
        {deleted.length > 0 && (
          <section class="deleted-groups">
            <h2>{t("rules.groups.deleted")}</h2>
            <ul class="plain-list">
              {deleted.map((each) => (
                <li key={each.group}>
                  <a href={to.ruleGroup(each.group)}>{each.group}</a> <span class="muted">{t("rules.group.deleted.why", { by: each.by, time: `${dateTime(each.at)} ${zoneOffset(each.at)}`, why: each.why })}</span>
                </li>
              ))}
            </ul>
          </section>
        )}
      </div>
    </>
  );
}

function GroupTable({ groups, selected }: { groups: readonly RuleGroup[]; selected: string | null }) {
  return (
    <DataTable>
      <thead>
        <tr>
          <th scope="col">{t("rules.group")}</th>
          <th scope="col" class="right">{t("rules.title")}</th>
          <th scope="col">{t("rules.lives")}</th>
          <th scope="col">{t("user.state")}</th>
          <th scope="col">{t("alert.rule.version")}</th>
          <th scope="col">{t("rules.changed")}</th>
          <th scope="col">{t("history.why")}</th>
        </tr>
      </thead>
      <tbody>
        {groups.map((each) => (
          <tr key={each.group} id={rowId(each.group)} data-group={each.group} {...(each.group === selected && { "aria-current": "true" as const })}>
            <th scope="row"><a href={to.ruleGroup(each.group)}>{each.group}</a></th>
            <td class="right">{each.rules}</td>
            <td>
              {t(each.source === "api" ? "rules.lives.api" : "rules.lives.files")}
              {each.files.map((file) => <code key={file} class="under">{file}</code>)}
            </td>
            <td>{each.problems.length > 0 ? <strong class="fails">{t("rules.group.off")}</strong> : <span class="muted">{t("rules.group.on")}</span>}{each.problems[0] && <span class="under">{each.problems[0].message}</span>}</td>
            <td>{each.version ?? t("value.none")}</td>
            <td>{each.by === null ? <span class="muted">{t("rules.in_files")}</span> : <>{each.by} <span class="under"><Age at={each.at} past /></span></>}</td>
            <td class="wide">{each.why ?? ""}</td>
          </tr>
        ))}
      </tbody>
    </DataTable>
  );
}
