//! The embedded store against the conformance suite, the model, crashes, damage and a full disk.

mod backups;
mod damage;
mod days;
mod model;
mod repairs;

use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::conformance::{self, Reopen, commit, device, letter, metric, reading, series, t};
use crate::{Cancel, LettersFrom, NewDeadLetter, Outcome, SequenceNote, SharedStore};

fn open(dir: &Path) -> Embedded {
    open_with(dir, Options::default())
}

fn open_with(dir: &Path, options: Options) -> Embedded {
    Embedded::open(dir, options).expect("opens").0
}

fn temp() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Copies the store's files as they are on the disk right now, as a crash would leave them.
fn snapshot(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            snapshot(&path, &target);
        } else if path.file_name().is_some_and(|name| name != "LOCK") {
            std::fs::copy(&path, target).expect("copies");
        }
    }
}

#[test]
fn it_conforms() {
    conformance::run(|| -> Reopen {
        let dir = temp();
        Box::new(move |old: Option<SharedStore>| {
            drop(old);
            Arc::new(open(dir.path()))
        })
    });
}

#[test]
fn it_conforms_with_short_windows_and_little_memory() {
    conformance::run(|| -> Reopen {
        let dir = temp();
        Box::new(move |old: Option<SharedStore>| {
            drop(old);
            let window = Span::from_mins(1);
            let options = Options { window, head_readings: 8, ..Options::default() };
            Arc::new(open_with(dir.path(), options))
        })
    });
}

#[test]
fn windows_are_sealed_a_while_after_their_end_and_the_log_is_cut() {
    let dir = temp();
    let store = open(dir.path());
    store.commit(&commit((0..60).map(|i| reading(series(1, 1), i * 60, 1.0)))).expect("commits");
    store.commit(&commit([reading(series(1, 1), 3_600, 1.0)])).expect("commits");
    assert!(store.stats().log_bytes > 0);
    for (secs, windows, what) in [
        (3_599, 2, "the window is not over"),
        (3_600, 2, "late readings have their time"),
        (3_899, 2, "they still have"),
        (3_900, 1, "five minutes have passed"),
        (7_200, 1, "the next window is over"),
        (7_500, 0, "and sealed"),
    ] {
        store.maintain(t(secs)).expect("maintains");
        assert_eq!(store.head.all().len(), windows, "at {secs} s: {what}");
    }
    assert_eq!((store.stats().log_bytes, store.head.readings()), (0, 0));
    assert_eq!(store.count(None, TimeRange::ALL).expect("countable"), 61);
    assert!(store.dir().join("chunks/2026-11-23.db").is_file());
    // A late reading brings its device back; its time starts anew.
    store.commit(&commit([reading(series(1, 1), 5, 1.0)])).expect("commits");
    for (secs, windows) in [(8_000, 1), (8_299, 1), (8_300, 0)] {
        store.maintain(t(secs)).expect("maintains");
        assert_eq!(store.head.all().len(), windows, "at {secs} s");
    }
    assert_eq!(store.count(None, TimeRange::ALL).expect("countable"), 62);
}

#[test]
fn a_redelivery_of_sealed_readings_writes_no_chunk_anew() {
    let dir = temp();
    let store = open(dir.path());
    let sent = commit([reading(series(1, 1), 0, 1.0), reading(series(2, 1), 0, 1.0)]);
    store.commit(&sent).expect("commits");
    store.flush().expect("flushes");
    let window = store.window_of(t(0).micros());
    assert_eq!(store.days.sealed_through(window).expect("readable"), Some(1));
    store.commit(&sent).expect("commits");
    store.flush().expect("flushes");
    assert_eq!(store.days.sealed_through(window).expect("readable"), Some(1), "nothing new");
    assert_eq!(store.head.readings(), 0);
    assert_eq!(store.stats().log_bytes, 0);
}

#[test]
fn a_reading_of_the_far_future_does_not_keep_the_log() {
    let dir = temp();
    let store = open(dir.path());
    store.commit(&commit([reading(series(1, 1), 1_000_000_000, 1.0)])).expect("commits");
    for secs in [0, 300] {
        store.maintain(t(secs)).expect("maintains");
    }
    assert_eq!(store.stats().log_bytes, 0);
}

#[test]
fn an_import_of_history_stays_within_its_memory() {
    let dir = temp();
    let options = Options { head_readings: 1_000, ..Options::default() };
    let store = open_with(dir.path(), options);
    for hour in 0..100 {
        let of_hour = (0..100).map(|i| reading(series(i % 5, 0), hour * 3_600 + i64::from(i), 1.0));
        store.commit(&commit(of_hour)).expect("commits");
        // Idle windows are what can be let go of: about 16 commits are not.
        assert!(store.head.readings() <= 2_100, "{}", store.head.readings());
    }
    assert_eq!(store.count(None, TimeRange::ALL).expect("countable"), 10_000);
    assert_eq!(store.count(Some(device(3)), TimeRange::ALL).expect("countable"), 2_000);
}

