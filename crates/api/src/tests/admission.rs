//! Clients that ask too often, and more at the same time than can be done.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use city_model::Span;

use super::fixture::{City, bare};
use crate::{HttpLimits, RateLimit, Role};

fn as_bearer(token: &str) -> Request<Body> {
    let mut request = bare(Method::GET, "/api/v1/kinds", None);
    let bearer = format!("Bearer {token}").parse().expect("a header");
    request.headers_mut().insert("authorization", bearer);
    request
}

fn city() -> City {
    City::limited(HttpLimits {
        rate: RateLimit { per_s: 2, burst: 4 },
        rate_without_login: RateLimit { per_s: 1, burst: 2 },
        ..HttpLimits::default()
    })
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back() {
    let city = city();
    let first = city.get("/api/v1/kinds").await;
    assert_eq!(first.headers["ratelimit-policy"], r#""address";q=2;w=2"#, "not known yet");
    for remaining in [2, 1, 0] {
        let answer = city.get("/api/v1/kinds").await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.headers["ratelimit-policy"], r#""login";q=4;w=2"#);
        let standing = answer.headers["ratelimit"].to_str().expect("text").to_owned();
        assert!(standing.starts_with(&format!(r#""login";r={remaining};t="#)), "{standing}");
    }
    let refused = city.get("/api/v1/kinds").await;
    assert_eq!(
        (refused.status, refused.problem().as_str()),
        (StatusCode::TOO_MANY_REQUESTS, "rate_limited")
    );
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(refused.headers["ratelimit"], r#""login";r=0;t=1"#);
    let other = city.token(Role::Viewer);
    let answer = city.send(as_bearer(&other)).await;
    assert_eq!(answer.status, StatusCode::OK, "others may go on");
    city.clock.advance(Span::from_secs(1));
    assert_eq!(city.get("/api/v1/kinds").await.status, StatusCode::OK);
    let line = r#"citybrain_http_requests_refused_total{class="state",used_up="rate"} 1"#;
    assert!(city.metrics_text().contains(line), "{}", city.metrics_text());
}

#[tokio::test]
async fn inventing_tokens_empties_the_bucket_of_the_address() {
    let city = city();
    for number in 0..2 {
        let request = as_bearer(&format!("cb_{number}"));
        assert_eq!(city.send(request).await.status, StatusCode::UNAUTHORIZED);
    }
    let request = as_bearer("cb_3");
    assert_eq!(city.send(request).await.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn health_and_messages_of_devices_are_never_limited() {
    let city = city();
    for _ in 0..10 {
        assert_eq!(city.get("/health/live").await.status, StatusCode::OK);
        let pushed = city.post("/api/v1/ingest/air", &serde_json::json!({})).await;
        assert_eq!(pushed.status, StatusCode::OK, "{pushed:?}");
        assert!(!pushed.headers.contains_key("ratelimit"));
    }
}
