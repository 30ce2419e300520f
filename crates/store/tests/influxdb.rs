//! The conformance suite against a real InfluxDB server.

// A file of the journeys, which use the rest of it and see it from outside.
#[allow(dead_code, unreachable_pub)]
#[path = "../../../tests/src/influxd.rs"]
mod influxd;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use city_model::{DeviceKey, MetricKey, Position, Quality, Reading, Span, Timestamp, Value};
use city_store::conformance::{Promises, commit, reading, run_with, series};
use city_store::influxdb::{SetupDone, SetupWanted, greet, setup};
use city_store::{
    Bucket, Cancel, Deletion, Influx, InfluxOptions, LettersFrom, Memory, Naming, Rank, Secret,
    SharedStore, Store, StoreErrorKind, TimeRange, Waits,
};

use influxd::{BUCKET, Influxd, ORG, TOKEN};

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
        look_back: false,
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
            let until = Instant::now() + Duration::from_secs(10);
            loop {
                match Influx::open(folder.path(), options.clone(), Arc::new(Awkward)) {
                    Ok((store, _)) => return Arc::new(store) as SharedStore,
                    // Another test starts a process: until it is one of its own, it has our lock.
                    Err(e) if e.kind == StoreErrorKind::Busy && Instant::now() < until => {}
                    Err(e) => panic!("it does not open: {e}"),
                }
            }
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

/// Numbers, truth values and texts of three days, some flagged, some of a moving device, as a city
/// sends them: in order of time, over all series.
fn three_days() -> Vec<Reading> {
    let every = 11 * 60;
    let reading_of = |i: i64| {
        let device = (i % 3) as u32;
        let mut reading = match i % 7 {
            3 => reading(series(device, 2), i * every, i % 2 == 0),
            5 => reading(series(device, 3), i * every, format!("state {}", i % 5).as_str()),
            _ => reading(series(device, 1), i * every, f64::from(i as i32 % 97) / 7.0 - 3.0),
        };
        reading.quality = match i % 13 {
            2 => Quality::Suspect,
            4 => Quality::Fail,
            6 => Quality::Missing,
            8 => Quality::NotEvaluated,
            _ => Quality::Pass,
        };
        if device == 2 {
            reading.position = Some(Position { lon: i as f64 * 1e-3, lat: 41.878_1 });
        }
        reading
    };
    (0..3 * 24 * 3_600 / every).map(reading_of).collect()
}

fn same(a: &[Bucket], b: &[Bucket]) -> bool {
    let numbers = |b: &Bucket| [b.min, b.max, b.last].map(f64::to_bits);
    a.len() == b.len()
        && a.iter().zip(b).all(|(a, b)| {
            (a.start, a.count, a.flagged) == (b.start, b.count, b.flagged)
                && numbers(a) == numbers(b)
                && (a.sum - b.sum).abs() < 1e-9
        })
}

