//! Every figure in `/metrics`: named as Prometheus wants it, described, bounded in its labels, and in
//! docs/metrics.md, which `UPDATE_DOCS=1 cargo test -p citybrain --test figures` writes anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use city_api::Mode;
use citybrain::app::App;
use citybrain::city::City;
use citybrain::run_file::RunFile;
use citybrain::settings::load;
use serde_json::json;

const PATIENCE: Duration = Duration::from_secs(30);

/// A city that has one of everything that has figures; nobody is behind its addresses.
const CITY: &str = r#"
data_dir = "data"
[city]
name = "Test"
time_zone = "Asia/Shanghai"
rules = "rules"
[http]
listen = "127.0.0.1:0"
tls = { cert = "cert.pem", key = "key.pem" }
[mqtt]
listen = "127.0.0.1:0"
tls = { cert = "cert.pem", key = "key.pem" }
anonymous = true
[hj212]
enabled = true
listen = "127.0.0.1:0"
source = "loggers"
[store]
backend = "influxdb"
[store.influxdb]
url = "http://127.0.0.1:1"
org = "city"
token = "t"
[[broker]]
name = "far"
connect = { host = "127.0.0.1", port = 1, client_id = "c" }
[[source]]
id = "json"
topic = "json/{device}"
format = "json"
unknown_devices = "register"
options = { values = { t = { metric = "temperature", unit = "Cel" } } }
[[source]]
id = "loggers"
topic = "hj212/{device}"
format = "hj212"
[[receiver]]
id = "desk"
type = "webhook"
options = { url = "http://127.0.0.1:1/" }
"#;

const RULES: &str = "
group: test
department: works
rules:
  - id: hot
    name: {en: Hot, zh: 高温}
    kind: threshold
    select: {metric: temperature}
    severity: {medium: {above: 30, clear_below: 28}}
    summary: {en: hot, zh: 高温}
";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A running city, and where it is reached without TLS.
struct Running {
    app: App,
    http: SocketAddr,
}

async fn start(folder: &Path) -> Running {
    let at = |name: &str| folder.join(name);
    std::fs::create_dir_all(at("rules")).expect("made");
    std::fs::write(at("rules/hot.yaml"), RULES).expect("written");
    let made = rcgen::generate_simple_self_signed(["city".to_owned()]).expect("made");
    std::fs::write(at("cert.pem"), made.cert.pem()).expect("written");
    std::fs::write(at("key.pem"), made.signing_key.serialize_pem()).expect("written");
    std::fs::write(at("citybrain.toml"), CITY).expect("written");
    let city =
        City::read(load(&at("citybrain.toml")).expect("good settings")).expect("a good city");
    let app = App::start(city, Mode::Live, &mut |_| {}).await.expect("it starts");
    let http = RunFile::read(&at("data")).expect("it runs").http;
    Running { app, http }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().tls_certs_only([]).build().expect("a client")
}

async fn metrics(city: &Running) -> String {
    let answer = client().get(format!("http://{}/metrics", city.http)).send().await;
    answer.expect("an answer").text().await.expect("text")
}

async fn send(city: &Running, device: &str, body: &serde_json::Value) {
    let url = format!("http://{}/api/v1/ingest/json?device={device}", city.http);
    client().post(url).bearer_auth(&city.app.token).json(body).send().await.expect("an answer");
}

/// The text once all of this is in it.
async fn until(city: &Running, wanted: &[&str]) -> String {
    let end = Instant::now() + PATIENCE;
    loop {
        let text = metrics(city).await;
        let missing: Vec<_> = wanted.iter().filter(|part| !text.contains(**part)).collect();
        if missing.is_empty() {
            return text;
        }
        assert!(Instant::now() < end, "{missing:?} is missing in {text}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Family {
    kind: String,
    help: String,
    labels: BTreeSet<String>,
}

fn families(text: &str) -> BTreeMap<String, Family> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    for line in text.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|l| l.split_once(' ')) {
            help.clone_into(&mut families.entry(name.to_owned()).or_default().help);
        } else if let Some((name, kind)) =
            line.strip_prefix("# TYPE ").and_then(|l| l.split_once(' '))
        {
            kind.clone_into(&mut families.entry(name.to_owned()).or_default().kind);
        } else if let Some((sample, labels)) = line.split_once('{') {
            let base =
                ["_bucket", "_sum", "_count"].iter().find_map(|end| sample.strip_suffix(end));
            let name = base.filter(|base| families.contains_key(*base)).unwrap_or(sample);
            let family = families.get_mut(name).expect("its head is before it");
            let (labels, _) = labels.rsplit_once('}').expect("closed");
            let names = labels.split("\",").filter_map(|label| label.split_once('='));
            let names = names.map(|(name, _)| name.trim_start_matches(',').to_owned());
            family.labels.extend(names.filter(|name| name != "le"));
        }
    }
    families
}

