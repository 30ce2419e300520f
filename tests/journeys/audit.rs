//! The audit log of the running program: killed between changes and their entries, written to by the
//! command line at the same time, tampered with, cut off, exported and checked.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use city_tests::faults::City;
use city_tests::instance::{Instance, binary};
use reqwest::Method;
use serde_json::{Value, json};

/// Changes that are sent before the program is killed.
const CHANGES: usize = 40;

fn citybrain(arguments: &[&str], data: &Path) -> Output {
    let mut command = Command::new(binary().expect("built"));
    command.args(arguments).arg("--data-dir").arg(data).output().expect("it runs")
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

fn entries(data: &Path) -> Vec<Value> {
    let output = citybrain(&["audit", "export"], data);
    assert!(output.status.success(), "{}", said(&output));
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Names departments one after the other until the program answers no more; those that it
/// confirmed.
async fn change_until_killed(instance: &Instance, worker: usize, kill: &AtomicBool) -> Vec<String> {
    let mut confirmed = Vec::new();
    for n in 0.. {
        let id = format!("w{worker}-{n}");
        let path = format!("/api/v1/departments/{id}");
        let body = json!({ "name": id });
        let url = format!("http://{}{path}", instance.ready.http);
        let sent = city_alert::plain_client(std::time::Duration::from_secs(30))
            .expect("a client")
            .request(Method::PUT, url)
            .bearer_auth(&instance.ready.token)
            .json(&body)
            .send()
            .await;
        match sent {
            Ok(answer) if answer.status().is_success() => confirmed.push(id),
            Ok(answer) => panic!("{path}: {}", answer.status()),
            Err(_) => break,
        }
        if confirmed.len() == CHANGES {
            kill.store(true, Ordering::Relaxed);
        }
    }
    confirmed
}

#[tokio::test(flavor = "multi_thread")]
async fn every_confirmed_change_is_in_the_log_whatever_happens_to_the_program() {
    let city = City::with_rules(None, &[]).expect("a city");
    let data = city.data();
    let instance = city.start().await.expect("it starts");
    let process = instance.process().to_string();
    let kill = Arc::new(AtomicBool::new(false));
    // The command line writes to the same log meanwhile.
    let commands = tokio::task::spawn_blocking({
        let (kill, data) = (kill.clone(), data.clone());
        move || {
            let mut made = 0;
            while !kill.load(Ordering::Relaxed) {
                let output = citybrain(&["token", "new", "--user", "bo"], &data);
                assert!(output.status.success(), "{}", said(&output));
                made += 1;
            }
            // The moment is anywhere between a change and its entry.
            let sent = Command::new("kill").args(["-9", &process]).status().expect("sent");
            assert!(sent.success());
            made
        }
    });
    let worker = |number| change_until_killed(&instance, number, &kill);
    let (a, b, c, made) = tokio::join!(worker(0), worker(1), worker(2), commands);
    let (confirmed, made) = ([a, b, c], made.expect("no panic"));
    let data = &data;

    let output = citybrain(&["audit", "verify"], data);
    assert!(output.status.success(), "offline, after the kill: {}", said(&output));
    let again = city.start().await.expect("it starts again");
    let verified = again.get("/api/v1/audit-log/verification").await.expect("answers");
    assert_eq!(verified["intact"], true, "{verified}");
    let output = citybrain(&["audit", "verify"], data);
    assert!(output.status.success(), "beside the running program: {}", said(&output));

    let log = entries(data);
    let of = |action: &str| log.iter().filter(|entry| entry["action"] == action).count();
    assert_eq!(of("make_token"), made);
    assert_eq!(of("start"), 2);
    let recorded: BTreeSet<&str> = log
        .iter()
        .filter(|entry| entry["action"] == "put_department")
        .filter_map(|entry| entry["target"].as_str())
        .collect();
    for id in confirmed.iter().flatten() {
        assert!(recorded.contains(id.as_str()), "{id} was confirmed and is not recorded");
    }
    // What is there was recorded, also if nobody heard that it was done.
    let there = again.get("/api/v1/departments").await.expect("answers");
    for department in there["items"].as_array().expect("items") {
        let id = department["id"].as_str().expect("an id");
        assert!(!id.starts_with('w') || recorded.contains(id), "{id} was changed unrecorded");
    }
    let cli = log.iter().find(|entry| entry["via"] == "cli").expect("an entry");
    assert!(cli["user"].as_str().is_some_and(|user| !user.is_empty()), "{cli}");
    assert_eq!(cli["address"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn tampering_and_cutting_off_are_found_and_exit_with_an_error() {
    let city = City::with_rules(None, &[]).expect("a city");
    let data = city.data();
    for user in ["ada", "bo", "cy", "di"] {
        if user == "ada" {
            city.start().await.expect("it starts").kill().expect("killed");
        }
        let output = citybrain(&["token", "new", "--user", user], &data);
        assert!(output.status.success(), "{}", said(&output));
    }
    let export = data.join("audit.jsonl");
    let file = export.display().to_string();
    let output = citybrain(&["audit", "export", "--output", &file], &data);
    assert!(output.status.success(), "{}", said(&output));
    let check_file = || {
        let program = binary().expect("built");
        Command::new(program).args(["audit", "verify", "--export", &file]).output().expect("runs")
    };
    assert!(check_file().status.success());
    let text = std::fs::read_to_string(&export).expect("read");
    std::fs::write(&export, text.replacen("\"cy\"", "\"eve\"", 1)).expect("written");
    let output = check_file();
    assert!(
        !output.status.success() && said(&output).contains("entry 4 was changed"),
        "{}",
        said(&output)
    );

    let sql = |sql: &str| {
        let db = rusqlite::Connection::open(data.join("state.db")).expect("opens");
        db.execute_batch(sql)
    };
    sql("DELETE FROM audit_log WHERE number = 5").expect_err("the database refuses");
    let guard = "CREATE TRIGGER audit_log_never_shrinks BEFORE DELETE ON audit_log
                 BEGIN SELECT RAISE(ABORT, 'no'); END;";
    let cut = format!(
        "DROP TRIGGER audit_log_never_shrinks; DELETE FROM audit_log WHERE number = 5; {guard}"
    );
    sql(&cut).expect("cut");
    let output = citybrain(&["audit", "verify"], &data);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("ends with entry 4, but 5 were written"), "{}", said(&output));
}
