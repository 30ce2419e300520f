/** The head of the alert list: how many, and which of them are shown. */
import { SEVERITIES } from "../../api/codes";
import { counted, local, t } from "../../i18n";
import { setQuery } from "../../router";
import { alertCounts, type AlertFilter } from "../../state/alert-book";
import { zones } from "../../state/city";
import { Choice } from "../../ui/choice";
import { CloseIcon } from "../../ui/icons";
import { SeverityMark } from "../../ui/marks";
import { number } from "../../format/number";
import { clearFilter, isFiltered, toggleSeverity } from "./alert-filter";

interface Props {
  filter: AlertFilter;
  shown: number;
  /** New alerts that wait until nobody's pointer or selection is in the list. */
  waiting: number;
  onRelease(): void;
}

export function AlertFilters({ filter, shown, waiting, onRelease }: Props) {
  const counts = alertCounts.value;
  const filtered = isFiltered(filter);
  return (
    <header class="alert-head">
      <div class="alert-head-line">
        <h2 id="alerts-title">{t("alerts.title")}</h2>
        <span class="panel-note">{filter.state === "firing" && filtered ? t("alerts.count", { shown: number(shown), total: number(counts.firing) }) : number(shown)}</span>
        <div class="segments" role="group" aria-label={t("alerts.state")}>
          {(["firing", "resolved", "all"] as const).map((state) => (
            <button key={state} type="button" aria-pressed={filter.state === state} onClick={() => setQuery({ state: state === "firing" ? null : state })}>
              {t(`alerts.${state}`)}
            </button>
          ))}
        </div>
      </div>
      <div class="alert-head-line" role="group" aria-label={t("alerts.filter")}>
        {SEVERITIES.map((severity) => (
          <button key={severity} type="button" class="chip" aria-pressed={filter.severities.has(severity)} title={t(`severity.${severity}`)} onClick={() => toggleSeverity(severity)}>
            <SeverityMark severity={severity} />
            {t(`severity.${severity}`)}
          </button>
        ))}
        {waiting > 0 && (
          <button type="button" class="new-rows" title={t("alerts.new.show")} onClick={onRelease}>
            {counted("alerts.new", waiting)}
          </button>
        )}
      </div>
      <div class="alert-head-line">
        <Choice
          label={t("alerts.filter")}
          value={filter.acknowledged === null ? "" : String(filter.acknowledged)}
          options={[["", t("alerts.either")], ["false", t("alerts.unacknowledged")], ["true", t("alerts.acknowledged")]]}
          onChange={(acknowledged) => setQuery({ acknowledged })}
        />
        <ZoneChoice id="alert-zone" value={filter.zone} any={t("alerts.zone.any")} onChange={(zone) => setQuery({ zone })} />
        {filtered && (
          <button type="button" class="plain icon-only" title={t("alerts.filter.clear")} aria-label={t("alerts.filter.clear")} onClick={clearFilter}>
            <CloseIcon />
          </button>
        )}
      </div>
    </header>
  );
}

interface ZoneChoiceProps {
  value: string | null;
  any: string;
  onChange(zone: string | null): void;
  id?: string;
}

export function ZoneChoice({ value, any, onChange, id }: ZoneChoiceProps) {
  const options = (zones.value?.features ?? []).map((zone) => [zone.properties.id, local(zone.properties.name)] as const);
  options.sort((a, b) => a[1].localeCompare(b[1]));
  return <Choice {...(id !== undefined && { id })} label={any} value={value ?? ""} options={[["", any], ...options]} onChange={(zone) => onChange(zone || null)} />;
}
