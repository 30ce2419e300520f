/** Which alerts the table shows: every choice stands in the address. */
import { SEVERITIES } from "../../api/codes";
import { alertWork } from "../../api/alerts";
import { local, t } from "../../i18n";
import { setQuery } from "../../router";
import { departments, kinds } from "../../state/city";
import { knownPeople } from "../../state/known-people";
import { useResource } from "../../state/resource";
import { whoIs } from "../../state/session";
import { Choice } from "../../ui/choice";
import { CloseIcon } from "../../ui/icons";
import { SeverityMark } from "../../ui/marks";
import { MomentField } from "../../ui/moment-field";
import { SearchField } from "../../ui/search-field";
import { ZoneChoice } from "../overview/alert-filters";
import { toggleSeverity } from "../overview/alert-filter";
import { HELD, ME, SORTS, SPANS_H, clearTableFilter, isNarrowed, type Sort, type TableFilter } from "./filter";

export function TableFilters({ filter }: { filter: TableFilter }) {
  return (
    <div class="at-filters" role="group" aria-label={t("alerts.filter")}>
      <div class="segments" role="group" aria-label={t("alerts.state")}>
        {(["firing", "resolved", "all"] as const).map((state) => (
          <button key={state} type="button" aria-pressed={filter.state === state} onClick={() => setQuery({ state: state === "firing" ? null : state })}>
            {t(`alerts.${state}`)}
          </button>
        ))}
      </div>
      {SEVERITIES.map((severity) => (
        <button key={severity} type="button" class="chip" aria-pressed={filter.severities.has(severity)} onClick={() => toggleSeverity(severity)}>
          <SeverityMark severity={severity} />
          {t(`severity.${severity}`)}
        </button>
      ))}
      <button type="button" class="chip" aria-pressed={filter.who === ME} onClick={() => setQuery({ who: filter.who === ME ? null : ME })}>
        {t("table.mine")}
      </button>
      <SearchField label={t("table.search")} value={filter.q ?? ""} onSearch={(q) => setQuery({ q })} />
      <Choice
        label={t("alerts.acknowledged")}
        value={filter.acknowledged === null ? "" : String(filter.acknowledged)}
        options={[["", t("alerts.either")], ["false", t("alerts.unacknowledged")], ["true", t("alerts.acknowledged")]]}
        onChange={(acknowledged) => setQuery({ acknowledged })}
      />
      <Choice label={t("alert.department")} value={filter.department ?? ""} options={[["", t("filter.department.any")], ...departments.value.map(({ id, name }) => [id, local(name) || id] as const)]} onChange={(department) => setQuery({ department })} />
      <ZoneChoice value={filter.zone} any={t("alerts.zone.any")} onChange={(zone) => setQuery({ zone })} />
      <Choice label={t("device.kind")} value={filter.kind ?? ""} options={[["", t("devices.kind.any")], ...kinds.value.map(({ id, name }) => [id, local(name) || id] as const)]} onChange={(kind) => setQuery({ kind })} />
      <RuleChoice value={filter.rule} />
      <WhoChoice value={filter.who} />
      <Choice label={t("table.held")} value={filter.held ?? ""} options={[["", t("table.held.any")], ...HELD.map((held) => [held, t(`table.held.${held}`)] as const)]} onChange={(held) => setQuery({ held })} />
      <div class="segments" role="group" aria-label={t("table.fired_within")}>
        {SPANS_H.map((hours) => (
          <button key={hours} type="button" aria-pressed={filter.last === hours} onClick={() => setQuery({ last: filter.last === hours ? null : String(hours), from: null, to: null })}>
            {t(`table.last.${hours}`)}
          </button>
        ))}
      </div>
      <MomentField label={t("audit.from")} value={filter.from} onChange={(from) => setQuery({ from, last: null })} />
      <MomentField label={t("audit.to")} value={filter.to} onChange={(to) => setQuery({ to, last: null })} />
      {filter.device !== null && (
        <button type="button" class="chip" aria-pressed={true} onClick={() => setQuery({ device: null })}>
          {t("table.device", { device: filter.device })} <CloseIcon />
        </button>
      )}
      {isNarrowed(filter) && (
        <button type="button" class="plain" onClick={clearTableFilter}>
          {t("alerts.filter.clear")}
        </button>
      )}
    </div>
  );
}

export function SortChoice({ sort: chosen }: { sort: Sort }) {
  return <Choice label={t("table.sort")} value={chosen} options={SORTS.map((sort) => [sort, t(`table.sort.${sort}`)] as const)} onChange={(sort) => setQuery({ sort: sort === "urgency" ? null : sort })} />;
}

/** A rule that is not in force any more, asked for by the address, is one too. */
function RuleChoice({ value }: { value: string | null }) {
  const rules = useResource("rules", (signal) => alertWork.rules(signal)).data ?? [];
  const known = rules.map((rule) => [rule.id, local(rule.name) || rule.id] as const);
  known.sort((a, b) => a[1].localeCompare(b[1]));
  const gone = value === null || known.some(([id]) => id === value) ? [] : [[value, value] as const];
  return <Choice label={t("alert.rule")} value={value ?? ""} options={[["", t("table.rule.any")], ...gone, ...known]} onChange={(rule) => setQuery({ rule })} />;
}

function WhoChoice({ value }: { value: string | null }) {
  const me = whoIs.value?.user;
  const people = knownPeople(value === null || value === ME ? [] : [value]).filter((name) => name !== me);
  return <Choice label={t("table.who")} value={value ?? ""} options={[["", t("table.who.any")], [ME, t("table.who.me")], ...people.map((name) => [name, name] as const)]} onChange={(who) => setQuery({ who })} />;
}
