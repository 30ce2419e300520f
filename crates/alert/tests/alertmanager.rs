//! The real Alertmanager, as Debian has it: one alert with one identity, repeated while it fires,
//! ended when it ends.

mod support;

use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use city_alert::ReceiverConfig;
use city_model::Marks;
use serde_json::{Value, json};
use support::world::{World, until};

/// What `cargo xtask test` installs.
const PROGRAM: &str = "/usr/bin/prometheus-alertmanager";

/// A running Alertmanager; ended when it is dropped.
struct Alertmanager {
    folder: tempfile::TempDir,
    port: u16,
    process: Child,
    client: reqwest::Client,
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Alertmanager {
    /// `None`, after saying so, if there is none here.
    async fn start(test: &str) -> Option<Self> {
        if !Path::new(PROGRAM).exists() {
            // Not by a macro, whose output the test harness would swallow.
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED {test}: there is no Alertmanager; `cargo xtask test` installs it (Debian \
                 package prometheus-alertmanager)"
            );
            return None;
        }
        let mut folder = tempfile::tempdir().expect("a folder");
        // It would forget alerts after a second, were it not told otherwise.
        let config =
            "global: {resolve_timeout: 1s}\nroute: {receiver: none}\nreceivers: [{name: none}]\n";
        std::fs::write(folder.path().join("config.yml"), config).expect("written");
        let client = city_alert::plain_client(Duration::from_secs(5)).expect("a client");
        // Somebody else may take a port that was free a moment ago.
        for _ in 0..20 {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
            let port = listener.local_addr().expect("an address").port();
            drop(listener);
            let process = run(folder.path(), port);
            let mut server = Self { folder, port, process, client: client.clone() };
            if server.is_ready().await {
                return Some(server);
            }
            folder = std::mem::replace(&mut server.folder, tempfile::tempdir().expect("a folder"));
        }
        panic!("Alertmanager did not start on any of 20 ports");
    }

    async fn is_ready(&mut self) -> bool {
        let until = Instant::now() + Duration::from_secs(30);
        while Instant::now() < until {
            if self.process.try_wait().expect("its state").is_some() {
                return false;
            }
            let answer = self.client.get(format!("{}/-/ready", self.url())).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        false
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Ends it and starts it again; it knows no alerts then.
    async fn restart(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        self.process = run(self.folder.path(), self.port);
        assert!(self.is_ready().await, "it starts again");
    }

    /// The alerts that fire.
    async fn alerts(&self) -> Vec<Value> {
        let url = format!("{}/api/v2/alerts?active=true", self.url());
        self.client.get(url).send().await.expect("answers").json().await.expect("JSON")
    }

    /// The only alert, once it is as wanted.
    async fn alert(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let found = until(async || {
            let alerts = self.alerts().await;
            assert!(alerts.len() <= 1, "one alert: {alerts:?}");
            alerts.into_iter().find(&wanted)
        });
        found.await
    }

    fn receiver(&self, options: &Value) -> ReceiverConfig {
        let mut all = json!({"url": self.url(), "repeat": "5s", "keep": "1m", "language": "en"});
        let object = all.as_object_mut().expect("an object");
        object.extend(options.as_object().expect("an object").clone());
        serde_json::from_value(json!({"id": "am", "type": "alertmanager", "options": all}))
            .expect("a receiver")
    }
}

fn run(folder: &Path, port: u16) -> Child {
    Command::new(PROGRAM)
        .arg(format!("--config.file={}", folder.join("config.yml").display()))
        .arg(format!("--storage.path={}", folder.join("data").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg("--cluster.listen-address=")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("Alertmanager starts")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_keeps_its_identity_while_it_becomes_worse_and_is_repeated_until_it_ends() {
    let test = "an_alert_keeps_its_identity_while_it_becomes_worse_and_is_repeated_until_it_ends";
    let Some(mut server) = Alertmanager::start(test).await else { return };
    let world = World::now();
    let running = world.start(vec![server.receiver(&json!({}))]);
    let delivering = running.deliver();

    running.follow(&world.commit(0, 80.0, Marks::NONE));
    running.follow(&world.commit(1, 81.0, Marks::NONE));
    let fired = server.alert(|alert| alert["annotations"]["severity"] == "medium").await;
    assert_eq!(fired["labels"]["alertname"], "pm25-high");
    assert_eq!(fired["labels"]["device"], "a");
    assert_eq!(fired["status"]["state"], "active");
    assert!(fired["labels"].get("severity").is_none(), "it may change: {fired}");

    running.follow(&world.commit(2, 160.0, Marks::NONE));
    let worse = server.alert(|alert| alert["annotations"]["severity"] == "critical").await;
    assert_eq!(worse["fingerprint"], fired["fingerprint"], "one alert");
    assert_eq!(worse["startsAt"], fired["startsAt"]);

    // Alertmanager forgets its alerts; nobody tells us, and nothing happens here.
    server.restart().await;
    let again = server.alert(|_| true).await;
    assert_eq!(again["fingerprint"], fired["fingerprint"]);
    assert_eq!(again["annotations"]["severity"], "critical", "as it was told last");

    // Both restart: what fires is known from what was told.
    delivering.stop().await;
    drop(running.stop().await);
    server.restart().await;
    let running = world.start(vec![server.receiver(&json!({}))]);
    let delivering = running.deliver();
    assert_eq!(server.alert(|_| true).await["fingerprint"], fired["fingerprint"]);

    running.follow(&world.commit(3, 20.0, Marks::NONE));
    until(async || server.alerts().await.is_empty().then_some(())).await;
    delivering.stop().await;

    // After the next restart nothing fires, and nothing is repeated.
    drop(running.stop().await);
    let running = world.start(vec![server.receiver(&json!({}))]);
    let delivering = running.deliver();
    until(async || (running.notifier.status().contains_key("am")).then_some(())).await;
    assert_eq!(server.alerts().await, [] as [Value; 0]);
    delivering.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn as_a_label_the_severity_ends_one_alert_and_begins_another() {
    let test = "as_a_label_the_severity_ends_one_alert_and_begins_another";
    let Some(server) = Alertmanager::start(test).await else { return };
    let world = World::now();
    let running = world.start(vec![server.receiver(&json!({"severity": "label"}))]);
    let delivering = running.deliver();
    running.follow(&world.commit(0, 80.0, Marks::NONE));
    running.follow(&world.commit(1, 81.0, Marks::NONE));
    let fired = server.alert(|alert| alert["labels"]["severity"] == "medium").await;
    running.follow(&world.commit(2, 160.0, Marks::NONE));
    let worse = server.alert(|alert| alert["labels"]["severity"] == "critical").await;
    assert_ne!(worse["fingerprint"], fired["fingerprint"]);
    delivering.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_try_is_taken_and_over_and_a_wrong_address_is_said() {
    let test = "a_try_is_taken_and_over_and_a_wrong_address_is_said";
    let Some(server) = Alertmanager::start(test).await else { return };
    let now = support::world::wall_clock();
    server.receiver(&json!({})).try_out(now).await.expect("taken");
    assert_eq!(server.alerts().await, [] as [Value; 0], "it is over");
    let wrong = server.receiver(&json!({"url": format!("{}/elsewhere", server.url())}));
    let error = wrong.try_out(now).await.expect_err("not there");
    assert!(error.to_string().contains("404"), "{error}");
}
