//! Listening, shaking hands, and stopping.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use city_model::SharedClock;
use city_pipeline::Intake;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::Route;
use crate::access::{Access, Admission};
use crate::buffer::poll_fill;
use crate::config::EndpointConfig;
use crate::connect::{self, Connect, MAX_CONNECT, Refusal};
use crate::connection::{Admitted, Connection};
use crate::sessions::{Attach, Sessions};
use crate::stats::{Stats, add};
use crate::wire::{Head, Version, kind};

/// Clients beyond the limit that are told so at a time; further ones are hung up on.
const MAX_REFUSALS: usize = 64;
/// How long to wait before accepting again when the system is out of something.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// What a stop may take beyond `shutdown_deadline`.
const STOP_SLACK: Duration = Duration::from_secs(2);

/// The embedded MQTT server, bound and ready to run.
pub struct Endpoint {
    listener: TcpListener,
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

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) config: EndpointConfig,
    pub(crate) intake: Intake,
    pub(crate) route: Route,
    pub(crate) access: Arc<dyn Access>,
    pub(crate) clock: SharedClock,
    pub(crate) sessions: Sessions,
    pub(crate) stats: Arc<Stats>,
    pub(crate) shutdown: CancellationToken,
    /// How many ids were given to clients that brought none.
    assigned: AtomicU64,
}

