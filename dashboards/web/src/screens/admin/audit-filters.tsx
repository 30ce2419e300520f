/** Which entries of the audit log are shown; all of it is in the address. */
import { useEffect, useState } from "preact/hooks";
import { zoneOffset } from "../../format/time";
import { t } from "../../i18n";
import { query, setQuery } from "../../router";
import { now, serverNow } from "../../state/clock";
import { departmentsWith } from "../../state/session";
import { Choice } from "../../ui/choice";
import { departmentChoices } from "../../ui/grants";
import { actionName, actions } from "./actions";
import { MomentField } from "../../ui/moment-field";
import { SearchField } from "../../ui/search-field";

const NAMES = ["from", "to", "user", "action", "department", "q"] as const;
const HOUR_MS = 3_600_000;
/** Hours back from now that one click asks for. */
const SPANS = [1, 24, 168] as const;

/** What is asked of the server. */
export function askOf(params: URLSearchParams): Record<(typeof NAMES)[number], string | null> {
  return Object.fromEntries(NAMES.map((name) => [name, params.get(name)])) as Record<(typeof NAMES)[number], string | null>;
}

/** Another filter is another list: it begins at its first page. */
const refilter = (change: Record<string, string | null>) => setQuery({ ...change, cursor: null, page: null, entry: null });

export function AuditFilters() {
  const params = query.value;
  const ask = askOf(params);
  const filtered = NAMES.some((name) => ask[name] !== null);
  return (
    <div class="filters" role="group" aria-label={t("audit.filter")}>
      <MomentField label={t("audit.from")} value={ask.from} onChange={(from) => refilter({ from })} />
      <MomentField label={t("audit.to")} value={ask.to} onChange={(to) => refilter({ to })} />
      <span class="muted">{zoneOffset(now.value)}</span>
      <div class="segments" role="group" aria-label={t("chart.range")}>
        {SPANS.map((hours) => (
          <button key={hours} type="button" aria-pressed={false} onClick={() => refilter({ from: new Date(serverNow() - hours * HOUR_MS).toISOString(), to: null })}>
            {t(`audit.last.${hours}`)}
          </button>
        ))}
      </div>
      <WordField label={t("audit.user")} value={ask.user} onChange={(user) => refilter({ user })} />
      <Choice label={t("audit.action")} value={ask.action ?? ""} options={actionChoices(ask.action)} onChange={(action) => refilter({ action })} />
      <Choice label={t("alert.department")} value={ask.department ?? ""} options={[["", t("filter.department.any")], ...departmentChoices(departmentsWith("admin"))]} onChange={(department) => refilter({ department })} />
      <SearchField label={t("audit.search")} value={ask.q ?? ""} onSearch={(q) => refilter({ q })} />
      {filtered && (
        <button type="button" class="plain" onClick={() => refilter(Object.fromEntries(NAMES.map((name) => [name, null])))}>
          {t("alerts.filter.clear")}
        </button>
      )}
    </div>
  );
}

/** An action that this page does not know, asked for by the address, is one too. */
function actionChoices(asked: string | null): readonly (readonly [string, string])[] {
  const named = actions();
  const known = asked === null || named.includes(asked) ? named : [asked, ...named];
  return [["", t("audit.action.any")], ...known.map((action) => [action, actionName(action) ?? action] as const)];
}

interface FieldProps {
  label: string;
  value: string | null;
  onChange(value: string | null): void;
}

function WordField({ label, value, onChange }: FieldProps) {
  const [text, setText] = useState(value ?? "");
  useEffect(() => setText(value ?? ""), [value]);
  const report = () => text.trim() !== (value ?? "") && onChange(text.trim() || null);
  return (
    <label class="filter">
      <span>{label}</span>
      <input class="input" value={text} autocomplete="off" spellcheck={false} onInput={(event) => setText(event.currentTarget.value)} onBlur={report} onKeyDown={(event) => event.key === "Enter" && report()} />
    </label>
  );
}
