//! Days that are over: compacting, summaries, retention, deletions, and files of before.

use city_model::{Quality, Value};
use rusqlite::Connection;

use super::*;
use crate::backends::memory::Memory;
use crate::{Bucket, Cancel, Deletion, Rank};

/// The seconds after the tests' start at which its day ends.
const DAY_END: i64 = 23 * 3_600;
const HOUR: i64 = 3_600;

/// A store and what it should say.
struct City {
    dir: tempfile::TempDir,
    store: Option<Embedded>,
    model: Memory,
    options: Options,
}

impl City {
    fn new(options: Options) -> Self {
        let dir = temp();
        let store = Some(open_with(dir.path(), options.clone()));
        Self { dir, store, model: Memory::new(), options }
    }

    fn store(&self) -> &Embedded {
        self.store.as_ref().expect("open")
    }

    fn commit(&self, readings: impl IntoIterator<Item = Reading>) {
        let commit = commit(readings);
        let got = self.store().commit(&commit).expect("commits");
        assert_eq!(got.outcomes, self.model.commit(&commit).expect("commits").outcomes);
    }

    /// Maintenance, often enough for everything that is due.
    fn settle(&self, secs: i64) {
        for _ in 0..4 {
            self.store().maintain(t(secs)).expect("maintains");
        }
    }

    fn reopen(&mut self) {
        drop(self.store.take());
        self.store = Some(open_with(self.dir.path(), self.options.clone()));
    }

    fn has(&self, name: &str) -> bool {
        self.dir.path().join(name).is_file()
    }

    /// Everything says the same as the model.
    fn check(&self, what: &str) {
        let (store, model) = (self.store(), &self.model);
        for range in [TimeRange::ALL, hours(0, 24), hours(2, 5), seconds(5_000, 70_001)] {
            for step in [7, 60, 900, 3_600, 14_400, 86_400] {
                let [got, expected] = [store as &dyn Store, model].map(|s| buckets(s, range, step));
                assert_eq!(got, expected, "{what}: steps of {step} in {range:?}");
            }
            for key in [series(1, 1), series(2, 1), series(1, 2)] {
                let [got, expected] = [store as &dyn Store, model]
                    .map(|s| s.raw(key, range, 100_000).expect("readable"));
                assert_eq!(got, expected, "{what}");
            }
            let [got, expected] = [store as &dyn Store, model]
                .map(|s| [None, Some(device(1))].map(|of| s.count(of, range).expect("countable")));
            assert_eq!(got, expected, "{what}");
        }
        assert_eq!(store.stats().readings, model.stats().readings, "{what}");
        let found = verify(self.dir.path(), |_, _, _| {}).expect("a store");
        assert!(found.damages.is_empty(), "{what}: {:?}", found.damages);
    }
}

fn seconds(from: i64, to: i64) -> TimeRange {
    TimeRange { from: t(from), to: t(to) }
}

fn buckets(of: &dyn Store, range: TimeRange, step: i64) -> Vec<String> {
    let series: Vec<_> = (1..4).map(|d| series(d, 1)).chain([series(1, 2)]).collect();
    let step = Span::from_secs(step);
    let got = of.buckets(&series, range, step, &Cancel::never()).expect("readable");
    let round = |b: &Bucket| format!("{:?} {:.6}", Bucket { sum: 0.0, ..*b }, b.sum);
    got.iter().map(round).collect()
}

/// Hours of the tests' day.
fn hours(from: i64, to: i64) -> TimeRange {
    seconds((from - 1) * HOUR, (to - 1) * HOUR)
}

/// A day of three devices: one quick, one slow, one that moves and has a second metric.
fn day(of: i64) -> Vec<Reading> {
    let mut readings = Vec::new();
    for i in 0..2_700 {
        let at = of * 86_400 + i * 20 + i % 7;
        let mut quick = reading(series(1, 1), at, f64::from(i as i32 % 97) / 10.0);
        if i % 50 == 3 {
            quick.quality = Quality::Suspect;
        }
        if i % 61 == 5 {
            quick.quality = Quality::Fail;
        }
        readings.push(quick);
        if i % 20 == 0 {
            readings.push(reading(series(2, 1), at, f64::from(i as i32) / 8.0));
            let mut moving = reading(series(3, 1), at, Value::Bool(i % 40 == 0));
            moving.position = Some(Position { lon: i as f64 / 100.0, lat: 30.0 });
            readings.push(moving);
            readings.push(reading(series(1, 2), at, "阀门开"));
        }
    }
    readings
}

