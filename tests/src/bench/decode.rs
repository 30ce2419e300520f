//! `decode`: payloads a second of every format on one core, beside the bare parser on the same
//! bytes in the same run: serde_json to a `Value`, ciborium to a `Value`, prost to its message,
//! csv to records. Formats with a syntax of their own have no bare parser to stand beside.
//!
//! The decoder does more than the parser: it checks limits, names, times and numbers, and maps
//! names to metrics. What it gives is thrown away.
//!
//! Codecs in JavaScript: frames a second by the clock through the embedded engine, 200 at a time as
//! the pipeline hands them over, beside the built-in codec for Cayenne LPP. While the codec's thread
//! works, this one waits: together they use one core.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use city_codec::{JsCodec, Limits};
use city_decode::{
    Codec, CodecOutput, Decoded, Decoder, FORMATS, Frame, Message, built_in, recycle,
};
use city_model::Timestamp;
use prost::Message as _;
use serde_json::{Map, json};

use super::{Report, Samples, Scale};

/// Frames of one batch.
const BATCH: usize = 200;

const RECEIVED: Timestamp = Timestamp::from_secs(1_795_422_600);

/// A message with what decodes it and what is only able to parse it.
struct Case {
    name: String,
    topic: &'static str,
    payload: Vec<u8>,
    decoder: Box<dyn Decoder>,
    bare: Option<Bare>,
}

/// A parser that knows nothing of what it parses, except where there is no other way.
#[derive(Clone, Copy)]
struct Bare {
    name: &'static str,
    parse: fn(&[u8]) -> bool,
}

const SERDE_JSON: Bare = Bare {
    name: "serde_json_value",
    parse: |bytes| black_box(serde_json::from_slice::<serde_json::Value>(bytes)).is_ok(),
};
const CIBORIUM: Bare = Bare {
    name: "ciborium_value",
    parse: |bytes| black_box(ciborium::from_reader::<ciborium::Value, _>(bytes)).is_ok(),
};
const PROST_UPLINK: Bare =
    Bare { name: "prost_message", parse: |bytes| black_box(Uplink::decode(bytes)).is_ok() };
const PROST_SPARKPLUG: Bare =
    Bare { name: "prost_message", parse: |bytes| black_box(Payload::decode(bytes)).is_ok() };
const CSV: Bare = Bare {
    name: "csv_records",
    parse: |bytes| {
        let mut reader = csv::ReaderBuilder::new().delimiter(b';').from_reader(bytes);
        reader.byte_records().all(|record| black_box(record).is_ok())
    },
};

pub(super) fn run(scale: Scale) -> anyhow::Result<Report> {
    let (runs, time) = match scale {
        Scale::Quick => (1, Duration::from_millis(20)),
        Scale::Full => (5, Duration::from_millis(300)),
    };
    let cases = cases()?;
    let mut samples = Samples::default();
    // Names of figures live as long as the program; they are made once.
    let names: Vec<(&'static str, Option<&'static str>)> = cases
        .iter()
        .map(|case| {
            let figure: &'static str = format!("{}_per_s", case.name).leak();
            let bare = case.bare.map(|bare| &*format!("{}_{}", case.name, bare.name).leak());
            (figure, bare)
        })
        .collect();
    let codec = js_codec()?;
    let cayenne = built_in("cayenne_lpp").context("the built-in codec")?;
    for run in 1..=runs {
        eprintln!("run {run} of {runs}");
        for (case, (figure, bare)) in cases.iter().zip(&names) {
            samples.add(figure, decoded_per_s(case, time)?);
            if let (Some(bare), Some(name)) = (case.bare, bare) {
                samples.add(name, parsed_per_s(bare, &case.payload, time)?);
            }
        }
        samples.add("js_codec_frames_per_s", frames_per_s(&*codec, &ELSYS_FRAME, time)?);
        samples.add("cayenne_frames_per_s", frames_per_s(&*cayenne, &CAYENNE_FRAME, time)?);
    }
    let mut figures = Vec::new();
    for (case, (figure, bare)) in cases.iter().zip(&names) {
        let mut made = samples.figure(figure, "1/s", *bare, "");
        let megabytes = made.value * case.payload.len() as f64 / 1e6;
        made.note = format!("{megabytes:.0} MB/s, {} bytes each", case.payload.len());
        figures.push(made);
        figures.extend(bare.map(|bare| samples.figure(bare, "1/s", None, "")));
    }
    let note = "elsys.js, 16 bytes, 5 values, 200 at a time";
    let baseline = Some("cayenne_frames_per_s");
    figures.push(samples.figure("js_codec_frames_per_s", "1/s", baseline, note));
    figures.push(samples.figure("cayenne_frames_per_s", "1/s", None, "the built-in codec"));
    Ok(Report::new("decode", runs, figures))
}

