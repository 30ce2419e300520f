//! What browsers follow: the present state of all devices, and the stream of its changes.
//!
//! Ingest only writes into a table behind a short lock. A ticker turns what changed into at most
//! fifteen events a second (five of the map, ten of values), written once and shared by all clients. Nothing here ever waits for
//! a client: one that falls behind is told to start over.

mod client;
mod event;
mod hub;
mod published;
mod ring;
mod seats;
mod table;

pub(crate) use client::{ClientFilter, HelloEvent, ResyncEvent, Start, stream};
pub(crate) use event::{EventKind, MapChange};
pub(crate) use hub::Hub;
pub(crate) use published::MapColumns;
pub(crate) use seats::{Follower, Seats, Taking};
pub(crate) use table::DeviceNow;
