/** What is registered of a device, to be changed by engineers of its department; what others saved meanwhile is merged. */
import { useEffect, useRef, useState } from "preact/hooks";
import { places, LIFE_CYCLES, type DeviceEntry, type LifeCycle, type WholeDevice } from "../../api/places";
import type { Tagged } from "../../api/client";
import { problemText } from "../../api/problem-text";
import type { Crs } from "../../api/types";
import { plainValue } from "../../format/number";
import { span } from "../../format/time";
import { local, t, type TextKey } from "../../i18n";
import { to } from "../../router";
import { departments, departmentName, kindName, kinds } from "../../state/city";
import { useEditing, type Editing } from "../../state/editing";
import type { Difference } from "../../state/merge";
import { useResource } from "../../state/resource";
import { whyNot } from "../../state/rights";
import { Choice } from "../../ui/choice";
import { ConflictPanel } from "../../ui/conflict";
import { Field, TextField } from "../../ui/field";
import { FormActions } from "../../ui/form-actions";
import { Mishap } from "../../ui/mishap";
import { Facts, Panel } from "../../ui/panel";
import { ResourceView } from "../../ui/resource-view";
import { CRS, draftOf, entryOf, isBadDegree, type EntryDraft } from "./entry-draft";

interface Props {
  device: WholeDevice;
  reload(): void;
}

export function Entry({ device, reload }: Props) {
  const resource = useResource(`entry|${device.id}`, (signal) => places.entry(device.id, signal));
  return (
    <ResourceView resource={resource} missing="device.gone">
      {(found) => (
        <div class="columns">
          <EntryForm
            device={device}
            found={found}
            saved={() => {
              resource.reload();
              reload();
            }}
          />
          <Panel title={t("entry.from_kind")} note={kindName(device.kind)}>
            {device.inherited === undefined || device.inherited.length === 0 ? <p class="state">{t("entry.from_kind.none")}</p> : <Facts items={device.inherited.map((each) => [inheritedName(each), inheritedText(device, each)] as const)} />}
          </Panel>
        </div>
      )}
    </ResourceView>
  );
}

function EntryForm({ device, found, saved }: { device: WholeDevice; found: Tagged<DeviceEntry>; saved(): void }) {
  const reason = whyNot("engineer", found.value.department);
  const editing = useEditing<EntryDraft>({
    initial: draftOf(found),
    load: async () => draftOf(await places.entry(device.id)),
    send: async (draft, tag) => draftOf(await places.putEntry(device.id, entryOf(device.id, draft), tag ?? "")),
  });
  const { draft, change } = editing;
  const form = useRef<HTMLFormElement>(null);
  // What has to be decided stands at the end of a long form.
  useEffect(() => {
    if (editing.conflict !== null || editing.failure !== null) form.current?.querySelector(".conflict, .mishap")?.scrollIntoView({ block: "center" });
  }, [editing.conflict, editing.failure]);
  const { lat, lon } = draft.position;
  const half = (lat.trim() === "") !== (lon.trim() === "");
  const ready = reason === null && !half && !isBadDegree(lat, 90) && !isBadDegree(lon, 180);
  const locked = reason !== null;
  return (
    <form
      ref={form}
      class="panel place-form"
      onSubmit={async (event) => {
        event.preventDefault();
        if (await editing.save()) saved();
      }}
    >
      <h2>{t("entry.title")}</h2>
      {reason !== null && <p class="why-not">{reason}</p>}
      <fieldset class="bare" disabled={locked}>
        <div class="form-columns">
          <TextField label={t("entry.name.en")} lang="en" value={draft.name.en} onInput={(en) => change({ name: { ...draft.name, en } })} maxLength={200} autocomplete="off" />
          <TextField label={t("entry.name.zh")} lang="zh-CN" value={draft.name.zh} onInput={(zh) => change({ name: { ...draft.name, zh } })} maxLength={200} autocomplete="off" />
          <Field label={t("device.kind")}>{({ id }) => <Choice id={id} label={t("device.kind")} value={draft.kind} options={withOwn(kinds.value.map((kind) => [kind.id, local(kind.name)] as const), draft.kind)} onChange={(kind) => change({ kind })} />}</Field>
          <Field label={t("device.department")} hint={t("entry.department.why")}>{({ id }) => <Choice id={id} label={t("device.department")} value={draft.department} options={withOwn(departments.value.map((each) => [each.id, local(each.name)] as const), draft.department)} onChange={(department) => change({ department })} />}</Field>
          <Field label={t("device.lifecycle")} hint={t("entry.lifecycle.why")}>{({ id }) => <Choice id={id} label={t("device.lifecycle")} value={draft.life_cycle} options={LIFE_CYCLES.map((each) => [each, t(`lifecycle.${each}`)] as const)} onChange={(life) => change({ life_cycle: life as LifeCycle })} />}</Field>
          <TextField label={t("device.interval")} hint={t("entry.interval.why")} value={draft.interval} onInput={(interval) => change({ interval })} maxLength={20} autocomplete="off" />
        </div>
        <fieldset>
          <legend>{t("device.position")}</legend>
          <p class="field-hint">{t("entry.position.why")}</p>
          <div class="form-columns three">
            <TextField label={t("entry.lat")} value={lat} error={isBadDegree(lat, 90) ? t("entry.lat.bad") : half && lat.trim() === "" ? t("entry.half") : null} onInput={(next) => change({ position: { ...draft.position, lat: next } })} autocomplete="off" />
            <TextField label={t("entry.lon")} value={lon} error={isBadDegree(lon, 180) ? t("entry.lon.bad") : half && lon.trim() === "" ? t("entry.half") : null} onInput={(next) => change({ position: { ...draft.position, lon: next } })} autocomplete="off" />
            <Field label={t("entry.crs")}>{({ id }) => <Choice id={id} label={t("entry.crs")} value={draft.position.crs} options={CRS.map((crs) => [crs, crs] as const)} onChange={(crs) => change({ position: { ...draft.position, crs: crs as Crs } })} />}</Field>
          </div>
        </fieldset>
        <div class="form-columns">
          <Field label={t("entry.moving")}>{({ id }) => <Choice id={id} label={t("entry.moving")} value={draft.moving} options={[["", t("entry.as_kind")], ["true", t("value.true")], ["false", t("value.false")]]} onChange={(moving) => change({ moving: moving as EntryDraft["moving"] })} />}</Field>
          <Field label={t("entry.message_crs")} hint={t("entry.message_crs.why")}>{({ id }) => <Choice id={id} label={t("entry.message_crs")} value={draft.crs} options={[["", t("entry.as_kind")], ...CRS.map((crs) => [crs, crs] as const)]} onChange={(crs) => change({ crs: crs as EntryDraft["crs"] })} />}</Field>
          <TextField label={t("device.gateway")} hint={t("form.optional")} value={draft.gateway} onInput={(gateway) => change({ gateway })} maxLength={128} autocomplete="off" />
          <label class="check">
            <input type="checkbox" checked={draft.simulated} onChange={(event) => change({ simulated: event.currentTarget.checked })} />
            <span>{t("device.simulated")}<span class="field-hint">{t("entry.simulated.why")}</span></span>
          </label>
        </div>
        <AttributeFields editing={editing} />
      </fieldset>
      {editing.failure !== null && <Mishap {...problemText(editing.failure)} />}
      {editing.conflict && <ConflictPanel editing={editing} conflict={editing.conflict} labelOf={labelOf} valueOf={valueOf} onSaved={saved} />}
      <FormActions editing={editing} ready={ready} action={t("form.save")} cancel={to.device(device.id)} back={t("entry.back")} />
    </form>
  );
}