fn cases() -> anyhow::Result<Vec<Case>> {
    let mut cases = Vec::new();
    for format in FORMATS {
        let example = format.example();
        let payload = example.bytes();
        let is_json = serde_json::from_slice::<serde_json::Value>(&payload).is_ok();
        let bare = match format.name() {
            "csv" => Some(CSV),
            "sparkplug_b" => Some(PROST_SPARKPLUG),
            _ => is_json.then_some(SERDE_JSON),
        };
        let decoder = format.compile(&serde_json::from_str(example.options)?)?;
        let name = format.name().to_owned();
        cases.push(Case { name, topic: example.topic, payload, decoder, bare });
    }
    cases.push(other("senml", "senml_cbor", "s", &json!({}), senml_cbor()?, CIBORIUM)?);
    let topic = "application/ca739e26/device/24e124136b502217/event/up";
    let protobuf = json!({"encoding": "protobuf"});
    let payload = Uplink::example().encode_to_vec();
    cases.push(other(
        "chirpstack",
        "chirpstack_protobuf",
        topic,
        &protobuf,
        payload,
        PROST_UPLINK,
    )?);
    Ok(cases)
}

/// A format with another encoding than that of its example.
fn other(
    format: &str,
    name: &str,
    topic: &'static str,
    options: &serde_json::Value,
    payload: Vec<u8>,
    bare: Bare,
) -> anyhow::Result<Case> {
    let format = city_decode::format(format).context("the format")?;
    let decoder = format.compile(options)?;
    Ok(Case { name: name.to_owned(), topic, payload, decoder, bare: Some(bare) })
}

/// The example of the SenML format, in CBOR with RFC 8428's labels.
fn senml_cbor() -> anyhow::Result<Vec<u8>> {
    use ciborium::Value;
    let label = |name: &str| match name {
        "bn" => -2,
        "bt" => -3,
        "bu" => -4,
        "u" => 1,
        "v" => 2,
        "vs" => 3,
        "vb" => 4,
        "t" => 6,
        _ => 0,
    };
    let example = city_decode::format("senml").context("the format")?.example();
    let records: Vec<Map<String, serde_json::Value>> = serde_json::from_str(example.payload)?;
    let records = records.into_iter().map(|record| {
        let entries = record.into_iter().map(|(name, value)| {
            let value = match value {
                serde_json::Value::String(text) => Value::Text(text),
                serde_json::Value::Bool(flag) => Value::Bool(flag),
                number => Value::Float(number.as_f64().unwrap_or_default()),
            };
            (Value::from(label(&name)), value)
        });
        Value::Map(entries.collect())
    });
    let mut bytes = Vec::new();
    ciborium::into_writer(&Value::Array(records.collect()), &mut bytes)?;
    Ok(bytes)
}

fn decoded_per_s(case: &Case, time: Duration) -> anyhow::Result<f64> {
    let message = Message::new(case.topic, &case.payload, RECEIVED);
    let mut out: Vec<Decoded<'_>> = Vec::new();
    let mut commands = Vec::new();
    repeat(time, || {
        let decoded = case.decoder.decode(&message, &mut out);
        case.decoder.commands(&mut commands);
        let fine = decoded.is_ok() && !black_box(&out).is_empty();
        out = recycle(std::mem::take(&mut out));
        fine
    })
    .with_context(|| format!("the example of {}", case.name))
}

fn parsed_per_s(bare: Bare, payload: &[u8], time: Duration) -> anyhow::Result<f64> {
    repeat(time, || (bare.parse)(black_box(payload))).context(bare.name)
}

