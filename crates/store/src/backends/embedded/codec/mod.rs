//! How the readings of a device in a window become a few bytes, and back.

pub(super) mod bytes;
mod chunk;
mod column;
mod ints;
mod numbers;
mod presence;
mod stats;
pub(super) mod tier;

pub(super) use chunk::{Chunk, encode};
