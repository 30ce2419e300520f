//! A city with one of everything that a department can own, and a request for every route that names
//! it.

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, StatusCode};
use city_model::{AlertEventKind, Severity, Span};
use city_store::{Commit, NewDeadLetter};
use serde_json::{Value, json};

use super::fixture::{City, NOW, alert, bare, event};
use crate::auth::policy::Policy;
use crate::auth::{Grant, Grants, NewToken};
use crate::{Role, UserEntry, UserError};

/// Whose everything is that the requests name.
pub(super) const OWN: &str = "environment";
pub(super) const OTHER: &str = "transport";

pub(super) const GROUP: &str = "group: dust\ndepartment: environment\nrules:\n  - id: dust\n    \
    kind: threshold\n    select: {metric: pm10}\n    severity: medium\n    raise: {above: 50}\n";

/// The city with one of everything that can be owned, each environment's.
pub(super) struct Owned {
    pub(super) city: City,
    silence: String,
    letter: String,
    token: String,
    credential: i64,
    group_tag: String,
    client_tag: String,
    device_tag: String,
    user_tag: String,
    dataset_tag: String,
}

pub(super) async fn owned() -> Owned {
    let city = City::new();
    city.push(&event(1, AlertEventKind::Fired, alert("al-1", Severity::High))).await;
    city.unknown("radiation", "new-1");
    let ends_at = (NOW + Span::from_hours(1)).to_string();
    let body = json!({ "match": { "department": OWN }, "reason": "Works", "ends_at": ends_at });
    let silence = city.post("/api/v1/silences", &body).await.json()["id"].clone();
    let body = json!({ "text": GROUP, "why": "winter" });
    let group = city.change(Method::PUT, "/api/v1/rule-groups/dust", &body, None).await;
    assert_eq!(group.status, StatusCode::CREATED, "{}", group.text);
    let letter = NewDeadLetter { device: Some("air-1".to_owned()), ..letter() };
    let commit = Commit { dead_letters: vec![letter], ..Commit::default() };
    city.store.commit(&commit).expect("committed");
    let dataset = city.change(Method::PUT, "/api/v1/datasets/air", &dataset(), None).await;
    assert_eq!(dataset.status, StatusCode::CREATED, "{}", dataset.text);
    let letter = city.ok("/api/v1/dead-letters").await["items"][0]["id"].clone();
    let credential = city.clients.issue_token("air-1", "test").expect("issued").id;
    put_user(&city, "eve", &[(OWN, Role::Viewer)]);
    let grants = grants(&[(OWN, Role::Viewer)]);
    let token = NewToken { user: "eve", grants, note: "owned", lifetime: None };
    city.brain.tokens().expect("tables").mint(&token, NOW).expect("minted");
    let tokens = city.brain.tokens().expect("tables").list().expect("read");
    let tag = async |path: &str| {
        let answer = city.get(path).await;
        answer.headers["etag"].to_str().expect("text").to_owned()
    };
    Owned {
        silence: silence.as_str().expect("an id").to_owned(),
        letter: letter.as_str().expect("an id").to_owned(),
        token: tokens.last().expect("a token").id.to_string(),
        credential,
        group_tag: tag("/api/v1/rule-groups/dust").await,
        client_tag: tag("/api/v1/credentials/air-1").await,
        device_tag: tag("/api/v1/devices/air-1/entry").await,
        user_tag: tag("/api/v1/users/eve").await,
        dataset_tag: tag("/api/v1/datasets/air").await,
        city,
    }
}

/// A dataset of environment.
fn dataset() -> Value {
    json!({
        "title": "Air", "description": "Air quality", "department": OWN, "licence": "CC-BY-4.0",
        "select": { "kinds": ["air_station"], "metrics": ["pm25"] }, "positions": "zone",
        "history_days": 7, "enabled": true,
    })
}

