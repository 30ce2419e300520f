//! The brain on a real socket: it answers, streams, and stops when told to.

use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::fixture::City;
use crate::Role;

#[tokio::test]
async fn a_server_that_is_told_to_stop_ends_its_streams_and_returns() {
    let city = City::new();
    let token = city.token(Role::Viewer);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let shutdown = CancellationToken::new();
    let server = tokio::spawn(city.brain.clone().serve(listener, shutdown.clone()));

    let live = reqwest::get(format!("http://{address}/health/live")).await.expect("an answer");
    assert_eq!(live.text().await.expect("text"), r#"{"status":"live"}"#);
    let mut stream = reqwest::Client::new()
        .get(format!("http://{address}/api/v1/stream"))
        .bearer_auth(token)
        .send()
        .await
        .expect("an answer");
    let hello = stream.chunk().await.expect("open").expect("bytes");
    assert!(hello.starts_with(b"id: "), "{hello:?}");

    shutdown.cancel();
    while stream.chunk().await.expect("a clean end").is_some() {}
    // Without the end of the streams this would take the whole time that requests may take.
    let stopped = tokio::time::timeout(Duration::from_secs(2), server).await;
    stopped.expect("in time").expect("no panic").expect("no error");
}
