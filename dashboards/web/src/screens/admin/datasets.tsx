/** What departments have made public, and what of it is on. */
import { useState } from "preact/hooks";
import { admin } from "../../api/admin";
import { problemText } from "../../api/problem-text";
import type { Dataset } from "../../api/types";
import { counted, local, t } from "../../i18n";
import { go, query, setQuery, to } from "../../router";
import { departmentName, kindName, metricName } from "../../state/city";
import { notice } from "../../state/acknowledge";
import { whyNot } from "../../state/rights";
import { useResource } from "../../state/resource";
import { Choice } from "../../ui/choice";
import { DataTable } from "../../ui/data-table";
import { departmentChoices } from "../../ui/grants";
import { GuardedButton } from "../../ui/guarded-button";
import { ResourceView } from "../../ui/resource-view";
import { rowId, useRowKeys } from "../../ui/rows";
import { draftOfDataset } from "./dataset";

/** The page that everybody can read without a login. */
export const publicPage = (id: string) => `/open/v1/datasets/${encodeURIComponent(id)}`;

export function DatasetsScreen() {
  const params = query.value;
  const department = params.get("department");
  const state = params.get("state");
  const resource = useResource("datasets", (signal) => admin.datasets(signal));
  const shown = (resource.data ?? []).filter((dataset) => (department === null || dataset.department === department) && (state === null || dataset.enabled === (state === "on")));
  const { selected } = useRowKeys(shown.map(({ id }) => id), (id) => go(to.dataset(id)));
  return (
    <>
      <header class="list-head">
        <h1>{t("admin.datasets")}</h1>
        <Choice label={t("alert.department")} value={department ?? ""} options={[["", t("filter.department.any")], ...departmentChoices(null)]} onChange={(next) => setQuery({ department: next })} />
        <Choice label={t("user.state")} value={state ?? ""} options={[["", t("filter.state.any")], ["on", t("dataset.on")], ["off", t("dataset.off")]]} onChange={(next) => setQuery({ state: next })} />
        {resource.data && <span class="list-total">{counted("datasets.total", shown.length)}</span>}
        <a class="button" href="/open/v1" target="_blank">{t("datasets.catalogue")} ↗</a>
        <a class="button primary" href={to.dataset(null)}>{t("datasets.add")}</a>
      </header>
      <div class="panel table-frame" tabIndex={0} role="region" aria-label={t("admin.datasets")}>
        <ResourceView resource={resource}>
          {() => (shown.length === 0 ? <p class="state">{t("datasets.none")}</p> : <DatasetTable datasets={shown} selected={selected} reload={resource.reload} />)}
        </ResourceView>
      </div>
    </>
  );
}

function DatasetTable({ datasets, selected, reload }: { datasets: readonly Dataset[]; selected: string | null; reload(): void }) {
  return (
    <DataTable>
      <thead>
        <tr>
          <th scope="col">{t("dataset.title")}</th>
          <th scope="col">{t("alert.department")}</th>
          <th scope="col">{t("dataset.what")}</th>
          <th scope="col">{t("dataset.licence")}</th>
          <th scope="col">{t("user.state")}</th>
          <th scope="col">{t("dataset.page")}</th>
        </tr>
      </thead>
      <tbody>
        {datasets.map((dataset) => (
          <tr key={dataset.id} id={rowId(dataset.id)} data-dataset={dataset.id} {...(dataset.id === selected && { "aria-current": "true" as const })}>
            <th scope="row">
              <a href={to.dataset(dataset.id)}>{local(dataset.title)}</a>
              <code class="under">{dataset.id}</code>
            </th>
            <td>{departmentName(dataset.department)}</td>
            <td class="wide">
              {dataset.select.kinds.map(kindName).join(t("list.and"))}
              <span class="under">
                {dataset.select.metrics.map(metricName).join(t("list.and"))} · {t(`dataset.positions.${dataset.positions}`)} · {counted("dataset.days", dataset.history_days)}
              </span>
            </td>
            <td>{dataset.licence}</td>
            <td><Switch dataset={dataset} reload={reload} /></td>
            <td>
              {dataset.enabled ? (
                <a href={publicPage(dataset.id)} target="_blank">
                  {t("dataset.open_page")} ↗<span class="spoken">{`: ${local(dataset.title)}`}</span>
                </a>
              ) : (
                <span class="muted">{t("value.none")}</span>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </DataTable>
  );
}

/** On and off in the list: taking something back must not need a form. */
function Switch({ dataset, reload }: { dataset: Dataset; reload(): void }) {
  const [busy, setBusy] = useState(false);
  const flip = async () => {
    setBusy(true);
    try {
      const { value, tag } = draftOfDataset(await admin.dataset(dataset.id));
      await admin.putDataset(dataset.id, { ...value, enabled: !dataset.enabled }, tag);
    } catch (error) {
      const { what, hint } = problemText(error);
      notice.value = `${what} ${hint}`.trim();
    }
    setBusy(false);
    reload();
  };
  return (
    <span class="switch-cell">
      <strong class={dataset.enabled ? "" : "off-word"}>{t(dataset.enabled ? "dataset.on" : "dataset.off")}</strong>
      <GuardedButton reason={whyNot("engineer", dataset.department)} disabled={busy} onPress={() => void flip()}>
        {t(dataset.enabled ? "dataset.turn_off" : "dataset.turn_on")}
        <span class="spoken">{`: ${local(dataset.title)}`}</span>
      </GuardedButton>
    </span>
  );
}
