//! The store as the settings want it: embedded, or InfluxDB behind its spool.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use city_model::{DeviceKey, MetricKey, SharedClock};
use city_registry::Registry;
use city_store::{
    Embedded, ForwardStats, Influx, Naming, Options, Recovery, SharedStore, Spool, Store as _,
    StoreError, StoreErrorKind, TierRetention,
};
use tokio_util::sync::CancellationToken;

use crate::metrics::{Figure, Growth, Read};
use crate::settings::{Problems, StoreBackend, StoreSettings};

/// The folder of the embedded store.
pub const EMBEDDED: &str = "store";
/// The folder of the spool before InfluxDB. Another one, so that nothing of an embedded store is
/// ever taken for forwarded.
pub const SPOOL: &str = "spool";

/// A store that is open and locked; InfluxDB's spool still needs the names of the registry.
pub enum Opened {
    /// Ready.
    Embedded(Arc<Embedded>),
    /// Not forwarded yet.
    Spool(Box<Spool>),
}

impl Opened {
    /// The store, in use.
    pub fn start(
        self,
        registry: &Arc<Registry>,
        settings: &StoreSettings,
    ) -> Result<SharedStore, StoreError> {
        Ok(match self {
            Self::Embedded(store) => {
                let metrics = &registry.directory().metrics;
                let key = |id: &str| metrics.by_id(id).map(|metric| metric.key);
                let keep = settings.metric_retention.iter();
                store.keep_metrics(keep.filter_map(|(id, span)| Some((key(id)?, *span))).collect());
                store
            }
            Self::Spool(spool) => Arc::new(start_influx(*spool, registry)?),
        })
    }

    /// The store, to read all that it has: of InfluxDB what is at the server, whatever the spool
    /// knows of it.
    pub fn start_to_copy_from(
        self,
        registry: &Arc<Registry>,
        settings: &StoreSettings,
    ) -> Result<SharedStore, StoreError> {
        let Self::Spool(spool) = self else { return self.start(registry, settings) };
        let influx = start_influx(*spool, registry)?;
        if !influx.wait_until_forwarded(PATIENCE) {
            let trouble = influx.stats().forward.and_then(|forward| forward.trouble);
            return Err(StoreError::new(
                StoreErrorKind::Busy,
                format!(
                    "readings of the spool wait for InfluxDB: {}; copy again when it has taken them",
                    trouble.unwrap_or_else(|| "it is not fast enough".to_owned())
                ),
            ));
        }
        influx.read_all_there();
        Ok(Arc::new(influx))
    }
}

/// How long a copy waits for what is on its way to the server.
const PATIENCE: Duration = Duration::from_mins(5);

fn start_influx(spool: Spool, registry: &Arc<Registry>) -> Result<Influx, StoreError> {
    Influx::start(spool, Arc::new(Names(registry.clone())))
}

/// Opens the store in the data folder, and keeps other processes out of it.
pub fn open(settings: &StoreSettings, data_dir: &Path) -> anyhow::Result<(Opened, Recovery)> {
    match settings.backend {
        StoreBackend::Embedded => {
            let (store, recovery) = Embedded::open(data_dir.join(EMBEDDED), local(settings))?;
            Ok((Opened::Embedded(Arc::new(store)), recovery))
        }
        StoreBackend::InfluxDb => {
            let influxdb = settings.influxdb.as_ref().context("there is no [store.influxdb]")?;
            let options =
                influxdb.options(local(settings)).map_err(|problem| Problems(vec![problem]))?;
            if data_dir.join(EMBEDDED).exists() {
                tracing::info!(
                    folder = %data_dir.join(EMBEDDED).display(),
                    "readings that were stored before InfluxDB was chosen stay in this folder, and \
                     are not shown"
                );
            }
            let (spool, recovery) = Spool::open(data_dir.join(SPOOL), options)?;
            Ok((Opened::Spool(Box::new(spool)), recovery))
        }
    }
}