#[test]
fn a_day_is_compacted_once_it_is_over_and_says_the_same() {
    let mut city = City::new(Options::default());
    city.commit(day(0));
    city.check("in the head");
    city.store().flush().expect("flushes");
    city.check("sealed");
    let before = city.store().stats().disk_bytes;
    city.settle(DAY_END + HOUR - 1);
    assert!(city.has("chunks/2026-11-23.db"), "it has an hour left");
    city.settle(DAY_END + HOUR);
    city.settle(DAY_END + 2 * HOUR);
    assert!(!city.has("chunks/2026-11-23.db") && city.has("chunks/2026-11-23.g1.db"));
    assert!(city.has("tiers/1h/2026-11.db") && city.has("tiers/1m/2026-11.db"));
    assert!(city.store().stats().disk_bytes < before);
    city.check("compacted");
    city.reopen();
    city.check("reopened");
}

#[test]
fn many_devices_are_summed_up_alike_however_they_are_read() {
    // Keys with gaps; all of them are read row after row, some of them row by row.
    let city = City::new(Options::default());
    let keys: Vec<u32> = (0..150).map(|i| i * 10).collect();
    for device in &keys {
        city.commit((0..48).flat_map(|half_hour| {
            let at = half_hour * 1_800 - HOUR + i64::from(*device);
            [1, 2].map(|metric| {
                let value = f64::from((*device * 7 + half_hour as u32 * metric) % 1_000) / 10.0;
                reading(series(*device, metric as u16), at, value)
            })
        }));
    }
    let every = |step: usize| -> Vec<SeriesKey> {
        (0..1_500).step_by(step).map(|device| series(device, 2)).collect()
    };
    let check = |what: &str| {
        let stores = [city.store() as &dyn Store, &city.model];
        for (of, range) in
            [1, 10, 20].iter().flat_map(|step| [hours(0, 24), hours(3, 4)].map(|r| (step, r)))
        {
            let of = every(*of);
            for step in [900, 3_600, 86_400].map(Span::from_secs) {
                let [got, expected] = stores.map(|store| {
                    let buckets = store.buckets(&of, range, step, &Cancel::never());
                    let round = |b: Bucket| format!("{:?} {:.6}", Bucket { sum: 0.0, ..b }, b.sum);
                    buckets.expect("readable").into_iter().map(round).collect::<Vec<_>>()
                });
                assert_eq!(got, expected, "{what}: {} devices in steps of {step}", of.len());
            }
            let [got, expected] = stores.map(|store| {
                let top = store.top(&of, range, Rank::Highest, 7, &Cancel::never());
                top.expect("readable").into_iter().map(|(of, b)| (of, b.max)).collect::<Vec<_>>()
            });
            assert_eq!(got, expected, "{what}: the highest of {}", of.len());
        }
    };
    check("in the head");
    city.store().flush().expect("flushes");
    check("sealed");
    city.settle(DAY_END + HOUR);
    city.settle(DAY_END + 2 * HOUR);
    assert!(city.has("tiers/1h/2026-11.db"));
    check("compacted");
    city.commit([70, 80].map(|device| reading(series(device, 2), 8_001, 250.0)));
    check("with late ones in the head");
    city.store().flush().expect("flushes");
    check("with late ones sealed");
}

#[test]
fn what_comes_after_a_day_was_compacted_counts_at_once_and_is_worked_in() {
    let mut city = City::new(Options::default());
    city.commit(day(0));
    city.store().flush().expect("flushes");
    city.settle(DAY_END + HOUR);
    city.settle(DAY_END + 2 * HOUR);
    let late = [(1, 8_005, 77.5), (1, 8_005, 78.0), (2, 30_001, -4.0), (4, 30_001, 1.0)];
    city.commit(late.map(|(d, at, value)| reading(series(d, 1), at, value)));
    city.check("late ones in the head");
    city.store().flush().expect("flushes");
    city.check("late ones sealed");
    let overridden = || {
        let of = city.store().window_of(t(0).micros());
        let found = city.store().days.contents(day_name::day_of(of), |c| c.overridden.len());
        found.expect("readable").expect("a day")
    };
    assert_eq!(overridden(), 3);
    city.settle(DAY_END + 10 * HOUR);
    city.settle(DAY_END + 12 * HOUR);
    assert_eq!(overridden(), 0);
    assert!(city.has("chunks/2026-11-23.g1.db"), "in the same file");
    city.check("worked in");
    city.reopen();
    city.check("reopened");
}

