//! A host application against an edge node whose payloads another library encodes.

mod replays;
mod sent;
mod sessions;
mod values;

use city_model::{Quality, Value};
use prost::Message as _;
use serde_json::{Value as Json, json};

use super::*;
use crate::{Decoded, limits};
use sent::*;

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

    /// Replays what arrived earlier.
    fn letter(&mut self, received: Timestamp, topic: &str, payload: &[u8]) -> Lines {
        let now = std::mem::replace(&mut self.now, received);
        let lines = self.replay(topic, payload);
        self.now = now;
        lines
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
    const TESTS: [&str; 4] = [
        include_str!("tests.rs"),
        include_str!("tests/sessions.rs"),
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
