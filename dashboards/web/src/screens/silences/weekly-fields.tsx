/** The span of the week in which a silence holds, by the clock on the city's walls. */
import { t } from "../../i18n";
import { Field } from "../../ui/field";
import { EVERY_DAY, weeklyOf, type WeekDraft } from "./silence-draft";

interface Props {
  week: WeekDraft;
  zone: string;
  onChange(week: WeekDraft): void;
}

export function WeeklyFields({ week, zone, onChange }: Props) {
  const wrong = weeklyOf(week, zone) === null;
  return (
    <fieldset class="weekly">
      <legend>{t("silence.weekly")}</legend>
      <div class="weekly-days">
        {EVERY_DAY.map((day) => (
          <label key={day} class="check">
            <input type="checkbox" checked={week.days.includes(day)} onChange={(event) => onChange({ ...week, days: event.currentTarget.checked ? [...week.days, day] : week.days.filter((each) => each !== day) })} />
            <span>{t(`weekday.${day}`)}</span>
          </label>
        ))}
      </div>
      <div class="weekly-times">
        <Field label={t("audit.from")}>
          {(parts) => <input {...parts} class="input" value={week.from} placeholder="22:00" onInput={(event) => onChange({ ...week, from: event.currentTarget.value })} />}
        </Field>
        <Field label={t("audit.to")} hint={week.to <= week.from ? t("silence.weekly.next_day") : zone}>
          {(parts) => <input {...parts} class="input" value={week.to} placeholder="06:00" onInput={(event) => onChange({ ...week, to: event.currentTarget.value })} />}
        </Field>
      </div>
      {wrong && <p class="field-error" role="alert">{t("silence.weekly.wrong")}</p>}
    </fieldset>
  );
}
