//! The last words of lost clients.

use std::time::Duration;

use city_endpoint::EndpointConfig;
use city_pipeline::Limits;
use tokio::time::{Instant, sleep};

use crate::harness::{Bench, connect_with_will, publish_v5};

fn bench() -> Bench {
    Bench::in_memory(EndpointConfig::default(), Limits::default())
}

#[tokio::test(start_paused = true)]
async fn a_lost_client_leaves_its_will_behind_its_messages() {
    let mut bench = bench();
    let mut client = bench.wire(1000);
    client.send(&connect_with_will("d1", "city/d1/lwt", 0)).await;
    client.packet().await;
    client.send(&publish_v5(0, 0, "city/d1", b"last")).await;
    drop(client);
    let messages = bench.take(2).await;
    assert_eq!(&*messages[0].topic, "city/d1");
    assert_eq!((&*messages[1].topic, &messages[1].payload[..]), ("city/d1/lwt", &b"gone"[..]));
    assert_eq!(messages[1].client.as_deref(), Some("d1"));
    assert!(messages[1].source.is_some() && messages[1].ack.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_says_goodbye_leaves_none_unless_it_asks() {
    let mut bench = bench();
    for (goodbye, wills) in [(&[0xe0, 0][..], 0), (&[0xe0, 2, 4, 0], 1), (&[0xe0, 1, 0], 1)] {
        let mut client = bench.wire(1000);
        client.send(&connect_with_will("d1", "city/d1/lwt", 0)).await;
        client.packet().await;
        client.send(goodbye).await;
        client.expect_end().await;
        sleep(Duration::from_millis(1)).await;
        assert_eq!(bench.doorway.stats().snapshot().received, wills, "after {goodbye:02x?}");
    }
    bench.take(1).await;
}

#[tokio::test(start_paused = true)]
async fn a_delayed_will_waits_and_a_client_that_returns_takes_it_back() {
    let mut bench = bench();
    for returns in [true, false] {
        let mut client = bench.wire(1000);
        client.send(&connect_with_will("d1", "city/d1/lwt", 30)).await;
        client.packet().await;
        drop(client);
        let started = Instant::now();
        sleep(Duration::from_secs(29)).await;
        assert_eq!(bench.doorway.stats().snapshot().received, 0);
        if !returns {
            bench.take(1).await;
            assert_eq!(started.elapsed().as_secs(), 30);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_of_ours_is_no_loss_of_the_client() {
    let bench = bench();
    let mut client = bench.wire(1000);
    client.send(&connect_with_will("d1", "city/d1/lwt", 0)).await;
    client.packet().await;
    bench.doorway.close().await;
    client.expect_disconnect(0x8b).await;
    assert_eq!(bench.doorway.stats().snapshot().received, 0);
}

#[tokio::test(start_paused = true)]
async fn a_will_that_waits_takes_no_connections_place() {
    let config = EndpointConfig { max_connections: 1, ..EndpointConfig::default() };
    let mut bench = Bench::in_memory(config, Limits::default());
    let mut client = bench.wire(1000);
    client.send(&connect_with_will("d1", "city/d1/lwt", 30)).await;
    client.packet().await;
    drop(client);
    sleep(Duration::from_secs(2)).await;
    let mut other = bench.wire(1000);
    other.connect_v3("d2").await;
    sleep(Duration::from_secs(27)).await;
    assert_eq!(bench.doorway.stats().snapshot().received, 0);
    assert_eq!(&*bench.take(1).await[0].topic, "city/d1/lwt");
}

#[tokio::test(start_paused = true)]
async fn wills_beyond_a_thousand_do_not_wait() {
    let mut bench = bench();
    for number in 0..=1000 {
        let mut client = bench.wire(1000);
        let (id, topic) = (format!("d{number}"), format!("city/d{number}/lwt"));
        client.send(&connect_with_will(&id, &topic, 200)).await;
        client.packet().await;
        drop(client);
        sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(&*bench.take(1).await[0].topic, "city/d1000/lwt");
    sleep(Duration::from_secs(10)).await;
    assert_eq!(bench.doorway.stats().snapshot().received, 1, "the others wait");
}
