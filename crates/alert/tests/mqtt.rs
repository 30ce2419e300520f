//! Alerts published to a real broker: Debian's Mosquitto, plain, with a login, and with TLS.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use city_alert::{ReceiverConfig, TrialError};
use city_model::Timestamp;
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, Publish, QoS};
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

/// What `cargo xtask test` installs.
const MOSQUITTO: &str = "/usr/sbin/mosquitto";

/// Made with `mosquitto_passwd`: the password of both is `hush`.
const PASSWORDS: &str = "\
city:$7$101$HITWTnMnOhPOGZua$k1BeCi1w0a2o5Ly2TpcqPe4GdQyWhABq6wh77TOGATryRpkx6D5u2VAoKU6wiGDUlgZU+CWdda8hkbMEwHtVWA==
reader:$7$101$mXThoxnPerdqZbqM$ntJwz4EjVojMuPSLYqSTz0a7x+jvqZ2J2BWjH218/fQ91FdtTe4xIFSEqgPwlkpMtnvMFIAetLjtClHZCzRA3g==
";

/// A running broker; ended when it is dropped.
struct Broker {
    process: Child,
    /// What it says; it would end if nobody could hear it.
    _said: BufReader<ChildStderr>,
    folder: tempfile::TempDir,
    port: u16,
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    free.local_addr().expect("an address").port()
}

impl Broker {
    /// A broker with these lines in its configuration, of which `{folder}` is its own folder with
    /// `files` in it; `None`, after saying so, if there is no Mosquitto here.
    fn start(test: &str, lines: &str, files: &[(&str, &str)]) -> Option<Self> {
        if !Path::new(MOSQUITTO).exists() {
            // Not by a macro, whose output the test harness would swallow.
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED {test}: there is no {MOSQUITTO}; `cargo xtask test` installs it (Debian \
                 package mosquitto)"
            );
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).expect("written");
        }
        // Somebody else may take the port between our look and Mosquitto's.
        for _ in 0..10 {
            let port = free_port();
            let lines = lines.replace("{folder}", &folder.path().display().to_string());
            let text = format!("user root\nlog_dest stderr\nlistener {port} 127.0.0.1\n{lines}\n");
            let file = folder.path().join("mosquitto.conf");
            std::fs::write(&file, text).expect("written");
            let mut process = Command::new(MOSQUITTO)
                .args(["-c".as_ref(), file.as_os_str()])
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .expect("it starts");
            let mut said = BufReader::new(process.stderr.take().expect("piped"));
            if runs(&mut said) {
                return Some(Self { process, _said: said, folder, port });
            }
            let _ = process.wait();
        }
        panic!("mosquitto does not start");
    }

    fn receiver(&self, broker: &Value, options: &Value) -> ReceiverConfig {
        let mut all = json!({ "broker": {
            "host": "127.0.0.1", "port": self.port, "client_id": "citybrain-alerts",
        }});
        all["broker"]
            .as_object_mut()
            .expect("one")
            .extend(broker.as_object().cloned().expect("one"));
        all.as_object_mut().expect("one").extend(options.as_object().cloned().expect("one"));
        ReceiverConfig::new("hub", "mqtt", all)
    }

    /// Who hears everything, once it is subscribed.
    async fn listener(&self, login: Option<(&str, &str)>) -> rumqttc::EventLoop {
        let mut options = MqttOptions::new("listener", "127.0.0.1", self.port);
        if let Some((name, password)) = login {
            options.set_credentials(name, password);
        }
        let (client, mut events) = AsyncClient::new(options, 10);
        client.try_subscribe("#", QoS::AtLeastOnce).expect("asked");
        loop {
            if let Event::Incoming(Packet::SubAck(_)) = events.poll().await.expect("connected") {
                return events;
            }
        }
    }
}

/// Waits until the broker says that it runs; `false` if it ends before, because its port is taken.
fn runs(said: &mut BufReader<ChildStderr>) -> bool {
    let mut line = String::new();
    while said.read_line(&mut line).is_ok_and(|read| read > 0) {
        if line.trim_end().ends_with("running") {
            return true;
        }
        line.clear();
    }
    false
}

