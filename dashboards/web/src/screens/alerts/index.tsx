/** Everything about working on alerts, loaded when somebody does: table, groups, load, hand-overs, silences, departments. */
import type { ComponentChildren } from "preact";
import { number } from "../../format/number";
import { t, type TextKey } from "../../i18n";
import { query, to, type Route } from "../../router";
import { alertBook, alertVersion } from "../../state/alert-book";
import { handOversOf } from "../../state/hand-overs";
import { departmentsWith, whoIs } from "../../state/session";
import { AlertScreen } from "../alert";
import { DepartmentScreen } from "../departments/department";
import { DepartmentsScreen } from "../departments";
import { HandOversScreen } from "../hand-overs";
import { NewSilenceScreen } from "../silences/new-silence";
import { SilenceScreen } from "../silences/silence";
import { SilencesScreen } from "../silences";
import { GroupsView } from "./groups";
import { LoadView } from "./load";
import { AlertTableView } from "./table";

export type AlertWorkRoute = Extract<Route, { screen: "alerts" | "alert" | "silences" | "silence" | "hand-overs" | "departments" | "department" }>;

type Tab = "table" | "groups" | "load" | "hand-overs" | "silences" | "departments";

const TABS: readonly (readonly [tab: Tab, text: TextKey, href: string])[] = [
  ["table", "tab.table", to.alerts()],
  ["groups", "tab.groups", to.alerts({ view: "groups" })],
  ["load", "tab.load", to.alerts({ view: "load" })],
  ["hand-overs", "tab.hand_overs", to.handOvers()],
  ["silences", "tab.silences", to.silences()],
  ["departments", "tab.departments", to.departments()],
];

export function AlertWork({ route }: { route: AlertWorkRoute }) {
  if (route.screen === "alert") return <AlertScreen key={route.id} id={route.id} />;
  const tab = tabOf(route, query.value.get("view"));
  const scrolls = route.screen === "silence" || route.screen === "department" || tab === "hand-overs" || tab === "load";
  return (
    <div class={`page list-page alert-work${scrolls ? " scrolls" : ""}`}>
      <nav class="tabs" aria-label={t("tab.label")}>
        {TABS.map(([each, text, href]) => (
          <a key={each} href={href} {...(each === tab && { "aria-current": "page" as const })}>
            {t(text)}
            {each === "hand-overs" && <Waiting />}
          </a>
        ))}
      </nav>
      <Content route={route} tab={tab} />
    </div>
  );
}

/** How many alerts wait for an answer of this person's departments. */
function Waiting() {
  void alertVersion.value;
  const mine = departmentsWith("operator");
  const { asked } = handOversOf(alertBook.all(), whoIs.value?.user ?? "", mine === null ? null : new Set(mine));
  return asked.length === 0 ? null : <b class="tab-count">{number(asked.length)}</b>;
}

function tabOf(route: AlertWorkRoute, view: string | null): Tab {
  if (route.screen === "alerts") return view === "groups" || view === "load" ? view : "table";
  if (route.screen === "silence" || route.screen === "silences") return "silences";
  return route.screen === "hand-overs" ? "hand-overs" : "departments";
}

function Content({ route, tab }: { route: AlertWorkRoute; tab: Tab }): ComponentChildren {
  switch (route.screen) {
    case "silences":
      return <SilencesScreen />;
    case "silence":
      return route.id === null ? <NewSilenceScreen /> : <SilenceScreen key={route.id} id={route.id} />;
    case "hand-overs":
      return <HandOversScreen />;
    case "departments":
      return <DepartmentsScreen />;
    case "department":
      return <DepartmentScreen key={route.id} id={route.id} />;
    default:
      return tab === "groups" ? <GroupsView /> : tab === "load" ? <LoadView /> : <AlertTableView />;
  }
}
