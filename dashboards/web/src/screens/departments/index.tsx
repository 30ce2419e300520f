/** All departments side by side: what they have, what is on fire, how much work it is, what they share. */
import { alertWork } from "../../api/alerts";
import { datasetsOf, publicDatasets } from "../../api/open-data";
import type { Severity } from "../../api/types";
import { severityRank } from "../../api/codes";
import { number } from "../../format/number";
import { local, t } from "../../i18n";
import { go, query, setQuery, to } from "../../router";
import { alertBook, alertVersion } from "../../state/alert-book";
import { departments } from "../../state/city";
import { serverNow } from "../../state/clock";
import { loaded } from "../../state/live";
import { useResource } from "../../state/resource";
import { DataTable } from "../../ui/data-table";
import { SeverityWord } from "../../ui/marks";
import { rowId, useRowKeys } from "../../ui/rows";
import { SearchField } from "../../ui/search-field";
import { figuresOf, worstVerdict } from "../alerts/load-figures";
import { VerdictWord } from "../alerts/load";

const REFRESH_MS = 60_000;

interface Tally {
  firing: number;
  unacknowledged: number;
  worst: Severity | null;
  /** Asked of it and not answered. */
  asked: number;
}

/** The firing alerts by the department that has them now. */
export function tallies(): Map<string, Tally> {
  const found = new Map<string, Tally>();
  const of = (id: string) => found.get(id) ?? found.set(id, { firing: 0, unacknowledged: 0, worst: null, asked: 0 }).get(id) as Tally;
  for (const alert of alertBook.all()) {
    if (alert.state !== "firing") continue;
    const tally = of(alert.handling.holder ?? alert.rule.department);
    tally.firing += 1;
    if (alert.acknowledged === null) tally.unacknowledged += 1;
    if (severityRank(alert.severity) > severityRank(tally.worst)) tally.worst = alert.severity;
    if (alert.handling.department !== null) of(alert.handling.department).asked += 1;
  }
  return found;
}

export function DepartmentsScreen() {
  void alertVersion.value;
  const q = (query.value.get("q") ?? "").trim();
  const load = useResource("departments-load", (signal) => alertWork.load({ from: new Date(serverNow() - 86_400_000).toISOString() }, signal), { everyMs: REFRESH_MS });
  const loss = useResource("departments-loss", (signal) => alertWork.loss("department", signal), { everyMs: REFRESH_MS });
  const shared = useResource("public-datasets", publicDatasets);
  const now = tallies();
  const rows = departments.value.filter(({ id, name }) => [id, name.en, name.zh].some((text) => text.toLowerCase().includes(q.toLowerCase())));
  const { selected } = useRowKeys(rows.map(({ id }) => id), (id) => go(to.department(id)));
  return (
    <>
      <header class="list-head">
        <h1>{t("departments.title")}</h1>
        <span class="panel-note">{t("departments.why")}</span>
        <span class="list-total" />
        <SearchField label={t("departments.search")} value={q} onSearch={(text) => setQuery({ q: text })} />
      </header>
      <div class="panel table-frame" tabIndex={0} role="region" aria-label={t("departments.title")}>
        {rows.length === 0 ? (
          <p class="state">{t("departments.none")}</p>
        ) : (
          <DataTable>
            <thead>
              <tr>
                <th scope="col">{t("alert.department")}</th>
                <th scope="col" class="right">{t("zones.devices")}</th>
                <th scope="col">{t("zones.worst")}</th>
                <th scope="col" class="right">{t("zones.firing")}</th>
                <th scope="col" class="right">{t("alerts.unacknowledged")}</th>
                <th scope="col" class="right">{t("departments.asked")}</th>
                <th scope="col" class="right">{t("load.per_operator_day")}</th>
                <th scope="col">{t("load.verdict")}</th>
                <th scope="col" class="right">{t("departments.lost")}</th>
                <th scope="col" class="right">{t("departments.shares")}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((department) => {
                const tally = now.get(department.id);
                const work = load.data?.departments.find(({ position }) => position === department.id);
                const counters = loss.data?.items.find(({ id }) => id === department.id);
                const open = shared.data === null ? undefined : datasetsOf(shared.data, department.name).length;
                return (
                  <tr key={department.id} id={rowId(department.id)} {...(department.id === selected && { "aria-current": "true" as const })}>
                    <td class="wide"><a href={to.department(department.id)}>{local(department.name) || department.id}</a><span class="under">{department.id}</span></td>
                    <td class="right">{number(department.devices)}</td>
                    <td>{tally?.worst && <SeverityWord severity={tally.worst} />}</td>
                    <td class="right"><Count n={loaded.value ? (tally?.firing ?? 0) : null} /></td>
                    <td class="right"><Count n={loaded.value ? (tally?.unacknowledged ?? 0) : null} /></td>
                    <td class="right"><Count n={loaded.value ? (tally?.asked ?? 0) : null} /></td>
                    <td class="right">{work ? number(work.per_operator_day) : load.data ? "0" : t("value.none")}</td>
                    <td>{load.data ? <VerdictWord verdict={work ? worstVerdict(figuresOf(work)) : "acceptable"} /> : <span class="muted">{t("value.none")}</span>}</td>
                    <td class="right">{counters ? <Count n={counters.missed + counters.dead_lettered} /> : <span class="muted">{t("value.none")}</span>}</td>
                    <td class="right">{open === undefined ? <span class="muted">{t("value.none")}</span> : <Count n={open} />}</td>
                  </tr>
                );
              })}
            </tbody>
          </DataTable>
        )}
      </div>
    </>
  );
}

function Count({ n }: { /** Null before it is known. */ n: number | null }) {
  if (n === null) return <span class="muted">{t("value.none")}</span>;
  return n === 0 ? <span class="muted">0</span> : <>{number(n)}</>;
}
