//! Answers that are the same for everybody: encoded once a minute, and forgotten when what is
//! public changes.

use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use city_model::{Span, Timestamp};
use rustc_hash::FxHashMap;
use tokio::sync::OnceCell;

use crate::assets::{etag, is_known};
use crate::problem::Answer;

/// How long an answer stands.
pub(super) const LIFETIME: Span = Span::from_mins(1);
/// What caches on the way are told; it is as long as answers stand.
pub(super) const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("public, max-age=60");
/// Answers that are kept, at most.
const MOST: usize = 512;
/// Bytes of answers that are kept, at most.
const MOST_BYTES: usize = 64 << 20;

/// What answers depend on beside the readings and the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// The generation of the datasets.
    pub(super) marks: u64,
    /// The version of the directory.
    pub(super) directory: u64,
}

/// An answer in full.
#[derive(Clone, Debug)]
pub(super) struct Encoded {
    pub(super) content_type: &'static str,
    pub(super) bytes: Bytes,
    /// When what it tells was changed last.
    pub(super) modified: Timestamp,
}

#[derive(Debug)]
struct Entry {
    stamp: Stamp,
    made_at: Timestamp,
    kept: OnceCell<(Encoded, HeaderValue)>,
}

/// Answers by their address, the last ones.
#[derive(Debug, Default)]
pub(crate) struct Cache(Mutex<FxHashMap<String, Arc<Entry>>>);

impl Cache {
    /// The answer for an address: as kept, or as `encode` makes it, once for all who wait for it.
    pub(super) async fn answer<F>(
        &self,
        key: String,
        (stamp, now): (Stamp, Timestamp),
        headers: &HeaderMap,
        encode: impl FnOnce() -> F,
    ) -> Answer<Response>
    where
        F: Future<Output = Answer<Encoded>>,
    {
        let entry = self.entry(key, stamp, now);
        let (encoded, tag) = entry
            .kept
            .get_or_try_init(|| async {
                let encoded = encode().await?;
                let tag = etag(&encoded.bytes);
                Ok::<_, crate::problem::Problem>((encoded, tag))
            })
            .await?;
        Ok(respond(encoded, tag, headers))
    }

    fn entry(&self, key: String, stamp: Stamp, now: Timestamp) -> Arc<Entry> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stands = |entry: &Entry| {
            let age = now.since(entry.made_at);
            entry.stamp == stamp && (Span::ZERO..LIFETIME).contains(&age)
        };
        if let Some(entry) = entries.get(&key).filter(|entry| stands(entry)) {
            return entry.clone();
        }
        entries.retain(|_, entry| stands(entry));
        let size = |entry: &Arc<Entry>| entry.kept.get().map_or(0, |(kept, _)| kept.bytes.len());
        if entries.len() >= MOST || entries.values().map(size).sum::<usize>() >= MOST_BYTES {
            entries.clear();
        }
        let entry = Arc::new(Entry { stamp, made_at: now, kept: OnceCell::new() });
        entries.insert(key, entry.clone());
        entry
    }
}

fn respond(encoded: &Encoded, tag: &HeaderValue, headers: &HeaderMap) -> Response {
    let modified = http_date(encoded.modified);
    let shared = [
        (header::ETAG, tag.clone()),
        (header::LAST_MODIFIED, modified),
        (header::CACHE_CONTROL, CACHE_CONTROL),
    ];
    let asks_by_time = !headers.contains_key(header::IF_NONE_MATCH);
    let known = is_known(headers, tag) || (asks_by_time && is_unmodified(headers, encoded));
    if known {
        return (StatusCode::NOT_MODIFIED, shared).into_response();
    }
    let content_type = [(header::CONTENT_TYPE, encoded.content_type)];
    (shared, content_type, encoded.bytes.clone()).into_response()
}

