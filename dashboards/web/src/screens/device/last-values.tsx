/** A device's newest values with unit, age and quality; old ones are shown, pale, with their age. */
import type { LastValue } from "../../api/types";
import { valueWithUnit } from "../../format/number";
import { span } from "../../format/time";
import { t, type TextKey } from "../../i18n";
import { metricName, metricOf } from "../../state/city";
import { now } from "../../state/clock";
import { Age } from "../../ui/age";

const MARKS: Readonly<Record<string, TextKey>> = {
  retained: "mark.retained",
  future: "mark.future",
  untimed: "mark.untimed",
  bad_position: "mark.bad_position",
};

export function LastValues({ values }: { values: readonly LastValue[] }) {
  if (values.length === 0) return <p class="state">{t("device.values.none")}</p>;
  return (
    <table class="table values">
      <thead>
        <tr>
          <th scope="col">{t("device.metric")}</th>
          <th scope="col" class="right">{t("device.value")}</th>
          <th scope="col">{t("quality.label")}</th>
          <th scope="col" class="right">{t("device.age")}</th>
        </tr>
      </thead>
      <tbody>
        {values.map((value) => (
          <ValueRow key={value.metric} value={value} />
        ))}
      </tbody>
    </table>
  );
}

function ValueRow({ value }: { value: LastValue }) {
  const stale = value.stale || (now.value - Date.parse(value.time)) / 1000 > value.max_age_s;
  const doubtful = value.quality === "suspect" || value.quality === "fail" || value.quality === "missing";
  return (
    <tr class={stale ? "stale" : ""}>
      <th scope="row">{metricName(value.metric)}</th>
      <td class="right value">{value.quality === "missing" ? t("value.none") : valueWithUnit(value.value, metricOf(value.metric))}</td>
      <td>
        <span class={doubtful ? "badge badge-doubt" : "muted"}>{t(`quality.${value.quality}`)}</span>
        {value.marks.map((mark) => {
          const key = MARKS[mark];
          return (
            <span key={mark} class="badge">
              {key ? t(key) : mark}
            </span>
          );
        })}
      </td>
      <td class="right">
        {stale && (
          <span class="badge" title={t("device.stale.why", { age: span(value.max_age_s) })}>
            {t("device.stale")}
          </span>
        )}{" "}
        <Age at={value.time} />
      </td>
    </tr>
  );
}
