/** How long there is until a deadline, or how long it is past; in words, so not by colour alone. */
import { dateTime, span, zoneOffset } from "../format/time";
import { t } from "../i18n";
import { now } from "../state/clock";
import { WarnIcon } from "./icons";

/** When a deadline begins to press, in seconds. */
const SOON_S = 300;

export function Countdown({ until, late = true }: { until: string; /** Whether being past is a failure. */ late?: boolean }) {
  const left = (Date.parse(until) - now.value) / 1000;
  const past = left <= 0;
  const text = past ? (late ? t("until.overdue", { span: span(-left) }) : t("until.over")) : t("until.left", { span: span(left) });
  return (
    <time class={`countdown${past && late ? " overdue" : left < SOON_S && late ? " soon" : ""}`} dateTime={until} title={`${dateTime(until)} ${zoneOffset(until)}`}>
      {past && late && <WarnIcon />}
      {text}
    </time>
  );
}
