//! The HTTP server under the router: where connections come in, TLS, and what a connection may cost.
//!
//! HTTP/1.1 and HTTP/2, by hyper; every connection is a task of its own, its handshake too. A
//! connection has a place among those that there may be, ends when its client keeps it waiting
//! ([`watched`]), and outlives every reload of the certificate.

mod activity;
mod figures;
mod limits;
mod paced;
mod places;
mod redirect;
mod talk;
mod watched;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::HeaderValue;
use city_model::Span;
use city_tls::Tls;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::activity::Activity;
use self::figures::Ended;
use self::paced::Pace;
use self::places::{Place, Places};
use self::talk::Talk;
use self::watched::{Patience, Watched};
use crate::connection::{Connection, Door};

pub(crate) use self::figures::Figures;
pub use self::limits::{HttpLimits, RateLimit};
pub(crate) use self::paced::TooSlow;
pub(crate) use self::places::network;

/// What is spoken inside TLS, the best first, for ALPN.
pub const PROTOCOLS: &[&[u8]] = &[b"h2", b"http/1.1"];

/// Requests on a connection of HTTP/2 that its client may take back before they are answered, at one
/// time: more are the attack that is known as rapid reset (CVE-2023-44487).
const TAKEN_BACK: usize = 20;
/// The same for streams that were reset because the client broke the protocol on them.
const BROKEN: usize = 100;
/// The largest number of header fields of a request.
const HEADERS: usize = 100;
/// Bytes of answers that wait for one client of HTTP/2, of each request.
const WAITING: usize = 64 << 10;
/// How long to wait before accepting again when the system is out of something.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long a connection is silent before the system asks whether the other side is still there,
/// and how long between the questions.
const PROBE_AFTER: Duration = Duration::from_mins(2);
const PROBE_EVERY: Duration = Duration::from_secs(30);
/// Connections through the door of the program itself.
const OWN_CONNECTIONS: usize = 256;

/// Where requests come in.
#[derive(Debug)]
pub struct Doors {
    /// Where everybody comes in.
    pub public: TcpListener,
    /// TLS of `public`; without it nothing is encrypted.
    pub tls: Option<Encryption>,
    /// Where requests come in plain and are sent to the address with TLS.
    pub redirect: Option<TcpListener>,
    /// Where this program itself and its command line come in, on loopback, in plain HTTP. They
    /// find a place however many others there are.
    pub own: Option<TcpListener>,
    /// The runtime of the connections from outside, so that they take from the rest of the program
    /// no more than its threads do; without it, that of the caller.
    pub runtime: Option<Handle>,
}

/// TLS of a door.
#[derive(Clone, Debug)]
pub struct Encryption {
    /// The certificate; to be opened with [`PROTOCOLS`].
    pub tls: Arc<Tls>,
    /// How long browsers shall not come without TLS again (RFC 6797); zero says nothing of it.
    pub hsts: Span,
}

impl From<TcpListener> for Doors {
    fn from(public: TcpListener) -> Self {
        Self { public, tls: None, redirect: None, own: None, runtime: None }
    }
}

/// What every connection shares.
pub(crate) struct Server {
    router: Router,
    builder: auto::Builder<TokioExecutor>,
    patience: Patience,
    pace: Pace,
    handshake: Duration,
    figures: Figures,
    shutdown: CancellationToken,
    connections: TaskTracker,
}

/// One door.
struct Entrance {
    listener: TcpListener,
    door: Door,
    tls: Option<Arc<Tls>>,
    hsts: Option<HeaderValue>,
    places: Arc<Places>,
}

impl Server {
    pub(crate) fn new(
        router: Router,
        limits: &HttpLimits,
        figures: Figures,
        shutdown: CancellationToken,
    ) -> Arc<Self> {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            // The stream has patience of its own, which tells idle connections from slow ones.
            .header_read_timeout(None)
            .max_headers(HEADERS)
            // The buffer holds the whole head; bodies pass through it in parts.
            .max_buf_size(limits.header_bytes as usize);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(limits.streams_per_connection)
            .max_pending_accept_reset_streams(TAKEN_BACK)
            .max_local_error_reset_streams(BROKEN)
            .max_header_list_size(limits.header_bytes)
            .max_send_buf_size(WAITING);
        Arc::new(Self {
            router,
            builder,
            patience: Patience {
                header: limits.header.to_std(),
                idle: limits.idle.to_std(),
                write: limits.write.to_std(),
            },
            pace: Pace { grace: limits.body.to_std(), bytes_per_s: limits.body_bytes_per_s },
            handshake: limits.handshake.to_std(),
            figures,
            shutdown,
            connections: TaskTracker::new(),
        })
    }