#[test]
fn old_days_are_dropped_but_not_last_values() {
    let dir = temp();
    let retention = Some(Span::from_hours(48));
    let store = open_with(dir.path(), Options { retention, ..Options::default() });
    let day = 86_400;
    for i in 0..6 {
        let readings =
            [reading(series(1, 1), i * day, 1.0), reading(series(i as u32, 2), i * day, 1.0)];
        store.commit(&commit(readings)).expect("commits");
    }
    store.flush().expect("flushes");
    assert_eq!(store.stats().readings, 12);
    store.maintain(t(5 * day)).expect("maintains");
    // Noon of day 5 less 48 hours is inside day 3, which stays whole.
    assert_eq!(store.count(None, TimeRange::ALL).expect("countable"), 6);
    assert_eq!(store.stats().readings, 6);
    assert_eq!(store.last(series(0, 2)).expect("kept").time, t(0));
    let files = std::fs::read_dir(dir.path().join("chunks")).expect("a folder");
    let names: Vec<String> = files
        .map(|file| file.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| Path::new(name).extension().is_some_and(|ext| ext == "db"))
        .collect();
    assert_eq!(names.len(), 3, "{names:?}");
    drop(store);
    assert_eq!(open(dir.path()).stats().readings, 6, "over a restart too");
}

/// A commit of dead letters with payloads of 1,000 bytes, one received every second from `secs` on.
fn letters(secs: std::ops::Range<i64>) -> Commit {
    let letter = letter("syntax", 1);
    let of = |secs| NewDeadLetter {
        received: t(secs),
        payload: vec![7; 1_000].into(),
        ..letter.clone()
    };
    Commit { dead_letters: secs.map(of).collect(), ..Commit::default() }
}

/// When the letters were received that are kept, in seconds, oldest first.
fn kept(store: &Embedded) -> Vec<i64> {
    let page = store.dead_letters(LettersFrom::Newest, None, 10_000).expect("readable");
    page.items
        .iter()
        .rev()
        .map(|item| item.letter.received.since(t(0)).micros() / 1_000_000)
        .collect()
}

fn letter_stats(store: &Embedded) -> (u64, u64, u64) {
    let stats = store.stats();
    (stats.dead_letters, stats.dead_letter_bytes, stats.dead_letters_dropped)
}

#[test]
fn dead_letters_are_dropped_when_their_time_is_over() {
    let dir = temp();
    let options = Options { dead_letter_retention: Span::from_secs(100), ..Options::default() };
    let store = open_with(dir.path(), options.clone());
    // The clock was wrong at first: age counts, not the order of arrival.
    for secs in [5_000..5_001, 0..10, 50..60] {
        store.commit(&letters(secs)).expect("commits");
    }
    let ledger = store.ledger();
    let each = store.stats().dead_letter_bytes / 21;
    for (now, expected) in [(100, 21), (105, 16), (149, 11), (160, 1), (5_100, 1), (5_101, 0)] {
        store.maintain(t(now)).expect("maintains");
        assert_eq!(kept(&store).len(), expected, "at {now} s");
        let expected = expected as u64;
        assert_eq!(letter_stats(&store), (expected, expected * each, 21 - expected));
    }
    assert_eq!(store.ledger(), ledger, "what was counted stays counted");
    drop(store);
    let store = open_with(dir.path(), options);
    assert_eq!(letter_stats(&store), (0, 0, 21), "over a restart too");
    store.commit(&letters(0..1)).expect("commits");
    let page = store.dead_letters(LettersFrom::Newest, None, 10).expect("readable");
    assert_eq!(page.items[0].id, DeadLetterId(22), "no number is given twice");
}

#[test]
fn the_oldest_dead_letters_are_dropped_when_there_are_too_many() {
    let dir = temp();
    let store = open(dir.path());
    store.commit(&letters(0..10)).expect("commits");
    let (_, bytes, _) = letter_stats(&store);
    assert!((10_100..12_000).contains(&bytes), "payloads, topics, explanations: {bytes}");
    store.maintain(t(100)).expect("maintains");
    assert_eq!(kept(&store).len(), 10, "there is room by default");
    drop(store);
    let options = Options { dead_letter_bytes: bytes, ..Options::default() };
    let store = open_with(dir.path(), options.clone());
    store.maintain(t(100)).expect("maintains");
    assert_eq!(letter_stats(&store), (10, bytes, 0), "just enough room");
    store.commit(&letters(10..13)).expect("commits");
    store.maintain(t(100)).expect("maintains");
    assert_eq!(kept(&store), (3..13).collect::<Vec<_>>());
    assert_eq!(letter_stats(&store), (10, bytes, 3));
    drop(store);
    assert_eq!(letter_stats(&open_with(dir.path(), options)), (10, bytes, 3));
}

