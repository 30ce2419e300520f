//! The HTTP side of collectors and alert workers: whether they live, whether they work, their figures.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use prometheus::proto::MetricFamily;
use prometheus::{Encoder as _, TextEncoder};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// What is told.
pub(super) struct Told {
    /// The figures.
    pub(super) figures: Box<dyn Fn() -> Vec<MetricFamily> + Send + Sync>,
    /// Why it does not work now, if it does not.
    pub(super) trouble: Box<dyn Fn() -> Option<String> + Send + Sync>,
}

/// Answers until it is told to stop; returns where it listens.
pub(super) async fn open(
    listen: SocketAddr,
    told: Told,
    stop: CancellationToken,
) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind(listen).await.with_context(|| {
        format!("http.listen: {listen} cannot be used; is another program listening there?")
    })?;
    let address = listener.local_addr()?;
    let router = Router::new()
        .route("/health/live", get(|| async { "ok" }))
        .route("/health/ready", get(ready))
        .route("/metrics", get(metrics))
        .with_state(Arc::new(told));
    tokio::spawn(async move {
        let serving = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
        if let Err(error) = serving.await {
            tracing::error!(error.cause = %error, "the HTTP side ended");
        }
    });
    Ok(address)
}

/// In the shape of a brain's answer.
async fn ready(State(told): State<Arc<Told>>) -> Response {
    match (told.trouble)() {
        None => Json(json!({ "status": "ready", "parts": {} })).into_response(),
        Some(why) => {
            let parts = json!({ "work": { "ok": false, "detail": why } });
            let told = Json(json!({ "status": "not_ready", "parts": parts }));
            (StatusCode::SERVICE_UNAVAILABLE, told).into_response()
        }
    }
}

async fn metrics(State(told): State<Arc<Told>>) -> Response {
    let mut text = Vec::new();
    let encoder = TextEncoder::new();
    match encoder.encode(&(told.figures)(), &mut text) {
        Ok(()) => {
            ([(header::CONTENT_TYPE, encoder.format_type().to_owned())], text).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
