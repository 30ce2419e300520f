//! Payloads as `prost` writes them, and what tests send.

use prost::Message as _;

/// The payload as `prost` writes it, independent of how it is read here.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Sent {
    #[prost(uint64, optional, tag = "1")]
    pub(super) timestamp: Option<u64>,
    #[prost(message, repeated, tag = "2")]
    pub(super) metrics: Vec<SentMetric>,
    #[prost(uint64, optional, tag = "3")]
    pub(super) seq: Option<u64>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SentMetric {
    #[prost(string, optional, tag = "1")]
    pub(super) name: Option<String>,
    #[prost(uint64, optional, tag = "2")]
    pub(super) alias: Option<u64>,
    #[prost(uint64, optional, tag = "3")]
    pub(super) timestamp: Option<u64>,
    #[prost(uint32, optional, tag = "4")]
    pub(super) datatype: Option<u32>,
    #[prost(bool, optional, tag = "5")]
    pub(super) is_historical: Option<bool>,
    #[prost(bool, optional, tag = "6")]
    pub(super) is_transient: Option<bool>,
    #[prost(bool, optional, tag = "7")]
    pub(super) is_null: Option<bool>,
    #[prost(message, optional, tag = "9")]
    pub(super) properties: Option<SentProperties>,
    #[prost(oneof = "SentValue", tags = "10, 11, 12, 13, 14, 15, 16, 18")]
    pub(super) value: Option<SentValue>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum SentValue {
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
pub(super) struct SentTemplate {
    #[prost(message, repeated, tag = "2")]
    pub(super) metrics: Vec<SentMetric>,
    #[prost(bool, optional, tag = "5")]
    pub(super) is_definition: Option<bool>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SentProperties {
    #[prost(string, repeated, tag = "1")]
    pub(super) keys: Vec<String>,
    #[prost(message, repeated, tag = "2")]
    pub(super) values: Vec<SentProperty>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SentProperty {
    #[prost(uint32, optional, tag = "1")]
    pub(super) datatype: Option<u32>,
    #[prost(uint32, optional, tag = "3")]
    pub(super) int: Option<u32>,
    #[prost(string, optional, tag = "8")]
    pub(super) text: Option<String>,
}

pub(super) const START: i64 = 1_800_000_000;

pub(super) fn metric(name: &str, datatype: u32, value: SentValue) -> SentMetric {
    SentMetric {
        name: Some(name.to_owned()),
        datatype: Some(datatype),
        value: Some(value),
        ..SentMetric::default()
    }
}

pub(super) fn aliased(alias: u64, value: SentValue) -> SentMetric {
    SentMetric { alias: Some(alias), value: Some(value), ..SentMetric::default() }
}

pub(super) fn double(number: f64) -> SentValue {
    SentValue::Double(number)
}

pub(super) fn sent(seq: Option<u64>, metrics: Vec<SentMetric>) -> Vec<u8> {
    let timestamp = Some(START as u64 * 1_000);
    Sent { timestamp, metrics, seq }.encode_to_vec()
}

pub(super) fn bd_seq(number: u64) -> SentMetric {
    metric("bdSeq", 8, SentValue::Long(number))
}

pub(super) fn node_birth(bd: u64) -> Vec<u8> {
    let voltage =
        SentMetric { alias: Some(7), ..metric("Supply Voltage", 9, SentValue::Float(12.3)) };
    sent(Some(0), vec![bd_seq(bd), metric(REBIRTH, 11, SentValue::Boolean(false)), voltage])
}

pub(super) fn device_birth(seq: u64) -> Vec<u8> {
    let temperature = SentMetric { alias: Some(17), ..metric("Temperature", 10, double(21.25)) };
    sent(Some(seq), vec![temperature])
}

pub(super) const REBIRTH: &str = "Node Control/Rebirth";
