//! Sessions over reconnects and restarts.

use city_endpoint::EndpointConfig;
use city_pipeline::Limits;

use crate::harness::{
    Bench, again, commit, connect_v3, connect_v5, puback, publish_v3, publish_v5,
};

#[tokio::test(start_paused = true)]
async fn both_versions_find_their_session_again_unless_they_ask_for_a_clean_one() {
    let bench = Bench::in_memory(EndpointConfig::default(), Limits::default());
    for (connect, present) in [
        (connect_v3("old", 0, 60), 0),
        (connect_v3("old", 0, 60), 1),
        (connect_v3("old", 2, 60), 0),
        (connect_v3("old", 0, 60), 0),
        (connect_v5("new", 0, 60, 0), 0),
        (connect_v5("new", 0, 60, 100), 0),
        (connect_v5("new", 0, 60, 100), 1),
        (connect_v5("new", 2, 60, 100), 0),
        (connect_v5("new", 0, 60, 100), 1),
    ] {
        let mut client = bench.wire(1000);
        client.send(&connect).await;
        let (_, body) = client.packet().await;
        assert_eq!(body[..2], [present, 0], "{connect:02x?}");
        client.send(&[0xe0, 0]).await;
        client.expect_end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_session_is_cut_to_what_the_server_keeps_and_the_client_is_told() {
    let bench = Bench::in_memory(EndpointConfig::default(), Limits::default());
    let mut client = bench.wire(1000);
    client.send(&connect_v5("d1", 0, 60, u32::MAX)).await;
    let (_, body) = client.packet().await;
    let week = (7 * 24 * 3600_u32).to_be_bytes();
    let announced = [&[0x11][..], &week].concat();
    assert!(body.windows(5).any(|window| window == announced), "{body:02x?}");
}

#[tokio::test]
async fn sessions_outlive_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = EndpointConfig {
        sessions_file: Some(folder.path().join("sessions")),
        ..EndpointConfig::default()
    };
    let mut bench = Bench::listen(config.clone()).await;
    let mut client = bench.tcp().await;
    assert!(!client.connect_v5("d1").await);
    bench.shutdown.cancel();
    bench.stopped().await;

    let mut bench = Bench::listen(config).await;
    let mut client = bench.tcp().await;
    assert!(client.connect_v5("d1").await);
    let mut fresh = bench.tcp().await;
    fresh.connect_v3("d2").await;
    fresh.send(&publish_v3(1, 1, "city/a", b"")).await;
    commit(bench.take(1).await.remove(0));
    fresh.expect(&puback(1)).await;
}

#[tokio::test(start_paused = true)]
async fn qos_2_is_taken_once_over_a_restart_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = EndpointConfig {
        sessions_file: Some(folder.path().join("sessions")),
        ..EndpointConfig::default()
    };
    let publish = publish_v5(2, 7, "city/a", b"x");
    let mut bench = Bench::in_memory(config.clone(), Limits::default());
    let mut client = bench.wire(1000);
    client.connect_v5("d1").await;
    client.send(&publish).await;
    commit(bench.take(1).await.remove(0));
    client.expect(&[0x50, 2, 0, 7]).await;
    bench.doorway.close().await;
    client.expect_disconnect(0x8b).await;
    drop(bench);

    let bench = Bench::in_memory(config, Limits::default());
    let mut client = bench.wire(1000);
    assert!(client.connect_v5("d1").await);
    client.send(&again(publish)).await;
    client.expect(&[0x50, 2, 0, 7]).await;
    client.send(&[0x62, 2, 0, 7]).await;
    client.expect(&[0x70, 2, 0, 7]).await;
    assert_eq!(bench.doorway.stats().snapshot().received, 0);
}
