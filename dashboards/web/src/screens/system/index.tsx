/** How the platform itself is doing: checks first, then the way of the data from devices to receivers. */
import { useEffect, useRef } from "preact/hooks";
import "../../styles/platform.css";
import { ApiError } from "../../api/client";
import { meanOf, platform, platformMetrics, total, type BrokerStatus, type Loss, type Samples } from "../../api/platform";
import type { System } from "../../api/types";
import { Sparkline } from "../../charts/sparkline";
import { figure, number } from "../../format/number";
import { dateTime, span, zoneOffset } from "../../format/time";
import { t } from "../../i18n";
import { query, setQuery, to } from "../../router";
import { departmentName, rateTrace, system } from "../../state/city";
import { now, serverNow } from "../../state/clock";
import { linkWord } from "../../state/live";
import { useResource, type Resource } from "../../state/resource";
import { whyNot } from "../../state/rights";
import { isAtLeast } from "../../state/session";

import { Age } from "../../ui/age";
import { DataTable } from "../../ui/data-table";
import { CheckIcon, WarnIcon, CloseIcon } from "../../ui/icons";
import { Facts, Panel } from "../../ui/panel";
import { ResourceView } from "../../ui/resource-view";
import { bytes, checksOf, type Check } from "./checks";

const EVERY_MS = 5_000;
const SLOW_MS = 30_000;

type FullSystem = System & { brokers?: BrokerStatus[] };

export function SystemScreen() {
  const by = query.value.get("by") === "department" ? "department" : "source";
  const samples = useResource("platform-metrics", (signal) => platformMetrics(signal), { everyMs: EVERY_MS });
  const loss = useResource(`loss|${by}`, (signal) => platform.loss({ by }, signal), { everyMs: EVERY_MS });
  const about = system.value as FullSystem | null;
  return (
    <div class="page platform">
      <header class="list-head">
        <h1>{t("system.title")}</h1>
        <span class="list-total">{t("system.why")}</span>
      </header>
      <div class="columns">
        <div class="column-main">
          <Checks about={about} samples={samples.data} loss={loss.data} />
          <Ingest about={about} samples={samples.data} loss={loss} by={by} />
        </div>
        <div class="column-side">
          <Version about={about} />
          <Store samples={samples} />
          <Engine samples={samples.data} about={about} />
          <Connections samples={samples.data} about={about} />
          <Receivers about={about} />
          <Clients />
        </div>
      </div>
    </div>
  );
}

