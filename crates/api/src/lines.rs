//! Answers in lines of JSON while the work goes on: `{"done": 1000, "of": 100000}` now and then, and at
//! the end `{"result": …}` or `{"problem": …}`.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::unfold;
use serde::Serialize;
use tokio::sync::mpsc;

use crate::problem::Answer;

/// The type of an answer in lines of JSON.
const LINES: &str = "application/x-ndjson";
/// Lines of progress that wait for a slow reader; more are left out.
const PROGRESS_LINES: usize = 16;

#[derive(Serialize)]
#[serde(rename_all = "snake_case", untagged)]
enum Line<T> {
    Progress { done: u64, of: u64 },
    Result { result: T },
    Problem { problem: serde_json::Value },
}

/// Says how far the work is.
pub(crate) struct Progress<T>(mpsc::Sender<Line<T>>);

impl<T> Progress<T> {
    pub(crate) fn tell(&self, done: u64, of: u64) {
        // Whoever reads slowly sees fewer steps.
        let _ = self.0.try_send(Line::Progress { done, of });
    }
}

/// Whether a client asks for lines.
pub(crate) fn are_asked_for(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains(LINES))
}

/// Answers line by line while the work goes on. It is dropped when the client goes away.
pub(crate) fn answer<T, F>(work: impl FnOnce(Progress<T>) -> F) -> Response
where
    T: Serialize + Send + 'static,
    F: Future<Output = Answer<T>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel::<Line<T>>(PROGRESS_LINES);
    let work = work(Progress(sender.clone()));
    tokio::spawn(async move {
        let last = tokio::select! {
            done = work => match done {
                Ok(result) => Line::Result { result },
                Err(problem) => Line::Problem { problem: problem.document() },
            },
            () = sender.closed() => return,
        };
        // An error says that the client has gone.
        let _ = sender.send(last).await;
    });
    let lines = unfold(receiver, async |mut receiver| {
        let line = receiver.recv().await?;
        let mut text = serde_json::to_vec(&line).unwrap_or_default();
        text.push(b'\n');
        Some((Ok::<_, Infallible>(Bytes::from(text)), receiver))
    });
    // Whoever sends them may ask once more after the end.
    let lines = lines.fuse();
    ([(header::CONTENT_TYPE, LINES)], Body::from_stream(lines)).into_response()
}
