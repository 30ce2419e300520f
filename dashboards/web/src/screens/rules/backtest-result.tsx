/** What a backtest says: the verdict, alerts per day, the marks on a chart, and the alerts one by one. */
import { useMemo } from "preact/hooks";
import { api } from "../../api/client";
import { number } from "../../format/number";
import { date, dateTime, span, zoneOffset } from "../../format/time";
import { counted, language, local, t } from "../../i18n";
import { query, setQuery } from "../../router";
import { DayBars } from "../../charts/day-bars";
import { ACCEPTABLE, changesOf, daysOf, loadOf, subjectKey, verdictOf, type Trial, type Would } from "../../rulefile/trial";
import { metricName, zoneName } from "../../state/city";
import { useResource } from "../../state/resource";
import { Choice } from "../../ui/choice";
import { DataTable } from "../../ui/data-table";
import { CheckIcon, WarnIcon } from "../../ui/icons";
import { SeverityWord } from "../../ui/marks";
import { ZoneChoice } from "../overview/alert-filters";
import { WouldSeries } from "./would-series";

const SHOWN = 200;
const MOST_SUBJECTS = 200;
const ZONE_PAGE = 1000;

export function BacktestResult({ trial, only, about }: { trial: Trial; only: string; about(rule: string): string | null }) {
  const { tried, present, operators } = trial;
  const all = useMemo(() => changesOf(trial), [trial]);
  const zone = query.value.get("zone");
  const members = useMembers(zone);
  const fits = (alert: Pick<Would, "subject">) => zone === null || (alert.subject.type === "zone" ? alert.subject.zone === zone : (members?.has(alert.subject.device) ?? false));
  const shown = all.filter(fits);
  const subjects = useMemo(() => countSubjects(shown), [all, zone, members, language.value]);
  const subject = subjects.find(([key]) => key === query.value.get("subject"))?.[0] ?? subjects[0]?.[0] ?? null;
  const load = zone === null ? tried.load.per_operator_day : loadOf(tried, operators, fits);
  const before = present === null ? null : zone === null ? present.load.per_operator_day : loadOf(present, operators, fits);
  const days = useMemo(() => daysOf(trial, fits), [trial, zone, members]);
  const cut = tried.alerts.length < tried.load.alerts;
  return (
    <div class="backtest-result">
      <p class="muted">
        {t("backtest.over", { rules: only, from: dateTime(tried.from), to: dateTime(tried.to), offset: zoneOffset(tried.to), readings: number(tried.readings), series: number(tried.series) })}
      </p>
      <div class="result-grid">
        <section class="result-verdict">
          <Verdict load={load} before={before} operators={operators} />
          <LoadFacts trial={trial} />
        </section>
        <section class="result-days">
          <h3>{t("backtest.days")}</h3>
          <DayBars days={days} operators={operators} inForce={trial.inForce} />
        </section>
      </div>
      {cut && <p class="note">{t("backtest.cut", { n: number(tried.alerts.length), all: number(tried.load.alerts) })}</p>}
      <section class="result-marks">
        <header class="pane-row">
          <h3>{t("backtest.marks")}</h3>
          <ZoneChoice value={zone} any={t("alerts.zone.any")} onChange={(next) => setQuery({ zone: next || null, subject: null })} />
          {subjects.length > 0 && <Choice label={t("backtest.subject")} value={subject ?? ""} options={subjects.slice(0, MOST_SUBJECTS).map(([key, count, name]) => [key, `${name} (${count})`] as const)} onChange={(key) => setQuery({ subject: key })} />}
          {!trial.inForce && <Legend />}
        </header>
        {subject === null ? <p class="state">{t("backtest.no_alert")}</p> : <WouldSeries key={subject} alerts={shown.filter((alert) => subjectKey(alert) === subject)} about={about(shown.find((alert) => subjectKey(alert) === subject)?.rule ?? "")} from={Date.parse(tried.from)} to={Date.parse(tried.to)} />}
      </section>
      {shown.length > 0 && <WouldTable alerts={shown} subject={subject} compares={!trial.inForce} />}
      {tried.caveats.length > 0 && (
        <details class="caveats">
          <summary>{t("backtest.caveats")}</summary>
          <ul>{tried.caveats.map((each, at) => <li key={at}>{local(each)}</li>)}</ul>
        </details>
      )}
    </div>
  );
}

/** The devices of a zone; null while that is not known. */
function useMembers(zone: string | null): ReadonlySet<string> | null {
  const resource = useResource(zone === null ? null : `members|${zone}`, async (signal) => {
    const ids = new Set<string>();
    let cursor: string | null = null;
    do {
      const page: { items: { id: string }[]; next_cursor: string | null } = await api.devices({ zone, limit: ZONE_PAGE, cursor }, signal);
      for (const { id } of page.items) ids.add(id);
      cursor = page.next_cursor;
    } while (cursor !== null);
    return ids;
  });
  return resource.data;
}

function countSubjects(alerts: readonly Would[]): [key: string, count: number, name: string][] {
  const found = new Map<string, [number, string]>();
  for (const alert of alerts) {
    const key = subjectKey(alert);
    found.set(key, [(found.get(key)?.[0] ?? 0) + 1, subjectName(alert)]);
  }
  return [...found].map(([key, [count, name]]): [string, number, string] => [key, count, name]).sort((a, b) => b[1] - a[1]);
}

