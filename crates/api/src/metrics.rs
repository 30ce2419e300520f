//! Figures about the HTTP server itself, for Prometheus.

use axum::extract::{MatchedPath, Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
};
use tokio::time::Instant;

use crate::app::App;
use crate::problem::{Answer, Problem};

/// The figures.
#[derive(Clone, Debug)]
pub(crate) struct HttpMetrics {
    requests: IntCounterVec,
    duration: HistogramVec,
    /// Clients that follow the stream.
    pub(crate) stream_clients: IntGauge,
}

impl HttpMetrics {
    /// Makes and registers them.
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            requests: IntCounterVec::new(
                Opts::new("citybrain_http_requests_total", "HTTP requests answered."),
                &["method", "route", "status"],
            )?,
            duration: HistogramVec::new(
                HistogramOpts::new(
                    "citybrain_http_request_duration_seconds",
                    "Time from the request to the head of its answer.",
                )
                .buckets(vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0]),
                &["method", "route"],
            )?,
            stream_clients: IntGauge::new(
                "citybrain_http_stream_clients",
                "Clients that follow the stream of events now.",
            )?,
        };
        registry.register(Box::new(metrics.requests.clone()))?;
        registry.register(Box::new(metrics.duration.clone()))?;
        registry.register(Box::new(metrics.stream_clients.clone()))?;
        Ok(metrics)
    }
}

/// Counts a request under its route's template, so that ids do not become labels.
pub(crate) async fn measure(State(app): State<App>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let method = method_label(request.method().as_str());
    let start = Instant::now();
    let response = next.run(request).await;
    let route = route.as_ref().map_or("web", MatchedPath::as_str);
    let status = response.status();
    app.http.requests.with_label_values(&[method, route, status.as_str()]).inc();
    app.http.duration.with_label_values(&[method, route]).observe(start.elapsed().as_secs_f64());
    response
}

/// `GET /metrics`: everything that was registered, in the text format of Prometheus.
pub(crate) async fn metrics(State(app): State<App>) -> Answer<Response> {
    let mut text = Vec::new();
    let encoder = TextEncoder::new();
    encoder.encode(&app.metrics.gather(), &mut text).map_err(|error| Problem::internal(&error))?;
    let content_type = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((content_type, text).into_response())
}

/// Methods are labels too, and clients may invent some.
fn method_label(method: &str) -> &'static str {
    ["GET", "HEAD", "POST", "DELETE", "PUT", "PATCH", "OPTIONS"]
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("other")
}
