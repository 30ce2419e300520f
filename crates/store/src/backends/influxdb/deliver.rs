//! Delivers lines: batch by batch, again and again until the server has them or says that it will
//! never take one of them.
//!
//! | the server says | what is done |
//! |---|---|
//! | 2xx | on to the next batch, which may be larger |
//! | 413 | half of it, and batches stay that small |
//! | 400, 422 | halved until single lines are left; those are given back as rejected |
//! | 401, 403, 404, a redirect | everything is kept; tried again slowly; somebody must mend it |
//! | 429, 5xx, silence | tried again after what `Retry-After` says, or backing off with jitter |
//!
//! A server that answers 400 to many lines in a row and takes none of them is taken for one that
//! is set up wrongly, not for one that knows better: nothing is given up then.

use std::ops::Range;
use std::sync::atomic::Ordering;

use city_model::Timestamp;
use rustc_hash::FxHashMap;

use super::batch::{Batches, Lines};
use super::client::{Client, Kind, Refusal};
use super::flux;
use super::line::Name;
use super::retry::{Pace, Stopped};
use super::shared::Shared;
use crate::TimeRange;

/// Lines in a row that may be refused with 400 before nobody believes it any more.
const BELIEVED: usize = 64;

/// Names of fields by time in microseconds.
pub(super) type Fields = FxHashMap<i64, Vec<String>>;

/// Who delivers, and what the deliveries under way share.
pub(super) struct Deliverer<'a> {
    pub(super) client: &'a Client,
    pub(super) shared: &'a Shared,
    pub(super) pace: &'a Pace,
    pub(super) batches: &'a Batches,
}

/// A line that the server will never take, and its words.
#[derive(Debug)]
pub(super) struct Rejected {
    pub(super) line: usize,
    pub(super) words: String,
}

