//! The collector as a Sparkplug host application: its STATE, and commands of ours.

use city_collect::{BrokerConfig, ConfigError, MqttVersion, NotPublished};
use city_pipeline::Limits;
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, Publish, QoS};

use crate::harness::{Bench, NOW, PATIENCE, VERSIONS, collector, config};
use crate::mosquitto::{Mosquitto, Network};
use crate::script::{CONNECT, DISCONNECT, PUBACK, Peer, SUBSCRIBE, Script};

const STATE: &str = "spBv1.0/STATE/host1";
const ONLINE: &str = r#"{"online":true,"timestamp":1800000000000}"#;
const OFFLINE: &str = r#"{"online":false,"timestamp":1800000000000}"#;
/// A PUBLISH at QoS 1, retained.
const RETAINED: u8 = 0x33;
/// At QoS 0, not retained.
const COMMAND: u8 = 0x30;

fn host(port: u16, version: MqttVersion) -> BrokerConfig {
    BrokerConfig { sparkplug_host: Some("host1".to_owned()), ..config(port, version) }
}

fn bench(config: BrokerConfig) -> Bench {
    let (collector, received) = collector(config, &["spBv1.0/#"], Limits::default());
    Bench::run(collector, received)
}

/// The topic and payload of a PUBLISH; the packet id is answered if there is one.
async fn published(peer: &mut Peer, v5: bool, first: u8) -> (String, String) {
    let body = peer.expect(first).await;
    let length = usize::from(u16::from_be_bytes([body[0], body[1]]));
    let (topic, mut rest) = body[2..].split_at(length);
    if first == RETAINED {
        peer.send(&[PUBACK, 2, rest[0], rest[1]]).await;
        rest = &rest[2..];
    }
    if v5 {
        assert_eq!(rest[0], 0, "no properties");
        rest = &rest[1..];
    }
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    (text(topic), text(rest))
}

/// Shakes hands and grants both subscriptions; the body of the CONNECT.
async fn welcome(script: &Script, v5: bool) -> (Peer, Vec<u8>) {
    let mut peer = script.accept().await;
    let connect = peer.expect(CONNECT).await;
    peer.send(if v5 { &[0x20, 3, 0, 0, 0] } else { &[0x20, 2, 0, 0] }).await;
    // Nothing is published before this.
    let subscribe = peer.expect(SUBSCRIBE).await;
    assert!(contains(&subscribe, b"spBv1.0/#") && contains(&subscribe, STATE.as_bytes()));
    let [high, low] = [subscribe[0], subscribe[1]];
    let suback =
        if v5 { vec![0x90, 5, high, low, 0, 1, 1] } else { vec![0x90, 4, high, low, 1, 1] };
    peer.send(&suback).await;
    (peer, connect)
}

fn contains(body: &[u8], part: &[u8]) -> bool {
    body.windows(part.len()).any(|window| window == part)
}

fn own(text: &str) -> (String, String) {
    (STATE.to_owned(), text.to_owned())
}

#[tokio::test]
async fn the_will_goes_with_the_connect_and_the_birth_follows_the_subscriptions_with_its_time() {
    for version in VERSIONS {
        let v5 = version == MqttVersion::V5;
        let script = Script::listen().await;
        let bench = bench(host(script.port, version));
        let (mut peer, connect) = welcome(&script, v5).await;
        // Clean session (or start), and a will at QoS 1 that is retained (MQTT 3.1.1, 3.1.2.3).
        assert_eq!(connect[7] & 0x3e, 0x02 | 0x04 | 0x08 | 0x20);
        assert!(contains(&connect, STATE.as_bytes()) && contains(&connect, OFFLINE.as_bytes()));
        if v5 {
            assert!(
                contains(&connect, &[0x11, 0, 0, 0, 0]),
                "the session ends with the connection"
            );
        }
        assert_eq!(published(&mut peer, v5, RETAINED).await, own(ONLINE));
        bench.stop().await;
    }
}

