/** What the audit log records, as people call it; what has no name here is shown by its operation's id. */
import { t, type TextKey } from "../../i18n";
import { enActions } from "../../i18n/en-actions";

const PREFIX = "action.";

export const ACTIONS: readonly string[] = Object.keys(enActions).map((key) => key.slice(PREFIX.length));

export function actionName(action: string): string | null {
  return ACTIONS.includes(action) ? t(`${PREFIX}${action}` as TextKey) : null;
}