#[test]
fn reads_over_the_border_are_those_of_a_store_that_has_everything() {
    let Some(server) = Influxd::start("reads over the border of what is here") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let options = InfluxOptions { keep_local: Span::from_hours(24), ..options(&server, BUCKET) };
    let (influx, _) =
        Influx::open(folder.path(), options.clone(), Arc::new(Awkward)).expect("opens");
    let model = Memory::new();
    let sent = three_days();
    let day = |days: i64| Timestamp::from_secs(1_795_392_000) + Span::from_hours(24 * days);
    for part in sent.chunks(50) {
        let commit = commit(part.to_vec());
        assert_eq!(
            influx.commit(&commit).expect("commits").outcomes,
            model.commit(&commit).expect("commits").outcomes
        );
    }
    assert!(influx.wait_until_forwarded(Duration::from_mins(1)));
    // Corrections of every kind: another value, another verdict, another type.
    let mut corrected: Vec<_> = sent[60..100].to_vec();
    for (place, reading) in corrected.iter_mut().enumerate() {
        match place % 5 {
            0 => reading.value = Value::Number(place as f64),
            1 => (reading.value, reading.quality) = ((-1.5).into(), Quality::Fail),
            2 => (reading.value, reading.quality) = ("corrected".into(), Quality::Pass),
            3 => (reading.value, reading.quality) = (true.into(), Quality::Missing),
            _ => {}
        }
    }
    for part in [&corrected[..25], &corrected[20..]] {
        influx.commit(&commit(part.to_vec())).expect("commits");
        model.commit(&commit(part.to_vec())).expect("commits");
    }
    assert!(influx.wait_until_forwarded(Duration::from_mins(1)));
    assert!(influx.stats().forward.expect("figures").corrected > 10);
    // Sealed, and then let go of: the first day and a half is over for a day.
    for hours in [0, 1] {
        influx.maintain(day(2) + Span::from_hours(12 + hours)).expect("maintains");
    }
    assert_eq!(influx.complete_from(), day(1), "the first day is the server's");
    // Late readings and corrections of that day, of any type.
    let mut late: Vec<_> = sent[..40].iter().step_by(3).cloned().collect();
    for (place, reading) in late.iter_mut().enumerate() {
        match (place % 3, &mut reading.value) {
            (0, _) => reading.time = reading.time + Span::from_secs(1),
            (_, Value::Number(number)) => *number += 1.0,
            _ => {}
        }
    }
    influx.commit(&commit(late.clone())).expect("commits");
    model.commit(&commit(late)).expect("commits");
    assert!(influx.wait_until_forwarded(Duration::from_mins(1)));

    let ranges = [
        TimeRange::ALL,
        TimeRange { from: day(0) + Span::from_hours(5), to: day(2) + Span::from_hours(3) },
        TimeRange { from: day(1), to: day(3) },
        TimeRange { from: day(0), to: day(1) },
        TimeRange { from: day(1) - Span::from_mins(33), to: day(1) + Span::from_mins(33) },
    ];
    for range in ranges {
        for of in (0..3).flat_map(|device| (1..4).map(move |metric| series(device, metric))) {
            for limit in [usize::MAX, 30, 1] {
                let got = influx.raw(of, range, limit).expect("readable");
                assert_eq!(got, model.raw(of, range, limit).expect("readable"), "{of:?} {range:?}");
            }
        }
        for device in (0..3).map(DeviceKey) {
            let count = |store: &dyn Store| store.count(Some(device), range).expect("countable");
            assert_eq!(count(&influx), count(&model));
            for limit in [usize::MAX, 20] {
                let track = |store: &dyn Store| store.track(device, range, limit).expect("track");
                assert_eq!(track(&influx), track(&model), "{device:?} {range:?}");
            }
        }
        assert_eq!(
            influx.count(None, range).expect("countable"),
            model.count(None, range).expect("countable")
        );
        for by in [Rank::Highest, Rank::Lowest, Rank::Mean, Rank::Last, Rank::Sum, Rank::Count] {
            let top = |store: &dyn Store| {
                let all: Vec<_> = (0..3).map(|device| series(device, 1)).collect();
                let top = store.top(&all, range, by, 2, &Cancel::never()).expect("readable");
                top.into_iter().unzip()
            };
            let (got, expected): ((Vec<_>, Vec<_>), (Vec<_>, Vec<_>)) = (top(&influx), top(&model));
            assert!(got.0 == expected.0 && same(&got.1, &expected.1), "{got:?} {expected:?}");
        }
        let exported = |store: &dyn Store| {
            let mut all = Vec::new();
            let done = store.export(DeviceKey(2), range, &mut |page| {
                all.extend(page);
                ControlFlow::Continue(())
            });
            done.expect("readable");
            all
        };
        assert_eq!(exported(&influx), exported(&model));
        let all: Vec<_> =
            (0..3).flat_map(|device| (1..4).map(move |metric| series(device, metric))).collect();
        for minutes in [7, 60, 24 * 60, 7 * 24 * 60] {
            let step = Span::from_mins(minutes);
            for of in [&all[..], &all[..1], &all[1..2], &all[4..]] {
                let never = Cancel::never();
                let got = influx.buckets(of, range, step, &never).expect("readable");
                let expected = model.buckets(of, range, step, &never).expect("readable");
                assert!(same(&got, &expected), "{minutes} {range:?}:\n{got:?}\n{expected:?}");
            }
        }
    }
}

