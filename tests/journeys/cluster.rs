//! A city of several processes on a bus: whatever process is killed, whatever server of the bus, and
//! whatever link is cut, no acknowledged reading is lost, and the same alerts are told as by one
//! process that nothing happens to.
#![allow(clippy::print_stderr)] // what was taken over when is what people run it for

mod scenario;
mod senders;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use city_model::{AlertEvent, AlertEventKind, EndReason, Span, Timestamp};
use city_tests::cluster::{Additions, Cluster, RECOVERS, Size};
use city_tests::faults::{City, PATIENCE};
use city_tests::fleet::now;
use city_tests::instance::eventually;
use city_tests::network::Way;
use city_tests::sink::{Received, Sink};
use rand::{RngExt as _, SeedableRng as _};
use scenario::{History, history};
use senders::{CONNECTIONS, Devices, Line, Load, Message};
use serde_json::json;

const RULES: &str = "group: numbers\ndepartment: city\nrules:
  - {id: high, kind: threshold, lateness: any, select: {metric: water_level}, severity: {low: {above: 1, clear_below: 1}, \
   high: {above: 3, clear_below: 2}}}
  - {id: mean, kind: window, lateness: any, select: {metric: water_level}, window: {function: mean, over: 1h}, \
   severity: medium, raise: {above: 2}}
";

const DEVICES: usize = 40;

/// Whose last readings say that all is over: so many devices that each partition has one.
const ENDS: usize = 32;
const END: &str = "end-";

/// How long a process or a network stays away.
const AWAY: Duration = Duration::from_millis(1500);
/// How long two servers of the bus do not reach each other: longer than they wait for a leader.
const APART: Duration = Duration::from_secs(12);

/// The level of a device in a round: up and down, each device in its own way.
fn level(device: usize, round: usize) -> f64 {
    ((device * 7 + round * (device % 5 + 1)) % 9) as f64 / 2.0
}

/// The message of one of them.
fn message(device: &str, level: f64, at: Timestamp) -> Message {
    let payload = json!({ "ts": at, "level": level }).to_string().into_bytes();
    Message { topic: format!("mqtt/{device}/up"), payload }
}

/// What all of them send, a second apart, and what a simulated city sends beside them.
struct Numbers {
    began: Timestamp,
    city: Option<scenario::City>,
}

impl Numbers {
    fn additions(&self) -> anyhow::Result<Additions> {
        self.city.as_ref().map_or_else(|| Ok(Additions::default()), scenario::City::additions)
    }

    /// When all that was sent in so many rounds is over.
    fn end(&self, rounds: usize) -> Timestamp {
        self.began + Span::from_secs(rounds as i64)
    }
}

impl Load for Numbers {
    fn waves(&self, connection: usize, round: usize) -> Vec<Vec<Message>> {
        let at = self.began + Span::from_secs(round as i64);
        let own = (0..DEVICES).filter(|device| device % CONNECTIONS == connection);
        let numbers =
            own.map(|device| message(&format!("device-{device}"), level(device, round), at));
        let mut waves = vec![numbers.collect::<Vec<_>>()];
        let city = self.city.as_ref().map_or(&[][..], |city| city.waves(connection, round));
        if let Some((first, more)) = city.split_first() {
            waves[0].extend_from_slice(first);
            waves.extend_from_slice(more);
        }
        waves
    }
}

/// What was told, without what differs from run to run: by rule and subject the kind, severity, value
/// and time of each event, in order.
type Told = BTreeMap<(String, String), Vec<String>>;

/// What a receiver heard of a city.
struct Heard {
    told: Told,
    /// Each event once, one alert after the other, in its order.
    events: Vec<AlertEvent>,
    /// How many came twice.
    doubled: usize,
}

