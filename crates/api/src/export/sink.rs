//! From the thread that writes a file to the client that reads it: a few chunks are on the way.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use city_store::Cancel;
use futures_util::stream::unfold;
use futures_util::{Stream, StreamExt as _};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::problem::{Answer, Problem};

/// The size of a chunk in bytes, about.
const CHUNK: usize = 64 << 10;
/// Chunks on the way.
const CHUNKS: usize = 4;
/// How long a client may take for a chunk before it is cut off: a place in the lane is worth more.
const STALL: Duration = Duration::from_mins(1);

/// What goes to the client.
#[derive(Debug)]
pub(super) enum Part {
    Chunk(Bytes),
    /// That was all of it.
    Done,
    /// What went before is not all of it.
    Failed(Box<Problem>),
}

/// Where a writer writes to.
pub(crate) struct Sink {
    chunk: Vec<u8>,
    end: End,
}

/// The writing end.
#[derive(Clone)]
pub(super) struct End {
    parts: mpsc::Sender<Part>,
    runtime: Handle,
    /// Whether the client has gone, or did not read.
    lost: Arc<AtomicBool>,
}

/// The reading end.
pub(super) struct Parts {
    receiver: mpsc::Receiver<Part>,
    /// The first chunk, as soon as it is there.
    first: Option<Part>,
    gone: Gone,
}

/// Cancels what is being read when the client has gone.
struct Gone(Cancel);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Both ends. To be called on the runtime.
pub(super) fn pipe() -> (Sink, Parts) {
    let (sender, receiver) = mpsc::channel(CHUNKS);
    let end = End { parts: sender, runtime: Handle::current(), lost: Arc::default() };
    let sink = Sink { chunk: Vec::with_capacity(CHUNK + (CHUNK >> 2)), end };
    (sink, Parts { receiver, first: None, gone: Gone(Cancel::default()) })
}

impl End {
    /// Waits until there is room; fails if the client has gone or does not read.
    fn send(&self, part: Part) -> io::Result<()> {
        let sending = async { tokio::time::timeout(STALL, self.parts.send(part)).await };
        let kind = match self.runtime.block_on(sending) {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(_)) => io::ErrorKind::BrokenPipe,
            Err(_) => io::ErrorKind::TimedOut,
        };
        self.lost.store(true, Ordering::Relaxed);
        Err(kind.into())
    }

    /// Says how it ended; nobody may wait for it any more.
    pub(super) fn tell(&self, part: Part) {
        let _ = self.send(part);
    }

    /// Whether the client has gone, or did not read for too long.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }
}

impl Sink {
    /// To say how it ended.
    pub(super) fn teller(&self) -> End {
        self.end.clone()
    }

    fn send_chunk(&mut self) -> io::Result<()> {
        let room = self.chunk.capacity();
        let chunk = std::mem::replace(&mut self.chunk, Vec::with_capacity(room));
        self.end.send(Part::Chunk(chunk.into()))
    }

    /// Sends what is left.
    pub(super) fn end(mut self) -> io::Result<()> {
        if self.chunk.is_empty() { Ok(()) } else { self.send_chunk() }
    }
}

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.chunk.extend_from_slice(bytes);
        if self.chunk.len() >= CHUNK {
            self.send_chunk()?;
        }
        Ok(bytes.len())
    }

    /// Nothing: chunks go when they are full, whoever flushes.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Parts {
    /// Tells whoever reads that the client has gone.
    pub(super) fn cancel(&self) -> Cancel {
        self.gone.0.clone()
    }

    /// Waits for the first chunk, or for the problem that is there instead.
    pub(super) async fn begin(&mut self) -> Answer<()> {
        self.first = self.receiver.recv().await;
        match self.first.take() {
            Some(Part::Failed(problem)) => Err(*problem),
            None => Err(Problem::internal(&io::Error::from(io::ErrorKind::UnexpectedEof))),
            first => {
                self.first = first;
                Ok(())
            }
        }
    }

    /// The chunks; an error if not all of them come.
    pub(super) fn stream(self) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        unfold(Some(self), async |parts| {
            let mut parts = parts?;
            let part = match parts.first.take() {
                Some(part) => Some(part),
                None => parts.receiver.recv().await,
            };
            match part {
                Some(Part::Chunk(chunk)) => Some((Ok(chunk), Some(parts))),
                Some(Part::Done) => None,
                // Its cause is in the log.
                Some(Part::Failed(_)) => Some((Err(io::Error::other("the export failed")), None)),
                None => Some((Err(io::ErrorKind::UnexpectedEof.into()), None)),
            }
        })
        // Whoever sends it may ask once more after the end.
        .fuse()
    }
}
