//! Commands to devices: queued, sent, answered, sent again, over restarts.

use bytes::Bytes;
use city_endpoint::{
    CommandsConfig, Delivery, DownlinkError, DownlinkMessage, EndpointConfig, Keep,
};
use city_model::Span;
use city_pipeline::Limits;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::harness::{Bench, Client, connect_v3, connect_v5, packet, puback, string};

fn bench() -> Bench {
    Bench::in_memory(EndpointConfig::default(), Limits::default())
}

/// SUBSCRIBE in MQTT 5 with these options.
pub(crate) fn subscribe_v5(id: u16, filter: &str, options: u8) -> Vec<u8> {
    packet(0x82, &[&id.to_be_bytes()[..], &[0], &string(filter), &[options]].concat())
}

pub(crate) fn subscribe_v3(id: u16, filter: &str, qos: u8) -> Vec<u8> {
    packet(0x82, &[&id.to_be_bytes()[..], &string(filter), &[qos]].concat())
}

/// A command that has come: first byte, topic, packet id, payload. With MQTT 5, no properties but
/// the expiry.
pub(crate) async fn command<S: AsyncRead + AsyncWrite + Unpin>(
    client: &mut Client<S>,
    v5: bool,
) -> (u8, String, u16, Vec<u8>) {
    let (first, body) = client.packet().await;
    assert_eq!(first >> 4, 3, "{first:02x} is no PUBLISH: {body:02x?}");
    let length = usize::from(u16::from_be_bytes([body[0], body[1]]));
    let topic = String::from_utf8_lossy(&body[2..2 + length]).into_owned();
    let (mut at, mut id) = (2 + length, 0);
    if first & 6 != 0 {
        id = u16::from_be_bytes([body[at], body[at + 1]]);
        at += 2;
    }
    if v5 {
        at += 1 + usize::from(body[at]);
    }
    (first, topic, id, body[at..].to_vec())
}

async fn subscribed<S: AsyncRead + AsyncWrite + Unpin>(client: &mut Client<S>, filter: &str) {
    client.send(&subscribe_v5(1, filter, 1)).await;
    client.expect(&[0x90, 4, 0, 1, 0, 1]).await;
}

/// The client's connection breaks, and the endpoint has noticed.
async fn lost<S>(bench: &Bench, client: Client<S>) {
    drop(client);
    while bench.doorway.stats().snapshot().open > 0 {
        tokio::task::yield_now().await;
    }
}

fn fleeting(topic: &str, payload: &'static str) -> DownlinkMessage {
    DownlinkMessage { keep: Keep::No, ..DownlinkMessage::new(topic, payload) }
}

fn last(topic: &str, payload: &'static str) -> DownlinkMessage {
    DownlinkMessage { keep: Keep::Last, ..DownlinkMessage::new(topic, payload) }
}