fn document(families: &BTreeMap<String, Family>) -> String {
    let mut text = "\
# Metrics

What `GET /metrics` shows, in the text format of Prometheus. Generated from a running program by
`UPDATE_DOCS=1 cargo test -p citybrain --test figures`; the test fails when this is not current.

Labels are bounded: they are names out of the configuration (broker, receiver, certificate, server),
routes, methods and statuses of the API, reasons that the program has for dead letters, and the
departments with the most alerts. No device, user or address is ever a label. `deploy/prometheus` has
alert rules over these; `docs/operations.md` says what to do about each.

Figures of InfluxDB, brokers, HJ 212 and certificates are there where they are configured.

Collectors and alert workers on a bus (`docs/cluster.md`) show those of the parts that they run; a worker's are
labelled with their `partition`. Workers have three more: `citybrain_partitions` (partitions whose rules are
evaluated here), `citybrain_partition_readings` (readings that those have taken) and `citybrain_partition_message`
(number of the last message of the bus that was evaluated).

| metric | type | labels | what |
|---|---|---|---|
"
    .to_owned();
    for (name, Family { kind, help, labels }) in families {
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        writeln!(text, "| `{name}` | {kind} | {} | {help} |", labels.join(", ")).expect("a text");
    }
    text
}

/// Names of figures in the sources, tests left out.
fn names_in_sources() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![root().join("crates")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                // Processes of a city on a bus have their own, said in the text above the table.
                if !["tests", "web", "target", "assets", "roles"].contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|end| end == "rs") && !name.contains("tests") {
                let text = std::fs::read_to_string(&path).expect("text");
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
                let literals = code.split('"').skip(1).step_by(2);
                found.extend(literals.filter(|literal| is_name(literal)).map(str::to_owned));
            }
        }
    }
    // The names of cookies.
    for cookie in ["citybrain_session", "citybrain_browser", "citybrain_external"] {
        found.remove(cookie);
    }
    found
}

fn is_name(literal: &str) -> bool {
    literal.strip_prefix("citybrain_").is_some_and(|rest| {
        rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    })
}

#[allow(clippy::print_stdout)] // who skips something says so
fn check_with_promtool(text: &str) {
    let program = "/usr/bin/promtool";
    if !Path::new(program).exists() {
        println!("{program} is missing; `cargo xtask test` installs it");
        return;
    }
    let mut check = Command::new(program)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    check.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("written");
    let output = check.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.trim().is_empty(), "promtool check metrics: {said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_figure_is_named_well_described_and_documented() {
    let folder = tempfile::tempdir().expect("a folder");
    let city = start(folder.path()).await;
    send(&city, "d", &json!({ "t": 40.0 })).await;
    send(&city, "d", &json!("nonsense")).await;
    let text = until(
        &city,
        &[
            "citybrain_pipeline_dead_letters_total{",
            "citybrain_notifier_deliveries_total{",
            "citybrain_alarm_load_stale{",
            "citybrain_influxdb_spool_bytes{",
            "citybrain_hj212_frames_total",
            "citybrain_tls_certificate_expiry_timestamp_seconds{certificate=\"mqtt.tls.cert\"}",
            "citybrain_broker_connected{broker=\"far\"} 0",
            "process_open_fds",
        ],
    )
    .await;
    city.app.stop().await.expect("it stops");
    check_with_promtool(&text);
    let families = families(&text);
    for (name, Family { kind, help, .. }) in &families {
        assert!(help.len() > 10 && help.ends_with('.'), "{name} is not described: `{help}`");
        assert_eq!(name.ends_with("_total"), kind == "counter", "{name} is a {kind}");
    }
    let shown: BTreeSet<String> = families.keys().cloned().collect();
    let missing: Vec<_> = names_in_sources().difference(&shown).cloned().collect();
    assert!(
        missing.is_empty(),
        "these are in the sources, but nothing here shows them: {missing:?}"
    );

    let document = document(&families);
    let path = root().join("docs/metrics.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &document).expect("written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == document,
        "docs/metrics.md is not current; run UPDATE_DOCS=1 cargo test -p citybrain --test figures"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_can_make_series_by_asking_for_what_is_not_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let city = start(folder.path()).await;
    let ask = async |round: usize| {
        for i in 0..40 {
            let name = format!("x{round}-{i}");
            let method = reqwest::Method::from_bytes(format!("M{round}{i}").as_bytes());
            let base = format!("http://{}", city.http);
            let asked = [
                client().get(format!("{base}/{name}")),
                client().get(format!("{base}/api/v1/{name}")),
                client().get(format!("{base}/api/v1/devices/{name}")),
                client().request(method.expect("a method"), format!("{base}/api/v1/devices")),
            ];
            for request in asked {
                request.bearer_auth(&city.app.token).send().await.expect("an answer");
            }
            send(&city, &name, &json!("nonsense")).await;
            send(&city, &name, &json!({ "t": 1.0 })).await;
        }
        metrics(&city).await;
        let text = metrics(&city).await;
        text.lines().filter(|line| !line.starts_with('#')).count()
    };
    // Those that are made once a minute are there from now on.
    until(&city, &["citybrain_alarm_load_stale{"]).await;
    let before = ask(1).await;
    let after = ask(2).await;
    assert_eq!(after, before, "what callers say became labels");
    assert!(after < 3_000, "{after} series");
    city.app.stop().await.expect("it stops");
}
