//! The endpoint against clients over real connections, byte by byte and through a client library.

mod acknowledge;
mod clients;
mod harness;
mod limits;
mod sessions;
mod wills;
