/** What was done, by whom, when and from where; what it was before and after; and that nobody altered the record. */
import { admin } from "../../api/admin";
import type { AuditEntry, AuditVia } from "../../api/types";
import { number } from "../../format/number";
import { clockTime, date, dateTime, zoneOffset } from "../../format/time";
import { t } from "../../i18n";
import { query, setQuery } from "../../router";
import { departmentName } from "../../state/city";
import { useResource } from "../../state/resource";
import { DataTable } from "../../ui/data-table";
import { CheckIcon, WarnIcon } from "../../ui/icons";
import { Pager } from "../../ui/pager";
import { ResourceView } from "../../ui/resource-view";
import { rowId, useRowKeys } from "../../ui/rows";
import { actionName } from "./actions";
import { AuditFilters, askOf } from "./audit-filters";
import { DifferenceView } from "./difference-view";

const PAGE_SIZE = 100;

export function AuditScreen() {
  const params = query.value;
  const filters = askOf(params);
  const cursor = params.get("cursor");
  const open = params.get("entry");
  const ask = { ...filters, cursor, limit: PAGE_SIZE };
  const resource = useResource(`audit|${JSON.stringify(ask)}`, (signal) => admin.auditLog(ask, signal));
  const toggle = (entry: string) => setQuery({ entry: entry === open ? null : entry });
  const { selected } = useRowKeys((resource.data?.items ?? []).map((entry) => String(entry.number)), toggle);
  return (
    <>
      <header class="list-head">
        <h1>{t("admin.audit")}</h1>
        <ChainState />
        <span class="list-total" />
        <a class="button" href={admin.auditCsv(filters)} download="audit-log.csv">{t("audit.export")}</a>
      </header>
      <AuditFilters />
      <div class="panel table-frame" tabIndex={0} role="region" aria-label={t("admin.audit")}>
        <ResourceView resource={resource}>
          {(held) => (held.items.length === 0 ? <p class="state">{t(held.next_cursor === null ? "audit.none" : "audit.none_yet")}</p> : <AuditTable entries={held.items} open={open} selected={selected} toggle={toggle} />)}
        </ResourceView>
      </div>
      <Pager next={resource.data?.next_cursor ?? null} />
    </>
  );
}

/** The hash chain, checked by the server from the first entry to the last. */
function ChainState() {
  const resource = useResource("audit-chain", (signal) => admin.auditVerification(signal));
  const { data, error } = resource;
  if (data === null) return error === null ? <span class="muted" role="status">{t("audit.checking")}</span> : <span class="chain chain-unknown" role="status"><WarnIcon /> {t("audit.unchecked")}</span>;
  if (!data.intact) {
    return (
      <strong class="chain chain-broken" role="alert">
        <WarnIcon /> {data.broken_at === null ? t("audit.broken") : t("audit.broken_at", { n: number(data.broken_at) })}
        {data.detail !== null && <span>{data.detail}</span>}
      </strong>
    );
  }
  return (
    <span class="chain" title={t("audit.intact.why")} role="status">
      <CheckIcon /> {t("audit.intact", { n: number(data.entries) })}
      <button type="button" class="plain" onClick={resource.reload}>{t("audit.check")}</button>
    </span>
  );
}

interface TableProps {
  entries: readonly AuditEntry[];
  open: string | null;
  selected: string | null;
  toggle(entry: string): void;
}

function AuditTable({ entries, open, selected, toggle }: TableProps) {
  return (
    <DataTable class="audit">
      <thead>
        <tr>
          <th scope="col" class="right">{t("audit.number")}</th>
          <th scope="col">{t("audit.at")}</th>
          <th scope="col">{t("audit.who")}</th>
          <th scope="col">{t("audit.action")}</th>
          <th scope="col">{t("audit.target")}</th>
          <th scope="col">{t("alert.department")}</th>
          <th scope="col">{t("audit.outcome")}</th>
          <th scope="col">{t("audit.change")}</th>
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => {
          const id = String(entry.number);
          return <EntryRows key={id} entry={entry} open={open === id} selected={selected === id} onToggle={() => toggle(id)} />;
        })}
      </tbody>
    </DataTable>
  );
}

function EntryRows({ entry, open, selected, onToggle }: { entry: AuditEntry; open: boolean; selected: boolean; onToggle(): void }) {
  const id = String(entry.number);
  const refused = entry.outcome !== "done";
  return (
    <>
      <tr id={rowId(id)} data-entry={id} data-action={entry.action} {...(selected && { "aria-current": "true" as const })}>
        <td class="right">{number(entry.number)}</td>
        <td>
          <time dateTime={entry.at} title={`${dateTime(entry.at)} ${zoneOffset(entry.at)}`}>
            {date(entry.at)} <strong>{clockTime(entry.at)}</strong>
          </time>
        </td>
        <td>
          {entry.user ?? <span class="muted">{t(entry.via === "system" ? "audit.itself" : "audit.nobody")}</span>}
          <span class="under">
            {t(`audit.via.${viaOf(entry)}`)}
            {entry.address !== null && <> · <code>{entry.address}</code></>}
          </span>
        </td>
        <td>
          {actionName(entry.action)}
          <code class={actionName(entry.action) === null ? "" : "under"}>{entry.action}</code>
        </td>
        <td class="target">{entry.target}</td>
        <td>{entry.department !== null && departmentName(entry.department)}</td>
        <td>{refused ? <strong class="fails">{entry.outcome === "unknown" ? t("audit.unknown") : <code>{entry.outcome}</code>}</strong> : <span class="muted">{t("audit.done")}</span>}
          {(entry.times > 1 || refused) && <span class="under">{[refused && entry.status !== null ? String(entry.status) : "", entry.times > 1 ? t("audit.times", { n: number(entry.times) }) : ""].filter((part) => part !== "").join(" · ")}</span>}
        </td>
        <td>
          <button type="button" class="button" aria-expanded={open} onClick={onToggle}>
            {t(open ? "audit.close" : "audit.open")}
            <span class="spoken">{`: ${entry.number}`}</span>
          </button>
        </td>
      </tr>
      {open && (
        <tr class="audit-detail">
          <td colSpan={8}>
            <DifferenceView before={entry.before} after={entry.after} />
            <p class="muted">
              {t("audit.hash")} <code>{entry.hash}</code>
            </p>
          </td>
        </tr>
      )}
    </>
  );
}

const VIAS: readonly AuditVia[] = ["session", "token", "cli", "system", "anonymous"];

/** A way that this page does not know yet is shown as unproven, not as nothing. */
function viaOf({ via }: AuditEntry): AuditVia {
  return VIAS.find((each) => each === via) ?? "anonymous";
}
