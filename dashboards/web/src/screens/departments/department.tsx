/** One department as others see it: its devices, alerts, load, what came in and what was lost, what it shares. */
import { api } from "../../api/client";
import { alertWork } from "../../api/alerts";
import { datasetsOf, publicDatasets } from "../../api/open-data";
import { STATUS_CODES } from "../../api/codes";
import type { Department, LossItem } from "../../api/types";
import { number } from "../../format/number";
import { counted, local, t } from "../../i18n";
import { useKeys } from "../../keys";
import { back, to } from "../../router";
import { alertBook, alertVersion } from "../../state/alert-book";
import { departments } from "../../state/city";
import { serverNow } from "../../state/clock";
import { handOversOf } from "../../state/hand-overs";
import { loaded } from "../../state/live";
import { useResource } from "../../state/resource";
import { Countdown } from "../../ui/countdown";
import { StatusWord } from "../../ui/marks";
import { Facts, Panel } from "../../ui/panel";
import { Loading, ResourceView } from "../../ui/resource-view";
import { AlertLines } from "../silences/preview";
import { figuresOf, worstVerdict } from "../alerts/load-figures";
import { VerdictWord } from "../alerts/load";
import { FullPage } from "../full-page";
import { tallies } from "./index";

const REFRESH_MS = 30_000;
const DAY_MS = 86_400_000;

export function DepartmentScreen({ id }: { id: string }) {
  void alertVersion.value;
  useKeys({ Escape: back });
  const department = departments.value.find((each) => each.id === id);
  if (department === undefined) return <FullPage shape="not-found" title="departments.gone" why="state.not_found.why" home />;
  return <DepartmentPage department={department} />;
}

function DepartmentPage({ department }: { department: Department }) {
  const { id } = department;
  const tally = tallies().get(id);
  const firing = [...alertBook.all()].filter((alert) => alert.state === "firing" && (alert.handling.holder ?? alert.rule.department) === id);
  return (
    <>
      <header class="page-head">
        <div class="page-title">
          <p class="alert-badges muted">{id}</p>
          <h1>{local(department.name) || id}</h1>
        </div>
        <dl class="head-figures">
          <div><dt>{t("zones.devices")}</dt><dd>{number(department.devices)}</dd></div>
          <div><dt>{t("zones.firing")}</dt><dd>{known(tally?.firing)}</dd></div>
          <div><dt>{t("alerts.unacknowledged")}</dt><dd>{known(tally?.unacknowledged)}</dd></div>
          <div><dt>{t("departments.asked")}</dt><dd>{known(tally?.asked)}</dd></div>
        </dl>
      </header>
      <div class="columns">
        <div class="column-main">
          <Panel title={t("alerts.title")} note={<a href={to.alerts({ department: id })}>{t("departments.all_alerts")}</a>}>
            {!loaded.value ? <Loading /> : firing.length === 0 ? <p class="state">{t("departments.no_alert")}</p> : <AlertLines alerts={firing} />}
          </Panel>
          <HandOverPanel id={id} />
          <Load id={id} />
        </div>
        <div class="column-side">
          <Devices id={id} />
          <Ingest id={id} />
          <Shares department={department} />
        </div>
      </div>
    </>
  );
}

/** Nothing is said to be none before the alerts are there. */
function known(count: number | undefined): string {
  return loaded.value ? number(count ?? 0) : t("value.none");
}

function HandOverPanel({ id }: { id: string }) {
  const { asked, away, taken } = handOversOf(alertBook.all(), "", new Set([id]));
  const parts = [["departments.asked", asked], ["departments.taken", taken], ["departments.away", away]] as const;
  return (
    <Panel title={t("hand_overs.title")} note={<a href={to.handOvers({ department: id })}>{t("departments.inbox")}</a>}>
      {!loaded.value ? <Loading /> : asked.length + away.length + taken.length === 0 ? (
        <p class="state">{t("departments.no_hand_over")}</p>
      ) : (
        parts.map(([title, list]) => list.length > 0 && (
          <section key={title} class="similar-part">
            <h3>{t(title)} <span class="muted">{number(list.length)}</span></h3>
            <ul>
              {list.slice(0, 20).map((alert) => (
                <li key={alert.id}>
                  <a href={to.alert(alert.id)}>{local(alert.summary)}</a>
                  {alert.handling.until !== null && <Countdown until={alert.handling.until} />}
                </li>
              ))}
            </ul>
          </section>
        ))
      )}
    </Panel>
  );
}

