//! The cases of the public Paho interoperability tests for MQTT 5; INTEROP.md says which hold, and
//! why others are not offered. Those that are as in MQTT 3.1.1 are in `interop_v3.rs`.

use std::time::Duration;

use city_endpoint::{DownlinkMessage, EndpointConfig, Keep};
use city_model::Span;
use city_pipeline::Limits;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    ConnectReturnCode, Packet, PublishProperties, SubscribeReasonCode,
};
use rumqttc::v5::{AsyncClient, Event, EventLoop, MqttOptions};
use tokio::time::{Instant, sleep};

use crate::commands::{command, subscribe_v5};
use crate::harness::{
    Bench, commit, connect_v5, connect_with_will, packet, puback, publish_v5, string,
};

const PATIENCE: Duration = Duration::from_secs(20);

fn bench() -> Bench {
    Bench::in_memory(EndpointConfig::default(), Limits::default())
}

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

#[tokio::test]
async fn basic_publishing_at_every_qos() {
    let mut bench = Bench::listen(EndpointConfig::default()).await;
    let options = MqttOptions::new("myclientid", "127.0.0.1", bench.port());
    let (publisher, mut events) = AsyncClient::new(options, 10);
    let code = incoming(&mut events, |packet| match packet {
        Packet::ConnAck(ack) => Some(ack.code),
        _ => None,
    });
    assert_eq!(code.await, ConnectReturnCode::Success);
    // User properties, content type and payload format are taken; readings have no place for them.
    let properties = PublishProperties {
        payload_format_indicator: Some(1),
        content_type: Some("My name".to_owned()),
        user_properties: vec![("a".to_owned(), "2".to_owned()), ("c".to_owned(), "3".to_owned())],
        response_topic: Some("city/answers".to_owned()),
        correlation_data: Some("334".into()),
        ..PublishProperties::default()
    };
    for (qos, payload) in
        [(QoS::AtMostOnce, "qos 0"), (QoS::AtLeastOnce, "qos 1"), (QoS::ExactlyOnce, "qos 2")]
    {
        let properties = properties.clone();
        publisher
            .publish_with_properties("city/a", qos, false, payload, properties)
            .await
            .expect("queued");
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
async fn a_real_client_hears_commands_and_why_it_may_not_hear_more() {
    let bench = Bench::listen(EndpointConfig::default()).await;
    let options = MqttOptions::new("myclientid", "127.0.0.1", bench.port());
    let (subscriber, mut events) = AsyncClient::new(options, 10);
    for filter in ["cmd/myclientid/#", "test/nosubscribe"] {
        subscriber.subscribe(filter, QoS::ExactlyOnce).await.expect("queued");
    }
    let acks = |packet| match packet {
        Packet::SubAck(ack) => {
            let reason = ack.properties.and_then(|properties| properties.reason_string);
            Some((ack.return_codes[0], reason.is_some()))
        }
        _ => None,
    };
    let granted = SubscribeReasonCode::Success(QoS::AtLeastOnce);
    assert_eq!(incoming(&mut events, acks).await, (granted, false));
    assert_eq!(incoming(&mut events, acks).await, (SubscribeReasonCode::NotAuthorized, true));
    bench.doorway.downlink().publish("cmd/myclientid/x", "go");
    let payload = incoming(&mut events, |packet| match packet {
        Packet::Publish(publish) => Some(publish.payload),
        _ => None,
    });
    assert_eq!(payload.await, "go");
}

#[tokio::test(start_paused = true)]
async fn zero_length_client_id_is_assigned_one() {
    // The older scripts want it refused without a clean start; MQTT 5 (3.1.3.1) has it assigned.
    let bench = bench();
    let mut client = bench.wire(1000);
    client.send(&connect_v5("", 2, 60, 0)).await;
    let (_, body) = client.packet().await;
    assert_eq!(body[1], 0);
    assert!(body.windows(5).any(|window| window == b"auto-"), "{body:02x?}");
}

#[tokio::test(start_paused = true)]
async fn unsubscribe_ends_the_delivery() {
    let bench = bench();
    let mut client = bench.wire(1000);
    client.connect_v5("myclientid").await;
    for filter in ["cmd/myclientid/a", "cmd/myclientid/b", "cmd/myclientid/c"] {
        client.send(&subscribe_v5(1, filter, 2)).await;
        client.expect(&[0x90, 4, 0, 1, 0, 1]).await;
    }
    let body = [&[0, 2, 0][..], &string("cmd/myclientid/a"), &string("cmd/other")].concat();
    client.send(&packet(0xa2, &body)).await;
    client.expect(&[0xb0, 5, 0, 2, 0, 0, 0x11]).await;
    let downlink = bench.doorway.downlink();
    for topic in ["cmd/myclientid/a", "cmd/myclientid/b", "cmd/myclientid/c"] {
        downlink.publish(topic, "x");
    }
    assert_eq!(command(&mut client, true).await.1, "cmd/myclientid/b");
    assert_eq!(command(&mut client, true).await.1, "cmd/myclientid/c");
    client.nothing_came().await;
}

#[tokio::test(start_paused = true)]
async fn session_expiry_is_kept_changed_and_ended() {
    let bench = bench();
    let plain = vec![0xe0, 0];
    let changed = |seconds: u8| vec![0xe0, 7, 0, 5, 0x11, 0, 0, 0, seconds];
    for (clean, expiry, present, goodbye, then) in [
        (2, 0, 0, plain.clone(), 0),
        (0, 0, 0, plain.clone(), 0),
        (2, 5, 0, plain.clone(), 2),
        (0, 5, 1, plain.clone(), 6),
        (0, 5, 0, plain.clone(), 0),
        (2, 1, 0, changed(5), 3),
        (0, 1, 1, changed(0), 0),
        (0, 1, 0, plain, 0),
    ] {
        let mut client = bench.wire(1000);
        client.send(&connect_v5("myclientid", clean, 60, expiry)).await;
        let (_, body) = client.packet().await;
        assert_eq!(body[..2], [present, 0], "clean {clean}, expiry {expiry}");
        client.send(&subscribe_v5(1, "cmd/myclientid/#", 2)).await;
        client.expect(&[0x90, 4, 0, 1, 0, 1]).await;
        client.send(&goodbye).await;
        client.expect_end().await;
        sleep(Duration::from_secs(then)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn publication_expiry_is_kept_and_told() {
    let bench = bench();
    let mut client = bench.wire(1000);
    client.connect_v5("myclientid2").await;
    client.send(&subscribe_v5(1, "cmd/myclientid2/#", 2)).await;
    client.expect(&[0x90, 4, 0, 1, 0, 1]).await;
    client.send(&[0xe0, 0]).await;
    client.expect_end().await;
    for (payload, seconds) in [("expire", 1), ("don't expire", 6)] {
        let expiry = Some(Span::from_secs(seconds));
        let message =
            DownlinkMessage { expiry, ..DownlinkMessage::new("cmd/myclientid2/x", payload) };
        bench.doorway.downlink().send(message).expect("good");
    }
    bench.clock.advance(Span::from_secs(3));
    let mut client = bench.wire(1000);
    assert!(client.connect_v5("myclientid2").await);
    let (_, body) = client.packet().await;
    let told = [&[2, 0, 0, 0, 3][..], b"don't expire"].concat();
    assert!(body.ends_with(&told), "{body:02x?}");
    client.nothing_came().await;
}

#[tokio::test(start_paused = true)]
async fn subscribe_options_say_when_what_is_kept_is_sent() {
    let bench = bench();
    let kept =
        DownlinkMessage { keep: Keep::Last, ..DownlinkMessage::new("cmd/myclientid/mode", "auto") };
    bench.doorway.downlink().send(kept).expect("good");
    let mut client = bench.wire(1000);
    client.connect_v5("myclientid").await;
    // Retain handling 2 never, 0 always, 1 for a new subscription; no-local (4) changes nothing,
    // because nobody hears what clients publish.
    for (options, comes) in
        [(0x25, false), (0x25, false), (0x01, true), (0x01, true), (0x11, false)]
    {
        client.send(&subscribe_v5(1, "cmd/myclientid/#", options)).await;
        client.expect(&[0x90, 4, 0, 1, 0, 1]).await;
        if comes {
            let (first, _, id, _) = command(&mut client, true).await;
            assert_eq!(first & 1, 1, "it says that it was kept");
            client.send(&puback(id)).await;
        }
        client.nothing_came().await;
    }
}

#[tokio::test(start_paused = true)]
async fn assigned_client_id_can_be_used_again() {
    let bench = bench();
    let mut client = bench.wire(1000);
    client.send(&connect_v5("", 0, 60, 100)).await;
    let (_, body) = client.packet().await;
    let at = body.windows(3).position(|window| window[0] == 0x12).expect("an assigned id");
    let length = usize::from(u16::from_be_bytes([body[at + 1], body[at + 2]]));
    let id = String::from_utf8(body[at + 3..at + 3 + length].to_vec()).expect("text");
    client.send(&[0xe0, 0]).await;
    client.expect_end().await;
    let mut again = bench.wire(1000);
    assert!(again.connect_v5(&id).await);
}

#[tokio::test(start_paused = true)]
async fn subscription_identifiers_and_shared_subscriptions_are_refused_as_announced() {
    let bench = bench();
    let mut client = bench.wire(1000);
    client.send(&connect_v5("myclientid", 2, 60, 0)).await;
    let (_, body) = client.packet().await;
    for announced in [[0x29, 0], [0x2a, 0]] {
        assert!(body[3..].windows(2).any(|window| window == announced), "{body:02x?}");
    }
    client.send(&subscribe_v5(1, "$share/group/cmd/myclientid/#", 1)).await;
    client.expect(&[0x90, 4, 0, 1, 0, 0x9e]).await;
    let numbered = [&[0, 2, 2, 0x0b, 7][..], &string("cmd/myclientid/#"), &[1]].concat();
    client.send(&packet(0x82, &numbered)).await;
    client.expect_disconnect(0xa1).await;
}

#[tokio::test(start_paused = true)]
async fn client_topic_alias_lasts_as_long_as_the_connection() {
    let mut bench = bench();
    let mut client = bench.wire(1000);
    client.connect_v5("myclientid").await;
    client.send(&packet(0x30, b"\0\x06city/a\x03\x23\0\x01first")).await;
    client.send(&packet(0x30, b"\0\0\x03\x23\0\x01second")).await;
    let topics: Vec<_> = bench.take(2).await.into_iter().map(|message| message.topic).collect();
    assert_eq!(topics, ["city/a".into(), "city/a".into()]);
    client.send(&[0xe0, 0]).await;
    client.expect_end().await;
    let mut client = bench.wire(1000);
    client.connect_v5("myclientid").await;
    client.send(&packet(0x30, b"\0\0\x03\x23\0\x01third")).await;
    client.expect_disconnect(0x94).await;
    let mut client = bench.wire(1000);
    client.connect_v5("myclientid").await;
    client.send(&packet(0x30, b"\0\x06city/a\x03\x23\0\x11over the maximum")).await;
    client.expect_disconnect(0x94).await;
}

#[tokio::test(start_paused = true)]
async fn maximum_packet_size_is_kept_by_both_sides() {
    let config = EndpointConfig { max_packet_size: 1024, ..EndpointConfig::default() };
    let bench = Bench::in_memory(config, Limits::default());
    let mut client = bench.wire(4000);
    let body = b"\0\x04MQTT\x05\x02\0\x3c\x05\x27\0\0\0\x40\0\x02d1";
    client.send(&packet(0x10, body)).await;
    let (_, connack) = client.packet().await;
    assert!(connack.windows(5).any(|window| window == [0x27, 0, 0, 4, 0]), "{connack:02x?}");
    client.send(&subscribe_v5(1, "cmd/d1/#", 2)).await;
    client.expect(&[0x90, 4, 0, 1, 0, 1]).await;
    let downlink = bench.doorway.downlink();
    downlink.publish("cmd/d1/large", vec![0; 64]);
    downlink.publish("cmd/d1/small", vec![0; 20]);
    assert_eq!(command(&mut client, true).await.1, "cmd/d1/small");
    client.send(&publish_v5(0, 0, "city/a", &[0; 1024])).await;
    client.expect_disconnect(0x95).await;
}

#[tokio::test(start_paused = true)]
async fn server_keep_alive_is_told_and_used() {
    let config = EndpointConfig { max_keep_alive: Span::from_mins(1), ..EndpointConfig::default() };
    let bench = Bench::in_memory(config, Limits::default());
    let mut client = bench.wire(1000);
    client.send(&connect_v5("myclientid", 2, 120, 0)).await;
    let (_, body) = client.packet().await;
    assert!(body.windows(3).any(|window| window == [0x13, 0, 60]), "{body:02x?}");
    sleep(Duration::from_secs(89)).await;
    client.nothing_came().await;
    let started = Instant::now();
    sleep(Duration::from_secs(80)).await;
    client.expect_disconnect(0x8d).await;
    assert_eq!(started.elapsed().as_secs(), 90);
}

#[tokio::test(start_paused = true)]
async fn flow_control_of_the_server_is_kept_and_of_the_client_announced() {
    // 1: the server sends no more than the client's receive maximum; commands.rs has that.
    // 2: the server announces its own, and reads nothing beyond it.
    let config = EndpointConfig { max_unacknowledged: 2, ..EndpointConfig::default() };
    let mut bench = Bench::in_memory(config, Limits::default());
    let mut client = bench.wire(1000);
    client.send(&connect_v5("myclientid", 2, 60, 0)).await;
    let (_, body) = client.packet().await;
    assert!(body.windows(3).any(|window| window == [0x21, 0, 2]), "{body:02x?}");
    for id in 1..=3 {
        client.send(&publish_v5(1, id, "city/a", b"x")).await;
    }
    let held = bench.take(2).await;
    sleep(Duration::from_secs(1)).await;
    assert_eq!(bench.doorway.stats().snapshot().received, 2);
    held.into_iter().for_each(commit);
    commit(bench.take(1).await.remove(0));
    for id in 1..=3 {
        client.expect(&puback(id)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn will_delay_ends_with_the_session_or_the_return() {
    let mut bench = bench();
    let mut client = bench.wire(1000);
    client.send(&connect_with_will("myclientid", "city/lwt", 3)).await;
    client.packet().await;
    let started = Instant::now();
    drop(client);
    bench.take(1).await;
    assert_eq!(started.elapsed().as_secs(), 3);
}
