//! The conformance suite against a real InfluxDB server.

// A file of the journeys, which use the rest of it and see it from outside.
#[allow(dead_code, unreachable_pub)]
#[path = "../../../tests/src/influxd.rs"]
mod influxd;

use std::sync::Arc;
use std::time::{Duration, Instant};

use city_model::{DeviceKey, MetricKey, Quality, Span, Timestamp};
use city_store::conformance::{Promises, commit, reading, run_with, series};
use city_store::influxdb::{SetupDone, SetupWanted, greet, setup};
use city_store::{
    Influx, InfluxOptions, Naming, Secret, SharedStore, Store as _, StoreErrorKind, Waits,
};

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

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(work)
}

fn changed(done: &[SetupDone]) -> Vec<&str> {
    done.iter().filter(|done| done.changed).map(|done| &*done.what).collect()
}

#[test]
fn a_fresh_server_is_set_up_once_and_its_tasks_fill_the_tiers() {
    let Some(server) = Influxd::start_fresh("setting up InfluxDB") else { return };
    let options = options(&server, "city's raw");
    assert!(block_on(greet(&options)).expect("it is up").expect("a version").contains("2."));
    let mut wanted = SetupWanted {
        retention: Some(Span::from_hours(90 * 24)),
        retention_15m: Some(Span::from_hours(400 * 24)),
        ..SetupWanted::default()
    };
    let error = block_on(setup(&options, &wanted)).expect_err("nobody is the first user");
    assert!(error.message.contains("--username"), "{error}");
    wanted.first_user = Some(("admin".to_owned(), Secret::new("for-tests-only")));
    let done = block_on(setup(&options, &wanted)).expect("it is set up");
    assert_eq!(
        changed(&done),
        [
            "first user and organization `city`",
            "bucket `city's raw_15m`, kept for 400d",
            "bucket `city's raw_1h`, kept for ever",
            "task `citybrain city's raw 15m`",
            "task `citybrain city's raw 1h`",
        ]
    );
    let again = block_on(setup(&options, &wanted)).expect("it is set up");
    assert_eq!(changed(&again), [] as [&str; 0], "{again:?}");
    wanted.retention = None;
    wanted.retention_15m = Some(Span::from_hours(500 * 24));
    let other = block_on(setup(&options, &wanted)).expect("it is changed");
    assert_eq!(
        changed(&other),
        ["bucket `city's raw`, kept for ever", "bucket `city's raw_15m`, kept for 500d"]
    );
    assert_eq!(changed(&block_on(setup(&options, &wanted)).expect("done")), [] as [&str; 0]);

    // Readings of an hour ago, in one step of 15 minutes.
    let folder = tempfile::tempdir().expect("a folder");
    let (influx, _) =
        Influx::open(folder.path(), options.clone(), Arc::new(Awkward)).expect("opens");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time");
    let step = Span::from_mins(15);
    let start = Timestamp::from_secs(now.as_secs() as i64 - 3_600).floor_to(step);
    let mut sent: Vec<_> = (0..6).map(|i| reading(series(1, 1), 0, f64::from(i))).collect();
    sent[4].quality = Quality::Suspect;
    sent[5].quality = Quality::Fail;
    sent.extend([true, true, false].map(|state| reading(series(2, 1), 0, state)));
    for (reading, i) in sent.iter_mut().zip(0..) {
        reading.time = start + Span::from_secs(i * 60);
    }
    influx.commit(&commit(sent)).expect("commits");
    assert!(influx.wait_until_forwarded(Duration::from_mins(1)));
    let (_, tasks) = server.request("GET", "/api/v2/tasks?org=city", "");
    let tasks: serde_json::Value = serde_json::from_str(&tasks).expect("JSON");
    let task = tasks["tasks"].as_array().expect("tasks").iter().find(|task| task["every"] == "15m");
    let runs = format!("/api/v2/tasks/{}/runs", task.expect("a task")["id"].as_str().expect("id"));
    let (status, run) = server.request("POST", &runs, "{}");
    assert_eq!(status, 201, "{run}");
    let run: serde_json::Value = serde_json::from_str(&run).expect("JSON");
    let run = format!("{runs}/{}", run["id"].as_str().expect("an id"));
    let until = Instant::now() + Duration::from_mins(1);
    loop {
        // Between two of its states the server does not find it.
        let (_, run) = server.request("GET", &run, "");
        let run: serde_json::Value = serde_json::from_str(&run).expect("JSON");
        if run["status"] == "success" {
            break;
        }
        assert!(run["status"] != "failed" && Instant::now() < until, "{run}");
        std::thread::sleep(Duration::from_millis(20));
    }
    let answer = server.query(
        "from(bucket: \"city's raw_15m\") |> range(start: -3h) \
         |> keep(columns: [\"_time\", \"_field\", \"_value\", \"device\"]) \
         |> map(fn: (r) => ({line: r._field + \"=\" + string(v: r._value) + \" \" + string(v: r._time)}))",
    );
    let mut lines: Vec<&str> = answer
        .lines()
        .filter_map(|line| line.rsplit(',').next())
        .filter(|l| l.contains('='))
        .collect();
    lines.sort_unstable();
    let at = start.to_string().replace('Z', ".000000000Z");
    let expected = |line: &str| format!("{line} {at}");
    let expected: Vec<String> = [
        "count=3",
        "count=5",
        "flagged=2",
        "last=0",
        "last=4",
        "max=1",
        "max=4",
        "mean=0.6666666666666666",
        "mean=2",
        "min=0",
        "min=0",
        "sum=10",
        "sum=2",
    ]
    .map(expected)
    .into();
    assert_eq!(lines, expected);

    let denied = InfluxOptions { token: Secret::new("another"), ..options };
    let error = block_on(setup(&denied, &wanted)).expect_err("denied");
    assert_eq!(error.kind, StoreErrorKind::Other, "{error}");
    assert!(error.message.contains("401"), "{error}");
}
