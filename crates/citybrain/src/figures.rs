//! Figures of the program as a whole, for Prometheus: the store, the ledger, the disk, those that
//! we depend on, certificates and the clock. One line in [`FIGURES`] each; all are read when they
//! are asked for, and none has a label that devices or callers can make values of.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use city_api::Ingest as _;
use city_model::SharedClock;
use city_store::{Counters, LedgerKey, SharedStore, Store};
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{CounterVec, GaugeVec, Opts};

use crate::bridge::Ingest;
use crate::certificates::{self, Certificate};
use crate::metrics::Growth;

/// Where the figures come from.
pub(crate) struct Origins {
    /// The figures must not keep a store open that was closed.
    store: Weak<dyn Store>,
    ingest: Arc<Ingest>,
    clock: SharedClock,
    data_dir: PathBuf,
    certificates: Vec<Certificate>,
}

impl Origins {
    pub(crate) fn new(
        store: &SharedStore,
        ingest: Arc<Ingest>,
        clock: SharedClock,
        data_dir: PathBuf,
        certificates: Vec<Certificate>,
    ) -> Self {
        Self { store: Arc::downgrade(store), ingest, clock, data_dir, certificates }
    }

    fn ledger(&self, count: impl Fn(&Counters) -> u64) -> Values {
        let ledger = self.store.upgrade().map(|store| store.ledger()).unwrap_or_default();
        // Everything is counted twice, by its source and by its device.
        let of_sources = ledger
            .iter()
            .filter(|(key, _)| matches!(key, LedgerKey::Source(_) | LedgerKey::NoSource));
        one(of_sources.map(|(_, counters)| count(counters)).sum::<u64>())
    }

    fn store(&self, count: impl Fn(&city_store::StoreStats) -> u64) -> Values {
        self.store.upgrade().map(|store| one(count(&store.stats()))).unwrap_or_default()
    }

    fn disk(&self, bytes: impl Fn(&rustix::fs::StatVfs) -> u64) -> Values {
        rustix::fs::statvfs(&self.data_dir).map(|disk| one(bytes(&disk))).unwrap_or_default()
    }
}

/// Values of labels, and the figure.
type Values = Vec<(Vec<String>, f64)>;

fn one(value: u64) -> Values {
    vec![(Vec::new(), value as f64)]
}

/// One figure.
struct Figure {
    name: &'static str,
    help: &'static str,
    growth: Growth,
    labels: &'static [&'static str],
    read: fn(&Origins) -> Values,
}

const fn gauge(name: &'static str, help: &'static str, read: fn(&Origins) -> Values) -> Figure {
    Figure { name, help, growth: Growth::Gauge, labels: &[], read }
}

const fn counter(name: &'static str, help: &'static str, read: fn(&Origins) -> Values) -> Figure {
    Figure { name, help, growth: Growth::Counter, labels: &[], read }
}

impl Figure {
    /// The same with labels.
    const fn of(self, labels: &'static [&'static str]) -> Self {
        Self { labels, ..self }
    }
}

