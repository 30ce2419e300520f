//! Against a broker that misbehaves on purpose, or that shows what the collector sent.

use city_collect::{BrokerConfig, MqttVersion};
use city_pipeline::{Limits, RawMessage};

use crate::harness::{Bench, VERSIONS, collector, commit, config, texts};
use crate::script::{CONNECT, DISCONNECT, PINGREQ, Script};

fn is_v5(version: MqttVersion) -> bool {
    version == MqttVersion::V5
}

#[tokio::test]
async fn acknowledgements_follow_the_commit_in_order_of_arrival() {
    for version in VERSIONS {
        let script = Script::listen().await;
        let mut bench = Bench::start(config(script.port, version));
        let mut peer = script.welcome(is_v5(version)).await;
        for id in [30, 10, 20] {
            peer.publish(is_v5(version), id, b"x").await;
        }
        let messages = bench.take(3).await;
        messages.into_iter().rev().for_each(commit);
        for id in [30, 10, 20] {
            peer.expect_puback(id).await;
        }
        bench.stop().await;
    }
}

/// Also where more is committed while acknowledgements of before are on their way.
#[tokio::test]
async fn acknowledgements_of_many_commits_keep_their_order() {
    for version in VERSIONS {
        let script = Script::listen().await;
        let mut bench = Bench::start(config(script.port, version));
        let mut peer = script.welcome(is_v5(version)).await;
        let ids: Vec<u16> = (1..=600).rev().collect();
        for id in &ids {
            peer.publish(is_v5(version), *id, b"x").await;
        }
        let mut messages = bench.take(ids.len()).await;
        while !messages.is_empty() {
            messages.drain(..messages.len().min(7)).rev().for_each(commit);
            tokio::task::yield_now().await;
        }
        for id in ids {
            peer.expect_puback(id).await;
        }
        bench.stop().await;
        peer.expect(DISCONNECT).await;
    }
}

#[tokio::test]
async fn a_late_commit_never_acknowledges_on_the_next_connection() {
    for version in VERSIONS {
        let script = Script::listen().await;
        let mut bench = Bench::start(config(script.port, version));
        let mut peer = script.welcome(is_v5(version)).await;
        peer.publish(is_v5(version), 7, b"old").await;
        let old = bench.take(1).await.remove(0);
        drop(peer);

        let mut peer = script.welcome(is_v5(version)).await;
        // The id 7 means another message here.
        peer.publish(is_v5(version), 8, b"first").await;
        peer.publish(is_v5(version), 7, b"second").await;
        let new = bench.take(2).await;
        commit(old);
        peer.publish(is_v5(version), 9, b"third").await;
        let third = bench.take(1).await;
        new.into_iter().chain(third).for_each(commit);
        for id in [8, 7, 9] {
            peer.expect_puback(id).await;
        }
        bench.stop().await;
        peer.expect(DISCONNECT).await;
        peer.expect_end().await;
    }
}

#[tokio::test]
async fn mqtt_5_announces_what_we_take_and_asks_for_no_aliases() {
    let script = Script::listen().await;
    let bench =
        Bench::start(BrokerConfig { receive_maximum: 77, ..config(script.port, MqttVersion::V5) });
    let connect = script.accept().await.expect(CONNECT).await;
    assert_eq!(connect[7] & 2, 0, "no clean start");
    let length = usize::from(connect[10]);
    let properties = &connect[11..11 + length];
    let expected = [
        &[0x11][..],
        &(7 * 24 * 3600_u32).to_be_bytes(),
        &[0x21, 0, 77],
        &[0x27],
        &(16_u32 << 20).to_be_bytes(),
    ];
    assert_eq!(properties, expected.concat(), "and nothing else, such as 0x22");
    bench.stop().await;
}

/// A collector in front of a pipeline that takes nothing.
fn stalled(config: BrokerConfig) -> Bench {
    let limits = Limits { batches: 1, bytes: 1 << 20 };
    let (collector, received) = collector(config, &["city/#"], limits);
    Bench::run(collector, received)
}

async fn take_all(bench: &mut Bench, count: usize) -> Vec<RawMessage> {
    let mut messages = Vec::new();
    while messages.len() < count {
        messages.extend(bench.received.next().await.expect("running").into_messages());
    }
    messages
}

#[tokio::test]
async fn the_broker_hears_from_us_while_the_pipeline_stands_still() {
    // Side by side, because pings take their time.
    tokio::join!(hears_from_us(MqttVersion::V4), hears_from_us(MqttVersion::V5));
}

