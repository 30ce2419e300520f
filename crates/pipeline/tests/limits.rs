//! What one sender may take of what all share, and what is known again after a restart.

mod city;

use city::{City, Plan};
use city_model::{Span, Timestamp, Value};
use city_store::{DeadLetter, LettersFrom};

const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

const SOURCES: &str = r#"[
  {"id": "made-up", "topic": "made-up/{device}", "format": "senml", "max_metrics": 250},
  {"id": "honest", "topic": "honest/{device}", "format": "senml"},
  {"id": "lora", "topic": "lora/up", "format": "chirpstack"}
]"#;

const DEVICES: &str = r#"[
  {"id": "a", "kind": "thing", "department": "lab"},
  {"id": "b", "kind": "thing", "department": "lab"}
]"#;

fn city() -> City {
    City::new(Plan { sources: SOURCES, devices: DEVICES, ..Plan::default() }, NOW)
}

/// A SenML pack of `count` values whose names begin with `prefix`.
fn pack(prefix: &str, count: usize) -> String {
    let record = |index| format!(r#"{{"n":"{prefix}{index}","v":{index}}}"#);
    format!("[{}]", (0..count).map(record).collect::<Vec<_>>().join(","))
}

fn letters(city: &City) -> Vec<DeadLetter> {
    let mut letters =
        city.store.dead_letters(LettersFrom::Newest, None, 100).expect("a page").items;
    letters.reverse();
    letters
}

fn unmapped(city: &City) -> usize {
    city.registry.directory().metrics.iter().filter(|metric| metric.unmapped).count()
}

#[test]
fn a_message_brings_so_many_names_in_one_change_and_a_source_so_many_ever() {
    let mut city = city();
    let version = city.registry.directory().version;
    city.send("made-up/a", &pack("x", 1_000));
    assert_eq!(unmapped(&city), 200);
    assert_eq!(city.registry.directory().version, version + 1, "one change of the directory");
    city.send("made-up/a", &pack("y", 100));
    assert_eq!(unmapped(&city), 250);
    city.restart();
    city.send("made-up/a", &pack("z", 3));
    city.send("made-up/a", &pack("x", 200)); // what it has goes on
    city.send("honest/b", &pack("z", 3)); // what others have goes on too
    city.send("made-up/a", &pack("z", 3));
    city.stop();
    assert_eq!(unmapped(&city), 253);
    let letters = letters(&city);
    let items: Vec<_> = letters.iter().map(|letter| letter.letter.items).collect();
    assert_eq!(items, [800, 50, 3]);
    assert!(letters.iter().all(|letter| letter.letter.reason == "no_metric"));
    assert!(letters[0].letter.detail.contains("brought 200 new names"), "{:?}", letters[0]);
    for letter in &letters[1..] {
        assert!(letter.letter.detail.contains("`made-up` has brought 250 names"), "{letter:?}");
        assert!(letter.letter.hint.contains("max_metrics"), "{letter:?}");
    }
    city.counted("made-up");
}

#[test]
fn a_metric_takes_the_first_unit_that_comes_and_converts_or_refuses_the_others() {
    let mut city = city();
    city.send("honest/a", r#"[{"n":"oil","v":1}]"#);
    for record in [
        r#"[{"n":"oil","u":"Cel","v":20}]"#,
        r#"[{"n":"oil","u":"[degF]","v":212}]"#,
        r#"[{"n":"oil","u":"V","v":5}]"#,
        r#"[{"n":"oil","v":7}]"#,
    ] {
        city.clock.advance(Span::from_secs(1));
        city.send("honest/a", record);
    }
    city.stop();
    let values: Vec<_> = city.points("a", "oil").into_iter().map(|point| point.value).collect();
    assert_eq!(values, [1.0, 20.0, 100.0, 7.0].map(Value::Number));
    assert_eq!(&*city.registry.directory().metrics.by_id("oil").expect("known").unit, "Cel");
    let reasons: Vec<_> = letters(&city).into_iter().map(|letter| letter.letter.reason).collect();
    assert_eq!(reasons, ["bad_unit"]);
}

#[test]
fn a_redelivery_without_a_time_is_known_after_a_restart_too() {
    let mut city = city();
    let up = r#"{"deduplicationId": "d-1", "deviceInfo": {"devEui": "a"}, "object": {"t": 1.5}}"#;
    city.send("lora/up", up);
    city.restart();
    city.clock.advance(Span::from_secs(60));
    city.send("lora/up", up);
    city.send("lora/up", &up.replace("d-1", "d-2"));
    city.stop();
    let times: Vec<_> = city.points("a", "t").into_iter().map(|point| point.time).collect();
    assert_eq!(times, [NOW, NOW + Span::from_secs(60)]);
    let counted = city.counted("lora");
    assert_eq!((counted.stored, counted.duplicate), (2, 1));
}

#[test]
fn a_pushed_message_sent_again_with_its_key_is_a_duplicate() {
    let mut city = city();
    let push = |city: &City, device: &str, key: Option<&str>, payload: &str| {
        let pushed = city.push("honest", device, key, payload);
        city.clock.advance(Span::from_secs(1));
        (pushed.stored, pushed.duplicates)
    };
    let payload = r#"[{"n":"oil","v":1}]"#;
    assert_eq!(push(&city, "a", Some("k"), payload), (1, 0));
    assert_eq!(push(&city, "a", Some("k"), payload), (0, 1));
    city.restart();
    assert_eq!(push(&city, "a", Some("k"), payload), (0, 1), "after a restart too");
    assert_eq!(push(&city, "b", Some("k"), payload), (1, 0), "another's key");
    assert_eq!(push(&city, "a", Some("k"), r#"[{"n":"oil","v":2}]"#), (1, 0), "another message");
    assert_eq!(push(&city, "a", None, payload), (1, 0), "nothing says that it is the same");
    city.stop();
    assert_eq!(city.points("b", "oil")[0].time, NOW + Span::from_secs(3));
}
