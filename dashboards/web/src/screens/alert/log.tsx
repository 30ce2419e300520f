/** What happened to an alert, newest first: by the engine and by people. */
import type { AlertDetail, AlertLogEntry } from "../../api/types";
import { plainValue } from "../../format/number";
import { dateTime } from "../../format/time";
import { t } from "../../i18n";
import { metricOf } from "../../state/city";
import { SeverityWord } from "../../ui/marks";

export function Log({ alert }: { alert: AlertDetail }) {
  const entries = [...alert.log].sort((a, b) => Date.parse(b.at) - Date.parse(a.at) || b.seq - a.seq);
  return (
    <ol class="log">
      {entries.map((entry) => (
        <li key={`${entry.kind}/${entry.seq}`} class={entry.by === "engine" ? "" : "by-person"}>
          <time dateTime={entry.at}>{dateTime(entry.at)}</time>
          <strong>{t(`alert.log.${entry.kind}`)}</strong>
          <span>
            {entry.severity !== null && <SeverityWord severity={entry.severity} />}
            {entry.value !== null && <span class="log-value">{valueOf(entry, alert)}</span>}
            <span class="muted">{entry.by === "engine" ? t("alert.log.engine") : entry.by}</span>
            {entry.reason !== null && <span>{t(`alert.reason.${entry.reason}`)}</span>}
            {entry.note !== null && entry.note !== "" && <q>{entry.note}</q>}
          </span>
        </li>
      ))}
    </ol>
  );
}

function valueOf(entry: AlertLogEntry, alert: AlertDetail): string {
  return `${plainValue(entry.value, metricOf(alert.metric)?.decimals ?? 1)} ${alert.unit ?? ""}`;
}