static FIGURES: &[Figure] = &[
    gauge("citybrain_build_info", "1, with the version of the program.", |_| {
        vec![(vec![env!("CARGO_PKG_VERSION").to_owned()], 1.0)]
    })
    .of(&["version"]),
    gauge(
        "citybrain_clock_timestamp_seconds",
        "The clock of this machine, in seconds since 1970, to be compared with Prometheus' own.",
        |origins| vec![(Vec::new(), origins.clock.now().micros() as f64 / 1e6)],
    ),
    gauge(
        "citybrain_data_disk_free_bytes",
        "Bytes of the data folder's disk that the program may still fill.",
        |origins| origins.disk(|disk| disk.f_bavail.saturating_mul(disk.f_frsize)),
    ),
    gauge("citybrain_data_disk_size_bytes", "Bytes of the data folder's disk.", |origins| {
        origins.disk(|disk| disk.f_blocks.saturating_mul(disk.f_frsize))
    }),
    gauge(
        "citybrain_tls_certificate_expiry_timestamp_seconds",
        "When a certificate expires, in seconds since 1970, by the key that names its file.",
        |origins| {
            let expiry = |one: &Certificate| {
                let expires = certificates::read(&one.file).ok()?.first()?.not_after;
                Some((vec![one.key.clone()], expires as f64))
            };
            origins.certificates.iter().filter_map(expiry).collect()
        },
    )
    .of(&["certificate"]),
    gauge(
        "citybrain_broker_connected",
        "1 while a broker is connected and has granted all subscriptions.",
        |origins| {
            let brokers = origins.ingest.status().brokers.into_iter();
            brokers.map(|broker| (vec![broker.name], f64::from(u8::from(broker.ok)))).collect()
        },
    )
    .of(&["broker"]),
    gauge("citybrain_receiver_failing", "1 while a receiver does not take alerts.", |origins| {
        let receivers = origins.ingest.status().receivers.into_iter();
        let failing = |failing: bool| f64::from(u8::from(failing));
        receivers.map(|one| (vec![one.id], failing(one.error.is_some()))).collect()
    })
    .of(&["receiver"]),
    gauge("citybrain_receiver_waiting", "Events that wait for a receiver.", |origins| {
        let receivers = origins.ingest.status().receivers.into_iter();
        receivers.map(|one| (vec![one.id], one.waiting as f64)).collect()
    })
    .of(&["receiver"]),
    gauge(
        "citybrain_alert_engine_failing",
        "1 while the alert engine cannot write what it decides.",
        |origins| one(u64::from(origins.ingest.status().engine_failing.is_some())),
    ),
    gauge(
        "citybrain_pipeline_in_flight",
        "Messages that were taken and are not durable yet.",
        |origins| one(origins.ingest.status().in_flight),
    ),
    gauge(
        "citybrain_pipeline_oldest_open_seconds",
        "How long ago the oldest message was received that the alert engine has not been handed.",
        |origins| {
            let now = origins.clock.now();
            let age = origins.ingest.oldest_open().map_or(0.0, |at| now.since(at).secs_f64());
            vec![(Vec::new(), age.max(0.0))]
        },
    ),
    counter(
        "citybrain_ledger_received_total",
        "Items received, ever: readings, and messages that gave none.",
        |origins| origins.ledger(|counters| counters.received),
    ),
    counter("citybrain_ledger_stored_total", "Readings stored, ever.", |origins| {
        origins.ledger(|counters| counters.stored)
    }),
    counter(
        "citybrain_ledger_duplicate_total",
        "Readings that were there already, ever.",
        |origins| origins.ledger(|counters| counters.duplicate),
    ),
    counter("citybrain_ledger_dead_lettered_total", "Items dead-lettered, ever.", |origins| {
        origins.ledger(|counters| counters.dead_lettered)
    }),
    gauge(
        "citybrain_ledger_missed",
        "Messages that never came, by the numbers that devices skipped; less when some come after all.",
        |origins| origins.ledger(|counters| counters.missed),
    ),
    gauge("citybrain_store_readings", "Readings that are stored.", |origins| {
        origins.store(|stats| stats.readings)
    }),
    gauge("citybrain_store_series", "Series that are stored.", |origins| {
        origins.store(|stats| stats.series)
    }),
    gauge("citybrain_store_disk_bytes", "Bytes of the store's files.", |origins| {
        origins.store(|stats| stats.disk_bytes)
    }),
    gauge(
        "citybrain_store_log_bytes",
        "Bytes of the store's log that is not sealed yet.",
        |origins| origins.store(|stats| stats.log_bytes),
    ),
    gauge("citybrain_store_dead_letters", "Dead letters that are kept.", |origins| {
        origins.store(|stats| stats.dead_letters)
    }),
    gauge(
        "citybrain_store_dead_letter_bytes",
        "Bytes of the dead letters that are kept.",
        |origins| origins.store(|stats| stats.dead_letter_bytes),
    ),
    counter(
        "citybrain_store_dead_letters_dropped_total",
        "Dead letters dropped, because they were too old or too many.",
        |origins| origins.store(|stats| stats.dead_letters_dropped),
    ),
];

