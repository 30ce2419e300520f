//! Stores that were damaged go on after a repair, and nothing is deleted without a word.

use city_model::Value;
use rusqlite::Connection;

use super::*;

/// Two days, the first compacted; something of the second in the log.
fn city(dir: &Path) {
    let store = open(dir);
    for day in 0..2 {
        let readings = (0..2_000).flat_map(|i| {
            let at = day * 86_400 + i * 40;
            (0..4).map(move |d| reading(series(d, 1), at, f64::from(i as i32 % 50) / 10.0))
        });
        store.commit(&commit(readings)).expect("commits");
        store.flush().expect("flushes");
    }
    for hour in 0..4 {
        store.maintain(t(86_400 + hour * 3_600)).expect("maintains");
    }
    let newest = (0..4).map(|d| reading(series(d, 1), 2 * 86_400, f64::from(d as i32)));
    store.commit(&commit(newest)).expect("commits");
    store.flush().expect("flushes");
    store.commit(&commit([reading(series(0, 1), 2 * 86_400 + 5, 1.0)])).expect("commits");
    assert_eq!(count(&store), 16_005);
    assert!(dir.join("chunks/2026-11-23.g1.db").is_file());
}

fn count(store: &Embedded) -> u64 {
    store.count(None, TimeRange::ALL).expect("countable")
}

fn mend(dir: &Path) -> Repair {
    let done = repair(dir, |_| {}).expect("repairs");
    let found = verify(dir, |_, _, _| {}).expect("a store");
    assert!(found.damages.is_empty(), "{:?}", found.damages);
    done
}

