//! What connections share, and where they come in and are waited for at the end.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use city_model::SharedClock;
use city_pipeline::Intake;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::Route;
use crate::access::{Access, CertificateIdentity};
use crate::config::EndpointConfig;
use crate::connect::{MAX_CONNECT, Refusal};
use crate::downlink::Downlink;
use crate::greet::serve;
use crate::limits::{Limiter, Stay};
use crate::listener::Listener;
use crate::post::Post;
use crate::sessions::Sessions;
use crate::stats::{Stats, add};
use crate::will;

/// Clients beyond the limit that are told so at a time; further ones are hung up on.
const MAX_REFUSALS: usize = 64;
/// What a stop may take beyond `shutdown_deadline`.
const STOP_SLACK: Duration = Duration::from_secs(2);

/// The embedded MQTT server, bound and ready to run.
pub struct Endpoint {
    /// The first is that of the configuration's `listen`.
    listeners: Vec<Listener>,
    doorway: Doorway,
}

/// Takes connections in, whatever their transport. Clones share everything.
#[derive(Clone)]
pub struct Doorway {
    shared: Arc<Shared>,
    connections: Arc<Semaphore>,
    refusals: Arc<Semaphore>,
    tasks: TaskTracker,
    /// Ends what does not end by itself.
    abort: CancellationToken,
}

/// Where a connection comes from.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    pub(crate) listener: Arc<str>,
    pub(crate) peer: Option<IpAddr>,
}

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) config: EndpointConfig,
    pub(crate) intake: Intake,
    pub(crate) route: Route,
    pub(crate) access: Arc<dyn Access>,
    pub(crate) clock: SharedClock,
    pub(crate) sessions: Sessions,
    pub(crate) post: Arc<Post>,
    pub(crate) limiter: Arc<Limiter>,
    /// Logins that are being checked: each may take a core and memory.
    pub(crate) logins: Semaphore,
    /// Room for wills that wait for their delay.
    pub(crate) wills: Semaphore,
    pub(crate) stats: Arc<Stats>,
    pub(crate) shutdown: CancellationToken,
    /// How many ids were given to clients that brought none.
    pub(crate) assigned: AtomicU64,
}

impl Endpoint {
    /// Listens as configured. Fails if an address cannot be had, a certificate cannot be used, the
    /// sessions file cannot be read and written, or the configuration has problems (as
    /// `InvalidInput`).
    pub async fn bind(
        config: EndpointConfig,
        intake: Intake,
        route: Route,
        access: Arc<dyn Access>,
        clock: SharedClock,
    ) -> io::Result<Self> {
        let doorway = Doorway::new(config, intake, route, access, clock)?;
        let mut listeners = Vec::new();
        for config in doorway.shared.config.all_listeners() {
            listeners.push(Listener::bind(config).await?);
        }
        Ok(Self { listeners, doorway })
    }

    /// Where the first listener listens.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        let first = self.listeners.first();
        first.map_or_else(|| Err(io::ErrorKind::NotConnected.into()), Listener::local_addr)
    }

    /// Where all listeners listen, by their names, such as `mqtts:8883`.
    pub fn addresses(&self) -> io::Result<Vec<(String, SocketAddr)>> {
        let listeners = self.listeners.iter();
        listeners.map(|one| Ok((one.name().to_owned(), one.local_addr()?))).collect()
    }

    /// What it counts.
    pub fn stats(&self) -> Arc<Stats> {
        self.doorway.stats()
    }

    /// Where connections of other transports come in.
    pub fn doorway(&self) -> Doorway {
        self.doorway.clone()
    }

    /// Sends commands to devices.
    pub fn downlink(&self) -> Downlink {
        self.doorway.downlink()
    }

    /// Serves until told to stop; then waits, for a bounded time, until what is under way is
    /// acknowledged. The pipeline must go on meanwhile.
    pub async fn run(self, shutdown: CancellationToken) {
        let Self { listeners, doorway } = self;
        let mut running = JoinSet::new();
        for listener in listeners {
            running.spawn(listener.run(doorway.clone(), shutdown.clone()));
        }
        while running.join_next().await.is_some() {}
        shutdown.cancelled().await;
        doorway.close().await;
    }
}

