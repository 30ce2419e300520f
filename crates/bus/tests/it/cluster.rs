//! Three servers of which any one is lost at any time. Slow: run by `cargo xtask test`.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use city_bus::{Follow, Message, Topic};

use crate::nats::NatsCluster;
use crate::{PATIENCE, append_all, check_log, connect, entry, payloads, read, wait_until};

/// What a cluster may take to find a new leader, with time to spare for a busy machine.
const ELECTION: Duration = Duration::from_mins(1);

/// How a server is lost.
#[derive(Clone, Copy)]
enum Loss {
    /// It ends at once.
    Killed,
    /// It hangs, and afterwards thinks that it still leads.
    Paused,
}

/// How much is done, and may be done by now, so that work is under way whenever a server is killed.
#[derive(Default)]
struct Work {
    done: AtomicUsize,
    allowed: AtomicUsize,
}

impl Work {
    /// Waits until another one may be done.
    fn start_one(&self, number: usize) {
        let may = || number < self.allowed.load(Ordering::Relaxed);
        wait_until("it may go on", may);
    }

    fn end_one(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }

    /// Allows so many more, and waits until half of them are done, or all.
    fn allow(&self, count: usize, all: bool) {
        let before = self.allowed.fetch_add(count, Ordering::Relaxed);
        let from = before.max(self.done.load(Ordering::Relaxed));
        let until = from + if all { count } else { count / 2 };
        wait_until("the others go on", || self.done.load(Ordering::Relaxed) >= until);
    }

    /// Loses each server once in the middle of `of` things to do: first the one that leads the
    /// stream. Each stays away until the others have gone on without it.
    fn lose_each(&self, cluster: &mut NatsCluster, how: Loss, stream: &str, of: usize) {
        let leader = cluster.leader_of(stream).expect("a leader");
        let step = of / (2 * cluster.count());
        for round in 0..cluster.count() {
            let index = (leader + round) % cluster.count();
            self.allow(step, false);
            match how {
                Loss::Killed => cluster.kill(index),
                Loss::Paused => cluster.pause(index),
            }
            self.allow(step, true);
            match how {
                Loss::Killed => cluster.restart(index),
                Loss::Paused => cluster.resume(index),
            }
        }
        // The rest, if it cannot be divided.
        self.allowed.fetch_add(of, Ordering::Relaxed);
    }
}

#[test]
#[ignore = "three servers: `cargo xtask test` starts them"]
fn whatever_server_is_killed_all_readings_are_there_once_and_in_order() {
    readings("whatever_server_is_killed_all_readings_are_there_once_and_in_order", Loss::Killed);
}

#[test]
#[ignore = "three servers: `cargo xtask test` starts them"]
fn whatever_server_hangs_all_readings_are_there_once_and_in_order() {
    readings("whatever_server_hangs_all_readings_are_there_once_and_in_order", Loss::Paused);
}

fn readings(test: &str, how: Loss) {
    const CALLS: usize = 100;
    const EACH: usize = 20;
    let Some(mut cluster) = NatsCluster::start(test, 3) else { return };
    let (publisher, reader) = (connect(&cluster, "n1"), connect(&cluster, "n2"));
    let work = Work::default();
    let messages = std::thread::scope(|scope| {
        scope.spawn(|| {
            for call in 0..CALLS {
                work.start_one(call);
                let numbers = call * EACH..(call + 1) * EACH;
                let entries: Vec<_> =
                    numbers.map(|n| entry(Topic::Readings(n as u16 % 4), n)).collect();
                publisher.publish(&entries, ELECTION).unwrap();
                work.end_one();
            }
        });
        let reading = scope.spawn(|| {
            let mut following = reader.follow(Follow::AllReadings, 0).unwrap();
            let messages = read(&mut following, CALLS * EACH);
            assert_eq!(following.next(Duration::from_millis(500)).unwrap(), None);
            messages
        });
        work.lose_each(&mut cluster, how, "citybrain_readings", CALLS);
        reading.join().unwrap()
    });
    assert!(messages.iter().map(|m| m.number).eq(1..=(CALLS * EACH) as u64), "no gap");
    check_calls(&messages, EACH);
    // And the same to somebody who comes later.
    let again =
        read(&mut connect(&cluster, "n3").follow(Follow::AllReadings, 0).unwrap(), CALLS * EACH);
    assert!(again == messages, "others read the same");
}

