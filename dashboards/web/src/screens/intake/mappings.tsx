/** What names mean: the mappings in force, and names that came and are in no catalogue. */
import { useState } from "preact/hooks";
import { intakeApi, type Mapping, type MetricUse } from "../../api/intake";
import { number } from "../../format/number";
import { counted, t } from "../../i18n";
import { query, setQuery } from "../../router";
import { metricName } from "../../state/city";
import { whyNot } from "../../state/rights";
import { useResource } from "../../state/resource";
import { Age } from "../../ui/age";
import { DataTable } from "../../ui/data-table";
import { Confirm, Dialog } from "../../ui/dialog";
import { GuardedButton } from "../../ui/guarded-button";
import { Panel } from "../../ui/panel";
import { ResourceView } from "../../ui/resource-view";
import { SearchField } from "../../ui/search-field";
import { MappingForm } from "./mapping-form";

const REFRESH_MS = 20_000;

export function MappingsScreen() {
  const mappings = useResource("mappings", (signal) => intakeApi.mappings(signal), { everyMs: REFRESH_MS });
  const unmapped = useResource("unmapped", (signal) => intakeApi.unmapped(signal), { everyMs: REFRESH_MS });
  const [editing, setEditing] = useState<{ mapping: Mapping; known: boolean } | null>(null);
  const [dropping, setDropping] = useState<Mapping | null>(null);
  const text = (query.value.get("q") ?? "").toLowerCase();
  const fits = (...texts: string[]) => text === "" || texts.some((each) => each.toLowerCase().includes(text));
  const reason = whyNot("engineer", null);
  const reload = () => {
    mappings.reload();
    unmapped.reload();
  };
  const shown = (mappings.data?.value.items ?? []).filter(({ name, metric, source }) => fits(name, metric, source ?? ""));
  const waiting = (unmapped.data?.items ?? []).filter(({ id, seen }) => fits(id, ...seen.map(({ source }) => source)));
  return (
    <>
      <header class="list-head">
        <h1>{t("mappings.title")}</h1>
        <SearchField label={t("mappings.search")} value={query.value.get("q") ?? ""} onSearch={(q) => setQuery({ q })} />
        <span class="list-total muted">{t("mappings.why")}</span>
        <GuardedButton class="button primary" reason={reason} onPress={() => setEditing({ mapping: { name: "", metric: "" }, known: false })}>{t("mappings.add")}</GuardedButton>
      </header>
      <div class="mapping-panels">
        <Panel title={t("mappings.unmapped")} note={unmapped.data ? counted("mappings.waiting", waiting.length) : ""}>
          <ResourceView resource={unmapped} compact>
            {() => (waiting.length === 0 ? <p class="state">{t("mappings.unmapped.none")}</p> : <UnmappedTable uses={waiting} reason={reason} onMap={(mapping) => setEditing({ mapping, known: false })} />)}
          </ResourceView>
        </Panel>
        <Panel title={t("mappings.in_force")} note={mappings.data ? counted("mappings.total", shown.length) : ""}>
          <ResourceView resource={mappings} compact>
            {() => (shown.length === 0 ? <p class="state">{t("mappings.none")}</p> : (
              <DataTable>
                <thead>
                  <tr>
                    <th scope="col">{t("mapping.name")}</th>
                    <th scope="col">{t("letters.source")}</th>
                    <th scope="col">{t("mapping.metric")}</th>
                    <th scope="col">{t("mapping.unit")}</th>
                    <th scope="col">{t("mapping.scale")}</th>
                    <th scope="col"><span class="spoken">{t("mappings.change")}</span></th>
                  </tr>
                </thead>
                <tbody>
                  {shown.map((mapping) => (
                    <tr key={`${mapping.name}|${mapping.source ?? ""}`} data-mapping={mapping.name}>
                      <th scope="row"><code>{mapping.name}</code></th>
                      <td>{mapping.source === undefined ? <span class="muted">{t("mappings.every_source")}</span> : <code>{mapping.source}</code>}</td>
                      <td>{metricName(mapping.metric)}<code class="under">{mapping.metric}</code></td>
                      <td>{mapping.unit ?? <span class="muted">{t("mappings.as_said")}</span>}</td>
                      <td>{mapping.scale === undefined ? t("value.none") : `× ${mapping.scale}`}</td>
                      <td class="right">
                        <GuardedButton reason={reason} onPress={() => setEditing({ mapping, known: true })}>{t("mappings.change")}</GuardedButton>{" "}
                        <GuardedButton reason={reason} onPress={() => setDropping(mapping)}>{t("mappings.drop")}</GuardedButton>
                      </td>
                    </tr>
                  ))}
                </tbody>
              </DataTable>
            ))}
          </ResourceView>
        </Panel>
      </div>
      {editing !== null && (
        <Dialog title={t("mapping.title")} onClose={() => setEditing(null)}>
          <MappingForm initial={editing.mapping} fixedName={editing.known} onSaved={() => (setEditing(null), reload())} />
        </Dialog>
      )}
      {dropping !== null && (
        <Confirm
          title={t("mappings.drop.title", { name: dropping.name })}
          action={t("mappings.drop")}
          onClose={() => setDropping(null)}
          onConfirm={async () => {
            await intakeApi.deleteMapping(dropping, mappings.data?.tag ?? "");
            reload();
          }}
        >
          <p>{t("mappings.drop.why")}</p>
        </Confirm>
      )}
    </>
  );
}

function UnmappedTable({ uses, reason, onMap }: { uses: readonly MetricUse[]; reason: string | null; onMap(mapping: Mapping): void }) {
  return (
    <DataTable>
      <thead>
        <tr>
          <th scope="col">{t("mapping.name")}</th>
          <th scope="col">{t("letters.source")}</th>
          <th scope="col">{t("mapping.unit")}</th>
          <th scope="col" class="right">{t("mappings.readings")}</th>
          <th scope="col" class="right">{t("mappings.last_value")}</th>
          <th scope="col">{t("letters.last")}</th>
          <th scope="col"><span class="spoken">{t("mappings.map")}</span></th>
        </tr>
      </thead>
      <tbody>
        {uses.flatMap((use) =>
          use.seen.map((seen) => (
            <tr key={`${use.id}|${seen.source}`} data-unmapped={use.id}>
              <th scope="row"><code>{use.id}</code></th>
              <td><code>{seen.source}</code></td>
              <td>{seen.unit || t("value.none")}</td>
              <td class="right">{number(seen.count)}</td>
              <td class="right">{seen.last_value === null ? t("value.none") : number(seen.last_value, 2)}</td>
              <td><Age at={seen.last_seen_at} past /></td>
              <td class="right">
                <GuardedButton reason={reason} onPress={() => onMap({ name: use.id, metric: "", source: seen.source, ...(seen.unit !== "" && { unit: seen.unit }) })}>{t("mappings.map")}</GuardedButton>
              </td>
            </tr>
          )),
        )}
      </tbody>
    </DataTable>
  );
}
