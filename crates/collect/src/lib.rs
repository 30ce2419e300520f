//! Collects messages from external MQTT brokers: one [`Collector`] for each broker.
//!
//! A message is acknowledged to the broker only once the pipeline says that it is durable, and
//! the session at the broker is persistent, so that what is published while we are away waits
//! there.
//!
//! What holds, whatever the network and the broker do:
//! - **Epochs.** Each connection has its own client, packet ids and sink for commits, and they
//!   die with it. News of a message that came over an earlier connection reaches nobody, so it
//!   never acknowledges a message that carries the same packet id on this one.
//! - **The poll loop never waits for the pipeline.** Messages go to a bounded queue with room for
//!   `receive_maximum` messages at QoS 1. A broker that keeps to the receive maximum (MQTT 5)
//!   never fills it. Others do: Mosquitto 2.0.11 sends up to its `max_inflight_messages` more for
//!   each acknowledgement, in both versions. When the queue is full, polling stops, so that the
//!   network holds the rest back, but only for a fraction of the keep-alive. If it is full even
//!   then, nothing more is taken from this connection: what is held is finished and
//!   acknowledged, and a new connection gets the rest. Only messages at QoS 0 can be dropped;
//!   they are counted.
//! - **Order.** Acknowledgements go out in order of arrival. A message that the pipeline gives up
//!   ends the connection, so that the broker sends it again.
//! - **Nothing is poison.** A message that is larger than `max_packet_size` is taken all the same
//!   from a broker that cannot be told (MQTT 3.1.1): its beginning becomes a dead letter, and it is
//!   acknowledged. One that the broker sends again says so, and a dead letter of it is not kept
//!   twice.
//! - Subscriptions are made at QoS 1 after every CONNACK and their answers are checked. QoS 2 is
//!   not asked for: the client library cannot resume it over a reconnect, and readings are
//!   idempotent.
//!
//! - A broker with `sparkplug_host` is told whether we listen, as a Sparkplug host application
//!   does; its session begins anew with each connection, as Sparkplug demands, so that what is
//!   published while we are away is lost. Sources that must not lose it want a broker entry of
//!   their own.
//!
//! `TRAPS.md` beside `src` lists every known trap with its guard and its test.

mod acks;
mod backoff;
mod collector;
mod config;
mod link;
mod memory;
mod once;
mod outbox;
mod pace;
mod probe;
mod publisher;
mod session;
mod sparkplug;
mod status;
mod tls;

use std::sync::Arc;

use city_pipeline::SourceKey;

pub use collector::Collector;
pub use config::{BrokerConfig, ConfigError, MqttVersion, Secret};
pub use link::LinkError;
pub use memory::{FileMemory, Memory};
pub use once::{Message, PublishError, publish};
pub use probe::{BrokerLimits, Probe, probe};
pub use publisher::{NotPublished, Publisher};
pub use status::{Phase, RefusedFilter, Stats, StatsSnapshot, Status};
pub use tls::{TlsConfig, TlsError};

/// Says which source wants a topic. The second argument is the client that sent the message,
/// which brokers do not tell: always `None` here.
pub type Route = Arc<dyn Fn(&str, Option<&str>) -> Option<SourceKey> + Send + Sync>;
