//! Answers that many ask for: written once, compressed once for each encoding, and shared.

use std::io::Write as _;
use std::sync::OnceLock;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::assets::is_known;

/// What is shorter than this gains nothing from being compressed, in bytes.
const WORTH_IT: usize = 512;
/// The window of Brotli, as a power of two bytes.
const WINDOW: u32 = 22;

/// How much work compressing is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// What changes all the time.
    Little,
    /// What stays as long as the program runs.
    Much,
}

impl Effort {
    /// The qualities of Brotli and of gzip.
    const fn qualities(self) -> (u32, u32) {
        match self {
            Self::Little => (2, 1),
            Self::Much => (9, 9),
        }
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Encoded {
    plain: Bytes,
    content_type: &'static str,
    etag: HeaderValue,
    cache: &'static str,
    effort: Effort,
    brotli: OnceLock<Bytes>,
    gzip: OnceLock<Bytes>,
}

/// How an answer is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Plain,
    Brotli,
    Gzip,
}

impl Encoded {
    /// An answer with this weak tag, which lets itself be kept as `cache` says (RFC 9111).
    pub(crate) fn new(
        plain: Bytes,
        content_type: &'static str,
        etag: HeaderValue,
        cache: &'static str,
        effort: Effort,
    ) -> Self {
        let (brotli, gzip) = (OnceLock::new(), OnceLock::new());
        Self { plain, content_type, etag, cache, effort, brotli, gzip }
    }

    /// What was written.
    #[cfg(test)]
    pub(crate) fn content_type(&self) -> &'static str {
        self.content_type
    }

    /// The answer to a request with these headers. Compresses if nobody has asked for this encoding
    /// before, which takes some milliseconds for each megabyte.
    pub(crate) fn answer(&self, headers: &HeaderMap) -> Response {
        let shared = [
            (header::ETAG, self.etag.clone()),
            (header::CACHE_CONTROL, HeaderValue::from_static(self.cache)),
            (header::VARY, HeaderValue::from_static("accept-encoding")),
        ];
        if is_known(headers, &self.etag) {
            return (StatusCode::NOT_MODIFIED, shared).into_response();
        }
        let content_type = [(header::CONTENT_TYPE, self.content_type)];
        let (encoding, body) = match wanted(headers, self.plain.len()) {
            Encoding::Plain => return (shared, content_type, self.plain.clone()).into_response(),
            Encoding::Brotli => ("br", self.brotli().clone()),
            Encoding::Gzip => ("gzip", self.gzip().clone()),
        };
        (shared, content_type, [(header::CONTENT_ENCODING, encoding)], body).into_response()
    }

    fn brotli(&self) -> &Bytes {
        self.brotli.get_or_init(|| {
            let quality = self.effort.qualities().0;
            let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, quality, WINDOW);
            // Writing to a vector cannot fail.
            let _ = encoder.write_all(&self.plain);
            encoder.into_inner().into()
        })
    }

    fn gzip(&self) -> &Bytes {
        self.gzip.get_or_init(|| {
            let level = Compression::new(self.effort.qualities().1);
            let mut encoder = GzEncoder::new(Vec::with_capacity(self.plain.len() / 4), level);
            let _ = encoder.write_all(&self.plain);
            encoder.finish().unwrap_or_default().into()
        })
    }
}

/// The best encoding that a client takes (RFC 9110, section 12.5.3).
fn wanted(headers: &HeaderMap, length: usize) -> Encoding {
    if length < WORTH_IT {
        return Encoding::Plain;
    }
    let values = headers.get_all(header::ACCEPT_ENCODING).iter();
    let listed: Vec<(&str, bool)> = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|part| {
            let (name, parameters) = part.split_once(';').unwrap_or((part, ""));
            let weight = parameters.trim().strip_prefix("q=").and_then(|q| q.parse::<f32>().ok());
            (name.trim(), weight.is_none_or(|weight| weight > 0.0))
        })
        .collect();
    let takes = |name: &str| {
        let named = listed.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        let any = || listed.iter().find(|(other, _)| *other == "*");
        named.or_else(any).is_some_and(|(_, taken)| *taken)
    };
    match () {
        () if takes("br") => Encoding::Brotli,
        () if takes("gzip") => Encoding::Gzip,
        () => Encoding::Plain,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn accept(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT_ENCODING, value.parse().expect("a value"))])
    }

    #[test]
    fn the_best_encoding_that_is_taken_is_used() {
        for (value, encoding) in [
            ("gzip, deflate, br, zstd", Encoding::Brotli),
            ("gzip", Encoding::Gzip),
            ("br;q=0, gzip;q=0.5", Encoding::Gzip),
            ("*", Encoding::Brotli),
            ("*;q=0, gzip", Encoding::Gzip),
            ("identity", Encoding::Plain),
            ("", Encoding::Plain),
        ] {
            assert_eq!(wanted(&accept(value), 1_000), encoding, "{value}");
        }
        assert_eq!(wanted(&accept("br"), 100), Encoding::Plain, "too short");
        assert_eq!(wanted(&HeaderMap::new(), 1_000), Encoding::Plain);
    }

    #[test]
    fn every_encoding_is_that_of_the_text() {
        let text = "city ".repeat(1_000);
        for effort in [Effort::Little, Effort::Much] {
            let tag = HeaderValue::from_static("W/\"1\"");
            let encoded = Encoded::new(text.clone().into(), "text/plain", tag, "no-cache", effort);
            let mut read = String::new();
            let mut gzip = flate2::read::GzDecoder::new(&encoded.gzip()[..]);
            gzip.read_to_string(&mut read).expect("gzip");
            assert_eq!(read, text);
            let mut read = String::new();
            let mut brotli = brotli::Decompressor::new(&encoded.brotli()[..], 4096);
            brotli.read_to_string(&mut read).expect("Brotli");
            assert_eq!(read, text);
            let answer = encoded.answer(&accept("br"));
            assert_eq!(answer.headers()[header::CONTENT_ENCODING], "br");
            let known = HeaderMap::from_iter([(
                header::IF_NONE_MATCH,
                HeaderValue::from_static("W/\"1\""),
            )]);
            assert_eq!(encoded.answer(&known).status(), StatusCode::NOT_MODIFIED);
        }
    }
}
