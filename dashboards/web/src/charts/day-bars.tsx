/** Alerts of each day as bars: the tried version beside the one in force, and what is acceptable. */
import { number } from "../format/number";
import { dayMonth } from "../format/time";
import { t } from "../i18n";
import { ACCEPTABLE, MANAGEABLE, type Day } from "../rulefile/trial";
import { DataTable } from "../ui/data-table";

const HEIGHT = 140;
const WIDTH = 720;
const LEFT = 40;
const BOTTOM = 20;

export function DayBars({ days, operators, inForce }: { days: readonly Day[]; operators: number; inForce: boolean }) {
  const most = Math.max(1, ...days.flatMap(({ tried, present }) => [tried, present ?? 0]));
  const lines = [ACCEPTABLE * operators, MANAGEABLE * operators].filter((limit) => limit <= most * 1.15);
  const top = Math.max(most * 1.12, ...lines.map((limit) => limit * 1.06));
  const y = (value: number) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - BOTTOM - 8);
  const slot = (WIDTH - LEFT) / days.length;
  const bar = Math.min(26, slot * 0.36);
  const each = Math.ceil(days.length / 10);
  const compares = days.some(({ present }) => present !== null);
  return (
    <figure class="day-bars">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={t("backtest.days")}>
        <line class="bars-axis" x1={LEFT} x2={WIDTH} y1={y(0)} y2={y(0)} />
        <text class="bars-text" x={LEFT - 6} y={y(most) + 4} text-anchor="end">{number(most)}</text>
        <text class="bars-text" x={LEFT - 6} y={y(0) + 4} text-anchor="end">0</text>
        {days.map(({ day, tried, present }, at) => {
          const middle = LEFT + slot * (at + 0.5);
          return (
            <g key={day}>
              {present !== null && <rect class="bar-present" x={middle - bar - 1} y={y(present)} width={bar} height={y(0) - y(present)} />}
              <rect class="bar-tried" x={compares ? middle + 1 : middle - bar / 2} y={y(tried)} width={bar} height={y(0) - y(tried)} />
              {at % each === 0 && <text class="bars-text" x={middle} y={HEIGHT - 5} text-anchor="middle">{dayMonth(`${day}T12:00:00Z`)}</text>}
            </g>
          );
        })}
        {lines.map((limit) => (
          <g key={limit}>
            <line class="bars-limit" x1={LEFT} x2={WIDTH} y1={y(limit)} y2={y(limit)} />
            <text class="bars-text" x={WIDTH - 2} y={y(limit) - 4} text-anchor="end">{t(limit === ACCEPTABLE * operators ? "backtest.acceptable" : "backtest.manageable", { n: number(limit) })}</text>
          </g>
        ))}
      </svg>
      <figcaption class="bars-legend">
        {compares && <span><svg class="key" viewBox="0 0 10 10" aria-hidden="true"><rect class="bar-present" width="10" height="10" /></svg> {t("backtest.present")}</span>}
        <span><svg class="key" viewBox="0 0 10 10" aria-hidden="true"><rect class="bar-tried" width="10" height="10" /></svg> {t(inForce ? "backtest.present" : "backtest.tried")}</span>
      </figcaption>
      <details>
        <summary>{t("backtest.as_table")}</summary>
        <DataTable>
          <thead>
            <tr>
              <th scope="col">{t("backtest.day")}</th>
              {compares && <th scope="col" class="right">{t("backtest.present")}</th>}
              <th scope="col" class="right">{t(inForce ? "backtest.present" : "backtest.tried")}</th>
            </tr>
          </thead>
          <tbody>
            {days.map(({ day, tried, present }) => (
              <tr key={day}>
                <th scope="row">{dayMonth(`${day}T12:00:00Z`)}</th>
                {compares && <td class="right">{present === null ? t("value.none") : number(present)}</td>}
                <td class="right">{number(tried)}</td>
              </tr>
            ))}
          </tbody>
        </DataTable>
      </details>
    </figure>
  );
}
