//! Alerts in the Common Alerting Protocol, and their feed.

use city_model::{AlertEventKind, Severity, Span, Subject};

use super::fixture::{City, NOW, alert, event};

#[tokio::test]
async fn the_feed_lists_what_fires_and_what_ended_lately() {
    let city = City::new();
    city.push(&event(1, AlertEventKind::Fired, alert("a-1", Severity::High))).await;
    city.push(&event(1, AlertEventKind::Fired, alert("a-2", Severity::Low))).await;
    city.push(&event(2, AlertEventKind::Resolved, alert("a-2", Severity::Low))).await;
    let feed = city.get("/api/v1/cap").await;
    assert_eq!(feed.headers["content-type"], "application/atom+xml; charset=utf-8");
    for words in [
        "<title>测试城 Testville 告警 Alerts</title>",
        "href=\"/api/v1/cap/a-1\"",
        "href=\"/api/v1/cap/a-2\"",
        "<cap:severity>Severe</cap:severity>",
        "<cap:urgency>Past</cap:urgency>",
    ] {
        assert!(feed.text.contains(words), "{words} is not in {}", feed.text);
    }
    city.clock.advance(Span::from_hours(25));
    let later = city.get("/api/v1/cap").await.text;
    assert!(later.contains("cap/a-1\"") && !later.contains("cap/a-2\""), "{later}");
}

#[tokio::test]
async fn a_message_refers_to_those_before_it_and_to_no_note() {
    let city = City::new();
    city.push(&event(1, AlertEventKind::Fired, alert("a-1", Severity::Medium))).await;
    let first = city.get("/api/v1/cap/a-1").await;
    assert_eq!(first.headers["content-type"], "application/cap+xml");
    for words in [
        "<identifier>a-1.1</identifier>",
        "<sender>alerts@testville.example</sender>",
        "<sent>2026-11-23T13:00:00+01:00</sent>",
        "<msgType>Alert</msgType>",
        "<senderName>Testville</senderName>",
        "<areaDesc>Market Square, Old Town</areaDesc>",
    ] {
        assert!(first.text.contains(words), "{words} is not in {}", first.text);
    }
    assert!(!first.text.contains("<references>"), "{}", first.text);

    city.post("/api/v1/alerts/a-1/notes", &serde_json::json!({ "note": "on my way" })).await;
    let end = city_model::AlertEvent {
        at: NOW + Span::from_mins(5),
        ..event(2, AlertEventKind::Resolved, alert("a-1", Severity::Medium))
    };
    city.push(&end).await;
    let last = city.get("/api/v1/cap/a-1").await.text;
    for words in [
        "<identifier>a-1.2</identifier>",
        "<sent>2026-11-23T13:05:00+01:00</sent>",
        "<msgType>Cancel</msgType>",
        "<references>alerts@testville.example,a-1.1,2026-11-23T13:00:00+01:00</references>",
    ] {
        assert!(last.contains(words), "{words} is not in {last}");
    }
    assert_eq!(city.get("/api/v1/cap/nothing").await.problem(), "unknown_alert");
}

#[tokio::test]
async fn an_end_that_no_reading_brought_says_why_and_clears_nothing() {
    let city = City::new();
    city.push(&event(1, AlertEventKind::Fired, alert("a-1", Severity::Medium))).await;
    let end = city_model::AlertEvent {
        reason: Some(city_model::EndReason::RuleRemoved),
        ..event(2, AlertEventKind::Resolved, alert("a-1", Severity::Medium))
    };
    city.push(&end).await;
    let message = city.get("/api/v1/cap/a-1").await.text;
    assert!(message.contains("<msgType>Cancel</msgType>"), "{message}");
    assert!(message.contains("Ended because the rule was removed"), "{message}");
    assert!(!message.contains("AllClear"), "{message}");
    let feed = city.get("/api/v1/cap").await.text;
    assert!(feed.contains("<cap:urgency>Unknown</cap:urgency>"), "{feed}");
}

#[tokio::test]
async fn a_zone_is_drawn_and_simulated_data_are_an_exercise() {
    let city = City::new();
    let mut zone = alert("z-1", Severity::High);
    zone.subject = Subject::Zone { zone: "harbour".into() };
    zone.zones = vec!["harbour".into()];
    zone.simulated = true;
    city.push(&event(1, AlertEventKind::Fired, zone)).await;
    let message = city.get("/api/v1/cap/z-1").await.text;
    assert!(message.contains("<status>Exercise</status>"), "{message}");
    assert!(message.contains("<polygon>50,11 50,12 51,12 51,11 50,11</polygon>"), "{message}");
}
