//! What the city sends meanwhile, and how fast the brain can be asked.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use super::city::{LAMPS, VEHICLES, place};
use super::{Connection, PATIENCE};
use crate::fleet::now;
use crate::publisher::Publisher;

/// Messages without an acknowledgement while the most is measured.
const WINDOW: usize = 2_000;
/// How often publishers send.
const TICK: Duration = Duration::from_millis(2);
/// Connections that ask at once for a rate.
const ASKERS: usize = 4;

/// The share of delays that are no longer, in milliseconds.
pub(super) fn quantile(delays: &[Duration], share: f64) -> anyhow::Result<f64> {
    let mut sorted = delays.to_vec();
    sorted.sort_unstable();
    let place = (sorted.len() as f64 * share).ceil() as usize;
    let found = sorted.get(place.saturating_sub(1)).context("no delays")?;
    Ok(found.as_secs_f64() * 1_000.0)
}

/// Answers a second to several connections.
pub(super) fn rate(
    address: SocketAddr,
    path: &str,
    headers: &str,
    time: Duration,
) -> anyhow::Result<f64> {
    let started = Instant::now();
    let ask = || -> anyhow::Result<u32> {
        let mut connection = Connection::open(address, PATIENCE)?;
        let mut answers = 0;
        while started.elapsed() < time {
            ensure!(connection.get(path, headers)?.status == 200, "{path} was refused");
            answers += 1;
        }
        Ok(answers)
    };
    let answers: anyhow::Result<Vec<u32>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..ASKERS).map(|_| scope.spawn(ask)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_| anyhow::anyhow!("an asker panicked"))?)
            .collect()
    });
    let answers: u32 = answers?.into_iter().sum();
    Ok(f64::from(answers) / started.elapsed().as_secs_f64())
}

/// Vehicles that each tell their speed and place once a second.
pub(super) struct Vehicles {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<anyhow::Result<()>>,
}

impl Vehicles {
    pub(super) fn start(address: SocketAddr) -> anyhow::Result<Self> {
        let mut publisher = Publisher::connect(address, "vehicles")?;
        let stop = Arc::new(AtomicBool::new(false));
        let told = stop.clone();
        let drive = move || -> anyhow::Result<()> {
            let (started, mut sent, mut open) = (Instant::now(), 0_usize, 0_usize);
            while !told.load(Ordering::Relaxed) {
                let due = (started.elapsed().as_secs_f64() * VEHICLES as f64) as usize;
                while sent < due {
                    let (number, turn) = (sent % VEHICLES, sent / VEHICLES);
                    let (lon, lat) = place(number, turn);
                    let payload = format!(
                        r#"{{"ts":"{}","speed":{},"lon":{lon:.6},"lat":{lat:.6}}}"#,
                        now(),
                        turn % 60
                    );
                    publisher.publish(&format!("bench/bus-{number:04}/up"), payload.as_bytes());
                    (sent, open) = (sent + 1, open + 1);
                }
                publisher.flush()?;
                while open > 0 && publisher.acknowledged_within(TICK)?.is_some() {
                    open -= 1;
                }
                std::thread::sleep(TICK);
            }
            Ok(())
        };
        Ok(Self { stop, thread: std::thread::spawn(drive) })
    }

    pub(super) fn stop(self) -> anyhow::Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow::anyhow!("the vehicles panicked"))?
    }
}

/// Lamps that send as fast as they are told to.
pub(super) struct Bulk {
    publisher: Publisher,
    sent: usize,
    last: i64,
}

/// How messages were taken.
pub(super) struct Taken {
    /// Messages acknowledged a second.
    pub(super) per_s: f64,
    /// From a message to its acknowledgement.
    pub(super) delays: Vec<Duration>,
}

impl Bulk {
    pub(super) fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        Ok(Self { publisher: Publisher::connect(address, "bulk")?, sent: 0, last: 0 })
    }

    fn send(&mut self) -> u16 {
        self.sent += 1;
        self.last = now().micros().max(self.last + 1);
        let at = city_model::Timestamp::from_micros(self.last);
        let payload = format!(r#"{{"ts":"{at}","temperature":21.5}}"#);
        let topic = format!("bench/lamp-{:05}/up", self.sent % LAMPS);
        self.publisher.publish(&topic, payload.as_bytes())
    }

    /// Messages a second that are acknowledged, as fast as it goes.
    pub(super) fn most(&mut self, time: Duration) -> anyhow::Result<f64> {
        let started = Instant::now();
        let (mut open, mut acknowledged) = (0, 0_u32);
        while started.elapsed() < time {
            while open < WINDOW {
                self.send();
                open += 1;
            }
            self.publisher.flush()?;
            while open > WINDOW / 2 {
                self.acknowledged()?;
                (open, acknowledged) = (open - 1, acknowledged + 1);
            }
        }
        let rate = f64::from(acknowledged) / started.elapsed().as_secs_f64();
        for _ in 0..open {
            self.acknowledged()?;
        }
        Ok(rate)
    }

    fn acknowledged(&mut self) -> anyhow::Result<u16> {
        self.publisher.acknowledged_within(PATIENCE)?.context("no acknowledgement came")
    }

    /// Messages at a rate.
    pub(super) fn paced(&mut self, rate: f64, time: Duration) -> anyhow::Result<Taken> {
        let mut open: VecDeque<(u16, Instant)> = VecDeque::new();
        let (mut delays, mut sent) = (Vec::new(), 0.0);
        let started = Instant::now();
        while started.elapsed() < time {
            let tick = Instant::now();
            while sent < started.elapsed().as_secs_f64() * rate {
                open.push_back((self.send(), tick));
                sent += 1.0;
            }
            self.publisher.flush()?;
            self.acknowledge(&mut open, tick + TICK, &mut delays)?;
        }
        let per_s = delays.len() as f64 / started.elapsed().as_secs_f64();
        while !open.is_empty() {
            self.acknowledge(&mut open, Instant::now() + TICK, &mut delays)?;
        }
        Ok(Taken { per_s, delays })
    }

    /// Takes acknowledgements until then.
    fn acknowledge(
        &mut self,
        open: &mut VecDeque<(u16, Instant)>,
        until: Instant,
        delays: &mut Vec<Duration>,
    ) -> anyhow::Result<()> {
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            let Some(id) = self.publisher.acknowledged_within(left)? else { return Ok(()) };
            let place = open.iter().position(|(other, _)| *other == id);
            let (_, sent) = place.and_then(|place| open.remove(place)).context("what was sent")?;
            delays.push(sent.elapsed());
        }
    }
}
