//! From publish to webhook, through the program as it ships.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use city_model::Timestamp;

use super::super::part::disk_folder;
use super::super::{Samples, Scale};
use crate::fleet::now;
use crate::instance::Instance;
use crate::publisher::Publisher;
use crate::sink::{Received, Sink};

const DEVICES: usize = 2_000;
/// Devices whose readings pass a limit now and then.
const RESTLESS: usize = 200;
/// Messages without an acknowledgement while the most is measured.
const WINDOW: usize = 2_000;
/// Events a second while delays are measured.
const EVENTS_PER_S: f64 = 50.0;
/// How long it goes on at that rate before delays count: until what the most has left behind is over.
const WARM_UP: Duration = Duration::from_secs(2);
/// How often the publisher sends.
const TICK: Duration = Duration::from_millis(2);
/// How long the last event may take.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn run(scale: Scale, samples: &mut Samples) -> anyhow::Result<()> {
    let (most_for, delays_for) = if scale == Scale::Quick { (2, 4) } else { (10, 40) };
    let folder = disk_folder()?;
    let sink = Sink::start()?;
    let config = folder.path().join("citybrain.toml");
    std::fs::write(&config, CONFIG.to_owned() + &sink.config())?;
    std::fs::create_dir(folder.path().join("rules"))?;
    std::fs::write(folder.path().join("rules/bench.yaml"), rules())?;
    let devices: Vec<_> = (0..DEVICES)
        .map(|index| {
            let id = device(index);
            serde_json::json!({ "id": id, "kind": "air_station", "department": "bench" })
        })
        .collect();
    std::fs::write(folder.path().join("devices.json"), serde_json::to_string(&devices)?)?;
    let (config, data) = (config.to_string_lossy(), folder.path().join("data"));
    let data = data.to_string_lossy();
    let instance = Instance::start(&["serve", "--config", &config, "--data-dir", &data])?;
    let address = instance.ready.mqtt.context("an endpoint")?;
    let mut city = City { publisher: Publisher::connect(address, "bench")?, sent: 0, last: 0 };

    let most = city.most(Duration::from_secs(most_for))?;
    samples.add("messages_per_s_most", most);
    let delays = city.paced(most / 2.0, Duration::from_secs(delays_for), &sink)?;
    for (name, values) in [("webhook", delays.webhook), ("ack", delays.ack)] {
        for (part, share) in [("p50", 0.5), ("p99", 0.99), ("p999", 0.999)] {
            samples.add(format!("publish_to_{name}_{part}_ms"), quantile(&values, share)?);
        }
    }
    Ok(())
}

fn device(index: usize) -> String {
    format!("bench-{index:04}")
}

struct City {
    publisher: Publisher,
    sent: usize,
    /// The newest time that was sent, microseconds.
    last: i64,
}

#[derive(Default)]
struct Delays {
    webhook: Vec<Duration>,
    ack: Vec<Duration>,
}

impl City {
    /// Queues the next message: of a restless device with this level, or of the others in turn.
    fn send(&mut self, restless: Option<(usize, f64)>) -> (u16, i64) {
        let (index, level) = restless.unwrap_or_else(|| {
            self.sent += 1;
            (RESTLESS + self.sent % (DEVICES - RESTLESS), 40.0)
        });
        // Each reading has a time of its own, also where two are sent in one microsecond.
        self.last = now().micros().max(self.last + 1);
        let payload = format!(
            r#"{{"ts":"{}","pm25":{level},"temperature":21.5,"humidity":55,"noise":61.2}}"#,
            Timestamp::from_micros(self.last)
        );
        let topic = format!("bench/{}/up", device(index));
        (self.publisher.publish(&topic, payload.as_bytes()), self.last)
    }

    /// Messages a second that are acknowledged, as fast as it goes.
    fn most(&mut self, time: Duration) -> anyhow::Result<f64> {
        let started = Instant::now();
        let (mut open, mut acknowledged) = (0, 0);
        while started.elapsed() < time {
            while open < WINDOW {
                self.send(None);
                open += 1;
            }
            self.publisher.flush()?;
            while open > WINDOW / 2 {
                self.publisher.acknowledged()?;
                (open, acknowledged) = (open - 1, acknowledged + 1);
            }
        }
        let rate = f64::from(acknowledged) / started.elapsed().as_secs_f64();
        for _ in 0..open {
            self.publisher.acknowledged()?;
        }
        Ok(rate)
    }

