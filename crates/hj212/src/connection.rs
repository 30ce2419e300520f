//! One connection, from its first frame to its end.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use city_decode::hj212::{self, CrcKind, Flag, Frame, Head, MAX_FRAME, Step};
use city_pipeline::{IntakeClosed, RawMessage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::acks::{Lost, Window};
use crate::garbage::OF_A_CONNECTION;
use crate::listener::Shared;
use crate::split::Transmissions;
use crate::stats::add;

/// Bytes that are read at once; more than a frame, so that a full buffer always has a step.
const BUFFER: usize = MAX_FRAME + 4096;
/// How long a stop waits for the commits of what came before it.
const STOP_PATIENCE: Duration = Duration::from_secs(3);

/// Why a connection ended.
#[derive(Debug)]
pub(crate) enum End {
    Closed,
    Shutdown,
    Silent,
    Io(std::io::Error),
    PipelineStopped,
    NotStored,
    Refused,
    Garbage,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the device closed it",
            Self::Shutdown => "we stop",
            Self::Silent => "no frame for too long, or answers not read",
            Self::Io(error) => return error.fmt(f),
            Self::PipelineStopped => "the pipeline has stopped",
            Self::NotStored => "a message could not be stored; the device is to send it again",
            Self::Refused => "a password is wrong",
            Self::Garbage => "too much that is no frame",
        })
    }
}

type Sending = Pin<Box<dyn Future<Output = Result<(), IntakeClosed>> + Send>>;

struct Connection<'s> {
    shared: &'s Shared,
    /// Bytes that are not taken apart yet.
    buffer: Vec<u8>,
    window: Window,
    known: Transmissions,
    /// A batch on its way into the pipeline; nothing is read meanwhile.
    sending: Option<Sending>,
    /// When it is given up, unless a frame comes.
    until: Instant,
    letters: u32,
}

/// Runs a connection to its end.
pub(crate) async fn run(shared: &Shared, stream: TcpStream, shutdown: CancellationToken) -> End {
    let mut connection = Connection {
        shared,
        buffer: Vec::new(),
        window: Window::default(),
        known: Transmissions::default(),
        sending: None,
        until: Instant::now() + shared.config.first,
        letters: 0,
    };
    match connection.drive(stream, shutdown).await {
        Ok(end) | Err(end) => end,
    }
}