impl Doorway {
    /// A doorway without a listener of its own.
    pub fn new(
        config: EndpointConfig,
        intake: Intake,
        route: Route,
        access: Arc<dyn Access>,
        clock: SharedClock,
    ) -> io::Result<Self> {
        if let Some(problem) = config.problems().into_iter().next() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
        }
        let sessions = Sessions::open(
            config.sessions_file.as_deref(),
            config.max_sessions,
            config.max_session_expiry.to_std(),
        )?;
        let stats: Arc<Stats> = Arc::default();
        let post = Arc::new(Post::open(
            config.sessions_file.as_deref().map(commands_file).as_deref(),
            config.commands.clone(),
            config.max_packet_size as usize,
            clock.clone(),
            stats.clone(),
            |client| sessions.is_kept(client),
        )?);
        sessions.tell(post.clone());
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let limiter = Limiter::new(config.limits.clone());
        let connections = Arc::new(Semaphore::new(config.max_connections));
        let shared = Shared {
            config,
            intake,
            route,
            access,
            clock,
            sessions,
            post,
            limiter,
            logins: Semaphore::new(cores),
            wills: Semaphore::new(will::MAX_WAITING),
            stats,
            shutdown: CancellationToken::new(),
            assigned: AtomicU64::new(0),
        };
        Ok(Self {
            shared: Arc::new(shared),
            connections,
            refusals: Arc::new(Semaphore::new(MAX_REFUSALS)),
            tasks: TaskTracker::new(),
            abort: CancellationToken::new(),
        })
    }

    /// What it counts.
    pub fn stats(&self) -> Arc<Stats> {
        self.shared.stats.clone()
    }

    /// Sends commands to devices.
    pub fn downlink(&self) -> Downlink {
        Downlink { post: self.shared.post.clone() }
    }

    /// Ends the connections of everybody who may stay no longer (as [`Grant`](crate::Grant) says),
    /// because its credentials or rights have changed; returns how many there were. They may
    /// connect anew, if they still may.
    pub fn revoke(&self) -> usize {
        self.shared.sessions.revoke()
    }

    /// Serves a connection from inside the program in a task of its own.
    pub fn accept<S>(&self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let visitor = Visitor { listener: "inside".into(), peer: None };
        self.admit(visitor, async { Ok((stream, None)) });
    }

    /// The largest WebSocket message, in bytes.
    pub(crate) fn max_websocket_message(&self) -> usize {
        MAX_CONNECT.max(self.shared.config.max_packet_size as usize)
    }

    /// Serves a connection in a task of its own once `arrival`, which is bound to the deadline of
    /// handshakes too, has brought its stream and the client's certificate.
    pub(crate) fn admit<S, A>(&self, visitor: Visitor, arrival: A)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        A: Future<Output = io::Result<Arrived<S>>> + Send + 'static,
    {
        let shared = &self.shared;
        let stay = visitor.peer.map(|peer| shared.limiter.arrive(peer)).transpose();
        let full = || self.connections.clone().try_acquire_owned().map_err(|_| Refusal::Full);
        let share = stay
            .map_err(|met| {
                add(&shared.stats.limited, 1);
                Refusal::Limit(met)
            })
            .and_then(|stay| Ok((full()?, stay)));
        let (share, refusal) = match share {
            Ok((permit, stay)) => (Share { _permit: permit, _stay: stay }, None),
            Err(refusal) => match self.refusals.clone().try_acquire_owned() {
                Ok(permit) => (Share { _permit: permit, _stay: None }, Some(refusal)),
                Err(_) => return add(&shared.stats.refused_connections, 1),
            },
        };
        let (shared, abort) = (self.shared.clone(), self.abort.clone());
        self.tasks.spawn(async move {
            let life = async {
                if let Some(left) = serve(shared.clone(), arrival, visitor, refusal).await {
                    will::publish(&shared, left, share).await;
                }
            };
            tokio::select! {
                () = abort.cancelled() => {}
                () = life => {}
            }
        });
    }

    /// Says goodbye to all clients, and waits, for a bounded time, until they are gone.
    pub async fn close(&self) {
        self.shared.shutdown.cancel();
        self.tasks.close();
        let patience = self.shared.config.shutdown_deadline.to_std() + STOP_SLACK;
        if timeout(patience, self.tasks.wait()).await.is_err() {
            tracing::warn!(
                connections = self.tasks.len(),
                "connections are cut off: their messages could not be handed over in time"
            );
            self.abort.cancel();
            self.tasks.wait().await;
        }
    }
}

/// What a connection takes of what there is; given back when it is dropped.
pub(crate) struct Share {
    _permit: tokio::sync::OwnedSemaphorePermit,
    _stay: Option<Stay>,
}

/// A stream that speaks MQTT, and whom its client's certificate names.
pub(crate) type Arrived<S> = (S, Option<CertificateIdentity>);

/// The file of commands beside that of sessions.
fn commands_file(sessions: &Path) -> std::path::PathBuf {
    let mut name = sessions.file_name().unwrap_or_default().to_owned();
    name.push("-commands");
    sessions.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use city_model::ManualClock;
    use city_pipeline::{Limits, intake};

    use super::*;
    use crate::access::AllowAll;

    #[test]
    fn a_bad_configuration_is_refused_by_the_name_of_the_setting() {
        let config = EndpointConfig { max_packet_size: 1, ..EndpointConfig::default() };
        let (intake, _received) = intake(Limits::default());
        let clock = Arc::new(ManualClock::default());
        let refused =
            Doorway::new(config, intake, Arc::new(|_, _| None), Arc::new(AllowAll), clock);
        let error = refused.err().expect("refused");
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert!(error.to_string().contains("max_packet_size is 1"), "{error}");
    }
}