async fn next(events: &mut rumqttc::EventLoop) -> Publish {
    let heard = async {
        loop {
            if let Event::Incoming(Packet::Publish(message)) = events.poll().await.expect("open") {
                return message;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), heard).await.expect("heard in time")
}

#[tokio::test]
async fn an_alert_and_its_end_are_published_with_their_keys_in_both_versions() {
    let test = "an_alert_and_its_end_are_published_with_their_keys_in_both_versions";
    let Some(broker) = Broker::start(test, "allow_anonymous true", &[]) else { return };
    let mut events = broker.listener(None).await;
    for version in [4, 5] {
        let receiver = broker.receiver(&json!({"version": version}), &json!({}));
        receiver.try_out(NOW).await.expect("told");
        for (kind, seq) in [("fired", 1), ("resolved", 2)] {
            let message = next(&mut events).await;
            assert_eq!(message.topic, "city/alerts/low/receiver-test");
            assert!(!message.retain);
            let body: Value = serde_json::from_slice(&message.payload).expect("JSON");
            assert_eq!(body["kind"], kind);
            let alert = body["alert"]["id"].as_str().expect("an id");
            assert_eq!(body["key"], format!("{alert}/{seq}"));
            assert_eq!(body["alert"]["simulated"], true);
        }
    }
}

#[tokio::test]
async fn what_is_retained_is_there_for_who_comes_later() {
    let test = "what_is_retained_is_there_for_who_comes_later";
    let Some(broker) = Broker::start(test, "allow_anonymous true", &[]) else { return };
    let options = json!({"topic": "alerts/{event}/{device}", "retain": true});
    broker.receiver(&json!({}), &options).try_out(NOW).await.expect("told");
    let mut events = broker.listener(None).await;
    let mut topics =
        [next(&mut events).await, next(&mut events).await].map(|m| (m.topic, m.retain));
    topics.sort();
    let wanted = ["alerts/fired/receiver-test", "alerts/resolved/receiver-test"];
    assert_eq!(topics, wanted.map(|topic| (topic.to_owned(), true)));
}

/// The failure of a try, and whether another attempt can help.
async fn failure(receiver: &ReceiverConfig) -> (String, bool) {
    match receiver.try_out(NOW).await {
        Err(TrialError::Delivery(error)) => (error.message, error.retry),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_login_is_shown_and_a_broker_that_refuses_it_is_tried_again() {
    let test = "a_login_is_shown_and_a_broker_that_refuses_it_is_tried_again";
    let Some(broker) = Broker::start(
        test,
        "allow_anonymous false\npassword_file {folder}/passwords\nacl_file {folder}/rules",
        &[
            ("passwords", PASSWORDS),
            ("rules", "user city\ntopic readwrite #\nuser reader\ntopic read #\n"),
            ("secret", "hush\n"),
        ],
    ) else {
        return;
    };
    let mut events = broker.listener(Some(("city", "hush"))).await;
    let secret = broker.folder.path().join("secret");
    let good = json!({"username": "city", "password_file": secret});
    broker.receiver(&good, &json!({})).try_out(NOW).await.expect("told");
    assert_eq!(next(&mut events).await.topic, "city/alerts/low/receiver-test");

    for version in [4, 5] {
        let bad = json!({"username": "city", "password": "wrong", "version": version});
        let (said, retry) = failure(&broker.receiver(&bad, &json!({}))).await;
        assert!(said.contains("the broker refuses us") && retry, "{said}");
    }
    let silent = json!({"username": "reader", "password": "hush"});
    let (said, retry) = failure(&broker.receiver(&silent, &json!({}))).await;
    assert!(said.contains("NotAuthorized") && said.contains("access rules") && retry, "{said}");
}

#[tokio::test]
async fn what_is_too_large_for_the_broker_is_refused_for_good() {
    let test = "what_is_too_large_for_the_broker_is_refused_for_good";
    let lines = "allow_anonymous true\nmax_packet_size 300";
    let Some(broker) = Broker::start(test, lines, &[]) else { return };
    let (said, retry) = failure(&broker.receiver(&json!({}), &json!({}))).await;
    assert!(said.contains("will never take this") && said.contains("of at most 300"), "{said}");
    assert!(!retry);
}

#[tokio::test]
async fn nobody_there_and_somebody_silent_are_tried_again() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    for (port, words) in [
        (free_port(), "no connection to 127.0.0.1"),
        (silent.local_addr().expect("an address").port(), "does not answer in time"),
    ] {
        let broker = json!({"host": "127.0.0.1", "port": port, "client_id": "x"});
        let options = json!({"broker": broker, "timeout": "500ms"});
        let (said, retry) = failure(&ReceiverConfig::new("hub", "mqtt", options)).await;
        assert!(said.contains(words) && retry, "{said}");
    }
}

#[tokio::test]
async fn over_tls_only_a_broker_that_is_vouched_for_is_told() {
    let test = "over_tls_only_a_broker_that_is_vouched_for_is_told";
    let signed = rcgen::generate_simple_self_signed(["broker".to_owned()]).expect("a certificate");
    let Some(broker) = Broker::start(
        test,
        "allow_anonymous true\ncertfile {folder}/cert.pem\nkeyfile {folder}/key.pem",
        &[
            ("cert.pem", &signed.cert.pem()),
            ("key.pem", &signed.signing_key.serialize_pem()),
            ("other.pem", &rcgen::generate_simple_self_signed([]).expect("made").cert.pem()),
        ],
    ) else {
        return;
    };
    let tls = |file: &str| {
        let file = broker.folder.path().join(file);
        broker.receiver(&json!({"tls": {"ca_file": file, "server_name": "broker"}}), &json!({}))
    };
    tls("cert.pem").try_out(NOW).await.expect("told");
    let (said, retry) = failure(&tls("other.pem")).await;
    assert!(said.contains("TLS with 127.0.0.1") && said.contains("tls.ca_file") && retry, "{said}");
}
