//! The bus with NATS's own server.

#![allow(missing_docs, clippy::unwrap_used)] // tests

mod cluster;
// A file of the journeys, which see it from outside.
#[allow(dead_code, unreachable_pub)]
#[path = "../../../../tests/src/nats.rs"]
mod nats;
mod one_server;
#[allow(unreachable_pub)]
#[path = "../../../../tests/src/ports.rs"]
mod ports;

use std::time::{Duration, Instant};

use bytes::Bytes;
use city_bus::{AppendError, Bus, BusConfig, Entry, Follow, Following, Message, Topic};
use nats::NatsCluster;

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn config(cluster: &NatsCluster) -> BusConfig {
    BusConfig {
        servers: cluster.urls(),
        replicas: cluster.count(),
        partitions: 4,
        // An election on a busy machine takes longer than the default.
        timeout: PATIENCE,
        ..BusConfig::default()
    }
}

pub(crate) fn connect(cluster: &NatsCluster, node: &str) -> Bus {
    Bus::connect(&config(cluster), node, PATIENCE).unwrap()
}

pub(crate) fn entry(topic: Topic, number: usize) -> Entry {
    Entry { topic, id: format!("e{number}"), payload: Bytes::from(number.to_string()) }
}

/// Reads until so many are there.
pub(crate) fn read(following: &mut Following, count: usize) -> Vec<Message> {
    let until = Instant::now() + 6 * PATIENCE;
    let mut messages = Vec::new();
    while messages.len() < count {
        let left = until.saturating_duration_since(Instant::now());
        assert!(!left.is_zero(), "only {} of {count} messages came", messages.len());
        let most = count - messages.len();
        following.next_batch(&mut messages, most, left).unwrap();
    }
    messages
}

pub(crate) fn payloads(messages: &[Message]) -> Vec<String> {
    messages.iter().map(|m| String::from_utf8(m.payload.to_vec()).unwrap()).collect()
}

/// Repeats until it is so.
pub(crate) fn wait_until(what: &str, mut so: impl FnMut() -> bool) {
    let patience = 2 * PATIENCE;
    let until = Instant::now() + patience;
    while !so() {
        assert!(Instant::now() < until, "{what}: not within {patience:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Appends `count` entries of a writer, each where the log ends then, and tells of each.
pub(crate) fn append_all(bus: &Bus, log: &str, writer: usize, count: usize, done: impl Fn(usize)) {
    let mut end = 0;
    for number in 0..count {
        let payload = format!("{writer}:{number}");
        loop {
            match bus.append(log, end, payload.clone().into(), PATIENCE) {
                Ok(appended) => {
                    end = appended;
                    done(number);
                    break;
                }
                Err(AppendError::Conflict) => end = bus.log_end(log).unwrap(),
                Err(error) => panic!("{error}: {:?}", std::error::Error::source(&error)),
            }
        }
    }
}

/// All entries of all writers are there once, those of each in order.
pub(crate) fn check_log(bus: &Bus, log: &str, writers: usize, count: usize) {
    let mut following = bus.follow(Follow::Log(log.to_owned()), 0).unwrap();
    let all = payloads(&read(&mut following, writers * count));
    assert_eq!(following.next(Duration::from_millis(50)).unwrap(), None, "nothing is doubled");
    for writer in 0..writers {
        let prefix = format!("{writer}:");
        let of_one: Vec<_> = all.iter().filter_map(|text| text.strip_prefix(&prefix)).collect();
        let wanted: Vec<_> = (0..count).map(|number| number.to_string()).collect();
        assert_eq!(of_one, wanted, "of the writer {writer}");
    }
}
