//! Logging out everywhere: a lost computer must not stay logged in.

use axum::http::{Method, StatusCode};
use serde_json::Value;

use super::fixture::City;
use super::sessions::{Browser, add};
use crate::Role;

#[tokio::test]
async fn everybody_can_end_all_sessions_of_their_own_and_of_nobody_else() {
    let city = City::new();
    add(&city, "bo", &[("environment", Role::Viewer)]);
    add(&city, "cy", &[("environment", Role::Admin)]);
    let (mut here, mut lost) = (Browser::of(&city, "bo").await, Browser::of(&city, "bo").await);
    let mut other = Browser::of(&city, "cy").await;

    let log_out = "/session?everywhere=false";
    let mut third = Browser::of(&city, "bo").await;
    let answer = third.ask(&city, Method::DELETE, log_out, Value::Null).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!((here.status(&city).await, lost.status(&city).await), (200, 200), "only its own");

    let everywhere = "/session?everywhere=true";
    let answer = here.ask(&city, Method::DELETE, everywhere, Value::Null).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
    assert_eq!((here.status(&city).await, lost.status(&city).await), (401, 401));
    assert_eq!(other.status(&city).await, 200);

    let typo = other.ask(&city, Method::DELETE, "/session?everywher=true", Value::Null).await;
    assert_eq!(typo.problem(), "unknown_parameter");
    assert_eq!(other.status(&city).await, 200);
}
