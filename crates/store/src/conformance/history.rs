//! What is done with history as a whole: scanned, ranked, exported, deleted.

use std::ops::ControlFlow;

use city_model::{Marks, Position, Quality, Reading, Span};

use super::{Subject, commit, device, metric, reading, series, t};
use crate::{Cancel, Deletion, EXPORT_PAGE, Outcome, Rank, Store, StoreErrorKind, TimeRange};

fn range(from: i64, to: i64) -> TimeRange {
    TimeRange { from: t(from), to: t(to) }
}

/// Three days of two devices with two metrics, one of them moving.
fn history() -> Vec<Reading> {
    let mut readings = Vec::new();
    for i in 0..300 {
        let at = i * 864;
        readings.push(reading(series(1, 1), at, (i % 10) as f64));
        let mut moving = reading(series(2, 1), at, i as f64 / 10.0);
        moving.position = Some(Position { lon: i as f64 / 10.0, lat: 31.25 });
        readings.push(moving);
        if i % 3 == 0 {
            readings.push(reading(series(2, 2), at, "正常"));
        }
    }
    readings
}

pub(super) fn a_scan_hands_out_pages_while_they_are_wanted(subject: &mut Subject) {
    let store = subject.store();
    store.commit(&commit(history())).expect("commits");
    for _ in 0..2 {
        let mut times = Vec::new();
        let mut pages = 0;
        let scanned = store.scan(series(1, 1), TimeRange::ALL, &mut |page| {
            assert!(!page.is_empty());
            pages += 1;
            times.extend(page.iter().map(|point| point.time));
            ControlFlow::Continue(())
        });
        scanned.expect("readable");
        assert_eq!(times, (0..300).map(|i| t(i * 864)).collect::<Vec<_>>());
        let mut wanted = 0;
        let scanned = store.scan(series(1, 1), TimeRange::ALL, &mut |_| {
            wanted += 1;
            ControlFlow::Break(())
        });
        scanned.expect("readable");
        assert_eq!(wanted, 1, "of {pages} pages");
        store.flush().expect("flushes");
    }
}

pub(super) fn a_cancelled_query_ends(subject: &mut Subject) {
    let store = subject.store();
    store.commit(&commit(history())).expect("commits");
    let cancel = Cancel::default();
    let (all, step) = ([series(1, 1), series(2, 1)], Span::from_mins(1));
    for _ in 0..2 {
        store.buckets(&all, TimeRange::ALL, step, &Cancel::never()).expect("readable");
        cancel.cancel();
        let errors = [
            store.buckets(&all, TimeRange::ALL, step, &cancel).expect_err("cancelled"),
            store.top(&all, TimeRange::ALL, Rank::Mean, 1, &cancel).expect_err("cancelled"),
        ];
        assert!(errors.iter().all(|error| error.kind == StoreErrorKind::Cancelled));
        store.flush().expect("flushes");
    }
}

pub(super) fn series_are_ranked(subject: &mut Subject) {
    let store = subject.store();
    let sent = [(1, 5.0), (1, 9.0), (2, 8.0), (3, -1.0), (4, 8.0)];
    let sent = sent.iter().enumerate().map(|(i, (d, v))| reading(series(*d, 1), i as i64, *v));
    let mut sent: Vec<_> = sent.collect();
    sent.push(reading(series(5, 1), 1, "no number"));
    let mut failed = reading(series(6, 1), 1, 99.0);
    failed.quality = Quality::Fail;
    sent.push(failed);
    store.commit(&commit(sent)).expect("commits");
    let all: Vec<_> = (0..8).chain([1]).map(|d| series(d, 1)).collect();
    for _ in 0..2 {
        let top = |by, n| {
            let top = store.top(&all, range(0, 60), by, n, &Cancel::never()).expect("readable");
            top.into_iter().map(|(key, _)| key.device.0).collect::<Vec<_>>()
        };
        assert_eq!(top(Rank::Highest, 2), [1, 2]);
        assert_eq!(top(Rank::Highest, 9), [1, 2, 4, 3], "equals by their key, others left out");
        assert_eq!(top(Rank::Lowest, 2), [3, 1]);
        assert_eq!(top(Rank::Mean, 1), [2]);
        assert_eq!(top(Rank::Last, 3), [1, 2, 4]);
        assert_eq!(top(Rank::Sum, 1), [1]);
        assert_eq!(top(Rank::Count, 1), [1]);
        assert_eq!(top(Rank::Count, 0), Vec::<u32>::new());
        let first = store.top(&all, range(0, 60), Rank::Mean, 1, &Cancel::never()).expect("top");
        let (_, bucket) = &first[0];
        assert_eq!((bucket.start, bucket.count, bucket.max), (t(0), 1, 8.0));
        store.flush().expect("flushes");
    }
}

