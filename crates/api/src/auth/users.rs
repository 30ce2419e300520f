//! Users: people with a name, grants and most often a password. Also for the command line, beside a
//! running server.

use std::sync::Arc;

use city_model::Timestamp;
use city_oidc::Identity;
use city_store::{StateDb, StateError};
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::checked::Checked;
use super::tables::UserRow;
use super::tokens::hash;
use super::user::{
    LONGEST_ID, NewPassword, PasswordState, User, UserEntry, UserError, check, check_id,
};
use super::{Grants, Role, tables};

/// The users of a state database.
#[derive(Clone, Debug)]
pub struct Users {
    state: Arc<StateDb>,
    checked: Arc<Checked>,
}

impl Users {
    /// Opens them, creating the tables if they are not there.
    pub fn open(state: Arc<StateDb>) -> Result<Self, StateError> {
        Self::with(state, Arc::default())
    }

    pub(super) fn with(state: Arc<StateDb>, checked: Arc<Checked>) -> Result<Self, StateError> {
        state.migrate("auth", tables::MIGRATIONS)?;
        Ok(Self { state, checked })
    }

    /// All users by id.
    pub fn list(&self) -> Result<Vec<User>, StateError> {
        self.state.read(|conn| {
            let sql = format!("SELECT {} FROM users ORDER BY id", tables::USER);
            let mut statement = conn.prepare_cached(&sql)?;
            let rows = statement.query_map([], UserRow::read)?;
            rows.map(|row| Ok(row?.into())).collect()
        })
    }

    /// One user.
    pub fn get(&self, id: &str) -> Result<Option<User>, StateError> {
        Ok(self.state.read(|conn| tables::user(conn, id))?.map(Into::into))
    }

    /// Whether somebody may administer the whole city.
    pub fn has_admin(&self) -> Result<bool, StateError> {
        Ok(self.list()?.iter().any(User::is_city_admin))
    }

