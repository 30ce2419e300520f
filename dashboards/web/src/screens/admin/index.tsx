/** Administration: who may do what, which data are open, and what was done. */
import type { ComponentChildren } from "preact";
import { t, type TextKey } from "../../i18n";
import { to, type Route } from "../../router";
import { isAtLeast } from "../../state/session";
import { FullPage } from "../full-page";
import { AuditScreen } from "./audit";
import { DatasetScreen } from "./dataset";
import { DatasetsScreen } from "./datasets";
import { TokensScreen } from "./tokens";
import { UserScreen } from "./user";
import { UsersScreen } from "./users";

type AdminRoute = Extract<Route, { screen: "users" | "user" | "tokens" | "datasets" | "dataset" | "audit" }>;

const TABS: readonly (readonly [screens: readonly AdminRoute["screen"][], text: TextKey, href: string])[] = [
  [["users", "user"], "admin.users", to.users()],
  [["tokens"], "admin.tokens", to.tokens()],
  [["datasets", "dataset"], "admin.datasets", to.datasets()],
  [["audit"], "admin.audit", to.audit()],
];

export function AdminScreen({ route }: { route: AdminRoute }) {
  if (!isAtLeast("admin")) return <FullPage shape="forbidden" title="state.forbidden" why="admin.forbidden" home />;
  return (
    <div class="page list-page admin">
      <nav class="tabs" aria-label={t("nav.admin")}>
        {TABS.map(([screens, text, href]) => (
          <a key={href} href={href} {...(screens.includes(route.screen) && { "aria-current": "page" as const })}>
            {t(text)}
          </a>
        ))}
      </nav>
      <Screen route={route} />
    </div>
  );
}

function Screen({ route }: { route: AdminRoute }): ComponentChildren {
  switch (route.screen) {
    case "users":
      return <UsersScreen />;
    case "user":
      return <UserScreen key={route.id ?? ""} id={route.id} />;
    case "tokens":
      return <TokensScreen />;
    case "datasets":
      return <DatasetsScreen />;
    case "dataset":
      return <DatasetScreen key={route.id ?? ""} id={route.id} />;
    case "audit":
      return <AuditScreen />;
  }
}
