//! The address that a request comes from, also behind a proxy on the same machine.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;

/// What proxies add the address to that asked them.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The address of the client, or loopback where there is no connection.
///
/// Behind a proxy on loopback every client would have the proxy's address, so there the last hop
/// of `X-Forwarded-For` counts: the one that the proxy saw. Earlier hops are only what the client
/// says, and from any other peer the whole header is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller(pub(crate) IpAddr);

impl Caller {
    /// The address that a request comes from.
    pub(crate) fn of(parts: &Parts) -> Self {
        let info = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = info.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |info| info.0.ip());
        Self(caller(peer, &parts.headers))
    }

    /// Whether a request comes from this machine, as what a proxy in front passes on does.
    pub(crate) fn has_near_peer(parts: &Parts) -> bool {
        let info = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Self::is_near(info.map(|info| info.0.ip()))
    }

    /// Whether a peer is on this machine, as one is where there is no connection at all.
    pub(super) fn is_near(peer: Option<IpAddr>) -> bool {
        peer.is_none_or(|peer| peer.to_canonical().is_loopback())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(parts))
    }
}

fn caller(peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    // A socket for both families shows IPv4 clients as ::ffff:a.b.c.d.
    let peer = peer.to_canonical();
    if !peer.is_loopback() {
        return peer;
    }
    let last = headers.get_all(FORWARDED_FOR).iter().next_back();
    last.and_then(|value| last_hop(value.to_str().ok()?)).unwrap_or(peer)
}

/// The last address of a list; some proxies add the port.
fn last_hop(list: &str) -> Option<IpAddr> {
    let hop = list.rsplit(',').next()?.trim();
    let with_port = || hop.parse().ok().map(|address: SocketAddr| address.ip());
    let bare = hop.trim_start_matches('[').trim_end_matches(']').parse().ok();
    bare.or_else(with_port).map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(peer: &str, forwarded: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for list in forwarded {
            headers.append(FORWARDED_FOR, list.parse().expect("a header"));
        }
        caller(peer.parse().expect("an address"), &headers).to_string()
    }

    #[test]
    fn behind_a_proxy_on_loopback_the_last_hop_is_the_caller() {
        for peer in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(from(peer, &["192.0.2.1"]), "192.0.2.1", "{peer}");
        }
        assert_eq!(from("::1", &["10.9.9.9, 192.0.2.1"]), "192.0.2.1", "what clients say is not");
        assert_eq!(from("::1", &["10.9.9.9", "10.8.8.8,192.0.2.1 "]), "192.0.2.1");
        assert_eq!(from("::1", &["192.0.2.1:4711"]), "192.0.2.1");
        assert_eq!(from("::1", &["::ffff:192.0.2.1"]), "192.0.2.1");
        for list in ["2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:4711"] {
            assert_eq!(from("::1", &[list]), "2001:db8::1", "{list}");
        }
        for nonsense in ["", "unknown", "192.0.2.1, _hidden"] {
            assert_eq!(from("127.0.0.1", &[nonsense]), "127.0.0.1", "{nonsense}");
        }
    }

    #[test]
    fn nobody_else_may_say_where_they_come_from() {
        assert_eq!(from("198.51.100.7", &["192.0.2.1"]), "198.51.100.7");
        assert_eq!(from("2001:db8::7", &["192.0.2.1"]), "2001:db8::7");
        assert_eq!(from("127.0.0.1", &[]), "127.0.0.1");
        assert_eq!(from("::ffff:198.51.100.7", &[]), "198.51.100.7");
    }
}
