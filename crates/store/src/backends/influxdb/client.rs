//! Our narrow HTTP client of InfluxDB: writes in gzip, deletes, and queries whose answers stream.
//!
//! It stands beside the `influxdb2` crate (see [`super::crate_client`]) for what that cannot do.
//! Every request has a time limit, the path of the server's address is kept, redirects are not
//! followed, and the token is in no message and no `Debug`.

use std::error::Error as _;
use std::io::Write as _;
use std::sync::Once;
use std::time::{Duration, SystemTime};

use bytes::{Buf as _, Bytes};
use city_model::Timestamp;
use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, LOCATION, RETRY_AFTER,
};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde_json::{Value, json};

use super::csv::{CsvError, Decoder, Step};
use super::options::InfluxOptions;
use super::retry;
use crate::{StoreError, StoreErrorKind};

/// As much of a server's words as is kept.
const LONGEST_WORDS: usize = 1_000;

/// What kind of refusal it was; decides what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The request is too large (413): send less at once.
    TooLarge,
    /// Something of what was sent cannot be stored (400, 422): find out what.
    Rejected,
    /// We may not, or what we want is not there (401, 403, 404, redirects): somebody must mend it.
    Denied,
    /// Not now (429, 5xx, no answer): try again.
    Later,
}

/// A request that did not do what it should.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) kind: Kind,
    pub(super) status: Option<u16>,
    /// The server's words, or ours if it said none.
    pub(super) words: String,
    /// How long the server asked to be left alone.
    pub(super) after: Option<Duration>,
}

impl Refusal {
    fn new(kind: Kind, words: impl Into<String>) -> Self {
        Self { kind, status: None, words: words.into(), after: None }
    }

    /// As an error of the store.
    pub(super) fn into_error(self, what: &str, server: &str) -> StoreError {
        let (kind, hint) = match self.kind {
            Kind::Later => (StoreErrorKind::Busy, "it is tried again when asked again"),
            Kind::Denied => (
                StoreErrorKind::Other,
                "look at [store.influxdb], and run `citybrain influx setup` if the bucket is new",
            ),
            Kind::TooLarge | Kind::Rejected => (StoreErrorKind::Other, "mend what it says"),
        };
        StoreError::new(kind, format!("cannot {what} InfluxDB at {server}: {self}; {hint}"))
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.status {
            Some(status) => write!(f, "{status}: {}", self.words),
            None => f.write_str(&self.words),
        }
    }
}

/// The client of one bucket.
#[derive(Clone, Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    base: Url,
    /// Marked as sensitive: `Debug` does not show it.
    auth: HeaderValue,
    org: String,
    bucket: String,
    write_timeout: Duration,
    query_timeout: Duration,
}

impl Client {
    pub(super) fn new(options: &InfluxOptions) -> Result<Self, StoreError> {
        let refuse = |message: String| StoreError::new(StoreErrorKind::Invalid, message);
        let base = parse_url(&options.url).map_err(refuse)?;
        let mut auth = HeaderValue::from_str(&format!("Token {}", options.token.expose()))
            .map_err(|_| {
                refuse("the token of InfluxDB holds characters that no token has".into())
            })?;
        auth.set_sensitive(true);
        install_crypto();
        let mut http = reqwest::Client::builder()
            .connect_timeout(options.waits.connect)
            .read_timeout(options.waits.query)
            .redirect(reqwest::redirect::Policy::none())
            .tcp_nodelay(true);
        if is_this_machine(&base) {
            http = http.no_proxy();
        }
        if let Some(pem) = &options.ca_pem {
            let certificates = reqwest::Certificate::from_pem_bundle(pem)
                .map_err(|e| refuse(format!("ca_file holds no certificates in PEM: {e}")))?;
            http = http.tls_certs_only(certificates);
        } else if base.scheme() == "http" {
            // No TLS is spoken: the machine's certificates need not be read.
            http = http.tls_certs_only([]);
        }
        let http = http.build().map_err(|e| {
            refuse(format!("the HTTP client for InfluxDB cannot be made: {}", innermost(&e)))
        })?;
        Ok(Self {
            http,
            base,
            auth,
            org: options.org.clone(),
            bucket: options.bucket.clone(),
            write_timeout: options.waits.write,
            query_timeout: options.waits.query,
        })
    }

