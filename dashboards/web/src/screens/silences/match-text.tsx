/** What a silence means, in words. */
import type { AlertMatch, Weekly } from "../../api/types";
import { local, t } from "../../i18n";
import { departmentName, metricName, zoneName } from "../../state/city";
import { zoneById } from "../../state/city";
import { subjectOf } from "../alerts/load-figures";

export interface MatchPart {
  name: string;
  text: string;
}

export function matchParts(match: AlertMatch, ruleName: (id: string) => string): MatchPart[] {
  const list = (values: readonly string[] | undefined, name: (id: string) => string) => (values ?? []).map(name).join(t("list.and"));
  const parts: MatchPart[] = [
    { name: t("alert.rule"), text: list(match.rule, ruleName) },
    { name: t("actors.subject"), text: list(match.subject, subjectName) },
    { name: t("alert.device"), text: list(match.device, (id) => id) },
    { name: t("alert.zone"), text: list(match.zone, zoneName) },
    { name: t("alert.department"), text: list(match.department, departmentName) },
    ...Object.entries(match.labels ?? {}).map(([label, values]) => ({ name: label, text: values.join(t("list.and")) })),
    { name: t("silence.least"), text: match.severity_at_least ? t(`severity.${match.severity_at_least}`) : "" },
    { name: t("silence.most"), text: match.severity_at_most ? t(`severity.${match.severity_at_most}`) : "" },
  ];
  return parts.filter(({ text }) => text !== "");
}

export function subjectName(text: string): string {
  const { zone, device, metric } = subjectOf(text);
  if (zone !== null) return local(zoneById.value.get(zone)?.properties.name) || zone;
  return metric === null ? (device ?? text) : `${device} · ${metricName(metric)}`;
}

export function weeklyText(weekly: Weekly): string {
  return weekly.spans.map(({ days, from, to }) => `${days.map((day) => t(`weekday.${day}`)).join(t("list.and"))} ${from}–${to}`).join("; ");
}

export function MatchWords({ match, ruleName }: { match: AlertMatch; ruleName(id: string): string }) {
  return (
    <ul class="match-words">
      {matchParts(match, ruleName).map((part) => (
        <li key={part.name}>
          <span class="muted">{part.name}</span> {part.text}
        </li>
      ))}
    </ul>
  );
}
