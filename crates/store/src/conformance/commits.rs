//! What a commit does: values, duplicates, late readings, last values, the ledger.

use city_model::{Marks, Position, Quality, Span, Value};

use super::{Subject, commit, device, letter, metric, reading, series, t, with_source};
use crate::Outcome::{Duplicate, Stored};
use crate::{
    Counters, LastValue, LedgerKey, Point, SequenceNote, Store, StoreErrorKind, TimeRange,
};

fn values(store: &dyn Store, of: city_model::SeriesKey) -> Vec<(i64, Value)> {
    let points = store.raw(of, TimeRange::ALL, usize::MAX).expect("readable");
    points.into_iter().map(|p| (p.time.since(t(0)).micros() / 1_000_000, p.value)).collect()
}

pub(super) fn a_reading_comes_back_as_it_was(subject: &mut Subject) {
    let store = subject.store();
    let mut sent = reading(series(4, 9), 10, 21.5);
    sent.quality = Quality::Suspect;
    sent.marks = Marks::SIMULATED.with(Marks::UNTIMED);
    sent.position = Some(Position { lon: 10.203_921, lat: 56.162_939 });
    let report = store.commit(&commit([sent.clone()])).expect("commits");
    assert_eq!((report.seq, report.outcomes), (1, vec![Stored]));
    assert_eq!(store.head_seq(), 1);
    let point = Point { time: t(10), value: 21.5.into(), quality: Quality::Suspect };
    assert_eq!(store.raw(series(4, 9), TimeRange::ALL, 10).expect("readable"), [point]);
    let last = LastValue::from(&sent);
    assert_eq!(store.last(series(4, 9)), Some(last.clone()));
    assert_eq!(store.last_of_device(device(4)), [(metric(9), last)]);
    assert_eq!(store.count(None, TimeRange::ALL).expect("countable"), 1);
    let stats = store.stats();
    assert_eq!((stats.readings, stats.series, stats.commits), (1, 1, 1));
}

pub(super) fn every_value_and_flag_comes_back(subject: &mut Subject) {
    let long = "水".repeat(Value::MAX_TEXT / 3);
    let values: Vec<Value> = vec![
        0.0.into(),
        (-0.0).into(),
        0.1.into(),
        (0.1 + 0.2).into(),
        (-273.15).into(),
        9_007_199_254_740_993.0.into(),
        f64::MAX.into(),
        f64::MIN.into(),
        f64::MIN_POSITIVE.into(),
        f64::from_bits(1).into(),
        1e-9.into(),
        123_456_789.123_456_78.into(),
        true.into(),
        false.into(),
        "".into(),
        "open".into(),
        "打开 🚰 \0 \u{7f}\n".into(),
        long.as_str().into(),
    ];
    let flags =
        [Quality::Pass, Quality::NotEvaluated, Quality::Suspect, Quality::Fail, Quality::Missing];
    // All in one series, and each kind of value in a series of its own.
    let sent: Vec<_> = (0..)
        .zip(&values)
        .flat_map(|(i, value)| {
            [series(1, 0), series(2, i as u16)].map(|of| {
                let mut reading = reading(of, i * 7, value.clone());
                reading.quality = flags[i as usize % flags.len()];
                reading
            })
        })
        .collect();
    subject.store().commit(&commit(sent.clone())).expect("commits");
    // In memory, from the log, from sealed chunks.
    for round in 0..3 {
        for sent in &sent {
            let range = TimeRange { from: sent.time, to: sent.time + Span::from_micros(1) };
            let got = subject.store().raw(sent.series, range, 9).expect("readable");
            assert_eq!(got.len(), 1, "{sent:?} in {round}");
            assert_eq!(got[0].quality, sent.quality);
            match (&got[0].value, &sent.value) {
                (Value::Number(got), Value::Number(sent)) => {
                    assert_eq!(got.to_bits(), sent.to_bits(), "{got} is not {sent} in {round}");
                }
                (got, sent) => assert_eq!(got, sent),
            }
        }
        if round == 1 {
            subject.store().flush().expect("flushes");
        }
        subject.reopen();
    }
}

