//! The same path with a real Mosquitto in between instead of the embedded endpoint.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use city_tests::certificates::Authority;
use city_tests::faults::{subscribed, sums};
use city_tests::instance::{Instance, eventually};
use city_tests::mosquitto::Mosquitto;
use city_tests::publisher::Publisher;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

const RULES: &str = "
group: water
department: water
rules:
  - id: water-high
    name: {en: Water high, zh: 水位过高}
    kind: threshold
    select: {metric: water_level}
    severity: {high: {above: 3, clear_below: 2.5}}
    summary: {en: '{device} {value}', zh: '{device} {value}'}
";

#[tokio::test]
async fn readings_arrive_through_a_broker_and_alerts_fire_and_clear() {
    let folder = tempfile::tempdir().expect("a folder");
    let broker = Mosquitto::start(folder.path()).expect("a broker");
    std::fs::create_dir(folder.path().join("rules")).expect("a folder");
    std::fs::write(folder.path().join("rules/water.yaml"), RULES).expect("writes");
    let config = folder.path().join("citybrain.toml");
    let text = format!(
        r#"
[city]
name = "Test"
time_zone = "UTC"
rules = "rules"
[http]
listen = "127.0.0.1:0"
[mqtt]
enabled = false
[[broker]]
name = "city"
[broker.connect]
host = "127.0.0.1"
port = {}
client_id = "citybrain-test"
[[source]]
id = "water"
broker = "city"
topic = "water/{{device}}/up"
format = "senml"
unknown_devices = "register"
kind = "water_gauge"
"#,
        broker.address.port()
    );
    std::fs::write(&config, text).expect("writes");
    let (config, data) = (config.to_string_lossy(), folder.path().join("data"));
    let instance =
        Instance::start(&["serve", "--config", &config, "--data-dir", &data.to_string_lossy()])
            .expect("starts");
    eventually("the collector's subscription", Duration::from_secs(30), async || {
        let health = instance.get("/health/ready").await?;
        Ok((health["parts"]["brokers"]["ok"] == true).then_some(()))
    })
    .await
    .expect("subscribes");

    let mut publisher = Publisher::connect(broker.address, "gauge").expect("connects");
    let mut send = |level: f64| {
        let payload = format!(r#"[{{"n":"water_level","u":"m","v":{level}}}]"#);
        publisher.publish("water/gauge-1/up", payload.as_bytes());
        publisher.flush().expect("sends");
        publisher.acknowledged().expect("the broker acknowledges");
    };
    send(1.0);
    send(3.5);
    let alert = eventually("the alert", Duration::from_secs(20), async || {
        let alerts = instance.get("/api/v1/alerts?state=firing").await?;
        Ok(alerts["items"].get(0).cloned())
    })
    .await
    .expect("it fires");
    assert_eq!(alert["rule"]["id"], "water-high");
    assert_eq!(alert["severity"], "high");
    assert_eq!(alert["value"], 3.5);
    send(2.0);
    let id = alert["id"].as_str().expect("an id").to_owned();
    eventually("the end of the alert", Duration::from_secs(20), async || {
        let alert = instance.get(&format!("/api/v1/alerts/{id}")).await?;
        Ok((alert["state"] == "resolved").then_some(()))
    })
    .await
    .expect("it clears");

    let readings =
        instance.get("/api/v1/readings?device=gauge-1&metric=water_level").await.expect("readings");
    assert_eq!(readings["raw"]["value"], serde_json::json!([1.0, 3.5, 2.0]));
}

const SECURED: &str = r#"
[city]
name = "Test"
time_zone = "UTC"
[http]
listen = "127.0.0.1:0"
[mqtt]
enabled = false
[[broker]]
name = "city"
[broker.connect]
host = "127.0.0.1"
port = PORT
client_id = "citybrain"
username = "citybrain"
password_file = "citybrain.password"
[broker.connect.tls]
ca_file = "ca.pem"
server_name = "broker"
[[source]]
id = "water"
broker = "city"
topic = "city/{department}/{kind}/{device}/up"
format = "senml"
unknown_devices = "register"
"#;

/// The listener for devices as `deploy/` ships it, with its rights: who has a password publishes,
/// and only under its own name.
#[tokio::test]
async fn devices_publish_over_tls_under_their_own_names_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let secrets = folder.path();
    let authority = Authority::new(secrets).expect("an authority");
    authority.issue("server", &["broker", "localhost"]).expect("a certificate");
    std::fs::copy("../deploy/mosquitto/citybrain.acl", secrets.join("citybrain.acl"))
        .expect("the shipped rights");
    let passwords = secrets.join("citybrain.passwords");
    for (index, user) in ["citybrain", "gauge-1"].into_iter().enumerate() {
        let mut command = std::process::Command::new("mosquitto_passwd");
        command.args(if index == 0 { &["-c", "-b"][..] } else { &["-b"] });
        let status = command.arg(&passwords).args([user, "hush"]).status().expect("a program");
        assert!(status.success());
    }
    let broker = Mosquitto::start_secured(secrets, secrets).expect("a broker");
    let port = broker.secured.expect("with TLS").port();
    std::fs::write(secrets.join("citybrain.password"), "hush\n").expect("writes");
    let config = secrets.join("citybrain.toml");
    std::fs::write(&config, SECURED.replace("PORT", &port.to_string())).expect("writes");
    let data = folder.path().join("data");
    let (config, data) = (config.to_string_lossy(), data.to_string_lossy());
    let instance =
        Instance::start(&["serve", "--config", &config, "--data-dir", &data]).expect("starts");
    subscribed(&instance).await.expect("subscribes with its password, over TLS");

    let mut gauge = Device::connect(secrets, port, "gauge-1");
    gauge.publish("city/water/gauge/gauge-1/up", 1.0).await;
    // The broker acknowledges that to a 3.1.1 client and delivers it to nobody.
    gauge.publish("city/water/gauge/gauge-2/up", 2.0).await;
    gauge.publish("city/water/gauge/gauge-1/up", 3.0).await;
    eventually("the readings", Duration::from_secs(20), async || {
        let sums = sums(&instance).await?;
        Ok((sums.received == 2 && sums.stored == 2).then_some(()))
    })
    .await
    .expect("two of three arrive");
    let devices = instance.get("/api/v1/devices").await.expect("the registry");
    assert_eq!(devices["items"].as_array().map(Vec::len), Some(1), "{devices}");
    assert_eq!(devices["items"][0]["id"], "gauge-1");
}