    /// The server's address, for messages.
    /// The bucket of the readings.
    pub(super) fn bucket(&self) -> &str {
        &self.bucket
    }

    pub(super) fn server(&self) -> String {
        self.base.as_str().trim_end_matches('/').to_owned()
    }

    /// Writes lines with times in microseconds.
    pub(super) async fn write(&self, lines: &[u8]) -> Result<(), Refusal> {
        let request = self
            .request(
                Method::POST,
                "api/v2/write",
                &[("org", &self.org), ("bucket", &self.bucket), ("precision", "us")],
            )
            .timeout(self.write_timeout)
            .header(CONTENT_TYPE, "text/plain; charset=utf-8")
            .header(CONTENT_ENCODING, "gzip")
            .body(gzip(lines));
        self.send(request).await.map(drop)
    }

    /// Deletes all points of a device, of one measurement or of all, from one instant to another,
    /// both inclusive.
    pub(super) async fn delete(
        &self,
        bucket: &str,
        measurement: Option<&str>,
        device: &str,
        (start, stop): (Timestamp, Timestamp),
    ) -> Result<(), Refusal> {
        // Names hold no quotes: see `line`.
        let of = measurement.map(|name| format!("_measurement=\"{name}\" AND "));
        let body = json!({
            "start": start.to_string(),
            "stop": stop.to_string(),
            "predicate": format!("{}device=\"{device}\"", of.unwrap_or_default()),
        });
        let request = self
            .request(Method::POST, "api/v2/delete", &[("org", &self.org), ("bucket", bucket)])
            .timeout(self.write_timeout)
            .json(&body);
        self.send(request).await.map(drop)
    }

    /// Asks a query; its answer is read as it is pulled.
    pub(super) async fn query(&self, flux: &str) -> Result<Rows, Refusal> {
        let body = json!({
            "query": flux,
            "dialect": { "header": true, "annotations": ["datatype"] },
        });
        let request = self
            .request(Method::POST, "api/v2/query", &[("org", &self.org)])
            .timeout(self.query_timeout)
            .json(&body);
        let response = self.send(request).await?;
        Ok(Rows { response, chunk: Bytes::new(), decoder: Decoder::new(), over: false })
    }

    /// A call of the API with JSON both ways; for setting up.
    pub(super) async fn json(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value, Refusal> {
        let mut request = self.request(method, path, query).timeout(self.write_timeout);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = self.send(request).await?;
        let bytes = answer.bytes().await.map_err(|e| unreachable(&e))?;
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&bytes).map_err(|e| {
            Refusal::new(Kind::Denied, format!("its answer is no JSON ({e}); is it InfluxDB 2?"))
        })
    }

    fn request(&self, method: Method, path: &str, query: &[(&str, &str)]) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/'));
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.http.request(method, url).header(AUTHORIZATION, self.auth.clone())
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Refusal> {
        let response = request.send().await.map_err(|e| unreachable(&e))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let after =
            header(RETRY_AFTER).and_then(|value| retry::retry_after(value, SystemTime::now()));
        let location = header(LOCATION).map(str::to_owned);
        let kind = kind_of(status);
        let words = match location {
            Some(location) if status.is_redirection() => {
                format!("it redirects to {location}; write that address as the url")
            }
            _ => words(response).await,
        };
        Err(Refusal { kind, status: Some(status.as_u16()), words, after })
    }
}

fn kind_of(status: StatusCode) -> Kind {
    match status.as_u16() {
        413 => Kind::TooLarge,
        400 | 422 => Kind::Rejected,
        300..=399 | 401 | 403 | 404 => Kind::Denied,
        _ => Kind::Later,
    }
}