impl Deliverer<'_> {
    /// Delivers all lines in order. Returns those that were rejected.
    pub(super) async fn deliver(&self, lines: &Lines) -> Result<Vec<Rejected>, Stopped> {
        let mut rejected = Vec::new();
        let mut from = 0;
        while from < lines.len() {
            let batch = lines.next_batch(from, self.batches.size());
            from = batch.end;
            self.deliver_batch(lines, batch, &mut rejected).await?;
        }
        Ok(rejected)
    }

    async fn deliver_batch(
        &self,
        lines: &Lines,
        batch: Range<usize>,
        rejected: &mut Vec<Rejected>,
    ) -> Result<(), Stopped> {
        let before = rejected.len();
        let mut doubted = 0;
        // What is still to be sent, the next at the end: so the order of the lines is kept.
        let mut parts = vec![batch.clone()];
        while let Some(part) = parts.pop() {
            let bytes = lines.bytes(&part);
            self.pace.wait(&self.shared.stop).await?;
            let answer = tokio::select! {
                () = self.shared.stop.cancelled() => return Err(Stopped),
                answer = self.client.write(bytes) => answer,
            };
            let Err(refusal) = answer else {
                doubted = 0;
                self.worked();
                self.batches.taken(part.len());
                continue;
            };
            match refusal.kind {
                Kind::TooLarge | Kind::Rejected
                    if part.len() == 1 || drops_all(&refusal, &part) =>
                {
                    self.worked();
                    doubted += usize::from(refusal.status == Some(400));
                    if doubted >= BELIEVED {
                        let words = format!("it refuses {doubted} readings in a row: {refusal}");
                        self.failed(&Refusal { kind: Kind::Denied, words, ..refusal });
                        rejected.truncate(before);
                        doubted = 0;
                        parts = vec![batch.clone()];
                        continue;
                    }
                    let words = refusal.to_string();
                    rejected.extend(part.map(|line| Rejected { line, words: words.clone() }));
                }
                Kind::TooLarge | Kind::Rejected => {
                    if refusal.kind == Kind::TooLarge {
                        self.batches.too_large(part.len(), bytes.len());
                    }
                    let middle = part.start + part.len() / 2;
                    parts.extend([middle..part.end, part.start..middle]);
                }
                Kind::Denied | Kind::Later => {
                    self.failed(&refusal);
                    parts.push(part);
                }
            }
        }
        Ok(())
    }

    /// Deletes what is at a point; nothing may be there. Says whether it is gone: servers that take
    /// writes only, as compatible ones do, delete nothing.
    pub(super) async fn delete(
        &self,
        measurement: &str,
        device: &str,
        time: Timestamp,
    ) -> Result<bool, Stopped> {
        let bucket = self.client.bucket();
        loop {
            self.pace.wait(&self.shared.stop).await?;
            let answer = tokio::select! {
                () = self.shared.stop.cancelled() => return Err(Stopped),
                answer = self.client.delete(bucket, Some(measurement), device, (time, time)) => answer,
            };
            match answer {
                Ok(()) => {
                    self.worked();
                    return Ok(true);
                }
                Err(refusal) if matches!(refusal.kind, Kind::Rejected | Kind::TooLarge) => {
                    return Ok(false);
                }
                Err(refusal) => self.failed(&refusal),
            }
        }
    }

    /// Which fields hold the values of a series in a range, by time in microseconds. `None` if the
    /// server cannot answer that.
    pub(super) async fn fields(
        &self,
        bucket: &str,
        name: &Name,
        range: TimeRange,
    ) -> Result<Option<Fields>, Stopped> {
        let Some(source) = flux::source(bucket, range) else { return Ok(Some(Fields::default())) };
        let flux = flux::fields(&source, name);
        loop {
            self.pace.wait(&self.shared.stop).await?;
            let answer = tokio::select! {
                () = self.shared.stop.cancelled() => return Err(Stopped),
                answer = read_fields(self.client, &flux) => answer,
            };
            match answer {
                Ok(fields) => {
                    self.worked();
                    return Ok(Some(fields));
                }
                // It takes writes only, as servers do that are compatible.
                Err(Refusal { kind: Kind::Rejected, .. } | Refusal { status: Some(404), .. }) => {
                    return Ok(None);
                }
                Err(refusal) => self.failed(&refusal),
            }
        }
    }

    fn worked(&self) {
        self.pace.succeeded();
        if self.shared.trouble(None) {
            tracing::info!(server = self.client.server(), "InfluxDB takes readings again");
        }
    }

    fn failed(&self, refusal: &Refusal) {
        self.shared.retries.fetch_add(1, Ordering::Relaxed);
        let hint = if refusal.kind == Kind::Denied {
            self.pace.denied();
            "; look at url, org, bucket and token in [store.influxdb], and run `citybrain influx \
             setup` if the server is new"
        } else {
            self.batches.struggles();
            self.pace.failed(refusal.after);
            ""
        };
        if self.shared.trouble(Some(format!("{refusal}{hint}"))) {
            tracing::warn!(
                server = self.client.server(),
                answer = %refusal,
                "InfluxDB takes no readings; they wait in the spool and nothing is lost{hint}"
            );
        }
    }
}

async fn read_fields(client: &Client, flux: &str) -> Result<Fields, Refusal> {
    let mut rows = client.query(flux).await?;
    let mut fields = Fields::default();
    while let Some(row) = rows.next().await? {
        let cell = |column| row.place(column).and_then(|place| row.cell(place)).unwrap_or_default();
        let time = cell("_time").parse().map_or(i64::MIN, Timestamp::micros);
        fields.entry(time).or_default().push(cell("_field").to_owned());
    }
    Ok(fields)
}

/// Whether a partial write says that it dropped every point, such as those that are older than the
/// bucket keeps them: then there is nothing to search for.
fn drops_all(refusal: &Refusal, part: &Range<usize>) -> bool {
    let dropped = refusal.words.rsplit_once("dropped=").map(|(_, rest)| {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest[..digits].parse::<usize>()
    });
    refusal.status == Some(422) && dropped == Some(Ok(part.len()))
}
