/** The data of a report: what came, what is missing, and which devices did worst. */
import type { ComponentChildren } from "preact";
import type { IngestReport, LossItem } from "../../api/platform";
import { number } from "../../format/number";
import { counted, t } from "../../i18n";
import { departmentName } from "../../state/city";
import { useDeviceNames } from "../../state/device-names";
import { completeness, worstDevices } from "./figures";
import { DataTable } from "../../ui/data-table";
import { DeviceId, DeviceLink } from "../../ui/device-link";

const WORST = 15;
const SILENT_SHOWN = 60;
const COLUMNS = ["received", "stored", "duplicate", "dead_lettered", "missed"] as const;

interface Props {
  books: IngestReport;
  devices: IngestReport;
  registered: number;
  department: string | null;
}

export function DataSections({ books, devices, registered, department }: Props) {
  const items = department === null ? books.items : books.items.filter((item) => item.id === department);
  const whole = department === null ? books.total : (items[0] ?? null);
  const complete = whole === null ? null : completeness(whole);
  const silent = books.silent_devices;
  const silentShown = silent.ids.slice(0, SILENT_SHOWN);
  const worst = worstDevices(devices.items, WORST);
  useDeviceNames(department === null ? [...worst.map(({ id }) => id), ...silentShown] : []);
  return (
    <>
      <section>
        <h3>{t("report.data")}</h3>
        <p class="lead">
          {complete === null ? t("report.data.none") : t("report.data.complete", { share: number(complete * 100, 2) })}
          {` · ${books.balanced ? t("check.books.good") : t("check.books.bad")}`}
        </p>
        <div class="table-frame" tabIndex={0} role="region" aria-label={t("report.data")}>
          <DataTable>
            <thead>
              <tr>
                <th scope="col">{t(department === null ? "system.by.source" : "system.by.department")}</th>
                {COLUMNS.map((column) => (
                  <th key={column} scope="col" class="right">{t(`loss.${column}`)}</th>
                ))}
                <th scope="col" class="right">{t("report.complete")}</th>
              </tr>
            </thead>
            <tbody>
              {items.map((item) => (
                <CounterLine key={item.id} item={item} name={department === null ? item.id : departmentName(item.id)} />
              ))}
              {department === null && <CounterLine item={{ ...books.total, id: "total" }} name={t("loss.total")} />}
            </tbody>
          </DataTable>
        </div>
      </section>
      {department === null && (
        <section>
          <h3>{t("report.silent")}</h3>
          <p class="lead">{counted("report.silent.count", silent.count, { total: number(registered) })}</p>
          {silent.count > 0 && (
            <p class="report-devices">
              {silentShown.map((id) => (
                <span key={id}>
                  <DeviceLink id={id} /> <DeviceId id={id} />
                </span>
              ))}
              {silent.count > SILENT_SHOWN && <span class="muted">{t("report.others", { n: number(silent.count - SILENT_SHOWN) })}</span>}
            </p>
          )}
        </section>
      )}
      {department === null && (
        <section>
          <h3>{t("report.worst")}</h3>
          {worst.length === 0 ? <p class="lead">{t("report.worst.none")}</p> : (
            <DataTable>
              <thead>
                <tr>
                  <th scope="col">{t("alert.device")}</th>
                  {COLUMNS.map((column) => (
                    <th key={column} scope="col" class="right">{t(`loss.${column}`)}</th>
                  ))}
                  <th scope="col" class="right">{t("report.complete")}</th>
                </tr>
              </thead>
              <tbody>
                {worst.map((item) => (
                  <CounterLine key={item.id} item={item} name={<><DeviceLink id={item.id} /><DeviceId id={item.id} /></>} />
                ))}
              </tbody>
            </DataTable>
          )}
        </section>
      )}
    </>
  );
}

function CounterLine({ item, name }: { item: LossItem; name: ComponentChildren }) {
  const complete = completeness(item);
  return (
    <tr>
      <th scope="row">{name}</th>
      {COLUMNS.map((column) => (
        <td key={column} class="right">{number(item[column])}</td>
      ))}
      <td class="right">{complete === null ? t("value.none") : `${number(complete * 100, 2)} %`}</td>
    </tr>
  );
}
