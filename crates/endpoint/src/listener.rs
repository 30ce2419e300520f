//! Listeners: where connections come in, and what they pass before they speak MQTT.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use city_tls::{Tls, TlsConfig};
use serde::{Deserialize, Serialize};
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::server::{Doorway, Visitor};
use crate::tls::identity;
use crate::websocket;

/// How long to wait before accepting again when the system is out of something.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often certificates are looked at for a change.
const RELOAD_EVERY: Duration = Duration::from_secs(10);
/// How long a connection is silent before the system asks whether the other side is still there,
/// and how long between the questions.
const PROBE_AFTER: Duration = Duration::from_mins(2);
const PROBE_EVERY: Duration = Duration::from_secs(30);

/// A listener beside the first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListenerConfig {
    /// Where to listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// TLS; without it, nothing is encrypted.
    #[serde(default)]
    pub tls: Option<TlsConfig>,
    /// Whether MQTT comes over WebSocket, under the path `/mqtt`.
    #[serde(default)]
    pub websocket: bool,
    /// Web pages that may connect over WebSocket beside those of the same host, such as
    /// `https://dashboard.example`.
    #[serde(default)]
    pub origins: Vec<String>,
}

impl ListenerConfig {
    /// The scheme under which clients know it.
    pub fn scheme(&self) -> &'static str {
        match (self.websocket, self.tls.is_some()) {
            (false, false) => "mqtt",
            (false, true) => "mqtts",
            (true, false) => "ws",
            (true, true) => "wss",
        }
    }
}

/// A bound listener.
pub(crate) struct Listener {
    socket: TcpListener,
    name: Arc<str>,
    tls: Option<Arc<Tls>>,
    websocket: bool,
    origins: Arc<[String]>,
}

impl Listener {
    /// Binds the address and reads the certificates.
    pub(crate) async fn bind(config: ListenerConfig) -> io::Result<Self> {
        let (listen, scheme) = (config.listen, config.scheme());
        let tls = config.tls.map(|tls| Tls::open(tls, &[])).transpose();
        let tls = tls.map_err(|error| {
            io::Error::new(io::ErrorKind::InvalidInput, format!("TLS on {listen}: {error}"))
        })?;
        let socket = TcpListener::bind(listen).await.map_err(|error| {
            io::Error::new(error.kind(), format!("cannot listen for MQTT on {listen}: {error}"))
        })?;
        let name = format!("{scheme}:{}", socket.local_addr()?.port()).into();
        Ok(Self {
            socket,
            name,
            tls: tls.map(Arc::new),
            websocket: config.websocket,
            origins: config.origins.into(),
        })
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Takes connections in until told to stop.
    pub(crate) async fn run(self, doorway: Doorway, shutdown: CancellationToken) {
        let mut reload = tokio::time::interval(RELOAD_EVERY);
        loop {
            let accepted = tokio::select! {
                () = shutdown.cancelled() => break,
                accepted = self.socket.accept() => accepted,
                _ = reload.tick(), if self.tls.is_some() => {
                    self.reload().await;
                    continue;
                }
            };
            match accepted {
                Ok((stream, peer)) => {
                    prepare(&stream);
                    self.admit(&doorway, stream, peer);
                }
                Err(error) => {
                    // A client that hung up early, or no file handles: the latter needs a pause.
                    tracing::warn!(error = &error as &dyn std::error::Error, "cannot accept");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn admit(&self, doorway: &Doorway, stream: TcpStream, peer: SocketAddr) {
        let visitor = Visitor { listener: self.name.clone(), peer: Some(peer.ip()) };
        let (limit, origins) = (doorway.max_websocket_message(), self.origins.clone());
        match (&self.tls, self.websocket) {
            (None, false) => doorway.admit(visitor, async { Ok((stream, None)) }),
            (None, true) => doorway.admit(visitor, async move {
                Ok((websocket::accept(stream, limit, &origins).await?, None))
            }),
            (Some(tls), false) => {
                let acceptor = tls.acceptor();
                doorway.admit(visitor, async move { encrypted(acceptor, stream).await });
            }
            (Some(tls), true) => {
                let acceptor = tls.acceptor();
                doorway.admit(visitor, async move {
                    let (stream, certificate) = encrypted(acceptor, stream).await?;
                    Ok((websocket::accept(stream, limit, &origins).await?, certificate))
                });
            }
        }
    }

    async fn reload(&self) {
        let Some(tls) = self.tls.clone() else { return };
        match tokio::task::spawn_blocking(move || tls.reload()).await {
            Ok(Ok(true)) => tracing::info!(listener = self.name(), "certificates read again"),
            Ok(Err(error)) => tracing::error!(
                listener = self.name(),
                error.cause = %error,
                "the changed certificates cannot be used; those from before are still in use"
            ),
            Ok(Ok(false)) | Err(_) => {}
        }
    }
}

type Encrypted = tokio_rustls::server::TlsStream<TcpStream>;

/// Shakes hands, and reads whom the client's certificate names.
async fn encrypted(
    acceptor: tokio_rustls::TlsAcceptor,
    stream: TcpStream,
) -> io::Result<(Encrypted, Option<crate::access::CertificateIdentity>)> {
    let stream = acceptor.accept(stream).await?;
    let certificates = stream.get_ref().1.peer_certificates();
    let identity = certificates.and_then(<[_]>::first).and_then(identity);
    Ok((stream, identity))
}

/// Sets what makes a connection quick, and what finds out that the other side is gone.
fn prepare(stream: &TcpStream) {
    // Acknowledgements are small, and are waited for.
    let _unsupported = stream.set_nodelay(true);
    let probes = TcpKeepalive::new().with_time(PROBE_AFTER).with_interval(PROBE_EVERY);
    let _unsupported = SockRef::from(stream).set_tcp_keepalive(&probes);
}