export function subjectName({ subject }: Pick<Would, "subject">): string {
  if (subject.type === "zone") return zoneName(subject.zone);
  return subject.type === "series" ? `${subject.device} · ${metricName(subject.metric)}` : subject.device;
}

function Verdict({ load, before, operators }: { load: number; before: number | null; operators: number }) {
  const verdict = verdictOf(load);
  const figure = (value: number) => number(value, value < 10 ? 1 : 0);
  return (
    <div class={`trial-verdict trial-${verdict}`} role="status">
      <p class="trial-figure">
        {verdict === "acceptable" ? <CheckIcon /> : <WarnIcon />} <strong data-load={load}>{figure(load)}</strong> {t("backtest.per_operator_day")}
      </p>
      <p>
        <strong>{t(`backtest.verdict.${verdict}`)}</strong> {t("backtest.of_acceptable", { part: number((100 * load) / ACCEPTABLE, load < ACCEPTABLE / 10 ? 1 : 0), n: ACCEPTABLE })}
      </p>
      {before !== null && <p class="muted">{t("backtest.before", { n: figure(before) })}</p>}
      {operators > 1 && <p class="muted">{counted("backtest.shared", operators)}</p>}
    </div>
  );
}

function LoadFacts({ trial: { tried, present, inForce } }: { trial: Trial }) {
  const rows = [
    ["backtest.alerts", tried.load.alerts, present?.load.alerts],
    ["backtest.peak", tried.load.peak_ten_minutes, present?.load.peak_ten_minutes],
    ["backtest.floods", tried.load.floods, present?.load.floods],
    ["backtest.chattering", tried.load.chattering, present?.load.chattering],
    ["backtest.fleeting", tried.load.fleeting, present?.load.fleeting],
    ["backtest.stale", tried.load.stale, present?.load.stale],
  ] as const;
  return (
    <table class="load-table">
      <thead>
        <tr>
          <td />
          <th scope="col">{t(inForce ? "backtest.present" : "backtest.tried")}</th>
          {present !== null && <th scope="col">{t("backtest.present")}</th>}
        </tr>
      </thead>
      <tbody>
        {rows.map(([name, now, then]) => (
          <tr key={name}>
            <th scope="row">{t(name)}</th>
            <td>{number(now)}</td>
            {present !== null && <td>{number(then ?? 0)}</td>}
          </tr>
        ))}
        {tried.difference !== null && (
          <tr>
            <th scope="row">{t("backtest.gained_lost")}</th>
            <td colSpan={2}>+{number(tried.difference.only_here)} / −{number(tried.difference.only_there)}</td>
          </tr>
        )}
      </tbody>
    </table>
  );
}

const SHAPES = { both: <rect x="2.5" y="2.5" width="7" height="7" />, gained: <path d="M1.5 2h9L6 10z" />, lost: <path class="hollow" d="M1.5 10h9L6 2z" /> } as const;

function Legend() {
  return (
    <span class="would-legend">
      {(["both", "gained", "lost"] as const).map((each) => (
        <span key={each}>
          <svg class="key would-key" viewBox="0 0 12 12" aria-hidden="true">{SHAPES[each]}</svg> {t(`backtest.change.${each}`)}
        </span>
      ))}
    </span>
  );
}

function WouldTable({ alerts, subject, compares }: { alerts: readonly Would[]; subject: string | null; compares: boolean }) {
  return (
    <section class="would-table" tabIndex={0} role="region" aria-label={t("backtest.list")}>
      <DataTable>
        <thead>
          <tr>
            {compares && <th scope="col">{t("backtest.change")}</th>}
            <th scope="col">{t("alert.fired_at")}</th>
            <th scope="col">{t("severity.label")}</th>
            <th scope="col">{t("rules.rule")}</th>
            <th scope="col">{t("backtest.text")}</th>
            <th scope="col" class="right">{t("alert.lasted")}</th>
          </tr>
        </thead>
        <tbody>
          {alerts.slice(0, SHOWN).map((alert, at) => (
            <tr key={at} data-change={alert.change} {...(subjectKey(alert) === subject && { "aria-current": "true" as const })}>
              {compares && <td class="would-change"><svg class="key would-key" viewBox="0 0 12 12" aria-hidden="true">{SHAPES[alert.change]}</svg> {t(`backtest.change.${alert.change}`)}</td>}
              <td><time dateTime={alert.fired_at} title={date(alert.fired_at)}>{dateTime(alert.fired_at)}</time></td>
              <td><SeverityWord severity={alert.severity} /></td>
              <td><code>{alert.rule}</code></td>
              <td class="wide"><button type="button" class="link" onClick={() => setQuery({ subject: subjectKey(alert) })}>{local(alert.summary)}</button></td>
              <td class="right">{alert.resolved_at === null ? t("backtest.still") : span((Date.parse(alert.resolved_at) - Date.parse(alert.fired_at)) / 1000)}</td>
            </tr>
          ))}
        </tbody>
      </DataTable>
      {alerts.length > SHOWN && <p class="note">{t("backtest.more", { n: number(alerts.length - SHOWN) })}</p>}
    </section>
  );
}
