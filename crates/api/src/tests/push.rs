//! Messages pushed over HTTP: who may, and what they hear.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use city_pipeline::{PushError, Pushed, PushedLetter};
use city_registry::credentials::Rights;
use serde_json::json;

use super::fixture::{Answer, City};
use crate::Role;

async fn push(city: &City, path: &str, authorization: Option<&str>, body: &str) -> Answer {
    let mut request = Request::builder().method(Method::POST).uri(path);
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    city.send(request.body(Body::from(body.to_owned())).expect("a request")).await
}

fn token(city: &City, name: &str) -> String {
    let issued = city.clients.issue_token(name, "test").expect("issued");
    format!("Bearer {}", issued.secret.expose())
}

#[tokio::test]
async fn the_key_of_a_message_goes_with_it() {
    let city = City::new();
    let bearer = token(&city, "air-1");
    for (header, expected) in [(None, None), (Some("k-1"), Some("k-1")), (Some(""), None)] {
        let path = "/api/v1/ingest/json";
        let mut request = Request::builder().method(Method::POST).uri(path);
        request = request.header("authorization", &bearer);
        if let Some(header) = header {
            request = request.header("idempotency-key", header);
        }
        let answer = city.send(request.body(Body::from("{}")).expect("a request")).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let pushed = city.pipeline.pushed.lock().expect("not poisoned");
        assert_eq!(pushed.last().expect("it came through").key.as_deref(), expected);
    }
}

#[tokio::test]
async fn a_device_pushes_for_itself_and_hears_what_became_of_it() {
    let city = City::new();
    let bearer = token(&city, "air-1");
    let letter = PushedLetter {
        reason: "bad_unit".to_owned(),
        detail: "metric `pm25`: no such unit".to_owned(),
        hint: "correct the unit".to_owned(),
        items: 2,
    };
    let partly = Pushed { stored: 3, duplicates: 1, dead_letters: vec![letter.clone()] };
    *city.pipeline.answer.lock().expect("not poisoned") = Some(Ok(partly));
    let answer = push(&city, "/api/v1/ingest/json", Some(&bearer), "{}").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!((&answer.json()["stored"], &answer.json()["duplicates"]), (&json!(3), &json!(1)));
    assert_eq!(answer.json()["dead_letters"][0]["reason"], "bad_unit");
    {
        let pushed = city.pipeline.pushed.lock().expect("not poisoned");
        let push = pushed.last().expect("it came through");
        assert_eq!((&*push.source, &push.payload[..]), ("json", &b"{}"[..]));
        assert_eq!(
            (push.device.as_deref(), push.client.as_deref()),
            (Some("air-1"), Some("air-1"))
        );
    }
    let other = push(&city, "/api/v1/ingest/json?device=air-2", Some(&bearer), "{}").await;
    assert_eq!((other.status, &*other.problem()), (StatusCode::FORBIDDEN, "forbidden"));

    let nothing = Pushed { dead_letters: vec![letter], ..Pushed::default() };
    *city.pipeline.answer.lock().expect("not poisoned") = Some(Ok(nothing));
    let answer = push(&city, "/api/v1/ingest/json", Some(&bearer), "{").await;
    assert_eq!((answer.status.as_u16(), &*answer.problem()), (422, "not_decoded"));
    assert_eq!(answer.json()["hint"], "correct the unit");
    assert_eq!(answer.json()["dead_letters"][0]["items"], 2);
}

#[tokio::test]
async fn passwords_gateways_and_engineers_may_push_too() {
    let city = City::new();
    let rights =
        Rights { devices: Some(vec!["air-1".into(), "air-2".into()]), ..Rights::default() };
    city.clients.put_client("gateway", &rights).expect("put");
    city.clients.set_password("gateway", "correct horse battery", "").expect("set");
    let basic = format!("Basic {}", STANDARD.encode("gateway:correct horse battery"));
    let path = "/api/v1/ingest/json?device=air-2&topic=city/x";
    assert_eq!(push(&city, path, Some(&basic), "{}").await.status, StatusCode::OK);
    assert_eq!(push(&city, "/api/v1/ingest/json", Some(&basic), "{}").await.status, StatusCode::OK);
    let engineer = format!("Bearer {}", city.token(Role::Engineer));
    let path = "/api/v1/ingest/json?device=lamp/1";
    assert_eq!(push(&city, path, Some(&engineer), "{}").await.status, StatusCode::OK);
    let pushed = city.pipeline.pushed.lock().expect("not poisoned");
    let who: Vec<_> =
        pushed.iter().map(|push| (push.device.as_deref(), push.client.as_deref())).collect();
    assert_eq!(
        who,
        [(Some("air-2"), Some("gateway")), (None, Some("gateway")), (Some("lamp/1"), None)]
    );
    assert_eq!(pushed[0].topic.as_deref(), Some("city/x"));
}

