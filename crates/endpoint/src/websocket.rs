//! MQTT over WebSocket: binary frames whose borders mean nothing (MQTT 5, 6).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use futures_util::{Sink as _, Stream as _};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderMap, HeaderValue, StatusCode, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

/// The path under which MQTT is served.
const PATH: &str = "/mqtt";
/// The subprotocol's name (MQTT 5, 6.0-3).
const PROTOCOL: &str = "mqtt";
/// What a connection reserves for reading, in bytes.
const READ_BUFFER: usize = 4 << 10;
/// The most that one frame carries to a client, in bytes.
const MAX_FRAME_OUT: usize = 16 << 10;

/// A WebSocket as a stream of bytes.
#[derive(Debug)]
pub(crate) struct WebSocket<S> {
    inner: WebSocketStream<S>,
    rest: Bytes,
}

/// Shakes hands. Pages of other origins than the own one and `origins` are refused: a browser
/// would connect to a listener in its user's network for whoever wrote the page.
pub(crate) async fn accept<S>(
    stream: S,
    max_message: usize,
    origins: &[String],
) -> io::Result<WebSocket<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(1 << 20)
        .max_message_size(Some(max_message))
        .max_frame_size(Some(max_message));
    #[allow(clippy::result_large_err)] // the library's type
    let check = |request: &Request, mut response: Response| {
        if let Some(status) = refusal(request, origins) {
            let mut response = ErrorResponse::new(Some(format!("{status}\n")));
            *response.status_mut() = status;
            return Err(response);
        }
        let protocol = HeaderValue::from_static(PROTOCOL);
        response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
        Ok(response)
    };
    tokio_tungstenite::accept_hdr_async_with_config(stream, check, Some(config))
        .await
        .map(|inner| WebSocket { inner, rest: Bytes::new() })
        .map_err(into_io)
}

/// Why a request is refused, if it is.
fn refusal(request: &Request, origins: &[String]) -> Option<StatusCode> {
    let headers = request.headers();
    if request.uri().path() != PATH {
        return Some(StatusCode::NOT_FOUND);
    }
    let offered = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL);
    let mut offered = offered.iter().filter_map(|value| value.to_str().ok());
    if !offered.any(|list| list.split(',').any(|name| name.trim() == PROTOCOL)) {
        return Some(StatusCode::BAD_REQUEST);
    }
    (!is_welcome(headers, origins)).then_some(StatusCode::FORBIDDEN)
}

/// Whether a page of this origin may connect; programs that are no browsers name none.
fn is_welcome(headers: &HeaderMap, origins: &[String]) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let own = origin.split_once("://").is_some_and(|(_, authority)| Some(authority) == host);
    own || origins.iter().any(|welcome| welcome == origin || welcome == "*")
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for WebSocket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.rest.is_empty() {
            match ready!(Pin::new(&mut self.inner).poll_next(cx)) {
                Some(Ok(Message::Binary(bytes))) => self.rest = bytes,
                // The library answers pings.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Text(_))) => {
                    // MQTT 5, 6.0-1.
                    let error = io::Error::new(io::ErrorKind::InvalidData, "a text frame");
                    return Poll::Ready(Err(error));
                }
                Some(Ok(Message::Close(_))) | None => return Poll::Ready(Ok(())),
                Some(Err(error)) => return Poll::Ready(Err(into_io(error))),
            }
        }
        let count = self.rest.len().min(buffer.remaining());
        buffer.put_slice(&self.rest[..count]);
        self.rest.advance(count);
        if self.rest.is_empty() {
            self.rest = Bytes::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for WebSocket<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(Pin::new(&mut self.inner).poll_ready(cx)).map_err(into_io)?;
        let count = bytes.len().min(MAX_FRAME_OUT);
        let frame = Message::Binary(Bytes::copy_from_slice(&bytes[..count]));
        Pin::new(&mut self.inner).start_send(frame).map_err(into_io)?;
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx).map_err(into_io)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx).map_err(into_io)
    }
}

fn into_io(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        Error::ConnectionClosed | Error::AlreadyClosed => io::ErrorKind::BrokenPipe.into(),
        other => io::Error::other(other),
    }
}
