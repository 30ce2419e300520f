//! The endpoint against clients over real connections, byte by byte and through a client library.

mod acknowledge;
mod clients;
mod commands;
mod harness;
mod interop_v3;
mod interop_v5;
mod limits;
mod secure;
mod sessions;
mod websockets;
mod wills;
