//! A source that sends far more than it should: memory stays bounded, it is slowed down by the
//! network, the others go on, and nothing is lost.

use std::sync::Arc;
use std::time::Duration;

use city_tests::faults::{City, PATIENCE, settled};
use city_tests::fleet::{Address, Load, Sender, Sent, check_store};

/// What each source sends a second when all is well.
const NORMAL: f64 = 200.0;
/// How much memory may grow by, whatever is sent: 64 MiB of messages that are under way, twice
/// (as bytes, and as what they become), and what allocators keep.
const GROWTH: u64 = 256 << 20;

#[tokio::test]
async fn a_source_at_ten_times_its_rate_and_more_harms_nobody() {
    let city = City::new(&[]).expect("a city");
    let instance = city.start().await.expect("starts");
    let endpoint = instance.ready.mqtt.expect("an endpoint");
    let address: Address = Arc::new(move || Some(endpoint));
    let steady = |client| Sender::start(Load::steady(client, "mqtt", NORMAL), address.clone());
    let others = [steady("one"), steady("two"), steady("three")];
    let mad = steady("mad");
    for sender in others.iter().chain([&mad]) {
        sender.more(400, PATIENCE).expect("published");
    }
    let calm = mad.stop().expect("all sent");
    let before = instance.memory().expect("known");

    // As fast as it can over four connections, with many messages under way, large ones too.
    let flood: Vec<Sender> = (0..4)
        .map(|number| {
            let load = Load {
                rate: None,
                window: 5_000,
                filling: if number == 0 { 20_000 } else { 200 },
                ..Load::steady(&format!("mad-{number}"), "mqtt", NORMAL)
            };
            Sender::start(load, address.clone())
        })
        .collect();
    let mut most = before;
    for _ in 0..40 {
        std::thread::sleep(Duration::from_millis(250));
        most = most.max(instance.memory().expect("known"));
    }
    let mut sent: Vec<Sent> =
        flood.into_iter().map(|sender| sender.stop().expect("sent")).collect();
    let flooded: f64 = sent.iter().map(Sent::rate).sum();
    let others = others.map(|sender| sender.stop().expect("all sent"));
    eprintln!(
        "flood: {flooded:.0} messages/s; memory {} MiB before, {} MiB at most; others' p50 {:?}, p99 {:?}",
        before >> 20,
        most >> 20,
        others[0].latency(0.5),
        others[0].latency(0.99),
    );
    assert!(flooded > 10.0 * NORMAL, "the flood was one: {flooded:.0}/s");
    assert!(most < before + GROWTH, "from {before} to {most} bytes");
    for other in &others {
        // They sent at their rate all the time: nobody pushed them out.
        assert!(other.rate() > 0.9 * NORMAL, "{}: {:.0}/s", other.load.client, other.rate());
        assert!(other.connections == 1, "{} was thrown out", other.load.client);
        assert!(other.latency(0.99) < Duration::from_secs(3), "{:?}", other.latency(0.99));
    }
    sent.extend(others);
    sent.push(calm);
    settled(&instance, &sent).await.expect("all is stored");
    assert!(instance.interrupt().expect("stops").1);
    check_store(&city.data(), &sent).expect("each once");
}