/// Registers them all.
pub(crate) fn register(
    registry: &prometheus::Registry,
    origins: Origins,
) -> Result<(), prometheus::Error> {
    let descriptions = FIGURES
        .iter()
        .map(|figure| {
            let labels = figure.labels.iter().map(|&label| label.to_owned()).collect();
            Desc::new(figure.name.to_owned(), figure.help.to_owned(), labels, HashMap::new())
        })
        .collect::<Result<_, _>>()?;
    registry.register(Box::new(Figures { descriptions, origins }))?;
    // Memory, processor time and file descriptors, with the names that all programs have.
    #[cfg(target_os = "linux")]
    registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
    Ok(())
}

struct Figures {
    descriptions: Vec<Desc>,
    origins: Origins,
}

impl Collector for Figures {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        FIGURES.iter().flat_map(|figure| family(figure, (figure.read)(&self.origins))).collect()
    }
}

fn family(figure: &Figure, values: Values) -> Vec<MetricFamily> {
    let options = Opts::new(figure.name, figure.help);
    match figure.growth {
        Growth::Counter => {
            let Ok(vector) = CounterVec::new(options, figure.labels) else { return Vec::new() };
            for (labels, value) in values {
                vector.with_label_values(&labels).inc_by(value);
            }
            vector.collect()
        }
        Growth::Gauge => {
            let Ok(vector) = GaugeVec::new(options, figure.labels) else { return Vec::new() };
            for (labels, value) in values {
                vector.with_label_values(&labels).set(value);
            }
            vector.collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use city_model::{
        DeviceKey, ManualClock, Marks, MetricKey, Quality, Reading, SeriesKey, Timestamp, Value,
        ZoneSet,
    };
    use city_store::{Commit, Memory};

    use super::*;

    #[test]
    fn every_figure_has_its_labels_and_a_value_of_the_moment() {
        let store: SharedStore = Arc::new(Memory::default());
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_795_435_200)));
        let origins = Origins::new(
            &store,
            Arc::new(Ingest::default()),
            clock,
            folder.path().to_owned(),
            Vec::new(),
        );
        let registry = prometheus::Registry::new();
        register(&registry, origins).expect("registered");
        let value = |name: &str| {
            let families = registry.gather();
            let family = families.iter().find(|family| family.name() == name)?;
            Some(family.get_metric()[0].get_gauge().get_value())
        };
        assert_eq!(value("citybrain_clock_timestamp_seconds"), Some(1_795_435_200.0));
        let size = value("citybrain_data_disk_size_bytes").expect("a disk");
        assert!(value("citybrain_data_disk_free_bytes").expect("a disk") <= size);
        assert_eq!(value("citybrain_store_readings"), Some(0.0));
        let at = Timestamp::from_secs(1_795_435_100);
        let reading = Reading {
            series: SeriesKey { device: DeviceKey(0), metric: MetricKey(0) },
            time: at,
            received: at,
            value: Value::Number(1.0),
            quality: Quality::Pass,
            marks: Marks::NONE,
            position: None,
            zones: ZoneSet::default(),
        };
        let commit = Commit { readings: vec![reading], sources: vec![0], ..Commit::default() };
        store.commit(&commit).expect("committed");
        let families = registry.gather();
        let counted = families.iter().find(|f| f.name() == "citybrain_ledger_received_total");
        let counted = counted.expect("a figure").get_metric()[0].get_counter().get_value();
        assert_eq!(counted, 1.0, "what came is counted once");
        drop(store);
        assert_eq!(value("citybrain_store_readings"), None, "the store is closed");
    }
}
