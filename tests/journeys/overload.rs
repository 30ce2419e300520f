//! More than can be done is asked of the program, by clients that mean no good: what is too much is
//! told to come back, and ingest and alerts do not notice.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use city_model::{AlertEventKind, Span, Timestamp};
use city_tests::fleet::now;
use city_tests::http::{Connection, raise_open_files};
use city_tests::instance::Instance;
use city_tests::publisher::Publisher;
use city_tests::sink::Sink;

const PATIENCE: Duration = Duration::from_secs(20);
/// Clients that ask all the time: ten times as many as questions about history may be open.
const ASKERS: usize = 320;
const STATIONS: usize = 50;
/// Messages a second that come in meanwhile.
const MESSAGES_PER_S: f64 = 200.0;

struct City {
    instance: Instance,
    sink: Sink,
    bearer: String,
    _folder: tempfile::TempDir,
}

impl City {
    fn start(limits: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let sink = Sink::start().expect("a sink");
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).expect("written");
        };
        write("citybrain.toml", &format!("{CONFIG}{limits}\n{}", sink.config()));
        std::fs::create_dir(folder.path().join("rules")).expect("made");
        write("rules/rules.yaml", RULES);
        let ids = (0..STATIONS).map(|number| format!("st-{number}")).chain(["restless".to_owned()]);
        let devices: Vec<_> = ids
            .map(|id| serde_json::json!({ "id": id, "kind": "air_station", "department": "d" }))
            .collect();
        write("devices.json", &serde_json::Value::from(devices).to_string());
        let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
        let (config, data) = (path("citybrain.toml"), path("data"));
        let arguments = ["serve", "--config", &config, "--data-dir", &data];
        let instance = Instance::start(&arguments).expect("it starts");
        let bearer = format!("Authorization: Bearer {}\r\n", instance.ready.token);
        Self { instance, sink, bearer, _folder: folder }
    }

    fn http(&self) -> SocketAddr {
        self.instance.ready.http
    }

    /// A day of every station, a reading a minute.
    fn tell_a_day(&self) {
        let mut publisher = self.publisher("day");
        let end = now() - Span::from_mins(1);
        for minute in (0..1_440).rev() {
            let at = end - Span::from_mins(minute);
            for station in 0..STATIONS {
                let topic = format!("city/st-{station}/up");
                publisher.publish(&topic, payload(at, 20.0).as_bytes());
            }
            publisher.flush().expect("sent");
            for _ in 0..STATIONS {
                publisher.acknowledged().expect("acknowledged");
            }
        }
    }

    fn publisher(&self, id: &str) -> Publisher {
        Publisher::connect(self.instance.ready.mqtt.expect("an endpoint"), id).expect("connected")
    }

    /// Messages that come in, and an alert that is raised and ends every other second, until they
    /// are stopped.
    fn life(&self) -> Life {
        let stop = Arc::new(AtomicBool::new(false));
        let (told, mut publisher) = (stop.clone(), self.publisher("life"));
        let thread = std::thread::spawn(move || {
            let mut lived = Lived::default();
            let started = Instant::now();
            while !told.load(Ordering::Relaxed) {
                let due = started.elapsed().as_secs_f64();
                if (lived.acknowledged.len() as f64) >= due * MESSAGES_PER_S {
                    std::thread::sleep(Duration::from_millis(1));
                    continue;
                }
                let is_turn = lived.turns < due as usize;
                let (device, level) = if is_turn {
                    lived.turns += 1;
                    ("restless", if lived.turns % 2 == 1 { 200.0 } else { 10.0 })
                } else {
                    ("st-1", 20.0)
                };
                let sent = Instant::now();
                let topic = format!("city/{device}/up");
                publisher.publish(&topic, payload(now(), level).as_bytes());
                publisher.flush().expect("sent");
                publisher.acknowledged().expect("acknowledged");
                lived.acknowledged.push(sent.elapsed());
            }
            lived
        });
        Life { stop, thread }
    }

    /// How long the program took to say that it is alive, again and again for this time.
    fn health(&self, time: Duration) -> Vec<Duration> {
        let mut connection = Connection::open(self.http(), PATIENCE).expect("connected");
        let (started, mut delays) = (Instant::now(), Vec::new());
        while started.elapsed() < time {
            let asked = Instant::now();
            let answer = connection.get("/health/live", "").expect("an answer");
            assert_eq!(answer.status, 200, "{}", answer.head);
            delays.push(asked.elapsed());
            std::thread::sleep(Duration::from_millis(50));
        }
        delays
    }
}