/// A device that speaks MQTT 3.1.1 over TLS.
struct Device {
    client: rumqttc::AsyncClient,
    events: rumqttc::EventLoop,
}

impl Device {
    fn connect(secrets: &Path, port: u16, user: &str) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        let ca = CertificateDer::from_pem_file(secrets.join("ca.pem")).expect("readable");
        roots.add(ca).expect("a certificate");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut options = rumqttc::MqttOptions::new(user, "localhost", port);
        options.set_credentials(user, "hush");
        options.set_transport(rumqttc::Transport::tls_with_config(
            rumqttc::TlsConfiguration::Rustls(Arc::new(tls)),
        ));
        let (client, events) = rumqttc::AsyncClient::new(options, 10);
        Self { client, events }
    }

    /// Publishes a level and waits for the acknowledgement.
    async fn publish(&mut self, topic: &str, level: f64) {
        let payload = format!(r#"[{{"n":"water_level","u":"m","v":{level}}}]"#);
        let qos = rumqttc::QoS::AtLeastOnce;
        self.client.publish(topic, qos, false, payload).await.expect("queued");
        let acknowledged = async {
            loop {
                let event = self.events.poll().await.expect("connected");
                if let rumqttc::Event::Incoming(rumqttc::Packet::PubAck(_)) = event {
                    return;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), acknowledged).await.expect("acknowledged");
    }
}
