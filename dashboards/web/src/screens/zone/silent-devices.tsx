/** The devices of a zone that should be heard and are not. */
import { places } from "../../api/places";
import { local, t } from "../../i18n";
import { to } from "../../router";
import { kindName } from "../../state/city";
import { useResource } from "../../state/resource";
import { number } from "../../format/number";
import { Age } from "../../ui/age";
import { StatusWord } from "../../ui/marks";
import { Panel } from "../../ui/panel";
import { ResourceView } from "../../ui/resource-view";

const SHOWN = 12;
const REFRESH_MS = 15_000;
const SILENT = { status: "late,offline,never_seen", life_cycle: "active" };

export function SilentDevices({ zone }: { zone: string }) {
  const resource = useResource(`silent|${zone}`, (signal) => places.devices({ zone, ...SILENT, sort: "last_seen_at", limit: SHOWN }, signal), { everyMs: REFRESH_MS });
  const total = resource.data?.total ?? 0;
  return (
    <Panel title={t("silent.title")} note={resource.data ? number(total) : undefined} actions={total > SHOWN ? <a href={to.devices({ zone, ...SILENT })}>{t("silent.all")}</a> : undefined}>
      <ResourceView resource={resource} compact>
        {(page) =>
          page.items.length === 0 ? (
            <p class="state">{t("silent.none")}</p>
          ) : (
            <ul class="silent-lines">
              {page.items.map((device) => (
                <li key={device.id}>
                  <StatusWord status={device.status} />
                  <a href={to.device(device.id)}>{local(device.name)}</a>
                  <span class="muted">{kindName(device.kind)} · <Age at={device.last_seen_at} past /></span>
                </li>
              ))}
            </ul>
          )
        }
      </ResourceView>
    </Panel>
  );
}
