//! What queries give back: ranges, steps, tracks, counts.

use city_model::{Position, Quality, Span, Timestamp};

use super::{Subject, commit, device, reading, series, t};
use crate::{Bucket, Cancel, StoreErrorKind, TimeRange};

fn range(from: i64, to: i64) -> TimeRange {
    TimeRange { from: t(from), to: t(to) }
}

pub(super) fn ranges_are_half_open(subject: &mut Subject) {
    let store = subject.store();
    let times = [0, 1, 3_599, 3_600, 3_601, 7_200];
    store.commit(&commit(times.map(|s| reading(series(1, 1), s, s as f64)))).expect("commits");
    for _ in 0..2 {
        for from in [-1, 0, 1, 2, 3_599, 3_600, 3_601, 7_200, 7_201] {
            for to in [0, 1, 2, 3_599, 3_600, 3_601, 7_200, 7_201, 9_999] {
                if from > to {
                    continue;
                }
                let expected: Vec<_> =
                    times.iter().filter(|s| (from..to).contains(*s)).map(|s| t(*s)).collect();
                let got = store.raw(series(1, 1), range(from, to), 100).expect("readable");
                let got: Vec<Timestamp> = got.iter().map(|point| point.time).collect();
                assert_eq!(got, expected, "{from}..{to}");
                let count = |of| store.count(of, range(from, to)).expect("countable");
                assert_eq!(count(None), expected.len() as u64);
                assert_eq!(count(Some(device(1))), expected.len() as u64);
                assert_eq!(count(Some(device(2))), 0);
            }
        }
        store.flush().expect("flushes");
    }
}

pub(super) fn nothing_gives_nothing(subject: &mut Subject) {
    let store = subject.store();
    for _ in 0..2 {
        let all = TimeRange::ALL;
        assert!(store.raw(series(9, 9), all, 10).expect("readable").is_empty());
        assert!(store.track(device(9), all, 10).expect("readable").is_empty());
        let step = Span::from_mins(1);
        assert!(
            store
                .buckets(&[series(9, 9)], all, step, &Cancel::never())
                .expect("readable")
                .is_empty()
        );
        assert!(store.buckets(&[], all, step, &Cancel::never()).expect("readable").is_empty());
        assert_eq!(store.count(Some(device(9)), all).expect("countable"), 0);
        assert!(store.raw(series(1, 1), range(5, 5), 10).expect("readable").is_empty());
        assert!(store.raw(series(1, 2), all, 10).expect("readable").is_empty());
        store.commit(&commit([reading(series(1, 1), 5, 1.0)])).expect("commits");
        store.flush().expect("flushes");
    }
}

pub(super) fn senseless_requests_are_refused(subject: &mut Subject) {
    let store = subject.store();
    let backwards = range(5, 4);
    let minute = Span::from_mins(1);
    let errors = [
        store.raw(series(1, 1), backwards, 1).expect_err("backwards"),
        store.track(device(1), backwards, 1).expect_err("backwards"),
        store.count(None, backwards).expect_err("backwards"),
        store.buckets(&[series(1, 1)], backwards, minute, &Cancel::never()).expect_err("backwards"),
        store
            .buckets(&[series(1, 1)], range(0, 1), Span::ZERO, &Cancel::never())
            .expect_err("no step"),
        store
            .buckets(&[series(1, 1)], range(0, 1), Span::from_secs(-1), &Cancel::never())
            .expect_err("negative"),
    ];
    for error in errors {
        assert_eq!(error.kind, StoreErrorKind::Invalid, "{error}");
        assert!(!error.is_transient());
    }
}

pub(super) fn steps_add_up(subject: &mut Subject) {
    let store = subject.store();
    let mut sent: Vec<_> =
        (0..240).map(|i| reading(series(1, 1), i * 30, f64::from(i as i32 % 10))).collect();
    sent[3].quality = Quality::Suspect;
    sent[4].quality = Quality::Fail;
    sent[5].quality = Quality::Missing;
    sent.extend([reading(series(2, 1), 0, true), reading(series(2, 1), 10, false)]);
    sent.push(reading(series(3, 1), 7_000, "text"));
    let mut failed = reading(series(4, 1), 100, 1.0);
    failed.quality = Quality::Fail;
    sent.push(failed);
    store.commit(&commit(sent)).expect("commits");
    for _ in 0..2 {
        let steps = |of: &[_], from, to, secs| {
            let got = store.buckets(of, range(from, to), Span::from_secs(secs), &Cancel::never());
            got.expect("readable")
        };
        let bucket = |start, count, min, max, sum, last, flagged| Bucket {
            start: t(start),
            count,
            min,
            max,
            sum,
            last,
            flagged,
        };
        assert_eq!(steps(&[series(1, 1)], 0, 300, 300), [bucket(0, 8, 0.0, 9.0, 36.0, 9.0, 3)]);
        assert_eq!(
            steps(&[series(1, 1)], 30, 90, 60),
            [bucket(0, 1, 1.0, 1.0, 1.0, 1.0, 0), bucket(60, 1, 2.0, 2.0, 2.0, 2.0, 0),]
        );
        let hours = steps(&[series(1, 1)], 0, 7_200, 3_600);
        assert_eq!(hours.iter().map(|b| b.count).collect::<Vec<_>>(), [118, 120]);
        assert_eq!(hours.iter().map(|b| b.flagged).collect::<Vec<_>>(), [3, 0]);
        assert_eq!(steps(&[series(2, 1)], 0, 60, 60), [bucket(0, 2, 0.0, 1.0, 1.0, 0.0, 0)]);
        // Several series together; one named twice counts once.
        let both = [series(2, 1), series(1, 1), series(2, 1)];
        assert_eq!(steps(&both, 0, 60, 60), [bucket(0, 4, 0.0, 1.0, 2.0, 1.0, 0)]);
        assert!(steps(&[series(3, 1)], 0, 7_200, 60).is_empty(), "texts are no numbers");
        let failed = steps(&[series(4, 1)], 0, 7_200, 60);
        assert_eq!((failed.len(), failed[0].count, failed[0].flagged), (1, 0, 1));
        assert!(failed[0].min.is_nan() && failed[0].last.is_nan() && failed[0].sum == 0.0);
        store.flush().expect("flushes");
    }
}

