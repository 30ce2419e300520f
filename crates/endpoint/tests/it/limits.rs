//! What is bounded, and what is said when a bound is met.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use city_endpoint::{
    Access, Denied, EndpointConfig, Filters, Grant, Knock, LimitsConfig, Rates, Stay,
};
use city_pipeline::Limits;
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep, timeout};

use crate::harness::{
    Bench, commit, connect_v3, connect_v5, connect_with_will, packet, puback, publish_v3,
    publish_v5,
};

fn bounded(max_unacknowledged: u16) -> EndpointConfig {
    EndpointConfig { max_unacknowledged, ..EndpointConfig::default() }
}

#[tokio::test]
async fn nothing_is_taken_beyond_the_bound_until_a_commit_makes_room() {
    let mut bench = Bench::listen(bounded(10)).await;
    let mut client = bench.tcp().await;
    client.connect_v3("d1").await;
    let publishes: Vec<_> = (1..=100).flat_map(|id| publish_v3(1, id, "city/a", b"x")).collect();
    client.send(&publishes).await;
    let mut held = bench.take(10).await;
    for id in 1..=90 {
        commit(held.remove(0));
        client.expect(&puback(id)).await;
        let next = bench.batch().await;
        assert_eq!(next.len(), 1, "one commit makes room for one message");
        held.extend(next);
    }
    assert_eq!(bench.doorway.stats().snapshot().received, 100);
}

