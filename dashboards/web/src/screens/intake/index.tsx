/** What came in and was not understood: dead letters, unknown devices, and what names mean. */
import type { ComponentChildren } from "preact";
import type { EngineerRoute } from "../../engineer-routes";
import { t } from "../../i18n";
import { to } from "../../router";
import "../../styles/rule-trials.css";
import "../../styles/intake.css";
import { LetterScreen } from "./letter";
import { LettersScreen } from "./letters";
import { MappingsScreen } from "./mappings";
import { UnknownDeviceScreen } from "./unknown-device";
import { UnknownScreen } from "./unknown";

type IntakeRoute = Extract<EngineerRoute, { screen: "dead-letters" | "dead-letter" | "unknown-devices" | "unknown-device" | "mappings" }>;

export function IntakeScreen({ route }: { route: IntakeRoute }) {
  const at = route.screen.startsWith("dead") ? "letters" : route.screen.startsWith("unknown") ? "unknown" : "mappings";
  const here = (name: string) => (name === at ? { "aria-current": "page" as const } : {});
  return (
    <div class="page list-page intake-page">
      <nav class="tabs" aria-label={t("nav.intake")}>
        <a href={to.deadLetters()} {...here("letters")}>{t("letters.title")}</a>
        <a href={to.unknownDevices()} {...here("unknown")}>{t("unknown.title")}</a>
        <a href={to.mappings()} {...here("mappings")}>{t("mappings.title")}</a>
      </nav>
      <Screen route={route} />
    </div>
  );
}

function Screen({ route }: { route: IntakeRoute }): ComponentChildren {
  switch (route.screen) {
    case "dead-letters":
      return <LettersScreen />;
    case "dead-letter":
      return <LetterScreen key={route.id} id={route.id} />;
    case "unknown-devices":
      return <UnknownScreen />;
    case "unknown-device":
      return <UnknownDeviceScreen key={route.id} id={route.id} />;
    case "mappings":
      return <MappingsScreen />;
  }
}
