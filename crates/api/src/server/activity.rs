//! What happens on one connection: requests that are being answered, until the ends of their answers.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::Version;
use http_body::{Frame, SizeHint};

/// What happens on one connection.
#[derive(Debug, Default)]
pub(super) struct Activity {
    /// Requests since it began.
    begun: AtomicUsize,
    /// Those of them whose answers have not ended.
    open: AtomicUsize,
    multiplexed: AtomicBool,
}

impl Activity {
    /// A request has come.
    pub(super) fn begin(self: &Arc<Self>, version: Version) -> Open {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.open.fetch_add(1, Ordering::Relaxed);
        if version == Version::HTTP_2 {
            self.multiplexed.store(true, Ordering::Relaxed);
        }
        Open(self.clone())
    }

    /// Whether an answer is under way.
    pub(super) fn is_busy(&self) -> bool {
        self.open.load(Ordering::Relaxed) > 0
    }

    /// Requests since the connection began.
    pub(super) fn begun(&self) -> usize {
        self.begun.load(Ordering::Relaxed)
    }

    /// Whether it speaks HTTP/2, where bytes between requests need not be the head of one.
    pub(super) fn is_multiplexed(&self) -> bool {
        self.multiplexed.load(Ordering::Relaxed)
    }
}

/// A request that is being answered, until this is dropped.
pub(super) struct Open(Arc<Activity>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// An answer's body, and the request that is open until its end.
pub(super) struct Answering {
    body: Body,
    _open: Open,
}

impl Answering {
    pub(super) fn new(body: Body, open: Open) -> Self {
        Self { body, _open: open }
    }
}

impl HttpBody for Answering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
