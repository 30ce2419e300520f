/** Rules: what there is, what each does, and the editor of their groups. */
import type { ComponentChildren } from "preact";
import type { EngineerRoute } from "../../engineer-routes";
import { t } from "../../i18n";
import { to } from "../../router";
import "../../styles/rules.css";
import "../../styles/rule-editor.css";
import "../../styles/rule-trials.css";
import { GroupScreen } from "./group";
import { GroupsScreen } from "./groups";
import { RulesList } from "./list";
import { RuleScreen } from "./rule";

type RulesRoute = Extract<EngineerRoute, { screen: "rules" | "rule" | "rule-groups" | "rule-group" }>;

export function RulesScreen({ route }: { route: RulesRoute }) {
  const groups = route.screen === "rule-groups" || route.screen === "rule-group";
  return (
    <div class={`page list-page rules-page rules-${route.screen}`}>
      <nav class="tabs" aria-label={t("nav.rules")}>
        <a href={to.rules()} {...(!groups && { "aria-current": "page" as const })}>{t("rules.title")}</a>
        <a href={to.ruleGroups()} {...(groups && { "aria-current": "page" as const })}>{t("rules.groups")}</a>
      </nav>
      <Screen route={route} />
    </div>
  );
}

function Screen({ route }: { route: RulesRoute }): ComponentChildren {
  switch (route.screen) {
    case "rules":
      return <RulesList />;
    case "rule":
      return <RuleScreen key={route.id} id={route.id} />;
    case "rule-groups":
      return <GroupsScreen />;
    case "rule-group":
      return <GroupScreen key={route.id ?? ""} group={route.id} />;
  }
}