pub(super) fn a_redelivery_changes_nothing(subject: &mut Subject) {
    let store = subject.store();
    let sent = [reading(series(1, 1), 0, 1.0), reading(series(1, 1), 60, 2.0)];
    store.commit(&commit(sent.clone())).expect("commits");
    let mut again = sent.clone();
    for reading in &mut again {
        reading.received = t(1_000);
        // Judged without the readings before it: no reason to change the flag.
        reading.quality = Quality::NotEvaluated;
    }
    let report = store.commit(&commit(again)).expect("commits");
    assert_eq!(report.outcomes, [Duplicate, Duplicate]);
    assert_eq!(values(&**store, series(1, 1)), [(0, 1.0.into()), (60, 2.0.into())]);
    let last = store.last(series(1, 1)).expect("a last value");
    assert_eq!(last.received, t(61), "the first delivery counts");
    assert_eq!(last.quality, sent[1].quality);
    let points = store.raw(series(1, 1), TimeRange::ALL, 10).expect("points");
    assert!(points.iter().zip(&sent).all(|(point, sent)| point.quality == sent.quality));
}

pub(super) fn a_correction_stands(subject: &mut Subject) {
    let store = subject.store();
    store
        .commit(&commit([reading(series(1, 1), 0, 1.0), reading(series(1, 1), 60, 2.0)]))
        .expect("commits");
    let mut corrected = reading(series(1, 1), 60, "two");
    corrected.quality = Quality::Fail;
    let report =
        store.commit(&commit([corrected.clone(), reading(series(1, 1), 0, 1.5)])).expect("commits");
    assert_eq!(report.outcomes, [Duplicate, Duplicate]);
    assert_eq!(values(&**store, series(1, 1)), [(0, 1.5.into()), (60, "two".into())]);
    assert_eq!(store.last(series(1, 1)), Some(LastValue::from(&corrected)));
    assert_eq!(store.count(None, TimeRange::ALL).expect("countable"), 2);
}

pub(super) fn duplicates_inside_one_batch(subject: &mut Subject) {
    let store = subject.store();
    let of = series(1, 1);
    store.commit(&commit([reading(of, 100, 0.0)])).expect("commits");
    let batch = [50, 50, 120, 110, 110, 120, 130, 120, 100, 50, 130];
    let readings = (0..).zip(batch).map(|(i, secs)| reading(of, secs, f64::from(i)));
    let report = store.commit(&commit(readings)).expect("commits");
    let expected = [
        Stored, Duplicate, Stored, Stored, Duplicate, Duplicate, Stored, Duplicate, Duplicate,
        Duplicate, Duplicate,
    ];
    assert_eq!(report.outcomes, expected);
    let expected: Vec<(i64, Value)> = vec![
        (50, 9.0.into()),
        (100, 8.0.into()),
        (110, 4.0.into()),
        (120, 7.0.into()),
        (130, 10.0.into()),
    ];
    assert_eq!(values(&**store, of), expected, "the last one written stands");
    let report = store.commit(&commit([reading(series(1, 2), 120, 1.0)])).expect("commits");
    assert_eq!(report.outcomes, [Stored], "another series at the same time is another fact");
}

pub(super) fn late_readings_are_stored_in_order(subject: &mut Subject) {
    let store = subject.store();
    // Over three hours, backwards, then in between.
    let times = (0..100).map(|i| 10_000 - i * 100).chain((0..100).map(|i| 50 + i * 100));
    for secs in times {
        let report =
            store.commit(&commit([reading(series(7, 0), secs, secs as f64)])).expect("commits");
        assert_eq!(report.outcomes, [Stored]);
    }
    let got = values(&**store, series(7, 0));
    assert_eq!(got.len(), 200);
    assert!(got.windows(2).all(|pair| pair[0].0 < pair[1].0));
    assert!(got.iter().all(|(secs, value)| *value == Value::Number(*secs as f64)));
    assert_eq!(store.last(series(7, 0)).expect("a last value").time, t(10_000));
}

