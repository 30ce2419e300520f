//! The client side of MQTT: a bounded outbox, connections that come back, and counters.

mod counters;
mod link;
mod outbox;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use counters::{Counters, Snapshot};
use link::Link;
pub(crate) use outbox::Message;

/// The broker or endpoint that is to receive the messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// User name and password, if it wants them.
    pub credentials: Option<Credentials>,
    /// What client ids begin with: `{prefix}-{number}`.
    pub client_prefix: String,
    /// How many connections share the load; at least 1.
    pub connections: usize,
    /// How many messages may be unacknowledged on one connection; at least 1.
    pub in_flight: usize,
    /// How many messages one connection keeps while it cannot send; at least `in_flight`. When it
    /// is full, the oldest that was not sent gives way and is counted.
    pub store: usize,
}

/// A user name and a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user.
    pub username: String,
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

impl Target {
    /// Sixteen connections without credentials, 64 messages in flight and 10,000 stored on each.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self {
            host: host.into(),
            port,
            credentials: None,
            client_prefix: "firmware-sim".to_owned(),
            connections: 16,
            in_flight: 64,
            store: 10_000,
        }
    }

    /// With a user name and a password.
    #[must_use]
    pub fn with_credentials(
        mut self,
        username: impl Into<String>,
        password: impl Into<String>,
    ) -> Self {
        self.credentials =
            Some(Credentials { username: username.into(), password: password.into() });
        self
    }
}

/// All connections of a run, and the task that keeps each of them.
pub(crate) struct Links {
    all: Vec<Arc<Link>>,
    tasks: JoinSet<()>,
    finish: CancellationToken,
    stop: CancellationToken,
}

impl Links {
    /// Starts connecting.
    pub(crate) fn start(target: &Target, counters: &Arc<Counters>) -> Self {
        let (finish, stop) = (CancellationToken::new(), CancellationToken::new());
        let mut tasks = JoinSet::new();
        let mut all = Vec::with_capacity(target.connections.max(1));
        for number in 0..target.connections.max(1) {
            let link = Arc::new(Link::new(target, number, counters.clone()));
            all.push(link.clone());
            let (finish, stop) = (finish.clone(), stop.clone());
            tasks.spawn(async move { link.run(finish, stop).await });
        }
        Self { all, tasks, finish, stop }
    }

    /// The connection that everything with this key goes through: order within it is kept.
    pub(crate) fn of(&self, key: u64) -> &Link {
        &self.all[(key % self.all.len() as u64) as usize]
    }

    /// Lets the connections send what they have, for at most `patience`, and ends them. Returns
    /// how many messages nobody acknowledged.
    pub(crate) async fn finish(mut self, patience: Duration) -> u64 {
        self.finish.cancel();
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(patience, ended).await.is_err() {
            self.stop.cancel();
            let rest = async { while self.tasks.join_next().await.is_some() {} };
            // Saying good-bye to a peer that does not read takes for ever.
            let _ = tokio::time::timeout(Duration::from_millis(500), rest).await;
        }
        self.all.iter().map(|link| link.waiting() as u64).sum()
    }
}
