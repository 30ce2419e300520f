/** Whether this happened before: the same rule at the same place, and in the same zone. */
import { alertWork } from "../../api/alerts";
import type { AlertDetail, AlertGlance, Page } from "../../api/types";
import { number } from "../../format/number";
import { shortTime, span } from "../../format/time";
import { counted, t } from "../../i18n";
import { to } from "../../router";
import { zoneName } from "../../state/city";
import { now, serverNow } from "../../state/clock";
import { useResource } from "../../state/resource";
import { Age } from "../../ui/age";
import { SeverityWord } from "../../ui/marks";
import { Panel } from "../../ui/panel";
import { ResourceView } from "../../ui/resource-view";

const DAY_MS = 86_400_000;
const BACK_DAYS = 30;
/** More than these are counted as "at least". */
const COUNTED = 500;
const SHOWN = 5;

export function Similar({ alert }: { alert: AlertDetail }) {
  const { subject } = alert;
  const place: Record<string, string> = subject.type === "zone" ? { zone: subject.zone } : { device: subject.device };
  const zone = subject.type === "zone" ? null : (alert.zones[0] ?? null);
  return (
    <Panel title={t("similar.title")} note={t("similar.note", { n: BACK_DAYS })} class="similar">
      <Before alert={alert} title={t(subject.type === "zone" ? "similar.here" : "similar.device")} of={place} />
      {zone !== null && <Before alert={alert} title={t("similar.zone", { zone: zoneName(zone) })} of={{ zone }} />}
    </Panel>
  );
}

function Before({ alert, title, of }: { alert: AlertDetail; title: string; of: Record<string, string> }) {
  const resource = useResource(`similar|${alert.id}|${JSON.stringify(of)}`, (signal) => {
    const from = new Date(serverNow() - BACK_DAYS * DAY_MS).toISOString();
    return alertWork.glances({ ...of, rule: alert.rule.id, state: "all", from, limit: COUNTED }, signal);
  });
  return (
    <section class="similar-part">
      <h3>{title}</h3>
      <ResourceView resource={resource} compact>
        {(page) => <Lines page={page} alert={alert} href={to.alerts({ ...of, rule: alert.rule.id, state: "all" })} />}
      </ResourceView>
    </section>
  );
}

function Lines({ page, alert, href }: { page: Page<AlertGlance>; alert: AlertDetail; href: string }) {
  const others = page.items.filter(({ id }) => id !== alert.id);
  const last = others[0];
  if (last === undefined) return <p class="muted similar-none">{t("similar.none")}</p>;
  const lasted = medianLength(others);
  return (
    <>
      <p>
        <a href={href}>{page.next_cursor === null ? counted("similar.count", others.length) : t("similar.count_more", { n: number(others.length) })}</a>
        <span class="muted"> · {t("similar.last")} <Age at={last.fired_at} past />{lasted !== null && ` · ${t("similar.lasted", { span: span(lasted) })}`}</span>
      </p>
      <ul>
        {others.slice(0, SHOWN).map((each) => (
          <li key={each.id} class={each.state === "resolved" ? "resolved" : ""}>
            <SeverityWord severity={each.severity} />
            <a href={to.alert(each.id)}>{shortTime(each.fired_at, now.value)}</a>
            <span class="muted">{each.resolved_at === null ? t("alert.state.firing") : span((Date.parse(each.resolved_at) - Date.parse(each.fired_at)) / 1000)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

/** In seconds; null while none has ended. */
export function medianLength(alerts: readonly Pick<AlertGlance, "fired_at" | "resolved_at">[]): number | null {
  const lengths = alerts.flatMap(({ fired_at, resolved_at }) => (resolved_at === null ? [] : [(Date.parse(resolved_at) - Date.parse(fired_at)) / 1000])).sort((a, b) => a - b);
  return lengths[Math.floor(lengths.length / 2)] ?? null;
}