pub(super) fn late_duplicates_of_sealed_readings(subject: &mut Subject) {
    let of = series(7, 0);
    let hours = 0..5i64;
    let sent = hours.clone().map(|hour| reading(of, hour * 3_600, hour as f64));
    subject.store().commit(&commit(sent)).expect("commits");
    subject.store().flush().expect("flushes");
    for _ in 0..2 {
        let again = hours.clone().map(|hour| reading(of, hour * 3_600, hour as f64));
        let report = subject.store().commit(&commit(again)).expect("commits");
        if subject.promises.remembers_all {
            assert_eq!(report.outcomes, [Duplicate; 5]);
        }
        subject.reopen();
    }
    let store = subject.store();
    let late = hours.clone().map(|hour| reading(of, hour * 3_600 + 60, -1.0));
    assert_eq!(store.commit(&commit(late)).expect("commits").outcomes, [Stored; 5]);
    store.commit(&commit([reading(of, 3_600, 99.0)])).expect("commits");
    subject.settle();
    for _ in 0..2 {
        assert_eq!(values(&**store, of).len(), 10);
        assert_eq!(values(&**store, of)[2], (3_600, 99.0.into()));
        store.flush().expect("flushes");
    }
}

pub(super) fn the_last_value_is_the_newest(subject: &mut Subject) {
    let store = subject.store();
    store
        .commit(&commit([
            reading(series(1, 1), 100, 1.0),
            reading(series(1, 1), 50, 2.0),
            reading(series(1, 2), 10, true),
            reading(series(3, 1), 10, "x"),
        ]))
        .expect("commits");
    assert_eq!(store.last(series(1, 1)).expect("a last value").value, 1.0.into());
    assert_eq!(store.last(series(1, 3)), None);
    assert_eq!(store.last(series(9, 1)), None);
    assert!(store.last_of_device(device(2)).is_empty());
    assert_eq!(store.last_of_device(device(1)).len(), 2);
    let mut all = Vec::new();
    store.each_last(&mut |series, last| {
        // A callback may ask the store again.
        assert_eq!(store.last(series).as_ref(), Some(last));
        all.push(series);
    });
    all.sort_unstable();
    assert_eq!(all, [series(1, 1), series(1, 2), series(3, 1)]);
}

pub(super) fn a_time_in_the_future_hides_nothing(subject: &mut Subject) {
    let of = series(1, 1);
    let mut future = reading(of, 1_000_000, 5.0);
    future.marks = Marks::FUTURE;
    subject.store().commit(&commit([future.clone()])).expect("commits");
    assert_eq!(subject.store().last(of).expect("better than nothing").value, 5.0.into());
    subject.store().commit(&commit([reading(of, 10, 1.0), future.clone()])).expect("commits");
    for _ in 0..3 {
        assert_eq!(subject.store().last(of).expect("a last value").value, 1.0.into());
        let report = subject.store().commit(&commit([future.clone()])).expect("commits");
        assert_eq!(report.outcomes, [Duplicate]);
        // The clock has caught up: the same reading is no longer of the future.
        let mut caught_up = commit([future.clone()]);
        caught_up.readings[0].marks = Marks::FUTURE.with(Marks::UNTIMED);
        assert_eq!(subject.store().commit(&caught_up).expect("commits").outcomes, [Duplicate]);
        subject.store().flush().expect("flushes");
        subject.reopen();
    }
    let report = subject.store().commit(&commit([reading(of, 1_000_000, 5.0)])).expect("commits");
    assert_eq!(report.outcomes, [Duplicate], "not even once its time has come");
}

