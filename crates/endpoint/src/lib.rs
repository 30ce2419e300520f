//! The embedded MQTT server that devices connect to.
//!
//! It is a front door, not a broker: what devices publish goes to the pipeline's intake, and a
//! publish is acknowledged (PUBACK at QoS 1, PUBREC at QoS 2) only once the pipeline says that it
//! is durable. It delivers to nobody. MQTT 3.1.1 and 5.
//!
//! What holds:
//! - **Order.** Acknowledgements leave a connection in the order in which the messages came, so a
//!   message that waits holds those behind it. A message that the pipeline gives up (its
//!   [`Ack`](city_pipeline::Ack) is dropped) ends the connection, so that the device sends again.
//! - **Bounds.** A connection has at most so many messages and bytes unacknowledged; then nothing
//!   more is taken from it. All connections share the budget of the intake.
//! - **Sessions** hold no subscriptions, but they are remembered, over a restart too: a client
//!   that is told "no session" throws away what it has not yet had acknowledged.

mod access;
mod acks;
mod answer;
mod buffer;
mod config;
mod connect;
mod connection;
mod packets;
mod parse;
mod remembered;
mod server;
mod sessions;
mod stats;
mod will;
mod wire;

use std::sync::Arc;

use city_pipeline::SourceKey;

pub use access::{Access, Admission, AllowAll};
pub use config::{ConfigError, EndpointConfig};
pub use server::{Doorway, Endpoint};
pub use stats::{Stats, StatsSnapshot};

/// Says which source wants a topic, given the client that sent it. A message that no source
/// wants goes to the pipeline all the same, to become a dead letter.
pub type Route = Arc<dyn Fn(&str, Option<&str>) -> Option<SourceKey> + Send + Sync>;
