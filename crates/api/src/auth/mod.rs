//! Who may do what: access tokens, browser sessions, roles, and the guard in front of the routes.

mod caller;
mod credentials;
mod guard;
pub(crate) mod policy;
mod throttle;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use caller::Caller;
pub use credentials::{AccessToken, NewToken, Tokens};
pub(crate) use credentials::{Credentials, SESSION_LIFETIME, hash};
pub(crate) use guard::{COOKIE, CSRF_HEADER, guard, identify, session_cookie};
pub(crate) use policy::Access;
pub(crate) use throttle::Throttle;

/// What somebody may do; each role of people may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// An alert engine: may push alert events and nothing else.
    Engine,
    /// Sees everything.
    Viewer,
    /// Also takes care of alerts: acknowledges, assigns, shelves, silences them, writes notes.
    Operator,
    /// Also replays dead letters.
    Engineer,
    /// Everything.
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
    /// The name in logs: a person, or what a machine's token was made for.
    pub(crate) user: Arc<str>,
    /// The role.
    pub(crate) role: Role,
    /// What was shown to prove it.
    pub(crate) proof: Proof,
}

/// What proves who asks, as the SHA-256 of the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Proof {
    /// A session cookie.
    Session([u8; 32]),
    /// An access token.
    Token([u8; 32]),
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
