//! One admitted connection: reads packets in batches, hands them to the pipeline, and writes the
//! acknowledgements as the commits come in.
//!
//! Reading, handing over and writing go on side by side in one task, so that acknowledgements
//! flow while the pipeline is full, and nothing is read while a batch waits for it.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use bytes::BytesMut;
use city_pipeline::{Intake, IntakeClosed, RawMessage};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::access::Grant;
use crate::acks::{Acks, Window};
use crate::answer;
use crate::buffer::{poll_drain, poll_fill};
use crate::connect::{Connect, Will};
use crate::limits::Pass;
use crate::post::Terms;
use crate::server::Shared;
use crate::sessions::{Hold, Unreleased};
use crate::stats::add;
use crate::will::LeftWill;
use crate::wire::{Version, Violation};

/// Unread answers, in bytes, at which nothing more is read from the client.
const MAX_OUT: usize = 64 << 10;
/// The output buffer that an idle connection may keep, in bytes.
const KEPT_OUT: usize = 256;
/// How long the last words of a connection may take.
const FAREWELL: Duration = Duration::from_secs(1);
/// The smallest packet limit of a client to which refusals are explained, in bytes.
const EXPLAINED: u32 = 512;

/// Why a connection ended.
#[derive(Debug)]
pub(crate) enum End {
    /// The client said goodbye.
    Bye,
    /// The client said goodbye and asked for its will.
    ByeWithWill,
    /// The network failed, or the client closed it without a word.
    Cut,
    /// The client broke the protocol.
    Broken(Violation),
    /// The client was silent for one and a half times its keep-alive.
    Silent,
    /// The client did not read its acknowledgements.
    Unread,
    /// The client connected anew.
    TakenOver,
    /// Its credentials or rights have changed.
    Revoked,
    /// The server stops.
    Shutdown,
    /// The pipeline gave up a message of this connection: the client is to send it again.
    NotStored,
    /// The pipeline has stopped.
    PipelineStopped,
}

impl End {
    /// What an MQTT 5 client is told: reason code and text.
    fn farewell(&self) -> Option<(u8, String)> {
        let plain = |code, text: &str| Some((code, text.to_owned()));
        match self {
            Self::Bye | Self::ByeWithWill | Self::Cut => None,
            Self::Broken(violation) => Some((violation.reason(), violation.to_string())),
            Self::Silent => plain(0x8d, "nothing came for one and a half times the keep-alive"),
            Self::Unread => plain(0x80, "the acknowledgements are not being read"),
            Self::TakenOver => plain(0x8e, "another connection uses this client id"),
            Self::Revoked => plain(0x98, "the rights of this client have changed; connect again"),
            Self::Shutdown | Self::PipelineStopped => plain(0x8b, "the server is stopping"),
            Self::NotStored => plain(0x83, "a message could not be stored; connect and send again"),
        }
    }

    /// Whether the client is lost, rather than sent away for a reason of ours.
    fn loses_client(&self) -> bool {
        !matches!(
            self,
            Self::Bye | Self::Revoked | Self::Shutdown | Self::NotStored | Self::PipelineStopped
        )
    }
}

/// What a connection is made from once its client is let in.
pub(crate) struct Admitted {
    pub(crate) connect: Connect,
    /// What it may do.
    pub(crate) grant: Grant,
    /// Its share of its device's connections.
    pub(crate) pass: Pass,
    pub(crate) hold: Hold,
    pub(crate) expiry: Duration,
    pub(crate) unreleased: Unreleased,
    /// What came in behind the CONNECT.
    pub(crate) inbuf: BytesMut,
    /// The CONNACK.
    pub(crate) out: BytesMut,
}

/// An admitted connection.
#[allow(clippy::struct_excessive_bools)] // each is a fact of its own
pub(crate) struct Connection<S> {
    pub(crate) shared: Arc<Shared>,
    stream: S,
    pub(crate) version: Version,
    /// Whether the client takes explanations.
    pub(crate) explains: bool,
    pub(crate) grant: Grant,
    pub(crate) pass: Option<Pass>,
    pub(crate) hold: Hold,
    detached: Option<CancellationToken>,
    pub(crate) expiry: Duration,
    will: Option<Will>,
    /// One and a half times what the client announced; zero for none.
    keep_alive: Duration,
    pub(crate) inbuf: BytesMut,
    pub(crate) out: BytesMut,
    pub(crate) acks: Arc<Acks>,
    pub(crate) window: Window,
    pub(crate) unreleased: Unreleased,
    pub(crate) aliases: Vec<Option<Box<str>>>,
    /// The next packet has to wait for room in the window.
    pub(crate) blocked: bool,
    /// The next packet has to wait until then, because the device sends more than its rate.
    pub(crate) paused_until: Option<Instant>,
    /// How commands are written.
    terms: Terms,
    /// Whether there is a mailbox.
    pub(crate) has_mailbox: bool,
    /// Whether commands wait for room in the output.
    mail_waits: bool,
    /// No more commands: the server stops.
    draining: bool,
    last_seen: Instant,
    unsent_since: Option<Instant>,
}