fn exported(store: &dyn Store, of: u32, within: TimeRange) -> Vec<Reading> {
    let mut all = Vec::new();
    let done = store.export(device(of), within, &mut |page| {
        assert!(!page.is_empty());
        all.extend(page);
        ControlFlow::Continue(())
    });
    done.expect("readable");
    all
}

pub(super) fn an_export_is_everything_that_is_stored(subject: &mut Subject) {
    let mut sent = history();
    subject.store().commit(&commit(sent.clone())).expect("commits");
    for reading in &mut sent {
        (reading.received, reading.marks) = (reading.time, Marks::NONE);
        // All readings of a time are where the device was.
        if reading.series.device == device(2) {
            let lon = (reading.time.micros() - t(0).micros()) as f64 / 8_640_000_000.0;
            reading.position = Some(Position { lon: (lon * 10.0).round() / 10.0, lat: 31.25 });
        }
    }
    for _ in 0..2 {
        let store = subject.store();
        for of in [1, 2] {
            let of_device = |r: &&Reading| r.series.device == device(of);
            let expected: Vec<_> = sent.iter().filter(of_device).cloned().collect();
            assert_eq!(exported(store.as_ref(), of, TimeRange::ALL), expected);
        }
        assert_eq!(exported(store.as_ref(), 1, range(864, 1_728)).len(), 1);
        assert!(exported(store.as_ref(), 9, TimeRange::ALL).is_empty());
        store.flush().expect("flushes");
    }
}

pub(super) fn an_export_comes_in_bounded_pages(subject: &mut Subject) {
    let most = EXPORT_PAGE as i64;
    let sent: Vec<Reading> =
        (0..=most).map(|i| reading(series(1, 1), 2 * i, (i % 10) as f64)).collect();
    subject.store().commit(&commit(sent)).expect("commits");
    for _ in 0..2 {
        let mut times = Vec::new();
        let done = subject.store().export(device(1), TimeRange::ALL, &mut |page| {
            assert!(page.len() <= EXPORT_PAGE, "{}", page.len());
            times.extend(page.iter().map(|reading| reading.time));
            ControlFlow::Continue(())
        });
        done.expect("readable");
        assert_eq!(times, (0..=most).map(|i| t(2 * i)).collect::<Vec<_>>());
        let mut pages = 0;
        let done = subject.store().export(device(1), TimeRange::ALL, &mut |_| {
            pages += 1;
            ControlFlow::Break(())
        });
        done.expect("readable");
        assert_eq!(pages, 1);
        subject.store().flush().expect("flushes");
    }
}

pub(super) fn what_is_deleted_is_gone(subject: &mut Subject) {
    subject.store().commit(&commit(history())).expect("commits");
    let readings = |subject: &Subject, of| exported(subject.store().as_ref(), of, TimeRange::ALL);
    let part = Deletion { device: device(1), metric: Some(metric(1)), range: range(864, 8_640) };
    assert_eq!(subject.store().delete(&part).expect("deletes"), 9);
    assert_eq!(subject.store().delete(&part).expect("deletes"), 0);
    assert_eq!(readings(subject, 1).len(), 291);
    subject.store().flush().expect("flushes");
    let newest = Deletion { device: device(1), metric: None, range: range(200 * 864, 300 * 864) };
    assert_eq!(subject.store().delete(&newest).expect("deletes"), 100);
    let last = subject.store().last(series(1, 1)).expect("the newest that is left");
    assert_eq!((last.time, last.value), (t(199 * 864), 9.0.into()));
    let of_one = Deletion { device: device(2), metric: Some(metric(2)), range: TimeRange::ALL };
    assert_eq!(subject.store().delete(&of_one).expect("deletes"), 100);
    assert_eq!(subject.store().last(series(2, 2)), None);
    for _ in 0..3 {
        assert_eq!((readings(subject, 1).len(), readings(subject, 2).len()), (191, 300));
        let store = subject.store();
        assert_eq!(store.track(device(2), TimeRange::ALL, 999).expect("readable").len(), 300);
        assert_eq!(store.count(None, TimeRange::ALL).expect("countable"), 491);
        let steps =
            store.buckets(&[series(1, 1)], TimeRange::ALL, Span::from_hours(24), &Cancel::never());
        assert_eq!(steps.expect("readable").iter().map(|b| b.count).sum::<u64>(), 191);
        store.flush().expect("flushes");
        subject.reopen();
    }
    let all = Deletion { device: device(2), metric: None, range: TimeRange::ALL };
    assert_eq!(subject.store().delete(&all).expect("deletes"), 300);
    assert!(subject.store().track(device(2), TimeRange::ALL, 9).expect("readable").is_empty());
    // What is sent again is news again.
    let again = subject.store().commit(&commit([reading(series(2, 1), 299 * 864, 1.0)]));
    assert_eq!(again.expect("commits").outcomes, [Outcome::Stored]);
    let backwards = Deletion { range: range(5, 4), ..all };
    let error = subject.store().delete(&backwards).expect_err("backwards");
    assert_eq!(error.kind, StoreErrorKind::Invalid);
}
