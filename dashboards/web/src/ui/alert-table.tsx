/** The alerts of one device or zone, as a short table. */
import { api, type Query } from "../api/client";
import type { AlertItem } from "../api/types";
import { shortTime, span } from "../format/time";
import { local, t, type TextKey } from "../i18n";
import { to } from "../router";
import { alertVersion } from "../state/alert-book";
import { now } from "../state/clock";
import { useResource } from "../state/resource";
import { Panel } from "./panel";
import { ResourceView } from "./resource-view";
import { SeverityWord } from "./marks";

const SHOWN = 20;

interface Props {
  of: Query;
  title: string;
  none: TextKey;
  version: unknown;
}

export function AlertTable({ of, title, none, version }: Props) {
  const resource = useResource(JSON.stringify(of), (signal) => api.alerts({ ...of, state: "all", limit: SHOWN }, signal), { version });
  return (
    <Panel title={title} class="alert-table">
      <ResourceView resource={resource} compact>
        {(page) =>
          page.items.length === 0 ? (
            <p class="state">{t(none)}</p>
          ) : (
            <ul class="alert-lines">
              {page.items.map((alert) => (
                <AlertLine key={alert.id} alert={alert} />
              ))}
            </ul>
          )
        }
      </ResourceView>
    </Panel>
  );
}

function AlertLine({ alert }: { alert: AlertItem }) {
  const end = alert.resolved_at === null ? now.value : Date.parse(alert.resolved_at);
  return (
    <li class={alert.state === "resolved" ? "resolved" : alert.acknowledged ? "" : "unacknowledged"}>
      <SeverityWord severity={alert.severity} />
      <a href={to.alert(alert.id)}>{local(alert.summary)}</a>
      <span class="muted">
        {shortTime(alert.fired_at, now.value)} · {t(`alert.state.${alert.state}`)} · {span((end - Date.parse(alert.fired_at)) / 1000)}
      </span>
    </li>
  );
}

/** Changes when an alert of this device or zone changes. */
export function alertMark(concerns: (alert: AlertItem) => boolean, book: Iterable<AlertItem>): string {
  void alertVersion.value;
  let mark = "";
  for (const alert of book) if (concerns(alert)) mark += `${alert.id}@${alert.updated_at} `;
  return mark;
}
