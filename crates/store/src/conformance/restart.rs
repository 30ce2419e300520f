//! Restarts: what a follower gets again, and that nothing is lost or counted twice.

use city_model::Quality;

use super::{Subject, commit, device, letter, reading, series, t};
use crate::{Commit, DELIVERIES_KEPT, DeliveryNote, Store, TimeRange};

/// Commits handed out again: number and values.
fn replayed(store: &dyn Store, from: u64) -> Vec<(u64, Vec<f64>)> {
    let mut got = Vec::new();
    store
        .replay(from, &mut |replay| {
            let values = replay.readings.iter().filter_map(|r| r.value.as_f64()).collect();
            got.push((replay.seq, values));
        })
        .expect("replays");
    got
}

pub(super) fn deliveries_are_remembered(subject: &mut Subject) {
    let notes = |range: std::ops::Range<u64>| -> Vec<DeliveryNote> {
        let note = |n| DeliveryNote { key: u64::MAX - n, received: t(n as i64) };
        range.map(note).collect()
    };
    for range in [0..10, 10..DELIVERIES_KEPT as u64 + 3] {
        let commit = Commit { deliveries: notes(range), ..Commit::default() };
        subject.store().commit(&commit).expect("commits");
    }
    let expected = notes(3..DELIVERIES_KEPT as u64 + 3);
    for _ in 0..2 {
        assert!(subject.store().deliveries().expect("readable") == expected);
        subject.reopen();
    }
}

pub(super) fn replay_hands_out_what_was_new(subject: &mut Subject) {
    let store = subject.store();
    store.hold("alert", 1).expect("holds");
    let mut first = reading(series(1, 1), 0, 1.0);
    first.quality = Quality::Suspect;
    store.commit(&commit([first.clone(), reading(series(1, 1), 60, 2.0)])).expect("commits");
    store.commit(&commit([first.clone(), reading(series(1, 1), 60, 2.5)])).expect("commits");
    let mut third = commit([reading(series(1, 1), 30, 3.0), first.clone()]);
    third.dead_letters.push(letter("syntax", 1));
    store.commit(&third).expect("commits");
    assert_eq!(replayed(&**store, 1), [(1, vec![1.0, 2.0]), (2, vec![]), (3, vec![3.0])]);
    assert_eq!(replayed(&**store, 3), [(3, vec![3.0])]);
    assert!(replayed(&**store, 4).is_empty());
    store
        .replay(1, &mut |replay| {
            if replay.seq == 1 {
                assert_eq!(replay.readings[0], first);
            }
        })
        .expect("replays");
}

pub(super) fn held_commits_outlive_flush_and_restart(subject: &mut Subject) {
    subject.store().hold("alert", 1).expect("holds");
    subject.store().hold("bus", 1).expect("holds");
    for i in 0..6 {
        let reading = reading(series(1, 1), i * 4_000, i as f64);
        subject.store().commit(&commit([reading])).expect("commits");
    }
    subject.store().hold("bus", 6).expect("holds");
    subject.store().hold("alert", 4).expect("holds");
    subject.store().flush().expect("flushes");
    subject.reopen();
    let expected = [(4, vec![3.0]), (5, vec![4.0]), (6, vec![5.0])];
    assert_eq!(replayed(&**subject.store(), 4), expected);
    subject.store().hold("alert", 6).expect("holds");
    subject.store().flush().expect("flushes");
    if subject.promises.cuts_at_once {
        assert_eq!(replayed(&**subject.store(), 1), expected[2..], "what nobody holds is gone");
    }
}

pub(super) fn a_restart_brings_everything_back(subject: &mut Subject) {
    let hours = 6;
    for hour in 0..hours {
        let readings = (0..50).map(|i| {
            reading(series(i % 7, (i % 3) as u16), i64::from(hour * 3_600 + i * 60), f64::from(i))
        });
        let mut commit = commit(readings);
        commit.dead_letters.push(letter("syntax", 1));
        subject.store().commit(&commit).expect("commits");
        // Windows seal as they do in life; maintenance must see a window over before it seals it.
        for minutes in [1, 11] {
            let now = t(i64::from(hour * 3_600 + minutes * 60));
            subject.store().maintain(now).expect("maintains");
        }
        let count =
            |subject: &Subject| subject.store().count(None, TimeRange::ALL).expect("countable");
        let ledger = subject.store().ledger();
        let last = subject.store().last_of_device(device(3));
        assert_eq!(count(subject), u64::from((hour + 1) * 50));
        subject.reopen();
        assert_eq!(count(subject), u64::from((hour + 1) * 50));
        assert_eq!(subject.store().ledger(), ledger);
        assert_eq!(subject.store().last_of_device(device(3)), last);
        assert_eq!(subject.store().head_seq(), u64::from(hour + 1));
        assert_eq!(subject.store().stats().readings, u64::from((hour + 1) * 50));
    }
}

pub(super) fn numbers_of_commits_never_go_back(subject: &mut Subject) {
    for seq in 1..=5 {
        let report = subject.store().commit(&commit([reading(series(1, 1), 0, 1.0)]));
        assert_eq!(report.expect("commits").seq, seq);
        subject.store().flush().expect("flushes");
        subject.reopen();
        assert_eq!(subject.store().head_seq(), seq);
    }
}
