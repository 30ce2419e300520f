//! A process on the bus: its connection, and its copy of the city's state.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use city_bus::{Bus, BusError};
use city_cluster::{CITY, Replica, ReplicaError};
use city_registry::Registry;
use city_registry::credentials::Credentials;
use city_rulebook::Book;
use city_store::{Listener, Writers};

use crate::commands::until_told_to_stop;
use crate::settings::BusSettings;

/// How long a start waits for the bus.
const PATIENCE: Duration = Duration::from_mins(2);

/// How often it is looked whether a brain has put the city's state on the bus.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Changes that follow each other this closely are read together.
const SETTLES: Duration = Duration::from_millis(50);

/// How long a process that is told to stop tries to tell the bus so.
const FAREWELL: Duration = Duration::from_secs(8);

/// Does at the start what may have to wait for the bus or for the first brain. A process that is told
/// to stop meanwhile ends: it holds nothing yet.
pub(super) async fn unless_stopped<T: Send + 'static>(
    start: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    tokio::select! {
        told = until_told_to_stop() => {
            told?;
            tracing::info!("stopped before it began");
            std::process::exit(0);
        }
        done = tokio::task::spawn_blocking(start) => done?,
    }
}

/// Waits until the copy of the city's state, or whatever else, is lost.
pub(super) async fn until(is_lost: impl Fn() -> bool) {
    while !is_lost() {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Ends what tells the bus that it ends. Where the bus does not answer, the process does not wait: it
/// is as after a crash then, by which nothing is lost either. Its status says whether it had `failed`
/// before, and is to be started again.
pub(super) async fn end(failed: bool, work: impl FnOnce() + Send + 'static) -> anyhow::Result<()> {
    let ended = tokio::time::timeout(FAREWELL, tokio::task::spawn_blocking(work)).await;
    let Ok(done) = ended else {
        tracing::warn!("the bus does not answer; stopped without telling it");
        std::process::exit(i32::from(failed));
    };
    Ok(done?)
}

/// Connects to the bus.
pub(super) fn connect(settings: &BusSettings) -> anyhow::Result<Bus> {
    Bus::connect(&settings.nats, &settings.node, PATIENCE).context("[bus]")
}

/// Names of tables that somebody else changed, on their way to those who hold them in memory.
pub(super) struct Changes {
    news: Receiver<BTreeSet<String>>,
}

/// A listener, and its other end.
pub(super) fn changes() -> (Listener, Changes) {
    let (sender, news): (SyncSender<BTreeSet<String>>, _) = sync_channel(10_000);
    // Who reads it reads whole tables: what does not fit any more is read with what does.
    let listener = Box::new(move |tables: &BTreeSet<String>| _ = sender.try_send(tables.clone()));
    (listener, Changes { news })
}

/// A copy of the city's state; waits until a brain has put it on the bus.
pub(super) fn copy(bus: &Bus, path: &Path, listener: Listener) -> Result<Replica, ReplicaError> {
    let (mut told, begun) = (false, Instant::now());
    loop {
        match bus.image(CITY) {
            Ok(Some(_)) => break,
            Ok(None) => {
                if !std::mem::replace(&mut told, true) {
                    tracing::info!(
                        "waiting for the first brain, which puts the city's state on the bus"
                    );
                }
            }
            Err(error @ BusError::TimedOut { .. }) if begun.elapsed() < PATIENCE => {
                tracing::warn!(error.cause = %error, "waiting for the bus");
            }
            Err(error) => return Err(error.into()),
        }
        std::thread::sleep(LOOK_EVERY);
    }
    let copy = Replica::from_image(bus, CITY, path, Writers::Several, listener)?;
    // There was an image, and images are never taken away.
    copy.ok_or(ReplicaError::Bus(BusError::Gone { first: 0 }))
}

/// Who holds what of the state in memory.
pub(super) struct Holders {
    pub(super) registry: Arc<Registry>,
    pub(super) credentials: Option<Arc<Credentials>>,
    pub(super) book: Option<Arc<Book>>,
}

/// Reads again what somebody else has changed, until there can be no more changes.
pub(super) fn keep_current(changes: Changes, holders: Holders) -> std::io::Result<()> {
    std::thread::Builder::new().name("bus-changes".to_owned()).spawn(move || {
        while let Ok(mut tables) = changes.news.recv() {
            while let Ok(more) = changes.news.recv_timeout(SETTLES) {
                tables.extend(more);
            }
            holders.read_again(&tables);
        }
    })?;
    Ok(())
}

impl Holders {
    fn read_again(&self, tables: &BTreeSet<String>) {
        let any = |names: &[&str]| names.iter().any(|name| tables.contains(*name));
        if any(&["device", "metric", "kind", "label", "mapping", "registered_device"])
            && let Err(error) = self.registry.reload()
        {
            tracing::error!(error.cause = %error, "the registry cannot be read again");
        }
        if let Some(credentials) = &self.credentials
            && any(&["device_client", "device_credential"])
            && let Err(error) = credentials.reload()
        {
            tracing::error!(error.cause = %error, "the credentials cannot be read again");
        }
        if let Some(book) = &self.book
            && any(&["rule_history", "rule_groups"])
            && let Err(error) = book.reread()
        {
            tracing::error!(error.cause = %error, "the rules cannot be read again");
        }
    }
}
