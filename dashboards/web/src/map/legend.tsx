/** What the shapes on the map mean. */
import { SEVERITIES } from "../api/codes";
import { t } from "../i18n";
import { MovingMark, SeverityWord, StatusMark, StatusWord } from "../ui/marks";

interface Props {
  /** Whether the map shows the past, where nothing is offline: who was silent then is not kept. */
  past?: boolean;
}

export function Legend({ past = false }: Props) {
  return (
    <ul class="legend" aria-label={t("map.legend")}>
      {SEVERITIES.map((severity) => (
        <li key={severity}>
          <SeverityWord severity={severity} />
        </li>
      ))}
      {!past && (
        <li>
          <StatusWord status="offline" />
        </li>
      )}
      <li>
        <StatusWord status="late" />
      </li>
      <li>
        <span class="worded">
          <StatusMark status="online" />
          {t("map.legend.normal")}
        </span>
      </li>
      <li>
        <span class="worded">
          <MovingMark />
          {t("map.legend.moving")}
        </span>
      </li>
    </ul>
  );
}
