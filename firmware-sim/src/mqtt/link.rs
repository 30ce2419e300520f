//! One MQTT connection that comes back: sends an outbox at QoS 1 and keeps what was not
//! acknowledged.
//!
//! Each connection is a new rumqttc client with a clean session. Its own memory of unacknowledged
//! packets is not used: it forgets them when the other side has no session, which is exactly when
//! they must be sent again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Outgoing, Packet, QoS};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Target;
use super::counters::Counters;
use super::outbox::{Message, Outbox};
use crate::noise::{between, key, mix};

/// The longest wait between two attempts to connect.
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// How large a message may be, in bytes: rumqttc's default of 10 KiB is less than a batch.
const LARGEST_PACKET: usize = 8 << 20;

/// A connection and what it has to send.
#[derive(Debug)]
pub(crate) struct Link {
    target: Target,
    number: usize,
    outbox: Mutex<Outbox>,
    /// There may be something to hand over.
    work: Notify,
    /// There may be space.
    space: Notify,
    counters: Arc<Counters>,
}

/// Why a connection ended.
enum End {
    /// As wanted: everything was acknowledged, or there was no more time.
    Wanted,
    /// Before it was accepted.
    Refused(String),
    /// After it was accepted.
    Lost(String),
}

impl Link {
    pub(crate) fn new(target: &Target, number: usize, counters: Arc<Counters>) -> Self {
        Self {
            target: target.clone(),
            number,
            outbox: Mutex::new(Outbox::new(target.store, target.in_flight)),
            work: Notify::new(),
            space: Notify::new(),
            counters,
        }
    }

    fn outbox(&self) -> std::sync::MutexGuard<'_, Outbox> {
        // Nothing between lock and unlock can panic halfway through a change.
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores a message to be sent; the oldest gives way when the store is full.
    pub(crate) fn push(&self, message: Message) {
        Counters::add(&self.counters.stored, 1);
        if self.outbox().push(message) {
            Counters::add(&self.counters.dropped, 1);
        }
        self.work.notify_one();
    }

    /// Stores a message as soon as there is space; one caller at a time.
    pub(crate) async fn push_when_free(&self, message: Message) {
        while self.outbox().is_full() {
            self.space.notified().await;
        }
        self.push(message);
    }

    /// Messages that are not acknowledged yet.
    pub(crate) fn waiting(&self) -> usize {
        self.outbox().len()
    }

