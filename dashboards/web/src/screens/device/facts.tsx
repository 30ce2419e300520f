/** What the registry knows about a device. */
import type { Device } from "../../api/types";
import { latLon, plainValue } from "../../format/number";
import { span } from "../../format/time";
import { t } from "../../i18n";
import { to } from "../../router";
import { departmentName, kindName, zoneName } from "../../state/city";
import { Age } from "../../ui/age";
import { Facts, Panel } from "../../ui/panel";

export function About({ device }: { device: Device }) {
  const items: [preact.ComponentChildren, preact.ComponentChildren][] = [
    [t("device.kind"), <a href={to.devices({ kind: device.kind })}>{kindName(device.kind)}</a>],
    [t("device.department"), departmentName(device.department)],
    [t("device.position"), device.position ? `${latLon(...device.position)} WGS-84` : t("device.position.none")],
  ];
  if (device.declared && device.declared.crs !== "WGS-84") {
    items.push([t("device.declared"), `${latLon(device.declared.lon, device.declared.lat)} ${device.declared.crs}`]);
  }
  if (device.moving) items.push(["", t("device.moving")]);
  if (device.zones.length > 0) {
    items.push([t("device.zones"), device.zones.map((zone, at) => <span key={zone}>{at > 0 && ", "}<a href={to.zone(zone)}>{zoneName(zone)}</a></span>)]);
  }
  if (device.interval_s !== null) items.push([t("device.interval"), span(device.interval_s)]);
  if (device.gateway !== null) items.push([t("device.gateway"), <a href={to.device(device.gateway)}>{device.gateway}</a>]);
  items.push([t("device.lifecycle"), t(`lifecycle.${device.life_cycle}`)]);
  items.push([t("devices.seen"), <Age at={device.last_seen_at} past />]);
  items.push([t("device.newest"), <Age at={device.newest_reading_at} past />]);
  return (
    <Panel title={t("device.about")}>
      <Facts items={items} />
    </Panel>
  );
}

export function Attributes({ device }: { device: Device }) {
  const entries = Object.entries(device.attributes);
  if (entries.length === 0) return null;
  return (
    <Panel title={t("device.attributes")}>
      <Facts items={entries.map(([name, value]) => [<code>{name}</code>, plainValue(value, typeof value === "number" && !Number.isInteger(value) ? 2 : 0)] as const)} />
    </Panel>
  );
}
