//! An id for each request, and its line in the log.
//!
//! The id is the caller's `x-request-id` if that can stand in a log, otherwise a new one; it goes
//! back in the same header, stands in problems as `request_id`, and in everything that is logged
//! while the request is answered. The line has the names of OpenTelemetry's semantic conventions
//! for HTTP. It never holds queries, headers or bodies, which may hold secrets.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tokio::time::Instant;
use tracing::Instrument as _;

/// The header that carries the id both ways.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id of a caller that is taken, in bytes.
const LONGEST: usize = 128;

/// An answer whose head takes longer than this is logged as slow.
const SLOW: Duration = Duration::from_secs(2);

/// So many requests a second are logged as slow or failed; the others are counted. A server that
/// sheds load must not spend it on its log.
const WARNINGS_PER_S: u64 = 10;

/// The id of a request, among its extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestId(Arc<str>);

impl RequestId {
    /// The caller's id if it is sane: 1 to 128 letters, digits and `-_.:/+=@`; otherwise a new one.
    fn of(headers: &HeaderMap) -> Self {
        let sane = |id: &&str| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(&byte);
            (1..=LONGEST).contains(&id.len()) && id.bytes().all(plain)
        };
        let given = headers.get(HEADER).and_then(|id| id.to_str().ok()).filter(sane);
        Self(given.map_or_else(|| format!("{:032x}", rand::random::<u128>()).into(), Arc::from))
    }

    /// The id.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Keeps the log of slow and failed requests short while there are many.
#[derive(Clone, Debug)]
pub(crate) struct RequestLog {
    began: Instant,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    second: AtomicU64,
    said: AtomicU64,
    suppressed: AtomicU64,
}

impl RequestLog {
    /// Nothing was said yet.
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), shared: Arc::default() }
    }

    /// Whether one more warning may be said now, and then how many were not said since the last.
    fn may_warn(&self) -> Option<u64> {
        let Shared { second, said, suppressed } = &*self.shared;
        let now = self.began.elapsed().as_secs();
        if second.swap(now, Ordering::Relaxed) != now {
            said.store(0, Ordering::Relaxed);
        }
        if said.fetch_add(1, Ordering::Relaxed) < WARNINGS_PER_S {
            Some(suppressed.swap(0, Ordering::Relaxed))
        } else {
            suppressed.fetch_add(1, Ordering::Relaxed);
            None
        }
    }
}

/// Gives a request its id, and writes its line: at debug, or as a warning when it was slow or the
/// server failed.
pub(crate) async fn trace(
    State(log): State<RequestLog>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = RequestId::of(request.headers());
    request.extensions_mut().insert(id.clone());
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let span = tracing::error_span!("http", request.id = id.as_str());
    let start = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let took = start.elapsed();
    let _entered = span.enter();
    let status = response.status();
    let route = route.as_ref().map_or("", MatchedPath::as_str);
    let took_ms = took.as_millis() as u64;
    let slow = took >= SLOW;
    if !(slow || status.is_server_error()) {
        tracing::debug!(
            http.request.method = %method,
            http.route = route,
            url.path = path,
            http.response.status_code = status.as_u16(),
            http.server.duration_ms = took_ms,
            "request"
        );
    } else if let Some(suppressed) = log.may_warn() {
        tracing::warn!(
            http.request.method = %method,
            http.route = route,
            url.path = path,
            http.response.status_code = status.as_u16(),
            http.server.duration_ms = took_ms,
            request.suppressed = suppressed,
            "{}",
            if slow { "slow request" } else { "failed request" }
        );
    }
    if let Ok(id) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(HEADER, id);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(id: &[u8]) -> RequestId {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_bytes(id).expect("a header"));
        RequestId::of(&headers)
    }

    #[test]
    fn an_id_that_can_stand_in_a_log_is_taken_and_others_are_made_anew() {
        for good in ["a", "4bf92f3577b34da6a3ce929d0e0e4736", "duty-desk/7:1@x", &"x".repeat(128)] {
            assert_eq!(of(good.as_bytes()).as_str(), good);
        }
        for bad in [&b""[..], b"two words", b"a\tb", "编号".as_bytes(), b"<b>", &[b'x'; 129]] {
            let made = of(bad);
            let is_hex = made.as_str().bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(made.as_str().len() == 32 && is_hex, "{made:?}");
        }
        assert_ne!(of(b""), of(b""), "each is another");
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_failures_is_counted_and_not_said() {
        let log = RequestLog::new();
        let said = (0..1000).filter(|_| log.may_warn().is_some()).count() as u64;
        assert_eq!(said, WARNINGS_PER_S);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(log.may_warn(), Some(1000 - WARNINGS_PER_S));
        assert_eq!(log.may_warn(), Some(0));
    }
}