#[test]
fn summaries_answer_for_readings_that_are_no_longer_kept() {
    let keep = Options { retention: Some(Span::from_hours(48)), ..Options::default() };
    let mut city = City::new(keep);
    for of in 0..3 {
        city.commit(day(of));
    }
    city.store().flush().expect("flushes");
    city.settle(86_400 + DAY_END + 86_400 - 1);
    assert_eq!(city.store().complete_from(), TimeRange::ALL.from, "two whole days are kept");
    city.settle(3 * 86_400 + DAY_END);
    city.settle(3 * 86_400 + DAY_END + 2 * HOUR);
    let kept_from = city.store().complete_from();
    assert_eq!(kept_from, t(2 * 86_400 - HOUR));
    let before = TimeRange { to: kept_from, ..TimeRange::ALL };
    for _ in 0..2 {
        let store = city.store();
        assert_eq!(store.count(None, before).expect("countable"), 0);
        for step in [60, 900, 3_600, 86_400] {
            for range in [TimeRange::ALL, before, hours(5, 29)] {
                let expected = buckets(&city.model, range, step);
                assert_eq!(buckets(store, range, step), expected, "steps of {step}");
            }
        }
        // Finer than anything that is kept: the finest there is.
        let minutes = buckets(&city.model, before, 60);
        assert_eq!(buckets(store, before, 7).len(), minutes.len());
        let top = |of: &dyn Store| {
            let all = [series(1, 1), series(2, 1), series(3, 1)];
            let top = of.top(&all, before, Rank::Highest, 2, &Cancel::never()).expect("readable");
            top.iter().map(|(key, b)| (*key, b.max, b.count)).collect::<Vec<_>>()
        };
        assert_eq!(top(store), top(&city.model));
        city.reopen();
    }
    // A reading past its time does not touch what is known of its day.
    city.store().commit(&commit([reading(series(1, 1), 5_001, 1e6)])).expect("commits");
    city.store().flush().expect("flushes");
    city.settle(3 * 86_400 + DAY_END + 4 * HOUR);
    assert_eq!(buckets(city.store(), before, 900), buckets(&city.model, before, 900));
    assert_eq!(city.store().count(None, before).expect("countable"), 0);
}

#[test]
fn a_metric_may_be_kept_for_less_than_the_others() {
    let mut city = City::new(Options::default());
    city.commit(day(0));
    city.store().flush().expect("flushes");
    city.settle(DAY_END + HOUR);
    city.settle(DAY_END + 2 * HOUR);
    let ask = || [60, 3_600].map(|step| buckets(city.store(), hours(0, 24), step));
    let before = ask();
    city.store().keep_metrics(BTreeMap::from([(metric(1), Span::from_hours(24))]));
    city.settle(DAY_END + 23 * HOUR);
    assert!(city.has("chunks/2026-11-23.g1.db"));
    city.settle(DAY_END + 24 * HOUR);
    assert!(city.has("chunks/2026-11-23.g2.db"));
    for _ in 0..2 {
        let raw = |key| city.store().raw(key, TimeRange::ALL, 10_000).expect("readable").len();
        assert_eq!([raw(series(1, 1)), raw(series(2, 1)), raw(series(1, 2))], [0, 0, 135]);
        let stats = city.store().stats();
        assert_eq!(stats.readings, 135, "{stats:?}");
        let after = [60, 3_600].map(|step| buckets(city.store(), hours(0, 24), step));
        assert_eq!(after, before, "summaries stay, in minutes too");
        let track = city.store().track(device(3), TimeRange::ALL, 1_000).expect("readable");
        assert_eq!(track.len(), 135, "where it was is no reading of the metric");
        city.settle(DAY_END + 30 * HOUR);
        assert!(city.has("chunks/2026-11-23.g2.db"), "once is enough");
        city.reopen();
        city.store().keep_metrics(BTreeMap::from([(metric(1), Span::from_hours(24))]));
    }
}

