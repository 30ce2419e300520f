//! The platform's decoders understand what the simulated devices send, under the source
//! configuration that ships with the demo.

use std::collections::BTreeMap;

use city_decode::{Decoded, Decoder, Message, topic::TopicTemplate};
use city_model::{Catalogue, Timestamp, Value, unit};
use firmware_sim::{FORMATS, Fleet, Record, Sample, Scenario};

const ZONES: &str = include_str!("../../crates/citybrain/assets/chicago/zones.geojson");
const SOURCES: &str = include_str!("../../crates/citybrain/assets/chicago/sources.toml");

struct Source {
    id: String,
    topic: TopicTemplate,
    decoder: Box<dyn Decoder>,
}

fn sources(text: &str) -> Vec<Source> {
    let file: toml::Table = text.parse().expect("TOML");
    let list = file["source"].as_array().expect("[[source]]");
    list.iter()
        .map(|source| {
            let text = |key: &str| source[key].as_str().expect("a text");
            assert_eq!(source["simulated"].as_bool(), Some(true));
            let options = source.get("options").cloned().unwrap_or(toml::Table::new().into());
            let options = serde_json::to_value(options).expect("JSON");
            let format = city_decode::format(text("format")).expect("a format");
            Source {
                id: text("id").to_owned(),
                topic: TopicTemplate::parse(text("topic")).expect("a template"),
                decoder: format.compile(&options).expect("valid options"),
            }
        })
        .collect()
}

fn in_catalogue(catalogue: &Catalogue, metric: &str, unit: Option<&str>, value: f64) -> f64 {
    let known = catalogue.by_id(metric).unwrap_or_else(|| panic!("`{metric}` is no metric"));
    let from = unit.unwrap_or(&known.unit);
    unit::conversion(from, &known.unit).unwrap_or_else(|e| panic!("{metric}: {e}")).apply(value)
}

fn check(decoded: &[Decoded<'_>], records: &[Record<'_>], captured: Option<&str>) {
    let catalogue = Catalogue::embedded();
    let expected: Vec<(&Record<'_>, &Sample)> =
        records.iter().flat_map(|r| r.samples.iter().map(move |s| (r, s))).collect();
    assert_eq!(decoded.len(), expected.len());
    let key =
        |device: &str, metric: &str, micros: i64| (device.to_owned(), metric.to_owned(), micros);
    let mut found: BTreeMap<_, _> = decoded
        .iter()
        .map(|value| {
            let device = value.device.as_deref().or(captured).expect("a device");
            let time = value.time.expect("every message carries its time");
            (key(device, &value.metric, time.micros()), value)
        })
        .collect();
    for (record, sample) in expected {
        let at = key(&record.device.id, sample.metric, record.time.as_microsecond());
        let value = found.remove(&at).unwrap_or_else(|| panic!("{at:?} is missing"));
        let number = match &value.value {
            Value::Number(number) => *number,
            Value::Bool(state) => f64::from(u8::from(*state)),
            Value::Text(text) => panic!("{text}"),
        };
        let got = in_catalogue(&catalogue, &value.metric, value.unit.as_deref(), number);
        let sent =
            in_catalogue(&catalogue, sample.metric, Some(sample.unit), sample.value.as_f64());
        assert!((got - sent).abs() < 1e-9, "{at:?}: {got}, not {sent}");
        assert_eq!(value.position, record.position, "{at:?}");
    }
}

#[test]
fn every_device_is_understood_live_and_in_batches() {
    let start: jiff::Timestamp = "2026-11-23T14:30:00Z".parse().expect("a time");
    let scenario = Scenario::chicago();
    let fleet = Fleet::new(&scenario, ZONES, start).expect("a city");
    let sources = sources(SOURCES);
    let mut used = BTreeMap::new();
    for (index, device) in fleet.devices().iter().enumerate() {
        let group = scenario.devices.iter().find(|group| group.kind == device.kind);
        let format = group.expect("it has a group").format.as_str();
        let encoder = FORMATS.iter().find(|f| f.name() == format).expect("a format");
        let record = |seconds: i64| {
            let time = start + jiff::SignedDuration::from_millis(seconds * 1_000 + 125);
            let position = device.moving.then(|| fleet.position_at(index, time)).flatten();
            let samples = fleet.values_at(index, time);
            Record { device, time, samples, position, counter: 3, seed: index as u64 }
        };
        for records in [vec![record(0)], vec![record(-600), record(-300)]] {
            let uplinks = encoder.encode(&records);
            let alone = uplinks.len() == records.len();
            for (n, uplink) in uplinks.iter().enumerate() {
                let fits = |source: &&Source| source.topic.capture(&uplink.topic).is_some();
                let source = sources.iter().find(fits).expect("a source for the topic");
                *used.entry(source.id.clone()).or_insert(0) += 1;
                let received = Timestamp::from_millis(start.as_millisecond());
                let message = Message::new(&uplink.topic, &uplink.payload, received);
                let mut decoded = Vec::new();
                source.decoder.decode(&message, &mut decoded).expect("decodes");
                assert_eq!(decoded.len(), uplink.readings as usize);
                let capture = source.topic.capture(&uplink.topic).expect("it fits");
                let which = if alone { &records[n..=n] } else { &records[..] };
                check(&decoded, which, capture.device);
            }
        }
    }
    assert_eq!(used.len(), sources.len(), "every source has messages: {used:?}");
}
