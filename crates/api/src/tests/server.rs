//! The brain on a real socket: it answers, streams, and stops when told to.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::fixture::City;
use crate::Role;

/// Sends a GET on a connection of its own.
async fn get(address: SocketAddr, path: &str, headers: &str) -> TcpStream {
    let mut connection = TcpStream::connect(address).await.expect("connected");
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{headers}\r\n");
    connection.write_all(request.as_bytes()).await.expect("sent");
    connection
}

#[tokio::test]
async fn a_server_that_is_told_to_stop_ends_its_streams_and_returns() {
    let city = City::new();
    let bearer = format!("Authorization: Bearer {}\r\n", city.token(Role::Viewer));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let shutdown = CancellationToken::new();
    let server = tokio::spawn(city.brain.clone().serve(listener, shutdown.clone()));

    let mut live = get(address, "/health/live", "Connection: close\r\n").await;
    let mut answer = String::new();
    live.read_to_string(&mut answer).await.expect("an answer");
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with(r#"{"status":"live"}"#),
        "{answer}"
    );

    let mut stream = get(address, "/api/v1/stream", &bearer).await;
    let mut bytes = Vec::new();
    while !String::from_utf8_lossy(&bytes).contains("event: system") {
        let read = stream.read_buf(&mut bytes).await.expect("open");
        assert!(read > 0, "ended early: {}", String::from_utf8_lossy(&bytes));
    }
    assert!(String::from_utf8_lossy(&bytes).contains("event: hello"));

    shutdown.cancel();
    stream.read_to_end(&mut bytes).await.expect("a clean end");
    assert!(bytes.ends_with(b"0\r\n\r\n"), "the last chunk was sent");
    // Without the end of the streams this would take the whole time that requests may take.
    let stopped = tokio::time::timeout(Duration::from_secs(2), server).await;
    stopped.expect("in time").expect("no panic").expect("no error");
}