fn letter() -> NewDeadLetter {
    NewDeadLetter {
        source: Some(0),
        source_id: "mqtt".to_owned(),
        topic: "city/x".to_owned(),
        payload: b"{"[..].into(),
        client: None,
        received: NOW,
        device: None,
        device_key: None,
        reason: "not_json".to_owned(),
        detail: "at byte 1".to_owned(),
        hint: "send JSON".to_owned(),
        again: false,
        items: 1,
    }
}

pub(super) fn grants(of: &[(&str, Role)]) -> Grants {
    let grant = |(department, role): &(&str, Role)| Grant {
        department: (*department).to_owned(),
        role: *role,
    };
    Grants::new(of.iter().map(grant).collect()).expect("they go together")
}

/// Adds a user with these grants, or changes them, as the command line does.
pub(super) fn put_user(city: &City, id: &str, of: &[(&str, Role)]) {
    let grants = grants(of);
    let entry =
        UserEntry { name: id.to_uppercase(), email: None, grants, enabled: true, password: None };
    let users = city.brain.app.credentials.users();
    users.put(id, "test", NOW, |_| Ok::<_, UserError>(entry)).expect("put");
}

/// A token of somebody with these grants.
pub(super) fn token(city: &City, grants: Grants) -> String {
    let token = NewToken { user: "somebody", grants, note: "test", lifetime: None };
    city.brain.tokens().expect("tables").mint(&token, NOW).expect("minted")
}

