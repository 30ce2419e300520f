//! Receivers that are dead, answer 500, hang, are slow or break off, beside a good one: the good one is
//! not delayed, memory does not grow, and operators see how each is doing.

mod support;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use city_alert::{ReceiverConfig, ReceiverStatus};
use city_model::{Marks, Span};
use serde_json::json;
use support::world::{NOW, World, until};
use support::{Recorder, Reply, Seen};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// Events in a flood, of one alert after the other.
const EVENTS: usize = 3_000;

/// What a flood may add to the memory of this process, the keys that the good receiver keeps and
/// what the allocator does not give back included. Three times the flood adds 12 MB.
const MOST_GROWTH_MB: u64 = 24;

fn webhook(id: &str, url: &str) -> ReceiverConfig {
    let options = json!({"url": url, "timeout": "2s"});
    serde_json::from_value(json!({"id": id, "type": "webhook", "options": options}))
        .expect("a receiver")
}

/// A server that breaks off in the middle of its answer's first line.
async fn breaks_off() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 64];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(b"HTTP/1.1 2").await;
        }
    });
    url
}

/// An address where nobody listens.
async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    format!("http://{}", listener.local_addr().expect("an address"))
}

/// The memory of this process, MB.
fn memory_mb() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages: u64 = text.split(' ').nth(1).expect("resident").parse().expect("a number");
    pages * 4_096 / 1_000_000
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_takes_a_test_is_told_at_once_of_what_waits() {
    let world = World::new();
    let server = Recorder::start(Reply::new(204, "")).await;
    server.then([Reply::new(503, "maintenance").retry_after(3_600)]);
    let running = world.start(vec![webhook("desk", &server.url)]);
    let delivering = running.deliver();
    running.follow(&world.commit(0, 80.0, Marks::NONE));
    let status = || running.notifier.status().remove("desk").unwrap_or_default();
    let waits = until(async || status().next_try.map(|_| status())).await;
    assert_eq!((waits.waiting, waits.failing_since), (1, Some(NOW)));
    assert!(waits.next_try >= Some(NOW + Span::from_mins(60)), "{waits:?}");

    let config = running.notifier.config("desk").expect("there");
    running.notifier.try_out(config).await.expect("taken");
    until(async || (server.count() == 4).then_some(())).await;
    until(async || (status().error.is_none() && status().waiting == 0).then_some(())).await;
    assert_eq!(status().next_try, None);
    assert!(status().last_failure.is_some_and(|failure| failure.message.contains("maintenance")));
    delivering.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_receivers_delay_no_good_one_and_are_seen() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::on_disk(folder.path());
    let good = Recorder::start(Reply::new(204, "").brief()).await;
    let broken = Recorder::start(Reply::new(500, "out of order")).await;
    let hanging = Recorder::start(Reply::new(204, "").after(Duration::from_hours(1))).await;
    let slow = Recorder::start(Reply::new(204, "").after(Duration::from_millis(500))).await;
    let running = world.start(vec![
        webhook("dead", &nobody().await),
        webhook("broken", &broken.url),
        webhook("hanging", &hanging.url),
        webhook("slow", &slow.url),
        webhook("cut", &breaks_off().await),
        webhook("good", &good.url),
    ]);
    let delivering = running.deliver();

    // The first event warms everything up; then it is timed how long one takes beside the bad ones.
    running.follow(&world.commit(0, 80.0, Marks::NONE));
    until(async || (good.count() == 1).then_some(())).await;
    let status = |id: &str| running.notifier.status().get(id).cloned().unwrap_or_default();
    for id in ["dead", "broken", "hanging", "cut"] {
        until(async || status(id).error.is_some().then_some(())).await;
    }
    let began = Instant::now();
    running.follow(&world.commit(1, 10.0, Marks::NONE));
    until(async || (good.count() == 2).then_some(())).await;
    let one = began.elapsed();
    assert!(one < Duration::from_secs(1), "told after {one:?}");

    // A flood: the good one takes it all, while for the others it waits on disk.
    let before = memory_mb();
    for start in (2..EVENTS).step_by(100) {
        let values: Vec<f64> =
            (start..start + 100).map(|n| if n % 2 == 0 { 80.0 } else { 10.0 }).collect();
        running.follow(&world.commit_all(start as i64, &values, Marks::NONE));
    }
    let wanted = 2 + (2..EVENTS).step_by(100).count() * 100;
    until(async || (good.count() == wanted).then_some(())).await;
    let growth = memory_mb().saturating_sub(before);
    assert!(growth < MOST_GROWTH_MB, "{growth} MB more");

    let once: BTreeSet<String> = good.seen().iter().map(Seen::key).collect();
    assert_eq!(once.len(), wanted, "each once");

    // What operators see.
    until(async || {
        let late = ["dead", "broken", "cut"].iter().all(|id| status(id).waiting >= 2);
        late.then_some(())
    })
    .await;
    let said = |id: &str| status(id).error.unwrap_or_default();
    assert!(said("dead").contains("cannot reach it"), "{}", said("dead"));
    assert!(
        said("broken").contains("500 Internal Server Error: out of order"),
        "{}",
        said("broken")
    );
    assert!(said("hanging").contains("does not answer in time"), "{}", said("hanging"));
    assert!(said("cut").contains("cannot reach it"), "{}", said("cut"));
    let slow_one = status("slow");
    assert_eq!(slow_one.error, None, "slow is not wrong");
    assert!(slow_one.waiting > 0 && slow_one.last_delivery.is_some(), "{slow_one:?}");
    let good_one = status("good");
    assert!(good_one.last_delivery.is_some(), "{good_one:?}");
    until(async || {
        (status("good") == ReceiverStatus { waiting: 0, ..good_one.clone() }).then_some(())
    })
    .await;

    // What was delivered is noted a moment later, several events together.
    until(async || {
        let report = running.notifier.report().expect("read");
        let good = report.iter().find(|receiver| receiver.route.receiver == "good")?;
        (good.status.waiting == 0).then_some(())
    })
    .await;

    // What is kept of each, in full: how many wait since when, and that nothing was given up.
    let report = running.notifier.report().expect("read");
    let ids: Vec<&str> = report.iter().map(|receiver| receiver.route.receiver.as_str()).collect();
    assert_eq!(ids, ["dead", "broken", "hanging", "slow", "cut", "good"]);
    for receiver in report {
        let id = receiver.route.receiver.as_str();
        let (waiting, bad) = (receiver.status.waiting, !["slow", "good"].contains(&id));
        assert_eq!(receiver.oldest_waiting, (waiting > 0).then_some(NOW), "{receiver:?}");
        assert_eq!(receiver.status.failing_since, bad.then_some(NOW), "{receiver:?}");
        assert_eq!(receiver.status.last_failure.is_some(), bad, "{receiver:?}");
        assert!(
            if bad { waiting as usize == wanted } else { id == "slow" || waiting == 0 },
            "{id}"
        );
        assert_eq!((receiver.given_up, receiver.last_given_up), (0, None), "{id}");
    }

    // Bad receivers are not asked more than backoff allows, and slow ones lose nothing.
    assert!(broken.count() < 40, "asked {} times", broken.count());
    let keys: Vec<String> = slow.seen().iter().map(Seen::key).collect();
    let first: Vec<String> = good.seen().iter().take(keys.len()).map(Seen::key).collect();
    assert_eq!(keys, first, "the same events in the same order");
    delivering.stop().await;
}