    /// Connects, sends, and connects again, until `finish` asks to end with an empty outbox or
    /// `stop` at once.
    pub(crate) async fn run(&self, finish: CancellationToken, stop: CancellationToken) {
        let mut attempt = 0_u32;
        loop {
            let (client, events) = self.client();
            let end = self.session(client, events, &finish, &stop).await;
            self.outbox().connection_lost();
            match end {
                End::Wanted => return,
                End::Lost(reason) => {
                    attempt = 0;
                    tracing::info!(link = self.number, reason, "the connection was lost");
                }
                End::Refused(reason) => {
                    attempt += 1;
                    // The first failure and then ever fewer are worth a line.
                    if attempt.is_power_of_two() {
                        let (host, port) = (&self.target.host, self.target.port);
                        tracing::warn!(
                            link = self.number,
                            host,
                            port,
                            attempt,
                            reason,
                            "cannot connect"
                        );
                    }
                }
            }
            tokio::select! {
                () = tokio::time::sleep(self.wait(attempt)) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Doubles from 0.2 s; between half and all of it, so that links do not come back together.
    fn wait(&self, attempt: u32) -> Duration {
        let longest = Duration::from_millis(200 << attempt.min(10)).min(LONGEST_WAIT);
        let seed =
            mix(mix(key(&self.target.client_prefix), self.number as u64), u64::from(attempt));
        longest.mul_f64(between(seed, 0.5, 1.0))
    }

    fn client(&self) -> (AsyncClient, EventLoop) {
        let target = &self.target;
        let id = format!("{}-{}", target.client_prefix, self.number);
        let mut options = MqttOptions::new(id, target.host.clone(), target.port);
        options.set_keep_alive(Duration::from_secs(20));
        options.set_clean_session(true);
        options.set_max_packet_size(LARGEST_PACKET, LARGEST_PACKET);
        let window = u16::try_from(target.in_flight.max(1)).unwrap_or(u16::MAX);
        // The outbox keeps the window. Many more packet ids than that, so that one slow
        // acknowledgement does not block the next round of ids.
        options.set_inflight(window.saturating_mul(8).max(64));
        if let Some(credentials) = &target.credentials {
            options.set_credentials(&credentials.username, &credentials.password);
        }
        AsyncClient::new(options, usize::from(window) + 1)
    }

    /// One connection from its beginning to its end. Neither side is ever cancelled halfway
    /// through a step, for rumqttc could lose a packet there.
    async fn session(
        &self,
        client: AsyncClient,
        events: EventLoop,
        finish: &CancellationToken,
        stop: &CancellationToken,
    ) -> End {
        let accepted = Notify::new();
        tokio::select! {
            end = self.receive(events, &accepted) => end,
            end = self.send(client, &accepted, finish, stop) => end,
        }
    }

    async fn receive(&self, mut events: EventLoop, accepted: &Notify) -> End {
        let mut standing = Standing { counters: &self.counters, stands: false };
        loop {
            match events.poll().await {
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    standing.begin();
                    accepted.notify_one();
                }
                Ok(Event::Outgoing(Outgoing::Publish(packet))) => self.outbox().sent(packet),
                Ok(Event::Outgoing(Outgoing::Disconnect)) => return End::Wanted,
                Ok(Event::Incoming(Packet::PubAck(ack))) => {
                    let message = self.outbox().acknowledged(ack.pkid);
                    if let Some(message) = message {
                        Counters::add(&self.counters.acknowledged, 1);
                        Counters::add(&self.counters.readings, u64::from(message.readings));
                        self.work.notify_one();
                        self.space.notify_one();
                    }
                }
                Ok(_) => {}
                Err(error) if standing.stands => return End::Lost(error.to_string()),
                Err(error) => return End::Refused(error.to_string()),
            }
        }
    }

    async fn send(
        &self,
        client: AsyncClient,
        accepted: &Notify,
        finish: &CancellationToken,
        stop: &CancellationToken,
    ) -> End {
        tokio::select! {
            () = accepted.notified() => {}
            () = finish.cancelled(), if self.waiting() == 0 => return End::Wanted,
            () = stop.cancelled() => return End::Wanted,
        }
        loop {
            loop {
                let Some((message, again)) = self.outbox().hand_over() else { break };
                Counters::add(
                    if again { &self.counters.resent } else { &self.counters.published },
                    1,
                );
                // The channel holds the whole window, so this never waits.
                let sent = client
                    .publish_bytes(message.topic, QoS::AtLeastOnce, false, message.payload)
                    .await;
                if let Err(error) = sent {
                    return End::Lost(error.to_string());
                }
            }
            let done = stop.is_cancelled() || (finish.is_cancelled() && self.waiting() == 0);
            if done {
                // `receive` ends the session when the packet is on its way.
                if client.disconnect().await.is_err() {
                    return End::Wanted;
                }
                std::future::pending::<()>().await;
            }
            tokio::select! {
                () = self.work.notified() => {}
                () = finish.cancelled(), if !finish.is_cancelled() => {}
                () = stop.cancelled() => {}
            }
        }
    }
}

/// Counts a connection while it stands, however it ends.
struct Standing<'c> {
    counters: &'c Counters,
    stands: bool,
}

impl Standing<'_> {
    fn begin(&mut self) {
        self.stands = true;
        Counters::add(&self.counters.connects, 1);
        Counters::add(&self.counters.connected, 1);
    }
}

impl Drop for Standing<'_> {
    fn drop(&mut self) {
        if self.stands {
            Counters::sub(&self.counters.connected, 1);
        }
    }
}
