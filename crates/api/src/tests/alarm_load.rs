//! The alarm load from outside.

use city_model::{Alert, AlertEventKind, Severity, Span, Subject};
use serde_json::{Value, json};

use super::fixture::{City, NOW, alert, event};

/// One alert that fired so many minutes ago and ended so many seconds later, if it did.
async fn past(
    city: &City,
    id: &str,
    (department, rule): (&str, &str),
    minutes: i64,
    secs: Option<i64>,
) {
    let mut alert: Alert = alert(id, Severity::Low);
    alert.rule.id = rule.into();
    alert.rule.department = department.into();
    alert.fired_at = NOW - Span::from_mins(minutes);
    let fired = event(1, AlertEventKind::Fired, alert.clone());
    city.push(&fired).await;
    if let Some(secs) = secs {
        let at = alert.fired_at + Span::from_secs(secs);
        let mut ended = event(2, AlertEventKind::Resolved, alert);
        (ended.at, ended.alert.resolved_at) = (at, Some(at));
        city.push(&ended).await;
    }
}

#[tokio::test]
async fn the_load_is_counted_by_department_and_for_the_city() {
    let city = City::new();
    for n in 0..12 {
        past(&city, &format!("e-{n}"), ("environment", "pm25_high"), 60, Some(30)).await;
    }
    past(&city, "old", ("works", "lamp_out"), 3 * 24 * 60, None).await;
    past(&city, "new", ("works", "lamp_out"), 30, None).await;
    let mut severe = alert("severe", Severity::Critical);
    severe.rule.department = "works".into();
    severe.subject = Subject::Zone { zone: "harbour".into() };
    severe.fired_at = NOW - Span::from_mins(1);
    city.push(&event(1, AlertEventKind::Fired, severe)).await;

    let load = city.ok("/api/v1/alarm-load").await;
    let of = |position: &str| -> Value {
        let all = load["departments"].as_array().expect("departments");
        all.iter().find(|load| load["position"] == position).expect("there").clone()
    };
    let environment = of("environment");
    for (figure, expected) in [
        ("alerts", json!(12)),
        ("per_operator_day", json!(12.0)),
        ("ten_minutes_mean", json!(12.0 / 144.0)),
        ("ten_minutes_peak", json!(12.0)),
        ("floods", json!(1)),
        ("flood_share", json!(600.0 / 86_400.0)),
        ("chattering", json!(1)),
        ("fleeting", json!(12)),
        ("standing", json!(0)),
        ("stale", json!(0)),
        ("operators", json!(1)),
    ] {
        assert_eq!(environment[figure], expected, "{figure}");
    }
    let works = of("works");
    assert_eq!(
        (&works["alerts"], &works["standing"], &works["stale"]),
        (&json!(2), &json!(3), &json!(1))
    );
    assert_eq!(
        works["severities"][0],
        json!({ "severity": "low", "alerts": 1, "share": 0.5, "target": 0.8 })
    );
    let all = &load["city"];
    assert_eq!(
        (&all["position"], &all["alerts"], &all["operators"]),
        (&json!("city"), &json!(14), &json!(2))
    );
    assert_eq!(all["per_operator_day"], 7.0, "two positions share them");
    let worst = json!({ "rule": "pm25_high", "subject": "series:air-1/pm25", "alerts": 12,
        "share": 12.0 / 14.0, "chattering": true, "fleeting": 12, "stale": 0 });
    assert_eq!(load["bad_actors"][0], worst);

    let works = city.ok("/api/v1/alarm-load?department=works").await;
    assert_eq!((&works["city"]["alerts"], &works["departments"][1]), (&json!(2), &Value::Null));
    let long = city.ok("/api/v1/alarm-load?from=2026-11-01T00:00:00Z").await;
    assert_eq!(long["city"]["alerts"], 15);
    for bad in ["?from=2025-01-01T00:00:00Z", "?from=2026-12-01T00:00:00Z"] {
        let answer = city.get(&format!("/api/v1/alarm-load{bad}")).await;
        assert_eq!(answer.problem(), "bad_range", "{bad}");
    }
}

#[tokio::test]
async fn gauges_show_the_last_day_and_no_more_than_fifty_positions() {
    let city = City::new();
    for n in 0..60 {
        past(&city, &format!("a-{n}"), (&format!("d{n:02}"), "x"), n, None).await;
    }
    past(&city, "twice", ("d59", "y"), 5, None).await;
    let app = &city.brain.app;
    let load = app.alerts.load((NOW - Span::from_hours(24), NOW), None, &app.flood);
    let load = load.expect("read").expect("few enough");
    app.load_metrics.show(&load.city, &load.departments);
    let text = city.get("/metrics").await.text;
    let lines = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
    assert_eq!(lines("citybrain_alarm_load_per_operator_day{"), 50);
    assert!(text.contains("citybrain_alarm_load_per_operator_day{position=\"d59\"} 2\n"), "{text}");
    assert!(text.contains("citybrain_alarm_load_standing{position=\"city\"} 61\n"));
}
