/** All alerts of a device, each with everything that happened to it. */
import { api } from "../../api/client";
import type { AlertItem, Device } from "../../api/types";
import { number } from "../../format/number";
import { dateTime, span, zoneOffset } from "../../format/time";
import { local, t } from "../../i18n";
import { query, setQuery, to } from "../../router";
import { alertBook } from "../../state/alert-book";
import { now } from "../../state/clock";
import { useResource } from "../../state/resource";
import { alertMark } from "../../ui/alert-table";
import { FileLinks } from "../../ui/file-links";
import { SeverityWord } from "../../ui/marks";
import { Panel } from "../../ui/panel";
import { ResourceView } from "../../ui/resource-view";
import { Log } from "../alert/log";

const SHOWN = 100;

export function DeviceAlerts({ device }: { device: Device }) {
  const ask = { device: device.id };
  const version = alertMark((alert) => alert.subject.type !== "zone" && alert.subject.device === device.id, alertBook.all());
  const resource = useResource(`alerts|${device.id}`, (signal) => api.alerts({ ...ask, state: "all", limit: SHOWN }, signal), { version });
  const open = query.value.get("alert");
  return (
    <Panel title={t("device.alerts")} note={resource.data ? number(resource.data.items.length) : undefined} actions={<FileLinks path="/alerts" query={{ ...ask, state: "all" }} name={`${device.id}-alerts`} formats={["csv"]} />}>
      <ResourceView resource={resource} compact>
        {(page) =>
          page.items.length === 0 ? (
            <p class="state">{t("device.alerts.none")}</p>
          ) : (
            <ul class="letters">
              {page.items.map((alert) => (
                <AlertLine key={alert.id} alert={alert} open={alert.id === open} onOpen={() => setQuery({ alert: alert.id === open ? null : alert.id })} />
              ))}
            </ul>
          )
        }
      </ResourceView>
      {resource.data?.next_cursor != null && <p class="panel-text muted">{t("letters.more", { n: number(SHOWN) })}</p>}
    </Panel>
  );
}

function AlertLine({ alert, open, onOpen }: { alert: AlertItem; open: boolean; onOpen(): void }) {
  const end = alert.resolved_at === null ? now.value : Date.parse(alert.resolved_at);
  return (
    <li data-alert={alert.id}>
      <div class="letter-line">
        <SeverityWord severity={alert.severity} />
        <a href={to.alert(alert.id)}>{local(alert.summary)}</a>
        <span class="badge">{t(`alert.state.${alert.state}`)}</span>
        <span class="muted">{alert.acknowledged === null ? t("alert.not_acked") : t("alerts.acked")}</span>
        <button type="button" class="button" aria-expanded={open} onClick={onOpen}>
          {t(open ? "letters.close" : "device.alerts.log")}
          <span class="spoken">{`: ${local(alert.summary)}`}</span>
        </button>
      </div>
      <p class="muted">
        <time dateTime={alert.fired_at} title={zoneOffset(alert.fired_at)}>{dateTime(alert.fired_at)}</time> · {span((end - Date.parse(alert.fired_at)) / 1000)} · {local(alert.rule.name)}
      </p>
      {open && <WholeLog alert={alert} />}
    </li>
  );
}

function WholeLog({ alert }: { alert: AlertItem }) {
  const resource = useResource(`alert-log|${alert.id}`, (signal) => api.alert(alert.id, signal), { version: alert.updated_at });
  return (
    <ResourceView resource={resource} compact missing="alert.gone">
      {(whole) => <Log alert={whole} />}
    </ResourceView>
  );
}
