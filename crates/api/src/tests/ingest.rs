//! Dead letters, loss accounting, health, metrics.

use axum::http::{Method, StatusCode};
use base64::Engine as _;
use city_store::DeadLetterId;
use serde_json::{Value, json};

use super::fixture::{City, NOW, bare};
use crate::ReceiverState;

#[tokio::test]
async fn dead_letters_are_listed_newest_first_shown_whole_and_replayed() {
    let city = City::new();
    city.dead_letter(b"{\"t\":", "syntax");
    city.dead_letter(&[0xff, 0x00], "format");
    let long = "水".repeat(2_000);
    city.dead_letter(long.as_bytes(), "syntax");

    let page = city.ok("/api/v1/dead-letters?limit=2").await;
    assert_eq!(page["items"][0]["size"], 6_000);
    let excerpt = page["items"][0]["payload_text"].as_str().expect("text");
    assert!(excerpt.len() <= 4_096 && long.starts_with(excerpt), "{}", excerpt.len());
    assert_eq!(page["items"][1]["payload_text"], Value::Null);
    assert_eq!(page["items"][1]["payload_base64"], "/wA=");
    let cursor = page["next_cursor"].as_str().expect("more");
    let rest = city.ok(&format!("/api/v1/dead-letters?limit=2&cursor={cursor}")).await;
    assert_eq!(rest["next_cursor"], Value::Null);
    let id = rest["items"][0]["id"].as_str().expect("an id").to_owned();
    let expected = json!({
        "id": id, "at": NOW.to_string(), "source": "mqtt", "topic": "city/x", "device": null,
        "reason": "syntax", "detail": "at byte 3: not a number", "hint": "send a number",
        "size": 5, "payload_text": "{\"t\":", "payload_base64": "eyJ0Ijo=", "replayed_at": null,
    });
    assert_eq!(rest["items"], json!([expected]));
    let found = city.ok("/api/v1/dead-letters?reason=format").await;
    assert_eq!(found["items"].as_array().map(Vec::len), Some(1));
    let newest = page["items"][0]["id"].as_str().expect("an id");
    let whole = city.ok(&format!("/api/v1/dead-letters/{newest}")).await;
    assert_eq!(whole["payload_text"], long);

    let path = format!("/api/v1/dead-letters/{id}/replay");
    let answer = city.send(city.request(Method::POST, &path, None)).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    let replayed = city.pipeline.replayed.lock().expect("not poisoned").clone();
    assert_eq!(replayed, [DeadLetterId(id.parse().expect("a number"))]);
    let unknown = city.request(Method::POST, "/api/v1/dead-letters/999/replay", None);
    assert_eq!(city.send(unknown).await.problem(), "unknown_dead_letter");
}

#[tokio::test]
async fn the_counters_add_up_however_they_are_grouped() {
    let city = City::new();
    let reading = city.reading("air-1", "pm25", 1.0);
    city.commit(vec![reading.clone(), city.reading("lamp/1", "lamp_on", true)]);
    city.commit(vec![reading]);
    city.dead_letter(b"?", "syntax");
    {
        let mut status = city.pipeline.status.lock().expect("not poisoned");
        status.sources = vec!["mqtt".to_owned()];
        status.in_flight = 5;
    }
    let total = json!({ "received": 9, "stored": 2, "duplicate": 1, "dead_lettered": 1,
                "missed": 0, "in_flight": 5 });
    for (by, ids) in [
        ("source", json!(["mqtt"])),
        ("department", json!(["(unknown)", "environment", "works"])),
        ("device", json!(["(unknown)", "air-1", "lamp/1"])),
    ] {
        let loss = city.ok(&format!("/api/v1/loss?by={by}")).await;
        assert_eq!(loss["total"], total, "{by}");
        assert_eq!(loss["balanced"], true, "{by}");
        let items = loss["items"].as_array().expect("items");
        assert_eq!(items.iter().map(|item| item["id"].clone()).collect::<Value>(), ids);
    }
    let one = city.ok("/api/v1/loss?by=device&id=lamp/1,nobody").await;
    assert_eq!(one["items"].as_array().map(Vec::len), Some(1));
    assert_eq!((&one["items"][0]["id"], &one["total"]), (&json!("lamp/1"), &total));
}

