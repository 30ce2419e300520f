/** One device: what it is, what it says now and how old that is, its history, messages, entry and commands. */
import { api, buildUrl } from "../../api/client";
import type { Device } from "../../api/types";
import { local, t, type TextKey } from "../../i18n";
import { query, to } from "../../router";
import { alertBook } from "../../state/alert-book";
import { inOrder, kindName } from "../../state/city";
import { fleet, fleetCounts } from "../../state/fleet";
import { useResource } from "../../state/resource";
import { AlertTable, alertMark } from "../../ui/alert-table";
import { SeverityWord, StatusWord } from "../../ui/marks";
import { MiniMap } from "../../ui/mini-map";
import { lazily, withTexts } from "../../ui/lazily";
import { Panel } from "../../ui/panel";
import { ResourceView } from "../../ui/resource-view";
import { DeviceAlerts } from "./alerts";
import { Commands } from "./commands";
import { Entry } from "./entry";
import { About, Attributes } from "./facts";
import { History } from "./history";
import { LastValues } from "./last-values";

// What is wrong with messages is said in the words of the intake.
const Messages = lazily(() => withTexts("rules", import("./messages")).then((module) => module.Messages));

const REFRESH_MS = 5_000;

const TABS = ["now", "alerts", "messages", "entry", "commands"] as const;
type Tab = (typeof TABS)[number];
const TAB_TEXTS: Readonly<Record<Tab, TextKey>> = { now: "device.tab.now", alerts: "device.alerts", messages: "device.tab.messages", entry: "device.tab.entry", commands: "device.tab.commands" };

export function DeviceScreen({ id }: { id: string }) {
  const device = useResource(`device|${id}`, (signal) => api.device(id, signal), { everyMs: REFRESH_MS });
  return (
    <ResourceView resource={device} missing="device.gone">
      {(held) => <DevicePage device={held} reload={device.reload} />}
    </ResourceView>
  );
}

function DevicePage({ device, reload }: { device: Device; reload(): void }) {
  const tab = TABS.find((each) => each === query.value.get("tab")) ?? "now";
  return (
    <article class="page device-page">
      <DeviceHead device={device} />
      <nav class="tabs" aria-label={t("device.tabs")}>
        {TABS.map((each) => (
          <a key={each} href={each === "now" ? to.device(device.id) : `${to.device(device.id)}?tab=${each}`} {...(each === tab && { "aria-current": "page" as const })}>
            {t(TAB_TEXTS[each])}
          </a>
        ))}
      </nav>
      {tab === "now" && <Now device={device} />}
      {tab === "alerts" && <DeviceAlerts device={device} />}
      {tab === "messages" && <Messages device={device} />}
      {tab === "entry" && <Entry key={device.id} device={device} reload={reload} />}
      {tab === "commands" && <Commands device={device} />}
    </article>
  );
}

function Now({ device }: { device: Device }) {
  const values = useResource(`values|${device.id}`, (signal) => api.lastValues({ device: device.id, limit: 1000 }, signal), { everyMs: REFRESH_MS });
  const concerned = alertMark((alert) => alert.subject.type !== "zone" && alert.subject.device === device.id, alertBook.all());
  const order = inOrder((values.data?.items ?? []).map((each) => each.metric));
  return (
    <div class="columns">
      <div class="column-main">
        <Panel title={t("device.values")}>
          <ResourceView resource={values} compact>
            {(held) => <LastValues values={[...held.items].sort((a, b) => order.indexOf(a.metric) - order.indexOf(b.metric))} />}
          </ResourceView>
        </Panel>
        <History device={device} values={values.data?.items ?? []} loading={values.loading} />
      </div>
      <div class="column-side">
        <Panel title={t("device.position")} class="map-side" actions={device.moving ? <a class="button" href={buildUrl("/track", { device: device.id })} download={`${device.id}-track.geojson`} title={t("device.track.why")}>{t("device.track")}</a> : undefined}>
          {device.position ? <MiniMap place={device.position} device={device.id} /> : <p class="state">{t("device.position.none")}</p>}
        </Panel>
        <About device={device} />
        <AlertTable of={{ device: device.id }} title={t("device.alerts")} none="device.alerts.none" version={concerned} />
        <Attributes device={device} />
      </div>
    </div>
  );
}

function DeviceHead({ device }: { device: Device }) {
  void fleetCounts.value; // the fleet changes in place; its counts say when
  const live = fleet.byId(device.id);
  const severity = live ? live.severity : device.severity;
  return (
    <header class={`page-head${severity ? ` bar-${severity}` : ""}`}>
      <div class="page-title">
        <p class="alert-badges">
          <span class="muted">{kindName(device.kind)}</span>
          <StatusWord status={live?.status ?? device.status} />
          {severity && <SeverityWord severity={severity} />}
          {device.life_cycle !== "active" && <span class="badge badge-open">{t(`lifecycle.${device.life_cycle}`)}</span>}
          {device.simulated && <span class="badge">{t("device.simulated")}</span>}
        </p>
        <h1>{local(device.name)}</h1>
        <p class="muted">
          <code>{device.id}</code>
        </p>
      </div>
    </header>
  );
}
