/** The alarm load of a report against what ISA-18.2 calls acceptable and manageable. */
import type { AlarmLoad, PositionLoad } from "../../api/platform";
import { number } from "../../format/number";
import { t, type TextKey } from "../../i18n";
import { departmentName } from "../../state/city";
import { DataTable } from "../../ui/data-table";
import { CheckIcon, WarnIcon } from "../../ui/icons";

/** Up to the first it is acceptable, up to the second manageable (ISA-18.2, IEC 62682). */
const BOUNDS: readonly (readonly [name: TextKey, figure: (load: PositionLoad) => number, acceptable: number, manageable: number, decimals: number, percent: boolean])[] = [
  ["report.load.day", (load) => load.per_operator_day, 144, 288, 0, false],
  ["report.load.mean", (load) => load.ten_minutes_mean, 1, 2, 2, false],
  ["report.load.peak", (load) => load.ten_minutes_peak, 10, 10, 0, false],
  ["report.load.hours", (load) => load.hours_over_30, 0.01, 0.01, 1, true],
  ["report.load.flood", (load) => load.flood_share, 0.01, 0.01, 2, true],
  ["report.load.stale", (load) => load.stale, 4, 4, 0, false],
  ["report.load.chattering", (load) => load.chattering, 0, 0, 0, false],
];

export function LoadSection({ load, department }: { load: AlarmLoad; department: string | null }) {
  const positions = department === null ? [load.city, ...load.departments] : load.departments.filter((each) => each.position === department);
  const shown = positions.length > 0 ? positions : [load.city];
  return (
    <section>
      <h3>{t("report.load")}</h3>
      <p class="hint">{t("report.load.why")}</p>
      <div class="table-frame" tabIndex={0} role="region" aria-label={t("report.load")}>
        <DataTable>
          <thead>
            <tr>
              <th scope="col">{t("report.load.figure")}</th>
              <th scope="col" class="right">{t("report.load.bound")}</th>
              {shown.map((each) => (
                <th key={each.position} scope="col" class="right">{each.position === "city" ? t("grants.everywhere") : departmentName(each.position)}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {BOUNDS.map(([name, figureOf, acceptable, manageable, decimals, percent]) => (
              <tr key={name}>
                <th scope="row">{t(name)}</th>
                <td class="right muted">{acceptable === manageable ? text(acceptable, percent ? 0 : decimals, percent) : `${text(acceptable, 0, percent)} / ${text(manageable, 0, percent)}`}</td>
                {shown.map((each) => {
                  const value = Math.abs(figureOf(each));
                  const verdict = value <= acceptable ? "good" : value <= manageable ? "manageable" : "over";
                  return (
                    <td key={each.position} class={`right load-${verdict}`}>
                      {text(value, decimals, percent)} {verdict === "good" ? <CheckIcon /> : <WarnIcon />}
                      <span class="spoken">{t(`report.load.${verdict}`)}</span>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </DataTable>
      </div>
    </section>
  );
}

function text(value: number, decimals: number, percent: boolean): string {
  return percent ? `${number(value * 100, decimals)} %` : number(value, decimals);
}
