/** What came to my department, what I have, what we gave away; each with its deadline. */
import { useState } from "preact/hooks";
import { alertWork } from "../api/alerts";
import type { AlertItem, AlertLogItem } from "../api/types";
import { number } from "../format/number";
import { dateTime } from "../format/time";
import { local, t } from "../i18n";
import { useKeys } from "../keys";
import { go, query, setQuery, to } from "../router";
import { alertBook, alertVersion, serverCounts } from "../state/alert-book";
import { departmentName, departments } from "../state/city";
import { whyNotDeed, type Deed } from "../state/deeds";
import { handOversOf, type HandOvers } from "../state/hand-overs";
import { ALERTS_LOADED, loaded } from "../state/live";
import { useResource } from "../state/resource";
import { departmentsWith, whoIs } from "../state/session";
import { Age } from "../ui/age";
import { Choice } from "../ui/choice";
import { Countdown } from "../ui/countdown";
import { DataTable } from "../ui/data-table";
import { GuardedButton } from "../ui/guarded-button";
import { handlingText } from "../ui/handling";
import { SeverityWord } from "../ui/marks";
import { Panel } from "../ui/panel";
import { Loading, ResourceView } from "../ui/resource-view";
import { rowId, useRowKeys } from "../ui/rows";
import { BulkDialog } from "./alerts/bulk";

type Box = keyof HandOvers;
const BOXES: readonly Box[] = ["asked", "mine", "taken", "away"];
const PAST_SHOWN = 50;

export function HandOversScreen() {
  void alertVersion.value;
  const params = query.value;
  const box = BOXES.find((each) => each === params.get("box")) ?? "asked";
  const only = params.get("department");
  const mine = departmentsWith("operator");
  const ours = only !== null ? new Set([only]) : mine === null ? null : new Set(mine);
  const found = handOversOf(alertBook.all(), whoIs.value?.user ?? "", ours);
  const rows = found[box];
  const [deed, setDeed] = useState<{ deed: Deed; alert: AlertItem } | null>(null);
  const { selected } = useRowKeys(rows.map(({ id }) => id), (id) => go(to.alert(id)));
  const doIt = (next: Deed) => {
    const alert = rows.find(({ id }) => id === selected);
    if (!alert || whyNotDeed(next, alert) !== null) return false;
    setDeed({ deed: next, alert });
    return true;
  };
  useKeys({ c: () => doIt("accept"), b: () => doIt("return"), h: () => doIt("hand_over"), s: () => doIt("assign") });
  const choices = departments.value.filter(({ id }) => mine === null || mine.includes(id)).map(({ id, name }) => [id, local(name) || id] as const);
  return (
    <>
      <header class="list-head">
        <h1>{t("hand_overs.title")}</h1>
        <div class="segments" role="group" aria-label={t("hand_overs.title")}>
          {BOXES.map((each) => (
            <button key={each} type="button" aria-pressed={box === each} onClick={() => setQuery({ box: each === "asked" ? null : each })}>
              {t(`hand_overs.${each}`)} <b>{number(found[each].length)}</b>
            </button>
          ))}
        </div>
        <span class="list-total" />
        {choices.length > 1 && <Choice label={t("alert.department")} value={only ?? ""} options={[["", t("hand_overs.all_mine")], ...choices]} onChange={(department) => setQuery({ department })} />}
      </header>
      {serverCounts.value !== null && <p class="note">{t("alerts.capped", { n: number(ALERTS_LOADED) })}</p>}
      <div class="panel table-frame" tabIndex={0} role="region" aria-label={t(`hand_overs.${box}`)}>
        {!loaded.value ? <Loading /> : rows.length === 0 ? <p class="state">{t(`hand_overs.none.${box}`)}</p> : <Table rows={rows} selected={selected} onDeed={(next, alert) => setDeed({ deed: next, alert })} />}
      </div>
      <Past ours={ours} />
      <p class="spoken" aria-live="polite">{t("hand_overs.live", { asked: number(found.asked.length), mine: number(found.mine.length) })}</p>
      {deed !== null && <BulkDialog alerts={[alertBook.get(deed.alert.id) ?? deed.alert]} deed={deed.deed} onClose={() => setDeed(null)} />}
    </>
  );
}

const ROW_DEEDS: readonly (readonly [deed: Deed, key: string])[] = [["accept", "c"], ["return", "b"], ["hand_over", "h"]];

