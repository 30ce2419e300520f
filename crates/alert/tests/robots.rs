//! Chat robots as their vendors' servers see them.

mod support;

use std::time::{Duration, Instant};

use city_alert::{ReceiverConfig, TrialError};
use city_model::{Marks, Timestamp};
use serde_json::{Value, json};
use support::world::{World, until};
use support::{Recorder, Reply};

const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

fn robot(kind: &str, options: &Value) -> ReceiverConfig {
    serde_json::from_value(json!({"id": kind, "type": kind, "options": options}))
        .expect("a receiver")
}

/// What a vendor's server answers to a message that it took.
fn taken(kind: &str) -> Reply {
    Reply::new(
        200,
        if kind == "feishu" {
            r#"{"code":0,"msg":"success","data":{}}"#
        } else {
            r#"{"errcode":0,"errmsg":"ok"}"#
        },
    )
}

#[tokio::test]
async fn each_robot_is_told_in_its_own_way() {
    for (kind, path, text) in [
        ("dingtalk", "/robot/send?access_token=x", "/markdown/text"),
        ("wecom", "/cgi-bin/webhook/send?key=x", "/markdown/content"),
        ("feishu", "/open-apis/bot/v2/hook/x", "/card/elements/0/text/content"),
    ] {
        let server = Recorder::start(taken(kind)).await;
        let url = format!("{}{path}", server.url);
        robot(kind, &json!({"url": url, "language": "zh"})).try_out(NOW).await.expect("taken");
        let seen = server.seen();
        assert_eq!(seen.len(), 2, "{kind}: a beginning and an end");
        assert_eq!(seen[0].uri.to_string(), path, "{kind}");
        assert_eq!(seen[0].headers["content-type"], "application/json", "{kind}");
        let body = seen[0].json();
        let text = body.pointer(text).and_then(Value::as_str).expect("a text");
        assert!(text.contains("仅用于测试接收方"), "{kind}: {body}");
        assert!(seen[1].body.contains("已解除"), "{kind}: {}", seen[1].body);
    }
}

#[tokio::test]
async fn signatures_are_where_each_vendor_looks_for_them() {
    let server = Recorder::start(taken("dingtalk")).await;
    let url = format!("{}/robot/send?access_token=x", server.url);
    let options = json!({"url": url, "secret": "SECx"});
    robot("dingtalk", &options).try_out(NOW).await.expect("taken");
    let query = server.seen()[0].uri.query().expect("a query").to_owned();
    assert!(query.starts_with("access_token=x&timestamp=1790000000000&sign="), "{query}");

    let server = Recorder::start(taken("feishu")).await;
    let options = json!({"url": server.url, "secret": "x"});
    robot("feishu", &options).try_out(NOW).await.expect("taken");
    let body = server.seen()[0].json();
    assert_eq!(body["timestamp"], "1790000000");
    assert!(body["sign"].as_str().is_some_and(|sign| sign.len() == 44), "{body}");

    let error = robot("wecom", &json!({"url": server.url, "secret": "x"})).check();
    assert!(error.expect_err("refused").contains("no `secret`"));
}

/// Answers as the vendors document them, and what must follow.
#[tokio::test]
async fn a_code_in_an_answer_of_success_is_a_failure() {
    let minute = Some(Duration::from_mins(1));
    let ten = Some(Duration::from_mins(10));
    for (kind, answer, retry, after) in [
        ("dingtalk", r#"{"errcode":310000,"errmsg":"sign not match"}"#, true, None),
        (
            "dingtalk",
            r#"{"errcode":130101,"errmsg":"send too fast, exceed 20 times per minute"}"#,
            true,
            ten,
        ),
        (
            "dingtalk",
            r#"{"errcode":460101,"errmsg":"message too long, exceed 20000 bytes"}"#,
            false,
            None,
        ),
        ("dingtalk", r#"{"status":1111,"wait":5,"source":"x5","punish":"deny"}"#, true, None),
        ("wecom", r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#, true, None),
        ("wecom", r#"{"errcode":45009,"errmsg":"api freq out of limit"}"#, true, minute),
        (
            "wecom",
            r#"{"errcode":40058,"errmsg":"markdown.content exceed max length 4096"}"#,
            false,
            None,
        ),
        (
            "feishu",
            r#"{"code":19021,"data":{},"msg":"sign match fail or timestamp is not within one hour from current time"}"#,
            true,
            None,
        ),
        ("feishu", r#"{"code":11232,"data":{},"msg":"frequency limited psm"}"#, true, minute),
        ("feishu", r#"{"code":9499,"msg":"Bad Request","data":{}}"#, false, None),
        ("feishu", "<html>welcome</html>", true, None),
    ] {
        let server = Recorder::start(Reply::new(200, answer)).await;
        let error = robot(kind, &json!({"url": server.url})).try_out(NOW).await;
        let Err(TrialError::Delivery(error)) = error else { panic!("{kind} took {answer}") };
        assert_eq!((error.retry, error.after), (retry, after), "{kind}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_wait_are_one_message() {
    let server = Recorder::start(taken("wecom")).await;
    let world = World::new();
    let running = world.start(vec![robot("wecom", &json!({"url": server.url, "language": "en"}))]);
    for (second, value) in [(1, 80.0), (2, 160.0), (3, 10.0), (4, 80.0), (5, 10.0)] {
        running.follow(&world.commit(second, value, Marks::NONE));
    }
    let notifier = running.stop().await;
    assert_eq!(notifier.waiting().expect("readable"), 5);
    let running = world.start(vec![robot("wecom", &json!({"url": server.url, "language": "en"}))]);
    let delivering = running.deliver();
    let notifier = running.notifier.clone();
    until(async || (notifier.waiting().expect("readable") == 0).then_some(())).await;
    delivering.stop().await;
    let seen = server.seen();
    assert_eq!(seen.len(), 1, "{seen:?}");
    let body = seen[0].json();
    let text = body["markdown"]["content"].as_str().expect("text");
    assert_eq!(text.matches("PM2.5 high").count(), 5, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_events_told_together_only_the_one_that_is_refused_is_given_up() {
    let refuse = Reply::new(200, r#"{"errcode":40058,"errmsg":"no"}"#);
    let server = Recorder::start(taken("wecom")).await;
    // All together, then the first alone.
    server.then([refuse.clone(), refuse]);
    let world = World::new();
    let wecom = || vec![robot("wecom", &json!({"url": server.url, "language": "en"}))];
    let running = world.start(wecom());
    for (second, value) in [(1, 80.0), (2, 10.0)] {
        running.follow(&world.commit(second, value, Marks::NONE));
    }
    drop(running.stop().await);
    let began = Instant::now();
    let running = world.start(wecom());
    let delivering = running.deliver();
    let notifier = running.notifier.clone();
    until(async || (notifier.waiting().expect("readable") == 0).then_some(())).await;
    delivering.stop().await;
    let seen = server.seen();
    assert_eq!(seen.len(), 3);
    assert!(began.elapsed() >= Duration::from_secs(6), "20 a minute: three seconds apart");
    assert!(seen[2].body.contains("over"), "the second alone: {}", seen[2].body);
}
