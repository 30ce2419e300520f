/** One set of open data: what of a department's readings everybody may see, and under which licence. */
import { useState } from "preact/hooks";
import { admin } from "../../api/admin";
import type { Tagged } from "../../api/client";
import { problemText } from "../../api/problem-text";
import type { Dataset, DatasetDraft, LocalText } from "../../api/types";
import { local, t, type TextKey } from "../../i18n";
import { go, to } from "../../router";
import { departmentName, inOrder, kindName, kinds, metricName, metrics, zoneName, zones } from "../../state/city";
import { useEditing } from "../../state/editing";
import type { Difference } from "../../state/merge";
import { whyNot } from "../../state/rights";
import { departmentsWith } from "../../state/session";
import { useResource } from "../../state/resource";
import { ConflictPanel } from "../../ui/conflict";
import { Confirm } from "../../ui/dialog";
import { Choice } from "../../ui/choice";
import { Field, TextField } from "../../ui/field";
import { FormActions } from "../../ui/form-actions";
import { departmentChoices } from "../../ui/grants";
import { GuardedButton } from "../../ui/guarded-button";
import { Mishap } from "../../ui/mishap";
import { PickList } from "../../ui/pick-list";
import { ResourceView } from "../../ui/resource-view";
import { publicPage } from "./datasets";

/** SPDX ids that DCAT-AP portals know; any other id or address can be written. */
const LICENCES = ["CC-BY-4.0", "CC0-1.0", "CC-BY-SA-4.0", "ODbL-1.0", "PDDL-1.0"] as const;
const MAX_DAYS = 3650;

export function draftOfDataset({ value, tag }: Tagged<Dataset>): Tagged<DatasetDraft> {
  const { title, description, department, licence, publisher, select, positions, history_days, enabled } = value;
  return { value: { title, description, department, licence, publisher: publisher ?? null, select: { kinds: select.kinds, metrics: select.metrics, zones: select.zones }, positions, history_days, enabled }, tag };
}

export function DatasetScreen({ id }: { id: string | null }) {
  const resource = useResource(id === null ? null : `dataset|${id}`, (signal) => admin.dataset(id ?? "", signal));
  const [newId, setNewId] = useState("");
  if (id === null) return <Editor id={newId} setId={setNewId} found={{ value: empty(), tag: null }} />;
  return (
    <ResourceView resource={resource} missing="dataset.gone">
      {(found) => <Editor id={id} found={draftOfDataset(found)} reload={resource.reload} />}
    </ResourceView>
  );
}

function empty(): DatasetDraft {
  const [department = ""] = departmentChoices(departmentsWith("admin"))[0] ?? [];
  const none: LocalText = { en: "", zh: "" };
  // Off, and places blurred: what was public once cannot be taken back.
  return { title: none, description: none, department, licence: LICENCES[0], publisher: null, select: { kinds: [], metrics: [], zones: [] }, positions: "zone", history_days: 30, enabled: false };
}

interface EditorProps {
  id: string;
  setId?(id: string): void;
  found: { value: DatasetDraft; tag: string | null };
  reload?(): void;
}

