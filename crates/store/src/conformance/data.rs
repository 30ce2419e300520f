//! Short ways to write down what goes into a store.

use city_model::{
    DeviceKey, Marks, MetricKey, Quality, Reading, SeriesKey, Timestamp, Value, ZoneSet,
};

use crate::{Commit, NewDeadLetter};

/// An hour into a day, so that windows before and after it are of the same day.
const START: i64 = 1_795_395_600;

/// Seconds after the start of the tests' time, 2026-11-23T01:00:00Z.
pub fn t(secs: i64) -> Timestamp {
    Timestamp::from_secs(START + secs)
}

/// A device.
pub fn device(key: u32) -> DeviceKey {
    DeviceKey(key)
}

/// A metric.
pub fn metric(key: u16) -> MetricKey {
    MetricKey(key)
}

/// A series.
pub fn series(device: u32, metric: u16) -> SeriesKey {
    SeriesKey { device: DeviceKey(device), metric: MetricKey(metric) }
}

/// A reading of a series at a time in seconds, received a second later, nothing special about it.
pub fn reading(series: SeriesKey, secs: i64, value: impl Into<Value>) -> Reading {
    Reading {
        series,
        time: t(secs),
        received: t(secs + 1),
        value: value.into(),
        quality: Quality::Pass,
        marks: Marks::NONE,
        position: None,
        zones: ZoneSet::default(),
    }
}

/// A commit of readings, all from source 0.
pub fn commit(readings: impl IntoIterator<Item = Reading>) -> Commit {
    with_source(0, readings)
}

/// A commit of readings from one source.
pub fn with_source(source: u16, readings: impl IntoIterator<Item = Reading>) -> Commit {
    let readings: Vec<_> = readings.into_iter().collect();
    Commit { sources: vec![source; readings.len()], readings, ..Commit::default() }
}

/// A dead letter of source 3 with a reason.
pub fn letter(reason: &str, items: u32) -> NewDeadLetter {
    NewDeadLetter {
        source: Some(3),
        source_id: "水务-broker".into(),
        topic: "city/水位/7".into(),
        payload: [0, 255, 13, 10].into(),
        client: Some("client-1".into()),
        received: t(5),
        device: Some("Gerät-7".into()),
        device_key: None,
        reason: reason.into(),
        detail: "at byte 3: 期望数字".into(),
        hint: "send a number".into(),
        items,
        again: false,
    }
}
