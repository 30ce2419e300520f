//! CAP messages to an office over HTTP: what it gets, in which order, and what they refer to.

mod support;

use city_alert::{CityFacts, PlaceBook, ReceiverConfig};
use city_cap::Issuer;
use city_model::{LocalText, Marks, Severity};
use jiff::tz::TimeZone;
use serde_json::json;
use support::world::{NOW, World, until};
use support::{Recorder, Reply, Seen};

fn city() -> CityFacts {
    let config = serde_json::from_value(json!({"sender": "alerts@city.example"})).expect("good");
    let (name, time_zone) = (LocalText::new("Beijing", "北京"), TimeZone::UTC);
    let cap = Issuer::new(&config, name.clone(), time_zone.clone()).expect("good");
    CityFacts { name, time_zone, cap: Some(cap), places: PlaceBook::default() }
}

fn office(url: &str) -> ReceiverConfig {
    let options = json!({"url": url, "token": "hush"});
    ReceiverConfig { city: city(), ..ReceiverConfig::new("office", "cap", options) }
}

/// The text of an element that stands there once, or first.
fn text<'a>(seen: &'a Seen, name: &str) -> Option<&'a str> {
    let (_, rest) = seen.body.split_once(&format!("<{name}>"))?;
    rest.split_once("</").map(|(text, _)| text)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_message_refers_to_those_that_the_office_took() {
    let world = World::new();
    let server = Recorder::start(Reply::new(202, "")).await;
    // The first attempt fails: what was not taken is referred to by nothing.
    server.then([Reply::new(503, "later")]);
    let mut office = office(&server.url);
    office.city.places = PlaceBook::of(world.registry.clone());
    let running = world.start(vec![office]);
    let delivering = running.deliver();
    for (second, value) in [(0, 80.0), (1, 200.0), (2, 10.0)] {
        running.follow(&world.commit(second, value, Marks::NONE));
    }
    until(async || (server.count() == 4).then_some(())).await;
    delivering.stop().await;

    let seen = server.seen();
    assert_eq!(seen[0].body, seen[1].body, "the same message again");
    let keys: Vec<String> = seen.iter().map(Seen::key).collect();
    assert_eq!(keys[0], keys[1]);
    for (seen, kind, severity, earlier) in [
        (&seen[1], "Alert", "Moderate", 0),
        (&seen[2], "Update", "Extreme", 1),
        (&seen[3], "Cancel", "Extreme", 2),
    ] {
        assert_eq!(seen.headers["content-type"], "application/cap+xml");
        assert_eq!(seen.headers["authorization"], "Bearer hush");
        assert_eq!(text(seen, "msgType"), Some(kind), "{}", seen.body);
        assert_eq!(text(seen, "severity"), Some(severity));
        let references = text(seen, "references").unwrap_or_default();
        assert_eq!(references.split_whitespace().count(), earlier, "{references}");
    }
    let said = |seen: &Seen| {
        format!(
            "alerts@city.example,{},{}",
            text(seen, "identifier").expect("there"),
            text(seen, "sent").expect("there")
        )
    };
    let wanted = format!("{} {}", said(&seen[1]), said(&seen[2]));
    assert_eq!(text(&seen[3], "references"), Some(wanted.as_str()));
    assert!(text(&seen[3], "identifier").is_some_and(|id| id.ends_with(".3.office")));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hears_late_hears_an_alert_and_who_heard_nothing_hears_of_no_end() {
    let world = World::new();
    let server = Recorder::start(Reply::new(202, "")).await;
    let office = ReceiverConfig { severity: Severity::Critical, ..office(&server.url) };
    let running = world.start(vec![office]);
    let delivering = running.deliver();
    let values = [80.0, 10.0, 80.0, 200.0, 10.0];
    running.follow(&world.commit_all(0, &values, Marks::NONE));
    until(async || (server.count() == 2).then_some(())).await;
    delivering.stop().await;
    let seen = server.seen();
    let kinds: Vec<_> = seen.iter().map(|seen| text(seen, "msgType").expect("there")).collect();
    assert_eq!(kinds, ["Alert", "Cancel"]);
}

#[tokio::test]
async fn a_try_is_a_test_that_is_cancelled() {
    let server = Recorder::start(Reply::new(202, "")).await;
    office(&server.url).try_out(NOW).await.expect("taken");
    let seen = server.seen();
    let said: Vec<_> =
        seen.iter().map(|seen| (text(seen, "status"), text(seen, "msgType"))).collect();
    assert_eq!(said, [(Some("Test"), Some("Alert")), (Some("Test"), Some("Cancel"))]);
    assert!(text(&seen[1], "references").is_some());
}

#[test]
fn without_somebody_who_speaks_it_says_what_is_missing() {
    let silent = ReceiverConfig { city: CityFacts::default(), ..office("http://office.example") };
    let said = silent.check().expect_err("refused");
    assert!(said.contains("[cap]") && said.contains("`sender`"), "{said}");
}
