//! Through the client library that many programs use, in both versions.

use city_endpoint::EndpointConfig;
use city_pipeline::Received;
use rumqttc::v5;

use crate::harness::{Bench, commit};

const MESSAGES: u16 = 2000;

/// Commits all, in batches as they come, the last of each first.
async fn commit_all(mut received: Received, count: usize) -> Vec<u32> {
    let mut numbers = Vec::new();
    while numbers.len() < count {
        let mut messages = received.next().await.expect("messages").into_messages();
        numbers.extend(messages.iter().map(|message| number(&message.payload)));
        while let Some(message) = messages.pop() {
            commit(message);
        }
    }
    numbers
}

fn number(payload: &[u8]) -> u32 {
    String::from_utf8_lossy(payload).parse().expect("a number")
}

fn options_v4(bench: &Bench) -> rumqttc::MqttOptions {
    let mut options = rumqttc::MqttOptions::new("old", "127.0.0.1", bench.port());
    options.set_inflight(500).set_clean_session(false);
    options
}

fn options_v5(bench: &Bench) -> v5::MqttOptions {
    let mut options = v5::MqttOptions::new("new", "127.0.0.1", bench.port());
    options.set_clean_start(false).set_session_expiry_interval(Some(1000));
    options
}

#[tokio::test]
async fn a_3_1_1_client_gets_everything_acknowledged_at_qos_1_and_2() {
    for qos in [rumqttc::QoS::AtLeastOnce, rumqttc::QoS::ExactlyOnce] {
        let bench = Bench::listen(EndpointConfig::default()).await;
        let (client, mut events) = rumqttc::AsyncClient::new(options_v4(&bench), 100);
        let publishing = tokio::spawn(async move {
            for n in 0..MESSAGES {
                client.publish("city/a", qos, false, n.to_string()).await.expect("queued");
            }
            client
        });
        let committing = tokio::spawn(commit_all(bench.received, MESSAGES.into()));
        let mut acknowledged = 0;
        while acknowledged < MESSAGES {
            use rumqttc::{Event, Packet};
            let event = events.poll().await.expect("no error");
            let ack = matches!(event, Event::Incoming(Packet::PubAck(_) | Packet::PubComp(_)));
            acknowledged += u16::from(ack);
        }
        let numbers = committing.await.expect("no panic");
        assert_eq!(numbers, (0..u32::from(MESSAGES)).collect::<Vec<_>>(), "once each, in order");
        publishing.await.expect("no panic");
    }
}

#[tokio::test]
async fn a_5_client_gets_everything_acknowledged_in_order() {
    // The client obeys the receive maximum that it is told.
    let config = EndpointConfig { max_unacknowledged: 64, ..EndpointConfig::default() };
    let bench = Bench::listen(config).await;
    let (client, mut events) = v5::AsyncClient::new(options_v5(&bench), 100);
    let publishing = tokio::spawn(async move {
        for n in 0..MESSAGES {
            let qos = v5::mqttbytes::QoS::AtLeastOnce;
            client.publish("city/a", qos, false, n.to_string()).await.expect("queued");
        }
        client
    });
    let committing = tokio::spawn(commit_all(bench.received, MESSAGES.into()));
    let (mut sent, mut acknowledged) = (Vec::new(), Vec::new());
    while acknowledged.len() < MESSAGES.into() {
        use v5::mqttbytes::v5::Packet;
        match events.poll().await.expect("no error") {
            v5::Event::Incoming(Packet::PubAck(ack)) => acknowledged.push(ack.pkid),
            v5::Event::Outgoing(rumqttc::Outgoing::Publish(id)) => sent.push(id),
            _ => {}
        }
    }
    assert_eq!(acknowledged, sent);
    committing.await.expect("no panic");
    publishing.await.expect("no panic");
}

#[tokio::test]
async fn what_was_not_acknowledged_comes_again_after_a_reconnect() {
    let mut bench = Bench::listen(EndpointConfig::default()).await;
    let (client, mut events) = v5::AsyncClient::new(options_v5(&bench), 100);
    for n in 0..5 {
        let qos = v5::mqttbytes::QoS::AtLeastOnce;
        client.publish("city/a", qos, false, n.to_string()).await.expect("queued");
    }
    let polling = tokio::spawn(async move {
        let (mut acknowledged, mut errors) = (0, 0);
        while acknowledged < 5 {
            match events.poll().await {
                Ok(v5::Event::Incoming(v5::mqttbytes::v5::Packet::PubAck(_))) => acknowledged += 1,
                Ok(_) => {}
                Err(_) => errors += 1,
            }
        }
        errors
    });
    let mut messages = bench.take(5).await;
    messages.drain(..2).for_each(commit);
    drop(messages);
    let mut again: Vec<_> = Vec::new();
    for message in bench.take(3).await {
        again.push(number(&message.payload));
        commit(message);
    }
    again.sort_unstable();
    assert_eq!(again, [2, 3, 4]);
    assert_eq!(polling.await.expect("no panic"), 1);
}