#[tokio::test]
async fn whoever_says_that_we_are_offline_is_contradicted_with_the_wills_time() {
    for version in VERSIONS {
        let v5 = version == MqttVersion::V5;
        let script = Script::listen().await;
        let bench = bench(host(script.port, version));
        let (mut peer, _) = welcome(&script, v5).await;
        assert_eq!(published(&mut peer, v5, RETAINED).await, own(ONLINE));
        let mut body = [&[0, STATE.len() as u8][..], STATE.as_bytes(), &[0, 9]].concat();
        if v5 {
            body.push(0);
        }
        body.extend_from_slice(br#"{"online":false,"timestamp":5}"#);
        peer.send(&[&[0x32, body.len() as u8][..], &body].concat()).await;
        let (mut acknowledged, mut contradicted) = (false, false);
        while !(acknowledged && contradicted) {
            match peer.packet().await.expect("the connection is open") {
                (PUBACK, body) => acknowledged = body[..2] == [0, 9],
                (RETAINED, body) => contradicted = contains(&body, ONLINE.as_bytes()),
                other => panic!("{other:02x?}"),
            }
        }
        bench.stop().await;
    }
}

#[tokio::test]
async fn before_a_goodbye_we_say_that_we_are_offline() {
    for version in VERSIONS {
        let v5 = version == MqttVersion::V5;
        let script = Script::listen().await;
        let bench = bench(host(script.port, version));
        let (mut peer, _) = welcome(&script, v5).await;
        assert_eq!(published(&mut peer, v5, RETAINED).await, own(ONLINE));
        let stopping = tokio::spawn(bench.stop());
        assert_eq!(published(&mut peer, v5, RETAINED).await, own(OFFLINE));
        peer.expect(DISCONNECT).await;
        drop(peer);
        stopping.await.expect("stopped");
    }
}

#[tokio::test]
async fn commands_go_out_at_qos_0_over_the_connection_there_is() {
    for version in VERSIONS {
        let v5 = version == MqttVersion::V5;
        let script = Script::listen().await;
        let (collector, received) =
            collector(host(script.port, version), &["spBv1.0/#"], Limits::default());
        let publisher = collector.publisher();
        let bench = Bench::run(collector, received);
        let (mut peer, _) = welcome(&script, v5).await;
        assert_eq!(published(&mut peer, v5, RETAINED).await, own(ONLINE));
        publisher.publish("spBv1.0/G/NCMD/N".to_owned(), b"rebirth".to_vec()).expect("room");
        let command = ("spBv1.0/G/NCMD/N".to_owned(), "rebirth".to_owned());
        assert_eq!(published(&mut peer, v5, COMMAND).await, command);
        bench.stop().await;
        let late = publisher.publish("spBv1.0/G/NCMD/N".to_owned(), vec![]);
        assert_eq!(late, Err(NotPublished::Stopped));
    }
}

#[tokio::test]
async fn commands_do_not_pile_up_without_a_connection() {
    let (collector, _received) =
        collector(host(1, MqttVersion::V5), &["spBv1.0/#"], Limits::default());
    let publisher = collector.publisher();
    let send = || publisher.publish("t".to_owned(), vec![]);
    let taken = std::iter::repeat_with(send).take_while(Result::is_ok).take(10_000).count();
    assert_eq!(taken, 256);
    assert_eq!(send(), Err(NotPublished::Full));
}

#[test]
fn a_host_hears_everything_itself_and_has_an_id_that_fits_a_topic() {
    let keys = |config: BrokerConfig| -> Vec<&'static str> {
        config.problems().iter().map(|problem: &ConfigError| problem.key).collect()
    };
    let good = host(1883, MqttVersion::V5);
    assert_eq!(keys(good.clone()), [""; 0]);
    let shared = BrokerConfig { shared_group: Some("g".to_owned()), ..good.clone() };
    assert_eq!(keys(shared), ["sparkplug_host"]);
    let id = BrokerConfig { sparkplug_host: Some("a/b".to_owned()), ..good };
    assert_eq!(keys(id), ["sparkplug_host"]);
}

/// Somebody who looks at a host's state, as edge nodes do.
struct Watcher {
    events: EventLoop,
    _client: AsyncClient,
}

impl Watcher {
    async fn of(id: &str, port: u16, filter: &str) -> Self {
        let (client, events) = AsyncClient::new(MqttOptions::new(id, "127.0.0.1", port), 10);
        client.subscribe(filter, QoS::AtLeastOnce).await.expect("queued");
        let mut watcher = Self { events, _client: client };
        while !matches!(watcher.event().await, Event::Incoming(Packet::SubAck(_))) {}
        watcher
    }

    async fn event(&mut self) -> Event {
        let event = tokio::time::timeout(PATIENCE, self.events.poll());
        event.await.expect("an event must come").expect("connected")
    }

    async fn next(&mut self) -> Publish {
        loop {
            if let Event::Incoming(Packet::Publish(publish)) = self.event().await {
                return publish;
            }
        }
    }

    /// Waits until the host says this of itself.
    async fn until(&mut self, online: bool) {
        let wanted = format!(r#"{{"online":{online},"timestamp":{}}}"#, NOW.millis());
        while self.next().await.payload != wanted.as_bytes() {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edge_nodes_at_a_real_broker_see_us_come_go_and_come_back() {
    for version in VERSIONS {
        let broker = Mosquitto::start("");
        let network = Network::to(broker.port).await;
        let mut watcher = Watcher::of("watcher", broker.port, STATE).await;
        let (collector, received) =
            collector(host(network.port, version), &["spBv1.0/#"], Limits::default());
        let publisher = collector.publisher();
        let mut bench = Bench::run(collector, received);
        watcher.until(true).await;
        bench.subscribed(1).await;

        let mut edge = Watcher::of("N", broker.port, "spBv1.0/G/NCMD/N").await;
        publisher.publish("spBv1.0/G/NCMD/N".to_owned(), b"rebirth".to_vec()).expect("room");
        let command = edge.next().await;
        assert_eq!(
            (&command.payload[..], command.qos, command.retain),
            (&b"rebirth"[..], QoS::AtMostOnce, false)
        );

        network.cut();
        watcher.until(false).await;
        watcher.until(true).await;
        let session = bench.subscribed(2).await.session_resumed;
        assert!(!session, "a host's session begins anew");
        bench.stop().await;
        watcher.until(false).await;
        // Retained: whoever comes later sees it too.
        let last = Watcher::of("late", broker.port, STATE).await.next().await;
        assert_eq!((&last.payload[..], last.retain), (OFFLINE.as_bytes(), true));
    }
}