#[test]
fn days_are_kept_for_a_follower_that_has_not_passed_them() {
    let options = Options {
        retention: Some(Span::from_hours(24)),
        keep_for: Some("influxdb".into()),
        ..Options::default()
    };
    let city = City::new(options);
    city.store().hold("influxdb", 1).expect("holds");
    city.commit(day(0));
    city.commit(day(1));
    city.store().flush().expect("flushes");
    city.settle(9 * 86_400);
    assert_eq!(city.store().complete_from(), TimeRange::ALL.from);
    city.check("all is kept");
    city.store().hold("influxdb", 3).expect("holds");
    city.settle(9 * 86_400);
    assert_eq!(city.store().complete_from(), t(2 * 86_400 - HOUR));
    assert_eq!(city.store().count(None, TimeRange::ALL).expect("countable"), 0);
}

#[test]
fn summaries_are_dropped_by_month() {
    let options = Options {
        tiers: TierRetention { minute: Some(Span::from_hours(24)), ..TierRetention::default() },
        ..Options::default()
    };
    let city = City::new(options);
    city.commit(day(0));
    city.store().flush().expect("flushes");
    city.settle(DAY_END + 2 * HOUR);
    city.settle(DAY_END + 4 * HOUR);
    assert!(city.has("tiers/1m/2026-11.db"));
    city.settle(8 * 86_400);
    assert!(city.has("tiers/1m/2026-11.db"), "December has begun, but the last of November counts");
    city.settle(9 * 86_400);
    assert!(!city.has("tiers/1m/2026-11.db") && city.has("tiers/1h/2026-11.db"));
    city.check("readings answer");
}

#[test]
fn what_is_deleted_is_gone_from_summaries_too() {
    let keep = Options { retention: Some(Span::from_hours(24)), ..Options::default() };
    let city = City::new(keep);
    city.commit(day(0));
    city.store().flush().expect("flushes");
    let half = Deletion { device: device(1), metric: Some(metric(1)), range: hours(3, 9) };
    let of_all = Deletion { device: device(3), metric: None, range: TimeRange::ALL };
    city.settle(DAY_END + HOUR);
    city.settle(DAY_END + 2 * HOUR);
    let delete = |what: &Deletion| {
        let gone = city.store().delete(what).expect("deletes");
        assert_eq!(gone, city.model.delete(what).expect("deletes"));
        assert_eq!(city.store().delete(what).expect("deletes"), 0, "twice is once");
    };
    delete(&half);
    delete(&of_all);
    city.check("deleted from a compacted day");
    city.settle(9 * 86_400);
    assert_eq!(city.store().count(None, TimeRange::ALL).expect("countable"), 0);
    let hourly = buckets(&city.model, TimeRange::ALL, HOUR);
    assert_eq!(buckets(city.store(), TimeRange::ALL, HOUR), hourly);
    let quarter = Deletion { device: device(2), metric: None, range: hours(10, 12) };
    city.store().delete(&quarter).expect("deletes");
    city.model.delete(&quarter).expect("deletes");
    let hourly = buckets(&city.model, TimeRange::ALL, HOUR);
    assert_eq!(buckets(city.store(), TimeRange::ALL, HOUR), hourly);
}

#[test]
fn a_deletion_that_a_crash_cut_short_is_gone_through_with() {
    let mut city = City::new(Options::default());
    city.commit(day(0));
    let what = Deletion { device: device(1), metric: None, range: hours(3, 9) };
    // As it is on the disk when the power fails right after the note.
    city.store().writer().db.begin_deletion(&what).expect("a note");
    city.reopen();
    city.model.delete(&what).expect("deletes");
    city.check("after the restart");
    city.reopen();
    city.check("after another");
}

#[test]
fn what_a_crash_leaves_of_a_rewriting_does_not_matter() {
    let mut city = City::new(Options::default());
    city.commit(day(0));
    city.store().flush().expect("flushes");
    let chunks = city.dir.path().join("chunks");
    let old = std::fs::read(chunks.join("2026-11-23.db")).expect("a day");
    std::fs::write(chunks.join("2026-11-23.new"), b"half a file").expect("writes");
    city.reopen();
    city.check("an unfinished file");
    city.settle(DAY_END + HOUR);
    city.settle(DAY_END + 2 * HOUR);
    assert!(city.has("chunks/2026-11-23.g1.db") && !city.has("chunks/2026-11-23.new"));
    // The power failed between putting the new one in its place and deleting the old one.
    drop(city.store.take());
    std::fs::write(chunks.join("2026-11-23.db"), old).expect("writes");
    city.store = Some(open_with(city.dir.path(), city.options.clone()));
    assert!(!city.has("chunks/2026-11-23.db"));
    city.check("an old generation");
}

