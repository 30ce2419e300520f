//! Reading into, and writing from, the buffers of a connection.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes that one read takes at most.
const CHUNK: usize = 16 << 10;

/// Reads what is there to the end of `buffer`. The bytes pass through the stack, so that a
/// connection that waits holds no buffer.
pub(crate) fn poll_fill<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut BytesMut,
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    let mut chunk = [const { MaybeUninit::<u8>::uninit() }; CHUNK];
    let mut chunk = ReadBuf::uninit(&mut chunk);
    ready!(Pin::new(stream).poll_read(cx, &mut chunk))?;
    buffer.extend_from_slice(chunk.filled());
    Poll::Ready(Ok(chunk.filled().len()))
}

/// Writes what it can from the front of `buffer`, and flushes once nothing is left.
pub(crate) fn poll_drain<S: AsyncWrite + Unpin>(
    stream: &mut S,
    buffer: &mut BytesMut,
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>> {
    let written = ready!(Pin::new(&mut *stream).poll_write(cx, buffer))?;
    buffer.advance(written);
    if buffer.is_empty()
        && let Poll::Ready(Err(error)) = Pin::new(stream).poll_flush(cx)
    {
        return Poll::Ready(Err(error));
    }
    Poll::Ready(Ok(written))
}
