/** The fleet by kind: how much of each is heard, and where alerts are. */
import { number } from "../../format/number";
import { counted, t } from "../../i18n";
import { to } from "../../router";
import { kindName } from "../../state/city";
import { fleetCounts, type KindCount } from "../../state/fleet";
import { SeverityMark } from "../../ui/marks";
import { Panel } from "../../ui/panel";

export function Kinds() {
  const kinds = [...(fleetCounts.value?.byKind ?? [])].sort((a, b) => b.total - a.total);
  return (
    <Panel class="kinds" title={t("kinds.title")} note={kinds.length > 0 ? number(kinds.length) : undefined}>
      <ul class="kind-lines">
        {kinds.map((kind) => (
          <KindLine key={kind.kind} kind={kind} />
        ))}
      </ul>
    </Panel>
  );
}

function KindLine({ kind }: { kind: KindCount }) {
  const quiet = kind.total - kind.online;
  const heard = `${(kind.online / kind.total) * 100}%`;
  return (
    <li>
      <a href={to.devices({ kind: kind.kind })}>{kindName(kind.kind)}</a>
      <span class="kind-alerts" title={counted("kinds.alerts", kind.alerting)}>
        {kind.worst !== null && (
          <>
            <SeverityMark severity={kind.worst} />
            <b>{number(kind.alerting)}</b>
          </>
        )}
      </span>
      <span class="kind-bar" aria-hidden="true">
        <span style={{ width: heard }} />
      </span>
      <span class="kind-quiet">{quiet > 0 ? t("kinds.quiet", { n: number(quiet) }) : ""}</span>
      <span class="kind-total">{number(kind.total)}</span>
    </li>
  );
}
