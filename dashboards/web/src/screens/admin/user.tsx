/** One user: name, rights, whether they may sign in; and what ends their sessions. */
import { useState } from "preact/hooks";
import { admin } from "../../api/admin";
import { problemText } from "../../api/problem-text";
import type { Grant, User, UserDraft } from "../../api/types";
import type { Tagged } from "../../api/client";
import { dateTime } from "../../format/time";
import { t } from "../../i18n";
import { go, to } from "../../router";
import { useEditing } from "../../state/editing";
import type { Difference } from "../../state/merge";
import { randomPassword } from "../../state/password-policy";
import { grantText, placeName } from "../../state/rights";
import { EVERYWHERE, may, whoIs } from "../../state/session";
import { useResource } from "../../state/resource";
import { Confirm, Dialog } from "../../ui/dialog";
import { ConflictPanel } from "../../ui/conflict";
import { TextField } from "../../ui/field";
import { FormActions } from "../../ui/form-actions";
import { GrantsEditor, givenByAdmins } from "../../ui/grants";
import { Mishap } from "../../ui/mishap";
import { ShownOnce } from "../../ui/once";
import { Panel } from "../../ui/panel";
import { ResourceView } from "../../ui/resource-view";

const NEW: UserDraft = { name: "", email: null, grants: [], enabled: true };

export function draftOfUser({ value, tag }: Tagged<User>): Tagged<UserDraft> {
  const { name, email, grants, enabled } = value;
  return { value: { name, email: email ?? null, grants, enabled }, tag };
}

export function UserScreen({ id }: { id: string | null }) {
  const resource = useResource(id === null ? null : `user|${id}`, (signal) => admin.user(id ?? "", signal));
  if (id === null) return <NewUser />;
  return (
    <ResourceView resource={resource} missing="user.gone">
      {(found) => <ChangeUser key={found.value.id} found={found} reload={resource.reload} />}
    </ResourceView>
  );
}

/** Made with a one-time password, which is shown this once. */
function NewUser() {
  const [id, setId] = useState("");
  const [password] = useState(randomPassword);
  const [made, setMade] = useState(false);
  const editing = useEditing<UserDraft>({
    initial: { value: NEW, tag: null },
    load: async () => draftOfUser(await admin.user(id.trim())),
    send: async (draft) => draftOfUser(await admin.putUser(id.trim(), { ...draft, password }, null)),
  });
  return (
    <form
      class="panel admin-form"
      onSubmit={async (event) => {
        event.preventDefault();
        if (await editing.save()) setMade(true);
      }}
    >
      <h1>{t("users.add")}</h1>
      <TextField label={t("login.user")} hint={t("user.id.why")} value={id} onInput={setId} autocomplete="off" maxLength={64} required autofocus />
      <UserFields draft={editing.draft} change={editing.change} />
      {editing.failure !== null && <Mishap {...problemText(editing.failure)} />}
      <FormActions editing={editing} ready={id.trim() !== "" && editing.draft.name.trim() !== ""} action={t("users.make")} cancel={to.users()} />
      {made && (
        <Dialog title={t("user.made", { user: id.trim() })} onClose={() => go(to.user(id.trim()))}>
          <p>{t("user.password.pass_on")}</p>
          <ShownOnce secret={password} label={t("user.password")} />
        </Dialog>
      )}
    </form>
  );
}

function ChangeUser({ found, reload }: { found: Tagged<User>; reload(): void }) {
  const user = found.value;
  const locked = !administers(user.grants);
  const editing = useEditing<UserDraft>({
    initial: draftOfUser(found),
    load: async () => draftOfUser(await admin.user(user.id)),
    send: async (draft, tag) => draftOfUser(await admin.putUser(user.id, draft, tag)),
  });
  return (
    <div class="columns">
      <form
        class="panel admin-form"
        onSubmit={async (event) => {
          event.preventDefault();
          if (await editing.save()) reload();
        }}
      >
        <h1>{user.name}</h1>
        <p class="muted">
          <code>{user.id}</code> · {t("user.since", { time: dateTime(user.created_at) })}
        </p>
        <UserFields draft={editing.draft} change={editing.change} locked={locked} />
        <label class="check">
          <input type="checkbox" disabled={locked} checked={editing.draft.enabled} onChange={(event) => editing.change({ enabled: event.currentTarget.checked })} />
          <span>
            {t("user.may_sign_in")}
            <span class="field-hint">{t("user.may_sign_in.why")}</span>
          </span>
        </label>
        {editing.failure !== null && <Mishap {...problemText(editing.failure)} />}
        {editing.conflict && <ConflictPanel editing={editing} conflict={editing.conflict} labelOf={labelOf} valueOf={valueOf} onSaved={reload} />}
        <FormActions editing={editing} ready={editing.draft.name.trim() !== ""} action={t("form.save")} cancel={to.users()} />
      </form>
      <Access found={found} reload={reload} unsaved={editing.dirty} />
    </div>
  );
}

