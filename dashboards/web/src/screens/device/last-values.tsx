/** A device's newest values with unit, age and quality; old ones are shown, pale, with their age. */
import type { LastValue } from "../../api/types";
import { span } from "../../format/time";
import { t, type TextKey } from "../../i18n";
import { metricName } from "../../state/city";
import { now } from "../../state/clock";
import { Age } from "../../ui/age";
import { QualityWord, trustedText } from "../../ui/quality";

const MARKS: Readonly<Record<string, TextKey>> = {
  retained: "mark.retained",
  future: "mark.future",
  untimed: "mark.untimed",
  bad_position: "mark.bad_position",
  derived: "mark.derived",
};

export function LastValues({ values }: { values: readonly LastValue[] }) {
  if (values.length === 0) return <p class="state">{t("device.values.none")}</p>;
  return (
    <ul class="value-tiles">
      {values.map((value) => (
        <ValueTile key={value.metric} value={value} />
      ))}
    </ul>
  );
}

function ValueTile({ value }: { value: LastValue }) {
  const stale = value.stale || (now.value - Date.parse(value.time)) / 1000 > value.max_age_s;
  return (
    <li class={stale ? "stale" : ""} data-metric={value.metric}>
      <span class="name">{metricName(value.metric)}</span>
      <span class="value">{trustedText(value)}</span>
      <span class="about">
        <Age at={value.time} past />
        {stale && (
          <span class="badge" title={t("device.stale.why", { age: span(value.max_age_s) })}>
            {t("device.stale")}
          </span>
        )}
        <QualityWord quality={value.quality} />
        {value.marks.map((mark) => (
          <Mark key={mark} mark={mark} />
        ))}
      </span>
    </li>
  );
}

function Mark({ mark }: { mark: string }) {
  const key = MARKS[mark];
  return <span class="badge">{key ? t(key) : mark}</span>;
}