impl Owned {
    /// A request that names what environment owns, in the path or in the body.
    fn request(&self, policy: &Policy) -> Request<Body> {
        let path = policy.path.trim_start_matches("/api/v1");
        let method: Method = policy.method.parse().expect("a method");
        let until = (NOW + Span::from_hours(1)).to_string();
        let id = match path.split('/').nth(1).unwrap_or_default() {
            "alerts" | "cap" => "al-1",
            "silences" => &self.silence,
            "dead-letters" => &self.letter,
            "tokens" => &self.token,
            "users" => "eve",
            "datasets" => "air",
            "provisioning" => "new-1",
            "departments" => OWN,
            "kinds" => "air_station",
            "zones" => "old-town",
            "rules" => "pm25_high",
            "receivers" => "nobody",
            "ingest" => "mqtt",
            _ => "air-1",
        };
        let device = json!({ "kind": "air_station", "department": OWN, "position": {"lon": 10.4, "lat": 50.5} });
        let (body, tag) = match (policy.method, path) {
            ("PUT", "/session/password") => (json!({ "current": "x", "new": "y" }), None),
            ("PUT", "/users/{id}") => {
                let grants = json!([{ "department": OWN, "role": "operator" }]);
                let user = json!({ "name": "Eve", "grants": grants, "enabled": true });
                (user, Some(&self.user_tag))
            }
            ("POST", "/tokens") => {
                let grants = json!([{ "department": OWN, "role": "viewer" }]);
                (json!({ "note": "matrix", "grants": grants }), None)
            }
            ("PUT", "/mappings") => {
                (json!({ "source": "mqtt", "name": "radiation", "metric": "pm25" }), None)
            }
            ("PUT", "/datasets/{id}") => (dataset(), Some(&self.dataset_tag)),
            ("PUT", "/kinds/{id}" | "/departments/{id}") => (json!({ "name": "X" }), None),
            ("POST", "/devices/import") => {
                let mut entry = device.clone();
                entry["id"] = json!("air-9");
                (json!([entry]), None)
            }
            ("PUT", "/devices/{id}") => (device, Some(&self.device_tag)),
            ("PATCH", "/devices/{id}") => (json!({ "life_cycle": "maintenance" }), None),
            ("POST", "/devices/{id}/commands") => (json!({ "payload": "on" }), None),
            ("PUT", "/credentials/{id}") => {
                let rights = json!({ "devices": ["air-1"], "any_device": false, "publish": [] });
                (rights, Some(&self.client_tag))
            }
            ("PUT", "/credentials/{id}/enabled") => (json!({ "enabled": true }), None),
            ("PUT", "/credentials/{id}/password") => {
                (json!({ "password": "a long enough password" }), None)
            }
            ("POST", "/credentials/{id}/certificates") => (json!({ "identity": "air-1" }), None),
            ("POST", "/device-tokens") => (json!({ "clients": ["air-1"] }), None),
            ("POST", "/alerts/{id}/notes") => (json!({ "note": "seen" }), None),
            ("POST", "/alerts/{id}/shelve") => (json!({ "until": until, "reason": "Works" }), None),
            ("POST", "/alerts/{id}/assign") => (json!({ "who": "eve", "until": until }), None),
            ("POST", "/alerts/{id}/hand-over") => {
                (json!({ "department": OTHER, "until": until }), None)
            }
            ("POST", "/alerts/{id}/return") => (json!({ "until": until }), None),
            ("POST", "/silences") => {
                let matches = json!({ "department": OWN });
                (json!({ "match": matches, "reason": "Works", "ends_at": until }), None)
            }
            ("PUT", "/rule-groups/{group}") => {
                (json!({ "text": GROUP, "why": "spring" }), Some(&self.group_tag))
            }
            ("POST", "/rule-groups/{group}/history/{version}/restore") => {
                (json!({ "why": "spring" }), Some(&self.group_tag))
            }
            ("POST", "/rules/check" | "/rules/backtest" | "/rules/test") => {
                (json!({ "files": [] }), None)
            }
            ("POST", "/alert-events") => {
                let event = event(1, AlertEventKind::Fired, alert("al-2", Severity::High));
                (serde_json::to_value(event).expect("JSON"), None)
            }
            ("POST", _) => (json!({}), None),
            _ => (Value::Null, None),
        };
        let path = policy.path.replace("{id}", &id.replace('/', "%2F"));
        let path = path.replace("{group}", "dust").replace("{version}", "1");
        let path = path.replace("{number}", &self.credential.to_string()).replace("{alert}", id);
        let query = match (policy.method, policy.path) {
            ("DELETE", "/api/v1/rule-groups/{group}") => "?why=over",
            ("DELETE", "/api/v1/readings") => {
                "?device=air-1&from=2026-11-23T00:00:00Z&to=2026-11-24T00:00:00Z"
            }
            ("DELETE", "/api/v1/mappings") => "?source=mqtt&name=radiation",
            _ => "",
        };
        let mut request =
            bare(method, &format!("{path}{query}"), Some(&body).filter(|body| !body.is_null()));
        if let Some(tag) = tag {
            request.headers_mut().insert("if-match", tag.parse().expect("a header"));
        }
        request
    }

    /// The status of the answer to somebody with these grants; of a refusal also that it says why.
    pub(super) async fn ask(
        &self,
        policy: &Policy,
        grants: &Grants,
        by_cookie: bool,
    ) -> StatusCode {
        let mut request = self.request(policy);
        let token = token(&self.city, grants.clone());
        let headers = request.headers_mut();
        let header = |text: String| HeaderValue::try_from(text).expect("a header");
        if by_cookie {
            let credentials = &self.city.brain.app.credentials;
            let opened = credentials.log_in(&token, NOW, None).expect("written").expect("valid");
            headers.insert("cookie", header(format!("citybrain_session={}", opened.0)));
            headers.insert("x-citybrain-csrf", HeaderValue::from_static("1"));
        } else {
            headers.insert("authorization", header(format!("Bearer {token}")));
        }
        let answer = self.city.open(request).await;
        let status = answer.status();
        if status == StatusCode::FORBIDDEN {
            let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
            let told: Value = serde_json::from_slice(&body).expect("JSON");
            assert_eq!(told["code"], "forbidden", "{policy:?} {grants}: {told}");
            assert!(told["hint"].as_str().is_some_and(|hint| hint.contains("role")), "{told}");
        }
        status
    }
}