pub(super) fn sources_must_match_readings(subject: &mut Subject) {
    let store = subject.store();
    let mut bad = commit([reading(series(1, 1), 0, 1.0)]);
    bad.sources.clear();
    assert_eq!(store.commit(&bad).expect_err("senseless").kind, StoreErrorKind::Invalid);
    assert_eq!(store.head_seq(), 0);
    assert!(store.ledger().is_empty());
}

pub(super) fn skipped_message_numbers_are_counted(subject: &mut Subject) {
    let numbered = |source, of, numbers: &[u64]| {
        let mut commit =
            with_source(source, [reading(series(of, 0), numbers[0] as i64, numbers[0] as f64)]);
        let note = |number: &u64| SequenceNote { source, device: device(of), number: *number };
        commit.sequences = numbers.iter().map(note).collect();
        commit
    };
    let missed = |subject: &mut Subject| -> Vec<_> {
        let ledger = subject.store().ledger();
        let missed = ledger.into_iter().filter(|(_, counters)| counters.missed > 0);
        missed.map(|(key, counters)| (key, counters.missed)).collect()
    };
    subject.store().commit(&numbered(1, 1, &[10, 11, 15])).expect("commits");
    subject.store().commit(&numbered(2, 1, &[500, 502])).expect("commits");
    subject.store().flush().expect("flushes");
    subject.store().commit(&numbered(1, 1, &[13])).expect("commits");
    subject.store().commit(&numbered(2, 7, &[9, 8, 11])).expect("commits");
    for _ in 0..3 {
        let expected = [
            (LedgerKey::Source(1), 2),
            (LedgerKey::Source(2), 2),
            (LedgerKey::Device(device(1)), 3),
            (LedgerKey::Device(device(7)), 1),
        ];
        assert_eq!(missed(subject), expected);
        subject.reopen();
    }
    subject.store().commit(&numbered(1, 1, &[12, 14])).expect("commits");
    assert_eq!(missed(subject)[0], (LedgerKey::Source(2), 2), "they came after all");
}

pub(super) fn the_ledger_balances(subject: &mut Subject) {
    let mut first = with_source(1, (0..10).map(|i| reading(series(i % 3, 0), 60, f64::from(i))));
    let of = |key, items| crate::NewDeadLetter {
        device_key: Some(device(key)),
        ..letter("bad_unit", items)
    };
    first.dead_letters = vec![letter("syntax", 1), of(2, 3), letter("unknown_device", 4)];
    let mut second =
        with_source(2, [reading(series(0, 0), 60, 1.0), reading(series(5, 0), 0, 1.0)]);
    second.dead_letters = vec![
        of(2, 1),
        crate::NewDeadLetter { source: None, ..letter("no_source", 2) },
        // A device that has sent nothing good.
        of(9, 1),
    ];
    subject.store().commit(&first).expect("commits");
    subject.store().flush().expect("flushes");
    subject.store().commit(&second).expect("commits");
    let counters = |stored, duplicate, dead_lettered| Counters {
        received: stored + duplicate + dead_lettered,
        stored,
        duplicate,
        dead_lettered,
        missed: 0,
    };
    let expected = vec![
        (LedgerKey::Source(1), counters(3, 7, 0)),
        (LedgerKey::Source(2), counters(1, 1, 0)),
        (LedgerKey::Source(3), counters(0, 0, 10)),
        (LedgerKey::NoSource, counters(0, 0, 2)),
        (LedgerKey::Device(device(0)), counters(1, 4, 0)),
        (LedgerKey::Device(device(1)), counters(1, 2, 0)),
        (LedgerKey::Device(device(2)), counters(1, 2, 4)),
        (LedgerKey::Device(device(5)), counters(1, 0, 0)),
        (LedgerKey::Device(device(9)), counters(0, 0, 1)),
        (LedgerKey::NoDevice, counters(0, 0, 7)),
    ];
    for _ in 0..3 {
        assert_eq!(subject.store().ledger(), expected);
        subject.reopen();
    }
}
