/** How far a value can be trusted, in words: doubted ones stand out, wherever a value is shown. */
import type { LastValue, Quality } from "../api/types";
import { valueWithUnit } from "../format/number";
import { t } from "../i18n";
import { metricOf } from "../state/city";

export function isDoubtful(quality: Quality): boolean {
  return quality === "suspect" || quality === "fail" || quality === "missing";
}

export function QualityWord({ quality }: { quality: Quality }) {
  return <span class={isDoubtful(quality) ? "badge badge-doubt" : "muted"}>{t(`quality.${quality}`)}</span>;
}

/** The value with its unit; a placeholder that stands for no value is never shown as one. */
export function trustedText({ value, quality, metric }: Pick<LastValue, "value" | "quality" | "metric">): string {
  return quality === "missing" ? t("value.none") : valueWithUnit(value, metricOf(metric));
}
