//! Publishes the rows of a data set at the pace of their times.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, json};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::dataset::{Dataset, PublishFormat};
use super::rows::{Merged, Overview, Row, Scan};
use crate::clock::from_millis;
use crate::formats::Pack;
use crate::kinds::Value;
use crate::mqtt::{Counters, Links, Message};
use crate::noise::key;
use crate::{SimError, Snapshot, Target, Uplink};

/// Rows read ahead of those that are sent.
const READ_AHEAD: usize = 4_096;

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// How long to wait for the last acknowledgements.
const PATIENCE: Duration = Duration::from_secs(30);

/// How fast the recorded time passes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// This many times as fast as it was; anything but a positive number counts as 1.
    Factor(f64),
    /// As fast as the other side acknowledges.
    Max,
}

/// What happens to the recorded times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shift {
    /// They stay as they are.
    #[default]
    None,
    /// All move so that the last is the present.
    EndNow,
    /// All move so that the first is the present.
    StartNow,
}

impl Shift {
    /// By how many milliseconds times move.
    fn millis(self, overview: &Overview, now: Timestamp) -> i64 {
        let now = now.as_millisecond();
        match self {
            Self::None => 0,
            Self::EndNow => now - overview.last.as_millisecond(),
            Self::StartNow => now - overview.first.as_millisecond(),
        }
    }
}

/// How far a replay is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Rows that were handed to the connections.
    pub rows: u64,
    /// Rows in all.
    pub total: u64,
    /// The recorded time of the last of them, not shifted.
    pub data_time: Timestamp,
    /// What came of the messages.
    pub messages: Snapshot,
}

/// What a replay came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayReport {
    /// What the data set holds.
    pub overview: Overview,
    /// Rows that were sent; fewer than there are if it was told to stop.
    pub rows: u64,
    /// Messages that were acknowledged, one for each row.
    pub acknowledged: u64,
    /// Readings in them.
    pub readings: u64,
    /// Messages that nobody acknowledged in time.
    pub unsent: u64,
    /// Whether it was told to stop.
    pub cancelled: bool,
    /// By how many milliseconds times were shifted.
    pub shifted_ms: i64,
}

type Tell = Box<dyn FnMut(&Progress) + Send>;

/// A data set on its way.
pub struct Replay {
    dataset: Arc<Dataset>,
    target: Target,
    speed: Speed,
    shift: Shift,
    now: Timestamp,
    tell: Tell,
    counters: Arc<Counters>,
}

impl std::fmt::Debug for Replay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replay")
            .field("dataset", &self.dataset.name.en)
            .field("speed", &self.speed)
            .field("shift", &self.shift)
            .finish_non_exhaustive()
    }
}

impl Replay {
    /// At the speed at which it was recorded, with its own times.
    ///
    /// All rows of a device go over one connection, so that their order is kept.
    pub fn new(dataset: Dataset, target: Target) -> Self {
        Self {
            dataset: Arc::new(dataset),
            target,
            speed: Speed::Factor(1.0),
            shift: Shift::None,
            now: Timestamp::now(),
            tell: Box::new(|_| {}),
            counters: Arc::default(),
        }
    }

    /// At another speed.
    #[must_use]
    pub fn speed(mut self, speed: Speed) -> Self {
        self.speed = speed;
        self
    }

    /// With shifted times; `now` is what counts as the present.
    #[must_use]
    pub fn shift(mut self, shift: Shift, now: Timestamp) -> Self {
        (self.shift, self.now) = (shift, now);
        self
    }

    /// Calls `tell` about ten times a second and at the end.
    #[must_use]
    pub fn on_progress(mut self, tell: impl FnMut(&Progress) + Send + 'static) -> Self {
        self.tell = Box::new(tell);
        self
    }

    /// The counters, which can be read while it runs.
    pub fn counters(&self) -> Arc<Counters> {
        self.counters.clone()
    }

    /// Reads everything once, then sends it, and waits for the acknowledgements.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or a row that cannot be used; nothing was sent then.
    pub async fn run(mut self, shutdown: CancellationToken) -> Result<ReplayReport, SimError> {
        let scan = {
            let dataset = self.dataset.clone();
            blocking(move || dataset.scan()).await?
        };
        let overview = scan.overview;
        let shifted_ms = self.shift.millis(&overview, self.now);
        let links = Links::start(&self.target, &self.counters);
        let mut rows = 0;
        let sent = tokio::select! {
            sent = self.send(scan, shifted_ms, &links, &mut rows) => Some(sent),
            () = shutdown.cancelled() => None,
        };
        let cancelled = sent.is_none();
        // Someone who stops it does not want to wait.
        let patience = if cancelled { Duration::from_secs(2) } else { PATIENCE };
        let unsent = links.finish(patience).await;
        let data_time = overview.last;
        let messages = self.counters.snapshot();
        if !cancelled {
            (self.tell)(&Progress { rows, total: overview.rows, data_time, messages });
        }
        sent.transpose()?;
        Ok(ReplayReport {
            overview,
            rows,
            acknowledged: messages.acknowledged,
            readings: messages.readings,
            unsent,
            cancelled,
            shifted_ms,
        })
    }

