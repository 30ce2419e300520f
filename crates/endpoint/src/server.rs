//! Listening, shaking hands, and stopping.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use city_model::SharedClock;
use city_pipeline::Intake;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::Route;
use crate::access::{Access, CertificateIdentity, Denied, Grant, Knock};
use crate::buffer::poll_fill;
use crate::config::EndpointConfig;
use crate::connect::{self, Connect, MAX_CONNECT, Refusal, Welcome};
use crate::connection::{Admitted, Connection};
use crate::downlink::Downlink;
use crate::limits::{Limiter, Stay};
use crate::listener::Listener;
use crate::post::Post;
use crate::sessions::{Attach, Sessions};
use crate::stats::{Stats, add};
use crate::wire::{Head, Version, kind};

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
    limiter: Arc<Limiter>,
    /// Logins that are being checked: each may take a core and memory.
    logins: Semaphore,
    pub(crate) stats: Arc<Stats>,
    pub(crate) shutdown: CancellationToken,
    /// How many ids were given to clients that brought none.
    assigned: AtomicU64,
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

    /// Ends the connections of everybody whose name (as [`Grant`] gives it) may stay no longer,
    /// because its credentials or rights have changed; returns how many there were. They may
    /// connect anew, if they still may.
    pub fn revoke(&self, may_stay: impl Fn(&str) -> bool) -> usize {
        self.shared.sessions.revoke(may_stay)
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
            let _share = share;
            tokio::select! {
                () = abort.cancelled() => {}
                () = serve(shared, arrival, visitor, refusal) => {}
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
struct Share {
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

/// From the first byte to the last.
async fn serve<S, A>(shared: Arc<Shared>, arrival: A, visitor: Visitor, refusal: Option<Refusal>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Future<Output = io::Result<Arrived<S>>>,
{
    let handshake = async {
        let greeted = async {
            let (stream, certificate) = match arrival.await {
                Ok(arrived) => arrived,
                Err(error) => {
                    tracing::debug!(listener = &*visitor.listener, %error, "handshake failed");
                    return None;
                }
            };
            shake_hands(&shared, stream, &visitor, certificate.as_ref(), refusal).await
        };
        tokio::select! {
            () = shared.shutdown.cancelled() => None,
            admitted = greeted => admitted,
        }
    };
    match timeout(shared.config.connect_deadline.to_std(), handshake).await {
        Ok(Some((stream, admitted))) => {
            Connection::new(shared, stream, *admitted).run().await;
        }
        Ok(None) => add(&shared.stats.refused_connections, 1),
        Err(_) => {
            tracing::debug!("a client did not finish its handshake in time");
            add(&shared.stats.refused_connections, 1);
        }
    }
}

/// Reads the CONNECT and takes the client id; `None` if it ends here.
async fn shake_hands<S>(
    shared: &Arc<Shared>,
    mut stream: S,
    visitor: &Visitor,
    certificate: Option<&CertificateIdentity>,
    refusal: Option<Refusal>,
) -> Option<(S, Box<Admitted>)>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (connect, inbuf) = read_connect(&mut stream).await?;
    let connect = match connect {
        Ok(connect) => connect,
        Err((version, refusal)) => return refuse(stream, version, refusal, "").await,
    };
    let version = connect.version;
    let assigned = connect.client.is_empty();
    let client: Arc<str> =
        if assigned { shared.assign_id() } else { connect.client.as_str().into() };
    let grant = match refusal {
        Some(refusal) => Err(refusal),
        None => shared.admit(&connect, &client, visitor, certificate).await,
    };
    let grant = match grant {
        Ok(grant) => grant,
        Err(refusal) => return refuse(stream, version, refusal, &client).await,
    };
    let asked = connect.session_expiry;
    let most = shared.config.max_session_expiry.to_std();
    let expiry = Duration::from_secs(asked.into()).min(most);
    let key = session_key(&client, &grant.name);
    let (hold, present, unreleased) = loop {
        match shared.sessions.attach(&key, &grant.name, connect.clean, !expiry.is_zero()) {
            Attach::Done { hold, present, unreleased } => break (hold, present, unreleased),
            Attach::Busy(released) => released.cancelled().await,
        }
    };
    // Nothing is waited for from here on: the hold must reach the connection, or be given back.
    let pass = match shared.limiter.enter(&grant.name, grant.rates) {
        Ok(pass) => pass,
        Err(met) => {
            add(&shared.stats.limited, 1);
            let kept = if present { expiry } else { Duration::ZERO };
            shared.sessions.detach(&hold, kept, unreleased);
            return refuse(stream, version, Refusal::Limit(met), &client).await;
        }
    };
    let mut out = BytesMut::new();
    let granted = expiry.as_secs() as u32;
    let keep_alive = shared.config.other_keep_alive(connect.keep_alive);
    let welcome = Welcome {
        session_present: present,
        assigned: assigned.then_some(&client),
        expiry: (granted != asked).then_some(granted),
        keep_alive,
    };
    connect::accept(&mut out, version, &welcome, &shared.config);
    tracing::debug!(mqtt.client = &*client, session = present, "client connected");
    let admitted = Admitted { connect, grant, pass, hold, expiry, unreleased, inbuf, out };
    Some((stream, Box::new(admitted)))
}

type Asked = Result<Connect, (Version, Refusal)>;

/// The first packet, and what came in behind it; `None` if it is none.
async fn read_connect<S: AsyncRead + Unpin>(stream: &mut S) -> Option<(Asked, BytesMut)> {
    let mut inbuf = BytesMut::new();
    let head = loop {
        match Head::peek(&inbuf, MAX_CONNECT) {
            Ok(Some(head)) if head.kind != kind::CONNECT => return None,
            Ok(Some(head)) if head.total() <= inbuf.len() => break head,
            Ok(_) => {}
            Err(_) => return None,
        }
        match poll_fn(|cx| poll_fill(stream, &mut inbuf, cx)).await {
            Ok(1..) => {}
            Ok(_) | Err(_) => return None,
        }
    };
    let asked = Connect::parse(&inbuf[head.header..head.total()]);
    inbuf.advance(head.total());
    Some((asked, inbuf))
}

/// What sessions are kept under: a client id belongs to the name that uses it, so that nobody
/// takes over what is another's.
fn session_key(client: &Arc<str>, name: &Arc<str>) -> Arc<str> {
    const SEPARATOR: char = '\u{1f}';
    if client == name { client.clone() } else { format!("{name}{SEPARATOR}{client}").into() }
}

impl Shared {
    /// Asks whether the client may come in, and what it may do.
    async fn admit(
        self: &Arc<Self>,
        connect: &Connect,
        client: &Arc<str>,
        visitor: &Visitor,
        certificate: Option<&CertificateIdentity>,
    ) -> Result<Grant, Refusal> {
        if let Some(peer) = visitor.peer {
            self.limiter.may_log_in(peer).map_err(|met| {
                add(&self.stats.limited, 1);
                Refusal::Limit(met)
            })?;
        }
        let permit = self.logins.acquire().await.map_err(|_| Refusal::Unavailable)?;
        let (access, id, visitor) = (self.access.clone(), client.clone(), visitor.clone());
        let (username, password) = (connect.username.clone(), connect.password.clone());
        let (certificate, peer) = (certificate.cloned(), visitor.peer);
        let asked = tokio::task::spawn_blocking(move || {
            access.admit(&Knock {
                client: &id,
                username: username.as_deref(),
                password: password.as_deref(),
                certificate: certificate.as_ref(),
                listener: &visitor.listener,
                peer: visitor.peer,
            })
        });
        let answer = asked.await.unwrap_or(Err(Denied::Unavailable));
        drop(permit);
        let grant = answer.map_err(|denied| match denied {
            Denied::BadCredentials => {
                add(&self.stats.failed_logins, 1);
                if let Some(peer) = peer {
                    self.limiter.login_failed(peer);
                }
                Refusal::Credentials
            }
            Denied::NotAuthorized(reason) => Refusal::NotAuthorized(reason),
            Denied::Unavailable => Refusal::Unavailable,
        })?;
        let will = connect.will.as_ref();
        if will.is_some_and(|will| !grant.publish.allows(&will.topic)) {
            return Err(Refusal::Will);
        }
        Ok(grant)
    }

    /// An id for a client that brings none: unique, over restarts too.
    fn assign_id(&self) -> Arc<str> {
        let number = self.assigned.fetch_add(1, Ordering::Relaxed);
        format!("auto-{:x}-{number}", self.clock.now().micros()).into()
    }
}

/// Tells a client why it is not let in, as far as its version has words for it.
async fn refuse<S: AsyncWrite + Unpin>(
    mut stream: S,
    version: Version,
    refusal: Refusal,
    client: &str,
) -> Option<(S, Box<Admitted>)> {
    tracing::info!(mqtt.client = client, "client refused: {refusal}");
    let mut out = BytesMut::new();
    connect::refuse(&mut out, version, &refusal);
    if stream.write_all(&out).await.is_ok() {
        // Whether it hears the end of it is its own affair.
        let _gone = stream.shutdown().await;
    }
    None
}

#[cfg(test)]
mod tests {
    use city_model::ManualClock;
    use city_pipeline::{Limits, intake};
    use tokio::net::TcpStream;

    use super::*;
    use crate::access::AllowAll;

    type Arrival = std::future::Ready<io::Result<Arrived<TcpStream>>>;

    fn future_size<F>(_: fn(Arc<Shared>, Arrival, Visitor, Option<Refusal>) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn an_idle_connection_is_small() {
        let size = future_size(serve);
        assert!(size <= 3 << 10, "{size} bytes");
    }

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
