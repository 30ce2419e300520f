/** A day of the city or of one department: made to be read in the morning, printed and filed. */
import { useMemo } from "preact/hooks";
import "../../styles/platform.css";
import "../../styles/report.css";
import { api, buildUrl } from "../../api/client";
import { platform, type AlarmLoad, type IngestReport } from "../../api/platform";
import type { AlertItem } from "../../api/types";
import { number } from "../../format/number";
import { dateTime, zoneOffset } from "../../format/time";
import { local, t } from "../../i18n";
import { query, setQuery } from "../../router";
import { departmentName, departments, system } from "../../state/city";
import { now, serverNow } from "../../state/clock";
import { useResource } from "../../state/resource";
import { Choice } from "../../ui/choice";
import { ResourceView } from "../../ui/resource-view";
import { besides, dayOf, type Day } from "./day";
import { figuresOf } from "./figures";
import { AlertSections } from "./alert-sections";
import { DataSections } from "./data-sections";
import { LoadSection } from "./load-section";

const PAGE = 1000;
/** More alerts in a day than this are not worked through; the report says so. */
const MOST = 10_000;
/** Today's report grows; yesterday's only changes when somebody still acknowledges. */
const RUNNING_MS = 60_000;

interface DayData {
  alerts: AlertItem[];
  more: boolean;
  load: AlarmLoad;
  books: IngestReport;
  devices: IngestReport;
  registered: number;
}

export function ReportsScreen() {
  const params = query.value;
  const day = dayOf(params.get("date"), serverNow());
  const department = params.get("department");
  if (day === null) {
    return (
      <div class="page">
        <div class="state state-page">
          <h1>{t("report.no_day")}</h1>
          <button type="button" class="button" onClick={() => setQuery({ date: null })}>{t("report.today")}</button>
        </div>
      </div>
    );
  }
  return <Report key={`${day.date}|${department ?? ""}`} day={day} department={department} />;
}

function Report({ day, department }: { day: Day; department: string | null }) {
  const resource = useResource(`report|${day.date}|${department ?? ""}`, (signal) => load(day, department, signal), day.running ? { everyMs: RUNNING_MS } : {});
  const latest = resource.at ?? now.value;
  return (
    <div class="page report">
      <header class="list-head no-print">
        <h1>{t("report.title")}</h1>
        <Days day={day} />
        <Choice label={t("alert.department")} value={department ?? ""} options={[["", t("grants.everywhere")], ...departments.value.map((each) => [each.id, departmentName(each.id)] as const)]} onChange={(next) => setQuery({ department: next || null })} />
        <span class="list-total" />
        <Files day={day} department={department} />
        <button type="button" class="button primary" onClick={() => print()}>{t("report.print")}</button>
      </header>
      <article class="paper">
        <header class="paper-head">
          <p>{[local(system.value?.city.name), system.value?.simulated ? t("app.simulated") : ""].filter((part) => part !== "").join(" · ")}</p>
          <h2>{t("report.of", { date: day.date, whose: department === null ? t("grants.everywhere") : departmentName(department) })}</h2>
          <p>
            {`${dateTime(day.from)} – ${dateTime(day.to)} ${zoneOffset(day.to)}`}
            {day.running && <strong>{` · ${t("report.running")}`}</strong>}
          </p>
        </header>
        <ResourceView resource={resource}>{(held) => <Sections held={held} day={day} department={department} />}</ResourceView>
        <footer class="paper-foot">{t("report.made", { time: `${dateTime(latest)} ${zoneOffset(latest)}`, version: system.value?.version ?? "" })}</footer>
      </article>
    </div>
  );
}

function Sections({ held, day, department }: { held: DayData; day: Day; department: string | null }) {
  const figures = useMemo(() => figuresOf(held.alerts, day.from, day.to), [held]);
  return (
    <>
      {held.more && <p class="note">{t("report.more", { n: number(MOST) })}</p>}
      <AlertSections figures={figures} total={held.alerts.length} day={day} />
      <LoadSection load={held.load} department={department} />
      <DataSections books={held.books} devices={held.devices} registered={held.registered} department={department} />
    </>
  );
}

function Days({ day }: { day: Day }) {
  return (
    <div class="report-days">
      <button type="button" class="button" onClick={() => setQuery({ date: besides(day.date, -1) }, { push: true })}>{t("report.before")}</button>
      {/* Not the browser's own field: that writes dates as the browser's country does. */}
      <input class="choice" inputMode="numeric" pattern="\d{4}-\d{2}-\d{2}" placeholder="2026-11-29" aria-label={t("report.day")} value={day.date} onChange={(event) => event.currentTarget.reportValidity() && setQuery({ date: event.currentTarget.value.trim() || null }, { push: true })} />
      <button type="button" class="button" disabled={day.running} onClick={() => setQuery({ date: besides(day.date, 1) }, { push: true })}>{t("report.after")}</button>
    </div>
  );
}

/** The same as files, from the server. */
function Files({ day, department }: { day: Day; department: string | null }) {
  const range = { department, from: iso(day.from), to: iso(day.to) };
  return (
    <>
      <a class="button" download={`alerts-${day.date}.csv`} href={buildUrl("/alerts", { ...range, state: "all", format: "csv" })}>{t("report.csv.alerts")}</a>
      <a class="button" download={`alert-log-${day.date}.csv`} href={buildUrl("/alert-log", { ...range, format: "csv" })}>{t("report.csv.log")}</a>
    </>
  );
}

const iso = (ms: number) => new Date(ms).toISOString();

async function load(day: Day, department: string | null, signal: AbortSignal): Promise<DayData> {
  const range = { department, from: iso(day.from), to: iso(day.to) };
  const [alerts, load, books, devices, registered] = await Promise.all([
    alertsOf(range, signal),
    platform.alarmLoad(range, signal),
    platform.ingest({ date: day.date, by: department === null ? "source" : "department" }, signal),
    platform.ingest({ date: day.date, by: "device" }, signal),
    api.devices({ department, limit: 1 }, signal),
  ]);
  return { ...alerts, load, books, devices, registered: registered.total };
}

async function alertsOf(range: { department: string | null; from: string; to: string }, signal: AbortSignal): Promise<{ alerts: AlertItem[]; more: boolean }> {
  const alerts: AlertItem[] = [];
  let cursor: string | null = null;
  do {
    const page = await api.alerts({ ...range, state: "all", limit: PAGE, cursor }, signal);
    alerts.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null && alerts.length < MOST);
  return { alerts, more: cursor !== null };
}
