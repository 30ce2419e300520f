/** One set of open data: what of a department's readings everybody may see, and under which licence. */
import { useEffect, useState } from "preact/hooks";
import { admin } from "../../api/admin";
import type { Tagged } from "../../api/client";
import { problemText } from "../../api/problem-text";
import type { Dataset, DatasetDraft, LocalText } from "../../api/types";
import { local, locale, t, type TextKey } from "../../i18n";
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
const MAX_DAYS = 3653;

export function draftOfDataset({ value, tag }: Tagged<Dataset>): Tagged<DatasetDraft> {
  const { id: _, ...draft } = value;
  const select = { ...draft.select, zones: draft.select.zones ?? [] };
  return { value: { ...draft, select, publisher: draft.publisher ?? null, contact: draft.contact ?? null, themes: draft.themes ?? [], attributes: draft.attributes ?? [], names: draft.names ?? false }, tag };
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
  return { title: none, description: none, department, licence: LICENCES[0], publisher: null, contact: null, themes: [], names: false, attributes: [], select: { kinds: [], metrics: [], zones: [] }, positions: "zone", history_days: 30, enabled: false };
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
  const complete = id.trim() !== "" && [draft.title.en, draft.title.zh, draft.description.en, draft.description.zh, draft.licence, draft.department].every((text) => text.trim() !== "") && draft.select.kinds.length > 0 && draft.select.metrics.length > 0;
  const kindsThere = kinds.value.map(({ id: kind, name }) => [kind, local(name)] as const);
  const metricsThere = inOrder(metrics.value.map(({ id: metric }) => metric)).map((metric) => [metric, metricName(metric)] as const);
  const zonesThere = (zones.value?.features ?? []).map(({ properties }) => [properties.id, local(properties.name)] as const).sort((a, b) => a[1].localeCompare(b[1], locale.value));
  const select = (part: Partial<DatasetDraft["select"]>) => change({ select: { ...draft.select, ...part } });
  const publish = (part: Partial<LocalText>) => {
    const publisher = { en: "", zh: "", ...draft.publisher, ...part };
    change({ publisher: publisher.en === "" && publisher.zh === "" ? null : publisher });
  };
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
          <code>{id}</code> · {departmentName(draft.department)}
          {found.value.enabled && (
            <>
              {" · "}
              <a href={publicPage(id)} target="_blank">{t("dataset.open_page")} ↗</a>
            </>
          )}
        </p>
      )}
      {setId && (
        <div class="form-columns">
          <TextField label={t("dataset.id")} hint={t("dataset.id.why")} value={id} onInput={setId} maxLength={64} autocomplete="off" required autofocus />
          <Field label={t("alert.department")}>
            {({ id: field }) => <Choice id={field} label={t("alert.department")} value={draft.department} options={departmentChoices(departmentsWith("admin"))} onChange={(department) => change({ department })} />}
          </Field>
        </div>
      )}
      <div class="form-columns">
        <TextField label={t("dataset.title.en")} lang="en" value={draft.title.en} onInput={(en) => change({ title: { ...draft.title, en } })} maxLength={200} required />
        <TextField label={t("dataset.title.zh")} lang="zh-CN" value={draft.title.zh} onInput={(zh) => change({ title: { ...draft.title, zh } })} maxLength={200} required />
        <LongText label={t("dataset.description.en")} lang="en" value={draft.description.en} onInput={(en) => change({ description: { ...draft.description, en } })} />
        <LongText label={t("dataset.description.zh")} lang="zh-CN" value={draft.description.zh} onInput={(zh) => change({ description: { ...draft.description, zh } })} />
        <Licence value={draft.licence} onChange={(licence) => change({ licence })} />
        <TextField label={t("dataset.contact")} hint={t("dataset.contact.why")} value={draft.contact ?? ""} onInput={(text) => change({ contact: text.trim() === "" ? null : text.trim() })} maxLength={200} />
        <TextField label={t("dataset.publisher.en")} hint={t("dataset.publisher.why")} lang="en" value={draft.publisher?.en ?? ""} onInput={(en) => publish({ en })} maxLength={200} />
        <TextField label={t("dataset.publisher.zh")} hint={t("dataset.publisher.why")} lang="zh-CN" value={draft.publisher?.zh ?? ""} onInput={(zh) => publish({ zh })} maxLength={200} />
      </div>
      <div class="form-columns three">
        <PickList title={t("dataset.kinds")} none={t("dataset.one_kind")} options={kindsThere} picked={draft.select.kinds} onPick={(next) => select({ kinds: next })} />
        <PickList title={t("dataset.metrics")} none={t("dataset.one_metric")} options={metricsThere} picked={draft.select.metrics} onPick={(next) => select({ metrics: next })} />
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
        <div class="form-stack">
          <TextField label={t("dataset.history")} hint={t("dataset.history.why")} type="number" min={0} max={MAX_DAYS} value={String(draft.history_days)} onInput={(text) => change({ history_days: Math.min(MAX_DAYS, Math.max(0, Math.floor(Number(text)) || 0)) })} />
          <Words label={t("dataset.attributes")} hint={t("dataset.attributes.why")} value={draft.attributes} onChange={(attributes) => change({ attributes })} />
          <Words label={t("dataset.themes")} hint={t("dataset.themes.why")} value={draft.themes} onChange={(themes) => change({ themes })} />
        </div>
      </div>
      <label class="check">
        <input type="checkbox" checked={draft.names} onChange={(event) => change({ names: event.currentTarget.checked })} />
        <span>{t("dataset.names")}<span class="field-hint">{t("dataset.names.why")}</span></span>
      </label>
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
  return <Field label={label}>{(parts) => <textarea {...parts} rows={3} required lang={lang} maxLength={4000} value={value} onInput={(event) => onInput(event.currentTarget.value)} />}</Field>;
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

