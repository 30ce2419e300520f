//! Reading in order, without gaps.

use std::time::{Duration, SystemTime};

use async_nats::jetstream::consumer::pull::{Config, Stream};
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy};
use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::bus::Bus;
use crate::error::{BusError, Cause};
use crate::names::{Names, Part, Topic, token};
use crate::publish::AFTER;
use crate::server::Server;

/// How many messages and bytes the servers send ahead.
const AHEAD: (usize, usize) = (512, 8 << 20);

/// How often the servers show that they are there when there is nothing to send.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// After how long the servers forget a reader that is gone.
const INACTIVE: Duration = Duration::from_mins(2);

/// How long a bus may end before what the reader has seen: a leader that was just elected may not
/// have read all of its own log yet.
const CATCHING_UP: Duration = Duration::from_secs(10);

/// What to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Follow {
    /// Some topics of one stream: of readings and letters, or of alerts.
    Topics(Vec<Topic>),
    /// The readings of all partitions, and the letters.
    AllReadings,
    /// The alerts of all partitions.
    Alerts,
    /// A log.
    Log(String),
}

/// Where a message comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A topic.
    Topic(Topic),
    /// The log that is followed.
    Log,
}

/// A message that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its number in the stream: larger than that of all before it.
    pub number: u64,
    /// Where it comes from.
    pub origin: Origin,
    /// What it says.
    pub payload: Bytes,
    /// When the stream's leader stored it, by that server's clock.
    pub published: SystemTime,
}

/// How a reader sees that nothing is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Check {
    /// The stream begins where the reader does, or before.
    Begin,
    /// And the numbers have no holes.
    Numbers,
    /// Each entry names the one before it.
    Chain,
}

#[derive(Clone)]
struct Plan {
    stream: String,
    filters: Vec<String>,
    check: Check,
}

/// A reader; see [`Bus::follow`].
pub struct Following {
    bus: Bus,
    plan: Plan,
    /// The number of the last message that was handed out.
    last: u64,
    state: State,
}

enum State {
    Idle,
    Starting(JoinHandle<Result<Box<Reader>, BusError>>),
    Reading(Box<Reader>),
}

struct Reader {
    messages: Stream,
    name: String,
    /// How many messages the server has sent to this reader.
    count: u64,
}

impl Bus {
    /// Follows what comes after the number `after`, in order and without gaps, also over lost
    /// connections and leaders. If messages after `after` are gone already, or `after` is beyond the
    /// end for long, the first call of next says so. For topics this is judged by the whole stream:
    /// what is gone may have been of others.
    pub fn follow(&self, what: Follow, after: u64) -> Result<Following, BusError> {
        let names = self.names();
        let (part, filters, check) = match what {
            Follow::AllReadings => (Part::Readings, Vec::new(), Check::Numbers),
            Follow::Alerts => (Part::Alerts, Vec::new(), Check::Numbers),
            Follow::Log(log) => (Part::State, vec![names.log(token("log", &log)?)], Check::Chain),
            Follow::Topics(mut topics) => {
                topics.sort_unstable();
                topics.dedup();
                let part = topics.first().ok_or(BusError::Topics)?.part();
                for topic in &topics {
                    topic.check(self.partitions())?;
                    if topic.part() != part {
                        return Err(BusError::Topics);
                    }
                }
                (part, topics.iter().map(|topic| names.topic(*topic)).collect(), Check::Begin)
            }
        };
        let plan = Plan { stream: names.stream(part), filters, check };
        Ok(Following { bus: self.clone(), plan, last: after, state: State::Idle })
    }
}

impl Following {
    /// The next message; none if none comes within `wait`. While the bus is away none comes: it goes
    /// on by itself when the bus is there again.
    pub fn next(&mut self, wait: Duration) -> Result<Option<Message>, BusError> {
        let mut one = Vec::with_capacity(1);
        self.next_batch(&mut one, 1, wait)?;
        Ok(one.pop())
    }

    /// Appends up to `most` messages to `into`, as soon as at least one is there; none if none comes
    /// within `wait`.
    pub fn next_batch(
        &mut self,
        into: &mut Vec<Message>,
        most: usize,
        wait: Duration,
    ) -> Result<(), BusError> {
        let bus = self.bus.clone();
        bus.run(self.gather(into, most.max(1), Instant::now() + wait))
    }

    /// The number of the last message that was handed out; at first the one that was followed after.
    pub fn position(&self) -> u64 {
        self.last
    }

    async fn gather(
        &mut self,
        into: &mut Vec<Message>,
        most: usize,
        deadline: Instant,
    ) -> Result<(), BusError> {
        let before = into.len();
        while into.len() - before < most {
            let reader = match &mut self.state {
                State::Reading(reader) => reader,
                State::Idle => {
                    self.state = State::Starting(self.start(Duration::ZERO));
                    continue;
                }
                State::Starting(start) => {
                    let Ok(started) = tokio::time::timeout_at(deadline, start).await else {
                        return Ok(());
                    };
                    self.state = State::Idle;
                    // A start that panicked is a bug of the start; begin again.
                    if let Ok(started) = started {
                        self.state = State::Reading(started?);
                    }
                    continue;
                }
            };
            let next = if into.len() == before {
                match tokio::time::timeout_at(deadline, reader.messages.next()).await {
                    Ok(next) => next,
                    Err(_) => return Ok(()),
                }
            } else {
                match reader.messages.next().now_or_never() {
                    Some(next) => next,
                    None => return Ok(()),
                }
            };
            let read = match next {
                Some(Ok(message)) => read(self.bus.names(), &self.plan, self.last, reader, message),
                Some(Err(error)) => Read::Again(error.into()),
                None => Read::Again("the reader ended".into()),
            };
            match read {
                Read::Next(message) => {
                    self.last = message.number;
                    into.push(message);
                }
                Read::Old => {}
                Read::Skip(number) => self.last = number,
                Read::Again(error) => {
                    let stream = &self.plan.stream;
                    tracing::debug!(%error, stream, after = self.last, "reading is begun anew");
                    self.stop();
                    self.state = State::Starting(self.start(Duration::from_millis(50)));
                }
                Read::Gone(first) => {
                    self.stop();
                    // What was read before it is handed out first; the next call finds it again.
                    return if into.len() > before {
                        Ok(())
                    } else {
                        Err(BusError::Gone { first })
                    };
                }
            }
        }
        Ok(())
    }

