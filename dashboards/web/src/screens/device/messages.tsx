/** What became of a device's messages: the ledger that adds up, what came late, and what could not be read. */
import { lossOf, places, type LateDecided } from "../../api/places";
import type { Device, DeviceCounters } from "../../api/types";
import { number } from "../../format/number";
import { dateTime, span, zoneOffset } from "../../format/time";
import { t } from "../../i18n";
import { query, setQuery } from "../../router";
import { metricName } from "../../state/city";
import { useResource } from "../../state/resource";
import { whyNot } from "../../state/rights";
import { isAtLeast } from "../../state/session";
import { Age } from "../../ui/age";
import { DataTable } from "../../ui/data-table";
import { FileLinks } from "../../ui/file-links";
import { Panel } from "../../ui/panel";
import { ResourceView } from "../../ui/resource-view";
import { DeadLetters } from "./dead-letters";

const REFRESH_MS = 15_000;
const LATE_SHOWN = 100;
const LETTERS_SHOWN = 50;

export function Messages({ device }: { device: Device }) {
  const ask = { device: device.id };
  const letters = useResource(`letters|${device.id}`, (signal) => places.deadLetters({ ...ask, limit: LETTERS_SHOWN }, signal), { everyMs: REFRESH_MS });
  const open = query.value.get("letter");
  return (
    <div class="columns">
      <div class="column-main">
        <Panel title={t("letters.title")} note={t("letters.why")} actions={<FileLinks path="/dead-letters" query={ask} name={`${device.id}-dead-letters`} formats={["csv"]} />}>
          <ResourceView resource={letters} compact>
            {(page) => (page.items.length === 0 ? <p class="state">{t("device.letters.none")}</p> : <DeadLetters letters={page.items} more={page.next_cursor !== null} open={open} onOpen={(letter) => setQuery({ letter: letter === open ? null : letter })} />)}
          </ResourceView>
        </Panel>
        <Late device={device.id} />
      </div>
      <div class="column-side">
        <Ledger device={device} />
      </div>
    </div>
  );
}

/** What is received is stored, a duplicate, a dead letter, or not durable yet: nothing else. */
export function inFlightOf({ received, stored, duplicate, dead_lettered }: DeviceCounters): number {
  return Math.max(0, received - stored - duplicate - dead_lettered);
}

function Ledger({ device }: { device: Device }) {
  const { counters } = device;
  const loss = useResource(`loss|${device.id}`, (signal) => lossOf(device.id, signal));
  const missed = loss.data?.missed ?? null;
  const sum = [
    ["stored", counters.stored],
    ["duplicate", counters.duplicate],
    ["dead_lettered", counters.dead_lettered],
    ["in_flight", inFlightOf(counters)],
  ] as const;
  return (
    <Panel title={t("device.counters")} note={t("ledger.why")} class="ledger">
      <DataTable>
        <tbody>
          <tr class="ledger-sum">
            <th scope="row">{t("device.counter.received")}</th>
            <td class="right value">{number(counters.received)}</td>
            <td />
          </tr>
          {sum.map(([name, count], at) => (
            <tr key={name}>
              <th scope="row">
                <span class="ledger-sign" aria-hidden="true">{at === 0 ? "=" : "+"}</span> {t(`device.counter.${name}`)}
              </th>
              <td class="right">{number(count)}</td>
              <td class="right muted">{shareText(count, counters.received)}</td>
            </tr>
          ))}
          <tr class="ledger-missed">
            <th scope="row">
              {t("ledger.missed")}
              <span class="under">{t("ledger.missed.why")}</span>
            </th>
            <td class="right">
              <ResourceView resource={loss} compact>
                {() => (missed === null ? t("value.none") : number(missed))}
              </ResourceView>
            </td>
            <td class="right muted">{missed !== null && shareText(missed, missed + counters.received)}</td>
          </tr>
        </tbody>
      </DataTable>
      {loss.data === null && loss.error === null && !loss.loading && <p class="panel-text muted">{t("ledger.nothing")}</p>}
    </Panel>
  );
}

export function shareText(part: number, whole: number): string {
  if (whole === 0 || part === 0) return "";
  const percent = (100 * part) / whole;
  return percent < 0.01 ? `< ${number(0.01, 2)}\u2009%` : `${number(percent, percent < 10 ? 2 : 1)}\u2009%`;
}

function Late({ device }: { device: string }) {
  // The server tells only engineers, of any department.
  const allowed = isAtLeast("engineer");
  const resource = useResource(allowed ? `late|${device}` : null, (signal) => places.lateReadings({ device, limit: LATE_SHOWN }, signal), { everyMs: REFRESH_MS });
  return (
    <Panel title={t("late.title")} note={t("late.why")}>
      {!allowed ? (
        <p class="state">{whyNot("engineer", null)}</p>
      ) : (
        <ResourceView resource={resource} compact>
          {(page) => (page.items.length === 0 ? <p class="state">{t("late.none")}</p> : <LateTable items={page.items} more={page.next_cursor !== null} />)}
        </ResourceView>
      )}
    </Panel>
  );
}

function LateTable({ items, more }: { items: readonly LateDecided[]; more: boolean }) {
  return (
    <div class="short-table" tabIndex={0} role="region" aria-label={t("late.title")}>
      <DataTable>
        <thead>
          <tr>
            <th scope="col">{t("late.time")}</th>
            <th scope="col" class="right">{t("late.by")}</th>
            <th scope="col">{t("device.metric")}</th>
            <th scope="col">{t("late.decision")}</th>
            <th scope="col" class="right">{t("late.received")}</th>
          </tr>
        </thead>
        <tbody>
          {items.map((item, at) => (
            <tr key={`${item.time} ${item.metric ?? ""} ${at}`}>
              <td>
                <time dateTime={item.time} title={zoneOffset(item.time)}>{dateTime(item.time)}</time>
              </td>
              <td class="right">{span((Date.parse(item.received) - Date.parse(item.time)) / 1000)}</td>
              <td>{item.metric !== null && metricName(item.metric)}</td>
              <td class="wide">
                {t(`late.decision.${item.decision}`)}
                <span class="under">{whyLate(item)}</span>
              </td>
              <td class="right"><Age at={item.received} past /></td>
            </tr>
          ))}
        </tbody>
      </DataTable>
      {more && <p class="panel-text muted">{t("late.more", { n: number(items.length) })}</p>}
    </div>
  );
}

function whyLate({ decision, rule, rules, newest }: LateDecided): string {
  if (decision === "out_of_order") return newest === null ? "" : t("late.after", { time: dateTime(newest) });
  return [rules === null ? "" : t("late.rules", { n: number(rules) }), rule ?? ""].filter((part) => part !== "").join(" · ");
}
