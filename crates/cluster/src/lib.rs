//! One city on many machines: what collectors, alert workers and brains put on the bus between them,
//! and what they take from it.
//!
//! - A **collector** is a whole pipeline whose store is the bus ([`BusStore`]): a message is
//!   acknowledged when its readings are in the replicated stream of their partition.
//! - An **alert worker** owns partitions by leases ([`Owners`]). Of each it keeps an alert engine, whose
//!   state is a database that follows a log on the bus ([`Replica`]): whoever takes the partition over
//!   goes on from there, and whoever lost it cannot write any more.
//! - A **brain** reads all that was committed into a store of its own ([`Tail`]), and takes in what
//!   the engines found ([`Intake`]).
//!
//! A device belongs to one partition, by a hash of its id, so that whatever one rule looks at of one
//! device is in one place and in order. Rules that look at several devices or at other rules are
//! evaluated by one engine more, which hears all partitions in the order of the stream.

mod bus_store;
mod courier;
mod intake;
mod log;
mod owner;
mod owners;
mod partition;
mod place;
mod replica;
mod tail;
mod wire;

pub use bus_store::BusStore;
pub use courier::Courier;
pub use intake::{Intake, IntakeError};
pub use log::BusLog;
pub use owner::OwnerError;
pub use owners::{Owners, OwnersParts, Owning, PartitionStatus};
pub use partition::{Partition, partition_of};
pub use replica::{CITY, Replica, ReplicaError};
pub use tail::{Tail, TailParts};
