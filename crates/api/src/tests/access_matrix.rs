//! The permission matrix: every route of the router × every role × own department, other department
//! and whole city × by token and by cookie, against things that are there and belong to the own
//! department.

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, StatusCode};
use city_model::{AlertEventKind, Severity, Span};
use city_store::{Commit, NewDeadLetter};
use serde_json::{Value, json};

use super::fixture::{City, NOW, alert, bare, event};
use crate::auth::policy::{Access, POLICIES, Place, Policy, Target, find};
use crate::auth::{CITY, Grant, Grants, NewToken};
use crate::openapi::DOCUMENT;
use crate::{Role, UserEntry, UserError};

/// Whose everything is that the requests name.
const OWN: &str = "environment";
const OTHER: &str = "transport";

/// Roles of people.
const ROLES: [Role; 4] = [Role::Viewer, Role::Operator, Role::Engineer, Role::Admin];

const GROUP: &str = "group: dust\ndepartment: environment\nrules:\n  - id: dust\n    \
    kind: threshold\n    select: {metric: pm10}\n    severity: medium\n    raise: {above: 50}\n";

/// The routes as the router has them: (method, path).
pub(super) fn routes() -> Vec<(String, String)> {
    let document = serde_json::to_value(&*DOCUMENT).expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    let methods = |item: &Value| -> Vec<String> {
        item.as_object().expect("an item").keys().map(|m| m.to_uppercase()).collect()
    };
    paths
        .iter()
        .flat_map(|(path, item)| methods(item).into_iter().map(|method| (method, path.clone())))
        .collect()
}

#[test]
fn every_route_has_a_policy_and_every_policy_a_route() {
    let mut routes = routes();
    let mut policies: Vec<_> =
        POLICIES.iter().map(|policy| (policy.method.to_owned(), policy.path.to_owned())).collect();
    routes.sort();
    policies.sort();
    assert_eq!(routes, policies);
}

/// What changes something changes it somewhere.
#[test]
fn no_change_is_for_everybody_who_has_a_role_anywhere() {
    const CHANGE_NOTHING: &[&str] =
        &["/api/v1/rules/check", "/api/v1/rules/backtest", "/api/v1/rules/test"];
    for policy in POLICIES {
        let anywhere = matches!(policy.access, Access::Needs(_, Place::Anywhere));
        let reads = policy.method == "GET" || CHANGE_NOTHING.contains(&policy.path);
        assert!(!anywhere || reads, "{policy:?}: say whose it is that this changes");
    }
}

