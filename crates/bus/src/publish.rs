//! Writing: to topics, and to logs after a known end.

use std::time::Duration;

use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;
use futures_util::future::join_all;
use tokio::time::Instant;

use crate::bus::Bus;
use crate::error::{AppendError, BusError, Cause};
use crate::names::{Part, Topic, token};
use crate::server::{Pauses, PutError, Server};

/// How long the servers know the ids of messages: within it, trying again doubles nothing.
pub const DUPLICATE_WINDOW: Duration = Duration::from_mins(2);

/// The longest that publishing tries: longer, and the servers might no longer know the first attempt.
pub const LONGEST_PUBLISH: Duration = Duration::from_secs(100);

/// How many messages are under way at a time.
const WINDOW: usize = 256;

/// In the header of a log's entry: the number of the entry before it. A reader sees by it that no
/// entry is missing.
pub(crate) const AFTER: &str = "City-After";

/// A message to publish.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where to.
    pub topic: Topic,
    /// What tells it from all others of the stream, of 1 to 256 visible ASCII characters. Of two
    /// with the same id within [`DUPLICATE_WINDOW`] only the first is kept.
    pub id: String,
    /// What it says.
    pub payload: Bytes,
}

/// A message on its way.
pub(crate) struct Outgoing {
    pub(crate) stream: String,
    pub(crate) subject: String,
    pub(crate) message: PublishMessage,
    pub(crate) bytes: usize,
}

impl Bus {
    /// Publishes all, many at a time, and returns their numbers when each is acknowledged by the
    /// replicated stream. It tries again by itself `within` the time (at most [`LONGEST_PUBLISH`]).
    /// After an error some may be there; publishing all again with the same ids doubles nothing.
    ///
    /// The entries of a topic keep their order, also over calls one after the other, except that
    /// while a leader is lost up to 256 neighbours may change places. What must stay together goes
    /// into one entry. Entries of many kilobytes are best: servers that sync each message take about
    /// as many large as small ones.
    pub fn publish(&self, entries: &[Entry], within: Duration) -> Result<Vec<u64>, BusError> {
        let outgoing = entries.iter().map(|entry| {
            entry.topic.check(self.partitions())?;
            check_id(&entry.id)?;
            let stream = self.names().stream(entry.topic.part());
            Ok(Outgoing {
                subject: self.names().topic(entry.topic),
                message: PublishMessage::build()
                    .message_id(&entry.id)
                    .expected_stream(&stream)
                    .payload(entry.payload.clone()),
                stream,
                bytes: entry.payload.len(),
            })
        });
        let outgoing = outgoing.collect::<Result<Vec<_>, BusError>>()?;
        self.run(publish(self.server(), &outgoing, within))
    }

    /// Appends to a log if `after` is its last number (0: nothing was ever appended), and returns
    /// the entry's number. When a leader is lost or an answer is late it tries again `within` the
    /// time, until it is known whether this entry was appended.
    pub fn append(
        &self,
        log: &str,
        after: u64,
        payload: Bytes,
        within: Duration,
    ) -> Result<u64, AppendError> {
        let log = token("log", log).map_err(AppendError::Refused)?;
        let append = Append {
            server: self.server(),
            stream: self.names().stream(Part::State),
            subject: self.names().log(log),
            after,
            id: format!("{}.{}", self.node(), self.unique()),
            payload,
        };
        self.run(append.run(within))
    }
}

fn check_id(id: &str) -> Result<(), BusError> {
    let good = (1..=256).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    good.then_some(()).ok_or_else(|| BusError::Name { what: "message", name: id.to_owned() })
}

/// Publishes all and returns their numbers.
pub(crate) async fn publish(
    server: &Server,
    outgoing: &[Outgoing],
    within: Duration,
) -> Result<Vec<u64>, BusError> {
    let within = within.min(LONGEST_PUBLISH);
    let deadline = Instant::now() + within;
    let mut numbers = vec![0; outgoing.len()];
    for (window, numbers) in outgoing.chunks(WINDOW).zip(numbers.chunks_mut(WINDOW)) {
        let mut left: Vec<usize> = (0..window.len()).collect();
        let mut pauses = Pauses::until(deadline);
        loop {
            let sent =
                tokio::time::timeout_at(deadline, send(server, window, &left, deadline)).await;
            let cause: Cause = match sent {
                Ok((results, first_error)) => {
                    let mut unknown = first_error;
                    for (index, result) in results {
                        match result {
                            Ok(number) => numbers[index] = number,
                            Err(error) => {
                                unknown = Some(permanent(server, &window[index], error)?);
                            }
                        }
                    }
                    left.retain(|index| numbers[*index] == 0);
                    match unknown {
                        None => break,
                        Some(cause) => cause,
                    }
                }
                Err(elapsed) => elapsed.into(),
            };
            tracing::debug!(error = %cause, left = left.len(), "publishing again");
            if !pauses.wait().await {
                let doing =
                    format!("publishing {} messages, {} of a window", outgoing.len(), left.len());
                return Err(BusError::TimedOut { doing, within, cause });
            }
        }
    }
    Ok(numbers)
}

type Results = Vec<(usize, Result<u64, PutError>)>;

