/** The numbers that compact answers use for statuses, severities and quality flags. */
import type { DeviceStatus, Quality, Severity } from "./types";

export const STATUS_CODES: readonly DeviceStatus[] = ["online", "late", "offline", "never_seen"];

/** Index 0 means: no firing alert. */
export const SEVERITY_CODES: readonly (Severity | null)[] = [null, "low", "medium", "high", "critical"];

/** Worst first. */
export const SEVERITIES: readonly Severity[] = ["critical", "high", "medium", "low"];

/** QARTOD primary flags. */
const QUALITY_CODES: Readonly<Record<number, Quality>> = {
  1: "pass",
  2: "not_evaluated",
  3: "suspect",
  4: "fail",
  9: "missing",
};

export function qualityOfCode(code: number): Quality {
  return QUALITY_CODES[code] ?? "not_evaluated";
}

/** Whether rules and means use such a reading. */
export function isTrusted(code: number): boolean {
  return code === 1 || code === 2;
}

/** 4 for critical down to 1 for low; 0 for none. */
export function severityRank(severity: Severity | null): number {
  return severity === null ? 0 : SEVERITIES.length - SEVERITIES.indexOf(severity);
}
