//! Recorded data through the same path: both samples are published with their own times and
//! places, and their rules find what happened.

use std::time::Duration;

use city_tests::instance::{Instance, eventually};
use serde_json::Value;

fn replay(sample: &str) -> (tempfile::TempDir, Instance) {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().to_string_lossy().into_owned();
    let instance = Instance::start(&[
        "replay",
        sample,
        "--speed",
        "max",
        "--data-dir",
        &data,
        "--http",
        "127.0.0.1:0",
        "--mqtt",
        "127.0.0.1:0",
    ])
    .expect("the replay starts");
    (folder, instance)
}

/// The alerts of a rule, once there is one.
async fn alert_of(instance: &Instance, rule: &str) -> Value {
    let path = format!("/api/v1/alerts?rule={rule}&state=all&limit=1");
    eventually("an alert", Duration::from_mins(1), async || {
        Ok(instance.get(&path).await?["items"].get(0).cloned())
    })
    .await
    .expect("the rule fires")
}

#[tokio::test]
async fn a_smog_episode_of_beijing_is_found_in_its_own_time() {
    let (_folder, instance) = replay("beijing");
    let alert = alert_of(&instance, "pm25-day").await;
    assert_eq!(alert["simulated"], true, "recorded data raise no live alert: {alert}");
    let time = alert["reading_time"].as_str().expect("a time");
    assert!(time.starts_with("201"), "the time is the recorded one: {time}");
    // Carbon monoxide stands in the file in micrograms and is stored in milligrams.
    let device = "beijing-Aotizhongxin";
    let values =
        instance.get(&format!("/api/v1/last-values?device={device}")).await.expect("values");
    let items = values["items"].as_array().expect("items");
    let co = items.iter().find(|item| item["metric"] == "co").expect("carbon monoxide");
    assert!(co["value"].as_f64().is_some_and(|value| value < 50.0), "{co}");
}

#[tokio::test]
async fn jams_of_aarhus_are_found_where_the_sensors_are() {
    let (_folder, instance) = replay("aarhus");
    let alert = alert_of(&instance, "jam-under-50").await;
    let (lon, lat) = (alert["position"]["lon"].as_f64(), alert["position"]["lat"].as_f64());
    assert!(lon.is_some_and(|lon| (9.5..10.8).contains(&lon)), "{alert}");
    assert!(lat.is_some_and(|lat| (55.8..56.5).contains(&lat)), "{alert}");
    let loss = instance.get("/api/v1/loss").await.expect("the ledger");
    assert_eq!(loss["balanced"], true, "{loss}");
    assert_eq!(loss["total"]["dead_lettered"], 0, "{loss}");
}
