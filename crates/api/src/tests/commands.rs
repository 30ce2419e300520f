//! Commands to devices, as far as the brain sees them.

use axum::http::StatusCode;
use serde_json::json;

use super::fixture::{City, bare};
use crate::{CommandKeep, CommandRefusal, DeviceCommand, Role};

const PATH: &str = "/api/v1/devices/air-1/commands";

#[tokio::test]
async fn a_command_is_handed_over_and_the_answer_says_where_it_went() {
    let city = City::new();
    for (body, name, payload, keep) in [
        (json!({"payload": "on"}), "", &b"on"[..], CommandKeep::UntilTaken),
        (json!({"payload": "", "name": "set", "keep": "last"}), "set", b"", CommandKeep::Last),
        (
            json!({"payload_base64": "AP8=", "name": "a/b", "keep": "none"}),
            "a/b",
            &[0, 0xff],
            CommandKeep::None,
        ),
    ] {
        let answer = city.post(PATH, &body).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
        let topic = format!("cmd/air-1/{name}");
        assert_eq!(answer.json(), json!({"topic": topic, "delivery": "queued"}));
        let got = city.pipeline.commands.lock().expect("not poisoned").pop();
        let (device, name) = ("air-1".to_owned(), name.to_owned());
        let payload = bytes::Bytes::copy_from_slice(payload);
        assert_eq!(got, Some(DeviceCommand { device, name, payload, keep }));
    }
}

#[tokio::test]
async fn a_command_that_cannot_be_sent_is_refused_with_the_reason() {
    let city = City::new();
    let on = json!({"payload": "on"});
    let unknown = city.post("/api/v1/devices/nobody/commands", &on).await;
    assert_eq!((unknown.status, &*unknown.problem()), (StatusCode::NOT_FOUND, "unknown_device"));
    for body in [
        json!({"name": "set"}),
        json!({"payload": "on", "payload_base64": "AA=="}),
        json!({"payload_base64": "?"}),
        json!({"payload": "on", "keep": "for_ever"}),
    ] {
        assert_eq!(city.post(PATH, &body).await.problem(), "bad_body", "{body}");
    }
    for (refusal, code) in [
        (CommandRefusal::NoEndpoint, "no_endpoint"),
        (CommandRefusal::Topic("No.".to_owned()), "bad_command"),
        (CommandRefusal::TooLarge("No.".to_owned()), "body_too_large"),
        (CommandRefusal::Full("No.".to_owned()), "commands_full"),
    ] {
        *city.pipeline.refusal.lock().expect("not poisoned") = Some(refusal);
        assert_eq!(city.post(PATH, &on).await.problem(), code);
    }
    assert!(city.pipeline.commands.lock().expect("not poisoned").is_empty());
}

#[tokio::test]
async fn a_command_takes_an_engineer() {
    let city = City::new();
    for (role, status) in
        [(Role::Operator, StatusCode::FORBIDDEN), (Role::Engineer, StatusCode::ACCEPTED)]
    {
        let mut request = bare(axum::http::Method::POST, PATH, Some(&json!({"payload": "on"})));
        let bearer = format!("Bearer {}", city.token(role)).parse().expect("a header");
        request.headers_mut().insert("authorization", bearer);
        assert_eq!(city.send(request).await.status, status, "{role}");
    }
}
