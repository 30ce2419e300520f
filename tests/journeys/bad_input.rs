//! Bad input gets a clear answer, and nothing is lost.

use std::process::Command;
use std::time::Duration;

use city_tests::instance::{Instance, binary, eventually};
use city_tests::publisher::Publisher;
use serde_json::json;

const CONFIG: &str = r#"
[city]
name = "Test"
time_zone = "UTC"
bounds = [10.0, 56.0, 10.5, 56.4]
[http]
listen = "127.0.0.1:0"
[mqtt]
listen = "127.0.0.1:0"
[[source]]
id = "air"
topic = "air/{device}/up"
format = "json"
kind = "air_station"
[source.options]
time = "ts"
[source.options.values]
"pm25" = { metric = "pm25", unit = "UNIT" }
"#;

struct Setup {
    folder: tempfile::TempDir,
}

impl Setup {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("writes");
        path.to_string_lossy().into_owned()
    }

    fn start(&self, config: &str) -> Instance {
        let config = self.file("citybrain.toml", config);
        let data = self.folder.path().join("data").to_string_lossy().into_owned();
        Instance::start(&["serve", "--config", &config, "--data-dir", &data]).expect("starts")
    }
}

/// Runs the program to its end; returns success and all that it said.
fn run(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(binary().expect("built")).args(arguments).output().expect("runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

fn send(instance: &Instance, topic: &str, payload: &str) {
    let address = instance.ready.mqtt.expect("an endpoint");
    let mut publisher = Publisher::connect(address, "bad").expect("connects");
    publisher.publish(topic, payload.as_bytes());
    publisher.flush().expect("sends");
    publisher.acknowledged().expect("even bad input is acknowledged once it is kept");
}

#[tokio::test]
async fn every_kind_of_bad_message_becomes_a_dead_letter_with_a_reason_and_a_hint() {
    let setup = Setup::new();
    let instance = setup.start(&CONFIG.replace("UNIT", "ug/m3"));
    let now = "2026-01-01T00:00:00Z";
    for (topic, payload, reason) in [
        ("air/a/up", "{\"pm25\": 1".to_owned(), "malformed"),
        ("air/ghost/up", format!("{{\"ts\":\"{now}\",\"pm25\":12}}"), "unknown_device"),
        ("elsewhere/a", "1".to_owned(), "no_source"),
        ("air/a/up", format!("{{\"ts\":\"{now}\",\"other\":{{}}}}"), "no_values"),
    ] {
        send(&instance, topic, &payload);
        let page =
            instance.get(&format!("/api/v1/dead-letters?reason={reason}")).await.expect("a page");
        let letter = &page["items"][0];
        assert_eq!(letter["topic"], topic, "{reason}: {page}");
        assert_eq!(letter["payload_text"], payload, "the message is kept whole");
        for field in ["detail", "hint"] {
            assert!(
                letter[field].as_str().is_some_and(|text| text.len() > 10),
                "{reason} {field}: {letter}"
            );
        }
    }
    let loss = instance.get("/api/v1/loss?by=source").await.expect("the ledger");
    assert_eq!(loss["balanced"], true, "{loss}");
    assert_eq!(loss["total"]["dead_lettered"], 4, "{loss}");
}

#[tokio::test]
async fn absurd_times_and_positions_and_wrong_units_are_told_apart() {
    let setup = Setup::new();
    // Degrees Celsius for a mass concentration: the source is configured wrongly.
    let instance = setup.start(
        &CONFIG
            .replace("UNIT", "Cel")
            .replace("format = \"json\"", "format = \"json\"\nunknown_devices = \"register\""),
    );
    send(&instance, "air/a/up", r#"{"ts":"2026-01-01T00:00:00Z","pm25":12}"#);
    send(&instance, "air/a/up", r#"{"ts":"2199-01-01T00:00:00Z","pm25":12}"#);
    send(&instance, "air/a/up", r#"{"ts":"1970-01-01T00:00:05Z","pm25":12}"#);
    let page = instance.get("/api/v1/dead-letters").await.expect("a page");
    let reasons: Vec<_> =
        page["items"].as_array().expect("items").iter().map(|l| &l["reason"]).collect();
    assert!(reasons.contains(&&json!("bad_unit")), "{page}");
    assert!(page.to_string().contains("measures temperature"), "{page}");
}

#[tokio::test]
async fn a_dead_letter_is_replayed_after_the_fix_and_nothing_is_doubled() {
    let setup = Setup::new();
    let data = setup.folder.path().join("data").to_string_lossy().into_owned();
    let instance = setup.start(&CONFIG.replace("UNIT", "ug/m3"));
    send(&instance, "air/ghost/up", r#"{"ts":"2026-01-01T00:00:00Z","pm25":12}"#);
    let (ok, said) = run(&["dead-letters", "list", "--data-dir", &data]);
    assert!(ok && said.contains("unknown_device") && said.contains("ghost"), "{said}");

    let devices =
        setup.file("devices.json", r#"[{"id":"ghost","kind":"air_station","department":"air"}]"#);
    let (ok, said) = run(&["devices", "import", &devices, "--data-dir", &data]);
    assert!(ok, "{said}");
    for _ in 0..2 {
        let (ok, said) = run(&["dead-letters", "replay", "--all", "--data-dir", &data]);
        assert!(ok, "{said}");
    }
    let values = eventually("the replayed reading", Duration::from_secs(10), async || {
        let url = "/api/v1/readings?device=ghost&metric=pm25&from=2025-12-31T00:00:00Z&to=2026-01-02T00:00:00Z";
        let readings = instance.get(url).await?;
        Ok(readings["raw"]["value"].as_array().filter(|values| !values.is_empty()).cloned())
    })
    .await
    .expect("stored");
    assert_eq!(values, [json!(12.0)]);
}

#[test]
fn a_rule_file_with_five_mistakes_gets_five_located_answers() {
    let setup = Setup::new();
    let file = setup.file(
        "bad.yaml",
        "group: air
department: environment
rules:
  - id: one
    name: One
    kind: treshold
    select: {metric: pm25}
    severity: {high: {above: 10}}
    summary: x
  - id: two
    name: Two
    kind: threshold
    select: {metrik: pm25}
    severity: {high: {above: 10}}
    summary: x
  - id: three
    name: Three
    kind: threshold
    select: {metric: pm25}
    severity: {high: {above: 10, clear_below: 20}}
    summary: x
  - id: four
    name: Four
    kind: threshold
    select: {metric: pm25}
    severity: {high: {above: 10}}
    for: soon
    summary: x
  - id: four
    name: Again
    kind: threshold
    select: {metric: pm25}
    severity: {high: {above: 10}}
    summary: x
",
    );
    let (ok, said) = run(&["rules", "check", &file]);
    assert!(!ok, "{said}");
    for (line, word) in
        [(6, "threshold"), (13, "metric"), (20, "clear limit"), (27, "soon"), (29, "four")]
    {
        let place = format!("bad.yaml:{line}:");
        let found = said.lines().any(|l| l.contains(&place));
        assert!(found && said.contains(word), "no answer at {place} with `{word}`:\n{said}");
    }
    assert!(said.contains("hint:"), "{said}");
}

#[test]
fn a_configuration_with_three_mistakes_gets_three_answers() {
    let setup = Setup::new();
    let file = setup.file(
        "bad.toml",
        "[city]\nname = \"A\"\ntime_zone = \"Mars/Olympus\"\n[http]\nlisten = \"0.0.0.0:8080\"\n\
         [[source]]\nid = \"a\"\ntopic = \"a/{device}\"\nformat = \"jason\"\n",
    );
    let (ok, said) = run(&["config", "check", &file]);
    assert!(!ok, "{said}");
    for word in ["city.time_zone", "http.listen", "source[0]", "json", "expose"] {
        assert!(said.contains(word), "`{word}` is not in:\n{said}");
    }
    let file = setup.file(
        "typo.toml",
        "[city]\nname = \"A\"\ntime_zone = \"UTC\"\n[htpp]\nlisten = \"127.0.0.1:1\"\n",
    );
    let (ok, said) = run(&["config", "check", &file]);
    assert!(!ok && said.contains("htpp") && said.contains("did you mean `http`?"), "{said}");
}

#[test]
fn typing_errors_do_not_hide_what_else_is_wrong() {
    let setup = Setup::new();
    let file = setup.file(
        "bad.toml",
        "[city]\nname = \"A\"\ntime_zone = \"UTC\"\n[http]\nlisten = \"nowhere\"\nexpoze = true\n\
         [quality.pm2_5]\nlocation = true\n[[receiver]]\nid = \"brain\"\ntype = \"webhok\"\n",
    );
    let (ok, said) = run(&["config", "check", &file]);
    assert!(!ok, "{said}");
    for word in ["http.listen", "http.expoze", "quality.pm2_5", "webhok", "this id is taken"] {
        assert!(said.contains(word), "`{word}` is not in:\n{said}");
    }
}

#[test]
fn the_example_configuration_is_complete_and_good() {
    let setup = Setup::new();
    let (ok, example) = run(&["config", "example"]);
    assert!(ok);
    let file = setup.file("example.toml", &example);
    let (ok, said) = run(&["config", "check", &file]);
    assert!(ok, "{said}");
}
