//! Who may do what, seen by people: set-up, users, rights by department, tokens, open data and the
//! audit log in real Chromium.
//!
//! The steps in the browser are in `tests/browser/admin.mjs`; screenshots go to `tests/artefacts/`.

use city_tests::browser::walk;
use city_tests::faults::{City, PATIENCE};
use city_tests::instance::eventually;
use city_tests::publisher::Publisher;
use serde_json::json;

/// A rule file of one rule on water levels that a department has.
fn rules(department: &str, limit: f64) -> String {
    format!(
        "group: {department}\ndepartment: {department}\nrules:\n  - id: {department}_high\n    \
         name: {{en: \"Level above {limit}\", zh: \"水位超过 {limit}\"}}\n    kind: threshold\n    \
         select: {{metric: water_level}}\n    severity: medium\n    raise: {{above: {limit}}}\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_given_rights_use_them_and_are_refused_beyond_them() {
    let city = City::with_rules(Some(&rules("water", 1.0)), &[]).expect("a city");
    let file = city.folder().join("rules/roads.yaml");
    std::fs::write(file, rules("roads", 1.5)).expect("written");
    let instance = city.start().await.expect("it starts");
    let setup =
        instance.ready.setup.clone().expect("a set-up token, because nobody administers it");

    let address = instance.ready.mqtt.expect("an endpoint");
    let mut publisher = Publisher::connect(address, "test").expect("connects");
    let payload = json!({ "ts": city_tests::fleet::now(), "level": 2.0 }).to_string();
    publisher.publish("mqtt/gauge/up", payload.as_bytes());
    publisher.flush().expect("sends");
    publisher.acknowledged().expect("acknowledged");
    eventually("an alert of each department", PATIENCE, async || {
        let page = instance.get("/api/v1/alerts?state=firing").await?;
        Ok((page["items"].as_array().map(Vec::len) == Some(2)).then_some(()))
    })
    .await
    .expect("two alerts");

    let url = format!("http://{}", instance.ready.http);
    walk("admin", &[&url, &setup]).await.expect("the journey goes through");
    drop(publisher);
}