/// Whether the client's version is not older (RFC 9110, clause 13.1.3).
fn is_unmodified(headers: &HeaderMap, encoded: &Encoded) -> bool {
    let since = headers.get(header::IF_MODIFIED_SINCE).and_then(|value| value.to_str().ok());
    let Some(since) = since.and_then(|text| jiff::fmt::rfc2822::parse(text).ok()) else {
        return false;
    };
    encoded.modified.micros().div_euclid(1_000_000) <= since.timestamp().as_second()
}

/// An instant as HTTP writes it (RFC 9110, clause 5.6.7).
fn http_date(at: Timestamp) -> HeaderValue {
    static PRINTER: jiff::fmt::rfc2822::DateTimePrinter =
        jiff::fmt::rfc2822::DateTimePrinter::new();
    jiff::Timestamp::from_microsecond(at.micros())
        .ok()
        .and_then(|at| PRINTER.timestamp_to_rfc9110_string(&at).ok())
        .and_then(|text| text.parse().ok())
        .unwrap_or(HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 GMT"))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const STAMP: Stamp = Stamp { marks: 1, directory: 1 };

    async fn ask(cache: &Cache, made: &AtomicU32, stamp: Stamp, at_s: i64) -> Response {
        let encode = || async {
            let nth = made.fetch_add(1, Ordering::Relaxed).to_string();
            let modified = Timestamp::from_secs(1_795_435_200);
            Ok(Encoded { content_type: "text/plain", bytes: nth.into(), modified })
        };
        let at = (stamp, Timestamp::from_secs(at_s));
        cache.answer("/x".to_owned(), at, &HeaderMap::new(), encode).await.expect("an answer")
    }

    #[tokio::test]
    async fn an_answer_stands_a_minute_and_not_beyond_a_change() {
        let (cache, made) = (Cache::default(), AtomicU32::new(0));
        let first = ask(&cache, &made, STAMP, 0).await;
        assert_eq!(first.headers()["last-modified"], "Mon, 23 Nov 2026 12:00:00 GMT");
        ask(&cache, &made, STAMP, 59).await;
        assert_eq!(made.load(Ordering::Relaxed), 1);
        ask(&cache, &made, STAMP, 60).await;
        assert_eq!(made.load(Ordering::Relaxed), 2, "a minute later");
        ask(&cache, &made, Stamp { marks: 2, ..STAMP }, 60).await;
        assert_eq!(made.load(Ordering::Relaxed), 3, "other datasets");
        ask(&cache, &made, Stamp { marks: 2, ..STAMP }, 0).await;
        assert_eq!(made.load(Ordering::Relaxed), 4, "the clock was set back");
    }

    #[test]
    fn the_cache_is_bounded() {
        let cache = Cache::default();
        for n in 0..MOST * 3 {
            cache.entry(n.to_string(), STAMP, Timestamp::from_secs(0));
        }
        assert!(cache.0.lock().expect("not poisoned").len() <= MOST);
    }

    #[test]
    fn a_client_that_has_it_is_told_so() {
        let encoded = Encoded {
            content_type: "text/plain",
            bytes: Bytes::from_static(b"x"),
            modified: Timestamp::from_millis(1_795_435_200_900),
        };
        let tag = etag(&encoded.bytes);
        let ask = |name: header::HeaderName, value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().expect("a header"));
            respond(&encoded, &tag, &headers).status()
        };
        let known = tag.to_str().expect("text");
        assert_eq!(ask(header::IF_NONE_MATCH, known), 304);
        assert_eq!(ask(header::IF_NONE_MATCH, "\"other\""), 200);
        assert_eq!(ask(header::IF_MODIFIED_SINCE, "Mon, 23 Nov 2026 12:00:00 GMT"), 304);
        assert_eq!(ask(header::IF_MODIFIED_SINCE, "Mon, 23 Nov 2026 11:59:59 GMT"), 200);
        assert_eq!(ask(header::IF_MODIFIED_SINCE, "soon"), 200);
    }
}
