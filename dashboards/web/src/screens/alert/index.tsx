/** One alert: what, where, how bad, since when, why, what was done, and what to do. */
import { alertWork } from "../../api/alerts";
import type { Tagged } from "../../api/client";
import type { AlertDetail, LonLat } from "../../api/types";
import { dateTime, span, zoneOffset } from "../../format/time";
import { plainValue } from "../../format/number";
import { local, t } from "../../i18n";
import { to } from "../../router";
import { alertBook, alertVersion } from "../../state/alert-book";
import { decimalsOf, departmentName, kindName, metricName, zoneById, zoneName } from "../../state/city";
import { now } from "../../state/clock";
import { useResource } from "../../state/resource";
import { Age } from "../../ui/age";
import { HeldBadges, handlingText } from "../../ui/handling";
import { SeverityWord } from "../../ui/marks";
import { MiniMap } from "../../ui/mini-map";
import { Facts, Panel } from "../../ui/panel";
import { ResourceView } from "../../ui/resource-view";
import { Actions } from "./actions";
import { DecidingChart, recordedAt } from "./deciding-chart";
import { ExplainPanel } from "./explain-panel";
import { Log } from "./log";
import { Neighbours } from "./neighbours";
import { RulePanel } from "./rule-panel";
import { Similar } from "./similar";

export function AlertScreen({ id }: { id: string }) {
  void alertVersion.value;
  const known = alertBook.get(id);
  const resource = useResource(`alert|${id}`, (signal) => alertWork.alert(id, signal), { version: known?.updated_at });
  return (
    <ResourceView resource={resource} missing="alert.gone">
      {(fetched) => <AlertPage tagged={known && known.updated_at > fetched.value.updated_at ? { ...fetched, value: { ...fetched.value, ...known } } : fetched} />}
    </ResourceView>
  );
}

function AlertPage({ tagged }: { tagged: Tagged<AlertDetail> }) {
  const alert = tagged.value;
  const rule = useResource(`rule|${alert.rule.id}`, (signal) => alertWork.rule(alert.rule.id, signal));
  return (
    <article class="page alert-page">
      <AlertHead alert={alert} />
      <div class="columns">
        <div class="column-main">
          <Panel title={t("alert.chart")} {...(alert.metric && { note: chartNote(alert, alert.metric) })}>
            <DecidingChart alert={alert} rule={rule.data} />
          </Panel>
          <ExplainPanel alert={alert} />
          <Panel title={t("alert.log")}>
            <Log alert={alert} />
          </Panel>
          <RulePanel alert={alert} resource={rule} />
        </div>
        <div class="column-side">
          <Actions tagged={tagged} />
          <Similar alert={alert} />
          <Neighbours alert={alert} />
          <Panel title={t("alert.where")} class="map-side">
            <AlertMap alert={alert} />
            <WhereFacts alert={alert} />
          </Panel>
        </div>
      </div>
      <p class="spoken" aria-live="polite">{spokenState(alert)}</p>
    </article>
  );
}

/** For screen readers: how it stands, said again whenever that changes. */
function spokenState(alert: AlertDetail): string {
  const known = alert.acknowledged === null ? t("alert.not_acked") : t("alert.acked_by", { who: alert.acknowledged.by });
  return [t(`alert.state.${alert.state}`), known, handlingText(alert)].join(", ");
}

function chartNote(alert: AlertDetail, metric: string): string {
  return recordedAt(alert) === null ? metricName(metric) : `${metricName(metric)} · ${t("alert.chart.recorded")}`;
}

function AlertHead({ alert }: { alert: AlertDetail }) {
  const end = alert.resolved_at === null ? now.value : Date.parse(alert.resolved_at);
  const decimals = decimalsOf(alert);
  const value = alert.value === null ? null : `${plainValue(alert.value, decimals)} ${alert.unit ?? ""}`;
  const limit = alert.limit === null ? null : `${plainValue(alert.limit, decimals)} ${alert.unit ?? ""}`;
  return (
    <header class={`page-head bar-${alert.severity}${alert.state === "resolved" ? " resolved" : ""}`}>
      <div class="page-title">
        <p class="alert-badges">
          <SeverityWord severity={alert.severity} />
          <span class="badge">{t(`alert.state.${alert.state}`)}</span>
          <span class={alert.acknowledged ? "badge" : "badge badge-open"}>{t(alert.acknowledged ? "alerts.acknowledged" : alert.state === "resolved" ? "alert.never_acked" : "alert.not_acked")}</span>
          <HeldBadges alert={alert} />
        </p>
        <h1>{local(alert.summary)}</h1>
        {alert.simulated && <p class="muted">{t("alert.simulated")}</p>}
      </div>
      <dl class="head-figures">
        <Figure name={t(alert.state === "resolved" ? "alert.fired_at" : "alert.since")} value={dateTime(alert.fired_at)} note={zoneOffset(alert.fired_at)} />
        {alert.resolved_at !== null && <Figure name={t("alert.ended")} value={dateTime(alert.resolved_at)} note={zoneOffset(alert.resolved_at)} />}
        <Figure name={t("alert.lasted")} value={span((end - Date.parse(alert.fired_at)) / 1000)} />
        {value !== null && <Figure name={t(alert.state === "resolved" ? "alert.value.end" : "alert.value")} value={value} />}
        {limit !== null && <Figure name={t(alert.state === "resolved" ? "alert.limit.end" : "alert.limit")} value={limit} />}
      </dl>
    </header>
  );
}

function Figure({ name, value, note }: { name: string; value: string; note?: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {value} {note !== undefined && <small>{note}</small>}
      </dd>
    </div>
  );
}

function WhereFacts({ alert }: { alert: AlertDetail }) {
  const { subject } = alert;
  const items: [preact.ComponentChildren, preact.ComponentChildren][] = [];
  if (subject.type === "zone") items.push([t("alert.zone"), <a href={to.zone(subject.zone)}>{zoneName(subject.zone)}</a>]);
  else items.push([t("alert.device"), <a href={to.device(subject.device)}>{alert.device_name ? local(alert.device_name) : subject.device}</a>]);
  if (alert.kind !== null) items.push([t("alert.kind"), kindName(alert.kind)]);
  if (subject.type !== "zone" && alert.zones.length > 0) {
    items.push([t("alert.zones"), alert.zones.map((zone, at) => <span key={zone}>{at > 0 && ", "}<a href={to.zone(zone)}>{zoneName(zone)}</a></span>)]);
  }
  items.push([t("alert.department"), departmentName(alert.rule.department)]);
  items.push([t("alert.started"), <span>{dateTime(alert.started_at)}</span>]);
  if (alert.reading_time !== null) items.push([t("alert.reading"), <span>{dateTime(alert.reading_time)} · <Age at={alert.reading_time} past /></span>]);
  const labels = Object.entries(alert.labels);
  if (labels.length > 0) items.push([t("alert.labels"), labels.map(([name, value]) => `${name}=${value}`).join(", ")]);
  return <Facts items={items} />;
}

function AlertMap({ alert }: { alert: AlertDetail }) {
  const { subject, position } = alert;
  const place: LonLat | null = position ? [position.lon, position.lat] : null;
  if (subject.type === "zone") return <MiniMap zone={subject.zone} bounds={zoneById.value.get(subject.zone)?.properties.bounds ?? null} />;
  return <MiniMap place={place} device={subject.device} zone={null} />;
}
