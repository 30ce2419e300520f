//! Where this server is, as whoever asks wrote it.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use axum::http::uri::Authority;

use crate::auth::Caller;
use crate::connection::OverTls;

/// The beginning of this server's addresses as the client wrote them: scheme and host.
///
/// A host that cannot be one is left out, so that addresses begin with the path.
#[derive(Clone, Debug)]
pub(crate) struct Base(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Base {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let named = parts.headers.get(header::HOST).and_then(|value| value.to_str().ok());
        // HTTP/2 has it in the address (RFC 9113, section 8.3.1).
        let host = named.or_else(|| parts.uri.authority().map(Authority::as_str));
        let host = host.unwrap_or_default();
        let fits = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
        if host.is_empty() || host.len() > 255 || !host.chars().all(fits) {
            return Ok(Self(String::new()));
        }
        // Here, or at a proxy on this machine; from anybody else the header is only what they say.
        let proxied = || {
            Caller::has_near_peer(parts)
                && parts.headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https")
        };
        let tls = parts.extensions.get::<OverTls>().is_some() || proxied();
        let scheme = if tls { "https" } else { "http" };
        Ok(Self(format!("{scheme}://{host}")))
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::extract::ConnectInfo;
    use axum::http::Request;

    use super::*;

    async fn base(headers: &[(&str, &str)], address: &str, tls: bool) -> String {
        let mut request = Request::builder().uri(address);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).expect("a request").into_parts();
        if tls {
            parts.extensions.insert(OverTls);
        }
        let Ok(Base(base)) = Base::from_request_parts(&mut parts, &()).await;
        base
    }

    #[tokio::test]
    async fn addresses_begin_as_the_client_wrote_them() {
        let host = ("host", "city.example:8080");
        assert_eq!(base(&[host], "/open/v1", false).await, "http://city.example:8080");
        assert_eq!(base(&[host], "/open/v1", true).await, "https://city.example:8080");
        let proxy = ("x-forwarded-proto", "https");
        assert_eq!(base(&[host, proxy], "/", false).await, "https://city.example:8080");
        assert_eq!(base(&[], "https://[::1]:8443/open/v1", true).await, "https://[::1]:8443");
        let mut far = Request::builder().uri("/").header("host", "city.example");
        far = far.header("x-forwarded-proto", "https");
        far = far.extension(ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 4711))));
        let (mut parts, ()) = far.body(()).expect("a request").into_parts();
        let Ok(Base(said)) = Base::from_request_parts(&mut parts, &()).await;
        assert_eq!(said, "http://city.example", "what somebody far away says of a proxy");
        for odd in ["", "a b", "a/b", "a\"><b", "a@b"] {
            assert_eq!(base(&[("host", odd)], "/", false).await, "", "{odd}");
        }
    }
}
