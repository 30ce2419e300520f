//! Users: people with a name, grants and most often a password. Also for the command line, beside a
//! running server.

use std::sync::Arc;

use city_model::Timestamp;
use city_registry::FieldProblem;
use city_store::{StateDb, StateError};
use rusqlite::{Transaction, params};

use super::checked::Checked;
use super::tables::UserRow;
use super::{CITY, Grants, Role, passwords, tables};

/// The longest name of a user, and the longest e-mail address, in bytes (RFC 5321, clause 4.5.3.1).
const LONGEST_NAME: usize = 128;
const LONGEST_EMAIL: usize = 254;
/// The longest id, in bytes.
const LONGEST_ID: usize = 64;

/// A user; never with the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// What they log in with, and what stands in logs.
    pub id: String,
    /// What people call them.
    pub name: String,
    /// Their e-mail address.
    pub email: Option<String>,
    /// What they may do where.
    pub grants: Grants,
    /// Whether they may log in.
    pub enabled: bool,
    /// Whether they have a password.
    pub has_password: bool,
    /// Whether they must choose another password before anything else.
    pub password_change_needed: bool,
    /// Whether they log in through an identity provider.
    pub external: bool,
    /// When they were added.
    pub created_at: Timestamp,
    /// Who added them.
    pub created_by: String,
    /// When they last logged in.
    pub last_login_at: Option<Timestamp>,
    /// Counts changes.
    pub(crate) version: i64,
}

impl User {
    /// Changes with every change of what is written about the user.
    pub(crate) fn tag(&self) -> String {
        // With the time, because a user who is removed and added again starts counting anew.
        format!("{}-{}", self.created_at.micros(), self.version)
    }

    fn is_city_admin(&self) -> bool {
        self.enabled && self.grants.has(Role::Admin, CITY)
    }
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            email: row.email,
            grants: Grants::read(&row.grants),
            enabled: row.enabled,
            has_password: row.password.is_some(),
            password_change_needed: row.must_change,
            external: row.subject.is_some(),
            created_at: row.created_at,
            created_by: row.created_by,
            last_login_at: row.last_login_at,
            version: row.version,
        }
    }
}

/// What is written about a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserEntry {
    /// What people call them.
    pub name: String,
    /// Their e-mail address.
    pub email: Option<String>,
    /// What they may do where.
    pub grants: Grants,
    /// Whether they may log in.
    pub enabled: bool,
    /// A new password, which they must change at their next login.
    pub password: Option<NewPassword>,
}

/// A password that was judged and hashed.
#[derive(Clone, PartialEq, Eq)]
pub struct NewPassword(String);

impl std::fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewPassword(…)")
    }
}

impl NewPassword {
    /// Judges and hashes a password for a user; takes a tenth of a second.
    pub fn new(password: &str, user: &str, name: &str) -> Result<Self, UserError> {
        passwords::check_password(password, user, name).map_err(|p| UserError::Fields(vec![p]))?;
        Ok(Self(passwords::hash(password).map_err(|p| UserError::Fields(vec![p]))?))
    }
}

/// Why a user cannot be changed like this.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// Some fields cannot be like this.
    #[error("{}", fields(.0))]
    Fields(Vec<FieldProblem>),
    /// Nobody could administer the city any more.
    #[error("`{0}` is the last administrator of the whole city")]
    LastAdmin(String),
    /// There is no such user.
    #[error("there is no user `{0}`")]
    Unknown(String),
    /// The state database failed.
    #[error(transparent)]
    State(#[from] StateError),
}

fn fields(problems: &[FieldProblem]) -> String {
    let line = |p: &FieldProblem| format!("{}: {} (hint: {})", p.field, p.message, p.hint);
    problems.iter().map(line).collect::<Vec<_>>().join("; ")
}

impl From<rusqlite::Error> for UserError {
    fn from(error: rusqlite::Error) -> Self {
        Self::State(error.into())
    }
}

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
            Ok::<_, StateError>(Some(User { password_change_needed: false, ..after }))
        })?;
        self.checked.forget();
        Ok(added)
    }

    /// Gives a user a password of his own choice, or with `must_change` one to be changed at the
    /// next login; he is logged out everywhere.
    pub fn set_password(
        &self,
        id: &str,
        password: NewPassword,
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

/// Whether a text can be a user's id: what people type, in one spelling.
pub fn check_id(id: &str) -> Result<(), FieldProblem> {
    let good = |c: char| {
        c.is_alphanumeric() && c.to_lowercase().eq([c]) || matches!(c, '.' | '-' | '_' | '@' | '+')
    };
    let message = if id.is_empty() {
        "it is empty"
    } else if id.len() > LONGEST_ID {
        "it has more than 64 bytes"
    } else if !id.chars().all(good) {
        "it holds other characters than small letters, digits and `.-_@+`"
    } else {
        return Ok(());
    };
    let hint = "take a short name, such as `ada` or `a.lovelace`";
    Err(FieldProblem { field: "user".to_owned(), message: message.to_owned(), hint })
}

/// The same entry, tidied, if it can be like this.
fn check(entry: UserEntry) -> Result<UserEntry, UserError> {
    let mut problems = Vec::new();
    let mut problem = |field: &str, message: &str, hint| {
        problems.push(FieldProblem { field: field.to_owned(), message: message.to_owned(), hint });
    };
    let name = entry.name.trim().to_owned();
    if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
        let hint = "a name has 1 to 128 bytes and no control characters";
        problem("name", "it is no name", hint);
    }
    let email = entry.email.map(|email| email.trim().to_owned()).filter(|email| !email.is_empty());
    let is_address = |email: &String| {
        let odd = |c: char| c.is_control() || c.is_whitespace() || "<>,;\"".contains(c);
        email.len() <= LONGEST_EMAIL
            && !email.contains(odd)
            && email.split_once('@').is_some_and(|(user, host)| {
                !user.is_empty() && !host.is_empty() && !host.contains('@')
            })
    };
    if email.as_ref().is_some_and(|email| !is_address(email)) {
        problem("email", "it is no e-mail address", "write one, such as ada@city.example");
    }
    if entry.grants.has_engine() {
        let hint = "make a token for it: `citybrain token new --role engine`";
        problem("grants", "a person is no alert engine", hint);
    }
    if problems.is_empty() {
        Ok(UserEntry { name, email, ..entry })
    } else {
        Err(UserError::Fields(problems))
    }
}

/// Who logs in: what the password is to be compared with.
pub(super) struct Candidate {
    pub(super) user: User,
    pub(super) password: Option<String>,
}

/// A user by id, if he may log in.
pub(super) fn candidate(state: &StateDb, id: &str) -> Result<Option<Candidate>, StateError> {
    let row = state.read(|conn| tables::user(conn, id))?.filter(|row| row.enabled);
    Ok(row.map(|mut row| {
        let password = row.password.take();
        let user = User { has_password: password.is_some(), ..row.into() };
        Candidate { user, password }
    }))
}