    /// Delays at a rate of messages.
    fn paced(&mut self, rate: f64, time: Duration, sink: &Sink) -> anyhow::Result<Delays> {
        let mut open: VecDeque<(u16, Instant)> = VecDeque::new();
        let mut expected: HashMap<(String, i64), Instant> = HashMap::new();
        let mut delays = Delays::default();
        let (mut messages, mut events) = (0.0, 0_usize);
        let started = Instant::now();
        let time = WARM_UP + time;
        let mut is_warm = false;
        while started.elapsed() < time {
            if !is_warm && started.elapsed() >= WARM_UP {
                is_warm = true;
                delays = Delays::default();
                expected.clear();
            }
            let tick = Instant::now();
            let due = started.elapsed().as_secs_f64();
            while messages < due * rate {
                // Each restless device passes its limit and is back at its next turn.
                let restless = ((events as f64) < due * EVENTS_PER_S).then(|| {
                    let (index, turn) = (events % RESTLESS, events / RESTLESS);
                    (index, if turn.is_multiple_of(2) { 200.0 } else { 10.0 })
                });
                let (id, at) = self.send(restless);
                open.push_back((id, tick));
                if let Some((index, _)) = restless {
                    expected.insert((device(index), at), tick);
                    events += 1;
                }
                messages += 1.0;
            }
            self.publisher.flush()?;
            self.acknowledge(&mut open, tick + TICK, &mut delays)?;
            while let Ok(received) = sink.received.try_recv() {
                delays.take(&received, &mut expected);
            }
        }
        ensure!(messages >= rate * time.as_secs_f64() * 0.9, "the publisher fell behind");
        while !open.is_empty() {
            self.acknowledge(&mut open, Instant::now() + TICK, &mut delays)?;
        }
        while !expected.is_empty() {
            let received = sink.received.recv_timeout(PATIENCE).context("events did not come")?;
            delays.take(&received, &mut expected);
        }
        Ok(delays)
    }

    /// Takes acknowledgements until then.
    fn acknowledge(
        &mut self,
        open: &mut VecDeque<(u16, Instant)>,
        until: Instant,
        delays: &mut Delays,
    ) -> anyhow::Result<()> {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            let Some(id) = self.publisher.acknowledged_within(left)? else { return Ok(()) };
            // In order but for what is acknowledged late.
            let place = open.iter().position(|(other, _)| *other == id);
            let (_, sent) = place.and_then(|place| open.remove(place)).context("what was sent")?;
            delays.ack.push(sent.elapsed());
        }
    }
}

impl Delays {
    fn take(&mut self, received: &Received, expected: &mut HashMap<(String, i64), Instant>) {
        let alert = &received.event.alert;
        let Some((device, time)) = alert.subject.device().zip(alert.reading_time) else { return };
        if let Some(sent) = expected.remove(&(device.to_string(), time.micros())) {
            self.webhook.push(received.at.duration_since(sent));
        }
    }
}

fn quantile(values: &[Duration], share: f64) -> anyhow::Result<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let place = (sorted.len() as f64 * share).ceil() as usize;
    let found = sorted.get(place.saturating_sub(1)).context("no delays")?;
    Ok(found.as_secs_f64() * 1_000.0)
}

/// Forty rules; of each metric ten, of which three select each reading, one of them with limits
/// that restless devices pass. Windows are short, because each device sends some sixty times a second:
/// they hold what those of five minutes hold of a device that sends once a second.
fn rules() -> String {
    let mut text = "group: bench\ndepartment: bench\nrules:\n".to_owned();
    for metric in ["temperature", "humidity", "pm25", "noise_laeq"] {
        for number in 0..10 {
            let rest = match number {
                0 if metric == "pm25" => {
                    "kind: threshold, select: {metric: pm25}, severity: high, \
                     raise: {above: 100}, clear: {below: 90}"
                        .to_owned()
                }
                1 => format!(
                    "kind: window, select: {{metric: {metric}, kind: air_station}}, \
                     window: {{function: mean, over: 5s}}, severity: low, raise: {{above: 10000}}"
                ),
                _ => {
                    let kind =
                        if number <= 2 { "air_station".to_owned() } else { format!("k{number}") };
                    format!(
                        "kind: threshold, select: {{metric: {metric}, kind: {kind}}}, \
                         severity: low, raise: {{above: 10000}}"
                    )
                }
            };
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  - {{id: {metric}-{number}, {rest}}}");
        }
    }
    text
}

const CONFIG: &str = r#"
[city]
name = "Bench"
time_zone = "UTC"
rules = "rules"
devices = "devices.json"
[http]
listen = "127.0.0.1:0"
[mqtt]
listen = "127.0.0.1:0"
[[source]]
id = "bench"
topic = "bench/{device}/up"
format = "json"
[source.options]
time = "ts"
[source.options.values]
pm25 = "pm25"
temperature = "temperature"
humidity = "humidity"
noise = "noise_laeq"
"#;
