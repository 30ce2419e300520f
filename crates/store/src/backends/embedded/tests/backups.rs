//! Copies of a store that works meanwhile, and stores that go on from a copy.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

fn copy(from: &Path) -> (tempfile::TempDir, Backup) {
    let to = temp();
    let done = backup(from, &to.path().join("copy"), |_, _, _| {}).expect("copies");
    (to, done)
}

#[test]
fn a_copy_holds_everything_and_goes_on_by_itself() {
    let dir = temp();
    let store = open(dir.path());
    for i in 0..50 {
        let mut commit = commit((0..5).map(|d| reading(series(d, 1), i * 700, 1.0)));
        commit.dead_letters.push(letter("syntax", 1));
        store.commit(&commit).expect("commits");
    }
    for hour in 0..4 {
        store.maintain(t(2 * 86_400 + hour * 3_600)).expect("maintains");
    }
    store.commit(&commit([reading(series(9, 1), 86_400 * 2, 5.0)])).expect("commits");
    let (to, done) = copy(dir.path());
    assert_eq!(done.files, 1 + 1 + 2, "the log, a day, its summaries by the hour and the quarter");
    let target = to.path().join("copy");
    assert!(verify(&target, |_, _, _| {}).expect("a store").damages.is_empty());
    let again = open(&target);
    for of in [&store, &again] {
        assert_eq!(of.count(None, TimeRange::ALL).expect("countable"), 251);
        assert_eq!(of.head_seq(), 51);
        assert_eq!(of.last(series(9, 1)).expect("a value").value, 5.0.into());
        assert_eq!(
            of.dead_letters(LettersFrom::Newest, None, 100).expect("readable").items.len(),
            50
        );
    }
    assert_eq!(again.ledger(), store.ledger());
}

#[test]
fn a_copy_of_a_store_at_work_gives_no_number_twice() {
    let dir = temp();
    let store = Arc::new(open(dir.path()));
    let stop = Arc::new(AtomicBool::new(false));
    let worker = std::thread::spawn({
        let (store, stop) = (store.clone(), stop.clone());
        move || {
            let mut i = 0;
            while !stop.load(Ordering::Relaxed) || i < 200 {
                store.commit(&commit([reading(series(i % 7, 1), i64::from(i), 1.0)])).expect("ok");
                if i % 5 == 0 {
                    store.flush().expect("flushes");
                }
                i += 1;
            }
            i
        }
    });
    let mut last = 0;
    for _ in 0..8 {
        let (to, _) = copy(dir.path());
        let target = to.path().join("copy");
        let found = verify(&target, |_, _, _| {}).expect("a store");
        assert!(found.damages.is_empty(), "{:?}", found.damages);
        let again = open(&target);
        let stored = again.count(None, TimeRange::ALL).expect("countable");
        assert!(stored >= last, "{stored} readings after {last}");
        last = stored;
        // It goes on: what it takes in now is there after the next start.
        again.commit(&commit([reading(series(3, 2), 5, 7.0)])).expect("commits");
        drop(again);
        let again = open(&target);
        assert_eq!(again.count(None, TimeRange::ALL).expect("countable"), stored + 1);
        again.flush().expect("flushes");
        assert_eq!(again.count(None, TimeRange::ALL).expect("countable"), stored + 1);
    }
    stop.store(true, Ordering::Relaxed);
    let sent = worker.join().expect("works");
    assert_eq!(store.count(None, TimeRange::ALL).expect("countable"), u64::from(sent));
}

#[test]
fn a_copy_goes_nowhere_where_something_is() {
    let dir = temp();
    drop(open(dir.path()));
    let to = temp();
    std::fs::write(to.path().join("precious"), "do not touch").expect("writes");
    let error = backup(dir.path(), to.path(), |_, _, _| {}).expect_err("not empty");
    assert_eq!(error.kind, StoreErrorKind::Invalid);
    let error = backup(&dir.path().join("no"), to.path(), |_, _, _| {}).expect_err("no store");
    assert!(error.message.contains("no store"), "{error}");
}

#[test]
fn a_day_that_did_not_change_is_a_link_to_the_earlier_copy() {
    let dir = temp();
    let store = open(dir.path());
    store.commit(&commit((0..5).map(|d| reading(series(d, 1), 700, 1.0)))).expect("commits");
    for hour in 0..4 {
        store.maintain(t(2 * 86_400 + hour * 3_600)).expect("maintains");
    }
    drop(store);
    let day = |folder: &Path| {
        let days = super::super::day_name::files_in(folder);
        days.into_values().next().expect("a day").1
    };
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_mins(1);
    let touch = |path: &Path, at| {
        let file = std::fs::File::options().append(true).open(path).expect("opens");
        file.set_modified(at).expect("set");
    };
    let original = day(dir.path());
    touch(&original, long_ago);
    let stamp = Stamp::of(&original).expect("settled");
    let to = temp();
    let first = to.path().join("first");
    backup(dir.path(), &first, |_, _, _| {}).expect("copies");
    let known = day(&first);
    let earlier = |name: &Path, now: Stamp| {
        let is_it = dir.path().join(name) == original && now == stamp;
        is_it.then(|| known.clone())
    };
    let again = |name: &str| {
        let to = to.path().join(name);
        let done = backup_since(dir.path(), &to, &earlier, |_, _, _| {}).expect("copies");
        let found = verify(&to, |_, _, _| {}).expect("a store");
        assert!(found.damages.is_empty(), "{:?}", found.damages);
        assert_eq!(found.readings, 5);
        done.linked
    };
    assert_eq!(again("second"), 1);
    touch(&original, std::time::SystemTime::now());
    assert_eq!(Stamp::of(&original), None, "it may still be written to");
    assert_eq!(again("third"), 0);
    touch(&original, long_ago - std::time::Duration::from_secs(1));
    assert_eq!(again("fourth"), 0, "it was written to since");
    let log = format!("{}-wal", original.display());
    touch(&original, long_ago);
    std::fs::write(log, "x").expect("writes");
    assert_eq!(Stamp::of(&original), None, "something waits in its write-ahead log");
}

#[test]
fn a_store_that_goes_on_from_a_copy_gives_no_number_that_was_given_before_the_state_was_copied() {
    let dir = temp();
    let store = open(dir.path());
    store.commit(&commit([reading(series(1, 1), 1, 1.0)])).expect("commits");
    let (to, _) = copy(dir.path());
    let target = to.path().join("copy");
    for i in 2..9 {
        store.commit(&commit([reading(series(1, 1), i, 1.0)])).expect("commits");
    }
    pass_on_numbers(dir.path(), &target).expect("noted");
    let again = open(&target);
    assert_eq!(again.count(None, TimeRange::ALL).expect("countable"), 1);
    let report = again.commit(&commit([reading(series(1, 1), 99, 1.0)])).expect("commits");
    assert_eq!(report.seq, 9);
}