impl Endpoint {
    /// Listens as configured. Fails if the address cannot be had, the sessions file cannot be
    /// read and written, or the configuration has problems (as `InvalidInput`).
    pub async fn bind(
        config: EndpointConfig,
        intake: Intake,
        route: Route,
        access: Arc<dyn Access>,
        clock: SharedClock,
    ) -> io::Result<Self> {
        let doorway = Doorway::new(config, intake, route, access, clock)?;
        let listen = doorway.shared.config.listen;
        let listener = TcpListener::bind(listen).await.map_err(|error| {
            io::Error::new(error.kind(), format!("cannot listen for MQTT on {listen}: {error}"))
        })?;
        Ok(Self { listener, doorway })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// What it counts.
    pub fn stats(&self) -> Arc<Stats> {
        self.doorway.stats()
    }

    /// Where connections of other transports come in.
    pub fn doorway(&self) -> Doorway {
        self.doorway.clone()
    }

    /// Serves until told to stop; then waits, for a bounded time, until what is under way is
    /// acknowledged. The pipeline must go on meanwhile.
    pub async fn run(self, shutdown: CancellationToken) {
        let Self { listener, doorway } = self;
        loop {
            let accepted = tokio::select! {
                () = shutdown.cancelled() => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    // Acknowledgements are small, and are waited for.
                    let _unsupported = stream.set_nodelay(true);
                    doorway.accept(stream);
                }
                Err(error) => {
                    // A client that hung up early, or no file handles: the latter needs a pause.
                    tracing::warn!(error = &error as &dyn std::error::Error, "cannot accept");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(listener);
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
        let connections = Arc::new(Semaphore::new(config.max_connections));
        let shared = Shared {
            config,
            intake,
            route,
            access,
            clock,
            sessions,
            stats: Arc::default(),
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

    /// Serves a connection in a task of its own.
    pub fn accept<S>(&self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (permit, full) = match self.connections.clone().try_acquire_owned() {
            Ok(permit) => (permit, false),
            Err(_) => match self.refusals.clone().try_acquire_owned() {
                Ok(permit) => (permit, true),
                Err(_) => return add(&self.shared.stats.refused_connections, 1),
            },
        };
        let (shared, abort) = (self.shared.clone(), self.abort.clone());
        self.tasks.spawn(async move {
            let _permit = permit;
            tokio::select! {
                () = abort.cancelled() => {}
                () = serve(shared, stream, full) => {}
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

/// From the first byte to the last.
async fn serve<S>(shared: Arc<Shared>, mut stream: S, full: bool)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let handshake = async {
        tokio::select! {
            () = shared.shutdown.cancelled() => None,
            admitted = shake_hands(&shared, &mut stream, full) => admitted,
        }
    };
    match timeout(shared.config.connect_deadline.to_std(), handshake).await {
        Ok(Some(admitted)) => Connection::new(shared, stream, admitted).run().await,
        Ok(None) => add(&shared.stats.refused_connections, 1),
        Err(_) => {
            tracing::debug!("a client did not finish its handshake in time");
            add(&shared.stats.refused_connections, 1);
        }
    }
}

/// Reads the CONNECT and takes the client id; `None` if it ends here.
async fn shake_hands<S>(shared: &Arc<Shared>, stream: &mut S, full: bool) -> Option<Admitted>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
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
    let connect = match asked {
        Ok(connect) => connect,
        Err((version, refusal)) => return refuse(stream, version, refusal, "").await,
    };
    let assigned = connect.client.is_empty();
    let client: Arc<str> =
        if assigned { shared.assign_id() } else { connect.client.as_str().into() };
    let name = match shared.admit(&connect, &client, full).await {
        Ok(name) => name,
        Err(refusal) => return refuse(stream, connect.version, refusal, &client).await,
    };
    let asked = connect.session_expiry;
    let most = shared.config.max_session_expiry.to_std();
    let expiry = Duration::from_secs(asked.into()).min(most);
    let (hold, present, unreleased) = loop {
        match shared.sessions.attach(&client, connect.clean, !expiry.is_zero()) {
            Attach::Done { hold, present, unreleased } => break (hold, present, unreleased),
            Attach::Busy(released) => released.cancelled().await,
        }
    };
    // Nothing is waited for from here on: the hold must reach the connection.
    let mut out = BytesMut::new();
    let granted = expiry.as_secs() as u32;
    connect::accept(
        &mut out,
        connect.version,
        present,
        assigned.then_some(&client),
        (granted != asked).then_some(granted),
        &shared.config,
    );
    tracing::debug!(mqtt.client = &*client, session = present, "client connected");
    Some(Admitted { connect, name, hold, expiry, unreleased, inbuf, out })
}

impl Shared {
    /// Asks whether the client may come in, and by what name.
    async fn admit(
        self: &Arc<Self>,
        connect: &Connect,
        client: &Arc<str>,
        full: bool,
    ) -> Result<Arc<str>, Refusal> {
        if full {
            return Err(Refusal::Full);
        }
        let (access, id) = (self.access.clone(), client.clone());
        let (username, password) = (connect.username.clone(), connect.password.clone());
        let asked = tokio::task::spawn_blocking(move || {
            access.admit(&id, username.as_deref(), password.as_deref())
        });
        let name = match asked.await {
            Ok(Admission::Granted) => client.clone(),
            Ok(Admission::GrantedAs(name)) => name,
            Ok(Admission::BadCredentials) => return Err(Refusal::Credentials),
            Ok(Admission::NotAuthorized) | Err(_) => return Err(Refusal::NotAuthorized),
        };
        let will = connect.will.as_ref();
        if will.is_some_and(|will| !self.access.may_publish(&name, &will.topic)) {
            return Err(Refusal::NotAuthorized);
        }
        Ok(name)
    }

    /// An id for a client that brings none: unique, over restarts too.
    fn assign_id(&self) -> Arc<str> {
        let number = self.assigned.fetch_add(1, Ordering::Relaxed);
        format!("auto-{:x}-{number}", self.clock.now().micros()).into()
    }
}

/// Tells a client why it is not let in, as far as its version has words for it.
async fn refuse<S: AsyncWrite + Unpin>(
    stream: &mut S,
    version: Version,
    refusal: Refusal,
    client: &str,
) -> Option<Admitted> {
    tracing::info!(mqtt.client = client, "client refused: {refusal}");
    let mut out = BytesMut::new();
    connect::refuse(&mut out, version, refusal);
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

    fn future_size<F>(_: fn(Arc<Shared>, TcpStream, bool) -> F) -> usize {
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
