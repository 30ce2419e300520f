//! The embedded MQTT server that devices connect to.
//!
//! It is a front door, not a broker: what devices publish goes to the pipeline's intake, and a
//! publish is acknowledged (PUBACK at QoS 1, PUBREC at QoS 2) only once the pipeline says that it
//! is durable. What devices publish it delivers to nobody; what it delivers are the commands that
//! the program itself sends ([`Downlink`]). MQTT 3.1.1 and 5, over TCP, TLS and WebSocket.
//!
//! What holds:
//! - **Order.** Acknowledgements leave a connection in the order in which the messages came, so a
//!   message that waits holds those behind it. A message that the pipeline gives up (its
//!   [`Ack`](city_pipeline::Ack) is dropped) ends the connection, so that the device sends again.
//! - **Bounds.** A connection has at most so many messages and bytes unacknowledged; then nothing
//!   more is taken from it. All connections share the budget of the intake.
//! - **Sessions** are remembered, over a restart too, with their subscriptions and the commands
//!   that wait: a client that is told "no session" throws away what it has not yet had
//!   acknowledged.
//! - **Rights.** [`Access`] says who a client is, what it may publish, its will included, and which
//!   commands it may hear. An MQTT 5 client is told why it was refused.

mod access;
mod acks;
mod answer;
mod buffer;
mod config;
mod connect;
mod connection;
mod downlink;
mod filters;
mod greet;
mod index;
mod journal;
mod limits;
mod listener;
mod mailbox;
mod office;
mod packets;
mod parse;
mod post;
mod remembered;
mod server;
mod sessions;
mod stats;
mod subscribe;
mod tls;
mod websocket;
mod will;
mod wire;

use std::sync::Arc;

use city_pipeline::SourceKey;

pub use city_tls::{ClientAuth, TlsConfig, TlsError};

pub use access::{Access, AllowAll, CertificateIdentity, Denied, Grant, Knock, PublishRight, Stay};
pub use config::{ConfigError, EndpointConfig};
pub use downlink::{CommandsConfig, Delivery, Downlink, DownlinkError, DownlinkMessage, Keep};
pub use filters::{COMMAND_TOPICS, Filters};
pub use limits::{LimitsConfig, Rates};
pub use listener::ListenerConfig;
pub use server::{Doorway, Endpoint};
pub use stats::{Stats, StatsSnapshot};

/// Says which source wants a topic, given the client that sent it. A message that no source
/// wants goes to the pipeline all the same, to become a dead letter.
pub type Route = Arc<dyn Fn(&str, Option<&str>) -> Option<SourceKey> + Send + Sync>;
