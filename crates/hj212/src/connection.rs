//! One connection, from its first frame to its end.

use std::fmt;
use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use city_decode::hj212::{self, CrcKind, Flag, Frame, Head, MAX_FRAME, Opened, Step};
use city_pipeline::{Ack, Delivery, IntakeClosed, RawMessage};
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

/// How long a password waits for its turn to be looked up.
const CHECK_PATIENCE: Duration = Duration::from_secs(30);
/// The client of a frame without a device's id, which no credentials are made for.
const NAMELESS: &str = "anonymous:-";

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
    Busy,
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
            Self::Busy => "its password could not be looked up in time",
            Self::Garbage => "too much that is no frame",
        })
    }
}

/// The answer to a password that had to be looked up.
struct Checked {
    device: Box<str>,
    password: Box<str>,
    right: bool,
}

/// What became of a frame.
enum Taken {
    Frame,
    /// Its password is looked up first; it stays where it is.
    Later,
}

type Checking = Pin<Box<dyn Future<Output = Option<Checked>> + Send>>;
type Sending = Pin<Box<dyn Future<Output = Result<(), IntakeClosed>> + Send>>;

struct Connection<'s> {
    shared: &'s Shared,
    /// Bytes that are not taken apart yet.
    buffer: Vec<u8>,
    window: Window,
    known: Transmissions,
    /// A batch on its way into the pipeline; nothing is read meanwhile.
    sending: Option<Sending>,
    /// A password that is looked up; nothing is read meanwhile.
    checking: Option<Checking>,
    /// The last one that was, for the frame that waits for it.
    checked: Option<Checked>,
    /// Where it comes from.
    address: IpAddr,
    /// When it is given up, unless a frame comes.
    until: Instant,
    letters: u32,
}

/// Runs a connection to its end.
pub(crate) async fn run(
    shared: &Shared,
    stream: TcpStream,
    address: IpAddr,
    shutdown: CancellationToken,
) -> End {
    let mut connection = Connection {
        shared,
        buffer: Vec::new(),
        window: Window::default(),
        known: Transmissions::default(),
        sending: None,
        checking: None,
        checked: None,
        address,
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
                && self.checking.is_none()
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
                sent = pending(&mut self.sending) => {
                    self.sending = None;
                    sent.map_err(|IntakeClosed| End::PipelineStopped)?;
                }
                checked = pending(&mut self.checking), if stop.is_none() && self.sending.is_none() => {
                    self.checking = None;
                    let Some(checked) = checked else { return Err(End::Busy) };
                    self.checked = Some(checked);
                    if let Err(end) = self.take() {
                        stop = Some((end, Instant::now() + STOP_PATIENCE));
                    }
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
                    let taken = result.and_then(|()| self.frame(&rest[..length], &mut batch));
                    result = match taken {
                        Ok(Taken::Later) => {
                            result = Ok(());
                            break;
                        }
                        Ok(Taken::Frame) => Ok(()),
                        Err(end) => Err(end),
                    };
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

    fn frame(&mut self, bytes: &[u8], batch: &mut Vec<RawMessage>) -> Result<Taken, End> {
        let stats = &self.shared.stats;
        let config = &self.shared.config;
        let Ok(sent) = Frame::parse(bytes) else {
            return self.garbage(&mut bytes.to_vec(), batch).map(|()| Taken::Frame);
        };
        let opened = sent.open(config.sm4_key.as_ref());
        let frame = opened.frame(&sent);
        let Ok(head) = frame.head() else {
            return self.garbage(&mut bytes.to_vec(), batch).map(|()| Taken::Frame);
        };
        let kind = frame.checksums().kind(frame.crc);
        // Without the key nobody here can say that it is wrong.
        let is_locked = opened == Opened::Locked;
        let right = is_locked || config.checksum.accepts(kind);
        match self.may_send(&head, right) {
            Some(true) => {}
            // Who sent it, nobody knows.
            _ if !right => {
                return self.garbage(&mut bytes.to_vec(), batch).map(|()| Taken::Frame);
            }
            Some(false) => return Err(self.refused(&head)),
            None => return Ok(Taken::Later),
        }
        let now = Instant::now();
        self.until = now + config.idle;
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
        let timed = (!is_locked).then(|| head.item("DataTime").is_some());
        let payload =
            if right { self.known.whole(&head, timed, bytes, now) } else { bytes.to_vec() };
        batch.push(RawMessage {
            source: Some(config.source),
            topic: topic(&head),
            payload: Bytes::from(payload),
            received: self.shared.clock.now(),
            retained: false,
            replayed: false,
            // Never none: then nobody would ask for whom it may speak.
            client: Some(self.shared.access.name(if head.mn.is_empty() {
                NAMELESS
            } else {
                head.mn
            })),
            ack,
        });
        Ok(Taken::Frame)
    }

    /// Whether the device may send; `None` if its password has to be looked up, which has begun
    /// then. A frame with a wrong checksum is not worth that.
    fn may_send(&mut self, head: &Head<'_>, right: bool) -> Option<bool> {
        let shared = self.shared;
        if let Some(checked) = self.checked.take()
            && (&*checked.device, &*checked.password) == (head.mn, head.pw)
        {
            if !checked.right {
                shared.failures.wrong(self.address, shared.clock.now());
            }
            return Some(checked.right);
        }
        if let Some(known) = shared.access.known(head.mn, head.pw) {
            return Some(known);
        }
        if !shared.failures.may_try(self.address, shared.clock.now()) {
            return Some(false);
        }
        if right {
            let (access, turns) = (shared.access.clone(), shared.checks.clone());
            let (device, password): (Box<str>, Box<str>) = (head.mn.into(), head.pw.into());
            self.checking = Some(Box::pin(async move {
                let turn = timeout(CHECK_PATIENCE, turns.acquire_owned()).await.ok()?.ok()?;
                let check = move || {
                    let _turn = turn;
                    let right = access.may_send(&device, &password);
                    Checked { device, password, right }
                };
                tokio::task::spawn_blocking(check).await.ok()
            }));
        }
        None
    }

    fn refused(&self, head: &Head<'_>) -> End {
        let shared = self.shared;
        add(&shared.stats.refused, 1);
        if shared.failures.may_log(self.address, shared.clock.now()) {
            tracing::warn!(
                device = head.mn,
                client.address = %self.address,
                "HJ 212: the password (PW) of this device is wrong, or it is not known; refused"
            );
        }
        End::Refused
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
            ack: Some(Ack::of_nobody(Delivery { garbage: true, ..Delivery::default() })),
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

/// Waits for what is under way, if anything is.
async fn pending<T>(work: &mut Option<Pin<Box<dyn Future<Output = T> + Send>>>) -> T {
    match work {
        Some(work) => work.await,
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
