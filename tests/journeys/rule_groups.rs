//! Rule groups under a running program: edited through the API, moved to files and back, restored,
//! and broken before a start.

use std::process::Command;

use anyhow::ensure;
use city_tests::faults::{City, PATIENCE};
use city_tests::instance::{Instance, binary, eventually};
use city_tests::publisher::Publisher;
use reqwest::Method;
use serde_json::{Value, json};

const LEVELS: &str = "/api/v1/rule-groups/levels";

/// A rule file of one rule on water levels.
fn text(group: &str, id: &str, limit: f64) -> String {
    format!(
        "group: {group}\ndepartment: city\nrules:\n  - id: {id}\n    kind: threshold\n    \
         select: {{metric: water_level}}\n    severity: medium\n    raise: {{above: {limit}}}\n"
    )
}

fn send(instance: &Instance, value: f64) {
    let address = instance.ready.mqtt.expect("an endpoint");
    let mut publisher = Publisher::connect(address, "test").expect("connects");
    let now = city_tests::fleet::now();
    let payload = json!({ "ts": now, "level": value }).to_string();
    publisher.publish("mqtt/one/up", payload.as_bytes());
    publisher.flush().expect("sends");
    publisher.acknowledged().expect("acknowledged");
}

/// The id of the alert of a rule that fires, once as many fire as should.
async fn alert_of(instance: &Instance, rule: &str, all: usize) -> Value {
    eventually("alerts", PATIENCE, async || {
        let page = instance.get("/api/v1/alerts?state=firing").await?;
        let found = page["items"].as_array().cloned().unwrap_or_default();
        ensure!(found.len() == all, "{found:?}");
        let own = found.iter().find(|alert| alert["rule"]["id"] == rule);
        Ok(Some(own.map_or(Value::Null, |alert| alert["id"].clone())))
    })
    .await
    .expect("as many alerts as there should be")
}

/// A change of the group, which must be made.
async fn change(instance: &Instance, method: Method, path: &str, body: Value) -> Value {
    let tag = instance.get(LEVELS).await.ok().map(|group| group["etag"].clone());
    let tag = tag.as_ref().and_then(Value::as_str);
    let (status, answer) = instance.change(method, path, &body, tag).await.expect("an answer");
    assert!(matches!(status, 200 | 201), "{path}: {answer}");
    answer
}

fn put(text: &str) -> Value {
    json!({ "text": text, "why": "spring tide" })
}

