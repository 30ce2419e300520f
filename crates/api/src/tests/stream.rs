//! The stream of events as a client sees it.

use std::collections::VecDeque;
use std::time::Duration;

use axum::http::{Method, Request, StatusCode};
use city_model::{AlertEventKind, Severity, Span};
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::fixture::{City, NOW, alert, event};

/// A client of the stream.
struct Client {
    body: axum::body::BodyDataStream,
    text: String,
    ready: VecDeque<Event>,
}

#[derive(Debug)]
struct Event {
    id: String,
    name: String,
    data: Value,
}

impl Client {
    async fn open(city: &City, query: &str, last_id: Option<&str>) -> Self {
        let mut request: Request<_> =
            city.request(Method::GET, &format!("/api/v1/stream{query}"), None);
        if let Some(id) = last_id {
            request.headers_mut().insert("last-event-id", id.parse().expect("a header"));
        }
        let response = city.open(request).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let body = response.into_body().into_data_stream();
        Self { body, text: String::new(), ready: VecDeque::new() }
    }

    /// The next event; comments are given as events named `:`.
    async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return event;
            }
            let chunk = self.body.next().await.expect("the stream goes on").expect("bytes");
            self.text.push_str(std::str::from_utf8(&chunk).expect("text"));
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let event = parse(block);
                let rest = rest.to_owned();
                self.ready.push_back(event);
                self.text = rest;
            }
        }
    }

    /// The next event, which must have this name.
    async fn expect(&mut self, name: &str) -> Event {
        let event = self.next().await;
        assert_eq!(event.name, name, "{event:?}");
        event
    }

    /// Whether nothing is there to read now.
    async fn is_quiet(&mut self) -> bool {
        self.ready.is_empty()
            && tokio::time::timeout(Duration::from_millis(1), self.body.next()).await.is_err()
    }
}

fn parse(block: &str) -> Event {
    let mut event = Event { id: String::new(), name: String::new(), data: Value::Null };
    for line in block.lines() {
        let (field, value) = line.split_once(':').expect("a field");
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" => event = Event { name: ":".to_owned(), data: json!(value), ..event },
            "id" => event.id = value.to_owned(),
            "event" => event.name = value.to_owned(),
            "data" => event.data = serde_json::from_str(value).expect("JSON"),
            _ => panic!("unknown field {line}"),
        }
    }
    event
}

const TICK: Span = Span::from_millis(200);

#[tokio::test(start_paused = true)]
async fn a_client_is_greeted_and_hears_only_what_changes() {
    let city = City::new();
    city.commit(vec![city.reading("air-1", "pm25", 1.0)]);
    city.pass(TICK);
    let mut client = Client::open(&city, "", None).await;
    let hello = client.expect("hello").await;
    assert_eq!(hello.data["heartbeat_s"], 10);
    assert_eq!(hello.data["cursor"], hello.id);
    assert_eq!(hello.data["cursor"], city.ok("/api/v1/map").await["cursor"]);

    city.clock.advance(TICK);
    city.commit(vec![city.reading("air-1", "pm25", 2.0), city.reading("air-2", "pm25", 2.0)]);
    city.brain.app.hub.tick();
    let map = client.expect("map").await;
    assert_eq!(map.data["devices"], json!([{ "id": "air-2", "status": 0 }]), "air-1 is as it was");
    assert!(client.is_quiet().await);

    city.pass(Span::from_secs(91));
    let late = client.expect("map").await;
    let expected = json!([{ "id": "air-1", "status": 1 }, { "id": "air-2", "status": 1 }]);
    assert_eq!(late.data["devices"], expected, "silence is a change too");
    assert!(late.id.parse::<u64>().expect("a number") > map.id.parse().expect("a number"));
}