#[test]
fn redeliveries_that_nobody_remembers_are_looked_up_and_change_nothing() {
    let Some(server) = Influxd::start("redeliveries to InfluxDB") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let open = || {
        Influx::open(folder.path(), options(&server, BUCKET), Arc::new(Awkward)).expect("opens").0
    };
    let sent = three_days();
    let influx = open();
    influx.commit(&commit(sent.clone())).expect("commits");
    assert!(influx.wait_until_forwarded(Duration::from_mins(1)));
    influx.flush().expect("the position is written down");
    drop(influx);
    // A new process knows nothing of what was forwarded.
    let influx = open();
    let mut again = sent.clone();
    again[10].value = "corrected".into();
    influx.commit(&commit(again)).expect("commits");
    assert!(influx.wait_until_forwarded(Duration::from_mins(1)));
    let forward = influx.stats().forward.expect("figures");
    assert_eq!((forward.corrected, forward.rejected), (1, 0), "only one has another field");
    assert_eq!(server.count(BUCKET), sent.len() as u64);
    let answer = server.query(&format!(
        "from(bucket: \"{BUCKET}\") |> range(start: {}, stop: {}) |> keep(columns: [\"_field\"])",
        sent[10].time,
        sent[10].time + Span::from_micros(1),
    ));
    let fields = answer.lines().filter_map(|line| line.rsplit(',').next()).map(str::trim);
    let mut fields: Vec<&str> = fields.filter(|name| !name.starts_with('_')).collect();
    fields.sort_unstable();
    fields.dedup();
    assert_eq!(fields, ["", "quality", "text"], "the old field is gone");
}

#[test]
fn a_spool_that_is_new_shows_what_the_server_had_before_it() {
    let Some(server) = Influxd::start("a new spool before an old server") else { return };
    server.make_bucket("old");
    let options = options(&server, "old");
    let open = |folder: &tempfile::TempDir, look_back| {
        let options = InfluxOptions { look_back, ..options.clone() };
        Influx::open(folder.path(), options, Arc::new(Awkward)).expect("opens").0
    };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time");
    let of = |hours: i64, value: f64| {
        let mut reading = reading(series(1, 1), 0, value);
        reading.time = Timestamp::from_secs(now.as_secs() as i64 - hours * 3_600);
        reading
    };
    let [before, after] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let lost = open(&before, false);
    lost.commit(&commit([of(60, 1.0), of(50, 2.0)])).expect("commits");
    assert!(lost.wait_until_forwarded(Duration::from_mins(1)));
    drop(lost);

    let influx = open(&after, true);
    let until = Instant::now() + Duration::from_mins(1);
    while influx.complete_from() < of(50, 0.0).time {
        assert!(Instant::now() < until, "it does not look back");
        std::thread::yield_now();
    }
    let values = |influx: &Influx| {
        let points = influx.raw(series(1, 1), TimeRange::ALL, 10).expect("readable");
        points.iter().filter_map(|point| point.value.as_f64()).collect::<Vec<_>>()
    };
    assert_eq!(values(&influx), [1.0, 2.0]);
    influx.commit(&commit([of(0, 3.0)])).expect("commits");
    assert_eq!(values(&influx), [1.0, 2.0, 3.0], "and what is new from here");
    assert_eq!(influx.count(None, TimeRange::ALL).expect("countable"), 3);
    let border = influx.complete_from();
    drop(influx);
    assert_eq!(open(&after, true).complete_from(), border, "it is asked once");
}

