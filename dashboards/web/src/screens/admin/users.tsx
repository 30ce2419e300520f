/** Everybody who can sign in, as far as the person administers them. */
import { admin } from "../../api/admin";
import type { User } from "../../api/types";
import { counted, t } from "../../i18n";
import { go, query, setQuery, to } from "../../router";
import { ROLES, EVERYWHERE, rankOf } from "../../state/session";
import { useResource } from "../../state/resource";
import { Age } from "../../ui/age";
import { Choice } from "../../ui/choice";
import { DataTable } from "../../ui/data-table";
import { GrantChips, departmentChoices } from "../../ui/grants";
import { CheckIcon } from "../../ui/icons";
import { ResourceView } from "../../ui/resource-view";
import { rowId, useRowKeys } from "../../ui/rows";
import { SearchField } from "../../ui/search-field";

export interface UserFilter {
  q: string | null;
  department: string | null;
  role: string | null;
  state: string | null;
}

export function matchesUser(user: User, filter: UserFilter): boolean {
  const text = (filter.q ?? "").trim().toLowerCase();
  if (text !== "" && ![user.id, user.name, user.email ?? ""].some((each) => each.toLowerCase().includes(text))) return false;
  if (filter.state === "disabled" && user.enabled) return false;
  if (filter.state === "enabled" && !user.enabled) return false;
  // A right in the whole city is one in each department.
  const there = user.grants.filter(({ department }) => filter.department === null || department === filter.department || department === EVERYWHERE);
  if (filter.department !== null && there.length === 0) return false;
  return filter.role === null || there.some(({ role }) => rankOf(role) >= rankOf(filter.role ?? ""));
}

export function UsersScreen() {
  const params = query.value;
  const filter: UserFilter = { q: params.get("q"), department: params.get("department"), role: params.get("role"), state: params.get("state") };
  const resource = useResource("users", (signal) => admin.users(signal));
  const shown = (resource.data ?? []).filter((user) => matchesUser(user, filter));
  const { selected } = useRowKeys(shown.map(({ id }) => id), (id) => go(to.user(id)));
  return (
    <>
      <header class="list-head">
        <h1>{t("admin.users")}</h1>
        <SearchField label={t("users.search")} value={filter.q ?? ""} onSearch={(q) => setQuery({ q })} />
        <Choice label={t("alert.department")} value={filter.department ?? ""} options={[["", t("filter.department.any")], ...departmentChoices(null)]} onChange={(department) => setQuery({ department })} />
        <Choice label={t("grants.role")} value={filter.role ?? ""} options={[["", t("filter.role.any")], ...ROLES.map((role) => [role, t("filter.role.least", { role: t(`role.${role}`) })] as const)]} onChange={(role) => setQuery({ role })} />
        <Choice label={t("user.state")} value={filter.state ?? ""} options={[["", t("filter.state.any")], ["enabled", t("user.enabled")], ["disabled", t("user.disabled")]]} onChange={(state) => setQuery({ state })} />
        {resource.data && <span class="list-total">{counted("users.total", shown.length)}</span>}
        <a class="button primary" href={to.user(null)}>{t("users.add")}</a>
      </header>
      <div class="panel table-frame" tabIndex={0} role="region" aria-label={t("admin.users")}>
        <ResourceView resource={resource}>{() => (shown.length === 0 ? <p class="state">{t(resource.data?.length === 0 ? "users.none_yet" : "users.none")}</p> : <UserTable users={shown} selected={selected} />)}</ResourceView>
      </div>
    </>
  );
}

function UserTable({ users, selected }: { users: readonly User[]; selected: string | null }) {
  return (
    <DataTable>
      <thead>
        <tr>
          <th scope="col">{t("user.name")}</th>
          <th scope="col">{t("user.email")}</th>
          <th scope="col">{t("grants.title")}</th>
          <th scope="col">{t("user.state")}</th>
          <th scope="col" class="right">{t("user.last_login")}</th>
        </tr>
      </thead>
      <tbody>
        {users.map((user) => (
          <tr key={user.id} id={rowId(user.id)} data-user={user.id} {...(user.id === selected && { "aria-current": "true" as const })}>
            <th scope="row">
              <a href={to.user(user.id)}>{user.name}</a>
              <code class="under">{user.id}</code>
            </th>
            <td>{user.email}</td>
            <td class="wide"><GrantChips grants={user.grants} /></td>
            <td><UserState user={user} /></td>
            <td class="right">{user.last_login_at === null ? <span class="muted">{t("user.never")}</span> : <Age at={user.last_login_at} past />}</td>
          </tr>
        ))}
      </tbody>
    </DataTable>
  );
}

function UserState({ user }: { user: User }) {
  if (!user.enabled) return <strong class="off-word">{t("user.disabled")}</strong>;
  return (
    <>
      <span class="works"><CheckIcon /> {t("user.enabled")}</span>
      {user.external && <span class="under">{t("user.external")}</span>}
      {user.password_change_needed && <span class="under">{t("user.password_waits")}</span>}
    </>
  );
}
