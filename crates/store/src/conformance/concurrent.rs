//! One committer, maintenance, and queries from several threads at once.

use std::sync::atomic::{AtomicBool, Ordering};

use city_model::{Span, Value};

use super::{Subject, commit, reading, series, t};
use crate::{Cancel, TimeRange};

pub(super) fn queries_run_while_commits_go_on(subject: &mut Subject) {
    let store = subject.store();
    // Where a flush hides what comes later from before it, only maintenance runs beside.
    let flushes = subject.promises.shows_at_once;
    let done = AtomicBool::new(false);
    let commits = 60;
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Acquire) {
                    // What is visible before the look must be in it, and nothing twice.
                    let before = store.head_seq();
                    let points =
                        store.raw(series(1, 1), TimeRange::ALL, usize::MAX).expect("readable");
                    assert!(points.len() as u64 >= before * 5, "{} < {before}", points.len());
                    assert!(points.windows(2).all(|pair| pair[0].time < pair[1].time));
                    let before = store.head_seq();
                    let count = store.count(None, TimeRange::ALL).expect("countable");
                    assert!(count >= before * 10, "{count} < {before}");
                    let both = [series(1, 1), series(2, 1)];
                    let hours =
                        store.buckets(&both, TimeRange::ALL, Span::from_hours(1), &Cancel::never());
                    let counted: u64 = hours.expect("readable").iter().map(|b| b.count).sum();
                    assert!(counted >= before * 10);
                }
            });
        }
        scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                store.maintain(t(400_000)).expect("maintains");
                if flushes {
                    store.flush().expect("flushes");
                }
                std::thread::yield_now();
            }
        });
        for number in 0..commits {
            // Spread over hours, later commits between earlier ones.
            let readings = (0..10).map(|i| {
                let secs = (i / 2) * 3_600 + number * 50 % 3_000 + number;
                reading(series(1 + (i % 2) as u32, 1), secs, Value::Number(number as f64))
            });
            store.commit(&commit(readings)).expect("commits");
        }
        done.store(true, Ordering::Release);
    });
    subject.settle();
    let commits = commits as u64;
    assert_eq!(store.count(None, TimeRange::ALL).expect("countable"), commits * 10);
    assert_eq!(store.head_seq(), commits);
}
