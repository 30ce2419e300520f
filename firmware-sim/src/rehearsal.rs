//! Rehearses a city under virtual time: what its devices send goes through the platform's
//! decoders, zones and rules, and the alerts that come out are compared with the ground truth.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use city_decode::topic::TopicTemplate;
use city_decode::{Decoder, Message};
use city_geo::{ZoneIndex, ZoneOptions};
use city_model::{
    AlertEvent, AlertEventKind, Catalogue, Device, DeviceKey, Directory, LocalText, Marks,
    Placement, Position, Quality, Reading, SeriesKey, Severity, Subject, Timestamp, Value, unit,
};
use city_rules::{Evaluator, RuleSet};

use crate::clock::from_millis;
use crate::replay::Dataset;
use crate::zones::tests::CHICAGO;
use crate::{DeviceSpec, Fleet, IncidentKind, Scenario, Uplink};

struct Source {
    topic: TopicTemplate,
    decoder: Box<dyn Decoder>,
}

/// The platform's path from message to alert, without its store and its network.
struct Rehearsal {
    sources: Vec<Source>,
    directory: Arc<Directory>,
    zones: ZoneIndex,
    evaluator: Evaluator,
    events: Vec<AlertEvent>,
}

fn assets(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/citybrain/assets").join(path)
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn stamp(time: jiff::Timestamp) -> Timestamp {
    Timestamp::from_micros(time.as_microsecond())
}

fn device(key: usize, spec: &DeviceSpec, zones: &ZoneIndex) -> Arc<Device> {
    let place = spec.position.as_ref().and_then(|at| Position::new(at.lon, at.lat));
    let attributes = serde_json::to_value(&spec.attributes).expect("JSON");
    Arc::new(Device {
        key: DeviceKey(key as u32),
        id: spec.id.as_str().into(),
        name: LocalText::new(&*spec.name.en, &*spec.name.zh),
        kind: spec.kind.as_str().into(),
        department: spec.department.as_str().into(),
        placement: place.map_or(Placement::Moving, Placement::Fixed),
        declared: None,
        crs: city_model::Crs::Wgs84,
        zones: place.map_or_else(|| [].into(), |place| zones.locate(place)),
        interval: Some(city_model::Span::from_micros(spec.interval.millis() * 1_000)),
        gateway: spec.gateway.as_deref().map(Into::into),
        life_cycle: city_model::LifeCycle::Active,
        simulated: true,
        attributes: serde_json::from_value(attributes).expect("attributes"),
    })
}

impl Rehearsal {
    /// A city of the assets: its sources and rules.
    fn new(folder: &str, devices: &[DeviceSpec], zones: ZoneIndex, start: jiff::Timestamp) -> Self {
        let file: toml::Table = text(&assets(folder).join("sources.toml")).parse().expect("TOML");
        let sources = file["source"].as_array().expect("[[source]]").iter();
        let sources = sources
            .map(|source| {
                let options = source.get("options").cloned().unwrap_or(toml::Table::new().into());
                let options = serde_json::to_value(options).expect("JSON");
                let name = source["format"].as_str().expect("a text");
                let format = city_decode::format(name).expect("a format");
                let topic = source["topic"].as_str().expect("a text");
                Source {
                    topic: TopicTemplate::parse(topic).expect("a template"),
                    decoder: format.compile(&options).expect("options"),
                }
            })
            .collect();
        let all = devices.iter().enumerate().map(|(key, spec)| device(key, spec, &zones));
        let directory =
            Arc::new(Directory::new(all, Catalogue::embedded(), zones.zones().to_vec(), 1));
        let mut files = Vec::new();
        for entry in std::fs::read_dir(assets(folder).join("rules")).expect("rules") {
            let path = entry.expect("an entry").path();
            files.push((path.display().to_string(), text(&path)));
        }
        files.sort();
        let rules = RuleSet::parse(&files).unwrap_or_else(|problems| panic!("{problems}"));
        rules.check_against(&directory).unwrap_or_else(|problems| panic!("{problems}"));
        let evaluator = Evaluator::new(Arc::new(rules), directory.clone(), stamp(start));
        Self { sources, directory, zones, evaluator, events: Vec::new() }
    }

    fn receive(&mut self, uplink: &Uplink, received: jiff::Timestamp) {
        let fits = |source: &&Source| source.topic.capture(&uplink.topic).is_some();
        let source = self.sources.iter().find(fits).expect("a source for the topic");
        let received = stamp(received);
        let message = Message::new(&uplink.topic, &uplink.payload, received);
        let mut values = Vec::new();
        source.decoder.decode(&message, &mut values).expect("decodes");
        let captures = source.topic.capture(&uplink.topic).expect("it fits");
        for value in values {
            let id = value.device.as_deref().or(captures.device).expect("a device");
            let device = self.directory.device_by_id(id).expect("registered").clone();
            let metric = self.directory.metrics.by_id(&value.metric).expect("a known metric");
            let from = value.unit.as_deref().unwrap_or(&metric.unit);
            let convert = unit::conversion(from, &metric.unit).expect("convertible");
            let series = SeriesKey { device: device.key, metric: metric.key };
            let position = value.position.and_then(|(lon, lat)| Position::new(lon, lat));
            let reading = Reading {
                series,
                time: value.time.expect("its own time"),
                received,
                value: match value.value {
                    Value::Number(number) => Value::Number(convert.apply(number)),
                    other => other,
                },
                quality: Quality::Pass,
                marks: Marks::SIMULATED,
                position,
                zones: position.map_or(device.zones.clone(), |place| self.zones.locate(place)),
            };
            self.evaluator.observe(&reading, &mut self.events);
        }
    }

    /// Everything that a fleet sends from its start on for some seconds, in the order of time.
    fn play(&mut self, fleet: &Fleet, from: i64, to: i64) {
        let after = |seconds: i64| from_millis(fleet.start().as_millisecond() + seconds * 1_000);
        let end = after(to);
        for sent in fleet.sends_from(after(from)).take_while(|sent| sent.at < end) {
            self.receive(&sent.uplink, sent.at);
        }
        self.evaluator.advance(stamp(end), &mut self.events);
    }

    /// Seconds after a start, rule, what happened and how bad it then was.
    fn log(&self, start: jiff::Timestamp) -> Vec<(f64, &str, AlertEventKind, Severity, &Subject)> {
        let seconds = |at: Timestamp| at.since(stamp(start)).secs_f64();
        let events = self.events.iter();
        events
            .map(|event| {
                let alert = &event.alert;
                (seconds(event.at), &*alert.rule.id, event.kind, alert.severity, &alert.subject)
            })
            .collect()
    }
}

fn chicago(start: &str) -> (Fleet, Rehearsal) {
    let start = start.parse().expect("a time");
    let fleet = Fleet::new(&Scenario::chicago(), CHICAGO, start).expect("a city");
    let options = ZoneOptions {
        layer: "neighbourhood".to_owned(),
        name_zh_property: Some("name_zh".to_owned()),
        ..ZoneOptions::default()
    };
    let zones = ZoneIndex::from_geojson(CHICAGO, &options).expect("zones");
    assert!(zones.problems.is_empty());
    let rehearsal = Rehearsal::new("chicago", fleet.devices(), zones.index, start);
    (fleet, rehearsal)
}

/// Low alerts are chores that may stand all day.
fn matters(severity: Severity) -> bool {
    severity > Severity::Low
}

#[test]
fn in_two_minutes_alerts_of_several_severities_fire_and_clear() {
    let (fleet, mut city) = chicago("2026-11-23T20:00:00Z");
    city.play(&fleet, 0, 120);
    let log = city.log(fleet.start());
    let fired: BTreeSet<_> = log
        .iter()
        .filter(|(_, _, kind, severity, _)| *kind == AlertEventKind::Fired && matters(*severity))
        .map(|(_, rule, ..)| *rule)
        .collect();
    let expected = ["air-episode", "lorawan-silent", "pm25-high", "water-level"];
    assert_eq!(fired, BTreeSet::from(expected), "{log:#?}");
    let severities: BTreeSet<_> = log.iter().map(|(_, _, _, severity, _)| *severity).collect();
    assert!(severities.contains(&Severity::Critical) && severities.len() >= 3, "{severities:?}");
    let mut standing: BTreeMap<&Subject, f64> = BTreeMap::new();
    let mut most = 0;
    for (at, _, kind, severity, subject) in &log {
        match kind {
            AlertEventKind::Fired if matters(*severity) => drop(standing.insert(subject, *at)),
            AlertEventKind::Resolved => drop(standing.remove(subject)),
            _ => {}
        }
        most = most.max(standing.len());
    }
    assert!(standing.is_empty(), "still standing after two minutes: {standing:#?}");
    assert!((4..=12).contains(&most), "{most} at once");
    let first = log.iter().find(|(_, _, _, severity, _)| matters(*severity)).expect("an alert");
    assert!((15.0..45.0).contains(&first.0), "{first:?}");
}

#[test]
fn a_dark_gateway_is_one_alert() {
    let (fleet, mut city) = chicago("2026-11-23T20:00:00Z");
    city.play(&fleet, 0, 120);
    let silent: Vec<_> =
        city.events.iter().filter(|event| &*event.alert.rule.id == "lorawan-silent").collect();
    let kinds: Vec<_> = silent.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [AlertEventKind::Fired, AlertEventKind::Resolved], "{silent:#?}");
    let dark = fleet.incidents().iter().find(|i| i.kind == IncidentKind::DarkGateway);
    let dark = dark.expect("a dark gateway");
    assert_eq!(silent[0].alert.subject.device().map(|id| &**id), Some(&*dark.devices[0]));
    let after = silent[0].at.since(stamp(dark.start)).secs_f64();
    assert!(after < 40.0, "told after {after} s");
}

