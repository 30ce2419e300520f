/** The zones that need attention, worst first. */
import { number } from "../../format/number";
import { t } from "../../i18n";
import { query, setQuery, to } from "../../router";
import { zoneLoads } from "../../state/alert-book";
import { zoneName, zones } from "../../state/city";
import { Panel } from "../../ui/panel";
import { SeverityWord } from "../../ui/marks";

const SHOWN = 30;

export function Attention() {
  const chosen = query.value.get("zone");
  const loads = zoneLoads.value;
  return (
    <Panel class="attention" title={t("zones.attention")} note={loads.length > 0 ? number(loads.length) : undefined}>
      {loads.length === 0 ? (
        <p class="state">{t(zones.value?.features.length === 0 ? "zones.none.known" : "zones.attention.none")}</p>
      ) : (
        <ul class="zone-lines">
          {loads.slice(0, SHOWN).map(({ zone, firing, worst }) => (
            <li key={zone} {...(zone === chosen && { "aria-current": "true" as const })}>
              <SeverityWord severity={worst} />
              <a href={to.zone(zone)}>{zoneName(zone)}</a>
              <button type="button" class="plain count" title={t("map.only_zone")} aria-pressed={zone === chosen} onClick={() => setQuery({ zone: zone === chosen ? null : zone })}>
                {number(firing)}
                <span class="spoken">{`${t("map.only_zone")}: ${zoneName(zone)}`}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