/// What a command says; it must succeed.
fn say(arguments: &[&str]) -> String {
    let output = Command::new(binary().expect("built")).args(arguments).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_edited_in_the_api_or_live_in_files_and_move_between_them() {
    let city = City::with_rules(Some(&text("numbers", "high", 1.0)), &[]).expect("a city");
    let rules = city.folder().join("rules");
    let instance = city.start().await.expect("it starts");

    // What lives in a file is seen, and changed there only.
    let numbers = "/api/v1/rule-groups/numbers";
    let group = instance.get(numbers).await.expect("there");
    assert_eq!((&group["source"], &group["read_only"]), (&json!("files"), &json!(true)));
    let body = put(&text("numbers", "high", 3.0));
    let tag = group["etag"].as_str();
    let (status, refused) =
        instance.change(Method::PUT, numbers, &body, tag).await.expect("answers");
    assert_eq!((status, &refused["code"]), (409, &json!("group_in_files")), "{refused}");

    // A group of the API is in force at once, and whoever has not seen it does not replace it.
    change(&instance, Method::PUT, LEVELS, put(&text("levels", "flood", 1.5))).await;
    send(&instance, 2.0);
    let first = alert_of(&instance, "flood", 2).await;
    for (tag, expected) in [(None, 409), (Some("0123"), 412)] {
        let body = put(&text("levels", "flood", 9.0));
        let (status, answer) =
            instance.change(Method::PUT, LEVELS, &body, tag).await.expect("answers");
        assert_eq!(status, expected, "{answer}");
    }
    let tried = put(&text("levels", "flood", 2.5));
    let tried = change(&instance, Method::PUT, &format!("{LEVELS}?check=true"), tried).await;
    assert_eq!(tried["reload"]["ended"][0]["alert"], first, "{tried}");
    assert_eq!(alert_of(&instance, "flood", 2).await, first);
    let made = change(&instance, Method::PUT, LEVELS, put(&text("levels", "flood", 2.5))).await;
    assert_eq!(made["reload"]["ended"], tried["reload"]["ended"], "as it was told before");
    alert_of(&instance, "flood", 1).await;
    let restore = format!("{LEVELS}/history/1/restore");
    let back = change(&instance, Method::POST, &restore, json!({ "why": "too high" })).await;
    assert_eq!(back["version"], 3);
    send(&instance, 1.8);
    let second = alert_of(&instance, "flood", 2).await;

    // A start finds all of it: rules, history, alerts.
    instance.interrupt().expect("it stops");
    let instance = city.start().await.expect("it starts again");
    assert_eq!(alert_of(&instance, "flood", 2).await, second);
    let history = instance.get(&format!("{LEVELS}/history")).await.expect("there");
    assert_eq!(history["items"].as_array().map(Vec::len), Some(3), "{history}");
    assert_eq!(history["items"][0]["restored_from"], 1, "{history}");

    // Exported to a file it is there twice, which is refused until the API lets go of it; then it
    // lives in the file, and the alert never ended.
    let (data, folder) = (city.data(), rules.clone());
    let (data, folder) = (data.to_str().expect("UTF-8"), folder.to_str().expect("UTF-8"));
    say(&["rules", "export", "levels", "--to", folder, "--data-dir", data]);
    let reload = "/api/v1/rules/reload";
    let (status, refused) = instance.post(reload, &json!({})).await.expect("answers");
    assert!(status == 422 && refused.contains("levels.yaml:1:8"), "{refused}");
    let problems = instance.get("/api/v1/system").await.expect("answers")["rule_problems"].clone();
    assert!(problems[0].as_str().is_some_and(|told| told.contains("levels.yaml")), "{problems}");
    let gone = format!("{LEVELS}?why=to%20git");
    let moved = change(&instance, Method::DELETE, &gone, Value::Null).await;
    assert_eq!((&moved["reload"]["kept"], &moved["reload"]["ended"]), (&json!(2), &json!([])));
    assert_eq!(instance.get(LEVELS).await.expect("there")["source"], "files");
    assert_eq!(alert_of(&instance, "flood", 2).await, second);

    // And back.
    std::fs::remove_file(rules.join("levels.yaml")).expect("removed");
    let moved = change(&instance, Method::PUT, LEVELS, put(&text("levels", "flood", 1.5))).await;
    assert_eq!((&moved["reload"]["kept"], &moved["version"]), (&json!(2), &json!(5)), "{moved}");
    assert_eq!(alert_of(&instance, "flood", 2).await, second);
    let checked = say(&["rules", "check", folder, "--with", data]);
    assert_eq!(checked, "2 rules in 1 files and 1 groups of the API are good\n");

    // A file takes the id of one of its rules before a start: the group is disabled with its
    // problem, the others run, and mending the file is enough.
    instance.interrupt().expect("it stops");
    std::fs::write(rules.join("other.yaml"), text("other", "flood", 7.0)).expect("written");
    let instance = city.start().await.expect("it starts without the group");
    let group = instance.get(LEVELS).await.expect("there");
    let message = group["problems"][0]["message"].as_str().unwrap_or_default();
    assert!(group["rules"] == 0 && message.contains("other.yaml:4:9"), "{group}");
    let system = instance.get("/api/v1/system").await.expect("answers");
    let told = system["rule_problems"][0].as_str().unwrap_or_default();
    assert!(told.contains("`levels` is disabled"), "{system}");
    assert_eq!(instance.get("/api/v1/rules/flood").await.expect("there")["group"], "other");
    std::fs::write(rules.join("other.yaml"), text("other", "lake", 7.0)).expect("written");
    let (status, answer) = instance.post(reload, &json!({})).await.expect("answers");
    assert_eq!(status, 200, "{answer}");
    assert_eq!(instance.get("/api/v1/rules/flood").await.expect("there")["group"], "levels");
    send(&instance, 2.0);
    alert_of(&instance, "flood", 2).await;
    // A start with the group in both homes says which file is wrong, as of any bad file.
    instance.interrupt().expect("it stops");
    std::fs::write(rules.join("levels.yaml"), text("levels", "flood", 1.5)).expect("written");
    let arguments = city.arguments(&city.data());
    let output = Command::new(binary().expect("built")).args(arguments).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("levels.yaml:1:8: the group `levels` is kept in the API"), "{said}");
    let checked = Command::new(binary().expect("built"))
        .args(["rules", "check", folder, "--with", data])
        .output()
        .expect("it runs");
    assert!(!checked.status.success());
}