#[test]
fn many_dead_letters_are_dropped_a_batch_at_a_time() {
    let dir = temp();
    let store = open_with(dir.path(), Options { dead_letter_bytes: 0, ..Options::default() });
    store.commit(&letters(0..2_500)).expect("commits");
    let gone = store.writer().db.drop_letters(i64::MIN, 0).expect("drops");
    assert!(gone.is_full() && gone.letters == 1_000, "{gone:?}");
    assert_eq!(kept(&store).first(), Some(&1_000));
    store.maintain(t(0)).expect("maintains");
    assert!(kept(&store).is_empty(), "one turn drops several batches");
}

#[test]
fn a_flood_of_letters_sent_again_costs_one_look_each() {
    let dir = temp();
    let store = open(dir.path());
    let first = letters(0..1);
    store.commit(&first).expect("commits");
    // Others for the same reason, more of them than anybody would look through.
    let other = |number: u32| NewDeadLetter {
        payload: number.to_le_bytes().into(),
        again: true,
        ..letter("syntax", 1)
    };
    let flood = Commit { dead_letters: (0..20_000).map(other).collect(), ..Commit::default() };
    assert!(store.commit(&flood).expect("commits").repeated_letters.is_empty());
    let report = store.commit(&flood).expect("commits");
    assert_eq!(report.repeated_letters, (0..20_000).collect::<Vec<_>>());
    let mut again = first;
    again.dead_letters[0].again = true;
    assert_eq!(store.commit(&again).expect("commits").repeated_letters, [0], "however old it is");
    drop(store);
    let conn = rusqlite::Connection::open(dir.path().join("ingest.db")).expect("opens");
    let plan: Vec<String> = conn
        .prepare(&format!("EXPLAIN QUERY PLAN {}", letters::FIND))
        .expect("a statement")
        .query_map((0, 0, "", "", ""), |row| row.get(3))
        .expect("a plan")
        .collect::<Result<_, _>>()
        .expect("a plan");
    let plan = plan.join("\n");
    assert!(plan.contains("dead_letters_by_hash (hash=?)"), "{plan}");
    assert!(!plan.contains("SCAN dead_letters"), "{plan}");
}

#[test]
fn a_database_from_before_letters_had_hashes_is_extended() {
    let dir = temp();
    let store = open(dir.path());
    store.commit(&letters(0..3)).expect("commits");
    drop(store);
    let conn = rusqlite::Connection::open(dir.path().join("ingest.db")).expect("opens");
    conn.execute_batch(
        "DROP INDEX dead_letters_by_hash; ALTER TABLE dead_letters DROP COLUMN hash;
         DROP TABLE deliveries;",
    )
    .expect("as it was before");
    drop(conn);
    let store = open(dir.path());
    assert_eq!(kept(&store), [0, 1, 2]);
    let mut other = letters(3..4);
    other.dead_letters[0].payload = [1].into();
    store.commit(&other).expect("commits");
    drop(store);
    let store = open(dir.path());
    other.dead_letters[0].again = true;
    assert_eq!(store.commit(&other).expect("commits").repeated_letters, [0]);
    assert_eq!(kept(&store), [0, 1, 2, 3]);
}

#[test]
fn dead_letters_must_be_kept_for_a_time() {
    let options = Options { dead_letter_retention: Span::ZERO, ..Options::default() };
    let error = Embedded::open(temp().path(), options).expect_err("senseless");
    assert_eq!(error.kind, StoreErrorKind::Invalid);
}

#[test]
fn a_directory_in_use_is_refused_by_name() {
    let dir = temp();
    let store = open(dir.path());
    let error = Embedded::open(dir.path(), Options::default()).expect_err("in use");
    assert_eq!(error.kind, StoreErrorKind::Busy);
    assert!(error.message.contains(&dir.path().display().to_string()), "{error}");
    drop(store);
    open(dir.path());
}

#[test]
fn windows_that_cannot_be_are_refused() {
    let dir = temp();
    for window in [Span::ZERO, Span::from_secs(-3_600), Span::from_hours(5), Span::from_hours(48)] {
        let options = Options { window, ..Options::default() };
        let error = Embedded::open(dir.path(), options).expect_err("senseless");
        assert_eq!(error.kind, StoreErrorKind::Invalid);
    }
    drop(open(dir.path()));
    let options = Options { window: Span::from_mins(15), ..Options::default() };
    let error = Embedded::open(dir.path(), options).expect_err("another window");
    assert!(error.message.contains("windows of 1h, not 15m"), "{error}");
}

#[test]
fn opening_says_what_it_replayed() {
    let dir = temp();
    let store = open(dir.path());
    for i in 0..3 {
        store
            .commit(&commit([reading(series(1, 1), i, 1.0), reading(series(1, 2), i, 1.0)]))
            .expect("commits");
    }
    drop(store);
    let (store, recovery) = Embedded::open(dir.path(), Options::default()).expect("opens");
    assert_eq!((recovery.log_commits, recovery.readings), (3, 6));
    store.flush().expect("flushes");
    drop(store);
    let (_, recovery) = Embedded::open(dir.path(), Options::default()).expect("opens");
    assert_eq!((recovery.log_commits, recovery.readings), (0, 0));
}