/** Words separated by commas. What is typed stays as it is until the field is left. */
function Words({ label, hint, value, onChange }: { label: string; hint: string; value: readonly string[]; onChange(words: string[]): void }) {
  const [text, setText] = useState(value.join(", "));
  useEffect(() => {
    if (value.join() !== wordsOf(text).join()) setText(value.join(", "));
  }, [value]);
  return (
    <TextField
      label={label}
      hint={hint}
      value={text}
      autocomplete="off"
      onInput={(next) => {
        setText(next);
        onChange(wordsOf(next));
      }}
    />
  );
}

export function wordsOf(text: string): string[] {
  return [...new Set(text.split(/[,，、\s]+/).filter((word) => word !== ""))];
}

const FIELDS: Readonly<Record<string, TextKey>> = {
  "title.en": "dataset.title.en",
  "title.zh": "dataset.title.zh",
  "description.en": "dataset.description.en",
  "description.zh": "dataset.description.zh",
  department: "alert.department",
  licence: "dataset.licence",
  "publisher.en": "dataset.publisher.en",
  "publisher.zh": "dataset.publisher.zh",
  contact: "dataset.contact",
  themes: "dataset.themes",
  attributes: "dataset.attributes",
  names: "dataset.names",
  positions: "dataset.positions",
  history_days: "dataset.history",
  enabled: "dataset.enabled",
};

function labelOf(path: readonly string[]): string {
  const [field, list, item = ""] = path;
  if (field === "select") return list === "kinds" ? kindName(item) : list === "metrics" ? metricName(item) : zoneName(item);
  const key = FIELDS[path.join(".")] ?? FIELDS[field ?? ""] ?? "dataset.what";
  return field === "themes" || field === "attributes" ? `${t(key)}: ${list}` : t(key);
}

function valueOf(path: readonly string[], value: Difference["mine"]): string {
  if (path[0] === "select" || path[0] === "themes" || path[0] === "attributes") return t(value === true ? "dataset.picked" : "dataset.not_picked");
  if (path[0] === "positions") return t(`dataset.positions.${value as DatasetDraft["positions"]}`);
  if (typeof value === "boolean") return t(value ? "value.true" : "value.false");
  return value === null || value === undefined || value === "" ? t("value.none") : String(value);
}
