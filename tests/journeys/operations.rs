//! Running a city: backups under load and what comes back of them, the doctor, the log.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use city_model::AlertEventKind;
use city_tests::faults::{City, PATIENCE};
use city_tests::fleet::{Address, Load, Sender, check_store, now};
use city_tests::instance::{Instance, binary, eventually};
use city_tests::mosquitto::Mosquitto;
use city_tests::publisher::Publisher;
use city_tests::sink::Sink;
use serde_json::{Value, json};

const RULES: &str = "group: numbers\ndepartment: city\nrules:
  - {id: high, kind: threshold, lateness: any, select: {metric: water_level}, severity: {high: {above: 3, clear_below: 2}}}
";

/// Runs a command of the program to its end.
fn citybrain(arguments: &[&str]) -> anyhow::Result<Output> {
    Ok(Command::new(binary()?).args(arguments).output()?)
}

fn succeeds(arguments: &[&str]) -> anyhow::Result<String> {
    let output = citybrain(arguments)?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{arguments:?}: {errors}");
    Ok(String::from_utf8(output.stdout)?)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path that is text")
}

fn level(instance: &Instance, device: &str, level: f64) -> anyhow::Result<()> {
    let address = instance.ready.mqtt.context("an endpoint")?;
    let mut publisher = Publisher::connect(address, "levels")?;
    let payload = json!({ "ts": now(), "level": level }).to_string();
    publisher.publish(&format!("mqtt/{device}/up"), payload.as_bytes());
    publisher.flush()?;
    publisher.acknowledged()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_brings_everything_back_and_raises_nothing_twice() {
    let city = City::with_rules(Some(RULES), &[]).expect("a city");
    let sink = Sink::start().expect("a sink");
    let config = city.folder().join("citybrain.toml");
    let settings = std::fs::read_to_string(&config).expect("readable") + &sink.config();
    std::fs::write(&config, settings).expect("written");
    let instance = city.start().await.expect("it starts");
    let at = instance.ready.mqtt.expect("an endpoint");
    let address: Address = Arc::new(move || Some(at));

    // What is acknowledged before the backup, and alerts that fire.
    let before = Sender::start(Load::steady("before", "mqtt", 3000.0), address.clone());
    before.more(5_000, PATIENCE).expect("published");
    let before = before.stop().expect("all acknowledged");
    let mut told = BTreeSet::new();
    for device in ["a", "b", "c"] {
        level(&instance, device, 5.0).expect("acknowledged");
        let heard = sink.received.recv_timeout(PATIENCE).expect("told").event;
        assert_eq!(heard.kind, AlertEventKind::Fired);
        told.insert(heard.alert.id.to_string());
    }
    assert_eq!(told.len(), 3);

    // Others go on sending while it is taken: as a folder, then the same again, then a file.
    let during = Sender::start(Load::steady("during", "mqtt", 3000.0), address);
    during.more(1_000, PATIENCE).expect("published");
    let backups = tempfile::tempdir().expect("a folder");
    let (first, second) = (backups.path().join("first"), backups.path().join("second"));
    let file = backups.path().join("city.tar.gz");
    let data = city.data();
    let take = |to: &Path, more: &[&str]| {
        let base = ["backup", text(to), "--config", text(&config), "--data-dir", text(&data)];
        succeeds(&[&base[..], more].concat())
    };
    let said = take(&first, &[]).expect("taken");
    assert!(said.contains("is in it"), "{said}");
    take(&second, &["--since", text(&first)]).expect("taken");
    take(&file, &[]).expect("taken");
    for backup in [&first, &second, &file] {
        let said = succeeds(&["backup", "verify", text(backup)]).expect("whole");
        assert!(said.contains("everything is as it was written"), "{said}");
    }
    during.more(500, PATIENCE).expect("the load went on");
    instance.kill().expect("killed");
    drop(during);

    for (number, backup) in [&first, &second, &file].into_iter().enumerate() {
        let restored = backups.path().join(format!("restored-{number}"));
        succeeds(&["restore", text(backup), "--data-dir", text(&restored)]).expect("restored");
        let arguments = city.arguments(&restored);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let instance = Instance::start(&arguments).expect("it starts");
        let page = instance.get("/api/v1/alerts?state=firing").await.expect("alerts");
        let firing = page["items"].as_array().expect("a page");
        let firing: BTreeSet<String> =
            firing.iter().filter_map(|item| item["id"].as_str().map(str::to_owned)).collect();
        assert_eq!(firing, told, "the same alerts fire");
        let audit = instance.get("/api/v1/audit-log/verification").await.expect("verified");
        assert_eq!(audit["intact"], true, "{audit}");
        // It goes on: what still holds is not told again, what ends is, and new readings are heard.
        level(&instance, "a", 6.0).expect("acknowledged");
        level(&instance, "b", 1.0).expect("acknowledged");
        let ended = sink.received.recv_timeout(PATIENCE).expect("told").event;
        assert_eq!(ended.kind, AlertEventKind::Resolved, "nothing is raised twice: {ended:?}");
        assert!(told.contains(&*ended.alert.id), "{ended:?}");
        level(&instance, "new", 5.0).expect("acknowledged");
        let raised = sink.received.recv_timeout(PATIENCE).expect("told").event;
        assert_eq!(raised.kind, AlertEventKind::Fired);
        assert!(!told.contains(&*raised.alert.id), "another one: {raised:?}");
        instance.kill().expect("killed");
        check_store(&restored, std::slice::from_ref(&before)).expect("all that was acknowledged");
    }
    assert!(sink.received.try_recv().is_err(), "nobody was told of anything else");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_tells_a_healthy_city_from_an_ill_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let broker = Mosquitto::start(folder.path()).expect("a broker");
    let port = broker.address.port();
    let connect = format!("host = \"127.0.0.1\"\nport = {port}\nclient_id = \"city\"\n");
    let city = City::new(&[("far", connect)]).expect("a city");
    let instance = city.start().await.expect("it starts");
    let config = city.folder().join("citybrain.toml");
    let data = city.data();
    let look = |more: &[&str]| {
        let base = ["doctor", "--config", text(&config), "--data-dir", text(&data)];
        citybrain(&[&base[..], more].concat()).expect("it runs")
    };
    let levels = |output: &Output| -> Vec<(String, String)> {
        let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let checks = report["checks"].as_array().expect("checks").clone();
        let findings = checks.into_iter().flat_map(|check| {
            let id = check["check"].as_str().expect("an id").to_owned();
            let findings = check["findings"].as_array().expect("findings").clone();
            findings.into_iter().map(move |finding| {
                (id.clone(), format!("{} {}", finding["level"], finding["what"]["en"]))
            })
        });
        findings.collect()
    };
    let output = look(&["--json"]);
    let found = levels(&output);
    let is = |found: &[(String, String)], check: &str, start: &str| {
        found.iter().any(|(id, what)| id == check && what.starts_with(start))
    };
    for check in ["configuration", "running", "store", "brokers", "fsync", "time_zone"] {
        assert!(is(&found, check, "\"ok\""), "{check}: {found:#?}");
    }
    // Machines differ in memory and disks, but nothing of ours must be mended.
    let failed: Vec<_> = found.iter().filter(|(_, what)| what.starts_with("\"fail\"")).collect();
    let of_machine = ["memory", "disk", "clock"];
    assert!(failed.iter().all(|(id, _)| of_machine.contains(&id.as_str())), "{failed:?}");
    let zh = look(&["--lang", "zh"]);
    assert!(String::from_utf8_lossy(&zh.stdout).contains("正常"), "it speaks Chinese");

    // The doctor's visit has not thrown the collector out.
    let (_, health) = instance.health().await.expect("health");
    assert_eq!(health["parts"]["brokers"]["ok"], true, "{health}");

    instance.kill().expect("killed");
    drop(broker);
    let output = look(&["--json"]);
    let found = levels(&output);
    assert!(is(&found, "running", "\"warn\""), "{found:#?}");
    assert!(is(&found, "brokers", "\"fail\""), "{found:#?}");
    assert_eq!(output.status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_json_has_a_line_for_each_request_and_no_secret() {
    let city = City::new(&[(
        "far",
        "host = \"127.0.0.1\"\nport = 1\nclient_id = \"c\"\nusername = \"u\"\n\
         password = \"secret-of-broker\"\n"
            .to_owned(),
    )])
    .expect("a city");
    let config = city.folder().join("citybrain.toml");
    let settings = std::fs::read_to_string(&config).expect("readable")
        + "[[receiver]]\nid = \"desk\"\ntype = \"webhook\"\n[receiver.options]\n\
           url = \"http://127.0.0.1:1/secret-of-path\"\ntoken = \"secret-of-receiver\"\n\
           secret = \"secret-of-signature\"\n\
           [log]\nformat = \"json\"\nlevel = \"debug\"\nfile = \"logs/city.log\"\n\
           [log.modules]\ncity_api = \"trace\"\ncity_alert = \"trace\"\ncitybrain = \"trace\"\n";
    std::fs::write(&config, settings).expect("written");
    let arguments = city.arguments(&city.data());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let instance = Instance::start(&arguments).expect("it starts");
    let token = instance.ready.token.clone();
    let client = city_alert::plain_client(Duration::from_secs(10)).expect("a client");
    let url = |path: &str| format!("http://{}{path}", instance.ready.http);
    let asked = client
        .get(url("/api/v1/devices/none?q=secret-of-query"))
        .bearer_auth(&token)
        .header("x-request-id", "journey-1")
        .header("cookie", "citybrain_session=secret-of-session")
        .send()
        .await
        .expect("an answer");
    assert_eq!(asked.headers()["x-request-id"], "journey-1");
    let login = json!({ "token": "secret-of-login" });
    client.post(url("/api/v1/session")).json(&login).send().await.expect("an answer");
    let tried = client.post(url("/api/v1/receivers/desk/test")).bearer_auth(&token).send();
    tried.await.expect("an answer");
    let logs = city.folder().join("logs");
    let log = eventually("the lines of the requests", PATIENCE, async || {
        let mut log = String::new();
        for entry in std::fs::read_dir(&logs)? {
            log += &std::fs::read_to_string(entry?.path())?;
        }
        let done = ["journey-1", "/api/v1/session", "/api/v1/receivers/{id}/test"];
        Ok(done.iter().all(|part| log.contains(part)).then_some(log))
    })
    .await
    .expect("logged");
    instance.kill().expect("killed");
    let lines: Vec<Value> =
        log.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let of = |id: &str| lines.iter().find(|line| line["span"]["request.id"] == id);
    let line = of("journey-1").expect("the line of the request");
    assert_eq!(line["http.route"], "/api/v1/devices/{id}");
    assert_eq!(
        (&line["url.path"], &line["http.response.status_code"]),
        (&json!("/api/v1/devices/none"), &json!(400)),
        "an unknown parameter"
    );
    assert!(lines.iter().all(|line| line["level"].is_string() && line["timestamp"].is_string()));
    for secret in ["secret-of-", &token] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}