#[test]
fn what_the_server_refuses_is_a_dead_letter_and_the_rest_arrives() {
    let Some(server) = Influxd::start("what InfluxDB refuses") else { return };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time");
    let now = now.as_secs() as i64;
    // Older than the bucket keeps: two of three, and then all of a batch.
    server.make_bucket_for("an hour", 3_600);
    let folder = tempfile::tempdir().expect("a folder");
    let (influx, _) =
        Influx::open(folder.path(), options(&server, "an hour"), Arc::new(Awkward)).expect("opens");
    let old = |number: i64, is_old: bool| {
        let mut reading = reading(series((number % 9) as u32, 1), 0, number as f64);
        let ago = if is_old { 3 * 3_600 } else { 600 };
        reading.time = Timestamp::from_secs(now - ago + number);
        reading
    };
    influx.commit(&commit((0..300).map(|n| old(n, n % 3 > 0)))).expect("commits");
    assert!(influx.wait_until_forwarded(Duration::from_mins(1)));
    let forward = influx.stats().forward.expect("figures");
    assert_eq!((forward.forwarded, forward.rejected), (100, 200), "{forward:?}");
    influx.commit(&commit((300..2_300).map(|n| old(n, true)))).expect("commits");
    assert!(influx.wait_until_forwarded(Duration::from_mins(1)));
    assert_eq!(influx.stats().forward.expect("figures").rejected, 2_200);
    assert_eq!(server.count("an hour"), 100);
    let page =
        influx.dead_letters(LettersFrom::Newest, Some("influxdb_rejected"), 1).expect("letters");
    let words = &page.items[0].letter.detail;
    assert!(words.starts_with("422") && words.contains("dropped"), "{words}");

    // Somebody else wrote the field as an integer.
    let (_, answer) = server.request(
        "POST",
        &format!("/api/v2/write?org={ORG}&bucket={BUCKET}&precision=s"),
        &format!("%23_pm\\ 2\\,5\\=%22%5Cn%22\\ 水\\ 1,device=x value=1i {now}"),
    );
    assert_eq!(answer, "");
    let folder = tempfile::tempdir().expect("a folder");
    let (influx, _) =
        Influx::open(folder.path(), options(&server, BUCKET), Arc::new(Awkward)).expect("opens");
    let sent = (0..1_000).map(|n| {
        let mut reading = old(n, false);
        // Metric 1 is an integer now.
        reading.series.metric = MetricKey(if n % 100 == 42 { 1 } else { 2 });
        reading
    });
    influx.commit(&commit(sent)).expect("commits");
    assert!(influx.wait_until_forwarded(Duration::from_mins(1)));
    let forward = influx.stats().forward.expect("figures");
    assert_eq!((forward.forwarded, forward.rejected), (990, 10), "{forward:?}");
    let page =
        influx.dead_letters(LettersFrom::Newest, Some("influxdb_rejected"), 1).expect("letters");
    let words = &page.items[0].letter.detail;
    assert!(words.contains("type conflict"), "{words}");
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

    // What is deleted is not left in the tiers, where no task would come by again.
    let what = Deletion {
        device: series(1, 1).device,
        metric: None,
        range: TimeRange { from: start + Span::from_secs(60), to: start + Span::from_secs(61) },
    };
    assert_eq!(influx.delete(&what).expect("deleted"), 1);
    assert_eq!(server.count("city's raw"), 8);
    let answer = server.query(
        "from(bucket: \"city's raw_15m\") |> range(start: -3h) \
         |> filter(fn: (r) => r._field == \"count\") |> keep(columns: [\"_value\"])",
    );
    let counts: Vec<&str> = answer.lines().filter_map(|line| line.rsplit(',').next()).collect();
    assert!(counts.contains(&"3") && !counts.contains(&"5"), "{answer}");

    let denied = InfluxOptions { token: Secret::new("another"), ..options };
    let error = block_on(setup(&denied, &wanted)).expect_err("denied");
    assert_eq!(error.kind, StoreErrorKind::Other, "{error}");
    assert!(error.message.contains("401"), "{error}");
}
