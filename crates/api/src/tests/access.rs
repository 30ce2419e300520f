//! How people and programs log in and out with access tokens.

use axum::http::{Method, StatusCode};
use city_model::Span;
use serde_json::json;

use super::fixture::{City, bare};
use crate::Role;

async fn log_in(city: &City, token: &str) -> super::fixture::Answer {
    city.send(bare(Method::POST, "/api/v1/session", Some(&json!({ "token": token })))).await
}

fn with_cookie(method: Method, path: &str, cookie: &str) -> axum::http::Request<axum::body::Body> {
    let mut request = bare(method, path, None);
    request.headers_mut().insert("cookie", cookie.parse().expect("a header"));
    request
}

#[tokio::test]
async fn a_session_opens_with_a_token_and_ends_with_the_logout() {
    let city = City::new();
    let answer = log_in(&city, &city.token(Role::Operator)).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
    let set = answer.headers["set-cookie"].to_str().expect("text").to_owned();
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(set.contains(attribute), "{set}");
    }
    let cookie = set.split(';').next().expect("a cookie");

    let session = city.send(with_cookie(Method::GET, "/api/v1/session", cookie)).await.json();
    let expected = json!({
        "user": "operator",
        "name": "operator",
        "role": "operator",
        "grants": [{ "department": "*", "role": "operator" }],
        "csrf_header": "X-Citybrain-Csrf",
        "via": "session",
        "expires_at": (super::fixture::NOW + Span::from_hours(7 * 24)).to_string(),
        "password_change_needed": false,
        "password_changeable": false,
    });
    assert_eq!(session, expected);

    let forged = city.send(with_cookie(Method::DELETE, "/api/v1/session", cookie)).await;
    assert_eq!(forged.problem(), "csrf_header_missing");
    let mut request = with_cookie(Method::DELETE, "/api/v1/session", cookie);
    request.headers_mut().insert("x-citybrain-csrf", "1".parse().expect("a header"));
    let out = city.send(request).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    assert!(out.headers["set-cookie"].to_str().expect("text").contains("Max-Age=0"));
    let after = city.send(with_cookie(Method::GET, "/api/v1/session", cookie)).await;
    assert_eq!(after.problem(), "unauthenticated");
}

#[tokio::test]
async fn guessing_is_turned_away_and_a_valid_token_gets_in_all_the_same() {
    let city = City::new();
    let token = city.token(Role::Viewer);
    let guess = async || {
        for _ in 0..10 {
            assert_eq!(log_in(&city, "guess").await.problem(), "bad_token");
        }
        let refused = log_in(&city, "guess").await;
        assert_eq!(refused.problem(), "too_many_attempts");
        assert_eq!(refused.headers["retry-after"], "60");
        assert!(!refused.headers.contains_key("set-cookie"));
    };
    guess().await;
    city.clock.advance(Span::from_secs(60));
    guess().await;
    assert_eq!(log_in(&city, &token).await.status, StatusCode::NO_CONTENT);
    guess().await;
}

#[tokio::test]
async fn behind_a_proxy_each_client_is_counted_on_its_own() {
    let city = City::new();
    let guess_from = async |hops: &str| {
        let body = json!({ "token": "guess" });
        let mut request = bare(Method::POST, "/api/v1/session", Some(&body));
        request.headers_mut().insert("x-forwarded-for", hops.parse().expect("a header"));
        city.send(request).await.problem()
    };
    for n in 0..10 {
        let claims = format!("10.0.0.{n}, 192.0.2.1");
        assert_eq!(guess_from(&claims).await, "bad_token");
    }
    assert_eq!(guess_from("192.0.2.1").await, "too_many_attempts");
    assert_eq!(guess_from("192.0.2.2").await, "bad_token");
    assert_eq!(log_in(&city, "guess").await.problem(), "bad_token", "the proxy's own machine");
}

#[tokio::test]
async fn a_revoked_token_stops_working_within_seconds() {
    let city = City::new();
    let tokens = city.brain.tokens().expect("tables");
    let bearer = format!("Bearer {}", city.token(Role::Viewer));
    let ask = || {
        let mut request = bare(Method::GET, "/api/v1/system", None);
        request.headers_mut().insert("authorization", bearer.parse().expect("a header"));
        city.send(request)
    };
    assert_eq!(ask().await.status, StatusCode::OK);
    let id = tokens.list().expect("read").last().expect("a token").id;
    tokens.revoke(id, super::fixture::NOW).expect("written");
    city.clock.advance(Span::from_secs(10));
    assert_eq!(ask().await.problem(), "unauthenticated");
}
