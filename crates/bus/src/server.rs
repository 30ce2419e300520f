//! Single requests to the servers, and trying them again.

use std::time::Duration;

use async_nats::jetstream::context::{Context, PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{Info, RawMessageErrorKind};
use async_nats::jetstream::{Error as Refusal, ErrorCode};
use async_nats::{Client, connection::State};
use futures_util::TryStreamExt as _;
use tokio::time::Instant;

use crate::{BusError, Cause};

/// How long the answer to one request may take: so long may a server be stopped or a leader be
/// missing before it is asked again.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(2);

/// The pauses between attempts: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));

/// The connection.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) client: Client,
    pub(crate) context: Context,
}

/// Why a message was not stored.
#[derive(Debug)]
pub(crate) enum PutError {
    /// It was to come after another number than the last.
    Mismatch,
    /// The stream takes no more.
    Full(Cause),
    /// It is larger than the servers take.
    TooLarge,
    /// Anything else: whether it was stored is not known.
    Unknown(Cause),
}

/// The pauses of one series of attempts: growing, and ended by its deadline.
pub(crate) struct Pauses {
    next: Duration,
    deadline: Instant,
}

impl Pauses {
    pub(crate) fn until(deadline: Instant) -> Self {
        Self { next: PAUSES.0, deadline }
    }

    /// Waits a while; false if there is no time for another attempt.
    pub(crate) async fn wait(&mut self) -> bool {
        let until = Instant::now() + self.next;
        if until >= self.deadline {
            return false;
        }
        tokio::time::sleep_until(until).await;
        self.next = (self.next * 2).min(PAUSES.1);
        true
    }
}

/// Tries until it succeeds or the time is over.
pub(crate) async fn patiently<T>(
    doing: impl Fn() -> String,
    within: Duration,
    mut attempt: impl AsyncFnMut() -> Result<T, Cause>,
) -> Result<T, BusError> {
    let deadline = Instant::now() + within;
    let mut pauses = Pauses::until(deadline);
    let mut last: Option<Cause> = None;
    loop {
        let cause = match tokio::time::timeout_at(deadline, attempt()).await {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(cause)) => cause,
            Err(elapsed) => last.take().unwrap_or_else(|| elapsed.into()),
        };
        tracing::debug!(doing = doing(), error = %cause, "the bus is asked again");
        if !pauses.wait().await {
            return Err(BusError::TimedOut { doing: doing(), within, cause });
        }
        last = Some(cause);
    }
}

impl Server {
    /// Whether there is a connection now.
    pub(crate) fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// Waits for a connection; an error at the deadline. What is sent without one would lie in the
    /// client and reach the servers at some later time, when nobody wants it any more.
    pub(crate) async fn connected(&self, deadline: Instant) -> Result<(), Cause> {
        let mut pauses = Pauses::until(deadline);
        while !self.is_connected() {
            if !pauses.wait().await {
                return Err("there is no connection to any server".into());
            }
        }
        Ok(())
    }

    /// The last message of a subject, by the stream's leader.
    pub(crate) async fn last(
        &self,
        stream: &str,
        subject: &str,
    ) -> Result<Option<StreamMessage>, Cause> {
        let stream = self.context.get_stream_no_info(stream).await?;
        match stream.raw_message_builder().last_by_subject(subject).send().await {
            Ok(message) => Ok(Some(message)),
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The first message of a subject from a number on, by the stream's leader.
    pub(crate) async fn next(
        &self,
        stream: &str,
        subject: &str,
        from: u64,
    ) -> Result<Option<StreamMessage>, Cause> {
        let stream = self.context.get_stream_no_info(stream).await?;
        let asked = stream.raw_message_builder().sequence(from.max(1)).next_by_subject(subject);
        match asked.send().await {
            Ok(message) => Ok(Some(message)),
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What a stream's leader says of it.
    pub(crate) async fn info(&self, stream: &str) -> Result<Info, Cause> {
        Ok(self.context.get_stream_no_info(stream).await?.get_info().await?)
    }

    /// The subjects of a stream that match a filter and have messages.
    pub(crate) async fn subjects(&self, stream: &str, filter: &str) -> Result<Vec<String>, Cause> {
        let stream = self.context.get_stream_no_info(stream).await?;
        let found = stream.info_with_subjects(filter).await?;
        let subjects: Vec<(String, usize)> = found.try_collect().await?;
        Ok(subjects.into_iter().map(|(subject, _)| subject).collect())
    }

    /// Removes the messages of a subject; those before a number, if one is given.
    pub(crate) async fn purge(
        &self,
        stream: &str,
        subject: &str,
        before: Option<u64>,
    ) -> Result<(), Cause> {
        let stream = self.context.get_stream_no_info(stream).await?;
        let purge = stream.purge().filter(subject);
        match before {
            Some(before) => purge.sequence(before).await?,
            None => purge.await?,
        };
        Ok(())
    }

    /// Writes one message and waits for its acknowledgement: its number.
    pub(crate) async fn put(
        &self,
        subject: &str,
        message: PublishMessage,
    ) -> Result<u64, PutError> {
        let sent = self.context.send_publish(subject.to_owned(), message).await;
        match sent {
            Ok(acknowledged) => acknowledged.await.map(|ack| ack.sequence).map_err(PutError::from),
            Err(error) => Err(error.into()),
        }
    }
}

/// Of a stream that wants another last number for a subject, while other messages of the subject are
/// under way; the client library does not know it.
const WRONG_LAST_SEQUENCE_CONSTANT: ErrorCode = ErrorCode(10164);

impl From<PublishError> for PutError {
    fn from(error: PublishError) -> Self {
        match error.kind() {
            PublishErrorKind::WrongLastSequence => return Self::Mismatch,
            PublishErrorKind::MaxPayloadExceeded => return Self::TooLarge,
            _ => {}
        }
        let refusal = std::error::Error::source(&error)
            .and_then(|cause| cause.downcast_ref::<Refusal>())
            .map(Refusal::error_code);
        match refusal {
            Some(WRONG_LAST_SEQUENCE_CONSTANT) => Self::Mismatch,
            Some(ErrorCode::STREAM_STORE_FAILED | ErrorCode::INSUFFICIENT_RESOURCES) => {
                Self::Full(error.into())
            }
            Some(ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM) => Self::TooLarge,
            _ => Self::Unknown(error.into()),
        }
    }
}
