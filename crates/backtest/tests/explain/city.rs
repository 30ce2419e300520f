//! A city whose history can be asked about.

use std::collections::BTreeMap;
use std::sync::Arc;

use city_backtest::{Explanation, Question, explain, subject_of};
use city_model::{
    Catalogue, Crs, Device, DeviceKey, Directory, LifeCycle, LocalText, Marks, Placement, Position,
    Quality, Reading, SeriesKey, Span, Timestamp, Zone, ZoneKey, ZoneSet,
};
use city_rules::RuleSet;
use city_store::{Cancel, Commit, Memory, Store as _};

pub(crate) const RULES: &str = "
group: air
department: environment
rules:
  - id: high
    kind: threshold
    select: {metric: pm25, kind: air_station}
    severity:
      medium: {above: 75, clear_below: 65}
      high: {above: 115}
    for: 5m
  - id: odd
    kind: anomaly
    select: {metric: pm25}
    severity: low
    raise: {above: 3}
  - id: office
    kind: threshold
    select: {metric: pm25}
    severity: low
    raise: {above: 75}
    schedule: {times: '09:00-17:00', time_zone: UTC}
  - id: rising
    kind: rate_of_change
    select: {metric: pm25}
    rate: {per: 10m, over: 30m, direction: rising, min_count: 2}
    severity: low
    raise: {above: 20}
  - id: silent
    kind: absence
    select: {kind: air_station}
    for: 20m
    severity: low
  - id: both
    kind: composite
    when: {all: [high, hot]}
    severity: critical
  - id: hot
    kind: threshold
    select: {metric: temperature}
    severity: low
    raise: {above: 30}
  - id: fire
    kind: threshold
    select: {metric: co}
    severity: high
    raise: {above: 50}
  - id: burning
    kind: dependency
    when: fire
    suppress: hot
    via: device
  - id: wide
    kind: zone_aggregate
    select: {metric: pm25}
    aggregate: {function: mean, over: 5m, min_devices: 2}
    severity: low
    raise: {above: 70}
  - id: dark
    kind: absence
    select: {metric: humidity}
    for: 20m
    severity: low
    subject: device
    group_by: gateway
    min_devices: 2
    share: 0.5
";

pub(crate) fn rules() -> RuleSet {
    let files = [("air.yaml".to_owned(), RULES.to_owned())];
    RuleSet::parse(&files).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Noon of a day.
pub(crate) fn noon() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().expect("a time")
}

pub(crate) fn at(minutes: i64) -> Timestamp {
    noon() + Span::from_mins(minutes)
}

pub(crate) fn device(key: u32, kind: &str) -> Device {
    Device {
        key: DeviceKey(key),
        id: format!("d{key}").into(),
        name: LocalText::same(format!("Device {key}")),
        kind: kind.into(),
        department: "environment".into(),
        placement: Placement::Fixed(Position { lon: 1.0, lat: 2.0 }),
        declared: None,
        crs: Crs::default(),
        zones: [ZoneKey(0)].into(),
        interval: Some(Span::from_secs(60)),
        gateway: Some("g".into()),
        life_cycle: LifeCycle::Active,
        simulated: false,
        attributes: BTreeMap::new(),
    }
}

pub(crate) fn zone() -> Zone {
    Zone {
        key: ZoneKey(0),
        id: "old-town".into(),
        name: LocalText::same("Old town"),
        layer: "district".into(),
        label: Position { lon: 1.0, lat: 2.0 },
        bounds: [0.0, 0.0, 3.0, 3.0],
        parent: None,
        area_km2: 9.0,
    }
}

/// A city whose readings are of `d0` unless said, one a minute from noon on.
#[derive(Default)]
pub(crate) struct City {
    pub(crate) readings: Vec<Reading>,
    pub(crate) retired: bool,
}

impl City {
    pub(crate) fn new(values: &[f64]) -> Self {
        Self::default().and("pm25", values, Quality::Pass)
    }

    pub(crate) fn and(self, metric: &str, values: &[f64], quality: Quality) -> Self {
        self.and_of(0, metric, values, quality)
    }

    pub(crate) fn and_of(
        mut self,
        device: u32,
        metric: &str,
        values: &[f64],
        quality: Quality,
    ) -> Self {
        let metric = Catalogue::embedded().by_id(metric).expect("known").key;
        self.readings.extend(values.iter().zip(0..).map(|(value, minute)| Reading {
            series: SeriesKey { device: DeviceKey(device), metric },
            time: at(minute),
            received: at(minute),
            value: (*value).into(),
            quality,
            marks: Marks::NONE,
            position: None,
            zones: ZoneSet::default(),
        }));
        self
    }

    pub(crate) fn directory(&self) -> Arc<Directory> {
        let mut first = device(0, "air_station");
        if self.retired {
            first.life_cycle = LifeCycle::Retired;
        }
        let devices = [first, device(1, "traffic_counter")].map(Arc::new);
        Arc::new(Directory::new(devices, Catalogue::embedded(), vec![zone()], 1))
    }

    /// Asks at a minute after noon.
    pub(crate) fn ask(&self, rule: &str, subject: &str, minute: i64) -> Explanation {
        let rules = rules();
        let directory = self.directory();
        let store = Memory::new();
        let mut readings = self.readings.clone();
        readings.sort_by_key(|reading| reading.time);
        let sources = vec![0; readings.len()];
        store.commit(&Commit { readings, sources, ..Commit::default() }).expect("committed");
        let rule = rules.get(rule).expect("a rule");
        let subject = subject_of(rule, subject, &directory).expect("a subject");
        let question = Question { rules: &rules, rule, subject, at: at(minute) };
        let nowhere = |_| ZoneSet::default();
        explain(&store, &directory, &nowhere, &question, &Cancel::never()).expect("explained")
    }
}