function Load({ id }: { id: string }) {
  const resource = useResource(`department-load|${id}`, (signal) => alertWork.load({ department: id, from: new Date(serverNow() - DAY_MS).toISOString() }, signal), { everyMs: REFRESH_MS });
  return (
    <Panel title={t("load.title")} note={<a href={`${to.alerts({ view: "load", department: id })}`}>{t("departments.last_day")}</a>}>
      <ResourceView resource={resource} compact>
        {(load) => {
          const mine = load.departments.find(({ position }) => position === id);
          if (!mine) return <p class="state">{t("departments.no_load")}</p>;
          const figures = figuresOf(mine);
          return (
            <Facts
              items={[
                [t("load.verdict"), <VerdictWord verdict={worstVerdict(figures)} />],
                [t("load.alerts"), number(mine.alerts)],
                [t("load.per_operator_day"), number(mine.per_operator_day)],
                [t("load.ten_minutes_peak"), number(mine.ten_minutes_peak)],
                [t("load.stale"), number(mine.stale)],
                [t("load.floods"), number(mine.floods)],
              ]}
            />
          );
        }}
      </ResourceView>
    </Panel>
  );
}

/** How many devices are in which state: each count is a link to them. */
function Devices({ id }: { id: string }) {
  const resource = useResource(
    `department-devices|${id}`,
    async (signal) => Promise.all(STATUS_CODES.map(async (status) => ({ status, total: (await api.devices({ department: id, status, limit: 1 }, signal)).total }))),
    { everyMs: REFRESH_MS },
  );
  return (
    <Panel title={t("devices.title")} note={<a href={to.devices({ department: id })}>{t("zone.all_devices")}</a>}>
      <ResourceView resource={resource} compact>
        {(counts) => <Facts items={counts.map(({ status, total }) => [<StatusWord status={status} />, <a href={to.devices({ department: id, status })}>{number(total)}</a>] as const)} />}
      </ResourceView>
    </Panel>
  );
}

function Ingest({ id }: { id: string }) {
  const resource = useResource(`department-loss|${id}`, (signal) => alertWork.loss("department", signal), { everyMs: REFRESH_MS });
  return (
    <Panel title={t("departments.ingest")} note={t("departments.ingest.why")}>
      <ResourceView resource={resource} compact>
        {(loss) => {
          const mine = loss.items.find((item) => item.id === id);
          return mine === undefined ? <p class="state">{t("departments.no_ingest")}</p> : <Counters item={mine} balanced={loss.balanced} />;
        }}
      </ResourceView>
    </Panel>
  );
}

function Counters({ item, balanced }: { item: LossItem; balanced: boolean }) {
  const share = (n: number) => (item.received === 0 ? "" : ` (${number((n / item.received) * 100, 2)}\u2009%)`);
  return (
    <>
      <Facts
        items={[
          [t("device.counter.received"), number(item.received)],
          [t("device.counter.stored"), number(item.stored)],
          [t("device.counter.duplicate"), `${number(item.duplicate)}${share(item.duplicate)}`],
          [t("device.counter.dead_lettered"), `${number(item.dead_lettered)}${share(item.dead_lettered)}`],
          [t("departments.missed"), number(item.missed)],
        ]}
      />
      {!balanced && <p class="note">{t("departments.unbalanced")}</p>}
    </>
  );
}

function Shares({ department }: { department: Department }) {
  const resource = useResource("public-datasets", publicDatasets);
  return (
    <Panel title={t("departments.shares")}>
      <ResourceView resource={resource} compact missing="departments.shares.off">
        {(all) => {
          const mine = datasetsOf(all, department.name);
          return mine.length === 0 ? (
            <p class="state">{t("departments.shares.none")}</p>
          ) : (
            <ul class="share-lines">
              {mine.map((dataset) => (
                <li key={dataset.id}>
                  <a href={`/open/v1/datasets/${encodeURIComponent(dataset.id)}`}>{local(dataset.title)}</a>
                  <span class="muted">{counted("devices.total", dataset.devices)} · {local(dataset.description)}</span>
                </li>
              ))}
            </ul>
          );
        }}
      </ResourceView>
    </Panel>
  );
}