#[tokio::test]
async fn readiness_follows_the_commits() {
    let city = City::new();
    let ask = async |path: &str| city.send(bare(Method::GET, path, None)).await;
    let ready = ask("/health/ready").await;
    assert_eq!((ready.status, &ready.json()["status"]), (StatusCode::OK, &json!("ready")));
    city.pipeline.status.lock().expect("not poisoned").failing =
        Some("/data/log.db: disk full".to_owned());
    let failing = ask("/health/ready").await;
    assert_eq!(failing.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(failing.json()["parts"]["pipeline"]["ok"], false);
    assert_eq!(failing.json()["parts"]["state"]["ok"], true);
    assert!(!failing.text.contains("/data"), "paths are not for everybody: {}", failing.text);
    assert_eq!(ask("/health/live").await.status, StatusCode::OK);
    let system = city.ok("/api/v1/system").await;
    assert_eq!(system["commits_failing"], "/data/log.db: disk full");
}

#[tokio::test]
async fn a_failing_engine_makes_the_instance_unready_and_a_failing_receiver_does_not() {
    let city = City::new();
    let ready = async || city.send(bare(Method::GET, "/health/ready", None)).await;
    let duty = ReceiverState {
        id: "duty".to_owned(),
        waiting: 3,
        last_delivery: Some(NOW),
        error: Some("https://duty.example/hook answered 500".to_owned()),
        failing_since: Some(NOW),
    };
    let calm = ReceiverState { id: "calm".to_owned(), ..ReceiverState::default() };
    city.pipeline.status.lock().expect("not poisoned").receivers = vec![calm, duty];
    let answer = ready().await;
    let ok = |part: &str| answer.json()["parts"][part]["ok"].clone();
    assert_eq!(
        (answer.status, ok("receivers"), ok("alerts")),
        (StatusCode::OK, false.into(), true.into())
    );
    assert!(!answer.text.contains("duty"), "receivers are not for everybody: {}", answer.text);
    let system = city.ok("/api/v1/system").await;
    assert_eq!(system["alerts_failing"], Value::Null);
    let expected = json!([
        { "id": "calm", "waiting": 0, "last_delivery": null, "error": null,
          "failing_since": null },
        { "id": "duty", "waiting": 3, "last_delivery": NOW.to_string(),
          "error": "https://duty.example/hook answered 500",
          "failing_since": NOW.to_string() },
    ]);
    assert_eq!(system["receivers"], expected);

    city.pipeline.status.lock().expect("not poisoned").engine_failing =
        Some("/data/state.db: disk full".to_owned());
    let answer = ready().await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.json()["parts"]["alerts"]["ok"], false);
    assert!(!answer.text.contains("/data"), "paths are not for everybody: {}", answer.text);
    let system = city.ok("/api/v1/system").await;
    assert_eq!(system["alerts_failing"], "/data/state.db: disk full");
}

