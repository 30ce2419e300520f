/** The limits that a chart of an alert shows: what raised it, what clears it, and the rule's other severities. */
import type { AlertDetail, RuleWithLimits, Severity } from "../../api/types";
import type { ChartLimit } from "../../charts/options";
import { number } from "../../format/number";
import { t } from "../../i18n";

export interface Limits {
  limit: ChartLimit | null;
  others: readonly ChartLimit[];
}

export const NO_LIMITS: Limits = { limit: null, others: [] };

/**
 * Whether the limit is one of the metric's values. A rate, a length of time, a count of devices or how unusual
 * something is has another unit or none, and no place on the axis of the readings.
 */
export function isOfReadings(alert: Pick<AlertDetail, "unit">, symbol: string | undefined): boolean {
  return symbol === undefined || alert.unit === symbol;
}

type Told = Pick<AlertDetail, "limit" | "severity" | "state" | "unit"> & { rule: { version: string } };

/** What the rule says counts only while it is the version that raised the alert. */
export function limitsOf(alert: Told, rule: Pick<RuleWithLimits, "version" | "severities"> | null, decimals: number): Limits {
  const unit = alert.unit ?? "";
  const text = (word: string, value: number) => `${word} ${number(value, decimals)} ${unit}`.trim();
  const colour = (severity: Severity) => `${severity}-line`;
  const same = rule !== null && rule.version === alert.rule.version ? rule.severities : [];
  const own = same.find(({ severity }) => severity === alert.severity);
  // A device may have limits of its own, so what the alert itself says goes first.
  const raise = alert.state === "firing" ? (alert.limit ?? own?.limit ?? null) : (own?.limit ?? null);
  const clear = alert.state === "resolved" ? (alert.limit ?? own?.clear ?? null) : own !== undefined && own.limit === alert.limit ? own.clear : null;
  if (raise === null) {
    return { limit: clear === null ? null : { value: clear, label: text(t("alert.limit.end"), clear), colour: colour(alert.severity) }, others: [] };
  }
  const limit: ChartLimit = { value: raise, label: text(t("chart.limit"), raise), colour: colour(alert.severity), ...(clear !== null && clear !== raise && { clear: { value: clear, label: text(t("alert.limit.end"), clear) } }) };
  const others = same
    .filter((step) => step.limit !== null && step.limit !== raise && step.severity !== alert.severity)
    .map((step) => ({ value: step.limit as number, label: text(t(`severity.${step.severity}`), step.limit as number), colour: colour(step.severity) }));
  return { limit, others };
}
