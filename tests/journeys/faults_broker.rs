//! Brokers and networks fail while devices publish: nothing is lost, and the books balance.

use std::sync::Arc;
use std::time::{Duration, Instant};

use city_tests::faults::{City, PATIENCE, settled, subscribed, sums};
use city_tests::fleet::{Address, Load, Sender, check_store};
use city_tests::instance::{Instance, eventually};
use city_tests::mosquitto::Mosquitto;
use city_tests::network::{Network, Way};
use city_tests::publisher::Publisher;

/// A cut lasts this long: longer than every keep-alive.
const MINUTE: Duration = Duration::from_mins(1);

fn connect(port: u16, client_id: &str, more: &str) -> String {
    format!(
        "host = \"127.0.0.1\"\nport = {port}\nclient_id = \"{client_id}\"\nkeep_alive = \"5s\"\n{more}"
    )
}

fn at(address: std::net::SocketAddr) -> Address {
    Arc::new(move || Some(address))
}

#[tokio::test]
async fn brokers_restart_under_publishers_and_nothing_is_lost() {
    let folders = [tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder")];
    let mut brokers = folders.each_ref().map(|f| Mosquitto::start(f.path()).expect("a broker"));
    let [old, new] = brokers.each_ref().map(|broker| broker.address);
    // Two brokers at once, one for each version of MQTT.
    let city = City::new(&[
        ("old", connect(old.port(), "citybrain", "version = 4\n")),
        ("new", connect(new.port(), "citybrain", "")),
    ])
    .expect("a city");
    let instance = city.start().await.expect("starts");
    let senders: Vec<Sender> = [("a", "old", old), ("b", "old", old), ("c", "new", new)]
        .into_iter()
        .map(|(client, prefix, address)| {
            Sender::start(Load::steady(client, prefix, 500.0), at(address))
        })
        .collect();
    for round in 0..4 {
        for sender in &senders {
            sender.more(300, PATIENCE).expect("published");
        }
        let (away, other) = (round % 2, if round % 2 == 0 { 2 } else { 0 });
        brokers[away].stop().expect("stops");
        // The other broker does not notice.
        senders[other].more(300, PATIENCE).expect("the other broker goes on");
        brokers[away].start_again().expect("starts again");
    }
    for sender in &senders {
        sender.more(300, PATIENCE).expect("published");
    }
    let sent: Vec<_> = senders.into_iter().map(|sender| sender.stop().expect("all sent")).collect();
    assert!(sent.iter().all(|sent| sent.connections >= 3), "each was thrown out twice: {sent:?}");
    let sums = settled(&instance, &sent).await.expect("all is stored");
    // What was sent again, and what the brokers had under way to us when they were stopped.
    let again: u64 = sent.iter().map(|sent| sent.again).sum();
    assert!(sums.duplicate <= again + 4 * 2 * 1000, "{sums:?}, {again} sent again");
    subscribed(&instance).await.expect("all is well again");
    assert!(instance.interrupt().expect("stops").1);
    check_store(&city.data(), &sent).expect("each once");
}

#[tokio::test]
async fn networks_are_cut_for_a_minute_and_nothing_is_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let broker = Mosquitto::start(folder.path()).expect("a broker");
    let to_broker = Network::to(broker.address).expect("a network");
    let city =
        City::new(&[("far", connect(to_broker.address.port(), "citybrain", ""))]).expect("a city");
    let instance = city.start().await.expect("starts");
    let to_endpoint = Network::to(instance.ready.mqtt.expect("an endpoint")).expect("a network");
    // Through the broker, whose other side is cut; through the network that is cut; and past both.
    let senders = [
        Sender::start(Load::steady("collected", "far", 200.0), at(broker.address)),
        Sender::start(Load::steady("cut", "mqtt", 200.0), at(to_endpoint.address)),
        Sender::start(Load::steady("near", "mqtt", 200.0), at(instance.ready.mqtt.expect("one"))),
    ];
    for sender in &senders {
        sender.more(300, PATIENCE).expect("published");
    }

    let cut = Instant::now();
    for network in [&to_broker, &to_endpoint] {
        network.stall(Way::Up);
        network.stall(Way::Down);
    }
    eventually("the broker to be missed", PATIENCE, async || {
        let (code, health) = instance.health().await?;
        // Readings wait at the broker: that alone does not make us unready.
        anyhow::ensure!(code == 200, "{health}");
        Ok((health["parts"]["brokers"]["ok"] == false).then_some(()))
    })
    .await
    .expect("a keep-alive without an answer is noticed");
    let (before, during) = (senders[1].acknowledged(), senders[2].acknowledged());
    std::thread::sleep(MINUTE.saturating_sub(cut.elapsed()));
    assert_eq!(senders[1].acknowledged(), before, "nothing passed");
    assert!(senders[2].acknowledged() > during + 5_000, "who is not cut off goes on");
    to_broker.mend();
    to_endpoint.mend();

    subscribed(&instance).await.expect("the collector comes back by itself");
    for sender in &senders {
        sender.more(300, PATIENCE).expect("published");
    }
    let sent = senders.map(|sender| sender.stop().expect("all sent"));
    assert!(sent[1].connections >= 2, "{sent:?}");
    settled(&instance, &sent).await.expect("all is stored");
    assert!(instance.interrupt().expect("stops").1);
    check_store(&city.data(), &sent).expect("each once");
}

