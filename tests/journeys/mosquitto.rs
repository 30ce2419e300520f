//! The same path with a real Mosquitto in between instead of the embedded endpoint.

use std::time::Duration;

use city_tests::instance::{Instance, eventually};
use city_tests::mosquitto::Mosquitto;
use city_tests::publisher::Publisher;

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