#[tokio::test]
async fn requests_are_counted_by_route_and_not_by_address() {
    let city = City::new();
    city.get("/api/v1/devices/air-1").await;
    city.get("/api/v1/devices/air-2").await;
    city.send(bare(Method::GET, "/some/page", None)).await;
    let metrics = city.send(bare(Method::GET, "/metrics", None)).await;
    assert_eq!(metrics.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    for line in [
        "citybrain_http_requests_total{method=\"GET\",route=\"/api/v1/devices/{id}\",status=\"200\"} 2",
        "citybrain_http_requests_total{method=\"GET\",route=\"web\",status=\"200\"} 1",
        "citybrain_http_stream_clients 0",
        "# HELP citybrain_http_request_duration_seconds ",
    ] {
        assert!(metrics.text.contains(line), "{line}\nin\n{}", metrics.text);
    }
    assert!(!metrics.text.contains("air-1"));
}

#[tokio::test]
async fn the_books_of_a_day_add_up_and_name_the_silent() {
    let city = City::new();
    let today = "2026-11-23";
    city.commit(vec![city.reading("air-1", "pm25", 1.0), city.reading("air-1", "pm10", 1.0)]);
    city.dead_letter(b"?", "syntax");
    city.pipeline.status.lock().expect("not poisoned").sources = vec!["mqtt".to_owned()];
    let report = city.ok("/api/v1/reports/ingest").await;
    assert_eq!((&report["date"], &report["closed"]), (&json!(today), &json!(false)));
    assert_eq!(report["balanced"], true);
    let total =
        json!({ "received": 3, "stored": 2, "duplicate": 0, "dead_lettered": 1, "missed": 0 });
    assert_eq!(report["total"], total);
    let letters = json!([
        { "source": "mqtt", "reason": "syntax", "letters": 1, "items": 1, "replayed": 0 }
    ]);
    assert_eq!(report["dead_letters"], letters);
    let silent = report["silent_devices"]["ids"].as_array().expect("ids");
    assert!(!silent.contains(&json!("air-1")) && silent.contains(&json!("air-2")), "{silent:?}");
    assert_eq!(report["silent_devices"]["count"], silent.len());

    // The next day begins with nothing, and the day before stays as it was.
    city.clock.advance(city_model::Span::from_hours(24));
    city.brain.close_books().expect("closed");
    city.commit(vec![city.reading("air-1", "pm25", 2.0)]);
    let report = city.ok("/api/v1/reports/ingest?by=device").await;
    assert_eq!(report["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&report["items"][0]["id"], &report["total"]["stored"]),
        (&json!("air-1"), &json!(1))
    );
    assert_eq!(report["available"], json!(["2026-11-24", today]));
    let before = city.ok(&format!("/api/v1/reports/ingest?date={today}&by=department")).await;
    assert_eq!((&before["closed"], &before["total"]), (&json!(true), &total));
    let none = city.get("/api/v1/reports/ingest?date=2020-01-01").await;
    assert_eq!(none.problem(), "no_report");
    assert!(none.json()["hint"].as_str().is_some_and(|hint| hint.contains(today)), "{}", none.text);
}

#[tokio::test]
async fn passwords_of_hj212_are_in_no_dead_letter_that_is_shown() {
    let city = City::new();
    let frame = "##0101QN=1;ST=32;CN=1062;PW=100000;MN=M1;Flag=5;CP=&&Rtd=30,UPW=7&&1C80\r\n\
                 ##0020PW = 654321;MN=M2;PW=\n##PW=77";
    city.dead_letter(frame.as_bytes(), "bad_checksum");
    let page = city.ok("/api/v1/dead-letters").await;
    let letter = &page["items"][0];
    let shown = letter["payload_text"].as_str().expect("text");
    let expected = frame.replace("100000", "******").replace(" 654321", "*******");
    assert_eq!(shown, expected.replace("=77", "=**"));
    let bytes = letter["payload_base64"].as_str().expect("text");
    let bytes = base64::engine::general_purpose::STANDARD.decode(bytes).expect("Base64");
    assert_eq!(bytes, shown.as_bytes());
    let id = letter["id"].as_str().expect("an id");
    let whole = city.ok(&format!("/api/v1/dead-letters/{id}")).await;
    assert_eq!(whole["payload_text"], shown);
    let kept = city.store.dead_letter(DeadLetterId(id.parse().expect("a number")));
    let kept = kept.expect("reads").expect("kept");
    assert_eq!(&*kept.letter.payload, frame.as_bytes(), "what is replayed has them");
}
