//! Real MQTT over TCP: what is published arrives, also when the other side goes away in between.
//!
//! The other side is a few lines of MQTT 3.1.1 of this test's own, so that it can misbehave on
//! purpose and needs no broker. Runs against real brokers are among the journeys.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use firmware_sim::{Backfill, Clock, Fleet, Load, Runner, Scenario, Span, Target};
use rumqttc::mqttbytes::v4::{ConnAck, ConnectReturnCode, Packet, PubAck};
use rumqttc::mqttbytes::{Error, QoS};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const ZONES: &str = include_str!("../../crates/citybrain/assets/chicago/zones.geojson");

/// A message as it arrived: topic and payload.
type Arrived = (String, Vec<u8>);

/// Serves one connection; after `limit` publishes it hangs up without acknowledging the last.
async fn serve(mut stream: TcpStream, arrived: mpsc::Sender<Arrived>, limit: usize) -> Option<()> {
    let mut buffer = bytes::BytesMut::new();
    let mut publishes = 0;
    loop {
        let packet = loop {
            match Packet::read(&mut buffer, 16 << 20) {
                Ok(packet) => break packet,
                Err(Error::InsufficientBytes(_)) => {
                    if stream.read_buf(&mut buffer).await.ok()? == 0 {
                        return None;
                    }
                }
                Err(error) => panic!("not MQTT: {error}"),
            }
        };
        let mut answer = bytes::BytesMut::new();
        match packet {
            Packet::Connect(connect) => {
                assert!(connect.clean_session && connect.client_id.starts_with("firmware-sim-"));
                ConnAck::new(ConnectReturnCode::Success, false).write(&mut answer).ok()?;
            }
            Packet::Publish(publish) => {
                assert_eq!(publish.qos, QoS::AtLeastOnce);
                publishes += 1;
                arrived.send((publish.topic, publish.payload.to_vec())).await.ok()?;
                if publishes == limit {
                    return None;
                }
                PubAck::new(publish.pkid).write(&mut answer).ok()?;
            }
            Packet::PingReq => {
                rumqttc::mqttbytes::v4::PingResp.write(&mut answer).ok()?;
            }
            Packet::Disconnect => return None,
            other => panic!("devices do not send {other:?}"),
        }
        stream.write_all(&answer).await.ok()?;
    }
}

/// A listener whose first `bad` connections hang up after 50 messages.
async fn listen(bad: usize) -> (u16, mpsc::Receiver<Arrived>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let (sender, receiver) = mpsc::channel(64);
    tokio::spawn(async move {
        let accepted = AtomicUsize::new(0);
        while let Ok((stream, _)) = listener.accept().await {
            let number = accepted.fetch_add(1, Ordering::Relaxed);
            let limit = if number < bad { 50 } else { usize::MAX };
            tokio::spawn(serve(stream, sender.clone(), limit));
        }
    });
    (port, receiver)
}

/// A tenth of Chicago with an hour of history.
fn small_city() -> (Arc<Fleet>, Clock) {
    let clock = Clock::wall();
    let mut scenario = Scenario::chicago().scaled(0.1);
    scenario.incidents.clear();
    scenario.repeat.clear();
    scenario.backfill =
        Some(Backfill { window: Span::from_secs(3_600), step: Span::from_secs(300) });
    (Arc::new(Fleet::new(&scenario, ZONES, clock.now()).expect("a city")), clock)
}

#[tokio::test]
async fn nothing_is_lost_when_connections_break() {
    let (port, mut arrived) = listen(3).await;
    let (fleet, clock) = small_city();
    let target = Target { connections: 2, in_flight: 16, ..Target::new("127.0.0.1", port) };
    let runner = Runner::new(fleet, target).clock(clock);
    let counters = runner.counters();
    let shutdown = CancellationToken::new();
    let run = tokio::spawn(runner.run(shutdown.clone()));
    let mut seen: BTreeSet<Arrived> = BTreeSet::new();
    let all = async {
        loop {
            let message = arrived.recv().await.expect("the listener lives");
            seen.insert(message);
            let now = counters.snapshot();
            // About the history of 200 devices.
            if seen.len() > 1_450 && now.resent > 0 && now.connects >= 5 {
                shutdown.cancel();
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), all).await.expect("messages arrive");
    let drain = tokio::spawn(async move {
        while let Some(message) = arrived.recv().await {
            seen.insert(message);
        }
    });
    let report = run.await.expect("it ends");
    drain.abort();
    let snapshot = counters.snapshot();
    assert_eq!((report.dropped, report.unsent), (0, 0));
    assert_eq!(report.acknowledged, snapshot.stored, "everything was acknowledged");
    assert!(report.readings > report.acknowledged && snapshot.connected == 0);
}

#[tokio::test]
async fn without_a_broker_the_store_is_bounded_and_what_gives_way_is_counted() {
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        listener.local_addr().expect("an address").port()
    };
    let (fleet, _) = small_city();
    let target =
        Target { connections: 1, in_flight: 4, store: 20, ..Target::new("127.0.0.1", port) };
    // An hour passes every second, and nobody answers.
    let clock = Clock::from(fleet.start(), 3_600.0);
    let runner = Runner::new(fleet, target).clock(clock).backfill(None);
    let counters = runner.counters();
    let shutdown = CancellationToken::new();
    let run = tokio::spawn(runner.run(shutdown.clone()));
    let full = async {
        while counters.snapshot().dropped < 100 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), full).await.expect("the store fills up");
    shutdown.cancel();
    let report = run.await.expect("it ends");
    let snapshot = counters.snapshot();
    assert_eq!(report.unsent, 20);
    assert_eq!(snapshot.stored, report.dropped + report.unsent);
    assert_eq!((snapshot.acknowledged, snapshot.connects), (0, 0));
}

fn load(port: u16) -> Load {
    Load {
        target: Target { connections: 3, ..Target::new("127.0.0.1", port) },
        rate: 2_000.0,
        time: Duration::from_millis(500),
        devices: 7,
        topic: "load/{device}/up".to_owned(),
        payload: r#"{"ts":"{time}","v":{value},"of":{device}}"#.to_owned(),
    }
}

#[tokio::test]
async fn load_counts_every_acknowledgement_and_how_late_it_was() {
    let (port, mut arrived) = listen(0).await;
    let taken = tokio::spawn(async move {
        let (mut topics, mut messages) = (BTreeSet::new(), 0);
        while let Some((topic, payload)) = arrived.recv().await {
            let payload: serde_json::Value = serde_json::from_slice(&payload).expect("JSON");
            assert!(payload["v"].is_number() && topic.contains(&payload["of"].to_string()));
            topics.insert(topic);
            messages += 1;
            if messages == 1_000 {
                break;
            }
        }
        topics.len()
    });
    let report = load(port).run().await;
    assert_eq!((report.wanted, report.acknowledged), (1_000, 1_000));
    assert!(report.failures.is_empty(), "{:?}", report.failures);
    let delays = report.delay_ms;
    assert!(delays.p50 > 0.0 && delays.p50 <= delays.p99 && delays.p99 <= delays.max);
    assert_eq!(taken.await.expect("no panic"), 7);
}

#[tokio::test]
async fn load_says_which_connections_failed() {
    let (port, mut arrived) = listen(3).await;
    tokio::spawn(async move { while arrived.recv().await.is_some() {} });
    let report = load(port).run().await;
    assert_eq!(report.failures.values().sum::<usize>(), 3, "{report:?}");
    // Each listener hangs up with its fiftieth message.
    assert!(report.acknowledged <= 3 * 49, "{report:?}");
}