fn payload(at: Timestamp, level: f64) -> String {
    format!(r#"{{"ts":"{at}","pm25":{level}}}"#)
}

/// Messages that come in meanwhile.
struct Life {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Lived>,
}

#[derive(Default)]
struct Lived {
    /// How long each message waited for its acknowledgement.
    acknowledged: Vec<Duration>,
    /// How often the restless device passed its limit, up or down.
    turns: usize,
}

impl Life {
    /// Every message was acknowledged soon, and every turn of the restless device was told.
    fn end(self, city: &City) {
        self.stop.store(true, Ordering::Relaxed);
        let lived = self.thread.join().expect("it lived");
        let worst = quantile(&lived.acknowledged, 0.99);
        assert!(lived.acknowledged.len() > 100, "{} messages", lived.acknowledged.len());
        assert!(worst < Duration::from_secs(1), "acknowledgements took {worst:?}");
        let mut told = 0;
        while told < lived.turns {
            let received = city.sink.received.recv_timeout(PATIENCE).expect("every turn is told");
            let kind = received.event.kind;
            told += usize::from(matches!(kind, AlertEventKind::Fired | AlertEventKind::Resolved));
        }
    }
}

fn quantile(delays: &[Duration], share: f64) -> Duration {
    let mut sorted = delays.to_vec();
    sorted.sort_unstable();
    let place = ((sorted.len() as f64 * share).ceil() as usize).saturating_sub(1);
    *sorted.get(place).expect("some delays")
}

/// Asks as fast as answers come, from so many connections, and counts the statuses.
fn ask(
    address: SocketAddr,
    path: &str,
    headers: &str,
    connections: usize,
    time: Duration,
) -> BTreeMap<u16, usize> {
    let started = Instant::now();
    let one = || {
        let mut counts = BTreeMap::<u16, usize>::new();
        let mut connection = Connection::open(address, PATIENCE).expect("connected");
        while started.elapsed() < time {
            let answer = connection.get(path, headers).expect("an answer");
            if matches!(answer.status, 429 | 503) {
                assert!(answer.header("retry-after").is_some(), "{}", answer.head);
                assert_eq!(answer.header("content-type"), Some("application/problem+json"));
            }
            *counts.entry(answer.status).or_default() += 1;
        }
        counts
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..connections).map(|_| scope.spawn(one)).collect();
        threads.into_iter().fold(BTreeMap::new(), |mut all, thread| {
            for (status, count) in thread.join().expect("an asker") {
                *all.entry(status).or_default() += count;
            }
            all
        })
    })
}

#[test]
fn ten_times_the_load_is_shed_while_ingest_and_alerts_go_on() {
    let city = City::start("rate = { per_s = 0, burst = 0 }");
    city.tell_a_day();
    let question = format!(
        "/api/v1/aggregates?kind=air_station&metric=pm25&step=1m&from={}&to={}",
        now() - Span::from_hours(24),
        now()
    );
    let two = Duration::from_secs(2);
    let carried = ask(city.http(), &question, &city.bearer, 4, two);
    assert_eq!(carried.keys().collect::<Vec<_>>(), [&200], "that much it can carry: {carried:?}");

    let life = city.life();
    let time = Duration::from_secs(10);
    let (http, bearer) = (city.http(), city.bearer.as_str());
    let (shed, health) = std::thread::scope(|scope| {
        let flood = scope.spawn(|| ask(http, &question, bearer, ASKERS, time));
        let health = city.health(time);
        (flood.join().expect("the flood"), health)
    });
    life.end(&city);
    assert!(shed.keys().all(|status| [200, 503].contains(status)), "{shed:?}");
    let (served, refused) = (shed[&200], shed[&503]);
    let carries = carried[&200] * 5;
    assert!(served + refused >= 10 * carries, "{served} served, {refused} refused, of {carries}");
    // The askers share the cores with it, and have more claim to them than its public side has.
    assert!(served * 10 >= carries, "it goes on to answer: {served} of {carries}");
    let worst = quantile(&health, 0.99);
    assert!(worst < Duration::from_secs(2), "health took {worst:?}");
}

