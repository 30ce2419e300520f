//! One connection to the broker, from the attempt to its end.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use city_pipeline::{IntakeClosed, RawMessage};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::acks::{Slot, Unacked};
use crate::collector::Shared;
use crate::link::{Delivery, Event, Link, LinkError, Requests};
use crate::outbox::{Outbox, size};
use crate::pace::Pace;
use crate::publisher::Publication;
use crate::sparkplug::Host;
use crate::status::{Phase, RefusedFilter, Status, add};

/// Filters in one SUBSCRIBE.
const FILTERS: usize = 100;
/// How long to wait before asking again for what was refused.
const ASK_AGAIN: Duration = Duration::from_mins(1);
/// Bytes that are kept of a message that is too large, to see what it was.
const KEPT_OF_CUT: usize = 64 << 10;
/// How long a stop waits for the commits of what came before it.
pub(crate) const STOP_PATIENCE: Duration = Duration::from_secs(3);
/// How long a broker may take to close the connection after our goodbye.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);

/// How a connection ended.
#[derive(Debug)]
pub(crate) enum End {
    /// We were told to stop.
    Shutdown,
    /// The pipeline has stopped.
    PipelineStopped,
    /// Anything that may be better next time.
    Failed(LinkError),
}

/// One connection.
pub(crate) struct Session<'a> {
    shared: &'a Shared,
    outbox: &'a mut Outbox,
    commands: &'a mut mpsc::Receiver<Publication>,
    requests: Requests,
    /// Our state as a Sparkplug host application, if we are one.
    host: Option<Host>,
    unacked: Unacked,
    /// Acknowledgements that go out together, behind the one that is under way.
    due: Vec<Slot>,
    /// Whether the library was asked for one that is not out yet: that wakes it.
    acknowledging: bool,
    pace: Pace,
    /// What each SUBSCRIBE without an answer asked for.
    asked: VecDeque<Vec<String>>,
    ask_again: Option<Instant>,
    /// When the CONNACK came.
    connected: Option<Instant>,
    leaving: Option<Leaving>,
    told_of_drops: bool,
}

/// A connection that is to end, once what is acknowledged is also sent.
struct Leaving {
    end: End,
    /// The end of patience; `None` if it has none.
    until: Option<Instant>,
    said_goodbye: bool,
}

enum Wake {
    Shutdown,
    News,
    Event(Result<Event, LinkError>),
    Handed(Result<(), IntakeClosed>),
    Command(Publication),
    Tick,
}

/// Runs a connection. Also says how long it lasted.
pub(crate) async fn run(
    shared: &Shared,
    outbox: &mut Outbox,
    commands: &mut mpsc::Receiver<Publication>,
    shutdown: &CancellationToken,
) -> (End, Duration) {
    let id = shared.config.sparkplug_host.as_deref();
    let host = id.map(|id| Host::new(id, shared.clock.now()));
    // What was to be said over an earlier connection is old by now.
    while commands.try_recv().is_ok() {}
    let (link, requests) = match Link::prepare(&shared.config, host.as_ref()) {
        Ok(prepared) => prepared,
        Err(error) => return (End::Failed(error), Duration::ZERO),
    };
    let mut session = Session {
        shared,
        outbox,
        commands,
        requests,
        host,
        unacked: Unacked::default(),
        due: Vec::new(),
        acknowledging: false,
        pace: Pace::new(shared.config.keep_alive.to_std()),
        asked: VecDeque::new(),
        ask_again: None,
        connected: None,
        leaving: None,
        told_of_drops: false,
    };
    let end = match session.drive(link, shutdown).await {
        Ok(end) => end,
        Err(error) => End::Failed(error),
    };
    (end, session.connected.map_or(Duration::ZERO, |since| since.elapsed()))
}

