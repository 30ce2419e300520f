/** Buttons that choose a chart's span of time; the choice is in the address. */
import { t } from "../i18n";
import { setQuery } from "../router";
import { RANGES, type Range } from "./ranges";

export function RangeChoice({ range, name = "range" }: { range: Range | null; name?: string }) {
  return (
    <div class="segments" role="group" aria-label={t("chart.range")}>
      {RANGES.map((choice) => (
        <button key={choice} type="button" aria-pressed={choice === range} onClick={() => setQuery({ [name]: choice })}>
          {t(`chart.range.${choice}`)}
        </button>
      ))}
    </div>
  );
}
