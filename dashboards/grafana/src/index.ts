/** All dashboards in all languages, as Grafana reads them. */
import { DashboardBuilder, DashboardCursorSync, DashboardLinkBuilder, DashboardLinkType, RowBuilder, type Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { alerts } from "./dashboards/alerts";
import { capacity } from "./dashboards/capacity";
import { device } from "./dashboards/device";
import { overview } from "./dashboards/overview";
import { platform } from "./dashboards/platform";
import { zones } from "./dashboards/zones";
import { LANGUAGES, sayIn, type Language } from "./language";
import type { Context, Part } from "./part";
import { variableOf } from "./variables";

/** In the order in which they are listed. */
export const PARTS: readonly Part[] = [overview, zones, device, alerts, platform, capacity];

const uidOf = (part: string, language: Language) => `citybrain-${part}-${language}`;

export function build(part: Part, language: Language): Dashboard {
  const say = sayIn(language);
  const context: Context = { language, say, linkTo: (to, query = "") => `/d/${uidOf(to, language)}${query === "" ? "" : `?${query}`}` };
  const dashboard = new DashboardBuilder(part.title(say))
    .uid(uidOf(part.id, language))
    .tags(["citybrain", `citybrain-${language}`])
    // That of the organization, which is to be the city's.
    .timezone("")
    .time({ from: part.from, to: "now" })
    .refresh(part.refresh)
    .tooltip(DashboardCursorSync.Crosshair)
    .readonly()
    .variables(part.variables.map((name) => variableOf(name, context)))
    .link(new DashboardLinkBuilder(say("More of citybrain", "更多 citybrain 仪表板")).type(DashboardLinkType.Dashboards).tags([`citybrain-${language}`]).asDropdown(true).keepTime(true));
  for (const each of part.panels(context)) {
    if ("heading" in each) dashboard.withRow(new RowBuilder(each.heading));
    else dashboard.withPanel(each);
  }
  const made = plain(dashboard.build());
  // Links to single panels hold on to these.
  made.panels?.forEach((panel, at) => (panel.id = at + 1));
  return made;
}

/** As it is written: without what the SDK keeps beside the data. */
function plain(dashboard: Dashboard): Dashboard {
  return { ...(JSON.parse(JSON.stringify(dashboard)) as Dashboard), annotations: { list: [] } };
}

export interface File {
  /** Below this package. */
  path: string;
  text: string;
}

export const files = (): File[] =>
  LANGUAGES.flatMap((language) => PARTS.map((part) => ({ path: `dashboards/${language}/${part.id}.json`, text: `${JSON.stringify(build(part, language), null, 2)}\n` })));
