//! A TCP listener for HJ 212: data loggers of China's pollutant monitoring connect to it directly.
//!
//! What holds:
//! - **An answer means durable.** A frame that asks for an answer (`Flag`, its lowest bit) gets it
//!   once its readings, or its dead letter, are committed, in the order of the frames. A frame
//!   whose checksum is wrong gets none, so that the logger sends it again; nor does any frame
//!   while the store fails. Encrypted data (HJ 212-2025) have a checksum that only their key can
//!   check; where the listener has none, they go on as they are and are answered all the same, as
//!   readings or as a dead letter: a logger that sent them for ever would tell nobody more.
//! - **Split transmissions** are answered packet by packet, because loggers wait for the answer to
//!   one before they send the next. A packet without `DataTime` goes on together with the first
//!   packet of its transmission, which has it (and whose readings are known already then), if none
//!   in between is missing: else the first one may be that of the transmission before.
//! - **Garbage** between frames costs no frame. It becomes dead letters that no format ever reads,
//!   because nobody looked at a password in it, a few for each
//!   connection and a bounded number a minute in all; past that the connection ends.
//! - **Bounded.** Connections, bytes of a frame, frames without an answer, time without a frame,
//!   and time for the first one. While the pipeline is full nothing is read.
//! - One connection may speak for several devices (`MN`), as gateways do; each shows its password
//!   (`PW`) in each frame, and [`Access`] says whether it is right. Passwords that have to be hashed
//!   are, a few at a time, off the threads that serve connections; after some wrong ones no more
//!   of that address are looked up for a while, and only those known already still come in.
//!
//! Messages come as topic `hj212/{MN}`; what is in them is for the format `hj212` to say.

mod access;
mod acks;
mod config;
mod connection;
mod failures;
mod garbage;
mod listener;
mod split;
mod stats;

pub use access::{Access, AllowAll};
pub use city_decode::hj212::Sm4Key;
pub use config::{Checksum, Config};
pub use listener::Listener;
pub use stats::{Stats, StatsSnapshot};
