//! The cases of the public Paho interoperability tests for MQTT 3.1.1, with the client library that
//! many programs use; INTEROP.md says which hold, and why others are not offered.
//!
//! Where a case has one client publish what another hears, the server is the one that publishes:
//! this endpoint delivers commands, not what devices say.

use std::time::Duration;

use city_endpoint::{DownlinkMessage, EndpointConfig, Keep};
use city_pipeline::Limits;
use rumqttc::{
    AsyncClient, ConnectReturnCode, Event, EventLoop, LastWill, MqttOptions, Packet, QoS,
    SubscribeReasonCode,
};
use tokio::time::{Instant, sleep};

use crate::commands::{command, subscribe_v3};
use crate::harness::{Bench, commit, connect_v3, packet, puback, string};

const PATIENCE: Duration = Duration::from_secs(20);

fn client(bench: &Bench, id: &str, clean: bool) -> (AsyncClient, EventLoop) {
    let mut options = MqttOptions::new(id, "127.0.0.1", bench.port());
    options.set_clean_session(clean);
    AsyncClient::new(options, 10)
}

/// The next packet from the server that `wanted` makes something of.
async fn incoming<T>(events: &mut EventLoop, wanted: impl Fn(Packet) -> Option<T>) -> T {
    let reading = async {
        loop {
            if let Event::Incoming(packet) = events.poll().await.expect("connected")
                && let Some(found) = wanted(packet)
            {
                return found;
            }
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("a packet must come")
}

async fn connected(events: &mut EventLoop) -> bool {
    incoming(events, |packet| match packet {
        Packet::ConnAck(ack) => {
            assert_eq!(ack.code, ConnectReturnCode::Success);
            Some(ack.session_present)
        }
        _ => None,
    })
    .await
}

async fn subscribed(events: &mut EventLoop) -> Vec<SubscribeReasonCode> {
    incoming(events, |packet| match packet {
        Packet::SubAck(ack) => Some(ack.return_codes),
        _ => None,
    })
    .await
}

async fn heard(events: &mut EventLoop) -> (String, Vec<u8>, QoS, bool) {
    incoming(events, |packet| match packet {
        Packet::Publish(publish) => {
            Some((publish.topic, publish.payload.to_vec(), publish.qos, publish.retain))
        }
        _ => None,
    })
    .await
}

fn last(topic: &str, payload: &'static str) -> DownlinkMessage {
    DownlinkMessage { keep: Keep::Last, ..DownlinkMessage::new(topic, payload) }
}

#[tokio::test]
async fn basic_publishing_at_every_qos() {
    let mut bench = Bench::listen(EndpointConfig::default()).await;
    let (publisher, mut events) = client(&bench, "myclientid", true);
    connected(&mut events).await;
    for (qos, payload) in
        [(QoS::AtMostOnce, "qos 0"), (QoS::AtLeastOnce, "qos 1"), (QoS::ExactlyOnce, "qos 2")]
    {
        publisher.publish("city/a", qos, false, payload).await.expect("queued");
    }
    let polling = tokio::spawn(async move {
        let (mut first, mut second) = (false, false);
        while !(first && second) {
            match events.poll().await.expect("connected") {
                Event::Incoming(Packet::PubAck(_)) => first = true,
                Event::Incoming(Packet::PubComp(_)) => second = true,
                _ => {}
            }
        }
    });
    let messages = bench.take(3).await;
    let payloads: Vec<_> = messages.iter().map(|message| message.payload.to_vec()).collect();
    assert_eq!(payloads, [b"qos 0", b"qos 1", b"qos 2"]);
    messages.into_iter().filter(|message| message.ack.is_some()).for_each(commit);
    tokio::time::timeout(PATIENCE, polling).await.expect("acknowledged").expect("no panic");
}

#[tokio::test]
async fn basic_a_second_connect_and_a_wrong_protocol_name_are_refused() {
    let bench = Bench::listen(EndpointConfig::default()).await;
    let mut twice = bench.tcp().await;
    twice.connect_v3("myclientid").await;
    twice.send(&connect_v3("myclientid", 2, 60)).await;
    twice.expect_end().await;
    let mut wrong = bench.tcp().await;
    let body = [&string("hj")[..], &[4, 2, 0, 60], &string("myclientid")].concat();
    wrong.send(&packet(0x10, &body)).await;
    wrong.expect_end().await;
}

#[tokio::test]
async fn retained_messages_come_with_the_subscription_and_end_with_an_empty_one() {
    let bench = Bench::listen(EndpointConfig::default()).await;
    let downlink = bench.doorway.downlink();
    for topic in ["cmd/myclientid/a", "cmd/myclientid/b"] {
        downlink.send(last(topic, "kept")).expect("good");
    }
    let (subscriber, mut events) = client(&bench, "myclientid", true);
    connected(&mut events).await;
    subscriber.subscribe("cmd/myclientid/+", QoS::ExactlyOnce).await.expect("queued");
    for topic in ["cmd/myclientid/a", "cmd/myclientid/b"] {
        let message = heard(&mut events).await;
        assert_eq!(message, (topic.to_owned(), b"kept".to_vec(), QoS::AtLeastOnce, true));
    }
    for topic in ["cmd/myclientid/a", "cmd/myclientid/b"] {
        downlink.send(last(topic, "")).expect("good");
        heard(&mut events).await;
    }
    subscriber.subscribe("cmd/myclientid/+", QoS::ExactlyOnce).await.expect("queued");
    subscribed(&mut events).await;
    downlink.publish("cmd/myclientid/c", "next");
    let (topic, _, _, retained) = heard(&mut events).await;
    assert_eq!((topic.as_str(), retained), ("cmd/myclientid/c", false), "nothing was kept");
}

#[tokio::test]
async fn will_message_of_a_client_that_is_terminated() {
    let mut bench = Bench::listen(EndpointConfig::default()).await;
    let mut options = MqttOptions::new("myclientid", "127.0.0.1", bench.port());
    let will = LastWill::new("city/lwt", "client not disconnected", QoS::AtMostOnce, false);
    options.set_last_will(will);
    let (client, mut events) = AsyncClient::new(options, 10);
    connected(&mut events).await;
    drop((client, events));
    let message = bench.take(1).await.remove(0);
    assert_eq!(
        (&*message.topic, &message.payload[..]),
        ("city/lwt", &b"client not disconnected"[..])
    );
}

#[tokio::test]
async fn zero_length_client_id_needs_a_clean_session() {
    let bench = Bench::listen(EndpointConfig::default()).await;
    for (flags, answer) in [(0, 2), (2, 0)] {
        let mut client = bench.tcp().await;
        client.send(&connect_v3("", flags, 60)).await;
        client.expect(&[0x20, 2, 0, answer]).await;
    }
}

#[tokio::test]
async fn offline_messages_are_queued() {
    let bench = Bench::listen(EndpointConfig::default()).await;
    let (subscriber, mut events) = client(&bench, "myclientid", false);
    assert!(!connected(&mut events).await);
    subscriber.subscribe("cmd/myclientid/#", QoS::ExactlyOnce).await.expect("queued");
    subscribed(&mut events).await;
    subscriber.disconnect().await.expect("queued");
    while events.poll().await.is_ok() {}
    let downlink = bench.doorway.downlink();
    for (qos, payload) in [(0, "qos 0"), (1, "qos 1")] {
        let message = DownlinkMessage { qos, ..DownlinkMessage::new("cmd/myclientid/x", payload) };
        assert_eq!(downlink.send(message).expect("good").clients, 1);
    }
    let (_again, mut events) = client(&bench, "myclientid", false);
    assert!(connected(&mut events).await, "the session is there");
    for (qos, payload) in [(QoS::AtMostOnce, "qos 0"), (QoS::AtLeastOnce, "qos 1")] {
        let (_, read, read_qos, _) = heard(&mut events).await;
        assert_eq!((read, read_qos), (payload.as_bytes().to_vec(), qos));
    }
}

#[tokio::test]
async fn overlapping_subscriptions_get_one_message_at_the_highest_qos() {
    let bench = Bench::listen(EndpointConfig::default()).await;
    let (subscriber, mut events) = client(&bench, "myclientid", true);
    connected(&mut events).await;
    subscriber.subscribe("cmd/myclientid/#", QoS::AtLeastOnce).await.expect("queued");
    subscribed(&mut events).await;
    subscriber.subscribe("cmd/myclientid/+", QoS::AtMostOnce).await.expect("queued");
    subscribed(&mut events).await;
    let downlink = bench.doorway.downlink();
    downlink.publish("cmd/myclientid/x", "overlapping topic filters");
    downlink.publish("cmd/myclientid/x", "end");
    assert_eq!(heard(&mut events).await.2, QoS::AtLeastOnce);
    assert_eq!(heard(&mut events).await.1, b"end", "once");
}

#[tokio::test(start_paused = true)]
async fn keepalive_that_runs_out_publishes_the_will() {
    let mut bench = Bench::in_memory(EndpointConfig::default(), Limits::default());
    let mut silent = bench.wire(1000);
    let mut connect = connect_v3("myclientid", 0b110, 5);
    connect.extend([string("city/lwt"), string("keepalive expiry")].concat());
    connect[1] = (connect.len() - 2) as u8;
    silent.send(&connect).await;
    silent.expect(&[0x20, 2, 0, 0]).await;
    let started = Instant::now();
    let will = bench.take(1).await.remove(0);
    assert_eq!(&will.payload[..], b"keepalive expiry");
    assert!((5..=15).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn redelivery_on_reconnect_of_what_was_not_answered() {
    let bench = Bench::in_memory(EndpointConfig::default(), Limits::default());
    let mut paused = bench.wire(1000);
    paused.send(&connect_v3("myclientid2", 0, 60)).await;
    paused.expect(&[0x20, 2, 0, 0]).await;
    paused.send(&subscribe_v3(1, "cmd/myclientid2/#", 2)).await;
    paused.expect(&[0x90, 3, 0, 1, 1]).await;
    let downlink = bench.doorway.downlink();
    for payload in ["one", "two"] {
        downlink.publish("cmd/myclientid2/x", payload);
        command(&mut paused, false).await;
    }
    paused.send(&[0xe0, 0]).await;
    paused.expect_end().await;
    let mut again = bench.wire(1000);
    again.send(&connect_v3("myclientid2", 0, 60)).await;
    again.expect(&[0x20, 2, 1, 0]).await;
    for (id, payload) in [(1, b"one"), (2, b"two")] {
        let (first, _, read_id, read) = command(&mut again, false).await;
        assert_eq!((first, read_id, &read[..]), (0x3a, id, &payload[..]));
        again.send(&puback(id)).await;
    }
    again.nothing_came().await;
}

#[tokio::test]
async fn subscribe_failure_is_told_by_0x80() {
    let bench = Bench::listen(EndpointConfig::default()).await;
    let (subscriber, mut events) = client(&bench, "myclientid", true);
    connected(&mut events).await;
    subscriber.subscribe("test/nosubscribe", QoS::ExactlyOnce).await.expect("queued");
    assert_eq!(subscribed(&mut events).await, [SubscribeReasonCode::Failure]);
}

#[tokio::test(start_paused = true)]
async fn dollar_topics_do_not_match_wildcards_in_front() {
    // A filter that begins with a wildcard is granted to nobody but those who may hear everything,
    // and even then it does not match (src/filters.rs and src/index.rs hold the rule). Devices may
    // publish there: to the pipeline it is a topic like others.
    let mut bench = Bench::in_memory(EndpointConfig::default(), Limits::default());
    let mut client = bench.wire(1000);
    client.connect_v3("myclientid").await;
    client.send(&subscribe_v3(1, "+/+", 2)).await;
    client.expect(&[0x90, 3, 0, 1, 0x80]).await;
    client.send(&crate::harness::publish_v3(1, 1, "$TopicA/B", b"")).await;
    commit(bench.take(1).await.remove(0));
    client.expect(&puback(1)).await;
    bench.doorway.downlink().publish("$TopicA/B", "x");
    sleep(Duration::from_millis(1)).await;
    client.nothing_came().await;
}
