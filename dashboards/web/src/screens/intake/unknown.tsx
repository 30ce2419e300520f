/** Devices that call and are not registered: accepted or ignored. */
import { useState } from "preact/hooks";
import { intakeApi, type Unknown } from "../../api/intake";
import { problemText } from "../../api/problem-text";
import { number } from "../../format/number";
import { counted, t } from "../../i18n";
import { go, query, setQuery, to } from "../../router";
import { notice } from "../../state/acknowledge";
import { departmentName, kindName } from "../../state/city";
import { whyNot } from "../../state/rights";
import { useResource } from "../../state/resource";
import { Age } from "../../ui/age";
import { DataTable } from "../../ui/data-table";
import { GuardedButton } from "../../ui/guarded-button";
import { Pager } from "../../ui/pager";
import { ResourceView } from "../../ui/resource-view";
import { rowId, useRowKeys } from "../../ui/rows";
import { SearchField } from "../../ui/search-field";

const REFRESH_MS = 10_000;
const PAGE_SIZE = 100;
const NOBODY = "unknown";

export function UnknownScreen() {
  const params = query.value;
  const ignored = params.get("ignored") === "true";
  const ask = { q: params.get("q"), source: params.get("source"), ignored, cursor: params.get("cursor"), limit: PAGE_SIZE };
  const resource = useResource(`unknown|${JSON.stringify(ask)}`, (signal) => intakeApi.unknown(ask, signal), { everyMs: REFRESH_MS });
  const items = resource.data?.items ?? [];
  const { selected } = useRowKeys(items.map(({ id }) => id), (id) => go(to.unknownDevice(id)));
  const refilter = (change: Record<string, string | null>) => setQuery({ ...change, cursor: null, page: null });
  return (
    <>
      <header class="list-head">
        <h1>{t("unknown.title")}</h1>
        <div class="segments" role="group" aria-label={t("user.state")}>
          <button type="button" aria-pressed={!ignored} onClick={() => refilter({ ignored: null })}>{t("unknown.waiting")}</button>
          <button type="button" aria-pressed={ignored} onClick={() => refilter({ ignored: "true" })}>{t("unknown.ignored")}</button>
        </div>
        <SearchField label={t("unknown.search")} value={ask.q ?? ""} onSearch={(q) => refilter({ q })} />
        {ask.source !== null && <button type="button" class="chip" aria-pressed="true" onClick={() => refilter({ source: null })}>{t("letters.source")}: {ask.source} ✕</button>}
        {resource.data && <span class="list-total">{counted("devices.total", resource.data.total)}</span>}
      </header>
      <div class="panel table-frame" tabIndex={0} role="region" aria-label={t("unknown.title")}>
        <ResourceView resource={resource}>
          {() => (items.length === 0 ? <p class="state">{t(ignored ? "unknown.none.ignored" : ask.q === null ? "unknown.none" : "devices.none")}</p> : <UnknownTable devices={items} selected={selected} reload={resource.reload} />)}
        </ResourceView>
      </div>
      <Pager next={resource.data?.next_cursor ?? null} />
    </>
  );
}

/** Nobody said it: the quarantine's own word is no department and no kind. */
export const said = (id: string, name: (id: string) => string) => (id === NOBODY || id === "" ? null : name(id));

function UnknownTable({ devices, selected, reload }: { devices: readonly Unknown[]; selected: string | null; reload(): void }) {
  return (
    <DataTable>
      <thead>
        <tr>
          <th scope="col">{t("device.id")}</th>
          <th scope="col">{t("letters.source")}</th>
          <th scope="col">{t("device.kind")}</th>
          <th scope="col">{t("alert.department")}</th>
          <th scope="col" class="right">{t("unknown.readings")}</th>
          <th scope="col">{t("letters.first")}</th>
          <th scope="col">{t("letters.last")}</th>
          <th scope="col"><span class="spoken">{t("unknown.decide")}</span></th>
        </tr>
      </thead>
      <tbody>
        {devices.map((device) => (
          <tr key={device.id} id={rowId(device.id)} data-unknown={device.id} {...(device.id === selected && { "aria-current": "true" as const })}>
            <th scope="row"><a href={to.unknownDevice(device.id)}><code>{device.id}</code></a></th>
            <td><code>{device.source}</code></td>
            <td>{said(device.kind, kindName) ?? <span class="muted">{t("unknown.not_said")}</span>}</td>
            <td>{said(device.department, departmentName) ?? <span class="muted">{t("unknown.not_said")}</span>}</td>
            <td class="right">{number(device.count)}</td>
            <td><Age at={device.first_seen_at} past /></td>
            <td><Age at={device.last_seen_at} past /></td>
            <td class="right">
              <a class="button" href={to.unknownDevice(device.id)}>{t("unknown.accept.open")}</a> <IgnoreButton device={device} onDone={reload} />
            </td>
          </tr>
        ))}
      </tbody>
    </DataTable>
  );
}

export function IgnoreButton({ device, onDone }: { device: Unknown; onDone(): void }) {
  const [busy, setBusy] = useState(false);
  const flip = async () => {
    setBusy(true);
    try {
      await intakeApi.ignore(device.id, !device.ignored);
      onDone();
    } catch (error) {
      const { what, hint } = problemText(error);
      notice.value = `${what} ${hint}`.trim();
    }
    setBusy(false);
  };
  return <GuardedButton reason={whyNot("engineer", device.department === NOBODY ? null : device.department)} disabled={busy} onPress={() => void flip()}>{t(device.ignored ? "unknown.unignore" : "unknown.ignore")}</GuardedButton>;
}
