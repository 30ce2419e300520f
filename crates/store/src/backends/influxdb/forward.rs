//! The forwarder: follows the log of the spool and brings it to InfluxDB, in order.
//!
//! Its position is a hold on the log, so that nothing is cut that the server does not have; it moves
//! when the server has confirmed a round. After a crash a round is sent again, which changes nothing:
//! InfluxDB keeps one point for each (measurement, tags, time).
//!
//! A round is a few commits. Its lines are divided over a few requests at a time by series, so that
//! those of one series stay in order. Redeliveries that were forwarded a moment ago are left out. A
//! correction is written over what is there, with the value that stands in the spool; if it has
//! another field, the old point is deleted first, because InfluxDB would merge the fields of both.
//! What came again, but was not forwarded lately, is looked up at the server: a logger that sends its
//! whole day once more costs one question for each of its series.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use city_model::{Position, Quality, Reading, SeriesKey, Span, Timestamp, Value};
use futures_util::future::join_all;
use rustc_hash::{FxHashMap, FxHashSet};

use super::batch::{Batches, Lines, Origin};
use super::client::Client;
use super::deliver::{Deliverer, Rejected};
use super::line::{self, Content, Field, Name};
use super::options::Naming;
use super::recent::{Key, Known, Recent};
use super::retry::{Pace, Stopped};
use super::shared::{Done, Shared};
use crate::backends::embedded::{Embedded, Followed};
use crate::{Commit, NewDeadLetter, Store as _, StoreError, TimeRange};

/// The name of the hold on the log.
pub(super) const HOLD: &str = "influxdb";
/// The reason of dead letters that the server's refusals make.
pub(super) const REJECTED: &str = "influxdb_rejected";
/// Requests under way at a time.
const IN_FLIGHT: usize = 4;
/// The wait after the spool itself failed.
const SPOOL_PAUSE: Duration = Duration::from_secs(1);
/// Starts of lines that are remembered.
const MOST_PREFIXES: usize = 200_000;

/// The forwarder; runs on a thread of its own.
pub(super) struct Forwarder {
    pub(super) local: Arc<Embedded>,
    pub(super) client: Client,
    pub(super) bucket: String,
    pub(super) naming: Arc<dyn Naming>,
    pub(super) shared: Arc<Shared>,
    pub(super) batches: Arc<Batches>,
    pub(super) pace: Pace,
    pub(super) gather: Duration,
    pub(super) recent: Recent,
    /// The deletions that `recent` knows of.
    pub(super) deletions: u64,
    pub(super) prefixes: FxHashMap<SeriesKey, Box<[u8]>>,
}

/// What goes out before the position moves.
#[derive(Default)]
struct Round {
    through: u64,
    bytes: u64,
    shards: [Lines; IN_FLIGHT],
    corrections: Vec<Correction>,
    correcting: FxHashMap<Key, usize>,
    letters: Vec<NewDeadLetter>,
    readings: u64,
    corrected: u64,
    oldest: Option<Timestamp>,
}

/// A point that is deleted before it is written, if it is there with another field.
struct Correction {
    /// Whether it is known to be.
    is_sure: bool,
    series: SeriesKey,
    time: Timestamp,
    standing: Standing,
    origin: Origin,
}

/// What a point should say.
struct Standing {
    value: Value,
    quality: Quality,
    position: Option<Position>,
}

impl Standing {
    fn content(&self) -> Content<'_> {
        Content { value: &self.value, quality: self.quality, position: self.position }
    }
}

