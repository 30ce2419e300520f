/** Who takes care of an alert, in one line; and what keeps others from being told of it. */
import type { AlertItem } from "../api/types";
import { dateTime } from "../format/time";
import { t } from "../i18n";
import { departmentName } from "../state/city";
import { whoIs } from "../state/session";
import { to } from "../router";
import { Countdown } from "./countdown";

export function handlingText({ handling }: Pick<AlertItem, "handling">): string {
  const who = handling.who === whoIs.value?.user ? t("handling.you", { who: handling.who ?? "" }) : (handling.who ?? "");
  switch (handling.stage) {
    case "assigned":
      return t("handling.assigned", { who });
    case "accepted":
      return t("handling.accepted", { who });
    case "handed_over":
      return t("handling.handed_over", { department: departmentName(handling.department ?? "") });
    case "unassigned":
      return t("handling.unassigned");
  }
}

export function HandlingLine({ alert }: { alert: AlertItem }) {
  const { handling } = alert;
  const quiet = handling.stage === "unassigned";
  // What ended without anybody needs nobody any more.
  if (quiet && alert.state === "resolved") return null;
  return (
    <span class={quiet ? "handling muted" : "handling"} title={handlingText(alert)}>
      <span class="handling-who">{handlingText(alert)}</span>
      {handling.until !== null && alert.state === "firing" && <Countdown until={handling.until} />}
    </span>
  );
}

/** Short words for a row: shelved, silenced, inhibited. */
export function HeldBadges({ alert, links = false }: { alert: AlertItem; links?: boolean }) {
  const silence = alert.silenced_by[0];
  return (
    <>
      {alert.shelved !== null && <span class="badge" title={t("held.shelved.why", { who: alert.shelved.by, time: dateTime(alert.shelved.until), reason: alert.shelved.reason })}>{t("held.shelved")}</span>}
      {silence !== undefined && (links ? <a class="badge" href={to.silence(silence)}>{t("held.silenced")}</a> : <span class="badge">{t("held.silenced")}</span>)}
      {alert.inhibited_by.length > 0 && <span class="badge" title={t("held.inhibited.why")}>{t("held.inhibited")}</span>}
    </>
  );
}
