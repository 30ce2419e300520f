//! An HTTP server for tests that remembers what it was sent and answers what it is told to.
#![allow(dead_code)] // no test file uses all of it

pub(crate) mod world;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

impl Seen {
    fn brief(self) -> Self {
        let mut headers = HeaderMap::with_capacity(1);
        let key = self.headers.get("idempotency-key").map(|key| key.as_bytes().to_vec());
        let key = key.and_then(|key| HeaderValue::from_bytes(&key).ok());
        headers.extend(key.map(|key| (HeaderName::from_static("idempotency-key"), key)));
        Self { uri: Uri::default(), headers, body: String::new() }
    }

    /// Its idempotency key.
    pub(crate) fn key(&self) -> String {
        self.headers["idempotency-key"].to_str().expect("text").to_owned()
    }
}

/// What is answered, and after how long.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: String,
    pub(crate) after: Duration,
    /// How many seconds it asks to be left alone.
    pub(crate) retry_after: Option<u32>,
    /// Whether only the key of what came is kept, so that a flood takes no memory here.
    pub(crate) brief: bool,
}

impl Reply {
    pub(crate) fn new(status: u16, body: &str) -> Self {
        let status = StatusCode::from_u16(status).expect("a status");
        Self {
            status,
            body: body.to_owned(),
            after: Duration::ZERO,
            retry_after: None,
            brief: false,
        }
    }

    pub(crate) fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }

    pub(crate) fn retry_after(self, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    pub(crate) fn brief(self) -> Self {
        Self { brief: true, ..self }
    }
}

struct Script {
    next: VecDeque<Reply>,
    always: Reply,
}

/// A running server.
pub(crate) struct Recorder {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    script: Arc<Mutex<Script>>,
}

type Shared = (Arc<Mutex<Vec<Seen>>>, Arc<Mutex<Script>>);

async fn record(
    State((seen, script)): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, HeaderMap, String) {
    let reply = {
        let mut script = script.lock().expect("no panic holds it");
        script.next.pop_front().unwrap_or_else(|| script.always.clone())
    };
    let mut kept = Seen { uri, headers, body };
    if reply.brief {
        kept = kept.brief();
    }
    seen.lock().expect("no panic holds it").push(kept);
    if !reply.after.is_zero() {
        tokio::time::sleep(reply.after).await;
    }
    let asked = reply.retry_after.map(|seconds| (RETRY_AFTER, HeaderValue::from(seconds)));
    (reply.status, HeaderMap::from_iter(asked), reply.body)
}

impl Recorder {
    /// A server that answers so, always.
    pub(crate) async fn start(always: Reply) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let script = Arc::new(Mutex::new(Script { next: VecDeque::new(), always }));
        let app = Router::new().fallback(record).with_state((seen.clone(), script.clone()));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, seen, script }
    }

    /// Answers these before what it always answers.
    pub(crate) fn then(&self, replies: impl IntoIterator<Item = Reply>) {
        self.script.lock().expect("no panic holds it").next.extend(replies);
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic holds it").clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.seen.lock().expect("no panic holds it").len()
    }
}
