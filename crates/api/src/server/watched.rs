//! A connection that ends when its client keeps it waiting: without a request, with half of one, or
//! with an answer that it does not take.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::activity::Activity;
use super::figures::{Ended, Figures};

/// How long a client is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// The head of a request, from its first byte.
    pub(super) header: Duration,
    /// The first byte of the next request.
    pub(super) idle: Duration,
    /// Taking some of an answer.
    pub(super) write: Duration,
}

/// See the module.
pub(super) struct Watched<S> {
    stream: S,
    activity: Arc<Activity>,
    patience: Patience,
    figures: Figures,
    /// Since when a request is waited for; `None` while one is answered.
    waiting: Option<Waiting>,
    /// Wakes when the wait has been too long.
    read_timer: Option<Pin<Box<Sleep>>>,
    /// The same for a client that takes nothing; there while it does so.
    write_timer: Option<Pin<Box<Sleep>>>,
    over: bool,
}

/// A wait for a request.
#[derive(Clone, Copy)]
struct Waiting {
    /// How many requests came before.
    after: usize,
    since: Instant,
    first_byte: Option<Instant>,
}

impl<S> Watched<S> {
    pub(super) fn new(
        stream: S,
        activity: Arc<Activity>,
        patience: Patience,
        figures: Figures,
    ) -> Self {
        Self {
            stream,
            activity,
            patience,
            figures,
            waiting: None,
            read_timer: None,
            write_timer: None,
            over: false,
        }
    }

    /// The wait for the next request, which begins now if none did.
    fn wait(&mut self) -> &mut Waiting {
        let after = self.activity.begun();
        if self.waiting.is_some_and(|waiting| waiting.after != after) {
            self.waiting = None;
        }
        self.waiting.get_or_insert_with(|| Waiting {
            after,
            since: Instant::now(),
            first_byte: None,
        })
    }

    /// Bytes have come.
    fn heard(&mut self) {
        if !self.activity.is_busy() {
            self.wait().first_byte.get_or_insert_with(Instant::now);
        }
    }

    /// Whether it has been waited long enough for a request; wakes when it will have been.
    fn poll_patience(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.activity.is_busy() {
            self.waiting = None;
            return Poll::Pending;
        }
        let multiplexed = self.activity.is_multiplexed();
        let waiting = *self.wait();
        let (deadline, ended) = match waiting.first_byte.filter(|_| !multiplexed) {
            Some(first) => (first + self.patience.header, Ended::Header),
            None => (waiting.since + self.patience.idle, Ended::Idle),
        };
        let timer = self.read_timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        timer.as_mut().poll(cx).map(|()| self.figures.ended(ended))
    }

    /// Passes on what came of writing, or gives up if the client has taken nothing for too long.
    fn watch_write<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.write_timer = None;
            return written;
        }
        let patience = self.patience.write;
        let begin = || Box::pin(sleep_until(Instant::now() + patience));
        let timer = self.write_timer.get_or_insert_with(begin);
        if timer.as_mut().poll(cx).is_ready() {
            self.write_timer = None;
            self.figures.ended(Ended::Write);
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.over {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        match read {
            Poll::Ready(read) => {
                if buffer.filled().len() > before {
                    self.heard();
                }
                Poll::Ready(read)
            }
            // An end, as if the client had hung up: there is nothing to say to it.
            Poll::Pending => self.poll_patience(cx).map(|()| {
                self.over = true;
                Ok(())
            }),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch_write(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.watch_write(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.watch_write(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ended = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.watch_write(cx, ended)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Version;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::*;

    const PATIENCE: Patience = Patience {
        header: Duration::from_secs(10),
        idle: Duration::from_mins(1),
        write: Duration::from_secs(30),
    };

    struct Bench {
        watched: Watched<DuplexStream>,
        client: DuplexStream,
        activity: Arc<Activity>,
        started: Instant,
    }

    impl Bench {
        fn new() -> Self {
            let (client, stream) = duplex(64);
            let activity = Arc::new(Activity::default());
            let figures = Figures::register(&prometheus::Registry::new()).expect("registered");
            let watched = Watched::new(stream, activity.clone(), PATIENCE, figures);
            Self { watched, client, activity, started: Instant::now() }
        }

        /// Reads until the end; after how many seconds it came.
        async fn end(&mut self) -> u64 {
            let mut bytes = Vec::new();
            self.watched.read_to_end(&mut bytes).await.expect("an end");
            self.started.elapsed().as_secs()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_a_request_ends_when_it_was_idle_for_too_long() {
        assert_eq!(Bench::new().end().await, 60);
    }

    #[tokio::test(start_paused = true)]
    async fn half_of_a_head_ends_it_however_slowly_the_rest_drips() {
        let mut bench = Bench::new();
        let (mut client, other) = duplex(1);
        std::mem::swap(&mut client, &mut bench.client);
        drop(other);
        let drips = async {
            loop {
                tokio::time::sleep(Duration::from_secs(3)).await;
                if client.write_all(b"x").await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        let seconds = tokio::select! { seconds = bench.end() => seconds, () = drips => 0 };
        assert_eq!(seconds, 13, "ten seconds from the first byte");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_ends_while_an_answer_is_under_way_and_the_wait_begins_anew_after_it() {
        let mut bench = Bench::new();
        bench.client.write_all(b"GET").await.expect("sent");
        let mut head = [0; 3];
        bench.watched.read_exact(&mut head).await.expect("read");
        let open = bench.activity.begin(Version::HTTP_11);
        let mut byte = [0; 1];
        let while_open =
            tokio::time::timeout(Duration::from_mins(5), bench.watched.read(&mut byte));
        assert!(while_open.await.is_err(), "still open");
        drop(open);
        assert_eq!(bench.end().await, 360);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_given_up() {
        let mut bench = Bench::new();
        let error = bench.watched.write_all(&[0; 65]).await.expect_err("no room for the last byte");
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(bench.started.elapsed().as_secs(), 30);
    }
}
