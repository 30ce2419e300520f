/** Rights by department: shown, and edited within what the editor may give. */
import type { Grant, Role } from "../api/types";
import { local, t } from "../i18n";
import { departments } from "../state/city";
import { grantText, placeName } from "../state/rights";
import { EVERYWHERE, ROLES, may, rankOf } from "../state/session";
import { Choice } from "./choice";
import { CloseIcon, PlusIcon } from "./icons";

export function GrantChips({ grants }: { grants: readonly Grant[] }) {
  if (grants.length === 0) return <span class="muted">{t("grants.none")}</span>;
  return (
    <ul class="grants">
      {inOrder(grants).map((grant) => (
        <li key={grant.department} class="badge">
          {grantText(grant)}
        </li>
      ))}
    </ul>
  );
}

/** The whole city first, then the departments as they are listed. */
export function inOrder(grants: readonly Grant[]): Grant[] {
  const place = ({ department }: Grant) => (department === EVERYWHERE ? -1 : departments.value.findIndex(({ id }) => id === department));
  return [...grants].sort((a, b) => place(a) - place(b));
}

interface EditorProps {
  grants: readonly Grant[];
  /** What of it the person may give and take. */
  mayGive(grant: Grant): boolean;
  onChange(grants: Grant[]): void;
}

/** An admin of a department gives and takes rights in it, and sees the others. */
export const givenByAdmins = ({ department }: Grant) => may("admin", department === EVERYWHERE ? null : department);

export function GrantsEditor({ grants, mayGive, onChange }: EditorProps) {
  const places = [EVERYWHERE, ...departments.value.map(({ id }) => id)];
  const rolesAt = (department: string) => ROLES.filter((role) => mayGive({ department, role }));
  const free = places.filter((place) => rolesAt(place).length > 0 && !grants.some(({ department }) => department === place));
  const replace = (old: Grant, next: Grant | null) => onChange(grants.flatMap((grant) => (grant !== old ? [grant] : next === null ? [] : [next])));
  const add = () => {
    const department = free.find((place) => place !== EVERYWHERE) ?? free[0];
    const role = department === undefined ? undefined : rolesAt(department)[0];
    if (department !== undefined && role !== undefined) onChange([...grants, { department, role }]);
  };
  return (
    <fieldset class="grants-editor">
      <legend>{t("grants.title")}</legend>
      {grants.length === 0 && <p class="muted">{t("grants.none.why")}</p>}
      {grants.map((grant) => (
        <div key={grant.department} class="grant-row" data-department={grant.department}>
          {mayGive(grant) ? (
            <>
              <Choice
                label={t("alert.department")}
                value={grant.department}
                options={[grant.department, ...free].map((place) => [place, placeName(place)] as const)}
                onChange={(department) => replace(grant, { department, role: nearestRole(grant.role, rolesAt(department)) })}
              />
              <Choice label={t("grants.role")} value={grant.role} options={rolesAt(grant.department).map((role) => [role, t(`role.${role}`)] as const)} onChange={(role) => replace(grant, { ...grant, role: role as Role })} />
              <span class="muted grant-why">{t(`role.${grant.role}.why`)}</span>
              <button type="button" class="plain icon-only" title={t("grants.remove")} aria-label={t("grants.remove.of", { grant: grantText(grant) })} onClick={() => replace(grant, null)}>
                <CloseIcon />
              </button>
            </>
          ) : (
            <>
              <span class="badge">{grantText(grant)}</span>
              <span class="muted">{t("grants.not_yours")}</span>
            </>
          )}
        </div>
      ))}
      {free.length > 0 && (
        <button type="button" class="button" onClick={add}>
          <PlusIcon /> {t("grants.add")}
        </button>
      )}
    </fieldset>
  );
}

/** The role, or where that cannot be given the highest below it. */
function nearestRole(role: Role, roles: readonly Role[]): Role {
  const below = roles.filter((each) => rankOf(each) <= rankOf(role));
  return below.at(-1) ?? roles[0] ?? "viewer";
}

export function departmentChoices(ids: readonly string[] | null): readonly (readonly [string, string])[] {
  return departments.value.filter(({ id }) => ids === null || ids.includes(id)).map((department) => [department.id, local(department.name)] as const);
}
