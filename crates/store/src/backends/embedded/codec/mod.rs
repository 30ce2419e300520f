//! How the readings of a device in a window become a few bytes, and back.

pub(super) mod bytes;
mod chunk;
mod ints;
mod numbers;

pub(super) use chunk::{Chunk, encode};
