//! A host application against an edge node whose payloads another library encodes.

use city_model::Value;
use prost::Message as _;
use serde_json::{Value as Json, json};

use super::*;
use crate::Decoded;

/// The payload as `prost` writes it, independent of how it is read here.
#[derive(Clone, PartialEq, prost::Message)]
struct Sent {
    #[prost(uint64, optional, tag = "1")]
    timestamp: Option<u64>,
    #[prost(message, repeated, tag = "2")]
    metrics: Vec<SentMetric>,
    #[prost(uint64, optional, tag = "3")]
    seq: Option<u64>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct SentMetric {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(uint64, optional, tag = "2")]
    alias: Option<u64>,
    #[prost(uint64, optional, tag = "3")]
    timestamp: Option<u64>,
    #[prost(uint32, optional, tag = "4")]
    datatype: Option<u32>,
    #[prost(bool, optional, tag = "5")]
    is_historical: Option<bool>,
    #[prost(bool, optional, tag = "6")]
    is_transient: Option<bool>,
    #[prost(bool, optional, tag = "7")]
    is_null: Option<bool>,
    #[prost(message, optional, tag = "9")]
    properties: Option<SentProperties>,
    #[prost(oneof = "SentValue", tags = "10, 11, 12, 13, 14, 15, 16, 18")]
    value: Option<SentValue>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum SentValue {
    #[prost(uint32, tag = "10")]
    Int(u32),
    #[prost(uint64, tag = "11")]
    Long(u64),
    #[prost(float, tag = "12")]
    Float(f32),
    #[prost(double, tag = "13")]
    Double(f64),
    #[prost(bool, tag = "14")]
    Boolean(bool),
    #[prost(string, tag = "15")]
    Text(String),
    #[prost(bytes, tag = "16")]
    Bytes(Vec<u8>),
    #[prost(message, tag = "18")]
    Template(SentTemplate),
}

#[derive(Clone, PartialEq, prost::Message)]
struct SentTemplate {
    #[prost(message, repeated, tag = "2")]
    metrics: Vec<SentMetric>,
    #[prost(bool, optional, tag = "5")]
    is_definition: Option<bool>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct SentProperties {
    #[prost(string, repeated, tag = "1")]
    keys: Vec<String>,
    #[prost(message, repeated, tag = "2")]
    values: Vec<SentProperty>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct SentProperty {
    #[prost(uint32, optional, tag = "1")]
    datatype: Option<u32>,
    #[prost(uint32, optional, tag = "3")]
    int: Option<u32>,
    #[prost(string, optional, tag = "8")]
    text: Option<String>,
}

const START: i64 = 1_800_000_000;

fn metric(name: &str, datatype: u32, value: SentValue) -> SentMetric {
    SentMetric {
        name: Some(name.to_owned()),
        datatype: Some(datatype),
        value: Some(value),
        ..SentMetric::default()
    }
}

fn aliased(alias: u64, value: SentValue) -> SentMetric {
    SentMetric { alias: Some(alias), value: Some(value), ..SentMetric::default() }
}

fn double(number: f64) -> SentValue {
    SentValue::Double(number)
}

fn sent(seq: Option<u64>, metrics: Vec<SentMetric>) -> Vec<u8> {
    let timestamp = Some(START as u64 * 1_000);
    Sent { timestamp, metrics, seq }.encode_to_vec()
}

fn bd_seq(number: u64) -> SentMetric {
    metric("bdSeq", 8, SentValue::Long(number))
}

fn node_birth(bd: u64) -> Vec<u8> {
    let voltage =
        SentMetric { alias: Some(7), ..metric("Supply Voltage", 9, SentValue::Float(12.3)) };
    sent(Some(0), vec![bd_seq(bd), metric(REBIRTH, 11, SentValue::Boolean(false)), voltage])
}

fn device_birth(seq: u64) -> Vec<u8> {
    let temperature = SentMetric { alias: Some(17), ..metric("Temperature", 10, double(21.25)) };
    sent(Some(seq), vec![temperature])
}

const REBIRTH: &str = "Node Control/Rebirth";

/// A host with its clock.
struct Bench {
    decoder: Box<dyn Decoder>,
    now: Timestamp,
}

/// A value as one line: device, metric, value.
type Lines = Result<Vec<String>, DecodeErrorKind>;

impl Bench {
    fn new(options: &Json) -> Self {
        let decoder = SparkplugB.compile(options).expect("valid options");
        Self { decoder, now: Timestamp::from_secs(START) }
    }

    fn wait(&mut self, secs: i64) {
        self.now = Timestamp::from_millis(self.now.millis() + secs * 1_000);
    }

    fn full(&self, topic: &str, payload: &[u8]) -> Result<Vec<Decoded<'static>>, DecodeError> {
        self.message(topic, payload, false)
    }

    fn message(
        &self,
        topic: &str,
        payload: &[u8],
        replayed: bool,
    ) -> Result<Vec<Decoded<'static>>, DecodeError> {
        let topic = format!("spBv1.0/{topic}");
        let message = Message { replayed, ..Message::new(&topic, payload, self.now) };
        let mut out = Vec::new();
        self.decoder.decode(&message, &mut out)?;
        let owned = |text: Cow<'_, str>| -> Cow<'static, str> { Cow::Owned(text.into_owned()) };
        Ok(out
            .into_iter()
            .map(|value| Decoded {
                device: value.device.map(owned),
                unit: value.unit.map(owned),
                time: value.time,
                quality: value.quality,
                ..Decoded::new(owned(value.metric), value.value)
            })
            .collect())
    }

