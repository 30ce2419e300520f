//! A collector in front of a pipeline turned by hand.

use std::sync::Arc;
use std::time::Duration;

use city_collect::{BrokerConfig, Collector, MqttVersion, Phase, Route, Stats, Status};
use city_model::{ManualClock, Span, Timestamp};
use city_pipeline::{Limits, RawMessage, Received, SourceKey, intake};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long a test waits for what must come. Never waited for when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// When everything is received, by the test's clock.
pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

pub(crate) const VERSIONS: [MqttVersion; 2] = [MqttVersion::V4, MqttVersion::V5];

/// A running collector.
pub(crate) struct Bench {
    pub(crate) received: Received,
    pub(crate) status: watch::Receiver<Status>,
    pub(crate) stats: Arc<Stats>,
    shutdown: CancellationToken,
    running: JoinHandle<()>,
}

pub(crate) fn config(port: u16, version: MqttVersion) -> BrokerConfig {
    BrokerConfig {
        version,
        keep_alive: Span::from_secs(5),
        ..BrokerConfig::new("127.0.0.1", port, "citybrain")
    }
}

fn route() -> Route {
    Arc::new(|topic, _| topic.starts_with("city/").then_some(SourceKey(2)))
}

pub(crate) fn collector(
    config: BrokerConfig,
    filters: &[&str],
    limits: Limits,
) -> (Collector, Received) {
    let (intake, received) = intake(limits);
    let filters: Vec<_> = filters.iter().map(|&filter| filter.to_owned()).collect();
    let clock = Arc::new(ManualClock::new(NOW));
    let collector =
        Collector::new(config, &filters, route(), intake, clock).expect("a good configuration");
    (collector, received)
}

impl Bench {
    /// Collects `city/#`.
    pub(crate) fn start(config: BrokerConfig) -> Self {
        let (collector, received) = collector(config, &["city/#"], Limits::default());
        Self::run(collector, received)
    }

    pub(crate) fn run(collector: Collector, received: Received) -> Self {
        let shutdown = CancellationToken::new();
        Self {
            received,
            status: collector.status(),
            stats: collector.stats(),
            shutdown: shutdown.clone(),
            running: tokio::spawn(collector.run(shutdown)),
        }
    }

    pub(crate) async fn until(&mut self, good: impl FnMut(&Status) -> bool) -> Status {
        let waiting = tokio::time::timeout(PATIENCE, self.status.wait_for(good));
        waiting.await.expect("the status must come").expect("running").clone()
    }

    /// Waits for this connection, counted from 1, and its subscriptions.
    pub(crate) async fn subscribed(&mut self, connects: u64) -> Status {
        self.until(|status| {
            status.phase == Phase::Connected && status.connects >= connects && status.granted > 0
        })
        .await
    }

    /// The next `count` messages, and not more with them.
    pub(crate) async fn take(&mut self, count: usize) -> Vec<RawMessage> {
        let mut messages = Vec::new();
        while messages.len() < count {
            let next = tokio::time::timeout(PATIENCE, self.received.next());
            let batch = next.await.expect("messages must come").expect("running");
            messages.extend(batch.into_messages());
        }
        assert_eq!(messages.len(), count, "more came than expected: {:?}", texts(&messages));
        messages
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.stopped().await;
    }

    pub(crate) async fn stopped(self) {
        tokio::time::timeout(PATIENCE, self.running).await.expect("must stop").expect("no panic");
        assert_eq!(self.status.borrow().phase, Phase::Stopped);
    }
}

pub(crate) fn commit(message: RawMessage) {
    message.ack.expect("QoS 1").committed();
}

/// The payloads as text.
pub(crate) fn texts(messages: &[RawMessage]) -> Vec<String> {
    messages.iter().map(|message| String::from_utf8_lossy(&message.payload).into()).collect()
}

pub(crate) fn numbers(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}