#[test]
fn every_alert_of_twenty_minutes_is_true_and_every_incident_is_found() {
    let (fleet, mut city) = chicago("2026-11-24T13:40:00Z");
    city.play(&fleet, 0, 1_200);
    let matching = |rule: &str| match rule {
        "pm25-high" | "air-episode" => Some(IncidentKind::AirEpisode),
        "water-level" => Some(IncidentKind::RisingWater),
        "traffic-jam" => Some(IncidentKind::TrafficJam),
        "noise-high" => Some(IncidentKind::LoudEvent),
        "lorawan-silent" => Some(IncidentKind::DarkGateway),
        _ => None,
    };
    let mut found = BTreeSet::new();
    for event in city.events.iter().filter(|e| e.kind == AlertEventKind::Fired) {
        let (rule, at) = (&*event.alert.rule.id, event.at);
        if !matters(event.alert.severity) {
            continue;
        }
        let kind = matching(rule).unwrap_or_else(|| panic!("{rule} fired"));
        let cause = fleet.incidents().iter().find(|incident| {
            let near = stamp(incident.end) + city_model::Span::from_secs(60);
            incident.kind == kind && stamp(incident.start) <= at && at <= near
        });
        found.insert(cause.unwrap_or_else(|| panic!("{rule} has no cause at {at}")).number);
    }
    let end = fleet.start().as_millisecond() + 1_100_000;
    let over = fleet.incidents().iter().filter(|i| i.end.as_millisecond() < end);
    let missed: Vec<_> = over.filter(|incident| !found.contains(&incident.number)).collect();
    assert!(missed.is_empty() && found.len() >= 6, "missed {missed:#?}");
    let chores = city.events.iter().filter(|e| e.kind == AlertEventKind::Fired);
    let chores = chores.filter(|e| !matters(e.alert.severity)).count();
    assert!(chores <= 12, "{chores} chores in twenty minutes");
}