#[tokio::test(start_paused = true)]
async fn a_command_reaches_its_device_and_nobody_else() {
    let bench = bench();
    let downlink = bench.doorway.downlink();
    let (mut one, mut other) = (bench.wire(1000), bench.wire(1000));
    one.connect_v5("d1").await;
    other.connect_v3("d2").await;
    subscribed(&mut one, "cmd/d1/#").await;
    other.send(&subscribe_v3(1, "cmd/d2/#", 1)).await;
    other.expect(&[0x90, 3, 0, 1, 1]).await;
    let delivery = downlink.send(DownlinkMessage::new("cmd/d1/set", "on")).expect("good");
    assert_eq!(delivery, Delivery { clients: 1, connected: 1, kept: false });
    let read = command(&mut one, true).await;
    assert_eq!(read, (0x32, "cmd/d1/set".to_owned(), 1, b"on".to_vec()));
    one.send(&puback(1)).await;
    one.nothing_came().await;
    other.nothing_came().await;
    downlink.publish("cmd/d2", "off");
    let read = command(&mut other, false).await;
    assert_eq!(read, (0x32, "cmd/d2".to_owned(), 1, b"off".to_vec()));
    assert_eq!(downlink.waiting(), 1, "without an answer yet");
    let stats = bench.doorway.stats().snapshot();
    assert_eq!((stats.commands, stats.commands_sent, stats.commands_acknowledged), (2, 2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_command_without_an_answer_is_sent_again_under_its_id_on_the_next_connection() {
    let bench = bench();
    let downlink = bench.doorway.downlink();
    let mut client = bench.wire(1000);
    client.connect_v5("d1").await;
    subscribed(&mut client, "cmd/d1").await;
    downlink.publish("cmd/d1", "one");
    downlink.publish("cmd/d1", "two");
    assert_eq!(command(&mut client, true).await.2, 1);
    assert_eq!(command(&mut client, true).await.2, 2);
    client.send(&puback(2)).await;
    client.nothing_came().await;
    lost(&bench, client).await;
    downlink.publish("cmd/d1", "three");
    let mut client = bench.wire(1000);
    assert!(client.connect_v5("d1").await);
    let again = command(&mut client, true).await;
    assert_eq!(again, (0x3a, "cmd/d1".to_owned(), 1, b"one".to_vec()), "DUP");
    let fresh = command(&mut client, true).await;
    assert_eq!((fresh.0, fresh.2, &fresh.3[..]), (0x32, 3, &b"three"[..]));
    client.send(&[puback(1), puback(3)].concat()).await;
    client.nothing_came().await;
    assert_eq!(downlink.waiting(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_client_takes_no_more_than_its_receive_maximum() {
    let bench = bench();
    let downlink = bench.doorway.downlink();
    let mut client = bench.wire(1000);
    let body = b"\0\x04MQTT\x05\x00\0\x3c\x08\x11\0\0\x03\xe8\x21\0\x02\0\x02d1";
    client.send(&packet(0x10, body)).await;
    client.packet().await;
    subscribed(&mut client, "cmd/d1").await;
    for payload in ["1", "2", "3"] {
        downlink.publish("cmd/d1", payload);
    }
    assert_eq!(command(&mut client, true).await.2, 1);
    assert_eq!(command(&mut client, true).await.2, 2);
    client.nothing_came().await;
    client.send(&puback(1)).await;
    assert_eq!(command(&mut client, true).await.3, b"3");
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_comes_with_the_subscription() {
    let bench = bench();
    let downlink = bench.doorway.downlink();
    for message in [last("cmd/d1/mode", "auto"), last("cmd/d1/mode", "manual")] {
        let delivery = downlink.send(message).expect("good");
        assert_eq!(delivery, Delivery { clients: 0, connected: 0, kept: true });
    }
    downlink.send(last("cmd/d2/mode", "other")).expect("good");
    downlink.send(last("cmd/d1/gone", "x")).expect("good");
    downlink.send(last("cmd/d1/gone", "")).expect("good");
    let held = downlink.send(DownlinkMessage::new("cmd/d1/reboot", "now")).expect("good");
    assert_eq!(held, Delivery { clients: 0, connected: 0, kept: true });
    assert_eq!(downlink.send(fleeting("cmd/d1/x", "lost")), Ok(Delivery::default()));
    for (options, expected) in [
        (1, vec![("cmd/d1/reboot", false), ("cmd/d1/mode", true)]),
        (1, vec![("cmd/d1/mode", true)]),
        (0x11, vec![]),
        (0x21, vec![]),
    ] {
        let mut client = bench.wire(1000);
        client.connect_v5("d1").await;
        client.send(&subscribe_v5(1, "cmd/d1/#", options)).await;
        client.expect(&[0x90, 4, 0, 1, 0, 1]).await;
        for (topic, retained) in expected {
            let (first, read, id, _) = command(&mut client, true).await;
            assert_eq!((read.as_str(), first & 1 == 1), (topic, retained), "{options:02x}");
            client.send(&puback(id)).await;
        }
        client.nothing_came().await;
    }
}

#[tokio::test(start_paused = true)]
async fn commands_expire_and_the_client_is_told_what_is_left() {
    let bench = bench();
    let downlink = bench.doorway.downlink();
    let mut client = bench.wire(1000);
    client.connect_v5("d1").await;
    subscribed(&mut client, "cmd/d1").await;
    lost(&bench, client).await;
    for (payload, expiry) in [("short", 10), ("long", 100)] {
        let expiry = Some(Span::from_secs(expiry));
        let message = DownlinkMessage { expiry, ..DownlinkMessage::new("cmd/d1", payload) };
        downlink.send(message).expect("good");
    }
    bench.clock.advance(Span::from_secs(30));
    let mut client = bench.wire(1000);
    client.connect_v5("d1").await;
    let (first, body) = client.packet().await;
    assert_eq!(first, 0x32);
    assert_eq!(body[10..], [&[5, 2, 0, 0, 0, 70][..], b"long"].concat());
    assert_eq!(bench.doorway.stats().snapshot().commands_dropped, 1);
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_is_bounded_and_so_is_what_is_kept() {
    let commands = CommandsConfig { max_queued: 2, max_kept: 1, ..CommandsConfig::default() };
    let config = EndpointConfig { commands, ..EndpointConfig::default() };
    let bench = Bench::in_memory(config, Limits::default());
    let downlink = bench.doorway.downlink();
    let mut client = bench.wire(1000);
    client.connect_v5("d1").await;
    subscribed(&mut client, "cmd/d1").await;
    lost(&bench, client).await;
    for payload in ["1", "2", "3"] {
        downlink.publish("cmd/d1", payload);
    }
    let mut client = bench.wire(1000);
    client.connect_v5("d1").await;
    assert_eq!(command(&mut client, true).await.3, b"2");
    assert_eq!(command(&mut client, true).await.3, b"3");
    downlink.send(last("a", "1")).expect("room");
    downlink.send(last("a", "2")).expect("instead of the other");
    assert_eq!(downlink.send(last("b", "1")), Err(DownlinkError::Full(1)));
    downlink.send(last("a", "")).expect("an end");
    let long = Some(Span::from_hours(10_000));
    let held = DownlinkMessage { expiry: long, ..DownlinkMessage::new("b", "1") };
    downlink.send(held).expect("room again");
    assert_eq!(downlink.send(last("c", "1")), Err(DownlinkError::Full(1)));
    bench.clock.advance(CommandsConfig::default().expiry);
    downlink.send(last("c", "1")).expect("no command waits longer than the limit");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_published_is_refused() {
    let bench = bench();
    let downlink = bench.doorway.downlink();
    for topic in ["", "cmd/+", "cmd/#", "a\0b"] {
        let refused = downlink.send(fleeting(topic, "x"));
        assert_eq!(refused, Err(DownlinkError::Topic(topic.to_owned())));
    }
    let large = Bytes::from(vec![0; 1 << 20]);
    let refused = downlink.send(DownlinkMessage::new("cmd/d1", large));
    assert!(matches!(refused, Err(DownlinkError::TooLarge { .. })), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn a_command_that_is_too_large_for_its_client_is_left_out() {
    let bench = bench();
    let downlink = bench.doorway.downlink();
    let mut client = bench.wire(1000);
    let body = b"\0\x04MQTT\x05\x02\0\x3c\x05\x27\0\0\0\x40\0\x02d1";
    client.send(&packet(0x10, body)).await;
    client.packet().await;
    subscribed(&mut client, "cmd/d1").await;
    downlink.publish("cmd/d1", vec![b'x'; 100]);
    downlink.publish("cmd/d1", "small");
    assert_eq!(command(&mut client, true).await.3, b"small");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ends_takes_its_subscriptions_and_commands_along() {
    let bench = bench();
    let downlink = bench.doorway.downlink();
    for (first, then) in [
        (connect_v5("d1", 0, 60, 0), connect_v5("d1", 0, 60, 0)),
        (connect_v5("d1", 0, 60, 100), connect_v5("d1", 2, 60, 100)),
        (connect_v3("d1", 0, 60), connect_v3("d1", 2, 60)),
    ] {
        let v5 = first[8] == 5;
        let mut client = bench.wire(1000);
        client.send(&first).await;
        client.packet().await;
        let subscribe =
            if v5 { subscribe_v5(1, "cmd/d1", 1) } else { subscribe_v3(1, "cmd/d1", 1) };
        client.send(&subscribe).await;
        client.packet().await;
        client.send(&[0xe0, 0]).await;
        client.expect_end().await;
        downlink.publish("cmd/d1", "x");
        let mut client = bench.wire(1000);
        client.send(&then).await;
        assert_eq!(client.packet().await.1[..2], [0, 0]);
        downlink.publish("cmd/d1", "x");
        client.nothing_came().await;
        assert_eq!(downlink.waiting(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_goodbye_can_lengthen_or_end_the_session() {
    let bench = bench();
    for (asked, goodbye, present) in [
        (10_u32, vec![0xe0, 7, 0, 5, 0x11, 0, 0, 0, 200], true),
        (100, vec![0xe0, 7, 0, 5, 0x11, 0, 0, 0, 0], false),
    ] {
        let mut client = bench.wire(1000);
        client.send(&connect_v5("d1", 2, 60, asked)).await;
        client.packet().await;
        client.send(&goodbye).await;
        client.expect_end().await;
        tokio::time::sleep(std::time::Duration::from_secs(50)).await;
        let mut client = bench.wire(1000);
        assert_eq!(client.connect_v5("d1").await, present);
    }
    let mut client = bench.wire(1000);
    client.send(&connect_v5("d2", 2, 60, 0)).await;
    client.packet().await;
    client.send(&[0xe0, 7, 0, 5, 0x11, 0, 0, 0, 9]).await;
    client.expect_disconnect(0x82).await;
}

#[tokio::test]
async fn everything_that_waits_outlives_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = EndpointConfig {
        sessions_file: Some(folder.path().join("sessions")),
        ..EndpointConfig::default()
    };
    let bench = Bench::in_memory(config.clone(), Limits::default());
    let downlink = bench.doorway.downlink();
    let mut client = bench.wire(1000);
    client.connect_v5("d1").await;
    subscribed(&mut client, "cmd/d1/#").await;
    for payload in ["answered", "sent"] {
        downlink.publish("cmd/d1/set", payload);
    }
    assert_eq!(command(&mut client, true).await.2, 1);
    assert_eq!(command(&mut client, true).await.2, 2);
    client.send(&puback(1)).await;
    client.nothing_came().await;
    downlink.send(last("cmd/d1/mode", "auto")).expect("good");
    command(&mut client, true).await;
    client.send(&puback(3)).await;
    client.nothing_came().await;
    downlink.send(DownlinkMessage::new("cmd/d9/held", "held")).expect("good");
    bench.doorway.close().await;
    client.expect_disconnect(0x8b).await;
    downlink.publish("cmd/d1/set", "queued while nobody was there");
    drop(bench);

    for _ in 0..2 {
        // Twice: the file is written anew at each start.
        let bench = Bench::in_memory(config.clone(), Limits::default());
        assert_eq!(bench.doorway.downlink().waiting(), 3);
    }
    let bench = Bench::in_memory(config, Limits::default());
    let mut client = bench.wire(1000);
    assert!(client.connect_v5("d1").await);
    let again = command(&mut client, true).await;
    assert_eq!((again.0, again.2, &again.3[..]), (0x3a, 2, &b"sent"[..]));
    let queued = command(&mut client, true).await;
    assert_eq!((queued.0, &queued.3[..6]), (0x32, &b"queued"[..]));
    client.send(&[puback(2), puback(queued.2)].concat()).await;
    subscribed(&mut client, "cmd/d1/mode").await;
    assert_eq!(command(&mut client, true).await.3, b"auto");
    let mut other = bench.wire(1000);
    other.connect_v5("d9").await;
    subscribed(&mut other, "cmd/d9/#").await;
    assert_eq!(command(&mut other, true).await.3, b"held");
}

#[tokio::test(start_paused = true)]
async fn sparkplug_nodes_hear_their_host() {
    let bench = bench();
    let downlink = bench.doorway.downlink();
    downlink.send(last("spBv1.0/STATE/city", r#"{"online":true}"#)).expect("good");
    let mut node = bench.wire(1000);
    node.connect_v3("any-client-id").await;
    for filter in ["spBv1.0/STATE/city", "spBv1.0/G/NCMD/E/#", "spBv1.0/G/DCMD/E/#"] {
        node.send(&subscribe_v3(1, filter, 1)).await;
        node.expect(&[0x90, 3, 0, 1, 1]).await;
        if filter.contains("STATE") {
            let (first, topic, id, _) = command(&mut node, false).await;
            assert_eq!((first, topic.as_str()), (0x33, "spBv1.0/STATE/city"));
            node.send(&puback(id)).await;
        }
    }
    downlink.publish("spBv1.0/G/NCMD/E", "rebirth");
    assert_eq!(command(&mut node, false).await.3, b"rebirth");
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_gets_its_commands_as_it_reads() {
    let commands = CommandsConfig {
        max_queued: 1000,
        max_queued_bytes: 10 << 20,
        max_unanswered: 1000,
        ..CommandsConfig::default()
    };
    let config = EndpointConfig { commands, ..EndpointConfig::default() };
    let bench = Bench::in_memory(config, Limits::default());
    let downlink = bench.doorway.downlink();
    let mut client = bench.wire(2000);
    client.connect_v3("d1").await;
    client.send(&subscribe_v3(1, "cmd/d1", 0)).await;
    client.expect(&[0x90, 3, 0, 1, 0]).await;
    for number in 0..300_u32 {
        downlink.publish("cmd/d1", [&number.to_be_bytes()[..], &[0; 996]].concat());
    }
    for number in 0..300_u32 {
        let (first, _, _, payload) = command(&mut client, false).await;
        assert_eq!((first, &payload[..4]), (0x30, &number.to_be_bytes()[..]));
    }
    assert_eq!(downlink.waiting(), 0);
}