/// All events until those about the ends, which come last in each partition; each once by its key.
fn heard(sink: &Sink, doors: &[SocketAddr], end: Timestamp) -> anyhow::Result<Heard> {
    let last: Vec<_> =
        (0..ENDS).map(|number| message(&format!("{END}{number}"), 9.0, end)).collect();
    Line::new(doors, 0).send(&last, &AtomicU64::new(0))?;
    let mut events: BTreeMap<String, AlertEvent> = BTreeMap::new();
    let (mut ends, mut doubled) = (0, 0);
    let mut quiet_since = Instant::now();
    // Each of them is told of by both rules. What is told again may come after that.
    while ends < 2 * ENDS || quiet_since.elapsed() < Duration::from_secs(3) {
        match sink.received.recv_timeout(Duration::from_secs(1)) {
            Ok(Received { key, event, .. }) => {
                quiet_since = Instant::now();
                ensure!(key == event.key && event.reason.is_none(), "{event:?}");
                let is_end = event.alert.subject.to_string().contains(&format!(":{END}"));
                match events.insert(key, event.clone()) {
                    None => ends += usize::from(is_end),
                    Some(before) => {
                        ensure!(
                            before == event,
                            "the same key, another event: {before:?} {event:?}"
                        );
                        doubled += 1;
                    }
                }
            }
            Err(_) => {
                ensure!(
                    quiet_since.elapsed() < PATIENCE,
                    "{ends} of {} ends are told of",
                    2 * ENDS
                );
            }
        }
    }
    let mut told: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for event in events.into_values() {
        let of = (event.alert.rule.id.to_string(), event.alert.subject.to_string());
        told.entry(of).or_default().push(event);
    }
    let (mut lines, mut all) = (Told::new(), Vec::new());
    for (of, mut events) in told {
        events.sort_by_key(|event| (event.alert.started_at, event.seq));
        // One alert after the other, each from its first event to its last.
        let mut open = None;
        for event in &events {
            let (id, seq) = (&event.alert.id, event.seq);
            let expected = open.map_or((id, 1), |(id, seq)| (id, seq + 1));
            ensure!((id, seq) == expected, "an event was lost: {of:?} {events:#?}");
            open = (event.kind != AlertEventKind::Resolved).then_some((id, seq));
        }
        let said = events.iter().map(|event| {
            let alert = &event.alert;
            format!(
                "{:?} {} {:?} {:?}",
                event.kind, alert.severity, alert.value, alert.reading_time
            )
        });
        lines.insert(of, said.collect());
        all.append(&mut events);
    }
    Ok(Heard { told: lines, events: all, doubled })
}

/// One process, in peace, for as many rounds: what it told, and its history.
async fn in_one_process(load: Numbers, rounds: usize) -> anyhow::Result<(Told, History)> {
    let city = City::with_rules(Some(RULES), &[])?;
    let sink = Sink::start()?;
    let config = city.folder().join("citybrain.toml");
    let text = std::fs::read_to_string(&config)? + &sink.config();
    std::fs::write(&config, load.additions()?.add_to(&text, city.folder())?)?;
    let instance = city.start().await?;
    let door = instance.ready.mqtt.context("an endpoint")?;
    let end = load.end(rounds);
    let load: Arc<dyn Load> = Arc::new(load);
    let told = tokio::task::spawn_blocking(move || {
        Devices::start(&load, &[door], Duration::ZERO).finish_after(rounds)?;
        anyhow::Ok(heard(&sink, &[door], end)?.told)
    });
    let told = told.await??;
    instance.kill()?;
    let data = city.data();
    let history = tokio::task::spawn_blocking(move || history(&data)).await??;
    for device in 0..DEVICES {
        let of = (format!("device-{device}"), "water_level".to_owned());
        let stored = history.get(&of).map_or(0, Vec::len);
        ensure!(stored == rounds, "{stored} readings of {of:?} after {rounds} rounds");
    }
    Ok((told, history))
}

/// Says of each subject whose alerts differ where they begin to.
fn same_as_in_one_process(with: &Told, without: &Told) -> anyhow::Result<()> {
    let subjects: BTreeSet<_> = with.keys().chain(without.keys()).collect();
    let (nothing, mut differs) = (Vec::new(), Vec::new());
    for of in subjects {
        let told = |all| Told::get(all, of).unwrap_or(&nothing);
        let (here, there) = (told(with), told(without));
        if here == there {
            continue;
        }
        let same = here.iter().zip(there).take_while(|(one, other)| one == other).count();
        let next = |lines: &[String]| lines[same..].iter().take(3).cloned().collect::<Vec<_>>();
        let (one, other) = (next(here), next(there));
        differs.push(format!(
            "{of:?}: {} and {} events; after {same}: {one:?} and {other:?}",
            here.len(),
            there.len()
        ));
    }
    ensure!(differs.is_empty(), "other alerts than in one process:\n{}", differs.join("\n"));
    Ok(())
}

