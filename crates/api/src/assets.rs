//! The web app, embedded: any path that is nothing else, and that looks like no file or is opened by
//! a person, is the app's first page.

use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use include_dir::{Dir, include_dir};
use rustc_hash::FxHashMap;
use sha2::{Digest, Sha256};

use crate::encoding::{Effort, Encoded};
use crate::problem::{Problem, codes};

static WEB: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/web");
static ASSETS: LazyLock<FxHashMap<String, Encoded>> = LazyLock::new(|| {
    let mut assets = FxHashMap::default();
    collect(&WEB, &mut assets);
    assets
});

/// The page of the app.
const INDEX: &str = "index.html";
/// Files whose name holds a hash of their content never change.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";
/// All others are asked for again, and answered with 304 while they are the same.
const REVALIDATE: &str = "no-cache";

/// Content types by the ending of the file name.
const CONTENT_TYPES: &[(&str, &str)] = &[
    ("html", "text/html; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("mjs", "text/javascript; charset=utf-8"),
    ("css", "text/css; charset=utf-8"),
    ("json", "application/json"),
    ("map", "application/json"),
    ("webmanifest", "application/manifest+json"),
    ("svg", "image/svg+xml"),
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("webp", "image/webp"),
    ("ico", "image/x-icon"),
    ("woff2", "font/woff2"),
    ("wasm", "application/wasm"),
    ("txt", "text/plain; charset=utf-8"),
    ("md", "text/markdown; charset=utf-8"),
    ("geojson", "application/geo+json"),
];

/// Answers everything that no route took.
pub(crate) async fn fallback(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if ["api", "open", "sta"].iter().any(|root| path.split('/').next() == Some(root)) {
        let problem = Problem::new(codes::NOT_FOUND, "The API has no such address.");
        return problem.hint("GET /api/v1/docs lists those that there are.").into_response();
    }
    if method != Method::GET && method != Method::HEAD {
        let problem = Problem::new(codes::METHOD_NOT_ALLOWED, "Pages can only be read.");
        return ([(header::ALLOW, "GET, HEAD")], problem).into_response();
    }
    let is_page = !path.rsplit('/').next().unwrap_or_default().contains('.') || is_opened(&headers);
    let found = ASSETS.get(path).or_else(|| ASSETS.get(INDEX).filter(|_| is_page));
    match found {
        Some(asset) => asset.answer(&headers),
        None => Problem::new(codes::NOT_FOUND, "There is no such file.").into_response(),
    }
}

/// Whether a person opens the address in a browser: ids in the app's addresses may hold dots, and
/// what a page loads by itself, such as a script that there is no longer, asks for no HTML.
fn is_opened(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|types| types.contains("text/html"))
}

/// Whether the client has this version already.
pub(crate) fn is_known(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    let Some(Ok(known)) = headers.get(header::IF_NONE_MATCH).map(HeaderValue::to_str) else {
        return false;
    };
    known.split(',').map(str::trim).any(|tag| tag == "*" || tag.as_bytes() == etag.as_bytes())
}

/// A weak tag of this content: compression changes the bytes, not what they say.
pub(crate) fn etag(bytes: &[u8]) -> HeaderValue {
    let hash = Sha256::digest(bytes);
    format!("W/\"{}\"", URL_SAFE_NO_PAD.encode(&hash[..12]))
        .parse()
        .unwrap_or(HeaderValue::from_static("W/\"\""))
}

fn collect(dir: &'static Dir<'static>, assets: &mut FxHashMap<String, Encoded>) {
    for file in dir.files() {
        let path = file.path().to_string_lossy().replace('\\', "/");
        let ending = path.rsplit('.').next().unwrap_or_default();
        let content_type = CONTENT_TYPES
            .iter()
            .find(|(known, _)| *known == ending)
            .map_or("application/octet-stream", |(_, content_type)| content_type);
        let cache = if is_hashed(&path) { IMMUTABLE } else { REVALIDATE };
        let (bytes, etag) = (Bytes::from_static(file.contents()), etag(file.contents()));
        let asset = Encoded::new(bytes, content_type, etag, cache, Effort::Much);
        assets.insert(path, asset);
    }
    for dir in dir.dirs() {
        collect(dir, assets);
    }
}

/// Whether a name holds a hash, as the bundler writes them: `assets/index-B3x_9-aQ.js`.
fn is_hashed(path: &str) -> bool {
    let Some(name) = path.strip_prefix("assets/") else { return false };
    let stem = name.split('.').next().unwrap_or_default();
    // The hash may hold dashes itself, so it is taken by its length of eight.
    let Some((at, hash)) = stem.char_indices().rev().nth(7).map(|(at, _)| (at, &stem[at..])) else {
        return false;
    };
    stem[..at].ends_with('-')
        && hash.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
        && hash.chars().any(|c| c.is_ascii_digit() || c.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    #[test]
    fn only_names_with_a_hash_are_immutable() {
        for (path, hashed) in [
            ("assets/index-B3x_9-aQ.js", true),
            ("assets/maplibre-gl-worker-D0aBcDeF.js", true),
            ("assets/maplibre-settings.js", false),
            ("assets/app.js", false),
            ("index-B3x_9-aQ.html", false),
            ("index.html", false),
        ] {
            assert_eq!(is_hashed(path), hashed, "{path}");
        }
    }

    #[tokio::test]
    async fn an_address_with_a_dot_is_a_page_for_a_person_and_no_file_for_a_script() {
        let ask = async |path: &'static str, accept: &'static str| {
            let headers =
                HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            fallback(Method::GET, Uri::from_static(path), headers).await.status()
        };
        let (person, script) = ("text/html,application/xhtml+xml,*/*;q=0.8", "*/*");
        assert_eq!(ask("/admin/users/j.smith", person).await, StatusCode::OK);
        assert_eq!(ask("/admin/users/j.smith", script).await, StatusCode::NOT_FOUND);
        assert_eq!(ask("/assets/gone-B3x_9-aQ.js", script).await, StatusCode::NOT_FOUND);
        assert_eq!(ask("/api/v1/users/j.smith", person).await, StatusCode::NOT_FOUND);
        assert_eq!(ask("/devices", script).await, StatusCode::OK);
    }

    #[test]
    fn every_embedded_file_has_a_content_type() {
        assert!(ASSETS.contains_key(INDEX));
        for (path, asset) in ASSETS.iter() {
            assert_ne!(asset.content_type(), "application/octet-stream", "{path}");
        }
    }
}
