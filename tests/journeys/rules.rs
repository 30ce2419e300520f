//! Rules under a running program: tried on history, changed on disk, broken, and mended.

use std::path::Path;
use std::process::Command;

use anyhow::ensure;
use city_tests::faults::{City, PATIENCE};
use city_tests::instance::{Instance, binary, eventually};
use city_tests::publisher::Publisher;
use serde_json::{Value, json};

const RULES: &str = "group: numbers\ndepartment: city\nrules:\n  - id: high\n    kind: threshold\n    \
                     select: {metric: water_level}\n    severity: medium\n    raise: {above: 1}\n    \
                     summary: {en: \"{value} is high\", zh: \"{value} 偏高\"}\n";

fn send(instance: &Instance, device: &str, value: f64) {
    let address = instance.ready.mqtt.expect("an endpoint");
    let mut publisher = Publisher::connect(address, "test").expect("connects");
    let now = city_tests::fleet::now();
    let payload = json!({ "ts": now, "level": value }).to_string();
    publisher.publish(&format!("mqtt/{device}/up"), payload.as_bytes());
    publisher.flush().expect("sends");
    publisher.acknowledged().expect("acknowledged");
}

async fn firing(instance: &Instance) -> anyhow::Result<Vec<Value>> {
    let page = instance.get("/api/v1/alerts?state=firing").await?;
    Ok(page["items"].as_array().cloned().unwrap_or_default())
}

async fn fires(instance: &Instance, count: usize) -> Vec<Value> {
    eventually("alerts", PATIENCE, async || {
        let found = firing(instance).await?;
        ensure!(found.len() == count, "{found:?}");
        Ok(Some(found))
    })
    .await
    .expect("as many alerts as there should be")
}

/// Writes the rules and lets them be read; a signal does not wait until files have settled.
async fn write(instance: &Instance, folder: &Path, text: &str) -> anyhow::Result<Value> {
    std::fs::write(folder.join("rules/rules.yaml"), text)?;
    let (status, answer) = instance.post("/api/v1/rules/reload", &json!({})).await?;
    ensure!(status == 200, "{answer}");
    Ok(serde_json::from_str(&answer)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_change_under_a_running_program_and_keep_what_they_know() {
    let city = City::with_rules(Some(RULES), &[]).expect("a city");
    let instance = city.start().await.expect("it starts");
    send(&instance, "one", 2.0);
    let before = fires(&instance, 1).await;

    // Other words: the alert goes on.
    let text = RULES.replace("is high", "is far too high");
    let done = write(&instance, city.folder(), &text).await.expect("reloaded");
    assert_eq!(done["retold"], json!(["high"]), "{done}");
    assert_eq!(fires(&instance, 1).await[0]["id"], before[0]["id"]);

    // A mistake: nothing changes, and everything that is wrong is said.
    let refused = write(&instance, city.folder(), &RULES.replace("above", "abvoe")).await;
    let refused = refused.expect_err("refused").to_string();
    assert!(refused.contains("rules.yaml:8:") && refused.contains("above"), "{refused}");
    assert_eq!(fires(&instance, 1).await[0]["id"], before[0]["id"]);

    // Another limit: the alert ends with a reason, and the rule begins afresh.
    let text = RULES.replace("above: 1", "above: 1.5");
    let done = write(&instance, city.folder(), &text).await.expect("reloaded");
    assert_eq!((&done["changed"], &done["ended"][0]["rule"]), (&json!(["high"]), &json!("high")));
    assert_eq!(done["ended"][0]["reason"]["en"], "the rule was changed", "{done}");
    fires(&instance, 0).await;
    send(&instance, "one", 1.8);
    let after = fires(&instance, 1).await;
    assert_ne!(after[0]["id"], before[0]["id"]);

    // Tried on what is stored by now: a limit between the two readings has one alert less.
    let folder = city.folder().join("trial.yaml");
    std::fs::write(&folder, RULES.replace("above: 1", "above: 1.9")).expect("written");
    let trial = Command::new(binary().expect("built"))
        .args(["rules", "backtest", "--compare", "--data-dir"])
        .arg(city.data())
        .arg(&folder)
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&trial.stdout).into_owned();
    assert!(trial.status.success(), "{said}{}", String::from_utf8_lossy(&trial.stderr));
    assert!(said.contains("2 readings of 1 series"), "{said}");
    assert!(said.contains("1 alerts,") && said.contains("2.00 is high"), "{said}");
    assert!(said.contains("1 the same, 0 gained, 0 lost"), "{said}");

    // The rules of the last good files are those of the next start.
    instance.interrupt().expect("it stops");
    let instance = city.start().await.expect("it starts again");
    assert_eq!(fires(&instance, 1).await[0]["id"], after[0]["id"]);
}
