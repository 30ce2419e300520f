//! Kill -9 in a loop while alerts fire: who is told hears of each alert, with the same id if twice,
//! and in the end the same alerts fire as if nothing had happened.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, ensure};
use city_model::{AlertEventKind, Span, Timestamp};
use city_tests::faults::{City, PATIENCE};
use city_tests::fleet::now;
use city_tests::instance::{Instance, eventually};
use city_tests::publisher::Publisher;
use city_tests::sink::Sink;
use serde_json::json;

const RULES: &str = "group: numbers\ndepartment: city\nrules:
  - {id: high, kind: threshold, lateness: any, select: {metric: water_level}, severity: {low: {above: 1, clear_below: 1}, \
   high: {above: 3, clear_below: 2}}}
  - {id: mean, kind: window, lateness: any, select: {metric: water_level}, window: {function: mean, over: 1h}, \
   severity: medium, raise: {above: 2}}
";

const DEVICES: usize = 20;
const ROUNDS: usize = 60;
/// Rounds after which the program is killed.
const KILLS: [usize; 8] = [5, 11, 12, 23, 30, 31, 44, 59];

/// The level of a device in a round: up and down, each device in its own way.
fn level(device: usize, round: usize) -> f64 {
    ((device * 7 + round * (device % 5 + 1)) % 9) as f64 / 2.0
}

/// What was told and what fires, without what differs from run to run.
#[derive(Debug, PartialEq)]
struct Outcome {
    /// By rule and subject: kind, severity, value and time of each event, in order.
    told: BTreeMap<(String, String), Vec<String>>,
    firing: BTreeSet<String>,
}

/// Publishes all rounds, killing the program after some; the last reading is of a device that says
/// that it is over.
async fn run(began: Timestamp, kills: &[usize]) -> anyhow::Result<Outcome> {
    let city = City::with_rules(Some(RULES), &[])?;
    let sink = Sink::start()?;
    let config = city.folder().join("citybrain.toml");
    std::fs::write(&config, std::fs::read_to_string(&config)? + &sink.config())?;
    let mut instance = city.start().await?;
    let mut publisher = connect(&instance)?;
    for round in 0..=ROUNDS {
        let at = began + Span::from_secs(round as i64);
        let mut messages: Vec<(String, f64)> =
            (0..DEVICES).map(|device| (format!("device-{device}"), level(device, round))).collect();
        if round == ROUNDS {
            messages.push(("end".to_owned(), 9.0));
        }
        send(&mut publisher, &messages, at)?;
        if let Some(kill) = kills.iter().position(|kill| *kill == round) {
            // At once, in the middle, and when all is on the disk.
            for _ in 0..messages.len() * (kill % 3) / 2 {
                publisher.acknowledged()?;
            }
            instance.kill()?;
            instance = city.start().await?;
            publisher = connect(&instance)?;
            send(&mut publisher, &messages, at)?;
        }
        for _ in 0..messages.len() {
            publisher.acknowledged()?;
        }
    }

    let mut events = BTreeMap::new();
    let mut ends = 0;
    while ends < 2 {
        // Events come in order: those about the last reading are the last ones, one of each rule.
        let received = sink.received.recv_timeout(PATIENCE).context("the last event")?;
        let event = received.event;
        ensure!(received.key == event.key && event.reason.is_none(), "{event:?}");
        let is_end = event.alert.subject.to_string().contains(":end/");
        let before = events.insert(event.key.clone(), event.clone());
        ensure!(before.as_ref().is_none_or(|before| *before == event), "{before:?} {event:?}");
        ends += usize::from(is_end && before.is_none());
    }
    let mut told: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for event in events.into_values() {
        let of = (event.alert.rule.id.to_string(), event.alert.subject.to_string());
        told.entry(of).or_default().push(event);
    }
    let firing = eventually("the last alert on the screen", PATIENCE, async || {
        let page = instance.get("/api/v1/alerts?state=firing&limit=200").await?;
        let items = page["items"].as_array().context("a page")?.clone();
        let ends = items.iter().filter(|item| item["subject"]["device"] == "end").count();
        Ok((ends == 2).then_some(items))
    })
    .await?;
    let known: BTreeSet<&str> = told.values().flatten().map(|event| &*event.alert.id).collect();
    let mut outcome = Outcome { told: BTreeMap::new(), firing: BTreeSet::new() };
    for item in firing {
        let id = item["id"].as_str().context("an id")?;
        ensure!(known.contains(id), "nobody was told of {item}");
        let (severity, value) = (&item["severity"], &item["value"]);
        outcome
            .firing
            .insert(format!("{} {} {severity} {value}", item["rule"]["id"], item["subject"]));
    }
    for (of, mut events) in told {
        events.sort_by_key(|event| (event.alert.started_at, event.seq));
        // One alert after the other, each from its first event to its last.
        let mut open = None;
        for event in &events {
            let (id, seq) = (&event.alert.id, event.seq);
            let expected = open.map_or((id, 1), |(id, seq)| (id, seq + 1));
            ensure!((id, seq) == expected, "an event was lost: {of:?} {events:#?}");
            open = (event.kind != AlertEventKind::Resolved).then_some((id, seq));
        }
        let lines = events.iter().map(|event| {
            let alert = &event.alert;
            let (value, time) = (alert.value, alert.reading_time);
            format!("{:?} {} {value:?} {time:?}", event.kind, alert.severity)
        });
        outcome.told.insert(of, lines.collect());
    }
    instance.kill()?;
    Ok(outcome)
}

fn connect(instance: &Instance) -> anyhow::Result<Publisher> {
    let address = instance.ready.mqtt.context("an endpoint")?;
    Ok(Publisher::connect(address, "devices")?)
}

fn send(
    publisher: &mut Publisher,
    messages: &[(String, f64)],
    at: Timestamp,
) -> anyhow::Result<()> {
    for (device, level) in messages {
        let payload = json!({ "ts": at, "level": level }).to_string();
        publisher.publish(&format!("mqtt/{device}/up"), payload.as_bytes());
    }
    Ok(publisher.flush()?)
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_while_alerts_fire_lose_none_and_raise_none_twice() {
    let began = now() - Span::from_secs(2 * ROUNDS as i64);
    let without = run(began, &[]).await.expect("a run in peace");
    assert!(without.told.len() > DEVICES, "enough happens: {without:?}");
    assert!(without.told.values().map(Vec::len).sum::<usize>() > 10 * DEVICES);
    let with = run(began, &KILLS).await.expect("a run with kills");
    assert_eq!(with, without);
}
