/** What the audit log records, as people call it; what has no name here is shown by its operation's id. */
import { keysWith, t, type TextKey } from "../../i18n";

const PREFIX = "action.";

export const actions = (): string[] => keysWith(PREFIX).map((key) => key.slice(PREFIX.length));

export function actionName(action: string): string | null {
  return actions().includes(action) ? t(`${PREFIX}${action}` as TextKey) : null;
}
