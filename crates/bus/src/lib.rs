//! What the nodes of a cluster share: a narrow, blocking facade over NATS JetStream.
//!
//! Three kinds of things are on the bus. *Topics* carry readings and alerts in partitions and forget
//! them after the retention. *Logs* keep the entries of one state in one order: an entry is appended
//! only after the one that its writer saw last, and an image of the state lets the entries before it
//! go. *Leases* give a named thing to one node at a time.
//!
//! All of it is replicated by the servers: what was acknowledged survives the loss of a minority of
//! them. Callers are ordinary threads; every wait has a deadline. The bus has a small runtime of its
//! own. Async code calls it in `spawn_blocking`; elsewhere it blocks a thread of its runtime, which must
//! have several.
//!
//! It knows nothing of what the payloads mean.

mod bus;
mod config;
mod error;
mod follow;
mod images;
mod leases;
mod names;
mod publish;
mod server;

pub use bus::Bus;
pub use config::BusConfig;
pub use error::{AppendError, BusError, Cause};
pub use follow::{Follow, Following, Message, Origin};
pub use leases::{Changes, Holding, Leases};
pub use names::Topic;
pub use publish::{DUPLICATE_WINDOW, Entry, LONGEST_PUBLISH};
