//! Frames that come together go to their codecs together, and nothing else is different.

use std::sync::{Arc, Mutex};

use city_decode::{Codec, CodecError, CodecOutput, CodecValue, Codecs, Frame};
use city_model::{Timestamp, Value};
use city_store::LettersFrom;

mod city;
use city::{City, Plan};

const SOURCES: &str = r#"[{"id": "lora", "topic": "lora/up", "format": "chirpstack"}]"#;
const DEVICES: &str = r#"[
  {"id": "a1", "kind": "a", "department": "water"}, {"id": "a2", "kind": "a", "department": "water"},
  {"id": "b1", "kind": "b", "department": "water"}, {"id": "c1", "kind": "c", "department": "water"}
]"#;
const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

/// Takes the first byte for a value, and refuses 255; notes how many frames it got at a time.
#[derive(Default)]
struct FirstByte {
    calls: Mutex<Vec<usize>>,
    takes_many: bool,
}

impl FirstByte {
    fn decode(frame: &Frame<'_>) -> Result<CodecOutput, CodecError> {
        if frame.bytes[0] == 255 {
            let message = format!("{} sends 255", frame.device);
            return Err(CodecError { at: "first.js:1".to_owned(), message, hint: "do not" });
        }
        let value = CodecValue::new("x", f64::from(frame.bytes[0]));
        Ok(CodecOutput { values: vec![value], position: None })
    }
}

impl Codec for FirstByte {
    fn decode_uplink(&self, frame: &Frame<'_>, out: &mut CodecOutput) -> Result<(), CodecError> {
        self.calls.lock().expect("no panic holds it").push(1);
        *out = Self::decode(frame)?;
        Ok(())
    }

    fn decode_uplinks(&self, frames: &[Frame<'_>], out: &mut Vec<Result<CodecOutput, CodecError>>) {
        self.calls.lock().expect("no panic holds it").push(frames.len());
        out.extend(frames.iter().map(Self::decode));
    }

    fn takes_many(&self) -> bool {
        self.takes_many
    }
}

/// Kinds `a` and `b` have codecs that take many frames, `c` one that does not.
struct Kinds([Arc<FirstByte>; 3]);

impl Codecs for Kinds {
    fn codec(&self, device: &str) -> Option<Arc<dyn Codec>> {
        let place = ["a", "b", "c"].iter().position(|kind| device.starts_with(kind))?;
        Some(self.0[place].clone())
    }
}

fn uplink(device: &str, second: usize, data: &str) -> String {
    format!(
        r#"{{"deviceInfo": {{"devEui": "{device}"}}, "fPort": 1, "data": "{data}",
            "time": "2026-09-21T14:12:{second:02}Z"}}"#
    )
}

#[test]
fn frames_of_a_batch_are_decoded_together_and_each_keeps_its_place() {
    let of = |takes_many| Arc::new(FirstByte { calls: Mutex::default(), takes_many });
    let codecs = [of(true), of(true), of(false)];
    let plan = Plan {
        sources: SOURCES,
        devices: DEVICES,
        codecs: Some(Arc::new(Kinds(codecs.clone()))),
        ..Plan::default()
    };
    let mut city = City::new(plan, NOW);
    // "Aw==" is 3, "BQ==" 5, "Bw==" 7, "/w==" 255.
    city.send("lora/up", &uplink("a1", 0, "Aw=="));
    let batch = [
        uplink("a1", 1, "BQ=="),
        uplink("b1", 2, "BQ=="),
        uplink("a2", 3, "/w=="),
        uplink("nobody", 4, "Aw=="),
        "{".to_owned(),
        uplink("c1", 5, "Bw=="),
        uplink("a2", 6, "Bw=="),
    ];
    city.send_all("lora/up", &batch);
    city.stop();
    let calls = codecs.map(|codec| codec.calls.lock().expect("no panic holds it").clone());
    assert_eq!(calls, [vec![1, 3], vec![1], vec![1]]);
    let seen: Vec<_> = city.seen().iter().map(|reading| reading.value.clone()).collect();
    assert_eq!(seen, [3.0, 5.0, 5.0, 7.0, 7.0].map(Value::from));
    assert_eq!(city.points("a2", "x").len(), 1);
    let counted = city.counted("lora");
    assert_eq!((counted.stored, counted.dead_lettered), (5, 3));
    let letters = city.store.dead_letters(LettersFrom::Newest, None, 10).expect("listed");
    let told = letters.items.iter().any(|letter| letter.letter.detail.contains("a2 sends 255"));
    assert!(told, "{letters:?}");
}