enum Wake {
    News,
    Sent(Result<(), IntakeClosed>),
    TakenOver,
    Shutdown,
    Wrote(std::io::Result<usize>),
    Read(std::io::Result<usize>),
    Tick,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(crate) fn new(shared: Arc<Shared>, stream: S, admitted: Admitted) -> Self {
        let Admitted { connect, grant, pass, hold, expiry, unreleased, inbuf, out } = admitted;
        let config = &shared.config;
        let window = Window::new(config.max_unacknowledged.into(), config.max_unacknowledged_bytes);
        add(&shared.stats.open, 1);
        add(&shared.stats.connections, 1);
        let acks: Arc<Acks> = Arc::default();
        let lasting = !expiry.is_zero();
        let has_mailbox = shared.post.attach(&hold.client, lasting, &grant.commands, &acks);
        let terms = Terms {
            version: connect.version,
            window: connect.receive_maximum.min(config.commands.max_unanswered).into(),
            max_packet: connect.max_packet as usize,
            max_out: MAX_OUT,
        };
        let seconds = match connect.version {
            Version::V3 => connect.keep_alive,
            Version::V5 => {
                config.other_keep_alive(connect.keep_alive).unwrap_or(connect.keep_alive)
            }
        };
        Self {
            stream,
            version: connect.version,
            explains: connect.wants_reasons && connect.max_packet >= EXPLAINED,
            grant,
            pass: Some(pass),
            hold,
            detached: None,
            expiry,
            will: connect.will,
            keep_alive: Duration::from_secs(seconds.into()) * 3 / 2,
            inbuf,
            out,
            acks,
            window,
            unreleased,
            aliases: Vec::new(),
            blocked: false,
            paused_until: None,
            terms,
            has_mailbox,
            mail_waits: false,
            draining: false,
            last_seen: Instant::now(),
            unsent_since: None,
            shared,
        }
    }

    /// Serves the client until the end; returns the will that is to be published then.
    pub(crate) async fn run(mut self) -> Option<LeftWill> {
        let intake = self.shared.intake.clone();
        let mut sending = pin!(None);
        let end = self.drive(sending.as_mut(), |batch| send(intake.clone(), batch)).await;
        self.log(&end);
        // The next connection of the client need not wait for what follows.
        let back = self.let_go();
        self.farewell(&end).await;
        if let Some(rest) = sending.as_pin_mut() {
            // It can no longer be acknowledged, but at QoS 0 it will not come again.
            let _stopped = rest.await;
        }
        let will = self.will.take().filter(|_| end.loses_client())?;
        Some(LeftWill { will, client: self.grant.name.clone(), back })
    }

