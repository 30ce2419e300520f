//! Images of logs: whole states, in pieces, each under a subject of its own until a newer one is
//! there.

use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;
use tokio::time::Instant;

use crate::bus::Bus;
use crate::error::{BusError, Cause};
use crate::names::{Part, token};
use crate::publish::{Outgoing, publish};
use crate::server::{Pauses, patiently};

/// The bytes of a piece: under the servers' default limit of a message, a MiB.
const PIECE: usize = 256 << 10;

/// How many pieces are under way at a time.
const WINDOW: usize = 16;

/// In the header of the last message of an image: how many pieces and bytes it has, and their CRC-32.
/// An image without it is not whole, and not there for readers.
const WHOLE: &str = "City-Image";

/// One image's subject, and what it is.
struct Found {
    number: u64,
    subject: String,
}

impl Bus {
    /// Writes an image of a log: its whole state after the entry `number`. It returns when it is
    /// replicated; then entries up to `number` may be dropped. Older images go. If there is one of
    /// this number or a later one already, nothing is done. Every 4 MiB may take twice the timeout
    /// of the settings.
    pub fn put_image(&self, log: &str, number: u64, bytes: &[u8]) -> Result<(), BusError> {
        token("log", log)?;
        self.run(self.write_image(log, number, bytes))
    }

    /// The last whole image of a log, and the number of the last entry that is in it.
    pub fn image(&self, log: &str) -> Result<Option<(u64, Vec<u8>)>, BusError> {
        token("log", log)?;
        self.run(self.read_image(log))
    }

    /// Drops the entries of a log before the one of a number, if an image covers them. The last entry
    /// of a log always stays.
    pub fn drop_before(&self, log: &str, number: u64) -> Result<(), BusError> {
        let subject = self.names().log(token("log", log)?);
        let image = self.run(self.newest(log))?.map_or(0, |found| found.number);
        if image.saturating_add(1) < number {
            return Err(BusError::NoImage { log: log.to_owned(), before: number, image });
        }
        let before = number.min(self.log_end(log)?);
        if before == 0 {
            return Ok(());
        }
        let stream = self.names().stream(Part::State);
        let doing = || format!("dropping the entries of {subject} before {before}");
        self.run(patiently(doing, self.timeout(), async || {
            self.server().purge(&stream, &subject, Some(before)).await
        }))
    }

    async fn write_image(&self, log: &str, number: u64, bytes: &[u8]) -> Result<(), BusError> {
        if self.newest(log).await?.is_some_and(|found| found.number >= number) {
            return Ok(());
        }
        let unique = self.unique();
        let subject = format!("{}{number}.{unique}", self.names().images(log));
        let stream = self.names().stream(Part::Images);
        let outgoing = |index: usize, piece: &[u8]| Outgoing {
            stream: stream.clone(),
            subject: subject.clone(),
            message: PublishMessage::build()
                .message_id(format!("{unique}.{index}"))
                .expected_stream(&stream)
                .payload(Bytes::copy_from_slice(piece)),
            bytes: piece.len(),
        };
        let within = self.timeout() * 2;
        let pieces: Vec<&[u8]> = bytes.chunks(PIECE).collect();
        for (window, pieces) in pieces.chunks(WINDOW).enumerate() {
            let pieces = pieces.iter().enumerate();
            let pieces: Vec<_> =
                pieces.map(|(index, piece)| outgoing(window * WINDOW + index, piece)).collect();
            // By their numbers the reader sees the order, which a lost leader may change.
            let numbers = publish(self.server(), &pieces, within).await?;
            if !numbers.is_sorted() {
                let cause: Cause = "the pieces changed places while a leader was lost".into();
                let doing = format!("writing the image {number} of the log {log}");
                return Err(BusError::TimedOut { doing, within, cause });
            }
        }
        let whole = format!("{} {} {:08x}", pieces.len(), bytes.len(), crc32fast::hash(bytes));
        let mut last = outgoing(pieces.len(), &[]);
        last.message = last.message.header(WHOLE, whole.as_str());
        publish(self.server(), &[last], within).await?;
        self.drop_images_before(log, number).await;
        Ok(())
    }

