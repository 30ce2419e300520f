//! How a request came: over TLS or not, and from a page of this server or of another one.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};

use super::caller::Caller;
use crate::connection::OverTls;
use crate::problem::{Answer, Problem, codes};

/// Whether a request came over TLS: to our own listener, or to a proxy on this machine that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transport {
    pub(crate) tls: bool,
    /// Whether a proxy on this machine handed it over.
    proxied: bool,
}

impl Transport {
    pub(crate) fn of(parts: &Parts) -> Self {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let near = Caller::is_near(peer);
        let said = |name| near && parts.headers.contains_key(name);
        let proto = parts.headers.get_all("x-forwarded-proto").iter().next_back();
        let by_proxy = near && proto.is_some_and(|proto| proto == "https");
        Self {
            tls: by_proxy || parts.extensions.get::<OverTls>().is_some(),
            proxied: said("x-forwarded-proto") || said("x-forwarded-for"),
        }
    }

    /// The name of the session cookie. With TLS it is one that no other host and no plain connection
    /// can set (RFC 6265bis, clause 4.1.3.2), and no other is believed.
    pub(crate) fn cookie(self) -> &'static str {
        if self.tls { SECURE_COOKIE } else { COOKIE }
    }

    /// The name of the cookie by which a browser is known.
    pub(crate) fn browser_cookie(self) -> &'static str {
        if self.tls { "__Host-citybrain_browser" } else { "citybrain_browser" }
    }

    /// The name of the cookie of a browser that is at the identity provider.
    pub(crate) fn external_cookie(self) -> &'static str {
        if self.tls { "__Host-citybrain_external" } else { "citybrain_external" }
    }
}

/// The name of the session cookie without TLS.
pub(crate) const COOKIE: &str = "citybrain_session";
/// The name of the session cookie with TLS.
pub(crate) const SECURE_COOKIE: &str = "__Host-citybrain_session";

impl<S: Send + Sync> FromRequestParts<S> for Transport {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(parts))
    }
}

/// A request that no page of another site has made; for logins, which have no session yet that a
/// header could guard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SameOrigin;

impl<S: Send + Sync> FromRequestParts<S> for SameOrigin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        check_origin(&parts.headers, &parts.uri, Transport::of(parts)).map(|()| Self)
    }
}

/// Refuses what a page of another site made a browser send: by what the browser says of the two
/// (Fetch Metadata), or else by the page's origin. Programs say neither.
pub(super) fn check_origin(headers: &HeaderMap, uri: &Uri, transport: Transport) -> Answer<()> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let same = match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => is_own(origin, headers, uri, transport),
        (None, None) => true,
    };
    if same {
        return Ok(());
    }
    Err(Problem::new(codes::CROSS_ORIGIN, "A page of another site made this request.")
        .hint("Open the dashboard itself; programs use an access token."))
}

/// Whether an origin is this server's: its host is the one that was asked. A proxy on this machine
/// may have changed `Host`, and says in `X-Forwarded-Host` what it was.
fn is_own(origin: &str, headers: &HeaderMap, uri: &Uri, transport: Transport) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let asked = |name: &str| headers.get_all(name).iter().next_back()?.to_str().ok();
    let forwarded = if transport.proxied { asked("x-forwarded-host") } else { None };
    let host = forwarded.or(asked(header::HOST.as_str()));
    let host = host.or(uri.authority().map(axum::http::uri::Authority::as_str));
    let port = if scheme == "https" { ":443" } else { ":80" };
    let plain = |name: &str| name.trim().trim_end_matches(port).to_ascii_lowercase();
    host.is_some_and(|host| plain(host) == plain(authority))
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn parts(peer: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = Request::builder().uri("/api/v1/session");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).expect("a request").into_parts();
        let peer: SocketAddr = peer.parse().expect("an address");
        parts.extensions.insert(ConnectInfo(peer));
        parts
    }

    #[test]
    fn only_a_proxy_on_this_machine_is_believed() {
        let https = [("x-forwarded-proto", "https")];
        assert!(Transport::of(&parts("127.0.0.1:9", &https)).tls);
        assert!(!Transport::of(&parts("192.0.2.1:9", &https)).tls);
        let smuggled = [("x-forwarded-proto", "https"), ("x-forwarded-proto", "http")];
        assert!(!Transport::of(&parts("127.0.0.1:9", &smuggled)).tls, "the proxy's comes last");
        let mut own = parts("192.0.2.1:9", &[]);
        assert_eq!(Transport::of(&own).cookie(), COOKIE);
        own.extensions.insert(OverTls);
        assert_eq!(Transport::of(&own).cookie(), SECURE_COOKIE);
    }

    #[test]
    fn other_sites_are_refused_and_programs_are_not() {
        let goes = |peer: &str, headers: &[(&str, &str)]| {
            let parts = parts(peer, headers);
            check_origin(&parts.headers, &parts.uri, Transport::of(&parts)).is_ok()
        };
        let far = "192.0.2.1:9";
        assert!(goes(far, &[]));
        for (site, good) in [("same-origin", true), ("none", true), ("same-site", false)] {
            assert_eq!(goes(far, &[("sec-fetch-site", site)]), good, "{site}");
        }
        let evil = [("sec-fetch-site", "cross-site"), ("host", "a"), ("origin", "http://a")];
        assert!(!goes(far, &evil));
        let origin = |origin, host| [("origin", origin), ("host", host)];
        assert!(goes(far, &origin("https://City.example", "city.example")));
        assert!(goes(far, &origin("https://city.example", "city.example:443")));
        assert!(goes(far, &origin("http://10.0.0.1:8080", "10.0.0.1:8080")));
        for bad in ["https://evil.example", "null", "https://city.example.evil", "http://x:81"] {
            assert!(!goes(far, &origin(bad, "city.example")), "{bad}");
        }
        let behind = [
            ("origin", "https://city.example"),
            ("host", "127.0.0.1:8080"),
            ("x-forwarded-host", "city.example"),
            ("x-forwarded-for", "192.0.2.9"),
        ];
        assert!(goes("127.0.0.1:9", &behind), "a proxy that changes `Host`");
        assert!(!goes(far, &behind), "anybody else may not say so");
    }
}