#[test]
fn a_login_that_asks_too_often_and_strangers_are_told_to_come_back() {
    let city = City::start(
        "rate = { per_s = 20, burst = 40 }\nrate_without_login = { per_s = 5, burst = 10 }",
    );
    let life = city.life();
    let time = Duration::from_secs(4);
    let known = ask(city.http(), "/api/v1/kinds", &city.bearer, 8, time);
    assert_eq!(known.keys().collect::<Vec<_>>(), [&200, &429], "{known:?}");
    assert!((60..=40 + 20 * 8).contains(&known[&200]), "{known:?}");
    let invented = "Authorization: Bearer cb_invented\r\n";
    let strangers = ask(city.http(), "/api/v1/kinds", invented, 8, time);
    assert_eq!(strangers.keys().collect::<Vec<_>>(), [&401, &429], "{strangers:?}");
    let still = ask(city.http(), "/api/v1/kinds", &city.bearer, 1, Duration::from_millis(200));
    assert!(still.contains_key(&200), "who is known is not held up by strangers: {still:?}");
    life.end(&city);
}

#[test]
fn slow_and_oversized_requests_cost_nobody_else_anything() {
    let city = City::start("header = \"2s\"\nidle = \"5s\"\nbody = \"2s\"");
    let life = city.life();
    let (http, bearer) = (city.http(), city.bearer.as_str());
    let open = || Connection::open(http, PATIENCE).expect("connected");
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| {
                let mut connection = open();
                connection.send(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ").expect("sent");
                // Drips until the server has had enough.
                while connection.send(b"s").is_ok() && started.elapsed() < PATIENCE {
                    std::thread::sleep(Duration::from_millis(500));
                }
            });
        }
        for _ in 0..20 {
            scope.spawn(|| {
                let mut connection = open();
                let head = format!(
                    "POST /api/v1/silences HTTP/1.1\r\nHost: x\r\n{bearer}Content-Length: 99\r\n\
                     Content-Type: application/json\r\n\r\n"
                );
                connection.send(head.as_bytes()).expect("sent");
                let answer = connection.answer().expect("an answer");
                assert_eq!(answer.status, 408, "{}", answer.head);
            });
        }
        let health = city.health(Duration::from_secs(6));
        let worst = quantile(&health, 0.99);
        assert!(worst < Duration::from_secs(1), "health took {worst:?}");
    });
    assert!(started.elapsed() < Duration::from_secs(15), "the slow ones were ended");

    let large = format!(
        "POST /api/v1/silences HTTP/1.1\r\nHost: x\r\n{bearer}Content-Length: 10485760\r\n\
         Content-Type: application/json\r\n\r\n"
    );
    let mut connection = open();
    connection.send(large.as_bytes()).expect("sent");
    // The server need not read all of it before it says no.
    let _ended = connection.send(&vec![b' '; 512 << 10]);
    assert_eq!(connection.answer().expect("an answer").status, 413);
    let mut connection = open();
    let many = format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "A: b\r\n".repeat(500));
    connection.send(many.as_bytes()).expect("sent");
    assert_eq!(connection.answer().expect("an answer").status, 431);
    life.end(&city);
}

#[test]
fn ten_thousand_idle_connections_cost_little_memory_and_nobody_else_anything() {
    const IDLE: usize = 10_000;
    let open_files = raise_open_files().expect("a limit");
    assert!(open_files > IDLE as u64 + 1_000, "this test needs `ulimit -n` above {IDLE}");
    let city = City::start("");
    let hold = |count: usize| {
        let mut held = Vec::with_capacity(count);
        for _ in 0..count {
            let mut connection = Connection::open(city.http(), PATIENCE).expect("connected");
            let answer = connection.get("/health/live", "").expect("an answer");
            assert_eq!(answer.status, 200, "{}", answer.head);
            held.push(connection);
        }
        held
    };
    let first = hold(100);
    let before = city.instance.memory().expect("known");
    let held = hold(IDLE);
    let each = (city.instance.memory().expect("known") - before) / IDLE as u64;
    assert!(each < 64 << 10, "{each} bytes for each connection");
    let life = city.life();
    let worst = quantile(&city.health(Duration::from_secs(5)), 0.99);
    assert!(worst < Duration::from_millis(500), "health took {worst:?}");
    life.end(&city);
    drop((first, held));
}

const RULES: &str = "group: g
department: d
rules:
  - {id: high, kind: threshold, select: {metric: pm25}, severity: high, raise: {above: 100}, clear: {below: 90}}
";

const CONFIG: &str = r#"
[city]
name = "Overload"
time_zone = "UTC"
rules = "rules"
devices = "devices.json"
[mqtt]
listen = "127.0.0.1:0"
[[source]]
id = "city"
topic = "city/{device}/up"
format = "json"
[source.options]
time = "ts"
[source.options.values]
pm25 = "pm25"
[http]
listen = "127.0.0.1:0"
[http.limits]
"#;