    /// Removes older images, and what is left of ones that were never whole. If it fails, the next
    /// image does it.
    async fn drop_images_before(&self, log: &str, number: u64) {
        let stream = self.names().stream(Part::Images);
        let dropping = async {
            for found in self.all_images(log).await? {
                if found.number < number {
                    self.server().purge(&stream, &found.subject, None).await?;
                }
            }
            Ok::<_, Cause>(())
        };
        if let Err(error) = dropping.await {
            tracing::warn!(%error, log, number, "older images could not be removed yet");
        }
    }

    async fn read_image(&self, log: &str) -> Result<Option<(u64, Vec<u8>)>, BusError> {
        let within = self.timeout() * 2;
        let deadline = Instant::now() + within;
        let mut pauses = Pauses::until(deadline);
        loop {
            let Some(newest) = self.newest(log).await? else { return Ok(None) };
            // While it is read, a newer one may take its place: then that is read.
            if let Some(bytes) = self.pieces(log, &newest).await? {
                return Ok(Some((newest.number, bytes)));
            }
            if !pauses.wait().await {
                let doing = format!("reading the image of the log {log}");
                let cause = "newer ones came too fast".into();
                return Err(BusError::TimedOut { doing, within, cause });
            }
        }
    }

    /// The bytes of an image; none if it is gone meanwhile.
    async fn pieces(&self, log: &str, found: &Found) -> Result<Option<Vec<u8>>, BusError> {
        let stream = self.names().stream(Part::Images);
        let damaged = || BusError::Damaged { log: log.to_owned(), number: found.number };
        let (mut bytes, mut from, mut pieces) = (Vec::new(), 0, 0);
        loop {
            let doing = || format!("reading the image {} of the log {log}", found.number);
            let next = patiently(doing, self.timeout(), async || {
                self.server().next(&stream, &found.subject, from).await
            });
            let Some(next) = next.await? else { return Ok(None) };
            if let Some(whole) = next.headers.get(WHOLE) {
                let is = format!("{pieces} {} {:08x}", bytes.len(), crc32fast::hash(&bytes));
                return if whole.as_str() == is {
                    Ok(Some(bytes))
                } else if pieces == 0
                    || self.newest(log).await?.is_none_or(|n| n.number != found.number)
                {
                    Ok(None)
                } else {
                    Err(damaged())
                };
            }
            bytes.extend_from_slice(&next.payload);
            pieces += 1;
            from = next.sequence + 1;
        }
    }

    /// The newest whole image of a log.
    async fn newest(&self, log: &str) -> Result<Option<Found>, BusError> {
        let stream = self.names().stream(Part::Images);
        let doing = || format!("looking for the image of the log {log}");
        patiently(doing, self.timeout(), async || {
            for found in self.all_images(log).await? {
                let last = self.server().last(&stream, &found.subject).await?;
                if last.is_some_and(|last| last.headers.get(WHOLE).is_some()) {
                    return Ok(Some(found));
                }
            }
            Ok(None)
        })
        .await
    }

    /// All images of a log, whole or not, the newest first.
    async fn all_images(&self, log: &str) -> Result<Vec<Found>, Cause> {
        let begin = self.names().images(log);
        let stream = self.names().stream(Part::Images);
        let subjects = self.server().subjects(&stream, &format!("{begin}>")).await?;
        let mut found: Vec<_> = subjects
            .into_iter()
            .filter_map(|subject| {
                let number = subject.strip_prefix(&begin)?.split('.').next()?.parse().ok()?;
                Some(Found { number, subject })
            })
            .collect();
        found.sort_unstable_by(|a, b| b.number.cmp(&a.number).then(a.subject.cmp(&b.subject)));
        Ok(found)
    }
}

const _: () = assert!(PIECE * WINDOW <= 4 << 20, "as put_image says");