function Table({ rows, selected, onDeed }: { rows: readonly AlertItem[]; selected: string | null; onDeed(deed: Deed, alert: AlertItem): void }) {
  return (
    <DataTable class="hand-overs">
      <thead>
        <tr>
          <th scope="col">{t("severity.label")}</th>
          <th scope="col">{t("alert.title")}</th>
          <th scope="col">{t("hand_overs.from")}</th>
          <th scope="col">{t("table.handling")}</th>
          <th scope="col">{t("hand_overs.deadline")}</th>
          <th scope="col"><span class="spoken">{t("deed.more")}</span></th>
        </tr>
      </thead>
      <tbody>
        {rows.map((alert) => (
          <tr key={alert.id} id={rowId(alert.id)} data-alert={alert.id} class={alert.acknowledged ? "" : "unacknowledged"} {...(alert.id === selected && { "aria-current": "true" as const })}>
            <td><SeverityWord severity={alert.severity} /></td>
            <td class="wide">
              <a href={to.alert(alert.id)}>{local(alert.summary)}</a>
              <span class="under">{alert.zone_names.map(local).join(", ")} · <Age at={alert.fired_at} past /></span>
            </td>
            <td>
              <a href={to.department(alert.rule.department)}>{departmentName(alert.rule.department)}</a>
              {alert.handling.from !== null && <span class="under">{alert.handling.from}</span>}
            </td>
            <td>{handlingText(alert)}{alert.handling.overdue_count > 0 && <span class="under">{t("handling.overdue_count", { n: alert.handling.overdue_count })}</span>}</td>
            <td>{alert.handling.until === null ? <span class="muted">{t("until.open")}</span> : <><Countdown until={alert.handling.until} /><span class="under">{dateTime(alert.handling.until)}</span></>}</td>
            <td class="row-deeds">
              {ROW_DEEDS.map(([deed, key]) => (
                <GuardedButton key={deed} class={deed === "accept" ? "button primary" : "button"} reason={whyNotDeed(deed, alert)} onPress={() => onDeed(deed, alert)}>
                  {t(`deed.${deed}`)} {alert.id === selected && <kbd>{key}</kbd>}
                  <span class="spoken">{`: ${local(alert.summary)}`}</span>
                </GuardedButton>
              ))}
            </td>
          </tr>
        ))}
      </tbody>
    </DataTable>
  );
}

/** What went from hand to hand lately, whether or not it still fires. */
function Past({ ours }: { ours: ReadonlySet<string> | null }) {
  const departmentsAsked = ours === null ? null : [...ours].map((id) => id.replaceAll(",", "\\,")).join(",");
  const resource = useResource(`hand-over-log|${departmentsAsked ?? ""}`, (signal) => pastOf(departmentsAsked, signal), { version: Math.floor(alertVersion.value / 5) });
  const rules = useResource("rules", (signal) => alertWork.rules(signal)).data ?? [];
  const nameOf = (entry: AlertLogItem) => local(alertBook.get(entry.alert ?? "")?.summary) || local(rules.find(({ id }) => id === entry.rule)?.name) || (entry.rule ?? entry.alert);
  return (
    <Panel title={t("hand_overs.past")} class="hand-over-log">
      <ResourceView resource={resource} compact>
        {(page) =>
          page.length === 0 ? (
            <p class="state">{t("hand_overs.past.none")}</p>
          ) : (
            <ul class="log" tabIndex={0} aria-label={t("hand_overs.past")}>
              {page.map((entry) => (
                <li key={`${entry.at}/${entry.alert}/${entry.kind}`}>
                  <time dateTime={entry.at}>{dateTime(entry.at)}</time>
                  <strong>{t(`alert.log.${entry.kind}`)}</strong>
                  <span>
                    {entry.alert !== null && <a href={to.alert(entry.alert)}>{nameOf(entry)}</a>}
                    {entry.about !== null && entry.about !== entry.by && <span>→ {departments.value.some(({ id }) => id === entry.about) ? departmentName(entry.about) : entry.about}</span>}
                    <span class="muted">{entry.by === "brain" || entry.by === "engine" ? t("alert.log.engine") : t("alert.log.by", { who: entry.by })}</span>
                    {entry.note && <q>{entry.note}</q>}
                  </span>
                </li>
              ))}
            </ul>
          )
        }
      </ResourceView>
    </Panel>
  );
}

/** Of these departments' own alerts, and of others' that came to them; the newest first. */
async function pastOf(departmentsAsked: string | null, signal: AbortSignal): Promise<AlertLogItem[]> {
  const ask = { kind: "handed_over,accepted,returned,overdue", limit: PAST_SHOWN };
  const asks = departmentsAsked === null ? [ask] : [{ ...ask, department: departmentsAsked }, { ...ask, about: departmentsAsked }];
  const pages = await Promise.all(asks.map((each) => alertWork.log(each, signal)));
  const found = new Map(pages.flatMap(({ items }) => items).map((entry) => [`${entry.at}/${entry.alert}/${entry.kind}`, entry]));
  return [...found.values()].sort((a, b) => Date.parse(b.at) - Date.parse(a.at)).slice(0, PAST_SHOWN);
}
