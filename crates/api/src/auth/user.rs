//! A user: who logs in, and what can be written about one.

use city_model::Timestamp;
use city_registry::FieldProblem;
use city_store::StateError;

use super::tables::UserRow;
use super::{CITY, Grants, Role, passwords};

/// The longest name of a user, and the longest e-mail address, in bytes (RFC 5321, clause 4.5.3.1).
const LONGEST_NAME: usize = 128;
const LONGEST_EMAIL: usize = 254;
/// The longest id, in bytes.
pub(super) const LONGEST_ID: usize = 64;

/// Whether a user has a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordState {
    /// There is none.
    None,
    /// There is one of somebody else's choice: another one must be chosen before anything else.
    MustChange,
    /// There is one.
    Chosen,
}

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
    pub password: PasswordState,
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

    pub(super) fn is_city_admin(&self) -> bool {
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
            password: match row.password {
                None => PasswordState::None,
                Some(_) if row.must_change => PasswordState::MustChange,
                Some(_) => PasswordState::Chosen,
            },
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
pub struct NewPassword(pub(super) String);

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
pub(super) fn check(entry: UserEntry) -> Result<UserEntry, UserError> {
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
