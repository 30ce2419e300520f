//! The permission matrix: every route of the router × every role × own department, other department
//! and whole city × by token and by cookie, against things that are there and belong to the own
//! department.

use axum::http::{HeaderValue, Method, StatusCode};
use city_model::Span;
use serde_json::{Value, json};

use super::fixture::{City, NOW, bare};
use super::owned::{GROUP, OTHER, OWN, grants, owned, token};
use crate::Role;
use crate::auth::policy::{Access, POLICIES, Place, Policy, Target, find};
use crate::auth::{CITY, Grants};
use crate::openapi::DOCUMENT;

/// Roles of people.
const ROLES: [Role; 4] = [Role::Viewer, Role::Operator, Role::Engineer, Role::Admin];

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
        Access::Push => role == Role::Admin && seat == Seat::City,
        Access::Needs(least, _) if role < least => false,
        Access::Open | Access::Known | Access::Needs(_, Place::Anywhere) => true,
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
