//! Who may connect, and what they may publish.

use std::sync::Arc;

/// What becomes of a client that wants to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It may; its messages carry its client id.
    Granted,
    /// It may; its messages carry this name instead, such as that of the device whose token it
    /// showed as its user name.
    GrantedAs(Arc<str>),
    /// User name and password are wrong or missing.
    BadCredentials,
    /// It is known, but may not connect.
    NotAuthorized,
}

/// The rights of clients.
pub trait Access: Send + Sync {
    /// Whether a client may connect. Called on a thread where blocking is allowed, because
    /// checking a password takes its time.
    fn admit(&self, client: &str, username: Option<&str>, password: Option<&[u8]>) -> Admission;

    /// Whether a client, by the name that [`Access::admit`] gave it, may publish to a topic, its
    /// will included. Called for every message: must be quick.
    fn may_publish(&self, _client: &str, _topic: &str) -> bool {
        true
    }
}

/// Lets everybody in: for a loopback listener, and nothing else.
#[derive(Clone, Copy, Debug, Default)]
pub struct AllowAll;

impl Access for AllowAll {
    fn admit(&self, _: &str, _: Option<&str>, _: Option<&[u8]>) -> Admission {
        Admission::Granted
    }
}