function Editor({ id, setId, found, reload }: EditorProps) {
  const editing = useEditing<DatasetDraft>({
    initial: found,
    load: async () => draftOfDataset(await admin.dataset(id)),
    send: async (draft, tag) => draftOfDataset(await admin.putDataset(id.trim(), draft, tag)),
  });
  const [deleting, setDeleting] = useState(false);
  const { draft, change } = editing;
  const reason = whyNot("engineer", found.value.department);
  const saved = () => (setId ? go(to.dataset(id.trim())) : reload?.());
  const complete = id.trim() !== "" && [draft.title.en, draft.title.zh, draft.licence, draft.department].every((text) => text.trim() !== "");
  const kindsThere = kinds.value.map(({ id: kind, name }) => [kind, local(name)] as const);
  const metricsThere = inOrder(metrics.value.map(({ id: metric }) => metric)).map((metric) => [metric, metricName(metric)] as const);
  const zonesThere = (zones.value?.features ?? []).map(({ properties }) => [properties.id, local(properties.name)] as const);
  const select = (part: Partial<DatasetDraft["select"]>) => change({ select: { ...draft.select, ...part } });
  return (
    <form
      class="panel admin-form wide-form"
      onSubmit={async (event) => {
        event.preventDefault();
        if (await editing.save()) saved();
      }}
    >
      <h1>{setId ? t("datasets.add") : local(found.value.title)}</h1>
      {!setId && (
        <p class="muted">
          <code>{id}</code>
          {found.value.enabled && (
            <>
              {" · "}
              <a href={publicPage(id)} target="_blank">{t("dataset.open_page")} ↗</a>
            </>
          )}
        </p>
      )}
      <div class="form-columns">
        {setId && <TextField label={t("dataset.id")} hint={t("dataset.id.why")} value={id} onInput={setId} maxLength={64} autocomplete="off" required autofocus />}
        <Field label={t("alert.department")}>
          {({ id: field }) => <Choice id={field} label={t("alert.department")} value={draft.department} options={setId ? departmentChoices(departmentsWith("admin")) : [[draft.department, departmentName(draft.department)]]} onChange={(department) => change({ department })} />}
        </Field>
        <TextField label={t("dataset.title.en")} lang="en" value={draft.title.en} onInput={(en) => change({ title: { ...draft.title, en } })} maxLength={200} required />
        <TextField label={t("dataset.title.zh")} lang="zh-CN" value={draft.title.zh} onInput={(zh) => change({ title: { ...draft.title, zh } })} maxLength={200} required />
        <LongText label={t("dataset.description.en")} lang="en" value={draft.description.en} onInput={(en) => change({ description: { ...draft.description, en } })} />
        <LongText label={t("dataset.description.zh")} lang="zh-CN" value={draft.description.zh} onInput={(zh) => change({ description: { ...draft.description, zh } })} />
        <Licence value={draft.licence} onChange={(licence) => change({ licence })} />
        <TextField label={t("dataset.publisher")} hint={t("form.optional")} value={draft.publisher ?? ""} onInput={(text) => change({ publisher: text === "" ? null : text })} maxLength={200} />
      </div>
      <div class="form-columns three">
        <PickList title={t("dataset.kinds")} none={t("dataset.every_kind")} options={kindsThere} picked={draft.select.kinds} onPick={(next) => select({ kinds: next })} />
        <PickList title={t("dataset.metrics")} none={t("dataset.every_metric")} options={metricsThere} picked={draft.select.metrics} onPick={(next) => select({ metrics: next })} />
        <PickList title={t("dataset.zones")} none={t("dataset.every_zone")} options={zonesThere} picked={draft.select.zones} onPick={(next) => select({ zones: next })} />
      </div>
      <div class="form-columns">
        <fieldset class="radios">
          <legend>{t("dataset.positions")}</legend>
          {(["zone", "exact"] as const).map((positions) => (
            <label key={positions} class="check">
              <input type="radio" name="positions" checked={draft.positions === positions} onChange={() => change({ positions })} />
              <span>{t(`dataset.positions.${positions}`)}<span class="field-hint">{t(`dataset.positions.${positions}.why`)}</span></span>
            </label>
          ))}
        </fieldset>
        <TextField label={t("dataset.history")} hint={t("dataset.history.why")} type="number" min={0} max={MAX_DAYS} value={String(draft.history_days)} onInput={(text) => change({ history_days: Math.min(MAX_DAYS, Math.max(0, Math.floor(Number(text)) || 0)) })} />
      </div>
      <label class="check">
        <input type="checkbox" checked={draft.enabled} onChange={(event) => change({ enabled: event.currentTarget.checked })} />
        <span>{t("dataset.enabled")}<span class="field-hint">{t("dataset.enabled.why")}</span></span>
      </label>
      {editing.failure !== null && <Mishap {...problemText(editing.failure)} />}
      {editing.conflict && <ConflictPanel editing={editing} conflict={editing.conflict} labelOf={labelOf} valueOf={valueOf} onSaved={saved} />}
      <div class="form-end">
        <FormActions editing={editing} ready={complete && reason === null} action={t(setId ? "datasets.make" : "form.save")} cancel={to.datasets()} />
        {!setId && <GuardedButton reason={reason} onPress={() => setDeleting(true)}>{t("dataset.delete")}</GuardedButton>}
      </div>
      {deleting && (
        <Confirm
          title={t("dataset.delete")}
          action={t("dataset.delete")}
          onConfirm={async () => {
            await admin.deleteDataset(id, found.tag ?? "");
            go(to.datasets());
          }}
          onClose={() => setDeleting(false)}
        >
          <p>{t("dataset.delete.ask", { title: local(found.value.title) })}</p>
        </Confirm>
      )}
    </form>
  );
}

function LongText({ label, value, onInput, lang }: { label: string; value: string; onInput(text: string): void; lang: string }) {
  return <Field label={label}>{(parts) => <textarea {...parts} rows={3} lang={lang} maxLength={4000} value={value} onInput={(event) => onInput(event.currentTarget.value)} />}</Field>;
}

function Licence({ value, onChange }: { value: string; onChange(licence: string): void }) {
  return (
    <Field label={t("dataset.licence")} hint={t("dataset.licence.why")}>
      {(parts) => (
        <>
          <input {...parts} class="input" list="licences" value={value} required maxLength={200} spellcheck={false} onInput={(event) => onChange(event.currentTarget.value)} />
          <datalist id="licences">
            {LICENCES.map((licence) => (
              <option key={licence} value={licence} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

const FIELDS: Readonly<Record<string, TextKey>> = {
  "title.en": "dataset.title.en",
  "title.zh": "dataset.title.zh",
  "description.en": "dataset.description.en",
  "description.zh": "dataset.description.zh",
  department: "alert.department",
  licence: "dataset.licence",
  publisher: "dataset.publisher",
  positions: "dataset.positions",
  history_days: "dataset.history",
  enabled: "dataset.enabled",
};

function labelOf(path: readonly string[]): string {
  const [field, list, item = ""] = path;
  if (field === "select") return list === "kinds" ? kindName(item) : list === "metrics" ? metricName(item) : zoneName(item);
  return t(FIELDS[path.join(".")] ?? "dataset.what");
}

function valueOf(path: readonly string[], value: Difference["mine"]): string {
  if (path[0] === "select") return t(value === true ? "dataset.picked" : "dataset.not_picked");
  if (path[0] === "positions") return t(`dataset.positions.${value as DatasetDraft["positions"]}`);
  if (typeof value === "boolean") return t(value ? "value.true" : "value.false");
  return value === null || value === undefined || value === "" ? t("value.none") : String(value);
}
