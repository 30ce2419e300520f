/** How much work the alerts are, against the bounds of ISA-18.2; and who makes the most of it. */
import { alertWork } from "../../api/alerts";
import type { AlarmLoad, PositionLoad } from "../../api/types";
import { number } from "../../format/number";
import { dateTime, span, zoneOffset } from "../../format/time";
import { local, t } from "../../i18n";
import { query, setQuery, to } from "../../router";
import { departmentName, departments, metricName, zoneName } from "../../state/city";
import { serverNow } from "../../state/clock";
import { useDeviceNames } from "../../state/device-names";
import { useResource } from "../../state/resource";
import { Choice } from "../../ui/choice";
import { DataTable } from "../../ui/data-table";
import { DeviceId, DeviceLink } from "../../ui/device-link";
import { CheckIcon, WarnIcon } from "../../ui/icons";
import { SeverityWord } from "../../ui/marks";
import { Panel } from "../../ui/panel";
import { ResourceView } from "../../ui/resource-view";
import { figuresOf, subjectOf, worstVerdict, type LoadFigure, type Verdict } from "./load-figures";
import { positionName } from "./groups";

const RANGES_H = [8, 24, 168, 720] as const;
const REFRESH_MS = 60_000;

export function LoadView() {
  const params = query.value;
  const hours = RANGES_H.find((each) => String(each) === params.get("hours")) ?? 24;
  const department = params.get("department");
  const resource = useResource(
    `load|${hours}|${department ?? ""}`,
    (signal) => alertWork.load({ department, from: new Date(serverNow() - hours * 3_600_000).toISOString() }, signal),
    { everyMs: REFRESH_MS },
  );
  const rules = useResource("rules", (signal) => alertWork.rules(signal)).data ?? [];
  const ruleName = (id: string) => local(rules.find((rule) => rule.id === id)?.name) || id;
  return (
    <>
      <header class="list-head">
        <h1>{t("load.title")}</h1>
        <span class="panel-note">{t("load.why")}</span>
        <span class="list-total" />
        <Choice label={t("alert.department")} value={department ?? ""} options={[["", t("filter.department.any")], ...departments.value.map(({ id, name }) => [id, local(name) || id] as const)]} onChange={(next) => setQuery({ department: next })} />
        <div class="segments" role="group" aria-label={t("chart.range")}>
          {RANGES_H.map((each) => (
            <button key={each} type="button" aria-pressed={hours === each} onClick={() => setQuery({ hours: each === 24 ? null : String(each) })}>
              {span(each * 3600)}
            </button>
          ))}
        </div>
      </header>
      <div class="load-page">
        <ResourceView resource={resource}>
          {(load) => (
            <>
              <CityLoad load={load} only={department} />
              <BadActors load={load} ruleName={ruleName} hours={hours} />
              {department === null && load.departments.length > 1 && <Departments loads={load.departments} />}
            </>
          )}
        </ResourceView>
      </div>
    </>
  );
}

function CityLoad({ load, only }: { load: AlarmLoad; only: string | null }) {
  const position = only === null ? load.city : (load.departments.find(({ position: each }) => each === only) ?? load.city);
  const figures = figuresOf(position);
  return (
    <Panel
      title={only === null ? t("grants.everywhere") : departmentName(only)}
      note={`${dateTime(load.from)} – ${dateTime(load.to)} ${zoneOffset(load.to)} · ${t("load.operators", { n: number(position.operators) })}`}
      actions={<VerdictWord verdict={worstVerdict(figures)} />}
      class="load-panel"
    >
      <dl class="load-sum">
        <div><dt>{t("load.alerts")}</dt><dd>{number(position.alerts)}</dd></div>
        <div><dt>{t("load.standing")}</dt><dd>{number(position.standing)}</dd></div>
        <div><dt>{t("load.floods")}</dt><dd>{number(position.floods)}</dd></div>
      </dl>
      <ul class="load-figures">
        {figures.map((figure) => <Figure key={figure.name} figure={figure} />)}
      </ul>
      <PriorityMix load={position} />
    </Panel>
  );
}

function Figure({ figure }: { figure: LoadFigure }) {
  const { name, value, acceptable, manageable, verdict, percent, decimals, below } = figure;
  const text = (n: number, digits = decimals) => (percent ? `${number(n * 100, digits)}\u2009%` : number(n, digits));
  // Three thirds: acceptable, manageable, beyond.
  const most = Math.max(manageable * 1.5, value * 1.1, acceptable === 0 ? 1 : 0);
  const bound = below ? t("load.below", { n: text(acceptable, 0) }) : acceptable === manageable ? t("load.up_to", { n: text(acceptable, 0) }) : t("load.bounds", { a: text(acceptable, 0), m: text(manageable, 0) });
  return (
    <li class={`load-figure load-${verdict}`}>
      <span class="load-name">{t(`load.${name}`)}</span>
      <strong class="load-value">{text(value)}</strong>
      <Meter value={value} acceptable={acceptable} manageable={manageable} most={most} verdict={verdict} />
      <span class="muted load-bound">{bound}</span>
      <VerdictWord verdict={verdict} />
    </li>
  );
}

/** A bar with its bounds marked; the words beside it say the same. */
function Meter({ value, acceptable, manageable, most, verdict }: { value: number; acceptable: number; manageable: number; most: number; verdict: Verdict }) {
  const x = (n: number) => Math.min(100, (n / most) * 100);
  return (
    <svg class={`meter meter-${verdict}`} viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
      <rect class="meter-ground" x="0" y="2" width="100" height="6" />
      <rect class="meter-value" x="0" y="2" width={x(value)} height="6" />
      {acceptable > 0 && <line class="meter-bound" x1={x(acceptable)} x2={x(acceptable)} y1="0" y2="10" />}
      {manageable > acceptable && <line class="meter-bound far" x1={x(manageable)} x2={x(manageable)} y1="0" y2="10" />}
    </svg>
  );
}

