//! Who may connect, what they may publish, and which commands they may hear.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::filters::{COMMAND_TOPICS, Filters};
use crate::limits::Rates;

/// What a client shows of itself when it wants to connect.
#[derive(Clone, Copy, Debug)]
pub struct Knock<'a> {
    /// Its client id; made by the server if it brought none.
    pub client: &'a str,
    /// The user name.
    pub username: Option<&'a str>,
    /// The password, or a token.
    pub password: Option<&'a [u8]>,
    /// Whom its certificate names; the certificate was verified against the listener's
    /// authorities.
    pub certificate: Option<&'a CertificateIdentity>,
    /// The listener through which it came, such as `mqtts:8883`.
    pub listener: &'a str,
    /// Its address; `None` for a connection inside the program.
    pub peer: Option<IpAddr>,
}

/// Whom a client certificate names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateIdentity {
    /// The subject's common name.
    pub common_name: Option<String>,
    /// The subject's alternative names: DNS names, URIs and mail addresses.
    pub alternative_names: Vec<String>,
    /// SHA-256 of the certificate, in lower-case hexadecimal digits.
    pub fingerprint: String,
}

impl CertificateIdentity {
    /// The names by which a device may be known: the common name first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let common = self.common_name.as_deref();
        common.into_iter().chain(self.alternative_names.iter().map(String::as_str))
    }
}

/// What a client may do.
#[derive(Clone, Debug)]
pub struct Grant {
    /// What its messages call it (`RawMessage::client`), such as the device's id. Limits are per
    /// name, and a client id belongs to the name that uses it: nobody takes over the connection
    /// or the session of another name.
    pub name: Arc<str>,
    /// What it may publish, its will included.
    pub publish: PublishRight,
    /// The topics that it may subscribe to.
    pub commands: Filters,
    /// Its own rates instead of those of the configuration.
    pub rates: Option<Rates>,
    /// Until when all this holds.
    pub stay: Stay,
}

/// How long a client may stay connected with what it showed: asked once it has its session, so
/// that nothing is missed that changed while it was checked, and by
/// [`Doorway::revoke`](crate::Doorway::revoke).
#[derive(Clone, Default)]
pub struct Stay(Option<Arc<dyn Fn() -> bool + Send + Sync>>);

impl Stay {
    /// As long as this says so. Must be quick, and must not call the endpoint.
    pub fn as_long_as(holds: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(holds)))
    }

    /// Whether it may stay now.
    pub fn holds(&self) -> bool {
        self.0.as_ref().is_none_or(|holds| holds())
    }
}

impl fmt::Debug for Stay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "AsLongAs" } else { "Always" })
    }
}

/// What a client may publish.
#[derive(Clone)]
pub enum PublishRight {
    /// To the topics that match.
    Filters(Filters),
    /// To the topics for which this says so. Called for every message: must be quick.
    Check(Arc<dyn Fn(&str) -> bool + Send + Sync>),
}

impl PublishRight {
    /// Whether the client may publish to this topic.
    pub fn allows(&self, topic: &str) -> bool {
        match self {
            Self::Filters(filters) => filters.matches(topic),
            Self::Check(check) => check(topic),
        }
    }
}

impl From<Filters> for PublishRight {
    fn from(filters: Filters) -> Self {
        Self::Filters(filters)
    }
}

impl fmt::Debug for PublishRight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Filters(filters) => filters.fmt(f),
            Self::Check(_) => f.write_str("Check"),
        }
    }
}

/// Why a client may not connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// What it showed is wrong or missing. Counts as a failed login of its address.
    BadCredentials,
    /// It is known, but may not connect, for this reason, which an MQTT 5 client is told.
    NotAuthorized(String),
    /// It cannot be said now, such as when the credentials cannot be read; it is to try again.
    Unavailable,
}

/// The rights of clients.
pub trait Access: Send + Sync {
    /// Whether a client may connect, and what it may do then. Called on a thread where blocking
    /// is allowed, because checking a password takes its time; at most as many at a time as the
    /// machine has cores.
    fn admit(&self, knock: &Knock<'_>) -> Result<Grant, Denied>;
}

/// Lets everybody in, by their client id, with the right to publish everything: for a loopback
/// listener, and nothing else.
#[derive(Clone, Copy, Debug, Default)]
pub struct AllowAll;

impl Access for AllowAll {
    fn admit(&self, knock: &Knock<'_>) -> Result<Grant, Denied> {
        // Edge nodes of Sparkplug are seldom called as their client ids.
        let sparkplug = ["spBv1.0/+/NCMD/+/#", "spBv1.0/+/DCMD/+/#"];
        let templates = COMMAND_TOPICS.iter().chain(&sparkplug);
        Ok(Grant {
            name: knock.client.into(),
            publish: Filters::every().into(),
            commands: Filters::from_templates(templates, &[knock.client]),
            rates: None,
            stay: Stay::default(),
        })
    }
}
