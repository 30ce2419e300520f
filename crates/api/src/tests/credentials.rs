//! Credentials of devices through the API.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::fixture::City;

const PATH: &str = "/api/v1/credentials";

#[tokio::test]
async fn a_token_is_shown_once_listed_without_secret_and_revoked() {
    let city = City::new();
    let made = city.post(&format!("{PATH}/air-1/tokens"), &json!({ "note": "roof" })).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let made = made.json();
    let token = made["token"].as_str().expect("a token").to_owned();
    let clients = city.brain.app.clients.clone();
    assert!(clients.verify_token(&token).is_some());

    let listed = city.get(PATH).await;
    assert!(!listed.text.contains(&token), "{}", listed.text);
    let client = &listed.json()["items"][0];
    assert_eq!((&client["name"], &client["devices"]), (&json!("air-1"), &Value::Null));
    assert_eq!(client["credentials"][0]["note"], "roof");
    assert_eq!(client["credentials"][0]["proof"], "token");

    let revoke = async |path: String| city.send(city.request(Method::DELETE, &path, None)).await;
    let number = &made["id"];
    assert_eq!(revoke(format!("{PATH}/air-1/99")).await.problem(), "unknown_credential");
    assert_eq!(revoke(format!("{PATH}/air-1/x")).await.problem(), "unknown_credential");
    assert_eq!(revoke(format!("{PATH}/air-1/{number}")).await.status, StatusCode::NO_CONTENT);
    assert!(clients.verify_token(&token).is_none());
    assert_eq!(revoke(format!("{PATH}/air-1")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(revoke(format!("{PATH}/air-1")).await.problem(), "unknown_client");
}

#[tokio::test]
async fn a_gateway_gets_rights_a_password_and_a_certificate() {
    let city = City::new();
    let put = async |path: &str, body: Value| {
        city.send(city.request(Method::PUT, &format!("{PATH}/{path}"), Some(&body))).await
    };
    let rights = json!({ "devices": ["a", "b"], "any_device": false, "publish": ["gw/1/#"] });
    let client = put("gw-1", rights).await;
    assert_eq!(client.status, StatusCode::CREATED, "{}", client.text);
    let password = json!({ "password": "fifteen or more of them" });
    assert_eq!(put("gw-1/password", password).await.status, StatusCode::OK);
    let identity = json!({ "identity": "gw-1.city.example" });
    let bound = city.post(&format!("{PATH}/gw-1/certificates"), &identity).await;
    assert_eq!(bound.status, StatusCode::CREATED, "{}", bound.text);
    let clients = city.brain.app.clients.clone();
    let verified = clients.verify_password("gw-1", b"fifteen or more of them").expect("let in");
    let grant = verified.grant;
    assert!(grant.speaks_for("b") && grant.may_publish("gw/1/x", None));
    assert!(clients.verify_certificate_name("gw-1.city.example").is_some());

    for (path, body, field) in [
        (
            "gw-2",
            json!({ "devices": null, "any_device": false, "publish": ["a/#/b"] }),
            "publish[0]",
        ),
        ("gw-2", json!({ "devices": [], "any_device": true, "publish": [] }), "devices"),
        ("gw-1/password", json!({ "password": "short" }), "password"),
    ] {
        let refused = put(path, body).await;
        assert_eq!(refused.problem(), "bad_fields");
        assert_eq!(refused.json()["fields"][0]["field"], field);
        assert!(!refused.text.contains("\"short\""), "{}", refused.text);
    }
    let disabled = put("gw-1/enabled", json!({ "enabled": false })).await.json();
    assert_eq!(disabled["enabled"], false);
    assert_eq!(disabled["devices"], json!(["a", "b"]), "its rights are as they were");
    assert_eq!(disabled["publish"], json!(["gw/1/#"]));
    let enabled = json!({ "enabled": true });
    assert_eq!(put("x/enabled", enabled).await.problem(), "unknown_client");
    assert!(clients.verify_certificate_name("gw-1.city.example").is_none());
    assert_eq!(city.get(&format!("{PATH}/x")).await.problem(), "unknown_client");
}

#[tokio::test]
async fn rights_are_replaced_as_a_whole_and_by_who_has_seen_them() {
    let city = City::new();
    let path = format!("{PATH}/gw-1");
    let put = async |body: Value, tag: Option<&str>| {
        let mut request = city.request(Method::PUT, &path, Some(&body));
        if let Some(tag) = tag {
            request.headers_mut().insert("if-match", tag.parse().expect("a header"));
        }
        city.send(request).await
    };
    let rights = |devices: Value| json!({ "devices": devices, "any_device": false, "publish": [] });
    let first = put(rights(json!(["a"])), None).await;
    let tag = first.headers["etag"].to_str().expect("text").to_owned();
    assert_eq!(city.get(&path).await.headers["etag"], *tag);
    for part in [
        json!({ "enabled": false }),
        json!({ "any_device": false, "publish": [] }),
        json!({ "devices": ["a"] }),
    ] {
        assert_eq!(put(part, Some(&tag)).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert_eq!(put(rights(json!(["b"])), None).await.problem(), "already_exists");
    let second = put(rights(json!(["b"])), Some(&tag)).await;
    assert_eq!(second.status, StatusCode::OK, "{}", second.text);
    assert_eq!(put(rights(Value::Null), Some(&tag)).await.problem(), "changed_meanwhile");
    assert_eq!(city.ok(&path).await["devices"], json!(["b"]));
}

#[tokio::test]
async fn a_fleet_gets_its_tokens_at_once() {
    let city = City::new();
    let names: Vec<String> = (0..250).map(|index| format!("d-{index:03}")).collect();
    let made = city.post("/api/v1/device-tokens", &json!({ "clients": names })).await.json();
    assert_eq!(made["items"].as_array().map(Vec::len), Some(250));
    let none = city.post("/api/v1/device-tokens", &json!({ "clients": [] })).await;
    assert_eq!(none.problem(), "bad_fields");
    let mut path = format!("{PATH}?limit=100&q=D-");
    let mut seen = 0;
    loop {
        let page = city.ok(&path).await;
        assert_eq!(page["total"], 250);
        seen += page["items"].as_array().expect("items").len();
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("{PATH}?limit=100&q=D-&cursor={cursor}");
    }
    assert_eq!(seen, 250);
}