/// Sends those that are left, in order, and waits for all acknowledgements. The error is why some
/// could not even be sent.
async fn send(
    server: &Server,
    window: &[Outgoing],
    left: &[usize],
    deadline: Instant,
) -> (Results, Option<Cause>) {
    if let Err(error) = server.connected(deadline).await {
        return (Vec::new(), Some(error));
    }
    let mut results = Vec::new();
    let mut waiting = Vec::new();
    for index in left {
        let outgoing = &window[*index];
        let message = outgoing.message.clone();
        match server.context.send_publish(outgoing.subject.clone(), message).await {
            Ok(acknowledged) => waiting.push(async {
                (*index, acknowledged.await.map(|ack| ack.sequence).map_err(PutError::from))
            }),
            Err(error) => {
                results.push((*index, Err(error.into())));
                break;
            }
        }
    }
    results.extend(join_all(waiting).await);
    (results, None)
}

/// Whether trying again is of use: then why it is needed.
fn permanent(server: &Server, outgoing: &Outgoing, error: PutError) -> Result<Cause, BusError> {
    match error {
        PutError::Unknown(cause) => Ok(cause),
        PutError::Full(cause) => Err(BusError::Full { stream: outgoing.stream.clone(), cause }),
        PutError::TooLarge => Err(too_large(server, outgoing.bytes)),
        PutError::Mismatch => Ok("the stream wants another number".into()),
    }
}

fn too_large(server: &Server, bytes: usize) -> BusError {
    BusError::TooLarge { bytes, most: server.client.max_payload() }
}

struct Append<'a> {
    server: &'a Server,
    stream: String,
    subject: String,
    after: u64,
    id: String,
    payload: Bytes,
}

/// What is in an entry's place.
enum Place {
    /// The entry.
    Ours(u64),
    /// Another.
    Other,
    /// Nothing yet.
    Empty,
    /// What was there may have been dropped already.
    Dropped,
}

impl Append<'_> {
    async fn run(self, within: Duration) -> Result<u64, AppendError> {
        let deadline = Instant::now() + within;
        let mut pauses = Pauses::until(deadline);
        // Whether an attempt is on its way of which nothing is known.
        let mut open = false;
        loop {
            let attempt =
                tokio::time::timeout_at(deadline, self.attempt(deadline, &mut open)).await;
            let (cause, mismatch): (Cause, bool) = match attempt {
                Ok(Ok(Place::Ours(number))) => return Ok(number),
                Ok(Ok(Place::Other)) => return Err(AppendError::Conflict),
                Ok(Ok(Place::Dropped)) if !open => return Err(AppendError::Conflict),
                Ok(Ok(Place::Dropped)) => {
                    ("the log was cut where the entry was to be".into(), false)
                }
                // Another's entry is on its way there, or the log is shorter than the caller says.
                Ok(Ok(Place::Empty)) => ("the log has another end".into(), true),
                Ok(Err(PutError::Mismatch)) => ("the log has another end".into(), false),
                Ok(Err(PutError::Full(cause))) if !open => {
                    let stream = self.stream.clone();
                    return Err(AppendError::Refused(BusError::Full { stream, cause }));
                }
                Ok(Err(PutError::Unknown(cause) | PutError::Full(cause))) => (cause, false),
                Ok(Err(PutError::TooLarge)) => {
                    let error = too_large(self.server, self.payload.len());
                    return Err(AppendError::Refused(error));
                }
                Err(elapsed) => {
                    open = true;
                    (elapsed.into(), false)
                }
            };
            tracing::debug!(error = %cause, subject = self.subject, "appending again");
            if !pauses.wait().await {
                if mismatch && !open {
                    return Err(AppendError::Conflict);
                }
                let doing = format!("appending to {}", self.subject);
                return Err(AppendError::Unavailable(BusError::TimedOut { doing, within, cause }));
            }
        }
    }

    async fn attempt(&self, deadline: Instant, open: &mut bool) -> Result<Place, PutError> {
        self.server.connected(deadline).await.map_err(PutError::Unknown)?;
        let message = PublishMessage::build()
            .message_id(&self.id)
            .expected_stream(&self.stream)
            .expected_last_subject_sequence(self.after)
            .header(AFTER, self.after.to_string())
            .payload(self.payload.clone());
        match self.server.put(&self.subject, message).await {
            Ok(number) => Ok(Place::Ours(number)),
            // By an earlier attempt of this entry, or by somebody else?
            Err(PutError::Mismatch) => self.place().await.map_err(PutError::Unknown),
            Err(PutError::Unknown(cause)) => {
                *open = true;
                Err(PutError::Unknown(cause))
            }
            Err(other) => Err(other),
        }
    }

    async fn place(&self) -> Result<Place, Cause> {
        let found = self.server.next(&self.stream, &self.subject, self.after + 1).await?;
        let Some(found) = found else { return Ok(Place::Empty) };
        let header = |name: &str| found.headers.get(name).map(|value| value.as_str().to_owned());
        Ok(if header("Nats-Msg-Id").as_deref() == Some(self.id.as_str()) {
            Place::Ours(found.sequence)
        } else if header(AFTER).is_none_or(|after| after == self.after.to_string()) {
            Place::Other
        } else {
            Place::Dropped
        })
    }
}