    fn hear(&self, topic: &str, payload: &[u8]) -> Lines {
        self.full(topic, payload).map(|values| lines(&values)).map_err(|error| error.kind)
    }

    fn replay(&self, topic: &str, payload: &[u8]) -> Lines {
        let values = self.message(topic, payload, true);
        values.map(|values| lines(&values)).map_err(|error| error.kind)
    }

    /// The topics of the commands since the last look; each must be a request for a rebirth.
    fn asked(&self) -> Vec<String> {
        let mut commands = Vec::new();
        self.decoder.commands(&mut commands);
        for command in &commands {
            let payload = Sent::decode(&*command.payload).expect("a payload");
            assert_eq!(payload.seq, None);
            assert_eq!(payload.timestamp, Some(self.now.millis() as u64));
            let [rebirth] = &*payload.metrics else { panic!("{payload:?}") };
            assert_eq!(rebirth.name.as_deref(), Some(REBIRTH));
            assert_eq!((rebirth.alias, rebirth.datatype), (None, Some(11)));
            assert_eq!(rebirth.value, Some(SentValue::Boolean(true)));
        }
        commands.into_iter().map(|command| command.topic).collect()
    }

    /// An edge node and its device, born.
    fn born(options: &Json) -> Self {
        let bench = Self::new(options);
        bench.hear("G/NBIRTH/N", &node_birth(3)).expect("a birth");
        bench.hear("G/DBIRTH/N/D", &device_birth(1)).expect("a birth");
        bench
    }
}

fn lines(values: &[Decoded<'_>]) -> Vec<String> {
    let line = |value: &Decoded<'_>| {
        let device = value.device.as_deref().unwrap_or("-");
        let text = match &value.value {
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            Value::Text(text) => format!("\"{text}\""),
        };
        format!("{device} {} {text}", value.metric)
    };
    values.iter().map(line).collect()
}

#[expect(clippy::unnecessary_wraps, reason = "to be compared with what was heard")]
fn good(lines: &[&str]) -> Lines {
    Ok(lines.iter().map(|line| (*line).to_owned()).collect())
}

fn data(seq: u64) -> Vec<u8> {
    sent(Some(seq), vec![aliased(17, double(22.5))])
}

#[test]
fn births_declare_what_the_aliases_in_data_mean() {
    let bench = Bench::new(&json!({}));
    assert_eq!(
        bench.hear("G/NBIRTH/N", &node_birth(0)),
        good(&["G/N online true", "G/N Supply Voltage 12.3"])
    );
    assert_eq!(
        bench.hear("G/DBIRTH/N/D", &device_birth(1)),
        good(&["G/N/D online true", "G/N/D Temperature 21.25"])
    );
    assert_eq!(bench.hear("G/DDATA/N/D", &data(2)), good(&["G/N/D Temperature 22.5"]));
    let voltage = sent(Some(3), vec![aliased(7, SentValue::Float(12.1))]);
    assert_eq!(bench.hear("G/NDATA/N", &voltage), good(&["G/N Supply Voltage 12.1"]));
    assert_eq!(bench.asked(), [""; 0]);
    let bench = Bench::born(&json!({"device": "last", "metrics": {"Temperature": "temperature"}}));
    assert_eq!(bench.hear("G/DDATA/N/D", &data(2)), good(&["D temperature 22.5"]));
}

#[test]
fn deaths_put_a_device_or_a_node_with_its_devices_offline() {
    let bench = Bench::born(&json!({}));
    let death = sent(Some(2), vec![]);
    assert_eq!(bench.hear("G/DDEATH/N/D", &death), good(&["G/N/D online false"]));
    assert_eq!(bench.hear("G/DDATA/N/D", &data(3)), Err(DecodeErrorKind::NoBirth));
    bench.asked();

    let mut bench = Bench::born(&json!({}));
    bench.wait(60);
    let will = sent(None, vec![bd_seq(3)]);
    let values = bench.full("G/NDEATH/N", &will).expect("a death");
    assert_eq!(lines(&values), ["G/N online false", "G/N/D online false"]);
    // The will's own time is that of the connect.
    assert!(values.iter().all(|value| value.time == Some(bench.now)));
    assert_eq!(bench.hear("G/DDATA/N/D", &data(2)), Err(DecodeErrorKind::NoBirth));
}

#[test]
fn a_death_of_an_earlier_session_says_nothing() {
    let bench = Bench::born(&json!({}));
    assert_eq!(bench.hear("G/NBIRTH/N", &node_birth(4)).map(|lines| lines.len()), Ok(2));
    let late = sent(None, vec![bd_seq(3)]);
    assert_eq!(bench.hear("G/NDEATH/N", &late), good(&[]));
    let voltage = sent(Some(1), vec![aliased(7, SentValue::Float(12.1))]);
    assert_eq!(bench.hear("G/NDATA/N", &voltage), good(&["G/N Supply Voltage 12.1"]));
    // A device that was online is so until it is born again or dies with its node.
    let death = sent(None, vec![bd_seq(4)]);
    assert_eq!(bench.hear("G/NDEATH/N", &death), good(&["G/N online false", "G/N/D online false"]));
}

#[test]
fn data_before_a_birth_ask_for_it_once_in_a_while_and_can_be_replayed() {
    let mut bench = Bench::new(&json!({"rebirth_interval": "30s"}));
    assert_eq!(bench.hear("G/DDATA/N/D", &data(9)), Err(DecodeErrorKind::NoBirth));
    assert_eq!(bench.asked(), ["spBv1.0/G/NCMD/N"]);
    bench.wait(29);
    assert_eq!(bench.hear("G/DDATA/N/D", &data(10)), Err(DecodeErrorKind::NoBirth));
    assert_eq!(bench.asked(), [""; 0]);
    bench.wait(1);
    assert_eq!(bench.hear("G/DDATA/N/D", &data(11)), Err(DecodeErrorKind::NoBirth));
    assert_eq!(bench.asked(), ["spBv1.0/G/NCMD/N"]);
    assert_eq!(bench.replay("G/DDATA/N/D", &data(9)), Err(DecodeErrorKind::NoBirth));
    bench.wait(60);
    assert_eq!(bench.replay("G/DDATA/N/D", &data(9)), Err(DecodeErrorKind::NoBirth));
    assert_eq!(bench.asked(), [""; 0], "a replay is no news");
    bench.hear("G/NBIRTH/N", &node_birth(0)).expect("a birth");
    bench.hear("G/DBIRTH/N/D", &device_birth(1)).expect("a birth");
    assert_eq!(bench.replay("G/DDATA/N/D", &data(9)), good(&["G/N/D Temperature 22.5"]));
    bench.wait(60);
    assert_eq!(bench.hear("G/DDATA/N/D", &data(2)), good(&["G/N/D Temperature 22.5"]));
    assert_eq!(bench.asked(), [""; 0], "the replay did not count as message 9");
}

#[test]
fn data_that_say_everything_themselves_are_read_without_a_birth() {
    let bench = Bench::new(&json!({}));
    let named = sent(Some(5), vec![metric("Level", 10, double(1.5))]);
    assert_eq!(bench.hear("G/NDATA/N", &named), good(&["G/N Level 1.5"]));
    assert_eq!(bench.asked(), ["spBv1.0/G/NCMD/N"]);
    let untyped = SentMetric { datatype: None, ..metric("Count", 1, SentValue::Int(4)) };
    assert_eq!(
        bench.hear("G/NDATA/N", &sent(Some(6), vec![untyped])),
        Err(DecodeErrorKind::NoBirth),
        "signed or not?"
    );
}

#[test]
fn an_unknown_alias_or_another_data_type_asks_for_a_birth() {
    let bench = Bench::born(&json!({}));
    let unknown = sent(Some(2), vec![aliased(17, double(1.0)), aliased(99, double(1.0))]);
    assert_eq!(bench.hear("G/DDATA/N/D", &unknown), Err(DecodeErrorKind::NoBirth));
    assert_eq!(bench.asked(), ["spBv1.0/G/NCMD/N"]);
    let bench = Bench::born(&json!({}));
    let other = SentMetric { datatype: Some(9), ..aliased(17, SentValue::Float(1.0)) };
    let error = bench.full("G/DDATA/N/D", &sent(Some(2), vec![other])).expect_err("another type");
    assert_eq!(error.kind, DecodeErrorKind::NoBirth);
    assert!(error.message.contains("`Temperature` has data type 9, and 10"), "{error}");
    assert_eq!(bench.asked(), ["spBv1.0/G/NCMD/N"]);
}

#[test]
fn a_gap_asks_for_a_birth_when_the_reorder_timeout_is_over() {
    let mut bench = Bench::born(&json!({"reorder_timeout": "2s"}));
    assert!(bench.hear("G/DDATA/N/D", &data(3)).is_ok(), "2 is missing; each has its own time");
    bench.wait(1);
    assert!(bench.hear("G/DDATA/N/D", &data(4)).is_ok());
    assert_eq!(bench.asked(), [""; 0]);
    bench.wait(1);
    // The clock is that of the messages, whoever sends them.
    assert!(bench.hear("G/NBIRTH/Other", &node_birth(0)).is_ok());
    assert_eq!(bench.asked(), ["spBv1.0/G/NCMD/N"]);
    // Until the birth comes it is asked again, but not too often.
    bench.wait(29);
    assert!(bench.hear("G/DDATA/N/D", &data(5)).is_ok());
    assert_eq!(bench.asked(), [""; 0]);
    bench.wait(1);
    assert!(bench.hear("G/DDATA/N/D", &data(6)).is_ok());
    assert_eq!(bench.asked(), ["spBv1.0/G/NCMD/N"]);
    bench.hear("G/NBIRTH/N", &node_birth(3)).expect("a birth");
    bench.wait(60);
    bench.hear("G/DBIRTH/N/D", &device_birth(1)).expect("a birth");
    assert_eq!(bench.asked(), [""; 0]);
}

#[test]
fn a_gap_that_closes_in_time_asks_for_nothing() {
    let mut bench = Bench::born(&json!({"reorder_timeout": "2s"}));
    for seq in [4, 3, 2] {
        assert!(bench.hear("G/DDATA/N/D", &data(seq)).is_ok());
    }
    bench.wait(60);
    assert!(bench.hear("G/DDATA/N/D", &data(5)).is_ok());
    for seq in (6..=255).chain(0..=3) {
        assert!(bench.hear("G/DDATA/N/D", &data(seq)).is_ok());
    }
    bench.wait(60);
    assert!(bench.hear("G/DDATA/N/D", &data(4)).is_ok());
    assert_eq!(bench.asked(), [""; 0]);
}

#[test]
fn after_a_restart_of_the_host_everything_is_asked_for_again() {
    let before = Bench::born(&json!({}));
    assert!(before.hear("G/DDATA/N/D", &data(2)).is_ok());
    let after = Bench::new(&json!({}));
    assert_eq!(after.hear("G/DDATA/N/D", &data(3)), Err(DecodeErrorKind::NoBirth));
    assert_eq!(after.asked(), ["spBv1.0/G/NCMD/N"]);
    // A device that is born meanwhile is understood, though its node is not.
    assert!(after.hear("G/DBIRTH/N/E", &device_birth(4)).is_ok());
    assert_eq!(after.hear("G/DDATA/N/E", &data(5)), good(&["G/N/E Temperature 22.5"]));
    let voltage = sent(Some(6), vec![aliased(7, SentValue::Float(12.1))]);
    assert_eq!(after.hear("G/NDATA/N", &voltage), Err(DecodeErrorKind::NoBirth));
    let death = sent(None, vec![bd_seq(8)]);
    assert_eq!(after.hear("G/NDEATH/N", &death), good(&["G/N online false", "G/N/E online false"]));
}

/// The data types' table with values that signed and unsigned integers share on the wire.
#[test]
fn every_data_type_is_a_reading_or_none() {
    let bench = Bench::new(&json!({}));
    let minus_one = u64::MAX;
    let cases = [
        (1, SentValue::Int(u32::MAX), Some("-1")),
        (1, SentValue::Int(0x80), Some("-128")),
        (2, SentValue::Int(0xffff_8000), Some("-32768")),
        (3, SentValue::Int(0x8000_0000), Some("-2147483648")),
        (4, SentValue::Long(minus_one), Some("-1")),
        (5, SentValue::Int(255), Some("255")),
        (7, SentValue::Int(u32::MAX), Some("4294967295")),
        (7, SentValue::Long(4_294_967_295), Some("4294967295")),
        (8, SentValue::Long(u64::MAX), Some("18446744073709552000")),
        (9, SentValue::Float(36.6), Some("36.6")),
        (9, SentValue::Float(f32::NAN), None),
        (10, double(-0.1), Some("-0.1")),
        (10, double(f64::INFINITY), None),
        (11, SentValue::Boolean(true), Some("true")),
        (12, SentValue::Text("on".into()), Some("\"on\"")),
        (13, SentValue::Long(1_486_144_502_122), Some("\"2017-02-03T17:55:02.122Z\"")),
        (14, SentValue::Text("note".into()), Some("\"note\"")),
        (15, SentValue::Text("6ba7b810".into()), Some("\"6ba7b810\"")),
        (17, SentValue::Bytes(vec![1, 2]), None),
        (22, SentValue::Bytes(vec![1, 2]), None),
    ];
    for (datatype, value, expected) in cases {
        let birth = sent(Some(0), vec![metric("x", datatype, value.clone())]);
        let mut expected_lines = vec!["G/N online true".to_owned()];
        expected_lines.extend(expected.map(|expected| format!("G/N x {expected}")));
        assert_eq!(bench.hear("G/NBIRTH/N", &birth), Ok(expected_lines), "{datatype} {value:?}");
    }
    for (datatype, value) in [(1, double(1.0)), (11, SentValue::Int(1)), (12, double(1.0))] {
        let birth = sent(Some(0), vec![metric("x", datatype, value)]);
        assert_eq!(bench.hear("G/NBIRTH/N", &birth), Err(DecodeErrorKind::BadValue));
        // What is wrong with one value does not make the node unborn.
        let known = sent(Some(1), vec![metric("y", 10, double(1.0))]);
        assert_eq!(bench.hear("G/NDATA/N", &known), good(&["G/N y 1"]));
        assert_eq!(bench.asked(), [""; 0]);
    }
}

#[test]
fn null_and_transient_values_are_none_and_historical_ones_have_their_time() {
    let bench = Bench::born(&json!({}));
    let earlier = (START as u64 - 3_600) * 1_000;
    let historical = SentMetric {
        timestamp: Some(earlier),
        is_historical: Some(true),
        ..aliased(17, double(19.0))
    };
    let null = SentMetric { is_null: Some(true), value: None, ..aliased(17, double(0.0)) };
    let transient = SentMetric { is_transient: Some(true), ..aliased(17, double(5.0)) };
    let payload = sent(Some(2), vec![historical, null.clone(), transient]);
    let values = bench.full("G/DDATA/N/D", &payload).expect("values");
    assert_eq!(lines(&values), ["G/N/D Temperature 19"]);
    assert_eq!(values[0].time, Some(Timestamp::from_secs(START - 3_600)));
    assert_eq!(bench.hear("G/DDATA/N/D", &sent(Some(3), vec![null])), good(&[]));
}

#[test]
fn properties_give_unit_and_quality() {
    let with = |unit: Option<&str>, quality: Option<u32>| {
        let mut properties = SentProperties { keys: vec!["Low".into()], values: vec![] };
        properties.values.push(SentProperty { int: Some(3), ..SentProperty::default() });
        if let Some(quality) = quality {
            properties.keys.push("Quality".into());
            properties.values.push(SentProperty {
                datatype: Some(3),
                int: Some(quality),
                text: None,
            });
        }
        if let Some(unit) = unit {
            properties.keys.push("engUnit".into());
            properties.values.push(SentProperty {
                datatype: Some(12),
                int: None,
                text: Some(unit.into()),
            });
        }
        Some(properties)
    };
    let bench = Bench::new(&json!({}));
    let level = SentMetric {
        alias: Some(1),
        properties: with(Some("cm"), Some(192)),
        ..metric("Level", 10, double(1.0))
    };
    let values = bench.full("G/NBIRTH/N", &sent(Some(0), vec![level])).expect("values");
    assert_eq!((values[1].unit.as_deref(), values[1].quality), (Some("cm"), None));
    for (seq, (code, expected)) in (1..).zip([
        (None, None),
        (Some(192), None),
        (Some(0), Some(Quality::Fail)),
        (Some(500), Some(Quality::Suspect)),
        (Some(64), Some(Quality::Suspect)),
    ]) {
        let level = SentMetric { properties: with(None, code), ..aliased(1, double(2.0)) };
        let values = bench.full("G/NDATA/N", &sent(Some(seq), vec![level])).expect("values");
        assert_eq!((values[0].unit.as_deref(), values[0].quality), (Some("cm"), expected));
    }
}

#[test]
fn members_of_templates_are_metrics_and_definitions_are_not() {
    let bench = Bench::new(&json!({}));
    let members =
        vec![metric("rpm", 3, SentValue::Int(900)), metric("hot", 11, SentValue::Boolean(false))];
    let motor = |definition| {
        let template = SentTemplate { metrics: members.clone(), is_definition: Some(definition) };
        SentValue::Template(template)
    };
    let outer = SentTemplate {
        metrics: vec![metric("motor", 19, motor(false))],
        is_definition: Some(false),
    };
    let birth = sent(
        Some(0),
        vec![metric("Motor", 19, motor(true)), metric("Pump", 19, SentValue::Template(outer))],
    );
    assert_eq!(
        bench.hear("G/NBIRTH/N", &birth),
        good(&["G/N online true", "G/N Pump/motor/rpm 900", "G/N Pump/motor/hot false"])
    );
    let mut deep = motor(false);
    for _ in 0..MAX_TEMPLATES {
        let metrics = vec![metric("x", 19, deep)];
        deep = SentValue::Template(SentTemplate { metrics, is_definition: None });
    }
    let birth = sent(Some(0), vec![metric("Deep", 19, deep)]);
    assert_eq!(bench.hear("G/NBIRTH/N", &birth), Err(DecodeErrorKind::TooDeep));
}

#[test]
fn what_is_kept_is_bounded_and_idle_nodes_make_room() {
    let bench = Bench::new(&json!({"max_nodes": 2, "max_metrics": 7}));
    assert!(bench.hear("G/NDATA/A", &data(0)).is_err());
    assert!(bench.hear("G/NDATA/B", &data(0)).is_err());
    assert!(bench.hear("G/NBIRTH/C", &node_birth(0)).is_ok(), "an unborn one makes room");
    assert!(bench.hear("G/NBIRTH/D", &node_birth(0)).is_ok());
    assert_eq!(bench.hear("G/NBIRTH/E", &node_birth(0)), Err(DecodeErrorKind::TooManyValues));
    assert_eq!(bench.hear("G/DBIRTH/C/X", &device_birth(1)), Err(DecodeErrorKind::TooManyValues));
    bench.hear("G/NDEATH/C", &sent(None, vec![bd_seq(0)])).expect("a death");
    assert!(bench.hear("G/NBIRTH/E", &node_birth(0)).is_ok());
    for _ in 0..5 {
        assert!(bench.hear("G/NBIRTH/E", &node_birth(0)).is_ok(), "its own place is reused");
    }
    bench.hear("G/NDEATH/D", &sent(None, vec![bd_seq(0)])).expect("a death");
    for seq in 1..5 {
        assert!(bench.hear("G/DBIRTH/E/X", &device_birth(seq)).is_ok());
    }
}

#[test]
fn other_topics_and_payloads_say_what_is_wrong() {
    let bench = Bench::new(&json!({}));
    for topic in ["STATE/host1", "G/NCMD/N", "G/DCMD/N/D"] {
        assert_eq!(bench.hear(topic, b"{}"), good(&[]), "{topic}");
    }
    for topic in
        ["G", "G/NBIRTH", "G/NBIRTH/N/D", "G/DBIRTH/N", "G/DDATA/N/D/E", "G/PING/N", "/NDATA/N"]
    {
        assert_eq!(bench.hear(topic, &node_birth(0)), Err(DecodeErrorKind::WrongShape), "{topic}");
    }
    for payload in [&b"{\"a\":1}"[..], &[0x0a], &[0x12, 5, 0], &[0xff; 12], &[0x12, 2, 0x0a, 0xff]]
    {
        assert_eq!(bench.hear("G/NBIRTH/N", payload), Err(DecodeErrorKind::Malformed));
    }
    // A message without metrics is a sign of life.
    assert_eq!(bench.hear("G/NBIRTH/N", &sent(Some(0), vec![])), good(&["G/N online true"]));
    assert_eq!(bench.hear("G/NDATA/N", &sent(Some(1), vec![])), good(&[]));
    let id = "d".repeat(130);
    assert_eq!(
        bench.hear(&format!("G/DDATA/N/{id}"), &sent(Some(1), vec![])),
        Err(DecodeErrorKind::BadDevice)
    );
    let late = Sent { timestamp: Some(u64::MAX), metrics: vec![], seq: Some(0) }.encode_to_vec();
    assert_eq!(bench.hear("G/NBIRTH/N", &late), Err(DecodeErrorKind::BadTime));
}

#[test]
fn very_many_metrics_are_refused_without_much_memory() {
    let bench = Bench::new(&json!({"max_payload": 4_000_000}));
    let payload = [0x12, 0].repeat(limits::MAX_VALUES + 1);
    assert_eq!(bench.hear("G/NBIRTH/N", &payload), Err(DecodeErrorKind::TooManyValues));
}

#[test]
fn bad_options_name_the_key() {
    for (options, key) in [
        (json!({"device": "id"}), "device"),
        (json!({"reorder_timeout": "soon"}), "reorder_timeout"),
        (json!({"rebirth_interval": 5}), "rebirth_interval"),
        (json!({"max_nodes": 0}), "max_nodes"),
        (json!({"max_metrics": 1e12}), "max_metrics"),
    ] {
        let Err(error) = SparkplugB.compile(&options) else { panic!("{options}") };
        assert_eq!(error.key(), Some(key), "{error}");
    }
}

/// 303 assertions, each once: 94 bind a host, 77 of them are kept whole.
#[test]
fn the_table_of_assertions_names_each_id_once_and_tests_that_are_there() {
    const TABLE: &str = include_str!("../../../testdata/sparkplug/HOST_ASSERTIONS.md");
    const IDS: &str = include_str!("../../../testdata/sparkplug/assertion_ids.txt");
    const TESTS: [&str; 3] = [
        include_str!("tests.rs"),
        include_str!("../../../../collect/src/sparkplug.rs"),
        include_str!("../../../../collect/tests/it/sparkplug.rs"),
    ];
    let mut ids: Vec<&str> = IDS.lines().collect();
    let mut named: Vec<&str> =
        TABLE.split('`').skip(1).step_by(2).filter(|name| name.starts_with("tck-id-")).collect();
    ids.sort_unstable();
    named.sort_unstable();
    assert_eq!(named, ids);
    let (mut rows, mut kept) = (0, 0);
    for row in TABLE.lines().filter(|line| line.starts_with("| `tck-id-")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let (verdict, test, remark) = (cells[2], cells[3].trim_matches('`'), cells[4]);
        rows += 1;
        kept += usize::from(verdict == "yes");
        assert!(verdict == "yes" || !remark.is_empty(), "no reason: {row}");
        assert!(verdict == "no" || test != "–", "no test: {row}");
        let there = |source: &&str| source.contains(&format!("fn {test}()"));
        assert!(test == "–" || TESTS.iter().any(there), "no such test: {row}");
    }
    assert_eq!((ids.len(), rows, kept), (303, 94, 77));
}
