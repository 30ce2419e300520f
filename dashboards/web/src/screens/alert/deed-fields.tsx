/** What a deed asks for beside the alert itself; the same for one alert and for many. */
import { useId } from "preact/hooks";
import { t } from "../../i18n";
import { departments } from "../../state/city";
import { REACH_MS, needsNote, takesUntil, type Deed, type DeedDraft } from "../../state/deeds";
import { knownPeople } from "../../state/known-people";
import { local } from "../../i18n";
import { Field } from "../../ui/field";
import { UNTIL_OPEN, UntilField, untilIn, untilOf, type UntilDraft } from "../../ui/until-field";

const SPANS: Readonly<Partial<Record<Deed, readonly number[]>>> = {
  assign: [10, 30, 60, 240, 480],
  accept: [30, 60, 240, 480, 1440],
  hand_over: [15, 30, 60, 240, 480],
  return: [15, 30, 60, 240],
  shelve: [15, 30, 60, 240, 480, 1440],
};

/** What is filled in, with the deadline as it was chosen: it counts from when it is sent. */
export interface DeedInput {
  note: string;
  until: UntilDraft;
  who: string;
  department: string;
}

export function emptyInput(deed: Deed, note = ""): DeedInput {
  const first = deed === "accept" ? UNTIL_OPEN : untilIn(deed === "shelve" ? 60 : 30);
  return { note, until: first, who: "", department: "" };
}

export function draftOf(input: DeedInput, deed: Deed, nowMs: number): DeedDraft {
  return { note: input.note, until: takesUntil(deed) ? untilOf(input.until, nowMs) : null, who: input.who, department: input.department };
}

interface Props {
  deed: Deed;
  input: DeedInput;
  onChange(input: DeedInput): void;
  /** The department that has it: it cannot be handed over to itself. */
  holder?: string | null;
  people?: readonly string[];
}

export function DeedFields({ deed, input, onChange, holder = null, people = [] }: Props) {
  const list = useId();
  const change = (part: Partial<DeedInput>) => onChange({ ...input, ...part });
  const reason = deed === "shelve";
  return (
    <div class="deed-fields">
      {deed === "assign" && (
        <Field label={t("deed.who")} hint={t("deed.who.hint")}>
          {(parts) => (
            <>
              <input {...parts} class="input" list={list} value={input.who} maxLength={128} autocomplete="off" spellcheck={false} data-first onInput={(event) => change({ who: event.currentTarget.value })} />
              <datalist id={list}>
                {knownPeople(people).map((name) => <option key={name} value={name} />)}
              </datalist>
            </>
          )}
        </Field>
      )}
      {deed === "hand_over" && (
        <Field label={t("deed.to")}>
          {(parts) => (
            <select {...parts} class="choice" value={input.department} data-first onChange={(event) => change({ department: event.currentTarget.value })}>
              <option value="">{t("deed.to.choose")}</option>
              {departments.value.filter(({ id }) => id !== holder).map((department) => (
                <option key={department.id} value={department.id} selected={department.id === input.department}>
                  {local(department.name) || department.id}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
      {takesUntil(deed) && (
        <UntilField label={t(`deed.until.${deed as "assign" | "accept" | "hand_over" | "return" | "shelve"}`)} value={input.until} spans={SPANS[deed] ?? []} open={deed === "accept"} mostMs={REACH_MS[deed] ?? 0} onChange={(until) => change({ until })} />
      )}
      <Field label={<>{t(reason ? "deed.reason" : "alert.note")}{!needsNote(deed) && <span class="muted"> · {t("form.optional")}</span>}</>}>
        {(parts) => (
          <textarea {...parts} rows={3} maxLength={2000} value={input.note} data-note placeholder={t(reason ? "deed.reason.placeholder" : deed === "acknowledge" ? "deed.note.placeholder" : "deed.note.why")} onInput={(event) => change({ note: event.currentTarget.value })} />
        )}
      </Field>
    </div>
  );
}