pub(super) fn steps_do_not_depend_on_what_is_sealed(subject: &mut Subject) {
    let store = subject.store();
    let sent = (0..2_000).map(|i| {
        // Full-precision numbers in one series, decimals in the other.
        let number = f64::from(i as i32 % 97);
        let value = if i % 2 == 0 { number / 7.0 } else { number / 10.0 };
        reading(series(1, (i % 2) as u16), i * 11, value)
    });
    store.commit(&commit(sent)).expect("commits");
    let all = [series(1, 0), series(1, 1)];
    let ask = |secs| {
        let range = range(500, 20_000);
        store.buckets(&all, range, Span::from_secs(secs), &Cancel::never()).expect("readable")
    };
    let lengths = [60, 900, 3_600, 86_400];
    let before = lengths.map(ask);
    store.flush().expect("flushes");
    for (before, after) in before.iter().zip(lengths.map(ask)) {
        assert_eq!(before.len(), after.len());
        for (a, b) in before.iter().zip(&after) {
            assert!((a.sum - b.sum).abs() < 1e-6, "{} is not {}", a.sum, b.sum);
            assert_eq!(*a, Bucket { sum: a.sum, ..*b });
        }
    }
}

pub(super) fn limits_cut_at_the_end(subject: &mut Subject) {
    let store = subject.store();
    store
        .commit(&commit((0..10).map(|i| {
            let mut reading = reading(series(1, 1), i * 1_000, i as f64);
            reading.position = Some(Position { lon: i as f64, lat: 0.0 });
            reading
        })))
        .expect("commits");
    for _ in 0..2 {
        for limit in [0, 1, 5, 9, 10, 11, usize::MAX] {
            let points = store.raw(series(1, 1), TimeRange::ALL, limit).expect("readable");
            assert_eq!(points.len(), limit.min(10));
            assert!(points.first().is_none_or(|point| point.time == t(0)));
            let track = store.track(device(1), TimeRange::ALL, limit).expect("readable");
            assert_eq!(track.len(), limit.min(10));
            assert!(track.first().is_none_or(|(time, _)| *time == t(0)));
        }
        store.flush().expect("flushes");
    }
}

pub(super) fn positions_make_a_track(subject: &mut Subject) {
    let at = |i: i64| Position { lon: -87.629_8 + i as f64 * 1e-4, lat: 41.878_1 };
    let moving = |secs: i64, metric| {
        let mut reading = reading(series(1, metric), secs, 1.0);
        reading.position = Some(at(secs));
        reading
    };
    // Two metrics of one message share a position; a reading without one leaves it alone.
    subject
        .store()
        .commit(&commit([
            moving(0, 0),
            moving(0, 1),
            moving(4_000, 0),
            reading(series(1, 1), 4_000, 2.0),
            reading(series(1, 1), 10, 2.0),
            reading(series(2, 0), 5, 2.0),
            moving(20, 0),
        ]))
        .expect("commits");
    for round in 0..4 {
        let store = subject.store();
        let expected: Vec<_> = [0, 20, 4_000].map(|secs| (t(secs), at(secs))).into();
        assert_eq!(store.track(device(1), TimeRange::ALL, 100).expect("readable"), expected);
        let part = store.track(device(1), range(20, 4_000), 100).expect("readable");
        assert_eq!(part, expected[1..2]);
        assert!(store.track(device(2), TimeRange::ALL, 100).expect("readable").is_empty());
        match round {
            0 => store.flush().expect("flushes"),
            1 => {
                // A late correction without a position does not take it away.
                let late = commit([reading(series(1, 0), 20, 9.0)]);
                store.commit(&late).expect("commits");
            }
            _ => subject.reopen(),
        }
    }
}

pub(super) fn times_at_the_ends_of_time(subject: &mut Subject) {
    let of = series(1, 1);
    let times = [i64::MIN, Timestamp::MIN.micros(), -1, 0, Timestamp::MAX.micros(), i64::MAX - 1];
    let sent = (0..).zip(times).map(|(i, time)| {
        let mut reading = reading(of, 0, f64::from(i));
        reading.time = Timestamp::from_micros(time);
        reading
    });
    let sent = commit(sent);
    subject.store().commit(&sent).expect("commits");
    for round in 0..3 {
        let points = subject.store().raw(of, TimeRange::ALL, 100).expect("readable");
        let got: Vec<i64> = points.iter().map(|point| point.time.micros()).collect();
        assert_eq!(got, times);
        assert_eq!(subject.store().count(None, TimeRange::ALL).expect("countable"), 6);
        let from = Timestamp::from_micros(i64::MIN);
        let early = TimeRange { from, to: Timestamp::MIN };
        assert_eq!(subject.store().raw(of, early, 100).expect("readable").len(), 1);
        let steps =
            subject.store().buckets(&[of], TimeRange::ALL, Span::from_hours(1), &Cancel::never());
        assert_eq!(steps.expect("readable").iter().map(|b| b.count).sum::<u64>(), 6);
        if round == 0 {
            subject.store().flush().expect("flushes");
        }
        subject.reopen();
    }
}