/// How the files on this machine are kept.
pub fn local(settings: &StoreSettings) -> Options {
    Options {
        retention: settings.retention,
        tiers: TierRetention {
            minute: settings.summaries.minute,
            quarter: settings.summaries.quarter_hour,
            hour: settings.summaries.hour,
        },
        dead_letter_retention: settings.dead_letter_retention,
        dead_letter_bytes: settings.dead_letter_bytes,
        ..Options::default()
    }
}

/// The registry's names, for InfluxDB.
struct Names(Arc<Registry>);

impl Naming for Names {
    fn device(&self, key: DeviceKey) -> Option<Arc<str>> {
        self.0.directory().device(key).map(|device| device.id.clone())
    }

    fn metric(&self, key: MetricKey) -> Option<Arc<str>> {
        self.0.directory().metrics.get(key).map(|metric| metric.id.clone())
    }
}

/// Asks an InfluxDB server who it is, and says in the log whether it can be used. Nothing waits for
/// that: readings are taken all the same.
pub async fn greet(settings: StoreSettings, stop: CancellationToken) {
    let Some(influxdb) = settings.influxdb.filter(|_| settings.backend == StoreBackend::InfluxDb)
    else {
        return;
    };
    let Ok(options) = influxdb.options(Options::default()) else { return };
    let answer = tokio::select! {
        () = stop.cancelled() => return,
        answer = city_store::influxdb::greet(&options) => answer,
    };
    match answer {
        Ok(version) => tracing::info!(
            server = influxdb.url,
            version = version.unwrap_or_else(|| "unknown".to_owned()),
            "InfluxDB is ready"
        ),
        Err(error) => {
            tracing::warn!(error.cause = %error, "readings wait in the spool until InfluxDB is there");
        }
    }
}

/// Shows how the way to InfluxDB is doing, if the store is on one.
pub fn register_figures(
    metrics: &prometheus::Registry,
    store: &SharedStore,
    clock: &SharedClock,
) -> Result<(), prometheus::Error> {
    let Some(forward) = store.stats().forward else { return Ok(()) };
    // The figures must not keep a store open that was closed.
    let (store, clock) = (Arc::downgrade(store), clock.clone());
    Read::register(metrics, &[("server", &forward.server)], move || {
        let now = clock.now();
        let forward = store.upgrade().and_then(|store| store.stats().forward).unwrap_or_default();
        let oldest = forward.oldest_waiting;
        let age = oldest.map_or(0.0, |oldest| now.since(oldest).secs_f64().max(0.0));
        figures(&forward, age as u64)
    })
}

fn figures(forward: &ForwardStats, age: u64) -> Vec<Figure> {
    use Growth::{Counter, Gauge};
    vec![
        (
            "citybrain_influxdb_spool_bytes",
            "Bytes of readings that wait for InfluxDB.",
            Gauge,
            forward.spool_bytes,
        ),
        (
            "citybrain_influxdb_spool_limit_bytes",
            "Bytes that may wait; then ingest pauses.",
            Gauge,
            forward.spool_limit,
        ),
        (
            "citybrain_influxdb_oldest_waiting_seconds",
            "How long the oldest reading has waited.",
            Gauge,
            age,
        ),
        (
            "citybrain_influxdb_forwarded_total",
            "Readings that InfluxDB has confirmed.",
            Counter,
            forward.forwarded,
        ),
        (
            "citybrain_influxdb_corrected_total",
            "Readings that were deleted there and written anew.",
            Counter,
            forward.corrected,
        ),
        (
            "citybrain_influxdb_rejected_total",
            "Readings that InfluxDB does not take; each is a dead letter.",
            Counter,
            forward.rejected,
        ),
        (
            "citybrain_influxdb_retries_total",
            "Requests that were tried again.",
            Counter,
            forward.retries,
        ),
        (
            "citybrain_influxdb_batch_lines",
            "Lines in a request, at most, as the server's answers made it.",
            Gauge,
            forward.batch_lines,
        ),
        (
            "citybrain_influxdb_in_trouble",
            "1 while InfluxDB takes no readings.",
            Gauge,
            u64::from(forward.trouble.is_some()),
        ),
    ]
}
