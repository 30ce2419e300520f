//! Sends requests that come in plain to the same address with TLS.

use axum::Router;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

/// Where browsers go without a port.
const HTTPS_PORT: u16 = 443;

/// Answers everything with the address with TLS, on this port.
pub(super) fn router(port: u16) -> Router {
    Router::new().fallback(async move |uri: Uri, headers: HeaderMap| answer(&uri, &headers, port))
}

fn answer(uri: &Uri, headers: &HeaderMap, port: u16) -> Response {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let Some(location) = host.and_then(|host| location(host, uri, port)) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    // 308 keeps the method; what is kept of it is for the client to say.
    (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, location)]).into_response()
}

fn location(host: &str, uri: &Uri, port: u16) -> Option<String> {
    let authority: Authority = host.parse().ok()?;
    let name = authority.host();
    if name.is_empty() || host.contains('@') {
        return None;
    }
    let port = if port == HTTPS_PORT { String::new() } else { format!(":{port}") };
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    Some(format!("https://{name}{port}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_the_same_but_for_the_port() {
        for (host, path, port, expected) in [
            ("city.example", "/map?z=1", 443, Some("https://city.example/map?z=1")),
            ("city.example:8080", "/", 8443, Some("https://city.example:8443/")),
            ("[2001:db8::1]:80", "/a", 443, Some("https://[2001:db8::1]/a")),
            ("user@city.example", "/", 443, None),
            ("two words", "/", 443, None),
            ("", "/", 443, None),
        ] {
            let uri = path.parse().expect("a path");
            assert_eq!(location(host, &uri, port).as_deref(), expected, "{host}");
        }
    }
}
