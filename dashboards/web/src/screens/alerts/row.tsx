/** One alert as a row of the table. */
import { useComputed } from "@preact/signals";
import type { AlertItem } from "../../api/types";
import { plainValue } from "../../format/number";
import { clockTime, date, dayMonth, minuteTime, span } from "../../format/time";
import { local, t } from "../../i18n";
import { to } from "../../router";
import { acknowledge, acknowledging } from "../../state/acknowledge";
import { decimalsOf, departmentName, kindName } from "../../state/city";
import { now } from "../../state/clock";
import { whyNoAlertChange } from "../../state/rights";
import { Age } from "../../ui/age";
import { GuardedButton } from "../../ui/guarded-button";
import { HandlingLine, HeldBadges } from "../../ui/handling";
import { CheckIcon } from "../../ui/icons";
import { SeverityWord } from "../../ui/marks";
import { rowId } from "../../ui/rows";

/** Pixels; the table relies on it. */
export const ROW_HEIGHT = 46;

interface Props {
  alert: AlertItem;
  /** From 1, with the heading as the first. */
  index: number;
  top: number;
  current: boolean;
  picked: boolean;
  /** It is not what the filter asks for any more. */
  out: boolean;
  onPoint(id: string): void;
  onPick(id: string, range: boolean): void;
}

export function TableRow({ alert, index, top, current, picked, out, onPoint, onPick }: Props) {
  const classes = ["at-row", `bar-${alert.severity}`];
  if (alert.state === "resolved") classes.push("resolved");
  else if (alert.acknowledged === null) classes.push("unacknowledged");
  if (picked) classes.push("picked");
  if (out) classes.push("out");
  const summary = local(alert.summary);
  return (
    <div id={rowId(alert.id)} role="row" aria-rowindex={index} class={classes.join(" ")} style={{ top: `${top}px` }} data-alert={alert.id} {...(current && { "aria-current": "true" as const })} onClick={() => onPoint(alert.id)}>
      <span role="cell" class="at-pick">
        <input
          type="checkbox"
          checked={picked}
          aria-label={t("table.pick", { summary })}
          onClick={(event) => {
            event.stopPropagation();
            onPick(alert.id, event.shiftKey);
          }}
        />
      </span>
      <span role="cell" class="at-severity"><SeverityWord severity={alert.severity} /></span>
      <span role="cell" class="at-fired">
        <Fired at={alert.fired_at} />
        <span class="under muted">{alert.resolved_at === null ? <Age at={alert.fired_at} /> : t("table.lasted", { span: span((Date.parse(alert.resolved_at) - Date.parse(alert.fired_at)) / 1000) })}</span>
      </span>
      <span role="cell" class="at-what">
        <a href={to.alert(alert.id)} title={summary}>{summary}</a>
        <span class="under muted" title={placeText(alert)}>{placeText(alert)}</span>
      </span>
      <span role="cell" class="at-value">
        <span>{valueText(alert)}</span>
        {alert.limit !== null && <span class="under muted">{t("table.limit", { limit: plainValue(alert.limit, decimalsOf(alert)) })}</span>}
      </span>
      <span role="cell" class="at-department" title={departmentName(alert.rule.department)}>{departmentName(alert.handling.holder ?? alert.rule.department)}</span>
      <span role="cell" class="at-handling"><HandlingLine alert={alert} /></span>
      <span role="cell" class="at-state">
        <AckState alert={alert} />
        <span class="under"><HeldBadges alert={alert} /></span>
      </span>
    </div>
  );
}

/** With the day where it was not today: two lines of a narrow column. */
function Fired({ at }: { at: string }) {
  const today = useComputed(() => date(now.value)).value === date(at);
  return <time dateTime={at}>{today ? clockTime(at) : `${dayMonth(at)} ${minuteTime(at)}`}</time>;
}

function AckState({ alert }: { alert: AlertItem }) {
  if (alert.acknowledged !== null) {
    return (
      <span class="at-acked" title={alert.acknowledged.note ?? undefined}>
        <CheckIcon /> <span>{alert.acknowledged.by}</span>
      </span>
    );
  }
  if (alert.state === "resolved") return <span class="muted">{t("alert.state.resolved")}</span>;
  return (
    <GuardedButton class="button at-ack" reason={whyNoAlertChange(alert)} disabled={acknowledging.value.has(alert.id)} title={t("alerts.ack")} onPress={() => void acknowledge(alert)}>
      {t("alerts.ack.short")}
      <span class="spoken">{`: ${local(alert.summary)}`}</span>
    </GuardedButton>
  );
}

function valueText(alert: AlertItem): string {
  return alert.value === null ? "" : `${plainValue(alert.value, decimalsOf(alert))} ${alert.unit ?? ""}`.trim();
}

/** Where and on what, as far as the summary does not say it. */
function placeText(alert: AlertItem): string {
  const device = alert.device_name !== null ? local(alert.device_name) : alert.subject.type === "zone" ? "" : alert.subject.device;
  return [alert.zone_names.map(local).join(", "), device, kindName(alert.kind)].filter((part) => part !== "").join(" · ");
}
