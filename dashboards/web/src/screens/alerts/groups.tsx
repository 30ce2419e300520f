/** What fires, grouped by zone and cause: a flood read as a few lines. */
import { alertWork } from "../../api/alerts";
import type { AlertGroup, PositionGroups } from "../../api/types";
import { number } from "../../format/number";
import { shortTime } from "../../format/time";
import { counted, local, t } from "../../i18n";
import { go, to } from "../../router";
import { alertVersion } from "../../state/alert-book";
import { departmentName, zoneName } from "../../state/city";
import { now } from "../../state/clock";
import { useResource } from "../../state/resource";
import { Age } from "../../ui/age";
import { DataTable } from "../../ui/data-table";
import { WarnIcon } from "../../ui/icons";
import { SeverityWord } from "../../ui/marks";
import { ResourceView } from "../../ui/resource-view";
import { rowId, useRowKeys } from "../../ui/rows";

const REFRESH_MS = 10_000;

export function GroupsView() {
  // The groups follow the alerts, a few seconds behind: the server counts them anew for each look.
  const resource = useResource("alert-groups", (signal) => alertWork.groups(signal), { everyMs: REFRESH_MS, version: Math.floor(alertVersion.value / 10) });
  const rows = (resource.data ?? []).flatMap(({ groups }) => groups);
  const { selected } = useRowKeys(rows.map(keyOf), (key) => {
    const group = rows.find((each) => keyOf(each) === key);
    if (group) go(hrefOf(group));
  });
  return (
    <>
      <header class="list-head">
        <h1>{t("groups.title")}</h1>
        <span class="panel-note">{t("groups.why")}</span>
      </header>
      <div class="panel table-frame" tabIndex={0} role="region" aria-label={t("groups.title")}>
        <ResourceView resource={resource}>
          {(positions) => (positions.length === 0 ? <p class="state state-page">{t("alerts.none")}</p> : positions.map((position) => <Position key={position.position} position={position} selected={selected} />))}
        </ResourceView>
      </div>
    </>
  );
}

function Position({ position, selected }: { position: PositionGroups; selected: string | null }) {
  const { flood } = position;
  return (
    <section class="group-position">
      <h2>
        {positionName(position.position)} <span class="panel-note">{counted("groups.firing", position.firing)}</span>
        {flood !== null && (
          <span class="flood" role="status">
            <WarnIcon /> {t("groups.flood", { n: number(flood.alerts), time: shortTime(flood.since, now.value) })}
          </span>
        )}
      </h2>
      <DataTable>
        <thead>
          <tr>
            <th scope="col">{t("zones.worst")}</th>
            <th scope="col">{t("alert.zone")}</th>
            <th scope="col">{t("groups.cause")}</th>
            <th scope="col" class="right">{t("zones.firing")}</th>
            <th scope="col" class="right">{t("alerts.unacknowledged")}</th>
            <th scope="col">{t("groups.first")}</th>
            <th scope="col">{t("groups.last")}</th>
          </tr>
        </thead>
        <tbody>
          {position.groups.map((group) => (
            <tr key={keyOf(group)} id={rowId(keyOf(group))} {...(keyOf(group) === selected && { "aria-current": "true" as const })}>
              <td><SeverityWord severity={group.severity} /></td>
              <td>{group.zone === null ? <span class="muted">{t("groups.no_zone")}</span> : <a href={to.zone(group.zone)}>{group.zone_name ? local(group.zone_name) : zoneName(group.zone)}</a>}</td>
              <td class="wide">
                <a href={hrefOf(group)}>{local(group.cause_name) || group.cause_id}</a>
                <span class="under">{t(group.cause === "gateway" ? "groups.by_gateway" : "groups.by_rule")} · {group.cause_id}</span>
              </td>
              <td class="right">{number(group.firing)}</td>
              <td class="right">{group.unacknowledged === 0 ? <span class="muted">0</span> : <strong>{number(group.unacknowledged)}</strong>}</td>
              <td>{shortTime(group.first_fired_at, now.value)}</td>
              <td><Age at={group.last_fired_at} past /></td>
            </tr>
          ))}
        </tbody>
      </DataTable>
    </section>
  );
}

const keyOf = (group: AlertGroup) => [group.zone ?? "", group.cause, group.cause_id].join("|");

/** Where its alerts stand one by one; what a gateway hides has no filter, so its newest alert leads on. */
function hrefOf(group: AlertGroup): string {
  const zone: Record<string, string> = group.zone === null ? {} : { zone: group.zone };
  if (group.cause === "rule") return to.alerts({ ...zone, rule: group.cause_id });
  return to.alerts(zone);
}

export function positionName(position: string): string {
  return position === "city" || position === "*" ? t("grants.everywhere") : departmentName(position);
}
