/** Alerts in short lines, as a silence means them. */
import type { AlertItem } from "../../api/types";
import { number } from "../../format/number";
import { shortTime } from "../../format/time";
import { local, t } from "../../i18n";
import { to } from "../../router";
import { departmentName } from "../../state/city";
import { byUrgency } from "../../state/alert-book";
import { now } from "../../state/clock";
import { SeverityWord } from "../../ui/marks";

const SHOWN = 50;

export function AlertLines({ alerts }: { alerts: readonly AlertItem[] }) {
  const sorted = [...alerts].sort(byUrgency);
  return (
    <>
      <ul class="alert-lines">
        {sorted.slice(0, SHOWN).map((alert) => (
          <li key={alert.id} class={alert.acknowledged ? "" : "unacknowledged"} data-alert={alert.id}>
            <SeverityWord severity={alert.severity} />
            <a href={to.alert(alert.id)}>{local(alert.summary)}</a>
            <span class="muted">
              {shortTime(alert.fired_at, now.value)} · {departmentName(alert.rule.department)}
            </span>
          </li>
        ))}
      </ul>
      {sorted.length > SHOWN && <p class="note">{t("silence.more", { n: number(sorted.length - SHOWN) })}</p>}
    </>
  );
}