/// All rows of a sample, as the replay sends them and received at one instant years later.
fn sample(name: &str) -> Rehearsal {
    let dataset = Dataset::load(&assets("samples").join(name)).expect("a data set");
    let devices = text(dataset.devices.as_deref().expect("devices"));
    let devices: Vec<DeviceSpec> = serde_json::from_str(&devices).expect("the import shape");
    let now = "2026-11-23T20:00:00Z".parse().expect("a time");
    let nowhere = ZoneIndex::merge(Vec::new());
    let mut city = Rehearsal::new(&format!("samples/{name}"), &devices, nowhere, now);
    for uplink in dataset.uplinks().expect("readable") {
        city.receive(&uplink.expect("a row"), now);
    }
    city
}

fn counts(city: &Rehearsal) -> BTreeMap<(String, &'static str), usize> {
    let mut counts = BTreeMap::new();
    for event in &city.events {
        let what = match event.kind {
            AlertEventKind::Fired => "fired",
            AlertEventKind::Resolved => "resolved",
            _ => continue,
        };
        *counts.entry((event.alert.rule.id.to_string(), what)).or_insert(0) += 1;
    }
    counts
}

#[test]
fn the_sample_of_aarhus_has_jams_and_few_of_them() {
    let city = sample("aarhus");
    let counts = counts(&city);
    let total =
        |what| counts.iter().filter(|((_, w), _)| *w == what).map(|(_, n)| n).sum::<usize>();
    assert!((20..=100).contains(&total("fired")), "{counts:?}");
    assert!(total("resolved") * 10 >= total("fired") * 6, "{counts:?}");
    let streets =
        city.events.iter().filter_map(|e| e.alert.subject.device()).collect::<BTreeSet<_>>();
    assert!(streets.len() >= 15, "{streets:?}");
}

#[test]
fn the_sample_of_beijing_has_its_smog_episodes() {
    let city = sample("beijing");
    let counts = counts(&city);
    let of = |rule: &str, what| counts.get(&(rule.to_owned(), what)).copied().unwrap_or(0);
    // Twelve stations, two long episodes.
    assert!((12..=60).contains(&of("pm25-day", "fired")), "{counts:?}");
    assert!(of("pm25-day", "resolved") >= 20 && of("pm25-peak", "fired") >= 5, "{counts:?}");
    let critical = city.events.iter().filter(|event| event.alert.severity == Severity::Critical);
    let stations: BTreeSet<_> = critical.filter_map(|e| e.alert.subject.device()).collect();
    assert!(stations.len() >= 10, "{stations:?}");
}