function Checks({ about, samples, loss }: { about: FullSystem | null; samples: Samples | null; loss: Loss | null }) {
  const checks = checksOf({ system: about, samples, loss, clockOffMs: serverNow() - Date.now(), streamLive: linkWord.value === "live", nowMs: now.value });
  const troubled = checks.filter((check) => check.verdict === "bad" || check.verdict === "warn").length;
  return (
    <Panel title={t("check.title")} note={troubled === 0 ? t("check.all_good") : t("check.some", { n: number(troubled) })} class="checks">
      <ul>
        {checks.map((check) => (
          <li key={check.id} class={`check check-${check.verdict}`} data-check={check.id}>
            <CheckMark check={check} />
            <strong>{t(`check.name.${check.id}`)}</strong>
            <span>{check.text}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function CheckMark({ check }: { check: Check }) {
  return (
    <span class="check-mark">
      {check.verdict === "good" ? <CheckIcon /> : check.verdict === "bad" ? <CloseIcon /> : check.verdict === "warn" ? <WarnIcon /> : <span aria-hidden="true">?</span>}
      {t(`verdict.${check.verdict}`)}
    </span>
  );
}

function Ingest({ about, samples, loss, by }: { about: FullSystem | null; samples: Samples | null; loss: Resource<Loss>; by: "source" | "department" }) {
  const rates = useRates(loss, by);
  const commit = meanOf(samples, "pipeline_commit_seconds");
  return (
    <Panel
      title={t("system.ingest")}
      note={about ? t("system.rate", { n: figure(about.readings_per_s) }) : undefined}
      actions={
        <>
          <Sparkline values={rateTrace.value} label={t("figure.rate.trace")} />
          <div class="segments" role="group" aria-label={t("system.by")}>
            {(["source", "department"] as const).map((each) => (
              <button key={each} type="button" aria-pressed={each === by} onClick={() => setQuery({ by: each === "source" ? null : each })}>
                {t(`system.by.${each}`)}
              </button>
            ))}
          </div>
        </>
      }
    >
      <dl class="tiles">
        <Tile name={t("figure.newest")} value={about?.last_reading_at ? <Age at={about.last_reading_at} past /> : t("figure.none_yet")} />
        <Tile name={t("system.in_flight")} value={about ? number(about.in_flight) : t("value.none")} />
        <Tile name={t("system.commit")} value={commit === null ? t("value.none") : `${number(commit * 1000, 1)} ms`} />
        <Tile name={t("system.oldest_open")} value={seconds(total(samples, "pipeline_oldest_open_seconds"))} />
      </dl>
      <ResourceView resource={loss} compact>
        {(held) => <LossTable loss={held} rates={rates} by={by} />}
      </ResourceView>
      <p class="hint">{t("system.loss.why")}</p>
    </Panel>
  );
}

function Tile({ name, value }: { name: string; value: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function seconds(value: number | null): string {
  return value === null ? t("value.none") : value < 1 ? `${number(value * 1000)} ms` : span(value);
}

/** Readings a second of each line, from what was counted between two answers. */
function useRates(loss: Resource<Loss>, by: string): ReadonlyMap<string, number> {
  const before = useRef<{ at: number; by: string; counts: Map<string, number> } | null>(null);
  const rates = useRef<Map<string, number>>(new Map());
  const { data, at } = loss;
  useEffect(() => {
    if (data === null || at === null) return;
    const counts = new Map(data.items.map((item) => [item.id, item.received]));
    const last = before.current;
    if (last && last.by === by && at > last.at) {
      rates.current = new Map([...counts].flatMap(([id, count]) => (last.counts.has(id) ? [[id, Math.max(0, ((count - (last.counts.get(id) ?? 0)) * 1000) / (at - last.at))]] : [])));
    } else {
      rates.current = new Map();
    }
    before.current = { at, by, counts };
  }, [data, at, by]);
  return rates.current;
}

const COLUMNS = ["received", "stored", "duplicate", "dead_lettered", "missed"] as const;

function LossTable({ loss, rates, by }: { loss: Loss; rates: ReadonlyMap<string, number>; by: "source" | "department" }) {
  return (
    <div class="table-frame" tabIndex={0} role="region" aria-label={t("system.ingest")}>
      <DataTable>
        <thead>
          <tr>
            <th scope="col">{t(`system.by.${by}`)}</th>
            <th scope="col" class="right">{t("system.per_second")}</th>
            {COLUMNS.map((column) => (
              <th key={column} scope="col" class="right">{t(`loss.${column}`)}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {loss.items.map((item) => (
            <tr key={item.id}>
              <th scope="row">{by === "department" ? departmentName(item.id) : item.id}</th>
              <td class="right">{rates.has(item.id) ? number(rates.get(item.id) ?? 0, 1) : t("value.none")}</td>
              {COLUMNS.map((column) => (
                <td key={column} class={item[column] > 0 && (column === "dead_lettered" || column === "missed") ? "right value" : "right"}>{number(item[column])}</td>
              ))}
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">{t("loss.total")}</th>
            <td class="right">{t("value.none")}</td>
            {COLUMNS.map((column) => (
              <td key={column} class="right">{number(loss.total[column])}</td>
            ))}
          </tr>
        </tfoot>
      </DataTable>
    </div>
  );
}

function Version({ about }: { about: FullSystem | null }) {
  if (!about) return null;
  return (
    <Panel title={t("system.versions")}>
      <Facts
        items={[
          [t("system.version"), about.version],
          [t("system.mode"), t(`system.mode.${about.mode}`)],
          [t("system.started"), `${dateTime(about.started_at)} ${zoneOffset(about.started_at)}`],
          [t("system.uptime"), span((now.value - Date.parse(about.started_at)) / 1000)],
          [t("system.server_clock"), `${dateTime(now.value)} ${zoneOffset(now.value)}`],
          [t("system.zone"), about.city.time_zone],
          ["API", <a href="/api/v1/docs" target="_blank" rel="noreferrer">{t("system.api")}</a>],
        ]}
      />
    </Panel>
  );
}

function Store({ samples }: { samples: Resource<Samples | null> }) {
  return (
    <Panel title={t("system.store")}>
      <ResourceView resource={samples} compact>
        {(held) => (held === null ? <p class="state">{t("system.no_metrics")}</p> : <StoreFacts samples={held} />)}
      </ResourceView>
    </Panel>
  );
}

function StoreFacts({ samples }: { samples: Samples }) {
  const [free, size, own] = [total(samples, "data_disk_free_bytes"), total(samples, "data_disk_size_bytes"), total(samples, "store_disk_bytes")];
  return (
    <>
      <Facts
        items={[
          [t("system.readings"), count(samples, "store_readings")],
          [t("system.series"), count(samples, "store_series")],
          [t("system.files"), own === null ? t("value.none") : bytes(own)],
          [t("system.letters"), count(samples, "store_dead_letters")],
          [t("system.disk"), free === null || size === null ? t("value.none") : t("system.disk.free", { free: bytes(free), size: bytes(size) })],
        ]}
      />
      {free !== null && size !== null && size > 0 && <meter class="disk" min={0} max={size} high={size * 0.9} value={size - free} aria-label={t("system.disk")} />}
    </>
  );
}

function count(samples: Samples | null, name: string): string {
  const found = total(samples, name);
  return found === null ? t("value.none") : number(found);
}

function Engine({ samples, about }: { samples: Samples | null; about: FullSystem | null }) {
  const batch = meanOf(samples, "alert_batch_seconds");
  return (
    <Panel title={t("system.engine")}>
      <Facts
        items={[
          [t("system.rules"), count(samples, "rules")],
          [t("figure.firing"), about ? number(about.alerts_firing) : t("value.none")],
          [t("system.judged"), count(samples, "alert_readings_total")],
          [t("system.batch"), batch === null ? t("value.none") : `${number(batch * 1000, 2)} ms`],
        ]}
      />
    </Panel>
  );
}

function Connections({ samples, about }: { samples: Samples | null; about: FullSystem | null }) {
  return (
    <Panel title={t("system.connections")}>
      <Facts
        items={[
          [t("system.mqtt"), count(samples, "endpoint_open_connections")],
          [t("system.hj212"), count(samples, "hj212_open_connections")],
          [t("system.http"), count(samples, "http_connections")],
          [t("system.streams"), count(samples, "http_stream_clients")],
          ...(about?.brokers ?? []).map((broker) => [`${t("system.broker")} ${broker.name}`, broker.ok ? t("receivers.works") : (broker.error ?? t("verdict.bad"))] as const),
        ]}
      />
    </Panel>
  );
}

function Receivers({ about }: { about: FullSystem | null }) {
  const receivers = about?.receivers ?? [];
  return (
    <Panel title={t("receivers.title")} note={isAtLeast("operator") ? <a href={to.receivers()}>{t("system.more")}</a> : undefined}>
      <ul class="plain-lines">
        {receivers.map((receiver) => (
          <li key={receiver.id}>
            {receiver.error === null ? <CheckIcon /> : <WarnIcon />}
            <strong>{receiver.id}</strong>
            <span class={receiver.error === null ? "muted" : "fails"}>{receiver.error ?? t("receivers.works")}</span>
            <span class="muted">{receiver.last_delivery === null ? t("receivers.never") : <Age at={receiver.last_delivery} past />}</span>
            <span>{receiver.waiting > 0 ? t("system.waiting", { n: number(receiver.waiting) }) : ""}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

/** Who may connect; what one may not see says why. */
function Clients() {
  const why = whyNot("engineer", null);
  const clients = useResource(why === null ? "clients" : null, (signal) => platform.clients(signal), { everyMs: SLOW_MS });
  const unknown = useResource(why === null ? "unknown-devices" : null, (signal) => platform.unknown(signal), { everyMs: SLOW_MS });
  const refused = clients.error instanceof ApiError && clients.error.status === 403;
  return (
    <Panel title={t("system.clients")}>
      {why !== null || refused ? (
        <p class="state">{why ?? t("state.forbidden.why")}</p>
      ) : (
        <Facts
          items={[
            [t("system.clients.all"), clients.data ? number(clients.data.total) : t("value.none")],
            [t("system.clients.off"), clients.data ? number(clients.data.items.filter((client) => !client.enabled).length) : t("value.none")],
            [t("system.unknown"), unknown.data ? number(unknown.data.total) : t("value.none")],
          ]}
        />
      )}
    </Panel>
  );
}