impl Connection<'_> {
    async fn drive(
        &mut self,
        mut stream: TcpStream,
        shutdown: CancellationToken,
    ) -> Result<End, End> {
        let mut stop: Option<(End, Instant)> = None;
        let mut answers = Vec::new();
        loop {
            if stop.is_some() && self.sending.is_none() && self.window.len() == 0 {
                break;
            }
            let reads = stop.is_none()
                && self.sending.is_none()
                && self.window.len() < self.shared.config.window;
            let until = stop.as_ref().map_or(self.until, |(_, until)| *until);
            let acks = self.window.acks.clone();
            tokio::select! {
                () = shutdown.cancelled(), if stop.is_none() => {
                    stop = Some((End::Shutdown, Instant::now() + STOP_PATIENCE));
                }
                () = acks.news() => {
                    let settled = self.window.settle(&mut answers);
                    write(&mut stream, &answers, self.shared.config.write).await?;
                    answers.clear();
                    match settled {
                        Ok(count) => add(&self.shared.stats.answered, count),
                        // The next answer never comes, so that none behind it could either.
                        Err(Lost) => return Err(End::NotStored),
                    }
                }
                sent = sent(&mut self.sending) => {
                    self.sending = None;
                    sent.map_err(|IntakeClosed| End::PipelineStopped)?;
                }
                read = read(&mut stream, &mut self.buffer), if reads => match read {
                    Ok(0) => stop = Some((End::Closed, Instant::now() + STOP_PATIENCE)),
                    Ok(_) => if let Err(end) = self.take() {
                        // What was good before it is finished.
                        stop = Some((end, Instant::now() + STOP_PATIENCE));
                    },
                    Err(error) => return Err(End::Io(error)),
                },
                () = sleep_until(until), if reads || stop.is_some() => {
                    if stop.is_some() {
                        break;
                    }
                    return Err(End::Silent);
                }
            }
        }
        Ok(stop.map_or(End::Closed, |(end, _)| end))
    }

    /// Takes the frames that are there; they set out as one batch.
    fn take(&mut self) -> Result<(), End> {
        let buffer = std::mem::take(&mut self.buffer);
        let mut batch = Vec::new();
        let mut garbage = Vec::new();
        let mut place = 0;
        let mut result = Ok(());
        while result.is_ok() {
            let rest = &buffer[place..];
            let length = match hj212::next(rest) {
                Step::More => break,
                Step::Blank(length) => length,
                Step::Garbage(length) => {
                    garbage.extend_from_slice(&rest[..length]);
                    length
                }
                Step::Frame(length) => {
                    result = self.garbage(&mut garbage, &mut batch);
                    if result.is_ok() {
                        result = self.frame(&rest[..length], &mut batch);
                    }
                    length
                }
            };
            place += length;
        }
        let garbled = self.garbage(&mut garbage, &mut batch);
        self.buffer = buffer[place..].to_vec();
        self.window.close_batch();
        if !batch.is_empty() {
            let intake = self.shared.intake.clone();
            self.sending = Some(Box::pin(async move { intake.send(batch).await }));
        }
        result.and(garbled)
    }

    fn frame(&mut self, bytes: &[u8], batch: &mut Vec<RawMessage>) -> Result<(), End> {
        let stats = &self.shared.stats;
        let Ok((frame, head)) = Frame::parse(bytes).and_then(|f| f.head().map(|head| (f, head)))
        else {
            return self.garbage(&mut bytes.to_vec(), batch);
        };
        let kind = frame.checksums().kind(frame.crc);
        let right = self.shared.config.checksum.accepts(kind);
        if !self.shared.access.may_send(head.mn, head.pw) {
            if !right {
                // Who sent it, nobody knows.
                return self.garbage(&mut bytes.to_vec(), batch);
            }
            add(&stats.refused, 1);
            tracing::warn!(
                device = head.mn,
                "HJ 212: the password (PW) of this device is wrong, or it is not known; refused"
            );
            return Err(End::Refused);
        }
        let now = Instant::now();
        self.until = now + self.shared.config.idle;
        add(&stats.frames, 1);
        if !right {
            add(&stats.bad_checksums, 1);
        }
        let asked = head.flag.is_some_and(Flag::wants_answer);
        let ack = (asked && right && !head.is_answer()).then(|| {
            // In the checksum that the device computes itself.
            let answer = hj212::encode(&head.answer(), kind.unwrap_or(CrcKind::Standard));
            self.window.expect(answer)
        });
        let payload = if right { self.known.whole(&head, bytes, now) } else { bytes.to_vec() };
        batch.push(RawMessage {
            source: Some(self.shared.config.source),
            topic: topic(&head),
            payload: Bytes::from(payload),
            received: self.shared.clock.now(),
            retained: false,
            replayed: false,
            client: (!head.mn.is_empty()).then(|| head.mn.into()),
            ack,
        });
        Ok(())
    }

    /// Makes a dead letter of what belongs to no frame, as far as there is an allowance.
    fn garbage(&mut self, bytes: &mut Vec<u8>, batch: &mut Vec<RawMessage>) -> Result<(), End> {
        if bytes.is_empty() {
            return Ok(());
        }
        let bytes = std::mem::take(bytes);
        add(&self.shared.stats.garbage_bytes, bytes.len());
        let now = self.shared.clock.now();
        if self.letters >= OF_A_CONNECTION || !self.shared.garbage.take(now) {
            return Err(End::Garbage);
        }
        self.letters += 1;
        batch.push(RawMessage {
            source: Some(self.shared.config.source),
            topic: topic(&Head::default()),
            payload: Bytes::from(bytes),
            received: now,
            retained: false,
            replayed: false,
            client: None,
            ack: None,
        });
        Ok(())
    }
}

/// The topic of a frame: `hj212/{MN}`, if the id fits into a level.
fn topic(head: &Head<'_>) -> Box<str> {
    let fits = |id: &str| {
        !id.is_empty()
            && id.len() <= 128
            && !id.contains(['/', '+', '#'])
            && !id.contains(char::is_control)
    };
    let id = if fits(head.mn) { head.mn } else { "-" };
    format!("hj212/{id}").into()
}

/// Reads more into the buffer, never more than a frame and a little.
async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<usize> {
    let room = BUFFER.saturating_sub(buffer.len()).max(1);
    let mut fresh = (&mut *stream).take(room as u64);
    fresh.read_buf(buffer).await
}

async fn sent(sending: &mut Option<Sending>) -> Result<(), IntakeClosed> {
    match sending {
        Some(sending) => sending.await,
        None => std::future::pending().await,
    }
}

async fn write(stream: &mut TcpStream, bytes: &[u8], patience: Duration) -> Result<(), End> {
    if bytes.is_empty() {
        return Ok(());
    }
    match timeout(patience, stream.write_all(bytes)).await {
        Err(_) => Err(End::Silent),
        Ok(written) => written.map_err(End::Io),
    }
}