async fn hears_from_us(version: MqttVersion) {
    let script = Script::listen().await;
    let mut bench = stalled(BrokerConfig { receive_maximum: 50, ..config(script.port, version) });
    let mut peer = script.welcome(is_v5(version)).await;
    // All that the broker may have in flight, and nobody takes it.
    for id in 1..=50 {
        peer.publish(is_v5(version), id, b"x").await;
    }
    peer.expect(PINGREQ).await;
    peer.send(&[0xd0, 0]).await;
    let messages = take_all(&mut bench, 50).await;
    messages.into_iter().for_each(commit);
    for id in 1..=50 {
        peer.expect_puback(id).await;
    }
    assert_eq!(bench.stats.snapshot().overflows, 0);
    bench.stop().await;
}

#[tokio::test]
async fn what_a_broker_sends_beyond_the_room_is_got_by_another_connection() {
    // Side by side, because pings take their time.
    tokio::join!(
        rest_by_another_connection(MqttVersion::V4),
        rest_by_another_connection(MqttVersion::V5)
    );
}

async fn rest_by_another_connection(version: MqttVersion) {
    let script = Script::listen().await;
    let config = BrokerConfig { receive_maximum: 5, ..config(script.port, version) };
    let mut bench = stalled(config);
    let mut peer = script.welcome(is_v5(version)).await;
    // The first fills the channel; five more find room.
    peer.publish(is_v5(version), 1, b"1").await;
    while bench.stats.snapshot().received < 1 {
        tokio::task::yield_now().await;
    }
    for id in 2..=20 {
        peer.publish(is_v5(version), id, id.to_string().as_bytes()).await;
    }
    // It lives, and takes nothing, however long that lasts.
    peer.expect(PINGREQ).await;
    peer.send(&[0xd0, 0]).await;
    let snapshot = bench.stats.snapshot();
    assert!(snapshot.overflows == 1 && (5..=7).contains(&snapshot.received), "{snapshot:?}");

    // What it holds is acknowledged, then it comes back for the rest.
    let count = snapshot.received as u16;
    let held = take_all(&mut bench, count.into()).await;
    assert_eq!(texts(&held), (1..=count).map(|id| id.to_string()).collect::<Vec<_>>());
    held.into_iter().for_each(commit);
    for id in 1..=count {
        peer.expect_puback(id).await;
    }
    peer.expect(DISCONNECT).await;
    drop(peer);
    let mut peer = script.welcome(is_v5(version)).await;
    let (_, error) = bench.status.borrow().last_error.clone().expect("there is one");
    assert!(error.contains("get the rest"), "{error}");
    peer.publish(is_v5(version), 1, b"rest").await;
    let rest = bench.take(1).await.remove(0);
    assert_eq!(&rest.payload[..], b"rest");
    commit(rest);
    peer.expect_puback(1).await;
    bench.stop().await;
}

#[tokio::test]
async fn a_flood_at_qos_0_is_cut_down_and_counted_and_qos_1_passes() {
    let script = Script::listen().await;
    let mut bench = stalled(config(script.port, MqttVersion::V5));
    let mut peer = script.welcome(true).await;
    for _ in 0..10_000 {
        peer.publish(true, 0, b"zero").await;
    }
    peer.publish(true, 1, b"one").await;
    while bench.stats.snapshot().dropped == 0 {
        tokio::task::yield_now().await;
    }
    // It reads on to the message at QoS 1 although nobody takes anything.
    let stats = bench.stats.clone();
    while stats.snapshot().received + stats.snapshot().dropped < 10_001 {
        tokio::task::yield_now().await;
    }
    let received = stats.snapshot().received as usize;
    let messages = take_all(&mut bench, received).await;
    let last = messages.into_iter().next_back().expect("many");
    assert_eq!(&last.payload[..], b"one");
    commit(last);
    peer.expect_puback(1).await;
    bench.stop().await;
}

#[tokio::test]
async fn a_stop_waits_for_the_commits_under_way_and_says_goodbye() {
    for version in VERSIONS {
        let script = Script::listen().await;
        let mut bench = Bench::start(config(script.port, version));
        let mut peer = script.welcome(is_v5(version)).await;
        peer.publish(is_v5(version), 1, b"x").await;
        let message = bench.take(1).await.remove(0);
        let stopping = tokio::spawn(bench.stop());
        tokio::task::yield_now().await;
        commit(message);
        peer.expect_puback(1).await;
        peer.expect(DISCONNECT).await;
        stopping.await.expect("no panic");
    }
}

#[tokio::test]
async fn collecting_ends_with_the_pipeline() {
    let script = Script::listen().await;
    let (collector, received) =
        collector(config(script.port, MqttVersion::V5), &["city/#"], Limits::default());
    let mut bench = Bench::run(collector, received);
    let mut peer = script.welcome(true).await;
    bench.until(|status| status.granted == 1).await;
    let (_, nobody) = city_pipeline::intake(Limits::default());
    drop(std::mem::replace(&mut bench.received, nobody));
    peer.publish(true, 1, b"x").await;
    peer.expect_end().await;
    bench.stopped().await;
}