function AttributeFields({ editing: { draft, change } }: { editing: Pick<Editing<EntryDraft>, "draft" | "change"> }) {
  const [name, setName] = useState("");
  const [value, setValue] = useState("");
  const add = () => {
    change({ attributes: { ...draft.attributes, [name.trim()]: value } });
    setName("");
    setValue("");
  };
  return (
    <fieldset>
      <legend>{t("device.attributes")}</legend>
      <p class="field-hint">{t("entry.attributes.why")}</p>
      {Object.entries(draft.attributes).map(([each, text]) => (
        <div key={each} class="attribute">
          <TextField label={<code>{each}</code>} value={text} onInput={(next) => change({ attributes: { ...draft.attributes, [each]: next } })} maxLength={1000} autocomplete="off" />
          <button type="button" class="button" onClick={() => change({ attributes: Object.fromEntries(Object.entries(draft.attributes).filter(([other]) => other !== each)) })}>
            {t("entry.attribute.remove")}
            <span class="spoken">{`: ${each}`}</span>
          </button>
        </div>
      ))}
      <div class="attribute new">
        <TextField label={t("entry.attribute.name")} value={name} onInput={setName} maxLength={100} autocomplete="off" />
        <TextField label={t("device.value")} value={value} onInput={setValue} maxLength={1000} autocomplete="off" />
        <button type="button" class="button" disabled={name.trim() === "" || name.trim() in draft.attributes} onClick={add}>{t("entry.attribute.add")}</button>
      </div>
    </fieldset>
  );
}

/** What is registered stays to be chosen, also if nothing else names it. */
function withOwn(options: readonly (readonly [string, string])[], own: string): readonly (readonly [string, string])[] {
  return options.some(([id]) => id === own) ? options : [[own, own], ...options];
}

const LABELS: Readonly<Record<string, TextKey>> = {
  "name.en": "entry.name.en",
  "name.zh": "entry.name.zh",
  kind: "device.kind",
  department: "device.department",
  life_cycle: "device.lifecycle",
  interval: "device.interval",
  moving: "entry.moving",
  crs: "entry.message_crs",
  gateway: "device.gateway",
  simulated: "device.simulated",
  "position.lat": "entry.lat",
  "position.lon": "entry.lon",
  "position.crs": "entry.crs",
};

function labelOf(path: readonly string[]): string {
  if (path[0] === "attributes") return `${t("device.attributes")}: ${path[1] ?? ""}`;
  return t(LABELS[path.join(".")] ?? "device.about");
}

function valueOf(path: readonly string[], value: Difference["mine"]): string {
  if (value === undefined || value === null || value === "") return path[0] === "moving" || path[0] === "crs" || path[0] === "interval" ? t("entry.as_kind") : t("value.none");
  if (path[0] === "kind") return kindName(String(value));
  if (path[0] === "department") return departmentName(String(value));
  if (path[0] === "life_cycle") return t(`lifecycle.${value as LifeCycle}`);
  return plainValue(value);
}

function inheritedName(name: string) {
  if (name.startsWith("attributes.")) return <code>{name.slice("attributes.".length)}</code>;
  return t(LABELS[name] ?? "device.about");
}

function inheritedText(device: WholeDevice, name: string): string {
  if (name === "interval") return device.interval_s === null ? t("value.none") : span(device.interval_s);
  if (name === "moving") return t(device.moving ? "value.true" : "value.false");
  if (name.startsWith("attributes.")) return plainValue(device.attributes[name.slice("attributes.".length)]);
  return device.declared?.crs ?? t("value.none");
}
