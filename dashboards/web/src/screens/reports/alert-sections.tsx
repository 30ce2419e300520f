/** The alerts of a report: by severity with answers, by hour, rule, zone and device. */
import { SEVERITIES } from "../../api/codes";
import { number } from "../../format/number";
import { minuteTime, span } from "../../format/time";
import { counted, local, t, type TextKey } from "../../i18n";
import { to } from "../../router";
import { DataTable } from "../../ui/data-table";
import { SeverityMark, SeverityWord } from "../../ui/marks";
import type { Day } from "./day";
import type { AlertFigures, Line } from "./figures";

const SHOWN = 10;

export function AlertSections({ figures, total, day }: { figures: AlertFigures; total: number; day: Day }) {
  return (
    <>
      <section>
        <h3>{t("report.alerts")}</h3>
        <p class="lead">{counted("report.fired", total)}</p>
        <DataTable>
          <thead>
            <tr>
              <th scope="col">{t("severity.label")}</th>
              <th scope="col" class="right">{t("report.count")}</th>
              <th scope="col" class="right">{t("report.answered")}</th>
              <th scope="col" class="right">{t("report.median")}</th>
              <th scope="col" class="right">{t("report.p90")}</th>
              <th scope="col" class="right">{t("report.lasted")}</th>
            </tr>
          </thead>
          <tbody>
            {figures.severities.map((line) => (
              <tr key={line.severity}>
                <th scope="row"><SeverityWord severity={line.severity} /></th>
                <td class="right value">{number(line.alerts)}</td>
                <td class="right">{line.alerts === 0 ? t("value.none") : t("report.part", { n: number(line.answered), share: number((line.answered / line.alerts) * 100) })}</td>
                <td class="right">{line.medianS === null ? t("value.none") : span(line.medianS)}</td>
                <td class="right">{line.p90S === null ? t("value.none") : span(line.p90S)}</td>
                <td class="right">{line.lastedS === null ? t("value.none") : span(line.lastedS)}</td>
              </tr>
            ))}
          </tbody>
        </DataTable>
        {total > 0 && <Hours hours={figures.hours} day={day} />}
      </section>
      <Ranking title="report.rules" lines={figures.rules} />
      <Ranking title="report.zones" lines={figures.zones} href={to.zone} />
      <Ranking title="report.devices" lines={figures.devices} href={to.device} />
    </>
  );
}

/** Bars without a library: they print as sharp as letters. */
function Hours({ hours, day }: { hours: readonly number[]; day: Day }) {
  const most = Math.max(1, ...hours);
  return (
    <figure class="report-hours">
      <figcaption>{t("report.hours", { n: number(most) })}</figcaption>
      <svg viewBox={`0 0 ${hours.length * 10} 60`} preserveAspectRatio="none" role="img" aria-label={hours.map((count, at) => `${minuteTime(day.from + at * 3_600_000)} ${count}`).join(", ")}>
        {hours.map((count, at) => (
          <rect key={at} x={at * 10 + 1} width={8} y={60 - (count / most) * 58} height={(count / most) * 58} />
        ))}
      </svg>
      <p class="report-hour-names" aria-hidden="true">
        <span>{minuteTime(day.from)}</span>
        <span>{minuteTime(day.to)}</span>
      </p>
    </figure>
  );
}

function Ranking({ title, lines, href }: { title: TextKey; lines: readonly Line[]; href?: (id: string) => string }) {
  if (lines.length === 0) return null;
  return (
    <section class="report-ranking">
      <h3>{t(title)}</h3>
      <DataTable>
        <tbody>
          {lines.slice(0, SHOWN).map((line) => (
            <tr key={line.id}>
              <th scope="row">{href ? <a href={href(line.id)}>{local(line.name)}</a> : local(line.name)}</th>
              <td class="report-severities">
                {SEVERITIES.map((severity) => line.bySeverity[severity] > 0 && (
                  <span key={severity} class="worded">
                    <SeverityMark severity={severity} label />
                    {number(line.bySeverity[severity])}
                  </span>
                ))}
              </td>
              <td class="right value">{number(line.alerts)}</td>
            </tr>
          ))}
        </tbody>
      </DataTable>
      {lines.length > SHOWN && <p class="hint">{t("report.others", { n: number(lines.length - SHOWN) })}</p>}
    </section>
  );
}
