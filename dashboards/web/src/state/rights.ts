/** Why somebody may not do something, as tooltips say it. */
import type { AlertItem, Grant, Role } from "../api/types";
import { t } from "../i18n";
import { departmentName } from "./city";
import { EVERYWHERE, departmentsOf, grants, may } from "./session";

export function placeName(department: string): string {
  return department === EVERYWHERE ? t("grants.everywhere") : departmentName(department);
}

export function grantText({ department, role }: Grant): string {
  return t("grants.one", { department: placeName(department), role: t(`role.${role}`) });
}

/** What is missing for a change there; null for who may. `department` null: it belongs to the whole city. */
export function whyNot(role: Role, department: string | null): string | null {
  if (may(role, department)) return null;
  const needed = { role: t(`role.${role}`), department: placeName(department ?? EVERYWHERE) };
  const mine = grants.value.map(grantText).join(t("list.and"));
  return mine === "" ? t("rights.needed", needed) : `${t("rights.needed", needed)} ${t("rights.yours", { grants: mine })}`;
}

export function whyNoAlertChange(alert: Pick<AlertItem, "rule" | "handling">): string | null {
  const [owner = null, ...asked] = departmentsOf(alert);
  return asked.some((department) => may("operator", department)) ? null : whyNot("operator", owner);
}