/// What the server says, at most so much of it: its `message` if it is JSON.
async fn words(mut response: Response) -> String {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > 16 * LONGEST_WORDS {
            break;
        }
    }
    let json: Option<Value> = serde_json::from_slice(&bytes).ok();
    let told = json.as_ref().and_then(|json| json.get("message").or_else(|| json.get("error")));
    let text = told
        .and_then(Value::as_str)
        .map_or_else(|| String::from_utf8_lossy(&bytes).trim().to_owned(), str::to_owned);
    match text.char_indices().nth(LONGEST_WORDS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None if text.is_empty() => "it said nothing more".to_owned(),
        None => text,
    }
}

/// The records of an answer. Dropping it ends the query.
#[derive(Debug)]
pub(super) struct Rows {
    response: Response,
    chunk: Bytes,
    decoder: Decoder,
    over: bool,
}

impl Rows {
    /// The next record; it stays in the decoder until the one after it is asked for.
    pub(super) async fn next(&mut self) -> Result<Option<&Decoder>, Refusal> {
        self.decoder.forget();
        loop {
            // Chunks that are not empty; nothing tells the decoder that there are no more.
            while self.chunk.is_empty() && !self.over {
                let chunk = self.response.chunk().await.map_err(|e| unreachable(&e))?;
                self.over = chunk.is_none();
                self.chunk = chunk.unwrap_or_default();
            }
            let (used, step) = self.decoder.step(&self.chunk).map_err(|e| match e {
                CsvError::Told(words) => Refusal::new(Kind::Later, words),
                e @ CsvError::Malformed(_) => Refusal::new(Kind::Denied, e.to_string()),
            })?;
            self.chunk.advance(used);
            match step {
                Step::Record => return Ok(Some(&self.decoder)),
                Step::End => return Ok(None),
                Step::Hungry => {}
            }
        }
    }
}

fn unreachable(error: &reqwest::Error) -> Refusal {
    let words = if error.is_timeout() {
        "it does not answer in time".to_owned()
    } else {
        let cause = innermost(error);
        let hint = if cause.contains("UnknownIssuer") {
            "; name the file with its authority's certificate in store.influxdb.ca_file"
        } else {
            ""
        };
        format!("it cannot be reached: {cause}{hint}")
    };
    Refusal::new(Kind::Later, words)
}

/// The cause of causes: what reqwest says first repeats the address only.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    if error.source().is_none() { "no reason given".to_owned() } else { cause.to_string() }
}

/// An address with a scheme that is spoken.
pub(super) fn parse_url(text: &str) -> Result<Url, String> {
    let example = "write it like http://127.0.0.1:8086";
    let url = Url::parse(text).map_err(|e| format!("url `{text}`: {e}; {example}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(format!("url `{text}`: only http and https are spoken; {example}"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!(
            "the url of InfluxDB holds a user; credentials go to `token`; {example}"
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("url `{text}`: nothing may follow the path; {example}"));
    }
    Ok(url)
}

fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The TLS library wants its cryptography chosen once in a process.
fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error only says that somebody chose before.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
    // Writing to memory cannot fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::influxdb::options::Secret;

    #[test]
    fn addresses_keep_their_path_and_no_message_shows_a_secret() {
        let options = InfluxOptions::new("http://h:1/some/prefix/", "o", "b", Secret::new("hush"));
        let client = Client::new(&options).expect("a client");
        let request = client
            .request(Method::POST, "api/v2/write", &[("org", "a&b")])
            .build()
            .expect("a request");
        assert_eq!(request.url().path(), "/some/prefix/api/v2/write");
        assert_eq!(request.url().query(), Some("org=a%26b"));
        assert_eq!(client.server(), "http://h:1/some/prefix");
        assert!(!format!("{client:?}").contains("hush"));
    }

    #[test]
    fn bad_addresses_say_what_is_wrong() {
        for url in ["", "nowhere", "ftp://h", "http://h?x=1", "http://h/#a", "http://u:p@h"] {
            let options = InfluxOptions::new(url, "o", "b", Secret::new("t"));
            let error = Client::new(&options).expect_err("refused");
            assert_eq!(error.kind, StoreErrorKind::Invalid, "{error}");
            assert!(error.message.contains("write it like"), "{error}");
        }
    }
}