#[test]
fn a_day_with_damage_is_not_compacted_and_the_rest_goes_on() {
    let city = City::new(Options::default());
    city.commit(day(0));
    city.commit(day(1));
    city.store().flush().expect("flushes");
    let file = city.dir.path().join("chunks/2026-11-23.db");
    let conn = Connection::open(file).expect("opens");
    conn.execute("UPDATE chunks SET chunk = x'0100000000' WHERE id & 4294967295 = 2", [])
        .expect("damages");
    city.settle(86_400 + DAY_END + HOUR);
    city.settle(86_400 + DAY_END + 2 * HOUR);
    assert!(city.has("chunks/2026-11-23.db"), "left as it is");
    assert!(city.has("chunks/2026-11-24.g1.db"));
    let range = hours(0, 24);
    let readable = city.store().raw(series(1, 1), range, 10_000).expect("the rest is served");
    assert_eq!(readable.len(), 2_700);
    let error = city.store().raw(series(2, 1), range, 10).expect_err("damaged");
    assert_eq!(error.kind, StoreErrorKind::Corrupt);
}

#[test]
fn files_of_the_version_before_are_brought_to_this_one() {
    let mut city = City::new(Options::default());
    city.commit(day(0));
    city.store().flush().expect("flushes");
    city.commit(day(1));
    drop(city.store.take());
    let change = |name: &str, sql: &str| {
        let conn = Connection::open(city.dir.path().join(name)).expect("opens");
        conn.execute_batch(sql).expect("changes");
    };
    change("ingest.db", "DROP TABLE deletions; PRAGMA user_version = 2;");
    change("chunks/2026-11-23.db", "DROP TABLE facts; PRAGMA user_version = 1;");
    let found = verify(city.dir.path(), |_, _, _| {}).expect("a store");
    assert!(found.damages.is_empty(), "checked as they are: {:?}", found.damages);
    city.store = Some(open_with(city.dir.path(), city.options.clone()));
    city.check("upgraded");
    city.store().flush().expect("flushes");
    city.settle(86_400 + DAY_END + HOUR);
    city.settle(86_400 + DAY_END + 2 * HOUR);
    assert!(city.has("chunks/2026-11-23.g1.db"));
    city.check("compacted");
}

#[test]
fn what_is_sealed_while_a_day_is_compacted_is_seen() {
    use std::sync::atomic::{AtomicBool, Ordering};

    for round in 0..8 {
        let after = Span::from_micros(-1);
        let city = City::new(Options { compact_after: after, ..Options::default() });
        city.commit(day(0));
        city.store().flush().expect("flushes");
        let (store, done) = (city.store(), AtomicBool::new(false));
        // A device of its own each time, and one that was there.
        let late =
            |i: i64| [reading(series(10 + i as u32, 1), i, 1.0), reading(series(1, 1), i, 0.5)];
        let sent = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !city.has("chunks/2026-11-23.g1.db") {
                    store.maintain(t(2 * 86_400)).expect("maintains");
                }
                done.store(true, Ordering::Release);
            });
            // Whoever asks meanwhile lets the new file be looked at as soon as it is there.
            scope.spawn(|| {
                while !done.load(Ordering::Acquire) {
                    store.raw(series(1, 1), seconds(0, 60), 9).expect("readable");
                }
            });
            let mut sent = 0i64;
            while !done.load(Ordering::Acquire) {
                store.commit(&commit(late(sent))).expect("commits");
                store.flush().expect("flushes");
                sent += 1;
            }
            sent
        });
        for i in 0..sent {
            city.model.commit(&commit(late(i))).expect("commits");
        }
        for key in (10..10 + sent as u32).chain([1]).map(|device| series(device, 1)) {
            let [got, expected] = [store as &dyn Store, &city.model]
                .map(|of| of.raw(key, TimeRange::ALL, 100_000).expect("readable"));
            assert_eq!(got, expected, "round {round}");
        }
    }
}