    /// Takes connections in at all doors until told to stop; returns once the last one has ended.
    pub(crate) async fn run(self: Arc<Self>, doors: Doors, limits: &HttpLimits) -> io::Result<()> {
        let runtime = doors.runtime.unwrap_or_else(Handle::current);
        let places = Places::new(limits.connections, limits.connections_per_address);
        let port = doors.public.local_addr()?.port();
        let hsts = doors.tls.as_ref().and_then(|encryption| hsts(encryption.hsts));
        let public = Entrance {
            listener: doors.public,
            door: Door::Public,
            tls: doors.tls.map(|encryption| encryption.tls),
            hsts,
            places: places.clone(),
        };
        self.open(public, &runtime);
        if let Some(listener) = doors.own {
            let places = Places::new(OWN_CONNECTIONS, 0);
            let own = Entrance { listener, door: Door::Own, tls: None, hsts: None, places };
            self.open(own, &Handle::current());
        }
        if let Some(listener) = doors.redirect {
            // What redirects knows nothing but the address.
            let limited = Self { router: redirect::router(port), ..self.like() };
            let door = Entrance { listener, door: Door::Public, tls: None, hsts: None, places };
            Arc::new(limited).open(door, &runtime);
        }
        self.shutdown.cancelled().await;
        self.connections.close();
        self.connections.wait().await;
        Ok(())
    }

    /// The same server without its routes.
    fn like(&self) -> Self {
        Self {
            router: Router::new(),
            builder: self.builder.clone(),
            patience: self.patience,
            pace: self.pace,
            handshake: self.handshake,
            figures: self.figures.clone(),
            shutdown: self.shutdown.clone(),
            connections: self.connections.clone(),
        }
    }

    fn open(self: &Arc<Self>, entrance: Entrance, runtime: &Handle) {
        let server = self.clone();
        self.connections.spawn_on(async move { server.accept(entrance).await }, runtime);
    }

    async fn accept(self: Arc<Self>, entrance: Entrance) {
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.shutdown.cancelled() => break,
                accepted = entrance.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => self.admit(&entrance, stream, peer),
                Err(error) => {
                    // A client that hung up early, or no file handles: the latter needs a pause.
                    tracing::warn!(error.cause = %error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Gives a connection a place and a task, or refuses it.
    fn admit(self: &Arc<Self>, entrance: &Entrance, stream: TcpStream, peer: SocketAddr) {
        let place = match entrance.places.take(peer.ip()) {
            Ok(place) => place,
            Err(full) => {
                self.figures.refused(full);
                if entrance.tls.is_none() {
                    // It fits into the buffer of a new connection, or it is not worth waiting for.
                    let _hung_up = stream.try_write(talk::FULL);
                }
                return;
            }
        };
        prepare(&stream);
        self.figures.accepted.inc();
        let (server, door) = (self.clone(), entrance.door);
        let connection = |encrypted| Connection { peer, encrypted, door };
        match &entrance.tls {
            None => {
                let connection = connection(false);
                self.connections.spawn(async move {
                    server.talk(stream, connection, None, place).await;
                });
            }
            Some(tls) => {
                let (acceptor, connection) = (tls.acceptor(), connection(true));
                let hsts = entrance.hsts.clone();
                self.connections.spawn(async move {
                    let shaken = tokio::time::timeout(server.handshake, acceptor.accept(stream));
                    if let Ok(Ok(stream)) = shaken.await {
                        server.talk(stream, connection, hsts, place).await;
                    } else {
                        server.figures.ended(Ended::Handshake);
                    }
                });
            }
        }
    }

    /// Answers the requests of one connection until it ends.
    async fn talk<S>(
        &self,
        stream: S,
        connection: Connection,
        hsts: Option<HeaderValue>,
        _place: Place,
    ) where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        self.figures.open.inc();
        let activity = Arc::new(Activity::default());
        let figures = self.figures.clone();
        let stream = Watched::new(stream, activity.clone(), self.patience, figures);
        let talk =
            Talk { router: self.router.clone(), connection, hsts, activity, pace: self.pace };
        let served = self.builder.serve_connection(TokioIo::new(stream), talk);
        tokio::pin!(served);
        let ended = tokio::select! {
            ended = served.as_mut() => ended,
            () = self.shutdown.cancelled() => {
                served.as_mut().graceful_shutdown();
                served.await
            }
        };
        self.figures.open.dec();
        if let Err(error) = ended {
            tracing::debug!(client.address = %connection.peer.ip(), error.cause = %error,
                "a connection ended early");
        }
    }
}

/// The header that tells browsers not to come without TLS again.
fn hsts(keep: Span) -> Option<HeaderValue> {
    let seconds = keep.to_std().as_secs();
    if seconds == 0 {
        return None;
    }
    HeaderValue::try_from(format!("max-age={seconds}")).ok()
}

/// Sets what makes a connection quick, and what finds out that the other side is gone.
fn prepare(stream: &TcpStream) {
    // Events are small and late ones are of no use: do not wait to fill packets.
    let _unsupported = stream.set_nodelay(true);
    let probes = TcpKeepalive::new().with_time(PROBE_AFTER).with_interval(PROBE_EVERY);
    let _unsupported = SockRef::from(stream).set_tcp_keepalive(&probes);
}
