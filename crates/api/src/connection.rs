//! What is known of the connection that a request came over.

use std::net::SocketAddr;

use axum::http::Extensions;

/// An extension of requests that came over TLS to this program's own listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OverTls;

/// The connection that a request came over. Every request has it as an extension, but for those of
/// tests that know the router alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Connection {
    /// The other side.
    pub(crate) peer: SocketAddr,
    /// Whether this program itself speaks TLS on it.
    pub(crate) encrypted: bool,
    /// Where it came in.
    pub(crate) door: Door,
}

/// Where connections come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// Where everybody comes in.
    Public,
    /// Where only this program and its command line do, on loopback: nothing is refused there for
    /// the sake of the others.
    Own,
}

impl Connection {
    /// Whether a request came in where only this program and its command line do.
    pub(crate) fn is_own(extensions: &Extensions) -> bool {
        extensions.get::<Self>().is_some_and(|connection| connection.door == Door::Own)
    }
}
