//! Acknowledged after the commit, in order, once.

use city_endpoint::EndpointConfig;
use city_pipeline::{Limits, SourceKey};

use crate::harness::{Bench, NOW, again, commit, puback, publish_v3, publish_v5};

#[tokio::test]
async fn a_message_reaches_the_pipeline_whole() {
    let mut bench = Bench::listen(EndpointConfig::default()).await;
    let mut client = bench.tcp().await;
    client.connect_v3("d1").await;
    let retained = 1;
    let mut publish = publish_v3(1, 9, "city/a", b"\x00payload\xff");
    publish[0] |= retained;
    client.send(&publish).await;
    let message = bench.take(1).await.remove(0);
    assert_eq!(&*message.topic, "city/a");
    assert_eq!(&message.payload[..], b"\x00payload\xff");
    assert_eq!(message.source, Some(SourceKey(3)));
    assert_eq!(message.client.as_deref(), Some("d1"));
    assert_eq!(message.received, NOW);
    assert!(!message.retained, "to us it is news");
    client.send(&publish_v3(0, 0, "elsewhere", b"")).await;
    let message = bench.take(1).await.remove(0);
    assert_eq!((message.source, message.payload.len()), (None, 0), "unrouted, yet handed over");
    assert!(message.ack.is_none(), "nobody waits at QoS 0");
}

#[tokio::test]
async fn acknowledgements_follow_the_commit_in_order_of_arrival() {
    let mut bench = Bench::listen(EndpointConfig::default()).await;
    let mut client = bench.tcp().await;
    client.connect_v3("d1").await;
    let publishes: Vec<_> = (1..=5).flat_map(|id| publish_v3(1, id, "city/a", b"x")).collect();
    client.send(&publishes).await;
    let mut messages = bench.take(5).await;
    client.nothing_came().await;
    while messages.len() > 1 {
        commit(messages.pop().expect("four"));
    }
    client.nothing_came().await;
    commit(messages.remove(0));
    for id in 1..=5 {
        client.expect(&puback(id)).await;
    }
    client.nothing_came().await;
    assert_eq!(bench.doorway.stats().snapshot().acknowledged, 5);
}

#[tokio::test]
async fn a_message_that_is_given_up_ends_the_connection_and_comes_again() {
    let mut bench = Bench::listen(EndpointConfig::default()).await;
    let mut client = bench.tcp().await;
    assert!(!client.connect_v5("d1").await);
    let publishes: Vec<_> = (1..=3).map(|id| publish_v5(1, id, "city/a", b"x")).collect();
    client.send(&publishes.concat()).await;
    let mut messages = bench.take(3).await;
    commit(messages.remove(0));
    drop(messages);
    client.expect(&puback(1)).await;
    client.expect_disconnect(0x83).await;

    let mut client = bench.tcp().await;
    assert!(client.connect_v5("d1").await, "without a session it would not send again");
    client.send(&[again(publishes[1].clone()), again(publishes[2].clone())].concat()).await;
    for message in bench.take(2).await {
        assert!(message.delivery().again, "a dead letter of it is not kept twice");
        commit(message);
    }
    client.expect(&puback(2)).await;
    client.expect(&puback(3)).await;
}

#[tokio::test]
async fn a_commit_never_acknowledges_on_another_connection() {
    let mut bench = Bench::listen(EndpointConfig::default()).await;
    let mut first = bench.tcp().await;
    first.connect_v5("d1").await;
    first.send(&publish_v5(1, 1, "city/a", b"old")).await;
    let old = bench.take(1).await.remove(0);

    let mut second = bench.tcp().await;
    assert!(second.connect_v5("d1").await, "the session goes on");
    first.expect_disconnect(0x8e).await;
    second.send(&publish_v5(1, 1, "city/a", b"new")).await;
    let new = bench.take(1).await.remove(0);
    commit(old);
    second.nothing_came().await;
    commit(new);
    second.expect(&puback(1)).await;
    assert_eq!(bench.doorway.stats().snapshot().takeovers, 1);
}

#[tokio::test]
async fn qos_2_is_taken_once() {
    let mut bench = Bench::listen(EndpointConfig::default()).await;
    let mut client = bench.tcp().await;
    client.connect_v5("d1").await;
    let publish = publish_v5(2, 7, "city/a", b"x");
    client.send(&publish).await;
    let message = bench.take(1).await.remove(0);
    client.nothing_came().await;
    client.send(&again(publish.clone())).await;
    client.nothing_came().await;
    commit(message);
    client.expect(&[0x50, 2, 0, 7]).await;
    client.send(&again(publish.clone())).await;
    client.expect(&[0x50, 2, 0, 7]).await;

    // The cut between PUBREC and PUBREL does not make it new.
    drop(client);
    let mut client = bench.tcp().await;
    assert!(client.connect_v5("d1").await);
    client.send(&again(publish.clone())).await;
    client.expect(&[0x50, 2, 0, 7]).await;
    client.send(&[0x62, 2, 0, 7]).await;
    client.expect(&[0x70, 2, 0, 7]).await;
    client.send(&[0x62, 2, 0, 7]).await;
    client.expect(&[0x70, 3, 0, 7, 0x92]).await;
    assert_eq!(bench.doorway.stats().snapshot().received, 1);

    // After the release the id is free for the next message.
    client.send(&publish).await;
    commit(bench.take(1).await.remove(0));
    client.expect(&[0x50, 2, 0, 7]).await;
}

#[tokio::test]
async fn releasing_what_is_not_yet_durable_is_an_error() {
    let mut bench = Bench::listen(EndpointConfig::default()).await;
    let mut client = bench.tcp().await;
    client.connect_v5("d1").await;
    client.send(&publish_v5(2, 7, "city/a", b"x")).await;
    let _held = bench.take(1).await;
    client.send(&[0x62, 2, 0, 7]).await;
    client.expect_disconnect(0x82).await;
}

#[tokio::test(start_paused = true)]
async fn acknowledgements_flow_while_the_pipeline_is_full() {
    let limits = Limits { batches: 1, bytes: 1 << 20 };
    let mut bench = Bench::in_memory(EndpointConfig::default(), limits);
    let mut client = bench.wire(1 << 16);
    client.connect_v3("d1").await;
    client.send(&publish_v3(1, 1, "city/a", b"x")).await;
    let first = bench.take(1).await.remove(0);
    // One batch fills the channel, the next waits in front of it.
    for id in 2..4 {
        client.send(&publish_v3(1, id, "city/a", b"x")).await;
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    commit(first);
    client.expect(&puback(1)).await;
    for message in bench.take(2).await {
        commit(message);
    }
    client.expect(&puback(2)).await;
    client.expect(&puback(3)).await;
}

#[tokio::test]
async fn a_shutdown_waits_for_the_acknowledgements_under_way() {
    let mut bench = Bench::listen(EndpointConfig::default()).await;
    let (mut client, mut old) = (bench.tcp().await, bench.tcp().await);
    client.connect_v5("d1").await;
    old.connect_v3("d2").await;
    client.send(&publish_v5(1, 1, "city/a", b"x")).await;
    let message = bench.take(1).await.remove(0);
    bench.shutdown.cancel();
    old.expect_end().await;
    commit(message);
    client.expect(&puback(1)).await;
    client.expect_disconnect(0x8b).await;
    bench.stopped().await;
    assert!(tokio::net::TcpStream::connect(("127.0.0.1", bench.port())).await.is_err());
}