/// Something that goes wrong.
#[derive(Clone, Debug)]
enum Fault {
    Kill(String),
    Server(usize),
    Cut(String, usize),
    Stall(String, usize),
    /// Two servers of the bus do not reach each other, though everybody else reaches both.
    Apart((usize, usize)),
}

/// How many sorts of faults there are.
const SORTS: usize = 8;

fn fault(number: usize, cluster: &Cluster, rng: &mut rand::rngs::StdRng) -> Fault {
    let mut one_of = |role: &str| {
        let names = cluster.of(role);
        names[rng.random_range(0..names.len())].clone()
    };
    let servers = cluster.nats.count();
    match number % SORTS {
        0 => Fault::Kill(one_of("alert")),
        1 => Fault::Kill(one_of("collect")),
        // The one that answers: until the first of these the first, and each time it is another's turn.
        2 => Fault::Kill(format!("brain-{}", number / SORTS % 2 + 1)),
        3 => Fault::Server(rng.random_range(0..servers)),
        4 => Fault::Cut(one_of("alert"), rng.random_range(0..servers)),
        5 => Fault::Stall(one_of("collect"), rng.random_range(0..servers)),
        6 => Fault::Cut(one_of("brain"), rng.random_range(0..servers)),
        _ => {
            let links: Vec<_> = cluster.links.keys().copied().collect();
            Fault::Apart(links[rng.random_range(0..links.len())])
        }
    }
}

/// Waits until each brain's address answers.
async fn brains_answer(cluster: &mut Cluster, except: Option<&str>) -> anyhow::Result<()> {
    let client = city_alert::plain_client(Duration::from_secs(2)).map_err(anyhow::Error::msg)?;
    eventually("the brains to answer", RECOVERS, async || {
        cluster.supervise()?;
        for name in cluster.of("brain") {
            if Some(&*name) == except {
                continue;
            }
            let http = cluster.node(&name)?.http;
            let answer = client.get(format!("http://{http}/health/live")).send().await?;
            ensure!(answer.status().is_success(), "{name}: {}", answer.status());
        }
        Ok(Some(()))
    })
    .await
}

#[derive(Default)]
struct Times(Vec<Duration>);

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let at = |share: f64| {
            let index = ((sorted.len() as f64 - 1.0) * share).round().max(0.0) as usize;
            sorted.get(index).map_or(0.0, Duration::as_secs_f64)
        };
        write!(f, "p50 {:.1} s, max {:.1} s of {}", at(0.5), at(1.0), sorted.len())
    }
}

/// A city in which everybody does their part, and its collectors' doors; `None` without a server.
async fn running(
    size: Size,
    load: &Numbers,
    sink: &Sink,
) -> anyhow::Result<Option<(Cluster, Vec<SocketAddr>)>> {
    let started = Cluster::start(size, RULES, &load.additions()?, &sink.config())?;
    let Some(mut cluster) = started else { return Ok(None) };
    cluster.all_evaluated(None).await?;
    brains_answer(&mut cluster, None).await?;
    let doors = cluster.of("collect").iter().filter_map(|name| cluster.nodes[name].mqtt).collect();
    Ok(Some((cluster, doors)))
}

