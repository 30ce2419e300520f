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
        assert_eq!(of.dead_letters(None, None, 100).expect("readable").items.len(), 50);
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
