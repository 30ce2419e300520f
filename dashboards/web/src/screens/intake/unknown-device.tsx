/** One device in quarantine: what it sends, and accepting it with its kind, owner and place, or ignoring it. */
import { useState } from "preact/hooks";
import { intakeApi, type DeadLetter, type DeviceEntry, type Unknown } from "../../api/intake";
import { problemText } from "../../api/problem-text";
import { number } from "../../format/number";
import { counted, local, t } from "../../i18n";
import { to } from "../../router";
import { departments, kindName, kinds } from "../../state/city";
import { whyNot } from "../../state/rights";
import { departmentsWith } from "../../state/session";
import { useResource } from "../../state/resource";
import { Age } from "../../ui/age";
import { Field, TextField } from "../../ui/field";
import { departmentChoices } from "../../ui/grants";
import { GuardedButton } from "../../ui/guarded-button";
import { CheckIcon } from "../../ui/icons";
import { Mishap } from "../../ui/mishap";
import { Facts, Panel } from "../../ui/panel";
import { ResourceView } from "../../ui/resource-view";
import { CRS, PlaceField, placeOfText, type PlaceDraft } from "./place-field";
import { reasonName } from "./reasons";
import { useReplay, type LetterHead } from "./replay";
import { ReplayView } from "./replay-view";
import { IgnoreButton, said } from "./unknown";

const REFRESH_MS = 10_000;
const SAMPLES = 5;
/** So many of its messages are sent again at most; more stay, and can be replayed from their list. */
const MOST_REPLAYED = 1000;

interface Found {
  device: Unknown | null;
  letters: readonly DeadLetter[];
}

export function UnknownDeviceScreen({ id }: { id: string }) {
  const [accepted, setAccepted] = useState(false);
  const resource = useResource(`unknown-device|${id}`, async (signal): Promise<Found> => {
    const [waiting, ignored, letters] = await Promise.all([
      intakeApi.unknown({ q: id, ignored: false, limit: 1000 }, signal),
      intakeApi.unknown({ q: id, ignored: true, limit: 1000 }, signal),
      id.includes(",") ? { items: [] } : intakeApi.letters({ device: id, limit: SAMPLES }, signal),
    ]);
    return { device: [...waiting.items, ...ignored.items].find((each) => each.id === id) ?? null, letters: letters.items };
  }, accepted ? {} : { everyMs: REFRESH_MS });
  return (
    <ResourceView resource={resource}>
      {({ device, letters }) => (device === null && !accepted ? <Gone id={id} /> : <Page id={id} device={device} letters={letters} accepted={accepted} onAccepted={() => setAccepted(true)} reload={resource.reload} />)}
    </ResourceView>
  );
}

function Gone({ id }: { id: string }) {
  return (
    <div class="state state-page">
      <h2>{t("unknown.gone", { id })}</h2>
      <p>{t("unknown.gone.why")}</p>
      <p class="buttons">
        <a class="button" href={to.device(id)}>{t("map.open_device")}</a>
        <a class="button" href={to.unknownDevices()}>{t("form.back")}</a>
      </p>
    </div>
  );
}

interface PageProps {
  id: string;
  device: Unknown | null;
  letters: readonly DeadLetter[];
  accepted: boolean;
  onAccepted(): void;
  reload(): void;
}

function Page({ id, device, letters, accepted, onAccepted, reload }: PageProps) {
  return (
    <article class="unknown-page">
      <header class="page-head">
        <div class="page-title">
          <p class="alert-badges">
            <span class="badge badge-open">{t(accepted ? "unknown.accepted" : device?.ignored ? "unknown.ignored" : "unknown.waiting")}</span>
          </p>
          <h1>{id}</h1>
          {device && <p class="muted">{counted("unknown.calls", device.count, { source: device.source })} <Age at={device.last_seen_at} past /></p>}
        </div>
        <p class="buttons">{device && !accepted && <IgnoreButton device={device} onDone={reload} />}</p>
      </header>
      <div class="columns">
        <div class="column-main">
          <AcceptForm id={id} device={device} onAccepted={onAccepted} />
        </div>
        <div class="column-side">
          {device && (
            <Panel title={t("letter.about")}>
              <Facts
                items={[
                  [t("letters.source"), <code>{device.source}</code>],
                  [t("device.kind"), said(device.kind, kindName) ?? t("unknown.not_said")],
                  [t("unknown.readings"), number(device.count)],
                  [t("letters.first"), <Age at={device.first_seen_at} past />],
                  [t("letters.last"), <Age at={device.last_seen_at} past />],
                ]}
              />
            </Panel>
          )}
          <Panel title={t("unknown.messages")} note={<a href={to.deadLetters({ view: "each", device: id })}>{t("unknown.all_messages")}</a>}>
            {letters.length === 0 && <p class="state">{t("letters.none")}</p>}
            <ul class="samples">
              {letters.map((letter) => (
                <li key={letter.id}>
                  <a href={to.deadLetter(letter.id)}>{reasonName(letter.reason)}</a> <span class="muted"><Age at={letter.at} past /></span>
                  <pre>{(letter.payload_text ?? letter.payload_base64).slice(0, 400)}</pre>
                </li>
              ))}
            </ul>
          </Panel>
        </div>
      </div>
    </article>
  );
}

interface Draft {
  en: string;
  zh: string;
  kind: string;
  department: string;
  crs: string;
  interval: string;
  moving: boolean;
  place: PlaceDraft;
  replay: boolean;
}