    async fn drive<F>(
        &mut self,
        mut sending: Pin<&mut Option<F>>,
        send: impl Fn(Vec<RawMessage>) -> F,
    ) -> End
    where
        F: Future<Output = Result<(), IntakeClosed>>,
    {
        let (shutdown, takeover) = (self.shared.shutdown.clone(), self.hold.takeover.clone());
        let mut shutdown = pin!(shutdown.cancelled());
        let mut takeover = pin!(takeover.cancelled());
        let mut timer = pin!(sleep_until(self.next_tick()));
        let mut tokens = Vec::new();
        let mut ending = None;
        loop {
            if sending.is_none() && !self.draining {
                if let Some(end) = ending.take() {
                    return end;
                }
                let (batch, end) = self.take_packets();
                ending = end;
                if !batch.is_empty() {
                    sending.set(Some(send(batch)));
                } else if ending.is_some() {
                    continue;
                }
            }
            let idle = sending.is_none() && self.window.is_empty() && self.out.is_empty();
            if self.draining && idle {
                return End::Shutdown;
            }
            if self.out.is_empty() {
                self.unsent_since = None;
            } else if self.unsent_since.is_none() {
                self.unsent_since = Some(Instant::now());
            }
            let reading = sending.is_none()
                && ending.is_none()
                && !self.blocked
                && self.paused_until.is_none()
                && !self.draining
                && self.out.len() < MAX_OUT;
            if let Some(until) = self.paused_until.filter(|until| *until < timer.deadline()) {
                timer.as_mut().reset(until);
            }
            let Self { stream, inbuf, out, acks, draining, .. } = &mut *self;
            let wake = poll_fn(|cx| {
                if acks.poll_news(cx).is_ready() {
                    return Poll::Ready(Wake::News);
                }
                if let Some(sending) = sending.as_mut().as_pin_mut()
                    && let Poll::Ready(result) = sending.poll(cx)
                {
                    return Poll::Ready(Wake::Sent(result));
                }
                if takeover.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Wake::TakenOver);
                }
                if !*draining && shutdown.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Wake::Shutdown);
                }
                if !out.is_empty()
                    && let Poll::Ready(result) = poll_drain(stream, out, cx)
                {
                    return Poll::Ready(Wake::Wrote(result));
                }
                if reading && let Poll::Ready(result) = poll_fill(stream, inbuf, cx) {
                    return Poll::Ready(Wake::Read(result));
                }
                timer.as_mut().poll(cx).map(|()| Wake::Tick)
            })
            .await;
            if !reading {
                // Who is not listened to cannot be blamed for silence.
                self.last_seen = Instant::now();
            }
            match wake {
                Wake::News => {
                    if self.settle(&mut tokens) {
                        return End::NotStored;
                    }
                }
                Wake::Sent(result) => {
                    sending.set(None);
                    if result.is_err() {
                        return End::PipelineStopped;
                    }
                }
                Wake::TakenOver => {
                    if self.hold.revoked.load(Ordering::Acquire) {
                        return End::Revoked;
                    }
                    add(&self.shared.stats.takeovers, 1);
                    return End::TakenOver;
                }
                Wake::Shutdown => {
                    self.draining = true;
                    self.paused_until = None;
                    timer
                        .as_mut()
                        .reset(Instant::now() + self.shared.config.shutdown_deadline.to_std());
                }
                Wake::Wrote(Ok(1..)) => {
                    self.unsent_since = None;
                    if self.out.is_empty() && self.out.capacity() > KEPT_OUT {
                        self.out = BytesMut::new();
                    }
                    if self.mail_waits && self.out.is_empty() {
                        self.deliver();
                    }
                }
                Wake::Read(Ok(1..)) => self.last_seen = Instant::now(),
                Wake::Read(_) | Wake::Wrote(_) => return End::Cut,
                Wake::Tick if self.draining => return End::Shutdown,
                Wake::Tick => {
                    if let Some(end) = self.overdue() {
                        return end;
                    }
                    timer.as_mut().reset(self.next_tick());
                }
            }
        }
    }

    /// Writes the commands that are to be sent now.
    pub(crate) fn deliver(&mut self) {
        if !self.draining {
            let post = &self.shared.post;
            self.mail_waits = post.collect(&self.hold.client, self.terms, &mut self.out);
        }
    }

    fn next_tick(&self) -> Instant {
        let tick = Instant::now() + self.shared.config.write_deadline.to_std();
        if self.keep_alive.is_zero() { tick } else { tick.min(self.last_seen + self.keep_alive) }
    }

    fn overdue(&self) -> Option<End> {
        let patience = self.shared.config.write_deadline.to_std();
        if self.unsent_since.is_some_and(|since| since.elapsed() >= patience) {
            return Some(End::Unread);
        }
        let silent = !self.keep_alive.is_zero() && self.last_seen.elapsed() >= self.keep_alive;
        silent.then_some(End::Silent)
    }

    async fn farewell(&mut self, end: &End) {
        if let Some((reason, text)) = end.farewell() {
            let text = if self.terms.max_packet >= EXPLAINED as usize { text.as_str() } else { "" };
            answer::disconnect(&mut self.out, self.version, reason, text);
        }
        let Self { stream, out, .. } = self;
        let words = async {
            stream.write_all(out).await?;
            stream.shutdown().await
        };
        // Who is gone, or does not read, misses it.
        let _missed = timeout(FAREWELL, words).await;
    }

    fn log(&self, end: &End) {
        let client = &*self.hold.client;
        match end {
            End::Broken(violation) => {
                add(&self.shared.stats.violations, 1);
                tracing::warn!(mqtt.client = client, "connection ended: {violation}");
            }
            End::NotStored | End::PipelineStopped => {
                tracing::warn!(mqtt.client = client, "connection ended: {end:?}");
            }
            _ => tracing::debug!(mqtt.client = client, "connection ended: {end:?}"),
        }
    }
}

impl<S> Connection<S> {
    /// Gives the client id and the session back. What it returns is cancelled when the client
    /// connects again.
    fn let_go(&mut self) -> CancellationToken {
        if let Some(back) = &self.detached {
            return back.clone();
        }
        let unreleased = std::mem::take(&mut self.unreleased);
        // Before the client id: who waits for that is to find room.
        self.pass = None;
        let back = self.shared.sessions.detach(&self.hold, self.expiry, unreleased);
        self.detached = Some(back.clone());
        back
    }
}

impl<S> Drop for Connection<S> {
    fn drop(&mut self) {
        self.let_go();
        self.shared.stats.open.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn send(intake: Intake, batch: Vec<RawMessage>) -> Result<(), IntakeClosed> {
    intake.send(batch).await
}
