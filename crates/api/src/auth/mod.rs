//! Who may do what: users, access tokens, browser sessions, roles by department, and the guard in
//! front of the routes.

mod caller;
mod checked;
mod credentials;
mod external;
mod grants;
mod guard;
mod login;
mod passwords;
pub(crate) mod policy;
mod rights;
mod setup;
mod tables;
pub(crate) mod targets;
mod throttle;
mod tokens;
mod transport;
mod user;
mod users;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use city_model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(crate) use caller::Caller;
pub use credentials::SessionLimits;
pub(crate) use credentials::{Credentials, Opener};
pub use external::ExternalLogin;
pub(crate) use external::{Arrival, PATIENCE as EXTERNAL_PATIENCE};
pub use grants::{CITY, Grant, GrantProblem, Grants};
pub(crate) use guard::{CSRF_HEADER, cookie, guard, identify, set_cookie};
pub(crate) use login::{BROWSER_KNOWN, PasswordLogin, Refused, know_browser};
pub use passwords::SHORTEST as SHORTEST_USER_PASSWORD;
pub(crate) use policy::Access;
pub(crate) use rights::Rights;
pub(crate) use setup::Setup;
pub(crate) use throttle::{LoginFailures, Throttle};
pub use tokens::{AccessToken, NewToken, OWN_TOKEN, Tokens};
pub(crate) use tokens::{Maker, hash};
pub(crate) use transport::{COOKIE, SameOrigin, Transport};
pub use user::{NewPassword, PasswordState, User, UserEntry, UserError, check_id as check_user_id};
pub use users::Users;

/// What somebody may do; each role of people may do what those before it may.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// An alert engine: may push alert events and nothing else.
    Engine,
    /// Sees everything.
    Viewer,
    /// Also takes care of alerts: acknowledges, assigns, shelves, silences them, writes notes.
    Operator,
    /// Also changes devices, rules and credentials, and replays dead letters.
    Engineer,
    /// Everything: users and access tokens too.
    Admin,
}

impl Role {
    /// All, least first.
    pub const ALL: [Self; 5] =
        [Self::Engine, Self::Viewer, Self::Operator, Self::Engineer, Self::Admin];

    /// The name in the API, the database and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Engineer => "engineer",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that is not a role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a role; roles are engine, viewer, operator, engineer, admin")]
pub struct ParseRoleError(pub String);

impl FromStr for Role {
    type Err = ParseRoleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|role| role.name() == text);
        found.ok_or_else(|| ParseRoleError(text.chars().take(64).collect()))
    }
}

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) struct Principal {
    /// The name in logs: a user's id, or what a machine's token was made for.
    pub(crate) user: Arc<str>,
    /// What people call the user.
    pub(crate) name: Arc<str>,
    /// What may be done where.
    pub(crate) rights: Rights,
    /// What was shown to prove it.
    pub(crate) proof: Proof,
    /// The number of the session or token that was shown; tells nothing that could be used.
    pub(crate) via: Via,
    /// The user's id, if one stands behind this.
    pub(crate) account: Option<Arc<str>>,
    /// The number of the token that was shown, or that the session was opened with; `None` if a
    /// user logged in.
    pub(crate) token: Option<i64>,
    /// Whether that user has a password.
    pub(crate) has_password: bool,
    /// Whether nothing else may be done before the password is changed.
    pub(crate) must_change_password: bool,
    /// When this ends at the latest.
    pub(crate) expires_at: Option<Timestamp>,
}

/// What proves who asks, as the SHA-256 of the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Proof {
    /// A session cookie.
    Session([u8; 32]),
    /// An access token.
    Token([u8; 32]),
}

/// What was shown, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Via {
    /// A session.
    Session(i64),
    /// An access token.
    Token(i64),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_read_back_by_name() {
        for role in Role::ALL {
            assert_eq!(role.name().parse(), Ok(role));
        }
        assert!("root".parse::<Role>().is_err());
        assert!(Role::Engine < Role::Viewer && Role::Operator < Role::Admin);
    }
}
