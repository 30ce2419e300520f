/** One alert in the live list: what, where, since when, and its acknowledgement in place. */
import type { AlertItem } from "../../api/types";
import { plainValue } from "../../format/number";
import { shortTime } from "../../format/time";
import { local, t } from "../../i18n";
import { to } from "../../router";
import { acknowledge, acknowledging } from "../../state/acknowledge";
import { decimalsOf, departmentName } from "../../state/city";
import { now } from "../../state/clock";
import { whyNoAlertChange } from "../../state/rights";
import { Age } from "../../ui/age";
import { GuardedButton } from "../../ui/guarded-button";
import { CheckIcon } from "../../ui/icons";
import { SeverityMark } from "../../ui/marks";
import { rowId } from "../../ui/rows";

/** Pixels; the list relies on them. In a narrow list the summary, whose figures stand at its end, takes two lines. */
const ROW_HEIGHT = { wide: 54, narrow: 72 } as const;
const NARROW = 520;

export const isNarrow = (width: number): boolean => width > 0 && width < NARROW;
export const rowHeight = (width: number): number => (isNarrow(width) ? ROW_HEIGHT.narrow : ROW_HEIGHT.wide);

interface Props {
  alert: AlertItem;
  top: number;
  selected: boolean;
  onSelect(): void;
}

export function AlertRow({ alert, top, selected, onSelect }: Props) {
  const resolved = alert.state === "resolved";
  const classes = ["alert-row", `bar-${alert.severity}`];
  if (resolved) classes.push("resolved");
  else if (alert.acknowledged === null) classes.push("unacknowledged");
  return (
    <li id={rowId(alert.id)} class={classes.join(" ")} style={{ top: `${top}px` }} data-alert={alert.id} {...(selected && { "aria-current": "true" as const })} onClick={onSelect}>
      <SeverityMark severity={alert.severity} />
      <div class="alert-text">
        <a class="alert-what" href={to.alert(alert.id)} title={local(alert.summary)}>
          {local(alert.summary)}
        </a>
        <span class="alert-where" title={whereOf(alert)}>
          <span class="alert-severity">{t(`severity.${alert.severity}`)}</span>
          {["", ...detailsOf(alert)].join(" · ")}
        </span>
      </div>
      <div class="alert-when">
        <span>{shortTime(alert.fired_at, now.value)}</span>
        <span class="muted">
          <Age at={alert.fired_at} />
        </span>
      </div>
      <AckCell alert={alert} />
    </li>
  );
}

function AckCell({ alert }: { alert: AlertItem }) {
  if (alert.state === "resolved") return <span class="alert-ack muted">{t("alert.state.resolved")}</span>;
  if (alert.acknowledged) {
    const { by, at } = alert.acknowledged;
    return (
      <span class="alert-ack muted" title={`${by} ${shortTime(at, now.value)}`}>
        <CheckIcon />
        <span class="alert-by">{by}</span>
      </span>
    );
  }
  return (
    <GuardedButton class="button alert-ack" reason={whyNoAlertChange(alert)} disabled={acknowledging.value.has(alert.id)} title={t("alerts.ack")} onPress={() => void acknowledge(alert)}>
      {t("alerts.ack.short")}
      <span class="spoken">{`: ${local(alert.summary)}`}</span>
    </GuardedButton>
  );
}

/** What the summary does not say already. */
function detailsOf(alert: AlertItem): string[] {
  const said = local(alert.summary);
  const [zones, device] = placesOf(alert);
  return [zones, said.includes(device) ? "" : device, said.includes(valueOf(alert)) ? "" : againstLimit(alert), departmentName(alert.rule.department)].filter((part) => part !== "");
}

export function whereOf(alert: AlertItem): string {
  return placesOf(alert)
    .filter((part) => part !== "")
    .join(" · ");
}

function placesOf(alert: AlertItem): [zones: string, device: string] {
  const device = alert.device_name ? local(alert.device_name) : alert.subject.type === "zone" ? "" : alert.subject.device;
  return [alert.zone_names.map(local).join(", "), device];
}

function valueOf(alert: AlertItem): string {
  return alert.value === null ? "" : plainValue(alert.value, decimalsOf(alert));
}

function againstLimit(alert: AlertItem): string {
  if (alert.value === null) return "";
  const value = `${valueOf(alert)} ${alert.unit ?? ""}`.trim();
  return alert.limit === null ? value : `${value} / ${plainValue(alert.limit, decimalsOf(alert))}`;
}