export function VerdictWord({ verdict }: { verdict: Verdict }) {
  return (
    <span class={`verdict verdict-${verdict}`}>
      {verdict === "acceptable" ? <CheckIcon /> : <WarnIcon />} {t(`load.verdict.${verdict}`)}
    </span>
  );
}

function PriorityMix({ load }: { load: PositionLoad }) {
  return (
    <section class="load-mix">
      <h3>{t("load.mix")}</h3>
      <ul>
        {[...load.severities].reverse().map((part) => (
          <li key={part.severity}>
            <SeverityWord severity={part.severity} />
            <strong>{`${number(part.share * 100)}\u2009%`}</strong>
            <svg class={`meter severity-meter bar-${part.severity}`} viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
              <rect class="meter-ground" x="0" y="2" width="100" height="6" />
              <rect class="meter-severity" x="0" y="2" width={part.share * 100} height="6" />
              <line class="meter-bound" x1={part.target * 100} x2={part.target * 100} y1="0" y2="10" />
            </svg>
            <span class="muted">{number(part.alerts)} · {t("load.target", { n: `${number(part.target * 100)}\u2009%` })}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function BadActors({ load, ruleName, hours }: { load: AlarmLoad; ruleName(id: string): string; hours: number }) {
  useDeviceNames(load.bad_actors.flatMap((actor) => subjectOf(actor.subject).device ?? []));
  const together = load.bad_actors.reduce((sum, { share }) => sum + share, 0);
  return (
    <Panel title={t("actors.title")} note={load.bad_actors.length === 0 ? t("actors.none") : t("actors.note", { share: `${number(together * 100)}\u2009%` })} class="bad-actors">
      {load.bad_actors.length > 0 && (
        <div class="table-scroll" tabIndex={0} role="region" aria-label={t("actors.title")}>
          <DataTable>
            <thead>
              <tr>
                <th scope="col">{t("alert.rule")}</th>
                <th scope="col">{t("actors.subject")}</th>
                <th scope="col" class="right">{t("load.alerts")}</th>
                <th scope="col" class="right">{t("actors.share")}</th>
                <th scope="col">{t("actors.habits")}</th>
              </tr>
            </thead>
            <tbody>
              {load.bad_actors.map((actor) => {
                const about = subjectOf(actor.subject);
                const place: Record<string, string> = about.zone === null ? { device: about.device ?? "" } : { zone: about.zone };
                return (
                  <tr key={`${actor.rule}|${actor.subject}`}>
                    <td class="wide"><a href={to.rule(actor.rule)}>{ruleName(actor.rule)}</a><span class="under">{actor.rule}</span></td>
                    <td>
                      {about.zone !== null ? <a href={to.zone(about.zone)}>{zoneName(about.zone)}</a> : <DeviceLink id={about.device ?? ""} />}
                      {about.metric !== null && <span class="under">{metricName(about.metric)}</span>}
                      {about.device !== null && <DeviceId id={about.device} />}
                    </td>
                    <td class="right"><a href={to.alerts({ rule: actor.rule, ...place, state: "all", last: String(hours) })}>{number(actor.alerts)}</a></td>
                    <td class="right">{`${number(actor.share * 100, 1)}\u2009%`}</td>
                    <td>
                      {actor.chattering && <span class="badge" title={t("actors.chattering.why")}>{t("actors.chattering")}</span>}
                      {actor.fleeting > 0 && <span class="badge" title={t("actors.fleeting.why")}>{t("actors.fleeting", { n: number(actor.fleeting) })}</span>}
                      {actor.stale > 0 && <span class="badge" title={t("actors.stale.why")}>{t("actors.stale", { n: number(actor.stale) })}</span>}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </DataTable>
        </div>
      )}
    </Panel>
  );
}

function Departments({ loads }: { loads: readonly PositionLoad[] }) {
  return (
    <Panel title={t("load.departments")} class="load-departments">
      <div class="table-scroll" tabIndex={0} role="region" aria-label={t("load.departments")}>
        <DataTable>
          <thead>
            <tr>
              <th scope="col">{t("alert.department")}</th>
              <th scope="col" class="right">{t("load.alerts")}</th>
              <th scope="col" class="right">{t("load.per_operator_day")}</th>
              <th scope="col" class="right">{t("load.ten_minutes_peak")}</th>
              <th scope="col" class="right">{t("load.standing")}</th>
              <th scope="col" class="right">{t("load.stale")}</th>
              <th scope="col" class="right">{t("load.floods")}</th>
              <th scope="col">{t("load.verdict")}</th>
            </tr>
          </thead>
          <tbody>
            {loads.map((load) => (
              <tr key={load.position}>
                <td class="wide"><a href={to.department(load.position)}>{positionName(load.position)}</a></td>
                <td class="right">{number(load.alerts)}</td>
                <td class="right">{number(load.per_operator_day)}</td>
                <td class="right">{number(load.ten_minutes_peak)}</td>
                <td class="right">{number(load.standing)}</td>
                <td class="right">{number(load.stale)}</td>
                <td class="right">{number(load.floods)}</td>
                <td><VerdictWord verdict={worstVerdict(figuresOf(load))} /></td>
              </tr>
            ))}
          </tbody>
        </DataTable>
      </div>
    </Panel>
  );
}