/// The city with one of everything that can be owned, each environment's.
struct Owned {
    city: City,
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

async fn owned() -> Owned {
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
    async fn ask(&self, policy: &Policy, grants: &Grants, by_cookie: bool) -> StatusCode {
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

/// Where a grant is, seen from what a request names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seat {
    Own,
    Other,
    City,
}

impl Seat {
    const ALL: [Self; 3] = [Self::Own, Self::Other, Self::City];

    fn grants(self, role: Role) -> Grants {
        let department = match self {
            Self::Own => OWN,
            Self::Other => OTHER,
            Self::City => CITY,
        };
        grants(&[(department, role)])
    }
}

/// What the policy says, spelled out once more.
fn is_allowed(access: Access, role: Role, seat: Seat) -> bool {
    match access {
        Access::Open | Access::Known => true,
        Access::Push => role == Role::Admin && seat == Seat::City,
        Access::Needs(least, _) if role < least => false,
        Access::Needs(_, Place::Anywhere) => true,
        Access::Needs(_, Place::City) => seat == Seat::City,
        Access::Needs(_, Place::Owner(_) | Place::Told | Place::OwnerAndTold(_)) => {
            seat != Seat::Other
        }
    }
}

/// Every role in every seat.
fn seats() -> impl Iterator<Item = (Role, Seat)> {
    ROLES.into_iter().flat_map(|role| Seat::ALL.map(|seat| (role, seat)))
}

#[tokio::test]
async fn who_may_not_is_refused_for_what_is_there() {
    let owned = owned().await;
    let mut refused = 0;
    for policy in POLICIES {
        for (role, seat) in seats().filter(|(role, at)| !is_allowed(policy.access, *role, *at)) {
            for by_cookie in [false, true] {
                let status = owned.ask(policy, &seat.grants(role), by_cookie).await;
                assert_eq!(status, StatusCode::FORBIDDEN, "{policy:?} {role} {seat:?} {by_cookie}");
                refused += 1;
            }
        }
    }
    assert!(refused > 500, "{refused}");
}

#[tokio::test]
async fn who_may_is_never_refused() {
    for policy in POLICIES.iter().filter(|policy| policy.access != Access::Open) {
        let owned = owned().await;
        for (role, seat) in seats().filter(|(role, at)| is_allowed(policy.access, *role, *at)) {
            for by_cookie in [false, true] {
                let status = owned.ask(policy, &seat.grants(role), by_cookie).await;
                let refused = [StatusCode::FORBIDDEN, StatusCode::UNAUTHORIZED].contains(&status);
                assert!(!refused, "{policy:?} {role} {seat:?} {by_cookie}: {status}");
                assert!(status != StatusCode::INTERNAL_SERVER_ERROR, "{policy:?} {role} {seat:?}");
            }
        }
    }
}

/// A change that the least role in the own department makes really is made, so that no refusal above
/// is about something else.
#[tokio::test]
async fn the_least_role_in_the_own_department_is_enough() {
    let mut changes = 0;
    for policy in POLICIES {
        let Access::Needs(role, Place::Owner(_) | Place::Told | Place::OwnerAndTold(_)) =
            policy.access
        else {
            continue;
        };
        let owned = owned().await;
        prepare(&owned.city, policy).await;
        let status = owned.ask(policy, &Seat::Own.grants(role), false).await;
        assert!(status.is_success(), "{policy:?}: {status}");
        changes += 1;
    }
    assert!(changes > 25, "{changes}");
}

/// Brings an alert as far as a change of it takes.
async fn prepare(city: &City, policy: &Policy) {
    let until = (NOW + Span::from_hours(2)).to_string();
    let before = match policy.path.trim_start_matches("/api/v1/alerts/{id}/") {
        "unshelve" => Some(("shelve", json!({ "until": until, "reason": "Works" }))),
        "return" => Some(("hand-over", json!({ "department": OTHER, "until": until }))),
        _ => None,
    };
    if let Some((act, body)) = before {
        let done = city.post(&format!("/api/v1/alerts/al-1/{act}"), &body).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    }
}

#[tokio::test]
async fn nobody_without_a_grant_sees_anything_but_who_he_is() {
    let owned = owned().await;
    for policy in POLICIES.iter().filter(|policy| policy.access != Access::Open) {
        let status = owned.ask(policy, &Grants::default(), false).await;
        let refused = status == StatusCode::FORBIDDEN;
        assert_eq!(refused, policy.access != Access::Known, "{policy:?}: {status}");
    }
}

#[tokio::test]
async fn an_engine_may_push_and_nothing_else() {
    let owned = owned().await;
    for policy in POLICIES.iter().filter(|policy| policy.access != Access::Open) {
        let status = owned.ask(policy, &Grants::city(Role::Engine), false).await;
        let refused = status == StatusCode::FORBIDDEN;
        let open = matches!(policy.access, Access::Known | Access::Push);
        assert_eq!(refused, !open, "{policy:?}: {status}");
    }
}

#[tokio::test]
async fn without_a_token_only_the_login_answers() {
    let city = City::new();
    for (method, path) in routes() {
        if find(&method, &path) == Some(Access::Open) && !path.contains("/ingest/") {
            continue;
        }
        let method: Method = method.parse().expect("a method");
        let path = path.replace("{id}", "air-1");
        let body = (method == Method::POST).then(|| json!({}));
        let answer = city.send(bare(method.clone(), &path, body.as_ref())).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}: {}", answer.text);
        assert_eq!(answer.problem(), "unauthenticated");
        assert!(answer.headers.contains_key("www-authenticate"), "{method} {path}");
    }
    for path in ["/health/live", "/health/ready", "/metrics", "/", "/api/v1/login-methods"] {
        let answer = city.send(bare(Method::GET, path, None)).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
    }
}

/// What only the body tells: a thing of one's own given to others, or made somebody else's.
#[tokio::test]
async fn what_the_body_says_is_looked_at_too() {
    let owned = owned().await;
    let city = &owned.city;
    let engineer = token(city, grants(&[(OWN, Role::Engineer)]));
    let operator = token(city, grants(&[(OWN, Role::Operator)]));
    let theirs = GROUP.replace("environment", "transport");
    let one_of_theirs = format!("{GROUP}    department: transport\n");
    let ends_at = (NOW + Span::from_hours(1)).to_string();
    let silence = |matches: Value| json!({ "match": matches, "reason": "x", "ends_at": ends_at });
    let rights = |rights: Value| {
        let mut all = json!({ "devices": null, "any_device": false, "publish": [] });
        all.as_object_mut().expect("an object").extend(rights.as_object().expect("one").clone());
        all
    };
    let device = |department: &str| json!({ "kind": "bus", "department": department });
    let cases = [
        (&engineer, "PUT", "/devices/new", device(OTHER)),
        (&engineer, "PATCH", "/devices/air-2", json!({ "department": OTHER })),
        (&engineer, "PATCH", "/devices/bus-1", json!({ "department": OWN })),
        (&engineer, "PUT", "/devices/bus-1", device(OWN)),
        (
            &engineer,
            "POST",
            "/devices/import",
            json!([{"id": "bus-1", "kind": "bus", "department": OWN}]),
        ),
        (
            &engineer,
            "POST",
            "/devices/import",
            json!([{"id": "n", "kind": "bus", "department": OTHER}]),
        ),
        (&engineer, "POST", "/provisioning/unknown/new-1/accept", json!({ "department": OTHER })),
        (&engineer, "PUT", "/rule-groups/theirs", json!({ "text": theirs, "why": "x" })),
        (&engineer, "PUT", "/rule-groups/mixed", json!({ "text": one_of_theirs, "why": "x" })),
        (&engineer, "PUT", "/credentials/air-2", rights(json!({ "devices": ["bus-1"] }))),
        (&engineer, "PUT", "/credentials/air-2", rights(json!({ "any_device": true }))),
        (&engineer, "PUT", "/credentials/bus-1", rights(json!({}))),
        (&engineer, "PUT", "/credentials/nobody", rights(json!({}))),
        (&engineer, "POST", "/credentials/bus-1/tokens", json!({})),
        (&engineer, "POST", "/device-tokens", json!({ "clients": ["air-1", "bus-1"] })),
        (&operator, "POST", "/silences", silence(json!({ "department": [OWN, OTHER] }))),
        (&operator, "POST", "/silences", silence(json!({ "device": "air-1" }))),
        (&operator, "POST", "/silences", silence(json!({ "rule": ["pm25_high", "unknown"] }))),
    ];
    for (token, method, path, body) in cases {
        let method: Method = method.parse().expect("a method");
        let mut request = bare(method.clone(), &format!("/api/v1{path}"), Some(&body));
        let bearer = HeaderValue::try_from(format!("Bearer {token}")).expect("a header");
        request.headers_mut().insert("authorization", bearer);
        let answer = city.send(request).await;
        assert_eq!(answer.problem(), "forbidden", "{method} {path} {body}: {}", answer.text);
    }
    let list = json!([{ "id": "bus-1", "kind": "bus", "department": OWN }]);
    let mut request = bare(Method::POST, "/api/v1/devices/import", Some(&list));
    let bearer = HeaderValue::try_from(format!("Bearer {engineer}")).expect("a header");
    request.headers_mut().insert("authorization", bearer);
    request.headers_mut().insert("accept", HeaderValue::from_static("application/x-ndjson"));
    let answer = city.send(request).await;
    assert!(answer.text.contains("\"code\":\"forbidden\""), "in a stream too: {}", answer.text);
    assert_eq!(city.ok("/api/v1/devices/bus-1").await["department"], OTHER);
    let body = silence(json!({ "rule": "pm25_high" }));
    let mut request = bare(Method::POST, "/api/v1/silences", Some(&body));
    let bearer = HeaderValue::try_from(format!("Bearer {operator}")).expect("a header");
    request.headers_mut().insert("authorization", bearer);
    assert_eq!(city.send(request).await.status, StatusCode::CREATED, "the rule says whose it is");
}

/// Whoever was asked to take an alert may, and whoever has handed it over may not any more.
#[tokio::test]
async fn an_alert_goes_to_the_department_that_has_it() {
    let owned = owned().await;
    let city = &owned.city;
    let until = (NOW + Span::from_hours(1)).to_string();
    let act = async |department: &str, act: &str, body: Value| {
        let path = format!("/api/v1/alerts/al-1/{act}");
        let mut request = bare(Method::POST, &path, Some(&body));
        let token = token(city, grants(&[(department, Role::Operator)]));
        let bearer = HeaderValue::try_from(format!("Bearer {token}")).expect("a header");
        request.headers_mut().insert("authorization", bearer);
        city.send(request).await.status
    };
    let note = || json!({ "note": "x" });
    assert_eq!(act(OTHER, "notes", note()).await, StatusCode::FORBIDDEN);
    let hand_over = json!({ "department": OTHER, "until": until });
    assert_eq!(act(OWN, "hand-over", hand_over).await, StatusCode::OK);
    assert_eq!(act(OWN, "notes", note()).await, StatusCode::OK, "nobody has accepted it yet");
    assert_eq!(act("works", "accept", json!({})).await, StatusCode::FORBIDDEN);
    assert_eq!(act(OTHER, "accept", json!({})).await, StatusCode::OK);
    assert_eq!(act(OWN, "notes", note()).await, StatusCode::FORBIDDEN);
    assert_eq!(act(OTHER, "return", json!({ "until": until })).await, StatusCode::OK);
    assert_eq!(act(OWN, "notes", note()).await, StatusCode::OK, "it is back");
    assert_eq!(act(OTHER, "notes", note()).await, StatusCode::FORBIDDEN);
}

/// The policies say of each target at least one route, so that none of them goes untested.
#[test]
fn every_kind_of_target_is_tested() {
    use Target::{
        Alert, Client, ClientThere, Dataset, DeadLetter, Device, RuleGroup, Silence, Token,
        Unknown, User, UserSeen,
    };
    for target in [
        Alert,
        Client,
        ClientThere,
        Dataset,
        DeadLetter,
        Device,
        RuleGroup,
        Silence,
        Token,
        Unknown,
        User,
        UserSeen,
    ] {
        let names = |policy: &&Policy| match policy.access {
            Access::Needs(_, Place::Owner(of) | Place::OwnerAndTold(of)) => of == target,
            _ => false,
        };
        assert!(POLICIES.iter().any(|policy| names(&policy)), "{target:?}");
    }
}