async fn with_faults(faults: usize, seed: u64, pace: Duration) -> anyhow::Result<()> {
    let sink = Sink::start()?;
    let size = Size { servers: 3, collectors: 3, workers: 3, brains: 2 };
    // Longer ago than the city's time that passes.
    let began = now() - Span::from_hours(36);
    let load = || anyhow::Ok(Numbers { began, city: Some(scenario::City::begin(began)?) });
    let numbers = Arc::new(load()?);
    let Some((mut cluster, doors)) = running(size, &numbers, &sink).await? else { return Ok(()) };
    let sent: Arc<dyn Load> = numbers.clone();
    let devices = Devices::start(&sent, &doors, pace);
    let mut rng = rand::rngs::StdRng::seed_from_u64(seed);
    let (mut partitions, mut brains) = (Times::default(), Times::default());
    for number in 0..faults {
        let fault = fault(number, &cluster, &mut rng);
        let before = devices.done();
        let begun = Instant::now();
        eprintln!("fault {number}: {fault:?} after {before} rounds");
        match &fault {
            Fault::Kill(name) => {
                cluster.kill(name)?;
                if name.starts_with("alert") {
                    cluster.all_evaluated(Some(name)).await?;
                    partitions.0.push(begun.elapsed());
                } else if name.starts_with("brain") {
                    brains_answer(&mut cluster, Some(name)).await?;
                    brains.0.push(begun.elapsed());
                } else {
                    tokio::time::sleep(AWAY).await;
                }
                cluster.restart(name)?;
            }
            Fault::Server(server) => {
                cluster.nats.kill(*server);
                tokio::time::sleep(AWAY).await;
                cluster.nats.restart(*server);
            }
            Fault::Cut(name, server) => {
                cluster.node(name)?.ways[*server].cut();
                tokio::time::sleep(AWAY).await;
                cluster.node(name)?.ways[*server].mend();
            }
            Fault::Stall(name, server) => {
                for way in [Way::Up, Way::Down] {
                    cluster.node(name)?.ways[*server].stall(way);
                }
                tokio::time::sleep(AWAY).await;
                cluster.node(name)?.ways[*server].mend();
            }
            Fault::Apart(both) => {
                let (one, other) = *both;
                ensure!(cluster.nats.reaches(one, other), "they are together before");
                cluster.links[both].cut();
                tokio::time::sleep(APART).await;
                ensure!(!cluster.nats.reaches(one, other), "they found another way");
                cluster.links[both].mend();
            }
        }
        cluster.all_evaluated(None).await?;
        brains_answer(&mut cluster, None).await?;
        eventually("devices to be heard", RECOVERS, async || {
            cluster.supervise()?;
            Ok((devices.done() > before + 2).then_some(()))
        })
        .await?;
    }
    let again = devices.sent_again.clone();
    let rounds = tokio::task::spawn_blocking(move || devices.finish()).await??;
    let (end, telling) = (numbers.end(rounds), doors.clone());
    let with = tokio::task::spawn_blocking(move || heard(&sink, &telling, end)).await??;
    eprintln!(
        "{faults} faults over {rounds} rounds: {} messages sent again, {} events told twice; \
         partitions taken over: {partitions}; brains: {brains}",
        again.load(Ordering::Relaxed),
        with.doubled,
    );
    let (told, history) = in_one_process(load()?, rounds).await?;
    let events = told.values().map(Vec::len).sum::<usize>();
    ensure!(told.len() > DEVICES && events > DEVICES, "enough happens: {events}");
    same_as_in_one_process(&with.told, &told)?;
    eprintln!("{events} alert events, the same as in one process");
    let score = numbers.city.as_ref().context("a city")?.score(&with.events, rounds)?;
    eprintln!("{score}");
    ensure!(score.happened > 20, "enough happens in the city");
    ensure!(score.recall == 1.0 && score.precision == 1.0, "what was told is not what happened");
    // Every acknowledged reading is in the history of every brain, once.
    for name in cluster.of("brain") {
        has_history(&mut cluster, &name, &history).await?;
    }
    Ok(())
}

/// Reads what a receiver is told of alerts that no engine knows any more; there must be so many.
fn ends_of_unknown(sink: &Sink, count: usize) -> anyhow::Result<()> {
    let mut ended = BTreeSet::new();
    while ended.len() < count {
        let Received { event, .. } = sink
            .received
            .recv_timeout(PATIENCE)
            .with_context(|| format!("{} of {count} alerts of before ended", ended.len()))?;
        ensure!(
            event.kind == AlertEventKind::Resolved && event.reason == Some(EndReason::StateLost),
            "{event:?}"
        );
        ended.insert(event.key);
    }
    Ok(())
}

/// Sends so many rounds, to the end of what is told of them.
async fn rounds(
    sink: Sink,
    doors: &[SocketAddr],
    began: Timestamp,
    rounds: usize,
) -> anyhow::Result<(Told, Sink)> {
    let load = Numbers { began, city: None };
    let end = load.end(rounds);
    let load: Arc<dyn Load> = Arc::new(load);
    let doors = doors.to_vec();
    let told = tokio::task::spawn_blocking(move || {
        Devices::start(&load, &doors, Duration::ZERO).finish_after(rounds)?;
        anyhow::Ok((heard(&sink, &doors, end)?.told, sink))
    });
    told.await?
}

