//! Takes connections and gives each a task of its own.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use city_model::SharedClock;
use city_pipeline::Intake;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::Access;
use crate::config::Config;
use crate::connection;
use crate::failures::Failures;
use crate::garbage::Allowance;
use crate::stats::{Stats, add};

/// How long to wait when no connection can be taken, such as for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Passwords that are hashed at the same time.
const CHECKS: usize = 2;

/// A listener for HJ 212.
pub struct Listener {
    listener: TcpListener,
    shared: Arc<Shared>,
}

/// What connections share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) intake: Intake,
    pub(crate) access: Arc<dyn Access>,
    pub(crate) clock: SharedClock,
    pub(crate) stats: Arc<Stats>,
    pub(crate) garbage: Allowance,
    pub(crate) failures: Failures,
    pub(crate) checks: Arc<Semaphore>,
}

impl Listener {
    /// Listens; connections are taken by [`Listener::run`].
    pub async fn bind(
        config: Config,
        intake: Intake,
        access: Arc<dyn Access>,
        clock: SharedClock,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(config.listen).await?;
        let (stats, garbage) = (Arc::default(), Allowance::default());
        let (failures, checks) = (Failures::default(), Arc::new(Semaphore::new(CHECKS)));
        let shared = Shared { config, intake, access, clock, stats, garbage, failures, checks };
        let shared = Arc::new(shared);
        Ok(Self { listener, shared })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// What it counts.
    pub fn stats(&self) -> Arc<Stats> {
        self.shared.stats.clone()
    }

    /// Takes connections until told to stop; then waits, for a bounded time, for the commits under
    /// way, so that they are answered.
    pub async fn run(self, shutdown: CancellationToken) {
        let Self { listener, shared } = self;
        let places = Arc::new(Semaphore::new(shared.config.max_connections));
        let tasks = TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                () = shutdown.cancelled() => break,
                accepted = listener.accept() => accepted,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(error.cause = %error, "a connection for HJ 212 cannot be taken");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            let Ok(place) = places.clone().try_acquire_owned() else {
                add(&shared.stats.refused_connections, 1);
                continue;
            };
            let (shared, shutdown) = (shared.clone(), shutdown.clone());
            tasks.spawn(async move {
                serve(&shared, stream, shutdown).await;
                drop(place);
            });
        }
        drop(listener);
        tasks.close();
        tasks.wait().await;
    }
}

async fn serve(shared: &Shared, stream: TcpStream, shutdown: CancellationToken) {
    add(&shared.stats.connections, 1);
    add(&shared.stats.open, 1);
    let peer = stream.peer_addr().ok();
    let address = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    // Answers are short and waited for.
    let _ = stream.set_nodelay(true);
    let end = connection::run(shared, stream, address, shutdown).await;
    shared.stats.open.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
    tracing::debug!(?peer, "a connection for HJ 212 ended: {end}");
}
