//! Webhooks as a receiver at the other side sees them.

mod support;

use city_alert::{ReceiverConfig, TrialError};
use city_model::{AlertEvent, AlertEventKind, Severity, Timestamp};
use serde_json::json;
use support::{Recorder, Reply};

const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

fn webhook(options: &serde_json::Value) -> ReceiverConfig {
    serde_json::from_value(json!({"id": "desk", "type": "webhook", "options": options}))
        .expect("a receiver")
}

#[tokio::test]
async fn a_try_tells_of_an_alert_that_begins_and_ends_and_is_marked() {
    let server = Recorder::start(Reply::new(204, "")).await;
    let desk = ReceiverConfig { severity: Severity::High, ..webhook(&json!({"url": server.url})) };
    desk.try_out(NOW).await.expect("taken");
    let seen = server.seen();
    let events: Vec<AlertEvent> =
        seen.iter().map(|seen| serde_json::from_str(&seen.body).expect("an event")).collect();
    let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [AlertEventKind::Fired, AlertEventKind::Resolved]);
    for (seen, event) in seen.iter().zip(&events) {
        assert_eq!(seen.headers["idempotency-key"], event.key.as_str());
        assert!(!seen.headers.contains_key("x-citybrain-signature"), "no secret, no signature");
        assert!(event.alert.simulated);
        assert_eq!(event.alert.severity, Severity::High, "the least that it wants");
        assert_eq!(event.alert.labels["test"], "true");
    }
    assert_eq!(events[0].alert.id, events[1].alert.id);
}

#[tokio::test]
async fn what_is_sent_is_signed_with_the_time_of_the_attempt() {
    let server = Recorder::start(Reply::new(200, "")).await;
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("desk-secret"), "hush\n").expect("written");
    let mut desk =
        webhook(&json!({"url": server.url, "secret_file": "desk-secret", "token": "let me in"}));
    desk.resolve_paths(folder.path());
    desk.try_out(NOW).await.expect("taken");
    for seen in server.seen() {
        assert_eq!(seen.headers["authorization"], "Bearer let me in");
        let header = seen.headers["x-citybrain-signature"].to_str().expect("text");
        let (time, signature) = header.split_once(",v1=").expect("two parts");
        assert_eq!(time, "t=1790000000");
        assert_eq!(signature, openssl_hmac("hush", &format!("1790000000.{}", seen.body)));
    }
}

/// As somebody at the other side would check it.
fn openssl_hmac(key: &str, text: &str) -> String {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let mut openssl = Command::new("openssl")
        .args(["dgst", "-sha256", "-hmac", key, "-r"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("openssl is there");
    openssl.stdin.take().expect("piped").write_all(text.as_bytes()).expect("written");
    let output = openssl.wait_with_output().expect("ends");
    let text = String::from_utf8(output.stdout).expect("text");
    text.split_whitespace().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_try_that_fails_says_what_the_other_side_said() {
    let server = Recorder::start(Reply::new(403, "who are you?\nreally")).await;
    let error = webhook(&json!({"url": server.url})).try_out(NOW).await.expect_err("refused");
    let TrialError::Delivery(error) = error else { panic!("{error}") };
    assert_eq!(error.message, "it answered 403 Forbidden: who are you?");
    assert!(error.retry, "it can be mended at the other side");

    let nobody = webhook(&json!({"url": "http://127.0.0.1:9/", "timeout": "2s"}));
    let error = nobody.try_out(NOW).await.expect_err("nobody is there");
    assert!(error.to_string().contains("cannot reach it"), "{error}");

    let error = webhook(&json!({"url": "desk"})).try_out(NOW).await.expect_err("no address");
    assert!(matches!(error, TrialError::Options(_)), "{error}");
}
