//! The forwarder against a server that answers as the tests say, on a real socket.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use city_model::{DeviceKey, MetricKey, Position, Quality, Timestamp};

use super::reads::{Part, parts};
use super::scripted::{Answer, Asked, Scripted};
use super::{Influx, InfluxOptions, Naming, Secret, Waits};
use crate::conformance::{commit, device, reading, series, t};
use crate::{LedgerKey, LettersFrom, Store as _, StoreErrorKind, TimeRange};

/// Long enough for any test, on a busy machine too.
const LONG: Duration = Duration::from_mins(1);

struct Plain;

impl Naming for Plain {
    fn device(&self, key: DeviceKey) -> Option<Arc<str>> {
        Some(format!("d{}", key.0).into())
    }

    fn metric(&self, key: MetricKey) -> Option<Arc<str>> {
        Some(format!("m{}", key.0).into())
    }
}

struct City {
    folder: tempfile::TempDir,
    options: InfluxOptions,
    server: Scripted,
}

impl City {
    fn new(script: impl FnMut(&Asked) -> Answer + Send + 'static) -> Self {
        let server = Scripted::start(script);
        let waits = Waits {
            gather: Duration::from_millis(1),
            first_retry: Duration::from_millis(1),
            longest_retry: Duration::from_millis(20),
            ..Waits::default()
        };
        let options = InfluxOptions {
            waits,
            look_back: false,
            ..InfluxOptions::new(server.url(), "city", "raw", Secret::new("hush"))
        };
        Self { folder: tempfile::tempdir().expect("a folder"), options, server }
    }

    fn open(&self) -> Influx {
        let opened = Influx::open(self.folder.path(), self.options.clone(), Arc::new(Plain));
        opened.expect("opens").0
    }

    /// Lines of all writes that were asked for.
    fn written(&self) -> Vec<String> {
        let asked = self.server.asked().into_iter().filter(|asked| asked.path.contains("write"));
        asked.flat_map(|asked| asked.body.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
    }
}

/// Waits until it is so.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + LONG;
    while !is_so() {
        assert!(Instant::now() < end, "{what} did not happen");
        std::thread::yield_now();
    }
}

#[test]
fn what_is_committed_arrives_in_order_with_the_token_and_precision() {
    let city = City::new(|_| Answer::of(204));
    let influx = city.open();
    let mut second = reading(series(1, 1), 60, true);
    second.quality = Quality::Fail;
    second.position = Some(Position { lon: 1.5, lat: -2.0 });
    influx.commit(&commit([reading(series(1, 1), 0, 1.0), second])).expect("commits");
    assert!(influx.wait_until_forwarded(LONG));
    let start = t(0).micros();
    assert_eq!(
        city.written(),
        [
            format!("m1,device=d1 value=1.0,quality=1i {start}"),
            format!(
                "m1,device=d1 rejected_state=t,quality=4i,lon=1.5,lat=-2.0 {}",
                start + 60_000_000
            ),
        ]
    );
    let asked = city.server.asked().remove(0);
    assert_eq!(asked.path, "/api/v2/write?org=city&bucket=raw&precision=us");
    assert_eq!(asked.header("authorization"), Some("Token hush"));
    assert_eq!(asked.header("content-encoding"), Some("gzip"));
    let forward = influx.stats().forward.expect("figures");
    assert_eq!((forward.forwarded, forward.rejected, forward.spool_bytes), (2, 0, 0));
    assert_eq!((forward.oldest_waiting, forward.trouble), (None, None));
}