/// Frames that come as the pipeline has them: those of a batch of messages together.
fn frames_per_s(codec: &dyn Codec, bytes: &[u8], time: Duration) -> anyhow::Result<f64> {
    let frames = [Frame { device: "bench", bytes, f_port: Some(5), received: RECEIVED }; BATCH];
    let mut out = Vec::with_capacity(BATCH);
    let fine = |of: &Result<CodecOutput, _>| of.as_ref().is_ok_and(|out| !out.values.is_empty());
    let batches = repeat(time, || {
        out.clear();
        codec.decode_uplinks(&frames, &mut out);
        black_box(&out).iter().all(fine)
    });
    Ok(batches.context("the frames")? * BATCH as f64)
}

/// How often a second the work can be done on this thread.
fn repeat(time: Duration, mut work: impl FnMut() -> bool) -> anyhow::Result<f64> {
    let started = Instant::now();
    let mut times = 0_u64;
    while started.elapsed() < time {
        for _ in 0..16 {
            ensure!(work(), "was not understood");
        }
        times += 16;
    }
    Ok(times as f64 / started.elapsed().as_secs_f64())
}

/// Temperature, humidity, light, motion and battery of an ELSYS sensor.
const ELSYS_FRAME: [u8; 16] = [1, 0, 226, 2, 41, 4, 0, 39, 5, 6, 6, 3, 8, 7, 13, 98];

/// Temperature, humidity and an analogue input.
const CAYENNE_FRAME: [u8; 11] = [1, 0x67, 1, 0x10, 2, 0x68, 0x50, 3, 2, 0x0e, 0x10];

fn js_codec() -> anyhow::Result<Arc<dyn Codec>> {
    let source = include_str!("../../../crates/codec/testdata/codecs/elsys.js");
    Ok(Arc::new(JsCodec::new("elsys.js", source, &Map::new(), Limits::default())?))
}

/// ChirpStack's `integration.UplinkEvent`, as far as an uplink of two values needs it.
#[derive(Clone, PartialEq, prost::Message)]
struct Uplink {
    #[prost(string, tag = "1")]
    deduplication_id: String,
    #[prost(message, optional, tag = "2")]
    time: Option<Instants>,
    #[prost(message, optional, tag = "3")]
    device_info: Option<DeviceInfo>,
    #[prost(uint32, tag = "7")]
    f_cnt: u32,
    #[prost(uint32, tag = "8")]
    f_port: u32,
    #[prost(bytes = "vec", tag = "10")]
    data: Vec<u8>,
    #[prost(message, optional, tag = "11")]
    object: Option<Object>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
struct Instants {
    #[prost(int64, tag = "1")]
    seconds: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct DeviceInfo {
    #[prost(string, tag = "7")]
    device_name: String,
    #[prost(string, tag = "8")]
    dev_eui: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Object {
    #[prost(btree_map = "string, message", tag = "1")]
    fields: std::collections::BTreeMap<String, Number>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
struct Number {
    #[prost(double, tag = "2")]
    number: f64,
}

impl Uplink {
    fn example() -> Self {
        let value = |name: &str, number| (name.to_owned(), Number { number });
        Self {
            deduplication_id: "57433366-50a6-4dc2-8145-2df1bbc70d9e".to_owned(),
            time: Some(Instants { seconds: 1_795_422_600 }),
            device_info: Some(DeviceInfo {
                device_name: "air 17".to_owned(),
                dev_eui: "24e124136b502217".to_owned(),
            }),
            f_cnt: 42,
            f_port: 85,
            data: vec![3, 0x67, 0x18, 1, 4, 0x68, 0x65],
            object: Some(Object {
                fields: [value("temperature", 28.0), value("humidity", 50.5)].into(),
            }),
        }
    }
}

/// Sparkplug B's `Payload`, as far as births and data of numbers need it.
#[derive(Clone, PartialEq, prost::Message)]
struct Payload {
    #[prost(uint64, optional, tag = "1")]
    timestamp: Option<u64>,
    #[prost(message, repeated, tag = "2")]
    metrics: Vec<Metric>,
    #[prost(uint64, optional, tag = "3")]
    seq: Option<u64>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Metric {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(uint64, optional, tag = "2")]
    alias: Option<u64>,
    #[prost(uint64, optional, tag = "3")]
    timestamp: Option<u64>,
    #[prost(uint32, optional, tag = "4")]
    datatype: Option<u32>,
    #[prost(uint64, optional, tag = "11")]
    long: Option<u64>,
    #[prost(float, optional, tag = "12")]
    float: Option<f32>,
    #[prost(double, optional, tag = "13")]
    double: Option<f64>,
}