fn told(of: &[Damage]) -> String {
    of.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn change(file: &Path, sql: &str) {
    Connection::open(file).expect("opens").execute_batch(sql).expect("changes");
}

#[test]
fn a_sound_store_is_left_alone() {
    let dir = temp();
    city(dir.path());
    let done = mend(dir.path());
    assert_eq!((done.mended, done.lost), (vec![], vec![]));
    assert!(!dir.path().join("damaged").exists());
    assert_eq!(count(&open(dir.path())), 16_005);
    let store = open(dir.path());
    let error = repair(dir.path(), |_| {}).expect_err("in use");
    assert_eq!(error.kind, StoreErrorKind::Busy);
    drop(store);
}

#[test]
fn damaged_chunks_are_put_aside_and_everything_else_is_served() {
    let dir = temp();
    city(dir.path());
    let day = dir.path().join("chunks/2026-11-23.g1.db");
    change(&day, "UPDATE chunks SET chunk = x'0100000000' WHERE id & 4294967295 = 2");
    change(
        &dir.path().join("chunks/2026-11-24.db"),
        "UPDATE chunks SET chunk = x'02' WHERE id & 4294967295 = 3 AND id >> 32 = 5;
         UPDATE chunks SET readings = 1 WHERE id & 4294967295 = 1 AND id >> 32 = 6;
         DELETE FROM seals WHERE window = (SELECT min(window) FROM seals);",
    );
    let done = mend(dir.path());
    let lost = told(&done.lost);
    assert_eq!(done.lost.len(), 2, "{lost}");
    assert!(lost.contains("device 2 from 2026-11-23T00:00:00Z") && lost.contains("device 3 from"));
    assert!(told(&done.mended).contains("what is noted of device 1"), "{:?}", done.mended);
    let store = open(dir.path());
    let left = |d| store.raw(series(d, 1), TimeRange::ALL, 10_000).expect("readable").len();
    let lost_of_3 = 4_001 - left(3);
    assert_eq!([left(0), left(1), left(2)], [4_002, 4_001, 2_001], "{lost_of_3}");
    assert!((89..=91).contains(&lost_of_3), "an hour of 40 second steps: {lost_of_3}");
    let aside = Connection::open(day).expect("opens");
    let rows: i64 =
        aside.query_row("SELECT count(*) FROM damaged", [], |row| row.get(0)).expect("rows");
    assert_eq!(rows, 1, "kept");
    // Its summary still says what there was.
    let range = TimeRange { from: t(0), to: t(3_600) };
    let step = Span::from_hours(1);
    let hour = store.buckets(&[series(2, 1)], range, step, &Cancel::never()).expect("readable");
    assert_eq!(hour[0].count, 90);
}

#[test]
fn what_can_be_read_of_a_broken_file_goes_into_a_new_one() {
    let dir = temp();
    city(dir.path());
    let store = open(dir.path());
    let many = (0..24_000)
        .map(|i| reading(series(10 + i % 1_000, 1), 86_400 + i64::from(i / 1_000) * 3_000, 1.0));
    store.commit(&commit(many)).expect("commits");
    drop(store.flush());
    drop(store);
    let file = dir.path().join("chunks/2026-11-24.db");
    Connection::open(&file).expect("opens").execute_batch("VACUUM").expect("in order");
    let mut bytes = std::fs::read(&file).expect("reads");
    let pages = bytes.len() / 16_384;
    assert!(pages > 20, "{pages} pages");
    // Two pages of chunks in the middle, with sound ones between them.
    let at = pages / 2 * 16_384;
    for page in [at, at + 4 * 16_384] {
        bytes[page..page + 4_096].fill(0xa5);
    }
    std::fs::write(&file, bytes).expect("writes");
    let before = verify(dir.path(), |_, _, _| {}).expect("a store");
    assert!(!before.damages.is_empty());
    let done = mend(dir.path());
    assert!(told(&done.mended).contains("rows were saved"), "{:?}", done.mended);
    assert!(told(&done.lost).contains("some rows of chunks"), "{:?}", done.lost);
    assert!(dir.path().join("damaged/2026-11-24.db.1").is_file(), "the old one is kept");
    let store = open(dir.path());
    let left = count(&store);
    let lost = 16_005 + 24_000 - left;
    assert!((100..4_000).contains(&lost), "two pages of {pages} are lost: {lost} readings");
    // Nothing is lost of the other files.
    let first = TimeRange { from: TimeRange::ALL.from, to: t(23 * 3_600) };
    assert_eq!(store.count(None, first).expect("countable"), 8_000);
}

#[test]
fn a_lost_ledger_and_lost_newest_values_are_made_again() {
    let dir = temp();
    city(dir.path());
    let ingest = dir.path().join("ingest.db");
    change(&ingest, "UPDATE snapshots SET payload = x'ff'");
    let done = mend(dir.path());
    assert!(told(&done.mended).contains("the snapshot `ledger`"), "{:?}", done.mended);
    let store = open(dir.path());
    assert_eq!(count(&store), 16_005);
    for d in 1..4 {
        let last = store.last(series(d, 1)).expect("a newest value");
        assert_eq!((last.time, last.value), (t(2 * 86_400), Value::Number(f64::from(d as i32))));
    }
    assert_eq!(store.last(series(0, 1)).expect("from the log").time, t(2 * 86_400 + 5));
    let stored: u64 = store
        .ledger()
        .iter()
        .filter(|(key, _)| matches!(key, LedgerKey::Device(_)))
        .map(|(_, counters)| counters.stored)
        .sum();
    assert_eq!(stored, 16_005);
    let again = store.commit(&commit([reading(series(3, 1), 2 * 86_400, 3.0)])).expect("commits");
    assert_eq!(again.outcomes, [Outcome::Duplicate]);
    assert!(again.seq > 4, "numbers go on: {}", again.seq);
}

#[test]
fn a_damaged_commit_and_a_damaged_summary_stop_nothing() {
    let dir = temp();
    city(dir.path());
    let ingest = dir.path().join("ingest.db");
    change(&ingest, "UPDATE log SET payload = x'0102' WHERE seq = (SELECT max(seq) FROM log)");
    let hours = dir.path().join("tiers/1h/2026-11.db");
    change(&hours, "UPDATE rows SET summary = x'01' WHERE id & 4294967295 = 1");
    let done = mend(dir.path());
    assert!(told(&done.lost).contains("commit 4 in the log"), "{:?}", done.lost);
    assert!(told(&done.mended).contains("summary of device 1 on 2026-11-23"), "{:?}", done.mended);
    let store = open(dir.path());
    assert_eq!(count(&store), 16_004);
    let range = TimeRange { from: t(0), to: t(3_600) };
    let step = Span::from_hours(1);
    let hour = store.buckets(&[series(1, 1)], range, step, &Cancel::never()).expect("readable");
    assert_eq!(hour[0].count, 90);
}