async fn with_more_partitions() -> anyhow::Result<()> {
    const ROUNDS: usize = 40;
    let sink = Sink::start()?;
    let size = Size { servers: 1, collectors: 2, workers: 2, brains: 2 };
    let began = now() - Span::from_hours(6);
    let alone = |began| Numbers { began, city: None };
    let Some((mut cluster, doors)) = running(size, &alone(began), &sink).await? else {
        return Ok(());
    };
    for name in cluster.nodes.keys() {
        let told = cluster.doctor(name)?;
        let port = format!("http.listen = {}", cluster.nodes[name].http);
        ensure!(told.contains(&format!("{port} is in use by the running program")), "{told}");
        ensure!(told.contains("is ready"), "{told}");
    }
    let (before, sink) = rounds(sink, &doors, began, ROUNDS).await?;
    let fires = |lines: &Vec<String>| lines.last().is_some_and(|l| !l.starts_with("Resolved"));
    let firing = before.values().filter(|lines| fires(lines)).count();
    ensure!(firing > 2 * ENDS + 10, "{firing} alerts stand");

    cluster.change_partitions(7, "grown")?;
    let sink = tokio::task::spawn_blocking(move || {
        ends_of_unknown(&sink, firing)?;
        anyhow::Ok(sink)
    })
    .await??;
    cluster.all_evaluated(None).await?;
    brains_answer(&mut cluster, None).await?;
    // Engines begin anew, as those of a single process that begins now do.
    let later = began + Span::from_hours(2);
    let (after, _sink) = rounds(sink, &doors, later, ROUNDS).await?;
    let (told, mut history) = in_one_process(alone(later), ROUNDS).await?;
    same_as_in_one_process(&after, &told)?;
    let (_, earlier) = in_one_process(alone(began), ROUNDS).await?;
    for (of, readings) in earlier {
        history.entry(of).or_default().splice(0..0, readings);
    }
    for name in cluster.of("brain") {
        has_history(&mut cluster, &name, &history).await?;
    }
    Ok(())
}

/// Waits until a brain has this history: asked of its files, as they are on the disk.
async fn has_history(cluster: &mut Cluster, name: &str, wanted: &History) -> anyhow::Result<()> {
    let data = cluster.node(name)?.data().to_owned();
    eventually("the history", RECOVERS, async || {
        // A moment for what is still on its way.
        tokio::time::sleep(Duration::from_secs(1)).await;
        cluster.kill(name)?;
        let data = data.clone();
        let stored = tokio::task::spawn_blocking(move || history(&data)).await?;
        cluster.restart(name)?;
        let stored = stored?;
        let other = |(of, readings): &(_, _)| stored.get(*of) != Some(*readings);
        if let Some((of, readings)) = wanted.iter().find(other) {
            let got = stored.get(of).map_or(0, Vec::len);
            anyhow::bail!("{name}: {got} readings of {of:?}, and {} were sent", readings.len());
        }
        ensure!(stored.len() == wanted.len(), "{name} has more than was sent");
        Ok(Some(()))
    })
    .await
}

/// Only one at a time: each keeps the machine busy.
static TURN: Mutex<()> = Mutex::new(());

fn run(journey: impl Future<Output = anyhow::Result<()>>) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(journey).expect("nothing is lost");
}

#[test]
fn a_few_faults_lose_nothing_and_double_nothing() {
    run(with_faults(SORTS, 1, Duration::from_millis(250)));
}

#[test]
fn a_bus_with_more_partitions_takes_the_city_over() {
    run(with_more_partitions());
}

/// A quarter of an hour: `cargo test -p city-tests --test journeys -- --ignored cluster`.
#[test]
#[ignore = "takes many minutes"]
fn fifty_faults_lose_nothing_and_double_nothing() {
    // Nearly every reading of these devices is an event of an alert.
    run(with_faults(7 * SORTS, 2, Duration::from_secs(1)));
}