/** `locked`: somebody else administers the account too, so only the rights are this person's to change. */
function UserFields({ draft, change, locked = false }: { draft: UserDraft; change(part: Partial<UserDraft>): void; locked?: boolean }) {
  return (
    <>
      <TextField label={t("user.name")} value={draft.name} onInput={(name) => change({ name })} autocomplete="off" maxLength={100} required readOnly={locked} />
      <TextField label={t("user.email")} hint={t("form.optional")} type="email" value={draft.email ?? ""} onInput={(email) => change({ email: email.trim() === "" ? null : email.trim() })} autocomplete="off" maxLength={254} readOnly={locked} />
      <GrantsEditor grants={draft.grants} mayGive={givenByAdmins} onChange={(grants) => change({ grants })} />
    </>
  );
}

function labelOf(path: readonly string[]): string {
  const [field, department] = path;
  if (field === "grants" && department !== undefined) return placeName(department);
  if (field === "name") return t("user.name");
  return t(field === "email" ? "user.email" : "user.may_sign_in");
}

function valueOf(path: readonly string[], value: Difference["mine"]): string {
  if (value === undefined || value === null || value === "") return t(path[0] === "grants" ? "grants.no_right" : "value.none");
  if (typeof value === "boolean") return t(value ? "value.true" : "value.false");
  return path[0] === "grants" ? t(`role.${value as Grant["role"]}`) : String(value);
}

/** Whether the person administers all that this user may do: only then the account is theirs to manage. */
export function administers(grants: readonly Grant[]): boolean {
  return grants.every(({ department }) => may("admin", department === EVERYWHERE ? null : department));
}

type Asking = "password" | "sessions" | "delete";

function Access({ found, reload, unsaved }: { found: Tagged<User>; reload(): void; unsaved: boolean }) {
  const user = found.value;
  const [asking, setAsking] = useState<Asking | null>(null);
  const [password, setPassword] = useState<string | null>(null);
  const self = whoIs.value?.user === user.id;
  const close = () => setAsking(null);
  const setOneTime = async () => {
    const next = randomPassword();
    const { value, tag } = draftOfUser(found);
    await admin.putUser(user.id, { ...value, password: next }, tag);
    setPassword(next);
  };
  if (!administers(user.grants)) {
    const beyond = user.grants.filter((grant) => !administers([grant])).map(grantText).join(t("list.and"));
    return <Panel title={t("user.access")} class="admin-side"><p>{t("user.not_yours", { grants: beyond })}</p></Panel>;
  }
  return (
    <Panel title={t("user.access")} class="admin-side">
      <p>{t("user.password.why")}</p>
      <button type="button" class="button" disabled={unsaved} title={unsaved ? t("form.save_first") : undefined} onClick={() => setAsking("password")}>{t("user.password.set")}</button>
      <p>{t("user.sessions.why")}</p>
      <button type="button" class="button" onClick={() => setAsking("sessions")}>{t("user.sessions.end")}</button>
      <p>{t("user.delete.why")}</p>
      <button type="button" class="button" disabled={self} title={self ? t("user.delete.self") : undefined} onClick={() => setAsking("delete")}>{t("user.delete")}</button>
      {asking === "password" && (
        <Confirm title={t("user.password.set")} action={t("user.password.set")} onConfirm={setOneTime} onClose={close}>
          <p>{t("user.password.ask", { name: user.name })}</p>
        </Confirm>
      )}
      {asking === "sessions" && (
        <Confirm title={t("user.sessions.end")} action={t("user.sessions.end")} onConfirm={() => admin.endSessions(user.id)} onClose={close}>
          <p>{t("user.sessions.ask", { name: user.name })}</p>
        </Confirm>
      )}
      {asking === "delete" && (
        <Confirm
          title={t("user.delete")}
          action={t("user.delete")}
          onConfirm={async () => {
            await admin.deleteUser(user.id, found.tag);
            go(to.users());
          }}
          onClose={close}
        >
          <p>{t("user.delete.ask", { name: user.name })}</p>
        </Confirm>
      )}
      {password !== null && asking === null && (
        <Dialog
          title={t("user.password")}
          onClose={() => {
            setPassword(null);
            reload();
          }}
        >
          <p>{t("user.password.pass_on")}</p>
          <ShownOnce secret={password} label={t("user.password")} />
        </Dialog>
      )}
    </Panel>
  );
}