#[test]
fn a_server_that_struggles_gets_everything_later_and_once_more_after_a_restart() {
    let attempt = Arc::new(AtomicUsize::new(0));
    let counted = attempt.clone();
    let city = City::new(move |_| match counted.fetch_add(1, Ordering::SeqCst) {
        0 => Answer::of(429).with_header("retry-after", "0"),
        1 => Answer::of(503),
        2 => Answer::of(500).with_body(r#"{"code":"internal error","message":"out of memory"}"#),
        3 => {
            Answer::of(401).with_body(r#"{"code":"unauthorized","message":"unauthorized access"}"#)
        }
        4 => Answer::of(404)
            .with_body(r#"{"code":"not found","message":"bucket \"raw\" not found"}"#),
        5 => Answer::of(302).with_header("location", "https://elsewhere/"),
        _ => Answer::of(204),
    });
    let influx = city.open();
    influx.commit(&commit([reading(series(1, 1), 0, 1.0)])).expect("commits");
    assert!(influx.wait_until_forwarded(LONG));
    let forward = influx.stats().forward.expect("figures");
    assert_eq!((forward.retries, forward.forwarded, forward.rejected), (6, 1, 0));
    assert_eq!(forward.trouble, None, "it is over");
    assert_eq!(influx.stats().dead_letters, 0, "nothing was given up");
    drop(influx);
    // The position was in memory only: what was confirmed is sent again, which changes nothing.
    let influx = city.open();
    assert!(influx.wait_until_forwarded(LONG));
    assert_eq!(city.written().len(), 8);
    influx.flush().expect("flushes");
    drop(influx);
    assert!(city.open().wait_until_forwarded(LONG));
    assert_eq!(city.written().len(), 8, "a position that was written down is kept");
}

#[test]
fn a_batch_that_is_too_large_is_halved_and_stays_small() {
    let city = City::new(|asked| Answer::of(if asked.lines() > 300 { 413 } else { 204 }));
    let influx = city.open();
    let many = |from| (from..from + 2_000).map(|secs| reading(series(1, 1), secs, secs as f64));
    influx.commit(&commit(many(0))).expect("commits");
    assert!(influx.wait_until_forwarded(LONG));
    let refused = city.server.asked().iter().filter(|asked| asked.lines() > 300).count();
    assert!((2..10).contains(&refused), "{refused}");
    influx.commit(&commit(many(2_000))).expect("commits");
    assert!(influx.wait_until_forwarded(LONG));
    let now = city.server.asked().iter().filter(|asked| asked.lines() > 300).count();
    assert_eq!(now, refused, "what was too large is not tried again");
    assert!(influx.stats().forward.expect("figures").batch_lines <= 300);
    // Every line once among those that were taken, in order.
    let taken = city.server.asked().into_iter().filter(|asked| asked.lines() <= 300);
    let values: Vec<String> =
        taken.flat_map(|asked| asked.body.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    assert_eq!(values.len(), 4_000);
    for (secs, line) in values.iter().enumerate() {
        assert!(line.contains(&format!("value={secs}.0,")), "{secs}: {line}");
    }
}

#[test]
fn bad_points_are_found_and_become_dead_letters_with_the_servers_words() {
    let city = City::new(|asked| {
        if asked.body.contains("=13.0,") || asked.body.contains("=900.0,") {
            Answer::of(422).with_body(
                r#"{"code":"unprocessable entity","message":"partial write: field type conflict dropped=1"}"#,
            )
        } else {
            Answer::of(204)
        }
    });
    let influx = city.open();
    let many = (0..1_000).map(|secs| reading(series(7, 1), secs, secs as f64));
    influx.commit(&commit(many)).expect("commits");
    assert!(influx.wait_until_forwarded(LONG));
    let page =
        influx.dead_letters(LettersFrom::Newest, Some("influxdb_rejected"), 10).expect("letters");
    let mut lines: Vec<String> = page
        .items
        .iter()
        .map(|item| String::from_utf8_lossy(&item.letter.payload).into_owned())
        .collect();
    lines.sort();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].contains("value=13.0,") && lines[1].contains("value=900.0,"), "{lines:?}");
    let letter = &page.items[0].letter;
    assert!(letter.detail.contains("422: partial write: field type conflict"), "{letter:?}");
    assert_eq!((letter.device.as_deref(), letter.device_key), (Some("d7"), Some(device(7))));
    let forward = influx.stats().forward.expect("figures");
    assert_eq!((forward.forwarded, forward.rejected), (998, 2));
    // The ledger counts each reading once.
    let of_device =
        influx.ledger().into_iter().find(|(key, _)| *key == LedgerKey::Device(device(7)));
    let (_, counters) = of_device.expect("counters");
    assert_eq!((counters.received, counters.stored, counters.dead_lettered), (1_000, 1_000, 0));
    // Sent again after a crash, they make no second letters.
    drop(influx);
    let influx = city.open();
    assert!(influx.wait_until_forwarded(LONG));
    assert_eq!(influx.stats().dead_letters, 2);
}

#[test]
fn a_server_that_refuses_everything_is_not_believed() {
    let mended = Arc::new(AtomicUsize::new(0));
    let is_mended = mended.clone();
    let city = City::new(move |_| {
        if is_mended.load(Ordering::SeqCst) == 0 { Answer::of(400) } else { Answer::of(204) }
    });
    let influx = city.open();
    let many = (0..500).map(|secs| reading(series(1, 1), secs, 1.0));
    influx.commit(&commit(many)).expect("commits");
    until("doubt", || {
        let trouble = influx.stats().forward.and_then(|forward| forward.trouble);
        trouble.is_some_and(|trouble| trouble.contains("in a row"))
    });
    mended.store(1, Ordering::SeqCst);
    assert!(influx.wait_until_forwarded(LONG));
    let forward = influx.stats().forward.expect("figures");
    assert_eq!((forward.forwarded, forward.rejected), (500, 0));
}

#[test]
fn what_influxdb_cannot_hold_is_never_sent() {
    let city = City::new(|_| Answer::of(204));
    let influx = city.open();
    let mut far = reading(series(1, 1), 0, 2.0);
    far.time = Timestamp::from_micros(i64::MAX - 1);
    let long = "x".repeat(70_000);
    influx
        .commit(&commit([
            reading(series(1, 1), 0, f64::NAN),
            reading(series(1, 1), 1, f64::INFINITY),
            reading(series(1, 1), 2, long.as_str()),
            far,
            reading(series(1, 1), 3, 1.0),
        ]))
        .expect("commits");
    assert!(influx.wait_until_forwarded(LONG));
    assert_eq!(city.written().len(), 1);
    assert_eq!(influx.stats().dead_letters, 4);
}

#[test]
fn a_full_spool_refuses_commits_until_the_server_is_back() {
    let is_up = Arc::new(AtomicUsize::new(0));
    let up = is_up.clone();
    let mut city = City::new(move |_| {
        if up.load(Ordering::SeqCst) == 0 {
            Answer::of(503).with_body("{\"message\":\"no room\"}")
        } else {
            Answer::of(204)
        }
    });
    city.options.spool_bytes = 1 << 20;
    let influx = city.open();
    let mut committed = 0;
    let error = loop {
        let text = "reading ".repeat(32);
        let many = (0..1_000).map(|i| reading(series(1, 1), committed * 1_000 + i, text.as_str()));
        match influx.commit(&commit(many)) {
            Ok(_) => committed += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind, StoreErrorKind::Full);
    assert!(error.is_transient());
    until("a complaint", || {
        influx.stats().forward.is_some_and(|forward| forward.trouble.is_some())
    });
    let error = influx.commit(&commit([])).expect_err("still full");
    for part in [&*city.server.url(), "of 1048576 bytes", "no room", "spool_bytes"] {
        assert!(error.message.contains(part), "{error}");
    }
    let forward = influx.stats().forward.expect("figures");
    assert!(forward.spool_bytes >= 1 << 20);
    assert_eq!(forward.oldest_waiting, Some(t(1)));
    // Reads go on, and a restart changes nothing.
    assert!(influx.last(series(1, 1)).is_some());
    drop(influx);
    let influx = city.open();
    assert_eq!(influx.commit(&commit([])).expect_err("full").kind, StoreErrorKind::Full);
    is_up.store(1, Ordering::SeqCst);
    assert!(influx.wait_until_forwarded(LONG));
    influx.commit(&commit([])).expect("there is room");
    assert!(influx.wait_until_forwarded(LONG));
    assert_eq!(influx.stats().forward.expect("figures").spool_bytes, 0);
}

#[test]
fn redeliveries_are_left_out_and_corrections_replace_the_point() {
    let city = City::new(|_| Answer::of(204));
    let influx = city.open();
    let send = |value: f64, quality| {
        let mut reading = reading(series(1, 1), 0, value);
        reading.quality = quality;
        influx.commit(&commit([reading])).expect("commits");
        assert!(influx.wait_until_forwarded(LONG));
    };
    send(1.0, Quality::Pass);
    send(1.0, Quality::Pass);
    assert_eq!(city.written().len(), 1, "a redelivery needs nothing");
    send(2.0, Quality::Suspect);
    assert_eq!(city.written().len(), 2);
    assert_eq!(city.server.asked().len(), 2, "the same field is written over");
    send(3.0, Quality::Fail);
    let asked = city.server.asked();
    assert_eq!(asked.len(), 4);
    assert_eq!(asked[2].path, "/api/v2/delete?org=city&bucket=raw");
    let time = "2026-11-23T01:00:00Z";
    let expected = serde_json::json!({
        "start": time, "stop": time, "predicate": "_measurement=\"m1\" AND device=\"d1\""
    });
    assert_eq!(serde_json::from_str::<serde_json::Value>(&asked[2].body).expect("JSON"), expected);
    assert!(asked[3].body.starts_with("m1,device=d1 rejected=3.0,quality=4i "));
    // After a restart nobody knows what is there: a redelivery is made sure of.
    drop(influx);
    let influx = city.open();
    assert!(influx.wait_until_forwarded(LONG));
    let last = city.written().pop().expect("a line");
    assert!(last.contains("rejected=3.0"), "{last}");
}

#[test]
fn answers_that_make_no_sense_are_errors() {
    let script = Arc::new(AtomicUsize::new(0));
    let step = script.clone();
    let mut city = City::new(move |asked| {
        if !asked.path.contains("query") {
            return Answer::of(204);
        }
        let table = "#datatype,string,long,dateTime:RFC3339,long,double\r\n,result,table,_time,quality,value\r\n";
        match step.fetch_add(1, Ordering::SeqCst) {
            0 => Answer::of(200).with_body("<html>hello</html>\r\n,x\r\n"),
            1 => Answer::of(200).with_body(format!("{table},,0,yesterday,1,5\r\n")),
            2 => Answer::of(200).with_body(format!("{table},,0,2026-11-23T01:00:00Z,77,5\r\n")),
            3 => Answer::of(200)
                .with_body(format!("{table}\r\nerror,reference\r\ntimed out,897\r\n")),
            4 => Answer::of(503).with_body("busy"),
            5 => Answer::of(401).with_body("{\"message\":\"unauthorized access\"}"),
            _ => Answer::of(200).with_body(format!("{table},,0,2026-11-23T01:00:00Z,1,5\r\n")),
        }
    });
    city.options.drain_on_flush = true;
    let influx = city.open();
    influx.commit(&commit([reading(series(1, 1), 0, 5.0)])).expect("commits");
    influx.flush().expect("flushes");
    assert!(influx.complete_from() > t(0), "the day is the server's now");
    let ask = || influx.raw(series(1, 1), TimeRange::ALL, 10);
    for (kind, word) in [
        (StoreErrorKind::Other, "annotated CSV"),
        (StoreErrorKind::Other, "yesterday"),
        (StoreErrorKind::Other, "77"),
        (StoreErrorKind::Busy, "timed out"),
        (StoreErrorKind::Busy, "503: busy"),
        (StoreErrorKind::Other, "unauthorized access"),
    ] {
        let error = ask().expect_err("an error");
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.message.contains(word) && !error.message.contains("hush"), "{error}");
    }
    assert_eq!(ask().expect("readable").len(), 1);
}

#[test]
fn days_leave_only_when_the_server_has_them() {
    let is_up = Arc::new(AtomicUsize::new(0));
    let up = is_up.clone();
    let city = City::new(move |asked| {
        let is_up = up.load(Ordering::SeqCst) > 0;
        match (is_up, asked.path.contains("query")) {
            (false, _) => Answer::of(503),
            (true, true) => Answer::of(200),
            (true, false) => Answer::of(204),
        }
    });
    let influx = city.open();
    influx.commit(&commit([reading(series(1, 1), 0, 5.0)])).expect("commits");
    let later = |hours: i64| t(hours * 3_600);
    for hours in [2, 3, 100, 101] {
        influx.maintain(later(hours)).expect("maintains");
    }
    assert_eq!(influx.raw(series(1, 1), TimeRange::ALL, 10).expect("here").len(), 1);
    assert_eq!(influx.complete_from().micros(), i64::MIN);
    is_up.store(1, Ordering::SeqCst);
    assert!(influx.wait_until_forwarded(LONG));
    influx.maintain(later(40)).expect("maintains");
    assert_eq!(influx.complete_from().micros(), i64::MIN, "two days are kept");
    influx.maintain(later(102)).expect("maintains");
    assert_eq!(influx.complete_from(), later(23), "the end of the day");
    assert!(influx.raw(series(1, 1), TimeRange::ALL, 10).expect("asked").is_empty());
    drop(influx);
    assert_eq!(city.open().complete_from(), later(23));
}

#[test]
fn ranges_are_taken_apart_where_readings_are() {
    let at = Timestamp::from_micros;
    let range = |from, to| TimeRange { from: at(from), to: at(to) };
    let everything_here = at(i64::MIN);
    assert_eq!(parts(range(5, 9), everything_here), [Part::Near(range(5, 9))]);
    assert_eq!(parts(range(5, 9), at(7)), [Part::Far(range(5, 7)), Part::Near(range(7, 9))]);
    assert_eq!(parts(range(5, 9), at(9)), [Part::Far(range(5, 9))]);
    assert_eq!(parts(range(5, 9), at(5)), [Part::Near(range(5, 9))]);
    assert_eq!(parts(range(5, 5), at(5)), []);
    let all = parts(TimeRange::ALL, at(0));
    assert!(matches!(all[..], [Part::Near(_), Part::Far(_), Part::Near(_)]), "{all:?}");
}
