/** What happened to an alert, newest first: by the engine and by people. */
import type { AlertDetail, AlertLogEntry } from "../../api/types";
import { plainValue } from "../../format/number";
import { dateTime } from "../../format/time";
import { t } from "../../i18n";
import { to } from "../../router";
import { decimalsOf, departmentName, departments } from "../../state/city";
import { SeverityWord } from "../../ui/marks";

export function Log({ alert }: { alert: AlertDetail }) {
  const entries = [...alert.log].sort((a, b) => Date.parse(b.at) - Date.parse(a.at) || b.seq - a.seq);
  return (
    <ol class="log">
      {entries.map((entry) => (
        <li key={`${entry.kind}/${entry.seq}`} class={isItself(entry) ? "" : "by-person"} data-kind={entry.kind}>
          <time dateTime={entry.at}>{dateTime(entry.at)}</time>
          <EntryText entry={entry} alert={alert} />
        </li>
      ))}
    </ol>
  );
}

const isItself = ({ by }: AlertLogEntry) => by === "engine" || by === "brain";

/** What, how bad, by whom, about whom, and what they said. */
export function EntryText({ entry, alert }: { entry: AlertLogEntry; alert: AlertDetail }) {
  return (
    <>
      <strong>{t(`alert.log.${entry.kind}`)}</strong>
      <span>
        {entry.severity !== null && <SeverityWord severity={entry.severity} />}
        {entry.value !== null && <span class="log-value">{valueOf(entry, alert)}</span>}
        {entry.about !== null && entry.about !== entry.by && <About entry={entry} about={entry.about} />}
        <span class="muted">{isItself(entry) ? t("alert.log.engine") : t("alert.log.by", { who: entry.by })}</span>
        {entry.reason !== null && <span>{t(`alert.reason.${entry.reason}`)}</span>}
        {entry.note !== null && entry.note !== "" && <q>{entry.note}</q>}
      </span>
    </>
  );
}

/** Whom or what a line speaks of: where it can be looked at, a link. */
function About({ entry, about }: { entry: AlertLogEntry; about: string }) {
  if (entry.kind === "silenced" || entry.kind === "unsilenced" || entry.kind === "silence_created" || entry.kind === "silence_ended") return <a href={to.silence(about)}>{t("alert.log.the_silence")}</a>;
  if (entry.kind === "inhibited" || entry.kind === "uninhibited") return <a href={to.alert(about)}>{t("held.inhibited.by")}</a>;
  return <span>→ {departments.value.some(({ id }) => id === about) ? departmentName(about) : about}</span>;
}

function valueOf(entry: AlertLogEntry, alert: AlertDetail): string {
  return `${plainValue(entry.value, decimalsOf({ ...alert, value: entry.value }))} ${alert.unit ?? ""}`;
}
