/** Changing the language as people do; that its texts cannot be had is said in place. */
import { setLanguage, t, toggleLanguage, type Language } from "../i18n";
import { notice } from "./acknowledge";

function say(change: Promise<void>): void {
  change.catch(() => {
    notice.value = t("state.unreachable");
  });
}

export const changeLanguage = (): void => say(toggleLanguage());

/** As an address asks, for this visit only. */
export const takeLanguage = (next: Language): void => say(setLanguage(next, { remember: false }));