#[tokio::test]
async fn bytes_are_bounded_too_but_one_message_always_passes() {
    let config = EndpointConfig { max_unacknowledged_bytes: 1000, ..EndpointConfig::default() };
    let mut bench = Bench::listen(config).await;
    let mut client = bench.tcp().await;
    client.connect_v3("d1").await;
    let publish = |id| publish_v3(1, id, "city/a", &[b'x'; 400]);
    client.send(&[publish(1), publish(2), publish(3)].concat()).await;
    let mut held = bench.take(2).await;
    commit(held.remove(0));
    held.extend(bench.take(1).await);
    client.send(&publish_v3(1, 4, "city/a", &[b'x'; 5000])).await;
    held.into_iter().for_each(commit);
    commit(bench.take(1).await.remove(0));
    for id in 1..=4 {
        client.expect(&puback(id)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_stalled_pipeline_stops_the_reading_at_every_qos() {
    let limits = Limits { batches: 1, bytes: 1 << 20 };
    let mut bench = Bench::in_memory(EndpointConfig::default(), limits);
    let mut client = bench.wire(1000);
    client.connect_v3("d1").await;
    let publish = publish_v3(0, 0, "city/a", &[b'x'; 88]);
    assert_eq!(publish.len(), 100 - 2, "about ten to a read");
    let mut sent = 0;
    while timeout(Duration::from_secs(5), client.stream.write_all(&publish)).await.is_ok() {
        sent += 1;
        assert!(sent < 1000, "it must stop");
    }
    // A batch in the channel, one waiting, and what is on the wire.
    let taken = bench.doorway.stats().snapshot().received;
    assert!(taken <= 22, "{taken} messages were taken");
    let first = bench.batch().await;
    let second = bench.batch().await;
    assert_eq!((first.len() + second.len()) as u64, taken);
}

#[tokio::test]
async fn an_mqtt_5_client_is_told_the_limits() {
    let config = EndpointConfig { max_packet_size: 2000, ..bounded(10) };
    let bench = Bench::listen(config).await;
    let mut client = bench.tcp().await;
    client.send(&connect_v5("", 0b10, 60, 0)).await;
    let (first, body) = client.packet().await;
    assert_eq!((first, body[0], body[1]), (0x20, 0, 0));
    let properties = &body[3..];
    for announced in [&[0x21, 0, 10][..], &[0x27, 0, 0, 7, 0xd0], &[0x22, 0, 16], b"auto-"] {
        let found = properties.windows(announced.len()).any(|window| window == announced);
        assert!(found, "{announced:02x?} is not in {properties:02x?}");
    }
}

#[tokio::test]
async fn a_packet_over_the_limit_is_refused_and_what_came_before_is_kept() {
    let config = EndpointConfig { max_packet_size: 2000, ..EndpointConfig::default() };
    let mut bench = Bench::listen(config).await;
    for version in [3, 5] {
        let mut client = bench.tcp().await;
        let publish = if version == 3 { publish_v3 } else { publish_v5 };
        if version == 3 {
            client.connect_v3("d3").await;
        } else {
            client.connect_v5("d5").await;
        }
        let largest = 2000 - publish(0, 0, "city/a", &[0; 128]).len() + 128;
        let good = publish(0, 0, "city/a", &vec![0; largest]);
        assert_eq!(good.len(), 2000);
        // Only the header of the second: it is refused before it is there.
        let large = packet(0x30, &[0; 3000])[..3].to_vec();
        client.send(&[good, large].concat()).await;
        assert_eq!(bench.take(1).await[0].payload.len(), largest);
        if version == 5 {
            client.expect_disconnect(0x95).await;
        } else {
            client.expect_end().await;
        }
    }
    assert_eq!(bench.doorway.stats().snapshot().violations, 2);
}

#[tokio::test]
async fn broken_packets_end_their_own_connection_only() {
    let bench = Bench::listen(EndpointConfig::default()).await;
    let mut good = bench.tcp().await;
    good.connect_v3("good").await;
    for (bytes, reason) in [
        (packet(0x36, b"\0\x01t\0\x01"), 0x81),         // QoS 3
        (vec![0x30, 0xff, 0xff, 0xff, 0xff, 1], 0x81),  // an endless length
        (packet(0x30, b"\0\x01"), 0x81),                // a topic cut short
        (packet(0x30, b"\0\x03a/#\0"), 0x90),           // a wildcard
        (packet(0x30, b"\0\0\x03\x23\0\x01"), 0x94),    // an unknown alias
        (packet(0x30, b"\0\x01t\x03\x23\0\x63"), 0x94), // an alias over the limit
        (packet(0x82, b"\0\x01\0"), 0x81),              // no filters
        (packet(0x80, b"\0\x01\0\0\x01a\0"), 0x81),     // reserved flags
        (packet(0x62, b"\0"), 0x81),                    // half a packet id
        (connect_v5("again", 0, 60, 0), 0x82),
        (packet(0x20, b"\0\0"), 0x82), // CONNACK
        (packet(0xf0, b""), 0x82),     // AUTH
        (packet(0x00, b""), 0x82),     // no packet at all
    ] {
        let mut client = bench.tcp().await;
        client.connect_v5("bad").await;
        client.send(&bytes).await;
        client.expect_disconnect(reason).await;
    }
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &publish_v3(0, 0, "t", b""), &[0x10, 0]] {
        let mut client = bench.tcp().await;
        client.send(bytes).await;
        client.expect_end().await;
    }
    good.nothing_came().await;
    let stats = bench.doorway.stats().snapshot();
    assert_eq!((stats.violations, stats.refused_connections), (13, 3));
}

#[tokio::test]
async fn aliases_stand_for_topics() {
    let mut bench = Bench::listen(EndpointConfig::default()).await;
    let mut client = bench.tcp().await;
    client.connect_v5("d1").await;
    client.send(&packet(0x30, b"\0\x06city/a\x03\x23\0\x02one")).await;
    client.send(&packet(0x30, b"\0\0\x03\x23\0\x02two")).await;
    let messages = bench.take(2).await;
    let read: Vec<_> =
        messages.iter().map(|message| (&*message.topic, &message.payload[..])).collect();
    assert_eq!(read, [("city/a", &b"one"[..]), ("city/a", b"two")]);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_shake_hands_in_time_is_hung_up_on() {
    let bench = Bench::in_memory(EndpointConfig::default(), Limits::default());
    let started = Instant::now();
    let mut silent = bench.wire(100);
    let mut slow = bench.wire(100);
    slow.send(&connect_v3("slow", 2, 60)[..9]).await;
    silent.expect_end().await;
    slow.expect_end().await;
    assert_eq!(started.elapsed().as_secs(), 10);
    assert_eq!(bench.doorway.stats().snapshot().refused_connections, 2);
}

#[tokio::test(start_paused = true)]
async fn silence_ends_a_connection_after_one_and_a_half_keep_alives() {
    let bench = Bench::in_memory(EndpointConfig::default(), Limits::default());
    let mut client = bench.wire(1000);
    client.send(&connect_v5("d1", 2, 10, 0)).await;
    client.packet().await;
    sleep(Duration::from_secs(14)).await;
    client.nothing_came().await;
    let started = Instant::now();
    client.expect_disconnect(0x8d).await;
    assert_eq!(started.elapsed().as_secs(), 15);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_not_listened_to_is_not_blamed_for_silence() {
    let mut bench = Bench::in_memory(bounded(1), Limits::default());
    let mut client = bench.wire(1000);
    client.send(&connect_v3("d1", 2, 10)).await;
    client.expect(&[0x20, 2, 0, 0]).await;
    client.send(&[publish_v3(1, 1, "city/a", b""), publish_v3(1, 2, "city/a", b"")].concat()).await;
    let first = bench.take(1).await.remove(0);
    sleep(Duration::from_secs(100)).await;
    commit(first);
    client.expect(&puback(1)).await;
    sleep(Duration::from_secs(14)).await;
    commit(bench.take(1).await.remove(0));
    client.expect(&puback(2)).await;
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_its_acknowledgements_is_hung_up_on() {
    let mut bench = Bench::in_memory(EndpointConfig::default(), Limits::default());
    let mut client = bench.wire(64);
    client.send(&connect_v3("d1", 2, 0)).await;
    client.expect(&[0x20, 2, 0, 0]).await;
    for id in 1..=100 {
        client.send(&publish_v3(1, id, "city/a", b"")).await;
        commit(bench.take(1).await.remove(0));
    }
    assert_eq!(bench.doorway.stats().snapshot().open, 1);
    sleep(Duration::from_secs(62)).await;
    assert_eq!(bench.doorway.stats().snapshot().open, 0);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_is_bounded_when_nothing_is_committed() {
    let limits = Limits { batches: 1, bytes: 1 << 20 };
    let mut bench = Bench::in_memory(EndpointConfig::default(), limits);
    let mut waits = bench.wire(1000);
    waits.connect_v3("waits").await;
    waits.send(&publish_v3(1, 1, "city/a", b"")).await;
    let _held = bench.take(1).await;
    let mut stuck = bench.wire(1000);
    stuck.connect_v3("stuck").await;
    for _ in 0..2 {
        stuck.send(&publish_v3(0, 1, "city/a", b"")).await;
        sleep(Duration::from_millis(1)).await;
    }
    let started = Instant::now();
    bench.doorway.close().await;
    assert!(started.elapsed() <= Duration::from_secs(5), "{:?}", started.elapsed());
    waits.expect_end().await;
    stuck.expect_end().await;
}

#[tokio::test]
async fn connections_beyond_the_limit_are_told_so() {
    let config = EndpointConfig { max_connections: 1, ..EndpointConfig::default() };
    let bench = Bench::listen(config).await;
    let mut first = bench.tcp().await;
    first.connect_v3("first").await;
    let mut old = bench.tcp().await;
    old.send(&connect_v3("old", 2, 60)).await;
    old.expect(&[0x20, 2, 0, 3]).await;
    old.expect_end().await;
    let mut new = bench.tcp().await;
    new.send(&connect_v5("new", 2, 60, 0)).await;
    assert_eq!(new.packet().await.1[1], 0x89);
    first.nothing_came().await;
}

/// Lets devices in that know the secret, by their user name, to publish under `city/`, and nobody
/// else.
pub(crate) struct Strict;

impl Access for Strict {
    fn admit(&self, knock: &Knock<'_>) -> Result<Grant, Denied> {
        let device = match (knock.username, knock.password) {
            (Some(name), Some(b"secret")) => name,
            _ if knock.client == "banned" => {
                return Err(Denied::NotAuthorized("this device is retired".to_owned()));
            }
            _ => return Err(Denied::BadCredentials),
        };
        Ok(Grant {
            name: device.into(),
            publish: Filters::from_templates(["city/{device}"], &[device]).into(),
            commands: Filters::from_templates(["cmd/{device}/#"], &[device]),
            rates: None,
            stay: Stay::default(),
        })
    }
}

pub(crate) fn with_password(connect: &[u8]) -> Vec<u8> {
    let credentials = b"\0\x02d1\0\x06secret";
    packet(0x10, &[&connect[2..], credentials].concat())
}

#[tokio::test(start_paused = true)]
async fn rights_are_enforced_and_refusals_explained() {
    let access = Arc::new(Strict);
    let mut bench = Bench::guarded(EndpointConfig::default(), Limits::default(), access);
    let mut wrong = bench.wire(1000);
    wrong.send(&connect_v3("d1", 2, 60)).await;
    wrong.expect(&[0x20, 2, 0, 4]).await;
    wrong.expect_end().await;
    let mut banned = bench.wire(1000);
    banned.send(&connect_v5("banned", 2, 60, 0)).await;
    let (_, body) = banned.packet().await;
    assert_eq!(body[1], 0x87);
    assert!(String::from_utf8_lossy(&body).contains("retired"), "{body:02x?}");

    let mut client = bench.wire(1000);
    client.send(&with_password(&connect_v5("x", 0xc2, 60, 0))).await;
    assert_eq!(client.packet().await.1[1], 0);
    client.send(&publish_v5(1, 1, "city/d1", b"own")).await;
    client.send(&publish_v5(1, 2, "city/d2", b"somebody else's")).await;
    client.send(&publish_v5(0, 0, "city/d2", b"somebody else's")).await;
    let own = bench.take(1).await.remove(0);
    assert_eq!((own.client.as_deref(), &own.payload[..]), (Some("d1"), &b"own"[..]));
    client.nothing_came().await;
    commit(own);
    client.expect(&puback(1)).await;
    let (first, body) = client.packet().await;
    assert_eq!((first, &body[..3]), (0x40, &[0, 2, 0x87][..]));
    assert!(String::from_utf8_lossy(&body).contains("may not publish"), "{body:02x?}");

    let mut old = bench.wire(1000);
    old.send(&with_password(&connect_v3("y", 0xc2, 60))).await;
    old.expect(&[0x20, 2, 0, 0]).await;
    old.send(&publish_v3(1, 1, "city/d2", b"")).await;
    old.expect_end().await;
    let stats = bench.doorway.stats().snapshot();
    assert_eq!((stats.received, stats.refused, stats.refused_connections), (1, 3, 2));
    assert_eq!(stats.failed_logins, 1);
}

#[tokio::test(start_paused = true)]
async fn a_will_needs_the_same_right_as_a_message() {
    let bench = Bench::guarded(EndpointConfig::default(), Limits::default(), Arc::new(Strict));
    for (topic, reason) in [("city/d1", 0), ("city/d2", 0x87)] {
        let mut client = bench.wire(1000);
        let mut connect = connect_with_will("x", topic, 0);
        connect[9] |= 0xc0;
        client.send(&with_password(&connect)).await;
        let (_, body) = client.packet().await;
        assert_eq!(body[1], reason, "{topic}");
        assert_eq!(reason == 0x87, String::from_utf8_lossy(&body).contains("will"));
    }
}

/// Lets a device stay as long as it is not among those that lost their rights.
#[derive(Default)]
struct Revocable(Arc<Mutex<Vec<&'static str>>>);

impl Access for Revocable {
    fn admit(&self, knock: &Knock<'_>) -> Result<Grant, Denied> {
        let grant = Strict.admit(knock)?;
        let (gone, name) = (self.0.clone(), grant.name.clone());
        let stay = Stay::as_long_as(move || !gone.lock().expect("no panic").contains(&&*name));
        Ok(Grant { stay, ..grant })
    }
}

#[tokio::test(start_paused = true)]
async fn who_loses_its_rights_while_they_are_checked_does_not_get_in() {
    let access = Arc::new(Revocable::default());
    // The client is still known, and what it showed is worthless before it has its session.
    access.0.lock().expect("no panic").push("d1");
    let bench = Bench::guarded(EndpointConfig::default(), Limits::default(), access.clone());
    let connect = with_password(&connect_v5("c", 0xc2, 60, 0));
    let mut client = bench.wire(1000);
    client.send(&connect).await;
    assert_eq!(client.packet().await.1[..2], [0, 0x87]);
    access.0.lock().expect("no panic").clear();
    let mut client = bench.wire(1000);
    client.send(&connect).await;
    assert_eq!(client.packet().await.1[..2], [0, 0], "the client id is free");
}

#[tokio::test(start_paused = true)]
async fn no_client_id_makes_a_session_key_of_another_name() {
    let bench = Bench::guarded(EndpointConfig::default(), Limits::default(), Arc::new(Strict));
    let mut device = bench.wire(1000);
    device.send(&with_password(&connect_v5("same", 0xc0, 60, 1000))).await;
    assert_eq!(device.packet().await.1[..2], [0, 0]);
    let mut intruder = bench.wire(1000);
    intruder.send(&connect_v5("d1\u{1f}same", 2, 60, 1000)).await;
    assert_eq!(intruder.packet().await.1[..2], [0, 0x85]);
    device.nothing_came().await;
}

#[tokio::test(start_paused = true)]
async fn nobody_takes_over_the_client_id_or_the_session_of_another_device() {
    let access = Arc::new(Revocable::default());
    let bench = Bench::guarded(EndpointConfig::default(), Limits::default(), access.clone());
    let login = |device: &[u8; 2]| {
        let mut connect = with_password(&connect_v5("same", 0xc0, 60, 1000));
        let place = connect.len() - 10;
        connect[place..place + 2].copy_from_slice(device);
        connect
    };
    let mut first = bench.wire(1000);
    first.send(&login(b"d1")).await;
    assert_eq!(first.packet().await.1[..2], [0, 0]);
    let mut second = bench.wire(1000);
    second.send(&login(b"d2")).await;
    assert_eq!(second.packet().await.1[..2], [0, 0], "no session of another");
    first.nothing_came().await;
    let mut again = bench.wire(1000);
    again.send(&login(b"d1")).await;
    assert_eq!(again.packet().await.1[..2], [1, 0], "its own");
    first.expect_disconnect(0x8e).await;
    second.nothing_came().await;

    assert_eq!(bench.doorway.revoke(), 0);
    access.0.lock().expect("no panic").push("d2");
    assert_eq!(bench.doorway.revoke(), 1);
    second.expect_disconnect(0x98).await;
    again.nothing_came().await;
}

#[tokio::test(start_paused = true)]
async fn a_device_has_so_many_connections_and_its_reconnect_is_not_one_more() {
    let limits = LimitsConfig { connections_per_device: 2, ..LimitsConfig::default() };
    let config = EndpointConfig { limits, ..EndpointConfig::default() };
    let bench = Bench::guarded(config, Limits::default(), Arc::new(Strict));
    let mut open = Vec::new();
    for (id, reason) in [("a", 0), ("b", 0), ("c", 0x97), ("b", 0)] {
        let mut client = bench.wire(1000);
        client.send(&with_password(&connect_v5(id, 0xc2, 60, 0))).await;
        let (_, body) = client.packet().await;
        assert_eq!(body[1], reason, "{id}");
        open.push(client);
    }
    let mut old = bench.wire(1000);
    old.send(&with_password(&connect_v3("c", 0xc2, 60))).await;
    old.expect(&[0x20, 2, 0, 3]).await;
    let stats = bench.doorway.stats().snapshot();
    assert_eq!((stats.open, stats.limited, stats.takeovers), (2, 2, 1));
}

#[tokio::test]
async fn an_address_that_guesses_passwords_has_to_wait() {
    let limits = LimitsConfig { failed_logins_per_minute: 3, ..LimitsConfig::default() };
    let config = EndpointConfig { limits, ..EndpointConfig::default() };
    let bench = Bench::listen_guarded(config, Arc::new(Strict)).await;
    for reason in [0x86, 0x86, 0x86, 0x9f] {
        let mut client = bench.tcp().await;
        client.send(&connect_v5("guess", 2, 60, 0)).await;
        assert_eq!(client.packet().await.1[1], reason);
    }
    let mut right = bench.tcp().await;
    right.send(&with_password(&connect_v5("x", 0xc2, 60, 0))).await;
    assert_eq!(right.packet().await.1[1], 0x9f, "nothing is checked any more");
}

#[tokio::test]
async fn an_address_has_so_many_connections() {
    let limits = LimitsConfig { connections_per_address: 1, ..LimitsConfig::default() };
    let config = EndpointConfig { limits, ..EndpointConfig::default() };
    let bench = Bench::listen(config).await;
    let mut first = bench.tcp().await;
    first.connect_v3("first").await;
    let mut second = bench.tcp().await;
    second.send(&connect_v5("second", 2, 60, 0)).await;
    let (_, body) = second.packet().await;
    assert_eq!(body[1], 0x97);
    assert!(String::from_utf8_lossy(&body).contains("address"), "{body:02x?}");
}

#[tokio::test(start_paused = true)]
async fn who_sends_too_much_is_read_at_its_rate_and_loses_nothing() {
    let rates = Rates { messages_per_s: 10, ..Rates::default() };
    let limits = LimitsConfig { rates, ..LimitsConfig::default() };
    let config = EndpointConfig { limits, ..EndpointConfig::default() };
    let mut bench = Bench::in_memory(config, Limits::default());
    let mut client = bench.wire(100_000);
    client.connect_v3("d1").await;
    let publishes: Vec<_> = (1..=100).flat_map(|id| publish_v3(1, id, "city/a", b"x")).collect();
    let started = Instant::now();
    client.send(&publishes).await;
    let messages = bench.take(100).await;
    let took = started.elapsed().as_secs_f64();
    assert!((8.5..=9.5).contains(&took), "10 at once, the others at 10 a second: {took} s");
    messages.into_iter().for_each(commit);
    for id in 1..=100 {
        client.expect(&puback(id)).await;
    }
    assert!(bench.doorway.stats().snapshot().throttled > 0);
}

#[tokio::test(start_paused = true)]
async fn bytes_have_a_rate_too_and_a_large_message_still_passes() {
    let rates = Rates { bytes_per_s: 1000, ..Rates::default() };
    let limits = LimitsConfig { rates, ..LimitsConfig::default() };
    let config = EndpointConfig { limits, ..EndpointConfig::default() };
    let mut bench = Bench::in_memory(config, Limits::default());
    let mut client = bench.wire(100_000);
    client.connect_v3("d1").await;
    let publish = publish_v3(0, 0, "city/a", &[b'x'; 5000]);
    let started = Instant::now();
    client.send(&[publish.clone(), publish].concat()).await;
    bench.take(2).await;
    let took = started.elapsed().as_secs_f64();
    assert!((3.9..=4.5).contains(&took), "a second is saved up, 4,000 bytes are owed: {took} s");
}

#[tokio::test(start_paused = true)]
async fn a_client_without_a_keep_alive_is_given_one() {
    let bench = Bench::in_memory(EndpointConfig::default(), Limits::default());
    for (asked, given) in [(0, Some(3600_u16)), (60, None), (7200, Some(3600))] {
        let mut client = bench.wire(1000);
        client.send(&connect_v5("d1", 2, asked, 0)).await;
        let (_, body) = client.packet().await;
        let told = given.map(|given| [&[0x13][..], &given.to_be_bytes()].concat());
        let found = body[3..].windows(3).find(|window| window[0] == 0x13).map(<[u8]>::to_vec);
        assert_eq!(found, told, "{asked}");
    }
}

#[tokio::test]
async fn a_client_may_subscribe_to_its_commands_only() {
    let bench = Bench::listen(EndpointConfig::default()).await;
    let mut client = bench.tcp().await;
    client.connect_v5("d1").await;
    let filters = b"\0\x08cmd/d1/#\x02\0\x06city/#\x01";
    client.send(&packet(0x82, &[b"\0\x05\0", &filters[..]].concat())).await;
    let (first, body) = client.packet().await;
    assert_eq!((first, &body[..2], &body[body.len() - 2..]), (0x90, &[0, 5][..], &[1, 0x87][..]));
    assert!(String::from_utf8_lossy(&body).contains("cmd/d1/#"), "{body:02x?}");
    client.send(&packet(0xa2, b"\0\x06\0\0\x08cmd/d1/#\0\x01x")).await;
    client.expect(&[0xb0, 5, 0, 6, 0, 0, 0x11]).await;
}

/// Refuses everybody, but only once the gate is open.
struct Gated {
    asked: AtomicUsize,
    /// Open when there is nobody left to send.
    gate: Mutex<Receiver<()>>,
}

impl Access for Gated {
    fn admit(&self, _: &Knock<'_>) -> Result<Grant, Denied> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let _open = self.gate.lock().expect("no panic").recv();
        Err(Denied::BadCredentials)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logins_that_waited_while_others_failed_are_not_tried_any_more() {
    let (closed, gate) = std::sync::mpsc::channel();
    let access = Arc::new(Gated { asked: AtomicUsize::new(0), gate: Mutex::new(gate) });
    let limits = LimitsConfig { failed_logins_per_minute: 1, ..LimitsConfig::default() };
    let config = EndpointConfig { limits, ..EndpointConfig::default() };
    let bench = Bench::listen_guarded(config, access.clone()).await;
    let at_once = std::thread::available_parallelism().map_or(1, usize::from);
    let mut clients = Vec::new();
    for number in 0..at_once + 8 {
        let mut client = bench.tcp().await;
        client.send(&connect_v3(&format!("d{number}"), 0b10, 60)).await;
        clients.push(client);
    }
    while access.asked.load(Ordering::SeqCst) < at_once {
        tokio::task::yield_now().await;
    }
    drop(closed);
    for client in &mut clients {
        client.packet().await;
    }
    assert_eq!(access.asked.load(Ordering::SeqCst), at_once);
    assert_eq!(bench.doorway.stats().snapshot().limited, 8);
}