/// The dead letters, newest first.
async fn letters(instance: &Instance) -> Vec<serde_json::Value> {
    let page = instance.get("/api/v1/dead-letters").await.expect("a page");
    page["items"].as_array().expect("a list").clone()
}

async fn until_letters(instance: &Instance, count: usize) {
    eventually("the dead letter", PATIENCE, async || {
        Ok((letters(instance).await.len() >= count).then_some(()))
    })
    .await
    .expect("it is kept");
}

async fn until_duplicates(instance: &Instance, count: u64) {
    eventually("the redelivery", PATIENCE, async || {
        Ok((sums(instance).await?.duplicate >= count).then_some(()))
    })
    .await
    .expect("it is counted");
}

#[tokio::test]
async fn a_poison_message_becomes_one_dead_letter_however_often_it_comes() {
    for version in [4, 5] {
        poisoned(version).await;
    }
}

async fn poisoned(version: u8) {
    let folder = tempfile::tempdir().expect("a folder");
    let broker = Mosquitto::start(folder.path()).expect("a broker");
    let network = Network::to(broker.address).expect("a network");
    let more = format!("version = {version}\nmax_packet_size = 100000\n");
    let connect = connect(network.address.port(), "citybrain", &more);
    let city = City::new(&[("far", connect)]).expect("a city");
    let mut instance = city.start().await.expect("starts");
    let mut device = Publisher::connect(broker.address, "poisoner").expect("connects");
    let mut publish = |payload: &[u8]| {
        device.publish("far/p/up", payload);
        device.flush().expect("sends");
        device.acknowledged().expect("the broker acknowledges");
    };
    let mut kept = 1;
    publish(b"{");
    until_letters(&instance, kept).await;
    if version == 4 {
        // Too large for us, which a 3.1.1 broker cannot know.
        publish(&vec![b'['; 200_000]);
        kept += 1;
        until_letters(&instance, kept).await;
        let letter = &letters(&instance).await[0];
        assert_eq!(letter["reason"], "too_large", "{letter}");
        assert!(letter["detail"].as_str().is_some_and(|text| text.contains("200000")), "{letter}");
    }
    // They were acknowledged: they do not come again.
    assert!(instance.interrupt().expect("stops").1);
    instance = city.start().await.expect("starts");
    publish(b"[");
    kept += 1;
    until_letters(&instance, kept).await;
    let before = sums(&instance).await.expect("balanced");
    assert_eq!((before.dead_lettered, before.duplicate), (kept as u64, 0), "{before:?}");

    // Kill -9 between the commit and the acknowledgement, which is stuck in the network.
    network.stall(Way::Up);
    publish(b"poison");
    kept += 1;
    until_letters(&instance, kept).await;
    for round in 1..=3 {
        instance.kill().expect("killed");
        network.cut();
        network.mend();
        instance = city.start().await.expect("starts");
        until_duplicates(&instance, round).await;
        if round < 3 {
            network.stall(Way::Up);
            // Sent, kept, and the acknowledgement stuck: the next one is news.
            publish(format!("poison {round}").as_bytes());
            kept += 1;
            until_letters(&instance, kept).await;
        }
    }
    assert_eq!(letters(&instance).await.len(), kept, "none is there twice");
    let after = sums(&instance).await.expect("balanced");
    assert_eq!((after.dead_lettered, after.duplicate), (kept as u64, 3), "{after:?}");
    // The way is free for what comes after it.
    publish(br#"{"ts":"2026-01-01T00:00:00Z","number":7}"#);
    eventually("the good message", PATIENCE, async || {
        Ok((sums(&instance).await?.stored == 1).then_some(()))
    })
    .await
    .expect("it is stored");
}

#[tokio::test]
async fn a_broker_that_comes_late_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut broker = Mosquitto::start(folder.path()).expect("a broker");
    broker.stop().expect("stops");
    let city =
        City::new(&[("late", connect(broker.address.port(), "citybrain", ""))]).expect("a city");
    let arguments = city.arguments(&city.data());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // Without its broker it starts, says so, and serves.
    let instance = Instance::start(&arguments).expect("starts");
    let (code, health) = instance.health().await.expect("an answer");
    assert_eq!((code, &health["parts"]["brokers"]["ok"]), (200, &false.into()), "{health}");
    broker.start_again().expect("starts");
    subscribed(&instance).await.expect("it is found");
    let sender = Sender::start(Load::steady("d", "late", 500.0), at(broker.address));
    sender.more(500, PATIENCE).expect("published");
    let sent = [sender.stop().expect("all sent")];
    settled(&instance, &sent).await.expect("all is stored");
}
