//! A request's body that must not come too slowly.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Bytes, HttpBody};
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

/// The slowest that a body may come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// For how long it may be slower.
    pub(super) grace: Duration,
    /// In bytes a second.
    pub(super) bytes_per_s: u32,
}

/// The body came too slowly.
#[derive(Debug, thiserror::Error)]
#[error("the body came too slowly")]
pub(crate) struct TooSlow;

/// The time that is waited for a client, which its bytes earn back; the time that the server itself
/// takes does not count.
pub(super) struct Paced<B> {
    body: B,
    pace: Pace,
    /// How much longer may be waited.
    left: Duration,
    /// A wait, and when it began.
    wait: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl<B> Paced<B> {
    pub(super) fn new(body: B, pace: Pace) -> Self {
        Self { body, pace, left: pace.grace, wait: None }
    }

    fn earn(&mut self, bytes: usize) {
        let earned = bytes as f64 / f64::from(self.pace.bytes_per_s.max(1));
        self.left = (self.left + Duration::from_secs_f64(earned)).min(self.pace.grace);
    }
}

impl<B> HttpBody for Paced<B>
where
    B: HttpBody<Data = Bytes, Error: Into<axum::BoxError>> + Unpin,
{
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            if let Some((began, _)) = self.wait.take() {
                self.left = self.left.saturating_sub(began.elapsed());
            }
            if let Some(Ok(frame)) = &frame {
                self.earn(frame.data_ref().map_or(0, Bytes::len));
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let left = self.left;
        let wait = self.wait.get_or_insert_with(|| (Instant::now(), Box::pin(sleep(left))));
        ready!(wait.1.as_mut().poll(cx));
        Poll::Ready(Some(Err(TooSlow.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use futures_util::stream;

    use super::*;

    const PACE: Pace = Pace { grace: Duration::from_secs(10), bytes_per_s: 100 };

    /// Sends so many bytes after each of so many seconds.
    async fn send(bytes: usize, every_s: u64, times: usize) -> Result<usize, String> {
        let chunks = stream::unfold(0, move |sent| async move {
            if sent == times {
                return None;
            }
            tokio::time::sleep(Duration::from_secs(every_s)).await;
            Some((Ok::<_, std::io::Error>(Bytes::from(vec![0; bytes])), sent + 1))
        });
        let paced = Body::new(Paced::new(Body::from_stream(chunks), PACE));
        let read = to_bytes(paced, usize::MAX).await;
        read.map(|bytes| bytes.len()).map_err(|error| error.to_string())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_keeps_the_pace_may_take_as_long_as_it_likes() {
        assert_eq!(send(100, 1, 1_000).await, Ok(100_000));
        assert_eq!(send(900, 9, 100).await, Ok(90_000));
    }

    #[tokio::test(start_paused = true)]
    async fn drops_and_silence_are_given_up() {
        let started = Instant::now();
        assert_eq!(send(1, 1, 1_000).await, Err(TooSlow.to_string()));
        assert_eq!(started.elapsed().as_secs(), 10, "its ten bytes earned a tenth of a second");
        assert_eq!(send(1_000_000, 11, 1).await, Err(TooSlow.to_string()));
    }

    #[tokio::test(start_paused = true)]
    async fn time_that_the_server_takes_does_not_count() {
        let mut paced = Paced::new(Body::from("x"), PACE);
        tokio::time::sleep(Duration::from_mins(5)).await;
        let frame = std::future::poll_fn(|cx| Pin::new(&mut paced).poll_frame(cx)).await;
        assert!(frame.expect("a frame").is_ok());
    }
}
