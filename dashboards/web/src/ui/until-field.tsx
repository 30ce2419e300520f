/** Until when: one of the usual spans from now, or a moment by the city's clock. */
import { useState } from "preact/hooks";
import { span, zoneOffset, dateTime } from "../format/time";
import { parseWallClock, wallClock } from "../format/wall-clock";
import { t } from "../i18n";
import { now, serverNow } from "../state/clock";
import { Field } from "./field";

const MINUTE_MS = 60_000;
const OWN = "own";
const OPEN = "open";

export interface UntilDraft {
  /** Minutes from now, a moment that is typed, or no end. */
  choice: number | typeof OWN | typeof OPEN;
  text: string;
}

export const untilIn = (minutes: number): UntilDraft => ({ choice: minutes, text: "" });
export const UNTIL_OPEN: UntilDraft = { choice: OPEN, text: "" };

/** Epoch milliseconds; null for no end and for what cannot be read. */
export function untilOf(draft: UntilDraft, nowMs: number): number | null {
  if (draft.choice === OPEN) return null;
  return draft.choice === OWN ? parseWallClock(draft.text) : nowMs + draft.choice * MINUTE_MS;
}

interface Props {
  label: string;
  value: UntilDraft;
  /** In minutes. */
  spans: readonly number[];
  /** Whether there may be no end. */
  open?: boolean;
  /** How far it may reach, in milliseconds. */
  mostMs: number;
  onChange(value: UntilDraft): void;
}

export function UntilField({ label, value, spans, open = false, mostMs, onChange }: Props) {
  const [touched, setTouched] = useState(false);
  const nowMs = now.value;
  const until = untilOf(value, nowMs);
  const wrong = value.choice === OWN && touched ? problemOf(until, nowMs, mostMs) : null;
  const choose = (text: string) => {
    if (text === OWN) onChange({ choice: OWN, text: wallClock(untilOf(value, serverNow()) ?? serverNow() + 60 * MINUTE_MS) });
    else onChange(text === OPEN ? UNTIL_OPEN : untilIn(Number(text)));
  };
  return (
    <div class="until">
      <Field label={label} error={wrong} hint={until === null ? (value.choice === OPEN ? t("until.open.hint") : "") : `${dateTime(until)} ${zoneOffset(until)}`}>
        {(parts) => (
          <span class="until-line">
            <select {...(value.choice === OWN ? { "aria-label": label } : parts)} class="choice" value={String(value.choice)} onChange={(event) => choose(event.currentTarget.value)}>
              {open && <option value={OPEN} selected={value.choice === OPEN}>{t("until.open")}</option>}
              {spans.map((minutes) => (
                <option key={minutes} value={String(minutes)} selected={value.choice === minutes}>
                  {t("until.in", { span: span(minutes * 60) })}
                </option>
              ))}
              <option value={OWN} selected={value.choice === OWN}>{t("until.own")}</option>
            </select>
            {value.choice === OWN && (
              <input {...parts} class="input moment" value={value.text} placeholder={t("audit.moment")} autocomplete="off" spellcheck={false} onInput={(event) => onChange({ choice: OWN, text: event.currentTarget.value })} onBlur={() => setTouched(true)} />
            )}
          </span>
        )}
      </Field>
    </div>
  );
}

function problemOf(until: number | null, nowMs: number, mostMs: number): string | null {
  if (until === null) return t("audit.moment.wrong");
  if (until <= nowMs) return t("until.past");
  return until - nowMs > mostMs ? t("until.far", { span: span(mostMs / 1000) }) : null;
}