    async fn send(
        &mut self,
        scan: Scan,
        shifted_ms: i64,
        links: &Links,
        done: &mut u64,
    ) -> Result<(), SimError> {
        let overview = scan.overview;
        let (sender, mut rows) = mpsc::channel(READ_AHEAD);
        let dataset = self.dataset.clone();
        // Ends by itself when the receiver is gone.
        let reader = tokio::task::spawn_blocking(move || match Merged::open(&dataset, &scan) {
            Ok(merged) => {
                for row in merged {
                    if sender.blocking_send(row).is_err() {
                        return;
                    }
                }
            }
            Err(error) => drop(sender.blocking_send(Err(error))),
        });
        let begun = Instant::now();
        let mut told = begun;
        while let Some(row) = rows.recv().await {
            let row = row?;
            if let Some(due) = self.due(&overview, row.time) {
                tokio::time::sleep_until(begun + due).await;
            }
            let time = from_millis(row.time.as_millisecond() + shifted_ms);
            let message = Message::from(self.dataset.uplink(&row, time));
            links.of(key(&row.device)).push_when_free(message).await;
            *done += 1;
            if told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                let messages = self.counters.snapshot();
                let (total, data_time) = (overview.rows, row.time);
                (self.tell)(&Progress { rows: *done, total, data_time, messages });
            }
        }
        // The channel is closed, so the reader is at its end.
        drop(reader.await);
        Ok(())
    }

    /// How long after the beginning a row is due.
    fn due(&self, overview: &Overview, time: Timestamp) -> Option<Duration> {
        let Speed::Factor(factor) = self.speed else { return None };
        let factor = if factor.is_finite() && factor > 0.0 { factor } else { 1.0 };
        let millis = time.as_millisecond() - overview.first.as_millisecond();
        Some(Duration::from_secs_f64(millis.max(0) as f64 / 1e3 / factor))
    }
}

impl Dataset {
    /// All messages of a replay with their own times, in order, without sending them.
    pub fn uplinks(&self) -> Result<impl Iterator<Item = Result<Uplink, SimError>> + '_, SimError> {
        let rows = Merged::open(self, &self.scan()?)?;
        Ok(rows.map(|row| row.map(|row| self.uplink(&row, row.time))))
    }

    /// The message of a row, with `time` instead of its own.
    fn uplink(&self, row: &Row, time: Timestamp) -> Uplink {
        let columns = &self.sources[row.source].values;
        let named = |number: usize| columns.iter().nth(number);
        let payload = match self.publish.format {
            PublishFormat::Senml => {
                let mut pack = Pack::new(&row.device, time);
                for (number, value) in &row.values {
                    if let Some((_, column)) = named(*number) {
                        let unit = column.unit.as_deref().unwrap_or("1");
                        pack.value(time, &column.metric, unit, plain(*value));
                    }
                }
                pack.finish()
            }
            PublishFormat::Json => {
                let mut object = Map::new();
                object.insert("ts".to_owned(), json!(time.to_string()));
                for (number, value) in &row.values {
                    if let Some((name, _)) = named(*number) {
                        object.insert(name.clone(), crate::formats::json_value(plain(*value)));
                    }
                }
                serde_json::Value::Object(object).to_string().into_bytes()
            }
        };
        let topic = self.publish.topic.replace("{device}", &row.device);
        Uplink { topic, payload, readings: row.values.len() as u32 }
    }
}

/// A number as a person would write it: whole ones without a fraction.
fn plain(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        Value::Integer(value as i64)
    } else {
        Value::Number(value)
    }
}

/// Runs something that reads files where it does not hold up others.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SimError> + Send + 'static,
) -> Result<T, SimError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        // Nobody cancels it, so this is a panic of the work itself.
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => std::future::pending().await,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replay(format: &str) -> Replay {
        let text = super::super::dataset::tests::TEXT.replace("\"senml\"", format);
        let dataset = Dataset::parse("d/dataset.toml".into(), &text).expect("valid");
        Replay::new(dataset, Target::new("127.0.0.1", 1))
    }

    fn row() -> Row {
        let time = "2014-03-01T00:00:00Z".parse().expect("a time");
        Row { time, device: "x-A".to_owned(), values: vec![(0, 300.0), (1, 7.5)], source: 0 }
    }

    #[test]
    fn rows_become_messages_with_their_times_and_units() {
        let message = replay("\"senml\"").dataset.uplink(&row(), row().time);
        assert_eq!(message.topic, "senml/x-A");
        let json: serde_json::Value = serde_json::from_slice(&message.payload).expect("JSON");
        let expected = json!([
            {"bn": "x-A:", "bt": 1_393_632_000, "n": "co", "u": "ug/m3", "v": 300},
            {"n": "traffic_count", "v": 7.5}
        ]);
        assert_eq!((json, message.readings), (expected, 2));
        let message = replay("\"json\"").dataset.uplink(&row(), row().time);
        let json: serde_json::Value = serde_json::from_slice(&message.payload).expect("JSON");
        assert_eq!(json, json!({"ts": "2014-03-01T00:00:00Z", "co": 300, "n": 7.5}));
    }

    #[test]
    fn times_shift_as_a_whole_and_the_pace_is_kept() {
        let at = |s: i64| from_millis(s * 1_000);
        let overview = Overview { rows: 2, values: 2, empty: 0, first: at(100), last: at(700) };
        let now = at(10_000);
        assert_eq!(Shift::None.millis(&overview, now), 0);
        assert_eq!(Shift::EndNow.millis(&overview, now), 9_300_000);
        assert_eq!(Shift::StartNow.millis(&overview, now), 9_900_000);
        let due = |speed, time| replay("\"json\"").speed(speed).due(&overview, at(time));
        assert_eq!(due(Speed::Factor(60.0), 700), Some(Duration::from_secs(10)));
        assert_eq!(due(Speed::Factor(0.0), 700), Some(Duration::from_mins(10)));
        assert_eq!(due(Speed::Max, 700), None);
    }
}