#[tokio::test(start_paused = true)]
async fn an_alert_comes_at_once_and_its_device_changes_with_the_next_tick() {
    let city = City::new();
    let mut client = Client::open(&city, "", None).await;
    client.expect("hello").await;
    city.push(&event(1, AlertEventKind::Fired, alert("a-1", Severity::High))).await;
    let fired = client.expect("alert").await;
    assert_eq!(fired.data, city.ok("/api/v1/alerts").await["items"][0]);
    city.pass(TICK);
    let map = client.expect("map").await;
    assert_eq!(map.data["devices"], json!([{ "id": "air-1", "severity": 3 }]));

    city.push(&event(1, AlertEventKind::Fired, alert("a-1", Severity::High))).await;
    assert!(client.is_quiet().await, "a repeated event is no news");
    city.post("/api/v1/alerts/a-1/acknowledge", &json!({})).await;
    assert_eq!(client.expect("alert").await.data["acknowledged"]["by"], "ada");
    city.push(&event(2, AlertEventKind::Resolved, alert("a-1", Severity::High))).await;
    assert_eq!(client.expect("alert").await.data["state"], "resolved");
    city.pass(TICK);
    assert_eq!(client.expect("map").await.data["devices"][0]["severity"], 0);
}

#[tokio::test(start_paused = true)]
async fn values_come_only_if_wanted_and_only_the_newest_of_each_series() {
    let city = City::new();
    let mut plain = Client::open(&city, "", None).await;
    let mut all = Client::open(&city, "?values=1", None).await;
    let mut one = Client::open(&city, "?device=air-2", None).await;
    for client in [&mut plain, &mut all, &mut one] {
        client.expect("hello").await;
    }
    city.commit(vec![city.reading("air-1", "pm25", 1.0), city.reading("air-2", "pm25", 5.0)]);
    city.clock.advance(TICK);
    city.commit(vec![city.reading("air-1", "pm25", 2.0)]);
    city.brain.app.hub.tick();
    let later = (NOW + TICK).millis();
    for client in [&mut plain, &mut all, &mut one] {
        client.expect("map").await;
    }
    let mut values = all.expect("values").await.data["values"].as_array().expect("values").clone();
    values.sort_by_key(|value| value[0].to_string());
    let expected =
        [json!(["air-1", "pm25", later, 2.0, 1]), json!(["air-2", "pm25", NOW.millis(), 5.0, 1])];
    assert_eq!(values, expected);
    assert_eq!(one.expect("values").await.data["values"], json!([expected[1]]));
    assert!(plain.is_quiet().await);
}

#[tokio::test(start_paused = true)]
async fn a_client_may_follow_one_zone_or_kind() {
    let city = City::new();
    let mut zone = Client::open(&city, "?zone=harbour", None).await;
    let mut kind = Client::open(&city, "?kind=bus", None).await;
    zone.expect("hello").await;
    kind.expect("hello").await;
    let bus = |lon| city.at(city.reading("bus-1", "traffic_speed", 30.0), lon, 50.5);
    city.commit(vec![city.reading("air-1", "pm25", 1.0), bus(11.5)]);
    city.push(&event(1, AlertEventKind::Fired, alert("a-1", Severity::High))).await;
    city.pass(TICK);
    let arrived = json!([{ "id": "bus-1", "status": 0, "lon": 11.5, "lat": 50.5 }]);
    assert_eq!(zone.expect("map").await.data["devices"], arrived);
    assert_eq!(kind.expect("map").await.data["devices"], arrived);

    city.commit(vec![bus(10.5)]);
    city.pass(TICK);
    let left = json!([{ "id": "bus-1", "lon": 10.5, "lat": 50.5 }]);
    assert_eq!(zone.expect("map").await.data["devices"], left, "that it left is told");
    city.commit(vec![bus(10.6)]);
    city.pass(TICK);
    assert!(zone.is_quiet().await, "what it does elsewhere is not");
    let unknown = city.get("/api/v1/stream?zone=atlantis").await;
    assert_eq!(unknown.problem(), "unknown_zone");
}