    /// Adds a user, or says anew all that is written about one. `change` gets what there is and
    /// gives what shall be, or a refusal. Tells whether the user is new.
    ///
    /// Whoever may do something else now, may not log in any more, or has another password, is
    /// logged out everywhere.
    pub fn put<E: From<UserError>>(
        &self,
        id: &str,
        by: &str,
        now: Timestamp,
        change: impl FnOnce(Option<&User>) -> Result<UserEntry, E>,
    ) -> Result<(User, bool), E> {
        check_id(id).map_err(|problem| UserError::Fields(vec![problem]))?;
        let done = self.state.write(|tx| {
            let before = tables::user(tx, id)?.map(User::from);
            // A refusal changes nothing, so it may pass as a success of the transaction.
            let entry = match change(before.as_ref()).and_then(|entry| Ok(check(entry)?)) {
                Ok(entry) => entry,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let after = write(tx, id, by, now, before.as_ref(), &entry)?;
            let lost = before.as_ref().is_some_and(User::is_city_admin) && !after.is_city_admin();
            if lost && !others_administer(tx, id)? {
                // Undone with the transaction.
                return Err(Undo::LastAdmin);
            }
            Ok::<_, Undo>(Ok((after, before.is_none())))
        });
        self.checked.forget();
        match done {
            Ok(done) => done,
            Err(Undo::LastAdmin) => Err(UserError::LastAdmin(id.to_owned()).into()),
            Err(Undo::State(error)) => Err(UserError::State(error).into()),
        }
    }

    /// Adds the first administrator; `None` if there is one already.
    pub(crate) fn put_first_admin(
        &self,
        id: &str,
        name: &str,
        password: NewPassword,
        now: Timestamp,
    ) -> Result<Option<User>, UserError> {
        check_id(id).map_err(|problem| UserError::Fields(vec![problem]))?;
        let entry = UserEntry {
            name: name.to_owned(),
            email: None,
            grants: Grants::city(Role::Admin),
            enabled: true,
            password: Some(password),
        };
        let entry = check(entry)?;
        let added = self.state.write(|tx| {
            if others_administer(tx, "")? {
                return Ok(None);
            }
            let before = tables::user(tx, id)?.map(User::from);
            let after = write(tx, id, "setup", now, before.as_ref(), &entry)?;
            // Whoever chose it is the one who is asked for it.
            tx.execute("UPDATE users SET must_change = 0 WHERE id = ?1", [id])?;
            Ok::<_, StateError>(Some(User { password: PasswordState::Chosen, ..after }))
        })?;
        self.checked.forget();
        Ok(added)
    }

    /// The user whom an identity provider says somebody is, as it says they are now; `None` if they
    /// may not log in. Nobody becomes a user of before by having the same name there: it is the
    /// provider's subject that counts.
    pub(crate) fn put_external(
        &self,
        identity: &Identity,
        grants: Grants,
        now: Timestamp,
    ) -> Result<Option<User>, StateError> {
        let written = self.state.write(|tx| {
            let sql = format!("SELECT {} FROM users WHERE subject = ?1", tables::USER);
            let before = tx.query_row(&sql, [&identity.subject], UserRow::read).optional()?;
            let before = before.map(User::from);
            if before.as_ref().is_some_and(|user| !user.enabled) {
                return Ok(None);
            }
            let id = match &before {
                Some(user) => user.id.clone(),
                None => free_id(tx, identity)?,
            };
            let name = identity.name.clone().unwrap_or_else(|| id.clone());
            let email = identity.email.clone();
            let entry = UserEntry { name, email, grants, enabled: true, password: None };
            // What the provider says and cannot be is left out.
            let entry = check(entry.clone()).unwrap_or(UserEntry {
                name: id.clone(),
                email: None,
                ..entry
            });
            let mut after = write(tx, &id, "identity provider", now, before.as_ref(), &entry)?;
            let sql = "UPDATE users SET subject = ?2 WHERE id = ?1";
            tx.execute(sql, params![id, identity.subject])?;
            after.external = true;
            Ok::<_, StateError>(Some(after))
        });
        self.checked.forget();
        written
    }

    /// Gives a user a password of his own choice, or with `must_change` one to be changed at the
    /// next login; he is logged out everywhere.
    pub fn set_password(
        &self,
        id: &str,
        password: &NewPassword,
        must_change: bool,
    ) -> Result<(), UserError> {
        let changed = self.state.write(|tx| {
            tables::end_sessions(tx, id)?;
            tx.execute("DELETE FROM known_browsers WHERE user = ?1", [id])?;
            Ok::<_, StateError>(tx.execute(
                "UPDATE users SET password = ?2, must_change = ?3, version = version + 1
                 WHERE id = ?1",
                params![id, password.0, must_change],
            )?)
        })?;
        self.checked.forget();
        if changed == 0 { Err(UserError::Unknown(id.to_owned())) } else { Ok(()) }
    }

    /// Logs a user out everywhere; tells how many sessions ended.
    pub fn end_sessions(&self, id: &str) -> Result<usize, StateError> {
        let ended = self.state.write(|tx| Ok::<_, StateError>(tables::end_sessions(tx, id)?))?;
        self.checked.forget();
        Ok(ended)
    }

    /// Forgets a user: with sessions, and with the tokens that ended with them. `check` gets what
    /// there is and can refuse.
    pub fn remove<E: From<UserError>>(
        &self,
        id: &str,
        now: Timestamp,
        check: impl FnOnce(&User) -> Result<(), E>,
    ) -> Result<(), E> {
        let done = self.state.write(|tx| {
            let Some(before) = tables::user(tx, id)?.map(User::from) else {
                return Ok(Err(UserError::Unknown(id.to_owned()).into()));
            };
            if let Err(refusal) = check(&before) {
                return Ok(Err(refusal));
            }
            if before.is_city_admin() && !others_administer(tx, id)? {
                return Ok(Err(UserError::LastAdmin(id.to_owned()).into()));
            }
            forget(tx, id, now)?;
            Ok::<_, StateError>(Ok(()))
        });
        self.checked.forget();
        done.map_err(UserError::State)?
    }
}

/// Why a transaction is undone.
enum Undo {
    LastAdmin,
    State(StateError),
}

impl From<rusqlite::Error> for Undo {
    fn from(error: rusqlite::Error) -> Self {
        Self::State(error.into())
    }
}

fn forget(tx: &Transaction<'_>, id: &str, now: Timestamp) -> rusqlite::Result<()> {
    tables::end_sessions(tx, id)?;
    tx.execute(
        "DELETE FROM sessions WHERE token IN (SELECT id FROM access_tokens WHERE owner = ?1)",
        [id],
    )?;
    tx.execute(
        "UPDATE access_tokens SET revoked_at = ?2 WHERE owner = ?1 AND revoked_at IS NULL",
        params![id, now.micros()],
    )?;
    tx.execute("DELETE FROM known_browsers WHERE user = ?1", [id])?;
    tx.execute("DELETE FROM users WHERE id = ?1", [id])?;
    Ok(())
}

/// An id for somebody new, as near as possible to what the provider calls them.
fn free_id(tx: &Transaction<'_>, identity: &Identity) -> rusqlite::Result<String> {
    let number = hash(&identity.subject);
    let number = format!("{:02x}{:02x}{:02x}{:02x}", number[0], number[1], number[2], number[3]);
    let wanted = identity.user.as_ref().or(identity.email.as_ref());
    let wanted = wanted.map(|user| user.trim().to_lowercase()).filter(|id| check_id(id).is_ok());
    let Some(wanted) = wanted else { return Ok(format!("external-{number}")) };
    if tables::user(tx, &wanted)?.is_none() {
        return Ok(wanted);
    }
    let room = wanted.floor_char_boundary(LONGEST_ID - number.len() - 1);
    Ok(format!("{}-{number}", &wanted[..room]))
}

fn others_administer(tx: &Transaction<'_>, than: &str) -> rusqlite::Result<bool> {
    let sql = format!("SELECT {} FROM users WHERE enabled AND id <> ?1", tables::USER);
    let mut statement = tx.prepare_cached(&sql)?;
    for row in statement.query_map([than], UserRow::read)? {
        if User::from(row?).is_city_admin() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn write(
    tx: &Transaction<'_>,
    id: &str,
    by: &str,
    now: Timestamp,
    before: Option<&User>,
    entry: &UserEntry,
) -> rusqlite::Result<User> {
    tx.execute(
        "INSERT INTO users (id, name, email, grants, enabled, password, must_change, created_at,
                            created_by, version)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6 IS NOT NULL, ?7, ?8, 1)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, email = excluded.email,
             grants = excluded.grants, enabled = excluded.enabled,
             password = coalesce(excluded.password, password),
             must_change = CASE WHEN excluded.password IS NULL THEN must_change ELSE 1 END,
             version = version + 1",
        params![
            id,
            entry.name,
            entry.email,
            entry.grants.json(),
            entry.enabled,
            entry.password.as_ref().map(|password| &password.0),
            now.micros(),
            by
        ],
    )?;
    let otherwise = |before: &User| before.grants != entry.grants || !entry.enabled;
    if entry.password.is_some() || before.is_some_and(otherwise) {
        tables::end_sessions(tx, id)?;
        tx.execute("DELETE FROM known_browsers WHERE user = ?1", [id])?;
    }
    let row = tables::user(tx, id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    Ok(row.into())
}

/// Who logs in: what the password is to be compared with.
pub(super) struct Candidate {
    pub(super) user: User,
    pub(super) password: Option<String>,
}

/// A user by id, if he may log in.
pub(super) fn candidate(state: &StateDb, id: &str) -> Result<Option<Candidate>, StateError> {
    let row = state.read(|conn| tables::user(conn, id))?.filter(|row| row.enabled);
    Ok(row.map(|row| Candidate { password: row.password.clone(), user: row.into() }))
}
