//! The store before an InfluxDB 2 server.
//!
//! ```text
//! commit ─▶ spool (an embedded store: fsynced log, duplicates, ledger, last values)  ─▶ acknowledged
//!              │ its log is followed, in order
//!              ▼
//!          forwarder ── line protocol, gzip, 4 requests at a time ─▶ InfluxDB
//!
//! reads: days that are here ◀── spool          days before ◀── Flux, streamed
//! ```
//!
//! An acknowledgement waits for the disk of this machine and never for the network. The last days
//! stay here ([`InfluxOptions::keep_local`]), so that live views, rules and recent charts do not need
//! the server; what is older is read from it. A day leaves only when the server has all of it.
//!
//! **When the spool is full** ([`InfluxOptions::spool_bytes`]) commits fail with
//! [`StoreErrorKind::Full`]: ingest pauses, nothing is acknowledged and nothing is dropped, and it goes
//! on by itself once the server takes readings again.
//!
//! **Schema.** One point for each reading:
//!
//! | | |
//! |---|---|
//! | measurement | the metric's id, such as `pm25` |
//! | tag `device` | the device's id |
//! | field `value` (float) | a number of quality pass, not evaluated or suspect |
//! | field `rejected` (float) | a number of quality fail or missing, apart so that the averages of other tools hold nothing implausible |
//! | field `state`, `rejected_state` (boolean) | the same for truth values |
//! | field `text` (string) | a text |
//! | field `quality` (integer) | the QARTOD code: 1 pass, 2 not evaluated, 3 suspect, 4 fail, 9 missing |
//! | fields `lon`, `lat` (float) | where a moving device was, WGS-84 |
//! | time | the event time in microseconds |
//!
//! So there are as many series as there are series here. Departments, kinds and zones are no tags: they
//! change, and each change would begin new series and break the identity (series, event time) that
//! makes writing twice harmless. Join them by device. Ids are written as they are, except `%`, `\`,
//! `"`, control characters, and a `#` at the start, which are written as in URLs (`%25`).
//!
//! **Corrections** are written over what is there, with the value that stands here. Where that needs
//! another field, the old point is deleted first; what is at the server of readings that came again
//! long after is looked up there. A correction of a reading whose day is no longer
//! here is written over it without that, so that both fields remain if it is of another type.
//! Likewise a redelivery of a reading whose day is no longer here is counted as stored again.
//!
//! **Late readings** of days that are no longer here are stored, forwarded, and seen by reads when the
//! server has them.
//!
//! **What InfluxDB will not take** (400, 422: older than the bucket keeps, another type of the field;
//! times before 1677 or after 2262) becomes a dead letter with the server's words, reading by reading.
//!
//! **What is used of the `influxdb2` crate and what is not** stands in [`crate_client`].

mod batch;
mod client;
pub mod crate_client;
mod csv;
mod deliver;
mod erase;
mod far;
mod flux;
mod forward;
mod inspect;
mod line;
mod look_back;
mod options;
mod reads;
mod recent;
mod retry;
#[cfg(test)]
mod scripted;
mod server;
mod setup;
mod shared;
mod store;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use city_model::{Span, Timestamp};
use rustc_hash::FxHashMap;
use tokio::runtime::Runtime;

use self::batch::Batches;
use self::client::Client;
use self::forward::{Forwarder, HOLD};
pub use self::inspect::{Inspection, inspect};
pub use self::options::{InfluxOptions, Naming, Secret, Waits};
use self::recent::Recent;
use self::retry::Pace;
pub use self::setup::{Done as SetupDone, Wanted as SetupWanted, greet, setup};
use self::shared::Shared;
use crate::backends::embedded::Embedded;
use crate::{Cancel, Recovery, Store as _, StoreError, StoreErrorKind};

/// How soon a query ends for which nobody waits.
const LOOK_UP: Duration = Duration::from_millis(20);
/// How long a flush that drains waits for the server.
const DRAIN: Duration = Duration::from_mins(2);

/// The store before an InfluxDB 2 server. See the module's documentation.
pub struct Influx {
    local: Arc<Embedded>,
    client: Client,
    naming: Arc<dyn Naming>,
    shared: Arc<Shared>,
    batches: Arc<Batches>,
    server: String,
    bucket: String,
    spool_limit: u64,
    keep_local: i64,
    drain_on_flush: bool,
    all_there: AtomicBool,
    /// `None` only while it is being dropped.
    runtime: Option<Runtime>,
    forwarder: Option<JoinHandle<()>>,
}

/// A spool that is open and locked, but not forwarded yet: the names may come from a database that
/// must not be touched before that.
#[derive(Debug)]
pub struct Spool {
    local: Arc<Embedded>,
    client: Client,
    options: InfluxOptions,
}

impl Spool {
    /// Opens the spool in `dir`, which is made if it is not there.
    pub fn open(
        dir: impl AsRef<Path>,
        options: InfluxOptions,
    ) -> Result<(Self, Recovery), StoreError> {
        options.check()?;
        let client = Client::new(&options)?;
        // Readings leave when the server has them. Nobody needs summaries of them here.
        let local =
            crate::Options { retention: None, compact_after: NEVER, ..options.local.clone() };
        let (local, recovery) = Embedded::open(dir, local)?;
        Ok((Self { local: Arc::new(local), client, options }, recovery))
    }
}