#[tokio::test]
async fn who_has_no_credentials_is_told_and_after_many_tries_turned_away() {
    let city = City::new();
    let path = "/api/v1/ingest/json";
    let viewer = format!("Bearer {}", city.token(Role::Viewer));
    assert_eq!(push(&city, path, Some(&viewer), "{}").await.problem(), "forbidden");
    let wrong = format!("Basic {}", STANDARD.encode("air-1:guess"));
    for shown in [None, Some("Bearer cbd_nonsense"), Some(&*wrong), Some("Basic ?"), Some("x")] {
        let answer = push(&city, path, shown, "{}").await;
        assert_eq!(answer.problem(), "unauthenticated", "{shown:?}");
    }
    for _ in 0..5 {
        push(&city, path, None, "{}").await;
    }
    let answer = push(&city, path, None, "{}").await;
    assert_eq!(answer.problem(), "too_many_attempts");
    assert!(answer.headers.contains_key("retry-after"));
    assert!(city.pipeline.pushed.lock().expect("not poisoned").is_empty());
    let bearer = token(&city, "air-1");
    assert_eq!(push(&city, path, Some(&bearer), "{}").await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_cannot_be_taken_says_why_and_whether_to_come_again() {
    let city = City::new();
    let bearer = token(&city, "air-1");
    for (error, code, again) in [
        (PushError::NoSource("nowhere".to_owned()), "unknown_source", false),
        (PushError::Topic { topic: "a".into(), template: "b/{device}".into() }, "bad_topic", false),
        (PushError::Slow, "not_durable", true),
        (PushError::Stopped, "not_durable", true),
    ] {
        *city.pipeline.answer.lock().expect("not poisoned") = Some(Err(error));
        let answer = push(&city, "/api/v1/ingest/json", Some(&bearer), "{}").await;
        assert_eq!(answer.problem(), code);
        assert_eq!(answer.headers.contains_key("retry-after"), again, "{code}");
    }
    let large = "x".repeat((16 << 20) + 1);
    let answer = push(&city, "/api/v1/ingest/json", Some(&bearer), &large).await;
    assert_eq!((answer.status.as_u16(), &*answer.problem()), (413, "body_too_large"));
}

/// A body that fails the test when somebody looks at it.
fn never_read() -> Body {
    Body::from_stream(futures_util::stream::poll_fn(
        |_| -> std::task::Poll<Option<Result<&'static str, std::io::Error>>> {
            panic!("the body is read")
        },
    ))
}

#[tokio::test]
async fn no_byte_is_read_of_who_has_not_said_who_it_is() {
    let city = City::new();
    let request = Request::builder().method(Method::POST).uri("/api/v1/ingest/json");
    let answer = city.send(request.body(never_read()).expect("a request")).await;
    assert_eq!(answer.problem(), "unauthenticated");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_does_not_come_is_not_waited_for() {
    let city = City::new();
    let silent = futures_util::stream::pending::<Result<&'static str, std::io::Error>>();
    let request = Request::builder()
        .method(Method::POST)
        .uri("/api/v1/ingest/json")
        .header("authorization", token(&city, "air-1"))
        .body(Body::from_stream(silent));
    let answer = city.send(request.expect("a request")).await;
    assert_eq!(answer.problem(), "bad_body");
    assert!(answer.text.contains("30 s"), "{}", answer.text);
}

#[tokio::test]
async fn an_address_that_guesses_passwords_is_refused_before_they_are_hashed() {
    let city = City::new();
    city.clients.set_password("air-1", "correct horse battery", "").expect("set");
    let path = "/api/v1/ingest/json";
    for _ in 0..10 {
        assert_eq!(push(&city, path, None, "{}").await.problem(), "unauthenticated");
    }
    let right = format!("Basic {}", STANDARD.encode("air-1:correct horse battery"));
    let answer = push(&city, path, Some(&right), "{}").await;
    assert_eq!(answer.problem(), "too_many_attempts", "it is not even looked at");
    assert!(answer.headers.contains_key("retry-after"));
    city.clients.verify_password("air-1", b"correct horse battery").expect("right");
    let known = push(&city, path, Some(&right), "{}").await;
    assert_eq!(known.status, StatusCode::OK, "what is known costs nothing: {}", known.text);
}

#[tokio::test]
async fn a_topic_that_is_not_the_clients_is_forbidden() {
    let city = City::new();
    let refused = PushError::NotItsTopic { client: "air-1".into(), topic: "city/air-2".into() };
    *city.pipeline.answer.lock().expect("not poisoned") = Some(Err(refused));
    let path = "/api/v1/ingest/json?topic=city/air-2";
    let answer = push(&city, path, Some(&token(&city, "air-1")), "{}").await;
    assert_eq!(answer.problem(), "forbidden");
}