impl Forwarder {
    /// Forwards until the store is closed.
    pub(super) async fn run(mut self) {
        let stop = self.shared.stop.clone();
        while !stop.is_cancelled() {
            if self.shared.position() > self.local.head_seq() {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = self.shared.wake.notified() => {}
                }
                // A moment later there is more to send at once.
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(self.gather) => {}
                }
                continue;
            }
            let sent = match self.compose() {
                Ok(round) => self.send(round).await,
                Err(error) => self.spool_failed(&error).await,
            };
            if sent.is_err() {
                return;
            }
        }
    }

    async fn spool_failed(&self, error: &StoreError) -> Result<(), Stopped> {
        if self.shared.trouble(Some(format!("the spool cannot be read: {error}"))) {
            tracing::error!(error.cause = %error, "the spool cannot be read; forwarding waits");
        }
        tokio::select! {
            () = self.shared.stop.cancelled() => Err(Stopped),
            () = tokio::time::sleep(SPOOL_PAUSE) => Ok(()),
        }
    }

    /// The next commits that the server does not have, as lines.
    fn compose(&mut self) -> Result<Round, StoreError> {
        let deletions = self.shared.deletions.load(Ordering::Acquire);
        if deletions != self.deletions {
            (self.recent, self.deletions) = (Recent::default(), deletions);
        }
        let most = self.batches.size().lines * IN_FLIGHT;
        let mut round = Round::default();
        let (local, position) = (self.local.clone(), self.shared.position());
        // Commits before this one are cut; that cannot be, but must not stop everything.
        round.through = position;
        local.follow(position, |seq, bytes, readings| {
            round.through = seq;
            round.bytes += bytes;
            for followed in readings {
                self.add(&mut round, followed);
            }
            if round.readings as usize >= most {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        self.shared.sends(round.oldest);
        Ok(round)
    }

    fn add(&mut self, round: &mut Round, followed: Followed) {
        let Followed { reading, source, duplicate } = followed;
        round.readings += 1;
        round.oldest = Some(round.oldest.map_or(reading.received, |o| o.min(reading.received)));
        let key = Recent::key(&reading);
        let origin = Origin::of(&reading, source);
        let (series, time) = (reading.series, reading.time);
        let standing = if duplicate { self.standing(reading) } else { as_read(reading) };
        let content = standing.content();
        if let Some(why) = line::why_not(time, &content) {
            let line = self.line(series, time, &content);
            round.letters.push(self.letter(series, line, &origin, why));
            return;
        }
        let known = Known::of(&content);
        let before = self.recent.get(&key);
        self.recent.put(key, known);
        if let Some(place) = round.correcting.get(&key) {
            round.corrections[*place].standing = standing;
            return;
        }
        let fits = match before {
            None => !duplicate,
            Some(before) if before == known => return,
            // A position that is there stays there, as in the spool.
            Some(before) => before.field == known.field,
        };
        if fits {
            let shard = shard_of(series);
            let prefix = self.prefix(series);
            round.shards[shard].push(prefix, time, &content, origin);
        } else {
            round.correcting.insert(key, round.corrections.len());
            let is_sure = before.is_some();
            round.corrections.push(Correction { is_sure, series, time, standing, origin });
        }
    }

    /// What the spool says of a point now. If it has let go of it, what the reading says.
    fn standing(&self, reading: Reading) -> Standing {
        let at = TimeRange { from: reading.time, to: reading.time + Span::from_micros(1) };
        let point =
            self.local.raw(reading.series, at, 1).ok().and_then(|points| points.into_iter().next());
        let Some(point) = point else { return as_read(reading) };
        let track = self.local.track(reading.series.device, at, 1).unwrap_or_default();
        let position = track.first().map(|(_, position)| *position).or(reading.position);
        Standing { value: point.value, quality: point.quality, position }
    }

    fn prefix(&mut self, series: SeriesKey) -> &[u8] {
        if self.prefixes.len() >= MOST_PREFIXES {
            self.prefixes.clear();
        }
        let naming = &self.naming;
        self.prefixes
            .entry(series)
            .or_insert_with(|| Name::of(series, &**naming).prefix().into_boxed_slice())
    }

    fn line(&self, series: SeriesKey, time: Timestamp, content: &Content<'_>) -> Vec<u8> {
        let mut out = Vec::new();
        let prefix = Name::of(series, &*self.naming).prefix();
        line::write(&prefix, time, content, &mut out);
        out
    }

    /// Sends a round and moves on.
    async fn send(&mut self, mut round: Round) -> Result<(), Stopped> {
        let deliverer = Deliverer {
            client: &self.client,
            shared: &self.shared,
            pace: &self.pace,
            batches: &self.batches,
        };
        let answers = join_all(round.shards.iter().map(|lines| deliverer.deliver(lines))).await;
        for (lines, answer) in round.shards.iter().zip(answers) {
            round.letters.extend(self.letters(lines, answer?));
        }
        let harmless = self.harmless(&deliverer, &round.corrections).await?;
        let mut corrected = Lines::default();
        for (place, correction) in round.corrections.iter().enumerate() {
            let Correction { series, time, standing, origin, .. } = correction;
            let name = Name::of(*series, &*self.naming);
            let content = standing.content();
            if !harmless.contains(&place) {
                let gone = deliverer.delete(&name.measurement, &name.device, *time).await?;
                round.corrected += u64::from(gone);
            }
            corrected.push(&name.prefix(), *time, &content, origin.clone());
        }
        let answer = deliverer.deliver(&corrected).await?;
        round.letters.extend(self.letters(&corrected, answer));
        let rejected = round.letters.len() as u64;
        self.keep_letters(std::mem::take(&mut round.letters)).await?;
        self.move_on(&round, rejected);
        Ok(())
    }

    /// The places of corrections that can be written over what is there: they have its field, or
    /// nothing is there.
    async fn harmless(
        &self,
        deliverer: &Deliverer<'_>,
        corrections: &[Correction],
    ) -> Result<FxHashSet<usize>, Stopped> {
        let mut unsure: BTreeMap<SeriesKey, Vec<usize>> = BTreeMap::new();
        for (place, correction) in corrections.iter().enumerate() {
            if !correction.is_sure {
                unsure.entry(correction.series).or_default().push(place);
            }
        }
        let mut harmless = FxHashSet::default();
        for (series, places) in unsure {
            let times = places.iter().map(|place| corrections[*place].time);
            let (Some(from), Some(last)) = (times.clone().min(), times.max()) else { continue };
            let range = TimeRange { from, to: last + Span::from_micros(1) };
            let name = Name::of(series, &*self.naming);
            let Some(found) = deliverer.fields(&self.bucket, &name, range).await? else {
                harmless.extend(places);
                continue;
            };
            harmless.extend(places.into_iter().filter(|place| {
                let Correction { time, standing, .. } = &corrections[*place];
                let field = Field::of(&standing.value, standing.quality).name();
                let there = found.get(&time.micros());
                there.is_none_or(|fields| fields.iter().all(|there| there == field))
            }));
        }
        Ok(harmless)
    }

    fn letters(&self, lines: &Lines, rejected: Vec<Rejected>) -> Vec<NewDeadLetter> {
        let letter = |Rejected { line, words }| {
            let bytes = lines.bytes(&(line..line + 1)).to_vec();
            let origin = lines.origin(line);
            self.letter(origin.series, bytes, origin, words)
        };
        rejected.into_iter().map(letter).collect()
    }

    /// The dead letter of a point. The reading itself is counted as stored, which it is, so that the
    /// letter stands for no further item of the ledger.
    fn letter(
        &self,
        series: SeriesKey,
        line: Vec<u8>,
        origin: &Origin,
        words: String,
    ) -> NewDeadLetter {
        let name = Name::of(series, &*self.naming);
        NewDeadLetter {
            source: Some(origin.source),
            source_id: HOLD.to_owned(),
            topic: format!("influxdb/{}/{}", name.measurement, name.device),
            payload: line.into(),
            client: None,
            received: origin.received,
            device: self.naming.device(series.device).map(|id| id.to_string()),
            device_key: Some(series.device),
            reason: REJECTED.to_owned(),
            detail: words,
            hint:
                "the payload is the point in line protocol with microseconds; mend what InfluxDB \
                   says and write it with `influx write --precision us`"
                    .to_owned(),
            items: 0,
            again: true,
        }
    }

    /// Commits dead letters to the spool; tries until it works.
    async fn keep_letters(&self, letters: Vec<NewDeadLetter>) -> Result<(), Stopped> {
        if letters.is_empty() {
            return Ok(());
        }
        let count = letters.len();
        let commit = Commit { dead_letters: letters, ..Commit::default() };
        while let Err(error) = self.local.commit(&commit) {
            self.spool_failed(&error).await?;
        }
        let example = &commit.dead_letters[0];
        tracing::warn!(
            readings = count,
            answer = example.detail,
            point = example.topic,
            "InfluxDB will not take some readings; each is kept as a dead letter `{REJECTED}`"
        );
        Ok(())
    }

    fn move_on(&mut self, round: &Round, rejected: u64) {
        let position = round.through + 1;
        if let Err(error) = self.local.hold(HOLD, position) {
            tracing::error!(error.cause = %error, "the position cannot be written; a restart sends more again");
        }
        let done = Done {
            forwarded: round.readings.saturating_sub(rejected),
            corrected: round.corrected,
            rejected,
        };
        let is_all = position > self.local.head_seq();
        self.shared.forwarded(position, round.bytes, done, is_all);
    }
}

fn as_read(reading: Reading) -> Standing {
    Standing { value: reading.value, quality: reading.quality, position: reading.position }
}

/// All lines of a series go the same way, one after the other.
fn shard_of(series: SeriesKey) -> usize {
    let key = u64::from(series.device.0) << 16 | u64::from(series.metric.0);
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 62) as usize % IN_FLIGHT
}