impl Session<'_> {
    async fn drive(
        &mut self,
        mut link: Link,
        shutdown: &CancellationToken,
    ) -> Result<End, LinkError> {
        let mut shutdown = pin!(shutdown.cancelled());
        let mut armed = None;
        let mut timer = pin!(sleep_until(Instant::now()));
        let together = link.takes_acknowledgements();
        let mut due = Vec::new();
        loop {
            due.clear();
            if !self.acknowledging {
                std::mem::swap(&mut self.due, &mut due);
                self.say_goodbye_when_done()?;
            }
            // One poll of the library must not be dropped half-way, so everything else that
            // happens meanwhile is handled beside it.
            let config = &self.shared.config;
            let mut next = pin!(async {
                link.acknowledge(&due, config).await?;
                link.next(config).await
            });
            let event = loop {
                let polls = self.polls();
                let tick = self.next_tick(polls);
                if let Some(at) = tick.filter(|_| tick != armed) {
                    timer.as_mut().reset(at);
                }
                armed = tick;
                let stopping = self.is_stopping();
                let speaks = self.connected.is_some() && self.leaving.is_none();
                let Self { outbox, unacked, commands, .. } = &mut *self;
                let wake = poll_fn(|cx| {
                    if !stopping && shutdown.as_mut().poll(cx).is_ready() {
                        return Poll::Ready(Wake::Shutdown);
                    }
                    if unacked.poll_news(cx).is_ready() {
                        return Poll::Ready(Wake::News);
                    }
                    if speaks && let Poll::Ready(Some(command)) = commands.poll_recv(cx) {
                        return Poll::Ready(Wake::Command(command));
                    }
                    let handed = outbox.poll_hand_over(false, || unacked.close_batch(), cx);
                    if let Poll::Ready(result) = handed {
                        return Poll::Ready(Wake::Handed(result));
                    }
                    if polls && let Poll::Ready(event) = next.as_mut().poll(cx) {
                        return Poll::Ready(Wake::Event(event));
                    }
                    // Nothing more is there at the moment: do not wait for a full batch.
                    let handed = outbox.poll_hand_over(true, || unacked.close_batch(), cx);
                    if let Poll::Ready(result) = handed {
                        return Poll::Ready(Wake::Handed(result));
                    }
                    match tick {
                        Some(_) => timer.as_mut().poll(cx).map(|()| Wake::Tick),
                        None => Poll::Pending,
                    }
                })
                .await;
                match wake {
                    Wake::Event(event) => break event,
                    Wake::News => self.settle(together)?,
                    Wake::Command(command) => self.requests.publish(command)?,
                    Wake::Handed(Ok(())) => {}
                    Wake::Handed(Err(IntakeClosed)) => return Ok(End::PipelineStopped),
                    Wake::Shutdown if self.connected.is_none() => return Ok(End::Shutdown),
                    Wake::Shutdown => self.leave(End::Shutdown, Some(STOP_PATIENCE)),
                    Wake::Tick => self.tick()?,
                }
                self.say_goodbye_when_done()?;
                if let Some(leaving) = self.leaving.take_if(|leaving| leaving.is_over()) {
                    return Ok(leaving.end);
                }
            };
            match (event, self.leaving.take()) {
                // The broker has closed the connection, having read all that we sent.
                (Err(_), Some(leaving)) => return Ok(leaving.end),
                (Err(error), None) => return Err(error),
                (Ok(event), leaving) => {
                    self.leaving = leaving;
                    self.handle(event)?;
                }
            }
        }
    }

    fn polls(&mut self) -> bool {
        if self.leaving.is_some() {
            return true;
        }
        self.pace.polls(self.outbox.is_full(), Instant::now())
    }

    /// When to wake up without any other cause.
    fn next_tick(&self, polls: bool) -> Option<Instant> {
        let polls_again = self.pace.until().filter(|_| !polls);
        let patience = self.leaving.as_ref().and_then(|leaving| leaving.until);
        [polls_again, self.ask_again, patience].into_iter().flatten().min()
    }

    /// Asks again for what was refused, when it is time.
    fn tick(&mut self) -> Result<(), LinkError> {
        let now = Instant::now();
        if self.ask_again.is_some_and(|at| now >= at) {
            self.ask_again = None;
            let mut refused = Vec::new();
            self.shared.update(|status| refused = std::mem::take(&mut status.refused));
            let filters: Vec<_> = refused.into_iter().map(|refused| refused.filter).collect();
            self.subscribe(&filters)?;
        }
        Ok(())
    }

    fn handle(&mut self, event: Event) -> Result<(), LinkError> {
        match event {
            Event::Connected { session } => self.connected(session)?,
            Event::Message(delivery) if self.is_own_state(&delivery) => {
                self.own_state(&delivery)?;
            }
            Event::Message(delivery) => self.take(delivery),
            Event::Subscribed(answers) => {
                self.subscribed(answers);
                self.say_hello_when_subscribed()?;
            }
            Event::Ping => self.pace.ping(Instant::now()),
            Event::Pong => self.pace.pong(),
            Event::Acknowledged => self.acknowledging = false,
            Event::Left => self.wait_for_close(),
            Event::Published(_) | Event::Other => {}
        }
        Ok(())
    }

    /// Subscribes, whether the broker kept our session or not: it may have kept half of it.
    fn connected(&mut self, session: bool) -> Result<(), LinkError> {
        self.connected = Some(Instant::now());
        self.shared.update(|status| {
            status.connects += 1;
            status.session_resumed = session;
            status.granted = 0;
            status.refused.clear();
        });
        self.shared.enter(Phase::Connected, None);
        let host = &*self.shared.config.host;
        tracing::info!(mqtt.broker = host, mqtt.session = session, "connected to the broker");
        for filter in self.shared.unwanted() {
            tracing::info!(mqtt.broker = host, mqtt.filter = filter, "subscription given up");
            self.requests.unsubscribe(&filter)?;
        }
        let shared = self.shared;
        self.subscribe(&shared.subscriptions)
    }

    fn subscribe(&mut self, filters: &[String]) -> Result<(), LinkError> {
        for filters in filters.chunks(FILTERS) {
            self.requests.subscribe(filters)?;
            self.asked.push_back(filters.to_vec());
        }
        Ok(())
    }

    fn subscribed(&mut self, answers: Vec<Result<(), String>>) {
        let asked = self.asked.pop_front().unwrap_or_default();
        let granted = answers.iter().filter(|answer| answer.is_ok()).count();
        let mut refused = Vec::new();
        for (filter, answer) in asked.into_iter().zip(answers) {
            if let Err(reason) = answer {
                tracing::error!(
                    mqtt.broker = &*self.shared.config.host,
                    mqtt.filter = filter,
                    "the broker refuses a subscription: {reason}; check its access rules"
                );
                refused.push(RefusedFilter { filter, reason });
            }
        }
        if !refused.is_empty() {
            self.ask_again = Some(Instant::now() + ASK_AGAIN);
        }
        let answered = self.asked.is_empty();
        self.shared.update(|status| {
            status.granted += granted;
            status.refused.extend(refused);
        });
        if answered {
            self.shared.remember();
        }
    }

    /// Says that we listen, once everything is subscribed and our own state with it.
    fn say_hello_when_subscribed(&mut self) -> Result<(), LinkError> {
        let Some(host) = self.host.as_mut().filter(|_| self.asked.is_empty()) else {
            return Ok(());
        };
        let refused = |status: &Status| status.refused.iter().any(|r| r.filter == host.topic());
        if refused(&self.shared.status.borrow()) {
            return Ok(());
        }
        match host.birth() {
            Some(birth) => self.requests.retain(host.topic(), birth),
            None => Ok(()),
        }
    }

    fn is_own_state(&self, delivery: &Delivery) -> bool {
        self.host.as_ref().is_some_and(|host| host.topic() == &*delivery.topic)
    }

    /// What is said about us: news for us alone, and durable as soon as it is heard.
    fn own_state(&mut self, delivery: &Delivery) -> Result<(), LinkError> {
        if delivery.qos > 0 && self.leaving.is_none() {
            self.unacked.expect(delivery.id, delivery.qos).committed();
        }
        let Some(host) = &self.host else { return Ok(()) };
        match host.contradict(&delivery.payload).filter(|_| self.leaving.is_none()) {
            Some(birth) => {
                let id = host.topic();
                tracing::warn!(mqtt.topic = id, "somebody says that we are offline; contradicted");
                self.requests.retain(id, birth)
            }
            None => Ok(()),
        }
    }

    /// Takes a message, if there is room.
    fn take(&mut self, delivery: Delivery) {
        if self.leaving.is_some() {
            // Not acknowledged, so it comes again next time.
            return;
        }
        let Delivery { topic, payload, qos, id, retained, again } = delivery;
        let stats = &self.shared.stats;
        let most = self.shared.config.max_packet_size as usize;
        let (payload, cut_from) = cut(payload, most.saturating_sub(topic.len()));
        if qos == 0 && cut_from.is_some() {
            add(&stats.dropped, 1);
            tracing::warn!(
                mqtt.broker = &*self.shared.config.host,
                mqtt.topic = &*topic,
                "a message at QoS 0 larger than max_packet_size was dropped"
            );
            return;
        }
        if !self.outbox.has_room(qos > 0, topic.len() + payload.len()) {
            if qos > 0 {
                // This and what follows it comes again on the next connection, which is made
                // once what we hold is acknowledged.
                add(&stats.overflows, 1);
                self.leave(End::Failed(LinkError::Overflow), None);
                return;
            }
            add(&stats.dropped, 1);
            if !self.told_of_drops {
                self.told_of_drops = true;
                tracing::warn!(
                    mqtt.broker = &*self.shared.config.host,
                    "messages at QoS 0 are dropped: the pipeline has been full for too long"
                );
            }
            return;
        }
        let message = RawMessage {
            source: (self.shared.route)(&topic, None),
            topic,
            payload,
            received: self.shared.clock.now(),
            retained,
            replayed: false,
            client: None,
            ack: (qos > 0).then(|| {
                let how = city_pipeline::Delivery {
                    again,
                    cut_from,
                    ..city_pipeline::Delivery::default()
                };
                self.unacked.expect(id, qos).delivered(how)
            }),
        };
        add(&stats.received, 1);
        add(&stats.bytes, size(&message));
        self.outbox.push(message);
    }

    /// Sends the acknowledgements that are due: `together` if the connection can, and then in their
    /// order too. The library hears of the first; it wakes up for that, and the others follow.
    fn settle(&mut self, together: bool) -> Result<(), LinkError> {
        let lost = self.unacked.settle();
        let mut acknowledged = 0;
        while let Some(slot) = self.unacked.pop() {
            if together && self.acknowledging {
                self.due.push(slot);
            } else {
                self.requests.acknowledge(slot)?;
                self.acknowledging = true;
            }
            acknowledged += 1;
        }
        add(&self.shared.stats.acknowledged, acknowledged);
        if lost {
            self.leave(End::Failed(LinkError::NotStored), Some(STOP_PATIENCE));
        }
        Ok(())
    }

    fn is_stopping(&self) -> bool {
        self.leaving.as_ref().is_some_and(|leaving| matches!(leaving.end, End::Shutdown))
    }

    /// Takes nothing more, and ends the connection when all is acknowledged, or patience ends.
    fn leave(&mut self, end: End, patience: Option<Duration>) {
        if self.is_stopping() {
            return;
        }
        let said_goodbye = self.leaving.as_ref().is_some_and(|leaving| leaving.said_goodbye);
        let until = patience.map(|patience| Instant::now() + patience);
        self.leaving = Some(Leaving { end, until, said_goodbye });
    }

    /// Our goodbye is out. A connection of ours that came before the broker has read what is in
    /// front of the goodbye would make it forget our acknowledgements.
    fn wait_for_close(&mut self) {
        if let Some(leaving) = &mut self.leaving {
            let until = Instant::now() + CLOSE_PATIENCE;
            leaving.until = Some(leaving.until.map_or(until, |earlier| earlier.min(until)));
        }
    }

    /// Says goodbye behind the last acknowledgement. After a loss, the next never comes.
    fn say_goodbye_when_done(&mut self) -> Result<(), LinkError> {
        let done = self.unacked.is_empty() && self.due.is_empty() && self.outbox.is_empty();
        if let Some(leaving) = self.leaving.as_mut().filter(|leaving| !leaving.said_goodbye)
            && (done || matches!(leaving.end, End::Failed(LinkError::NotStored)))
        {
            leaving.said_goodbye = true;
            let farewell = self.host.as_mut().and_then(|h| h.farewell(self.shared.clock.now()));
            if let (Some(host), Some(farewell)) = (&self.host, farewell) {
                self.requests.retain(host.topic(), farewell)?;
            }
            self.requests.disconnect()?;
        }
        Ok(())
    }
}

/// A payload larger than `most` bytes is replaced by its beginning; also returns its size then.
fn cut(payload: Bytes, most: usize) -> (Bytes, Option<usize>) {
    let size = payload.len();
    if size <= most {
        return (payload, None);
    }
    // Copied, so that the whole is given back.
    (Bytes::copy_from_slice(&payload[..most.min(KEPT_OF_CUT)]), Some(size))
}

impl Leaving {
    fn is_over(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }
}
