/** The strip of key figures: each number with what it means, honest about its age. */
import { SEVERITIES } from "../../api/codes";
import { Sparkline } from "../../charts/sparkline";
import { figure, number } from "../../format/number";
import { t } from "../../i18n";
import { query, setQuery, to } from "../../router";
import { alertCounts, parseSeverities } from "../../state/alert-book";
import { rateTrace, system } from "../../state/city";
import { fleetCounts } from "../../state/fleet";
import { loaded } from "../../state/live";
import { Age } from "../../ui/age";
import { SeverityMark, StatusMark } from "../../ui/marks";
import { toggleSeverity } from "./alert-filter";
import type { DeviceStatus } from "../../api/types";

export function Figures() {
  return (
    <section class="figures" aria-label={t("figure.label")}>
      <DeviceFigure />
      <FiringFigure />
      <UnacknowledgedFigure />
      <RateFigure />
      <NewestFigure />
    </section>
  );
}

const QUIET: readonly DeviceStatus[] = ["late", "offline", "never_seen"];

function DeviceFigure() {
  const counts = fleetCounts.value;
  const online = counts?.byStatus.online ?? 0;
  return (
    <div class="figure figure-devices">
      <span class="figure-name">{t("figure.devices")}</span>
      <span class="figure-line">
        <strong class="figure-value">{counts ? number(online) : t("value.none")}</strong>
        {counts && <span class="muted">{t("figure.of", { n: number(counts.total) })}</span>}
        {counts && (
          <span class="figure-parts">
            {QUIET.filter((status) => status !== "never_seen" || counts.byStatus.never_seen > 0).map((status) => (
              <a key={status} class="worded" href={to.devices({ status })}>
                <StatusMark status={status} />
                {number(counts.byStatus[status])} <span>{t(`status.${status}`)}</span>
              </a>
            ))}
          </span>
        )}
      </span>
    </div>
  );
}

function FiringFigure() {
  const counts = alertCounts.value;
  const chosen = parseSeverities(query.value.get("severity"));
  return (
    <div class="figure figure-firing">
      <span class="figure-name">{t("figure.firing")}</span>
      <span class="figure-line">
        <strong class="figure-value">{loaded.value ? number(counts.firing) : t("value.none")}</strong>
        <span class="figure-parts">
          {SEVERITIES.map((severity) => (
            <button key={severity} type="button" class="plain worded" aria-pressed={chosen.has(severity)} onClick={() => toggleSeverity(severity)}>
              <SeverityMark severity={severity} />
              <b>{number(counts.by_severity[severity])}</b> <span>{t(`severity.${severity}`)}</span>
            </button>
          ))}
        </span>
      </span>
    </div>
  );
}

function UnacknowledgedFigure() {
  const { unacknowledged } = alertCounts.value;
  const on = query.value.get("acknowledged") === "false";
  return (
    <div class={unacknowledged > 0 ? "figure figure-unacknowledged some" : "figure figure-unacknowledged"}>
      <span class="figure-name">{t("figure.unacknowledged")}</span>
      <button type="button" class="plain figure-line" aria-pressed={on} onClick={() => setQuery({ acknowledged: on ? null : "false" })}>
        <strong class="figure-value">{loaded.value ? number(unacknowledged) : t("value.none")}</strong>
      </button>
    </div>
  );
}

function RateFigure() {
  return (
    <div class="figure figure-rate">
      <span class="figure-name">{t("figure.rate")}</span>
      <span class="figure-line">
        <strong class="figure-value">{system.value ? figure(system.value.readings_per_s) : t("value.none")}</strong>
        <Sparkline values={rateTrace.value} label={t("figure.rate.trace")} />
      </span>
    </div>
  );
}

function NewestFigure() {
  const at = system.value?.last_reading_at ?? null;
  return (
    <div class="figure figure-newest">
      <span class="figure-name">{t("figure.newest")}</span>
      <span class="figure-line">
        <strong class="figure-value">{at === null ? t("figure.none_yet") : <Age at={at} past />}</strong>
      </span>
    </div>
  );
}
