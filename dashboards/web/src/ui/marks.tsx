/** Shapes for severities and statuses: never colour alone, and the same shapes as on the map. */
import type { DeviceStatus, Severity } from "../api/types";
import { t } from "../i18n";

/** In a box of 16 by 16. */
export const SHAPES: Readonly<Record<Severity, preact.JSX.Element>> = {
  critical: <rect x="3" y="3" width="10" height="10" />,
  high: <path d="M8 1.5 14.5 8 8 14.5 1.5 8z" />,
  medium: <path d="M8 2 14.5 13.5h-13z" />,
  low: <circle cx="8" cy="8" r="5" />,
};

const STATUS_SHAPES: Readonly<Record<DeviceStatus, preact.JSX.Element>> = {
  online: <circle class="mark-dot" cx="8" cy="8" r="3" />,
  late: <circle class="mark-late" cx="8" cy="8" r="3.6" />,
  offline: <path class="mark-off" d="M8 3.4a4.6 4.6 0 1 0 0 9.2 4.6 4.6 0 0 0 0-9.2M4.9 11.1l6.2-6.2" />,
  never_seen: <circle class="mark-never" cx="8" cy="8" r="4.4" />,
};

/** The shape alone; the word stands beside it, or in `label` for those who cannot see it. */
export function SeverityMark({ severity, label = false }: { severity: Severity; label?: boolean }) {
  return (
    <svg class={`mark severity-${severity}`} viewBox="0 0 16 16" {...(label ? { role: "img", "aria-label": t(`severity.${severity}`) } : { "aria-hidden": "true" })}>
      {SHAPES[severity]}
    </svg>
  );
}

export function SeverityWord({ severity }: { severity: Severity }) {
  return (
    <span class="worded">
      <SeverityMark severity={severity} />
      {t(`severity.${severity}`)}
    </span>
  );
}

export function StatusMark({ status }: { status: DeviceStatus }) {
  return (
    <svg class="mark" viewBox="0 0 16 16" aria-hidden="true">
      {STATUS_SHAPES[status]}
    </svg>
  );
}

export function StatusWord({ status }: { status: DeviceStatus }) {
  return (
    <span class={`worded status-${status}`}>
      <StatusMark status={status} />
      {t(`status.${status}`)}
    </span>
  );
}

export function MovingMark() {
  return (
    <svg class="mark" viewBox="0 0 16 16" aria-hidden="true">
      <circle class="mark-moving" cx="8" cy="8" r="4.2" />
      <circle class="mark-dot" cx="8" cy="8" r="2.8" />
    </svg>
  );
}