function AcceptForm({ id, device, onAccepted }: { id: string; device: Unknown | null; onAccepted(): void }) {
  const mine = departmentsWith("engineer");
  const offered = departmentChoices(mine);
  const known = (value: string, list: readonly { id: string }[]) => (list.some((each) => each.id === value) ? value : "");
  const [draft, setDraft] = useState<Draft>({ en: id, zh: id, kind: known(device?.kind ?? "", kinds.value), department: known(device?.department ?? "", departments.value), crs: "", interval: "", moving: false, place: { crs: "WGS-84", lat: "", lon: "" }, replay: true });
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const [stage, setStage] = useState<"form" | "registered" | "done">("form");
  const replay = useReplay();
  const change = (part: Partial<Draft>) => setDraft({ ...draft, ...part });
  const place = placeOfText(draft.place);
  const reason = whyNot("engineer", draft.department === "" ? (device && device.department !== "unknown" ? device.department : (mine?.[0] ?? null)) : draft.department);
  const ready = draft.kind !== "" && draft.department !== "" && place !== "wrong" && !busy && stage !== "done";

  /** Registered first, then placed, and only then its messages are read: readings get the zones of their place. */
  const accept = async () => {
    setBusy(true);
    setFailure(null);
    try {
      if (stage === "form") await intakeApi.accept(id, { kind: draft.kind, department: draft.department, name: { en: draft.en.trim() || id, zh: draft.zh.trim() || draft.en.trim() || id }, replay: false });
      setStage("registered");
      onAccepted();
      const more: Partial<DeviceEntry> = {
        ...(place !== null && place !== "wrong" && { position: place }),
        ...(draft.crs !== "" && { crs: draft.crs as NonNullable<DeviceEntry["crs"]> }),
        ...(draft.interval.trim() !== "" && { interval: draft.interval.trim() }),
        ...(draft.moving && { moving: true }),
      };
      if (Object.keys(more).length > 0) await intakeApi.patchDevice(id, more);
      if (draft.replay && !id.includes(",")) {
        const { items } = await intakeApi.letters({ device: id, reason: "unknown_device", limit: MOST_REPLAYED, fields: "id,at,source,device,reason,detail,replayed_at" });
        const waiting = (items as (LetterHead & { replayed_at: string | null })[]).filter(({ replayed_at }) => replayed_at === null);
        if (waiting.length > 0) await replay.run([...waiting].reverse());
      }
      setStage("done");
    } catch (error) {
      setFailure(error);
    }
    setBusy(false);
  };

  return (
    <form class="panel accept-form" onSubmit={(event) => (event.preventDefault(), void (ready && reason === null && accept()))}>
      <h2>{t("unknown.accept.title")}</h2>
      <div class="form-columns">
        <TextField label={t("unknown.name.en")} lang="en" value={draft.en} onInput={(en) => change({ en })} maxLength={200} />
        <TextField label={t("unknown.name.zh")} lang="zh-CN" value={draft.zh} onInput={(zh) => change({ zh })} maxLength={200} />
        <Field label={<>{t("device.kind")} <span class="needed" aria-hidden="true">*</span></>} hint={t("unknown.kind.why")}>
          {(parts) => (
            <select {...parts} name="kind" class="choice" required value={draft.kind} onChange={(event) => change({ kind: event.currentTarget.value })}>
              <option value="">{t("unknown.choose")}</option>
              {kinds.value.map((kind) => <option key={kind.id} value={kind.id}>{local(kind.name)}</option>)}
            </select>
          )}
        </Field>
        <Field label={<>{t("alert.department")} <span class="needed" aria-hidden="true">*</span></>} hint={t("unknown.department.why")}>
          {(parts) => (
            <select {...parts} name="department" class="choice" required value={draft.department} onChange={(event) => change({ department: event.currentTarget.value })}>
              <option value="">{t("unknown.choose")}</option>
              {offered.map(([each, name]) => <option key={each} value={each}>{name}</option>)}
            </select>
          )}
        </Field>
      </div>
      <PlaceField value={draft.place} onChange={(next) => change({ place: next })} />
      <details class="form-part">
        <summary><h3>{t("unknown.more")}</h3></summary>
        <div class="form-columns">
          <Field label={t("unknown.crs")} hint={t("unknown.crs.why")}>
            {(parts) => (
              <select {...parts} class="choice" value={draft.crs} onChange={(event) => change({ crs: event.currentTarget.value })}>
                <option value="">{t("unknown.as_kind")}</option>
                {CRS.map((each) => <option key={each} value={each}>{each}</option>)}
              </select>
            )}
          </Field>
          <TextField label={t("device.interval")} hint={t("unknown.interval.why")} value={draft.interval} onInput={(interval) => change({ interval })} />
          <label class="check"><input type="checkbox" checked={draft.moving} onChange={(event) => change({ moving: event.currentTarget.checked })} /> <span>{t("device.moving")}</span></label>
        </div>
      </details>
      <label class="check"><input type="checkbox" checked={draft.replay} onChange={(event) => change({ replay: event.currentTarget.checked })} /> <span>{t("unknown.replay")}<span class="field-hint">{t("unknown.replay.why")}</span></span></label>
      {failure !== null && <Mishap {...problemText(failure)} />}
      {failure !== null && stage === "registered" && <p class="note">{t("unknown.half")}</p>}
      <p class="buttons">
        <GuardedButton type="submit" class="button primary" reason={reason} disabled={!ready} onPress={() => undefined}>{busy ? t("form.wait") : t("unknown.accept")}</GuardedButton>
        {stage === "form" && !ready && !busy && <span class="muted">{t("unknown.needs")}</span>}
      </p>
      <ReplayView replay={replay} />
      {stage === "done" && (
        <p class="outcome outcome-good" role="status">
          <CheckIcon /> <strong>{t("unknown.done")}</strong> <a class="button" href={to.device(id)}>{t("map.open_device")}</a>
        </p>
      )}
    </form>
  );
}