#[tokio::test(start_paused = true)]
async fn a_client_may_follow_several_of_each_and_only_some_events() {
    let city = City::new();
    let mut two = Client::open(&city, "?zone=harbour,old-town&kind=air_station", None).await;
    let mut values = Client::open(&city, "?device=air-1,air-2&events=values", None).await;
    let mut alerts = Client::open(&city, "?events=alert", None).await;
    for client in [&mut two, &mut values, &mut alerts] {
        client.expect("hello").await;
    }
    let bus = city.at(city.reading("bus-1", "traffic_speed", 30.0), 10.5, 50.5);
    let air = ["air-1", "air-2"].map(|id| city.reading(id, "pm25", 5.0));
    city.commit(air.into_iter().chain([bus]).collect());
    city.pass(TICK);
    let of = |event: &Event, member: &str| {
        let list = event.data[member].as_array().expect("a list").clone();
        let name = |item: &Value| item.get("id").unwrap_or(&item[0]).as_str().map(str::to_owned);
        let mut names: Vec<_> = list.iter().filter_map(name).collect();
        names.sort();
        names
    };
    assert_eq!(of(&two.expect("map").await, "devices"), ["air-1", "air-2"]);
    assert_eq!(of(&values.expect("values").await, "values"), ["air-1", "air-2"]);
    assert!(alerts.is_quiet().await);
    city.push(&event(1, AlertEventKind::Fired, alert("a-1", Severity::High))).await;
    alerts.expect("alert").await;
    let nonsense = city.get("/api/v1/stream?events=weather").await;
    assert_eq!(nonsense.problem(), "bad_parameter");
    let many = vec!["air-1"; 101].join(",");
    let many = city.get(&format!("/api/v1/stream?device={many}")).await;
    assert_eq!(many.problem(), "bad_parameter");
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_after_as_many_events_as_were_asked_for() {
    let city = City::new();
    let mut client = Client::open(&city, "?limit=2", None).await;
    client.expect("hello").await;
    city.commit(vec![city.reading("air-1", "pm25", 1.0)]);
    city.pass(TICK);
    client.expect("map").await;
    assert!(client.body.next().await.is_none(), "the stream ends");
    assert_eq!(city.get("/api/v1/stream?limit=0").await.problem(), "bad_parameter");
}

#[tokio::test(start_paused = true)]
async fn a_user_follows_only_so_often() {
    let city = City::limited(crate::HttpLimits { live_clients_per_user: 2, ..City::limits() });
    let one = Client::open(&city, "", None).await;
    let _two = Client::open(&city, "", None).await;
    let third = city.get("/api/v1/stream").await;
    assert_eq!((third.problem().as_str(), third.status.as_u16()), ("too_many_streams", 503));
    assert_eq!(third.headers["retry-after"], "30");
    drop(one);
    let _again = Client::open(&city, "", None).await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_comes_back_gets_exactly_what_it_missed() {
    let city = City::new();
    let cursor = city.ok("/api/v1/map").await["cursor"].as_str().expect("a cursor").to_owned();
    city.commit(vec![city.reading("air-1", "pm25", 1.0)]);
    city.pass(TICK);
    city.push(&event(1, AlertEventKind::Fired, alert("a-1", Severity::High))).await;

    let mut client = Client::open(&city, &format!("?after={cursor}"), None).await;
    assert_eq!(client.expect("hello").await.id, cursor, "a break before the rest must not lose it");
    let map = client.expect("map").await;
    assert_eq!(map.data["devices"], json!([{ "id": "air-1", "status": 0 }]));
    let fired = client.expect("alert").await;
    drop(client);

    city.pass(TICK);
    let mut back = Client::open(&city, &format!("?after={cursor}"), Some(&fired.id)).await;
    back.expect("hello").await;
    let severity = back.expect("map").await;
    assert_eq!(severity.data["devices"], json!([{ "id": "air-1", "severity": 3 }]));
    assert!(back.is_quiet().await);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_cannot_be_caught_up_is_told_to_start_over() {
    let city = City::new();
    let before = city.ok("/api/v1/map").await["cursor"].as_str().expect("a cursor").to_owned();
    let again = City::with_state(city.state.clone(), NOW + Span::from_secs(5));
    for lost in [before.as_str(), "1", "99999999999999999", "nonsense"] {
        let mut client = Client::open(&again, "", Some(lost)).await;
        let hello = client.expect("hello").await;
        let resync = client.expect("resync").await;
        assert!(resync.data["reason"].as_str().is_some_and(|reason| !reason.is_empty()));
        assert_eq!(resync.id, hello.id, "{lost}");
        again.commit(vec![again.at(
            again.reading("bus-1", "traffic_speed", 30.0),
            10.0 + f64::from(lost.len() as u8) / 100.0,
            50.5,
        )]);
        again.pass(TICK);
        client.expect("map").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_too_slow_is_told_to_start_over_and_goes_on() {
    let city = City::new();
    let mut slow = Client::open(&city, "", None).await;
    slow.expect("hello").await;
    let bus = |n: u32| {
        city.at(city.reading("bus-1", "traffic_speed", 30.0), 10.0 + f64::from(n) / 1000.0, 50.5)
    };
    for n in 0..300 {
        city.clock.advance(TICK);
        city.commit(vec![bus(n)]);
        city.brain.app.hub.tick();
    }
    let resync = slow.expect("resync").await;
    assert_eq!(resync.data["reason"], "the client fell behind");
    assert_eq!(resync.id, city.ok("/api/v1/map").await["cursor"]);
    assert!(slow.is_quiet().await, "what was queued is skipped");
    city.clock.advance(TICK);
    city.commit(vec![bus(999)]);
    city.brain.app.hub.tick();
    assert_eq!(slow.expect("map").await.data["devices"][0]["lon"], 10.999);
}

#[tokio::test(start_paused = true)]
async fn values_that_nobody_collected_cannot_be_resumed() {
    let city = City::new();
    let cursor = city.ok("/api/v1/map").await["cursor"].as_str().expect("a cursor").to_owned();
    city.commit(vec![city.reading("air-1", "pm25", 1.0)]);
    city.pass(TICK);
    let mut client = Client::open(&city, "?values=1", Some(&cursor)).await;
    let hello = client.expect("hello").await;
    client.expect("resync").await;
    drop(client);
    // For a minute after the last such client has gone its values are still kept.
    city.clock.advance(TICK);
    city.commit(vec![city.reading("air-1", "pm25", 2.0)]);
    city.brain.app.hub.tick();
    let mut back = Client::open(&city, "?values=1", Some(&hello.id)).await;
    back.expect("hello").await;
    assert_eq!(back.expect("values").await.data["values"][0][3], 2.0);
    drop(back);
    city.pass(Span::from_secs(61));
    let mut late = Client::open(&city, "?values=1", Some(&hello.id)).await;
    late.expect("hello").await;
    late.expect("resync").await;
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_comes_every_ten_seconds_even_while_events_flow() {
    let city = City::new();
    let mut client = Client::open(&city, "", None).await;
    client.expect("hello").await;
    let start = tokio::time::Instant::now();
    for seconds in [10, 20, 30] {
        assert_eq!(client.expect(":").await.data, "heartbeat");
        assert_eq!(start.elapsed(), Duration::from_secs(seconds));
        city.push(&event(seconds as u32, AlertEventKind::Fired, alert("a-1", Severity::Low))).await;
        client.expect("alert").await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_ticker_sends_the_system_every_other_second_and_stops_with_the_hub() {
    let city = City::new();
    let mut client = Client::open(&city, "", None).await;
    client.expect("hello").await;
    let app = city.brain.app.clone();
    let ticker = {
        let app = app.clone();
        tokio::spawn(async move { app.hub.run(|| crate::routes::system::system(&app)).await })
    };
    let first = client.expect("system").await;
    let start = tokio::time::Instant::now();
    assert_eq!(first.data["version"], "0.0.0-test");
    client.expect("system").await;
    assert_eq!(start.elapsed(), Duration::from_secs(2));
    app.hub.close();
    ticker.await.expect("it returns");
    assert!(client.body.next().await.is_none(), "the stream ends");
}

#[tokio::test(start_paused = true)]
async fn clients_are_counted_and_the_stream_ends_with_the_token() {
    let city = City::new();
    let mut client = Client::open(&city, "", None).await;
    client.expect("hello").await;
    assert_eq!(city.brain.app.http.stream_clients.get(), 1);
    let tokens = city.brain.tokens().expect("tables");
    tokens.revoke_noted("test", NOW).expect("written");
    city.clock.advance(Span::from_secs(10));
    let rest: Vec<_> = client.body.collect().await;
    assert!(rest.is_empty(), "ended at the next heartbeat");
    assert_eq!(city.brain.app.http.stream_clients.get(), 0);
}

#[tokio::test(start_paused = true)]
async fn ingest_never_waits_for_clients() {
    let city = City::new();
    let _clients: Vec<_> =
        [Client::open(&city, "?values=1", None).await, Client::open(&city, "", None).await].into();
    for n in 0..2_000 {
        city.clock.advance(Span::from_millis(1));
        city.commit(vec![city.reading("air-1", "pm25", f64::from(n))]);
    }
    let waiting = city.brain.app.hub.waiting_values();
    assert_eq!(waiting, 1, "memory is bounded by series, not by readings");
}