/// Each entry is there once, and each call's before the next call's.
fn check_calls(messages: &[Message], each: usize) {
    let numbers: Vec<usize> = payloads(messages).iter().map(|text| text.parse().unwrap()).collect();
    let distinct: BTreeSet<_> = numbers.iter().collect();
    assert_eq!(distinct.len(), numbers.len(), "nothing is doubled");
    let calls: Vec<_> = numbers.iter().map(|number| number / each).collect();
    assert!(calls.is_sorted(), "in the order of the calls: {calls:?}");
}

#[test]
#[ignore = "three servers: `cargo xtask test` starts them"]
fn what_is_appended_while_a_leader_is_killed_is_neither_lost_nor_doubled() {
    logs("what_is_appended_while_a_leader_is_killed_is_neither_lost_nor_doubled", Loss::Killed);
}

#[test]
#[ignore = "three servers: `cargo xtask test` starts them"]
fn what_is_appended_while_a_leader_hangs_is_neither_lost_nor_doubled() {
    logs("what_is_appended_while_a_leader_hangs_is_neither_lost_nor_doubled", Loss::Paused);
}

fn logs(test: &str, how: Loss) {
    const EACH: usize = 200;
    let Some(mut cluster) = NatsCluster::start(test, 3) else { return };
    let work = Work::default();
    std::thread::scope(|scope| {
        for writer in 0..2 {
            let bus = connect(&cluster, &format!("n{writer}"));
            let work = &work;
            scope.spawn(move || {
                append_all(&bus, "race", writer, EACH, |number| {
                    work.end_one();
                    // As many of the one as of the other.
                    work.start_one(2 * (number + 1));
                });
            });
        }
        work.lose_each(&mut cluster, how, "citybrain_state", 2 * EACH);
    });
    check_log(&connect(&cluster, "n3"), "race", 2, EACH);
}

#[test]
#[ignore = "three servers: `cargo xtask test` starts them"]
fn no_lease_is_of_two_while_leaders_are_killed() {
    leases("no_lease_is_of_two_while_leaders_are_killed", Loss::Killed);
}

#[test]
#[ignore = "three servers: `cargo xtask test` starts them"]
fn no_lease_is_of_two_while_leaders_hang() {
    leases("no_lease_is_of_two_while_leaders_hang", Loss::Paused);
}

fn leases(test: &str, how: Loss) {
    let Some(mut cluster) = NatsCluster::start(test, 3) else { return };
    let ttl = Duration::from_secs(2);
    let wanted: Vec<String> = (0..4).map(|n| format!("p{n}")).collect();
    let buses = [connect(&cluster, "a"), connect(&cluster, "b")];
    let mut leases = buses.each_ref().map(|bus| bus.leases(ttl));
    let holdings = leases.each_ref().map(city_bus::Leases::holding);
    let (stop, work) = (AtomicBool::new(false), Work::default());
    std::thread::scope(|scope| {
        for leases in &mut leases {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    // While there is no leader, an error is no surprise.
                    let before = Instant::now();
                    if leases.turn(&wanted).is_ok() {
                        work.end_one();
                    }
                    std::thread::sleep((ttl / 8).saturating_sub(before.elapsed()));
                }
            });
        }
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                for name in &wanted {
                    assert!(
                        !holdings.iter().all(|holding| holding.holds(name)),
                        "{name} is of two"
                    );
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        // Turns that succeed, and three servers lost among them.
        work.lose_each(&mut cluster, how, "KV_citybrain_leases", 70);
        wait_until("all are held again", || {
            wanted.iter().all(|name| holdings.iter().any(|holding| holding.holds(name)))
        });
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
#[ignore = "three servers: `cargo xtask test` starts them"]
fn an_image_is_written_and_read_while_a_leader_is_lost() {
    let Some(mut cluster) = NatsCluster::start("an_image_is_written_and_read", 3) else { return };
    let bus = connect(&cluster, "n1");
    let bytes: Vec<u8> = (0..20_000_000_u32).map(|n| (n % 241) as u8).collect();
    let number = bus.append("l", 0, "a".into(), PATIENCE).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let until = Instant::now() + ELECTION;
            while let Err(error) = bus.put_image("l", number, &bytes) {
                assert!(Instant::now() < until, "{error}");
            }
        });
        let leader = cluster.leader_of("citybrain_images").expect("a leader");
        cluster.kill(leader);
    });
    let (found, read_back) = bus.image("l").unwrap().expect("an image");
    assert_eq!(found, number);
    assert!(read_back == bytes);
}