    fn start(&self, pause: Duration) -> JoinHandle<Result<Box<Reader>, BusError>> {
        let (server, plan, after) = (self.bus.server().clone(), self.plan.clone(), self.last);
        self.bus.handle().spawn(async move {
            tokio::time::sleep(pause).await;
            start(&server, &plan, after).await
        })
    }

    /// Ends the reader here and, without waiting, at the servers.
    fn stop(&mut self) {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Idle => {}
            State::Starting(start) => start.abort(),
            State::Reading(reader) => {
                let context = self.bus.server().context.clone();
                let stream = self.plan.stream.clone();
                self.bus.handle().spawn(async move {
                    // The servers forget it anyway, only later.
                    let _ = context.delete_consumer_from_stream(&reader.name, &stream).await;
                });
            }
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.stop();
    }
}

enum Read {
    Next(Message),
    /// Before the number that is followed.
    Old,
    /// Of no topic: somebody else wrote it.
    Skip(u64),
    /// Something was lost on the way.
    Again(Cause),
    Gone(u64),
}

fn read(
    names: &Names,
    plan: &Plan,
    last: u64,
    reader: &mut Reader,
    message: async_nats::jetstream::Message,
) -> Read {
    let info = match message.info() {
        Ok(info) => info,
        Err(error) => return Read::Again(error),
    };
    reader.count += 1;
    if info.consumer_sequence != reader.count {
        return Read::Again("messages were lost on the way".into());
    }
    let number = info.stream_sequence;
    if number <= last {
        return Read::Old;
    }
    let after = match plan.check {
        Check::Begin => last,
        Check::Numbers => number - 1,
        Check::Chain => {
            let header = message.headers.as_ref().and_then(|headers| headers.get(AFTER));
            header.and_then(|after| after.as_str().parse().ok()).unwrap_or(0)
        }
    };
    if after != last {
        return Read::Gone(number);
    }
    let origin = match plan.check {
        Check::Chain => Origin::Log,
        Check::Begin | Check::Numbers => {
            let Some(topic) = names.read_topic(&message.subject) else {
                tracing::warn!(subject = %message.subject, number, "what is of no topic is skipped");
                return Read::Skip(number);
            };
            Origin::Topic(topic)
        }
    };
    let published = info.published.into();
    Read::Next(Message { number, origin, payload: message.message.payload, published })
}

/// Tries until there is a reader, or none can be.
async fn start(server: &Server, plan: &Plan, after: u64) -> Result<Box<Reader>, BusError> {
    let begun = Instant::now();
    let mut pause = Duration::from_millis(50);
    loop {
        match attempt(server, plan, after).await {
            Ok(Started::Reader(reader)) => return Ok(reader),
            Ok(Started::Gone { first }) => return Err(BusError::Gone { first }),
            Ok(Started::Behind { last }) if begun.elapsed() > CATCHING_UP => {
                return Err(BusError::Lost { after, last });
            }
            Ok(Started::Behind { .. }) => {}
            Err(error) => {
                tracing::debug!(%error, stream = plan.stream, after, "reading cannot begin yet");
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(1));
    }
}

enum Started {
    Reader(Box<Reader>),
    Gone { first: u64 },
    Behind { last: u64 },
}

async fn attempt(server: &Server, plan: &Plan, after: u64) -> Result<Started, Cause> {
    let (filter_subject, filter_subjects) = match plan.filters.as_slice() {
        [] => (String::new(), Vec::new()),
        [one] => (one.clone(), Vec::new()),
        several => (String::new(), several.to_vec()),
    };
    let config = Config {
        deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: after + 1 },
        ack_policy: AckPolicy::None,
        filter_subject,
        filter_subjects,
        inactive_threshold: INACTIVE,
        num_replicas: 1,
        memory_storage: true,
        ..Config::default()
    };
    let consumer = server.context.create_consumer_on_stream(config, plan.stream.as_str()).await?;
    // Asked after the reader is there: what goes before this is seen.
    let state = server.info(&plan.stream).await?.state;
    let begin = plan.check != Check::Chain && state.first_sequence > after + 1;
    if begin || state.last_sequence < after {
        let name = &consumer.cached_info().name;
        let _ = server.context.delete_consumer_from_stream(name, &plan.stream).await;
        return Ok(if begin {
            Started::Gone { first: state.first_sequence }
        } else {
            Started::Behind { last: state.last_sequence }
        });
    }
    let messages = consumer
        .stream()
        .max_messages_per_batch(AHEAD.0)
        .max_bytes_per_batch(AHEAD.1)
        .expires(HEARTBEAT * 5)
        .heartbeat(HEARTBEAT)
        .messages()
        .await?;
    let name = consumer.cached_info().name.clone();
    Ok(Started::Reader(Box::new(Reader { messages, name, count: 0 })))
}
