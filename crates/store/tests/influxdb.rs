//! The conformance suite against a real InfluxDB server.

// The journeys use the rest of it.
#[allow(dead_code)]
#[path = "../../../tests/src/influxd.rs"]
mod influxd;

use std::sync::Arc;
use std::time::Duration;

use city_model::{DeviceKey, MetricKey};
use city_store::conformance::{Promises, run_with};
use city_store::{Influx, InfluxOptions, Naming, Secret, SharedStore, Waits};

use influxd::{Influxd, ORG, TOKEN};

/// Names with everything that lines, predicates, Flux and CSV could trip over.
struct Awkward;

impl Naming for Awkward {
    fn device(&self, key: DeviceKey) -> Option<Arc<str>> {
        Some(format!("水位 #{}, \"a\"=${{b}} 100%\\", key.0).into())
    }

    fn metric(&self, key: MetricKey) -> Option<Arc<str>> {
        Some(format!("#_pm 2,5=\"\\n\" 水 {}", key.0).into())
    }
}

fn options(server: &Influxd, bucket: &str) -> InfluxOptions {
    InfluxOptions {
        waits: Waits { gather: Duration::from_millis(1), ..Waits::default() },
        ..InfluxOptions::new(server.url(), ORG, bucket, Secret::new(TOKEN))
    }
}

/// Runs the suite, each case with a bucket and a spool of its own.
fn conforms(server: &Influxd, promises: Promises, drain_on_flush: bool) {
    let mut number = 0;
    run_with(promises, || {
        number += 1;
        let bucket = format!("case-{number}");
        server.make_bucket(&bucket);
        let options = InfluxOptions { drain_on_flush, ..options(server, &bucket) };
        let folder = tempfile::tempdir().expect("a temporary folder");
        Box::new(move |old: Option<SharedStore>| {
            drop(old);
            let opened = Influx::open(folder.path(), options.clone(), Arc::new(Awkward));
            Arc::new(opened.expect("opens").0) as SharedStore
        })
    });
}

#[test]
fn as_configured_by_default_it_conforms() {
    let Some(server) = Influxd::start("the conformance suite on InfluxDB") else { return };
    let promises = Promises { cuts_at_once: false, ..Promises::ALL };
    conforms(&server, promises, false);
}

#[test]
fn what_is_only_at_the_server_conforms() {
    let Some(server) = Influxd::start("the conformance suite on InfluxDB alone") else { return };
    // Whatever was flushed is read by Flux, and forgotten here.
    let promises = Promises { remembers_all: false, shows_at_once: false, cuts_at_once: false };
    conforms(&server, promises, true);
}