impl Influx {
    /// Opens the spool in `dir` and begins to forward. Whether the server answers does not matter
    /// for that.
    pub fn open(
        dir: impl AsRef<Path>,
        options: InfluxOptions,
        naming: Arc<dyn Naming>,
    ) -> Result<(Self, Recovery), StoreError> {
        let (spool, recovery) = Spool::open(dir, options)?;
        Ok((Self::start(spool, naming)?, recovery))
    }

    /// Begins to forward what is in the spool.
    pub fn start(spool: Spool, naming: Arc<dyn Naming>) -> Result<Self, StoreError> {
        let Spool { local, client, options } = spool;
        let held = local.held(HOLD);
        let position = held.unwrap_or(1);
        if held.is_none() {
            local.hold(HOLD, position)?;
        }
        let head = local.head_seq();
        let shared = Arc::new(Shared::new(position, local.bytes_between(position, head)?));
        let cannot = |e: std::io::Error| {
            StoreError::new(StoreErrorKind::Other, format!("threads cannot be started: {e}"))
                .caused_by(e)
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("influxdb-io")
            .enable_all()
            .build()
            .map_err(cannot)?;
        let batches = Arc::new(Batches::default());
        let forwarder = Forwarder {
            local: local.clone(),
            client: client.clone(),
            bucket: options.bucket.clone(),
            naming: naming.clone(),
            shared: shared.clone(),
            batches: batches.clone(),
            pace: Pace::new(options.waits.first_retry, options.waits.longest_retry),
            gather: options.waits.gather,
            recent: Recent::default(),
            deletions: 0,
            prefixes: FxHashMap::default(),
        };
        if options.look_back && local.history_is_unknown(held.is_none())? {
            let (local, stop) = (Arc::downgrade(&local), shared.stop.clone());
            let pause = options.waits.longest_retry;
            drop(runtime.spawn(look_back::look_back(client.clone(), local, pause, stop)));
        }
        let handle = runtime.handle().clone();
        let forwarder = std::thread::Builder::new()
            .name("influxdb".to_owned())
            .spawn(move || handle.block_on(forwarder.run()))
            .map_err(cannot)?;
        Ok(Self {
            server: client.server(),
            local,
            client,
            naming,
            shared,
            batches,
            bucket: options.bucket,
            spool_limit: options.spool_bytes,
            keep_local: options.keep_local.micros(),
            drain_on_flush: options.drain_on_flush,
            all_there: AtomicBool::new(false),
            runtime: Some(runtime),
            forwarder: Some(forwarder),
        })
    }

    /// Waits until the server has everything that is committed now; says whether it has.
    pub fn wait_until_forwarded(&self, within: Duration) -> bool {
        self.shared.wait_for(self.local.head_seq(), within)
    }

    /// The first instant from which on reads need no server.
    pub fn complete_from(&self) -> Timestamp {
        if self.all_there.load(Ordering::Acquire) {
            HELD_TIMES.1
        } else {
            self.local.complete_from()
        }
    }

    /// Reads everything at the server from now on, also of days that the spool has: for copying a
    /// server's history, of which a spool that is new knows nothing. To be called when everything
    /// is forwarded.
    pub fn read_all_there(&self) {
        self.all_there.store(true, Ordering::Release);
    }

    /// Runs a request on the runtime of the backend; callers are on threads that may block.
    fn wait<T>(&self, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        match &self.runtime {
            Some(runtime) => runtime.block_on(work),
            None => Err(StoreError::new(StoreErrorKind::Busy, "the store is being closed")),
        }
    }

    /// The same, for a question whose asker may go away.
    fn wait_unless<T>(
        &self,
        cancel: &Cancel,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        self.wait(async {
            let mut work = std::pin::pin!(work);
            loop {
                cancel.check()?;
                tokio::select! {
                    answer = &mut work => return answer,
                    () = tokio::time::sleep(LOOK_UP) => {}
                }
            }
        })
    }

    fn full(&self, waiting: u64) -> StoreError {
        let stats = self.shared.stats();
        let trouble =
            stats.trouble.unwrap_or_else(|| "it takes readings, but not fast enough".into());
        StoreError::new(
            StoreErrorKind::Full,
            format!(
                "the spool for InfluxDB at {} is full: {waiting} of {} bytes wait since {}; ingest \
                 pauses and goes on by itself; the server: {trouble}; mend that, or make \
                 store.influxdb.spool_bytes larger",
                self.server,
                self.spool_limit,
                stats.oldest_waiting.map_or_else(|| "just now".to_owned(), |at| at.to_string()),
            ),
        )
    }

    /// Lets go of days that are over and that the server has.
    fn let_go(&self, before: i64) -> Result<(), StoreError> {
        let has = self.shared.position();
        self.local.let_go(before, has, HELD_TIMES)
    }
}

impl Drop for Influx {
    fn drop(&mut self) {
        self.shared.stop.cancel();
        if let Some(forwarder) = self.forwarder.take() {
            // A panic there was printed; here nothing depends on it any more.
            let _ = forwarder.join();
        }
        // The store may be dropped where blocking is forbidden.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl std::fmt::Debug for Influx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Influx")
            .field("server", &self.server)
            .field("bucket", &self.bucket)
            .finish_non_exhaustive()
    }
}

/// Longer than anything is kept here.
const NEVER: Span = Span::from_hours(24 * 36_525);
const DAY: i64 = 86_400_000_000;
/// Whole days that InfluxDB can hold, in 1677 to 2262. What is outside stays here for ever.
const HELD_TIMES: (Timestamp, Timestamp) = (
    Timestamp::from_micros(line::FIRST_NANO / 1_000 / DAY * DAY),
    Timestamp::from_micros(line::LAST_NANO / 1_000 / DAY * DAY),
);
