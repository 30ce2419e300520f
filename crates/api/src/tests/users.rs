//! Users and access tokens through the API, the first administrator, and what nobody may give.

use axum::http::{HeaderValue, Method, StatusCode};
use city_model::Span;
use serde_json::{Value, json};

use super::fixture::{Answer, City, NOW, bare};
use super::owned::{grants, token};
use super::sessions::{Browser, PASSWORD, add};
use crate::Role;
use crate::auth::CITY;

const ENVIRONMENT: &str = "environment";
const TRANSPORT: &str = "transport";

fn grant(department: &str, role: &str) -> Value {
    json!({ "department": department, "role": role })
}

fn user(grants: &[Value]) -> Value {
    json!({ "name": "Somebody", "grants": grants, "enabled": true })
}

/// A request with a token, and with `If-Match` if a user is there already.
async fn ask(city: &City, token: &str, method: Method, path: &str, body: &Value) -> Answer {
    let path = format!("/api/v1{path}");
    let body = Some(body).filter(|body| !body.is_null());
    let mut request = bare(method.clone(), &path, body);
    let headers = request.headers_mut();
    headers.insert("authorization", HeaderValue::try_from(format!("Bearer {token}")).expect("one"));
    if method == Method::PUT && path.starts_with("/api/v1/users/") {
        let seen = city.get(&path).await;
        seen.headers.get("etag").map(|tag| headers.insert("if-match", tag.clone()));
    }
    city.send(request).await
}

fn admin_of(city: &City, department: &str) -> String {
    token(city, grants(&[(department, Role::Admin)]))
}

#[tokio::test]
async fn a_user_is_added_seen_changed_and_removed() {
    let city = City::new();
    let admin = admin_of(&city, CITY);
    let mut body = user(&[grant(ENVIRONMENT, "operator")]);
    (body["email"], body["password"]) = (json!("bo@city.example"), json!(PASSWORD));
    let put = ask(&city, &admin, Method::PUT, "/users/bo", &body).await;
    assert_eq!(put.status, StatusCode::CREATED, "{}", put.text);
    let shown = city.ok("/api/v1/users/bo").await;
    assert_eq!(shown, put.json());
    assert!(!put.text.contains("argon2") && !put.text.contains("river"), "{}", put.text);
    assert_eq!(
        (&shown["has_password"], &shown["password_change_needed"]),
        (&json!(true), &json!(true))
    );
    assert_eq!((&shown["created_by"], &shown["last_login_at"]), (&json!("somebody"), &Value::Null));
    let blind = city.change(Method::PUT, "/api/v1/users/bo", &body, None).await;
    assert_eq!(blind.problem(), "already_exists");
    let stale = city.change(Method::PUT, "/api/v1/users/bo", &body, Some("\"0-0\"")).await;
    assert_eq!(stale.problem(), "changed_meanwhile");
    Browser::of(&city, "bo").await;
    assert_eq!(city.ok("/api/v1/users/bo").await["last_login_at"], NOW.to_string());
    assert_eq!(city.ok("/api/v1/users?q=BO").await["total"], 1);
    let gone = ask(&city, &admin, Method::DELETE, "/users/bo", &Value::Null).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.text);
    assert_eq!(city.get("/api/v1/users/bo").await.problem(), "unknown_user");
    let again = ask(&city, &admin, Method::DELETE, "/users/bo", &Value::Null).await;
    assert_eq!(again.problem(), "unknown_user");
}

#[tokio::test]
async fn what_makes_no_user_says_why() {
    let city = City::new();
    let admin = admin_of(&city, CITY);
    let good = user(&[grant(ENVIRONMENT, "viewer")]);
    let with = |member: &str, value: Value| {
        let mut body = good.clone();
        body[member] = value;
        body
    };
    for (id, body) in [
        ("Bo", good.clone()),
        ("b%20o", good.clone()),
        ("bo", with("name", json!(" "))),
        ("bo", with("email", json!("nowhere"))),
        ("bo", with("grants", json!([grant("enviroment", "viewer")]))),
        ("bo", with("grants", json!([grant(CITY, "engine")]))),
        ("bo", with("grants", json!([grant(CITY, "viewer"), grant(CITY, "admin")]))),
        ("bo", with("password", json!("short"))),
        ("river", with("password", json!("a walk along the River"))),
    ] {
        let answer = ask(&city, &admin, Method::PUT, &format!("/users/{id}"), &body).await;
        assert_eq!(answer.problem(), "bad_fields", "{id} {body}: {}", answer.text);
    }
    let role = with("grants", json!([grant(CITY, "root")]));
    assert_eq!(ask(&city, &admin, Method::PUT, "/users/bo", &role).await.problem(), "bad_body");
}

#[tokio::test]
async fn an_administrator_sees_the_people_of_own_departments() {
    let city = City::new();
    for (id, department) in [("en", ENVIRONMENT), ("tr", TRANSPORT), ("ci", CITY)] {
        add(&city, id, &[(department, Role::Viewer)]);
    }
    add(&city, "both", &[(ENVIRONMENT, Role::Viewer), (TRANSPORT, Role::Viewer)]);
    let ids = async |token: &str, path: &str| -> Vec<String> {
        let list = ask(&city, token, Method::GET, path, &Value::Null).await.json();
        let items = list["items"].as_array().expect("items").clone();
        items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()).collect()
    };
    let own = admin_of(&city, ENVIRONMENT);
    assert_eq!(ids(&own, "/users").await, ["both", "en"]);
    assert_eq!(ids(&admin_of(&city, CITY), "/users").await, ["both", "ci", "en", "tr"]);
    assert_eq!(ids(&admin_of(&city, CITY), "/users?department=transport").await, ["both", "tr"]);
    let page =
        ask(&city, &admin_of(&city, CITY), Method::GET, "/users?limit=3", &Value::Null).await;
    let cursor = page.json()["next_cursor"].as_str().expect("more").to_owned();
    let next = format!("/users?limit=3&cursor={cursor}");
    assert_eq!(ids(&admin_of(&city, CITY), &next).await, ["tr"]);
    for (id, status) in [("en", 200), ("both", 200), ("tr", 403), ("ci", 403), ("nobody", 404)] {
        let path = format!("/users/{id}");
        let answer = ask(&city, &own, Method::GET, &path, &Value::Null).await;
        assert_eq!(answer.status.as_u16(), status, "{id}");
    }
    let tokens = ask(&city, &own, Method::GET, "/tokens", &Value::Null).await.json();
    let of_own = |token: &Value| {
        token["grants"].as_array().expect("grants").iter().any(|g| g["department"] == ENVIRONMENT)
    };
    assert!(tokens["items"].as_array().expect("items").iter().all(of_own), "{tokens}");
}

/// All the ways to become more than one is.
#[tokio::test]
async fn nobody_gives_or_takes_what_is_not_his_to_give() {
    let city = City::new();
    let own = admin_of(&city, ENVIRONMENT);
    add(&city, "tr", &[(TRANSPORT, Role::Admin)]);
    add(&city, "both", &[(ENVIRONMENT, Role::Viewer), (TRANSPORT, Role::Admin)]);
    add(&city, "ci", &[(CITY, Role::Admin)]);
    let in_own = grant(ENVIRONMENT, "admin");
    let both = |role: &str| [grant(ENVIRONMENT, role), grant(TRANSPORT, "admin")];
    let renamed = |grants: &[Value]| {
        let mut body = user(grants);
        body["name"] = json!("Mallory");
        body
    };
    let as_is = |id: &str, grants: &[Value]| {
        let mut body = user(grants);
        body["name"] = json!(id.to_uppercase());
        body
    };
    let with_password = |grants: &[Value]| {
        let mut body = as_is("both", grants);
        body["password"] = json!(PASSWORD);
        body
    };
    let disabled = |id: &str, grants: &[Value]| {
        let mut body = as_is(id, grants);
        body["enabled"] = json!(false);
        body
    };
    let refused = [
        ("new", user(&[grant(TRANSPORT, "viewer")])),
        ("new", user(&[grant(CITY, "viewer")])),
        ("new", user(&[in_own.clone(), grant(TRANSPORT, "viewer")])),
        ("new", user(&[])),
        ("tr", as_is("tr", std::slice::from_ref(&in_own))),
        ("ci", as_is("ci", &[])),
        ("both", as_is("both", std::slice::from_ref(&in_own))),
        ("both", with_password(&both("viewer"))),
        ("both", renamed(&both("viewer"))),
        ("both", disabled("both", &both("viewer"))),
        ("ci", disabled("ci", &[grant(CITY, "admin")])),
    ];
    for (id, body) in &refused {
        let answer = ask(&city, &own, Method::PUT, &format!("/users/{id}"), body).await;
        assert_eq!(answer.problem(), "forbidden", "{id} {body}: {}", answer.text);
    }
    for path in ["/users/tr", "/users/both", "/users/ci", "/users/both/sessions"] {
        let answer = ask(&city, &own, Method::DELETE, path, &Value::Null).await;
        assert_eq!(answer.problem(), "forbidden", "{path}");
    }
    // What is his to give.
    let answer =
        ask(&city, &own, Method::PUT, "/users/both", &as_is("both", &both("engineer"))).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let answer = ask(&city, &own, Method::PUT, "/users/new", &user(&[in_own])).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);

    let wish = |grants: &[Value]| json!({ "note": "x", "grants": grants });
    for grants in [
        vec![grant(TRANSPORT, "viewer")],
        vec![grant(CITY, "viewer")],
        vec![grant(CITY, "engine")],
        vec![grant(ENVIRONMENT, "admin"), grant(TRANSPORT, "viewer")],
    ] {
        let answer = ask(&city, &own, Method::POST, "/tokens", &wish(&grants)).await;
        assert_eq!(answer.problem(), "forbidden", "{grants:?}");
    }
    let answer =
        ask(&city, &own, Method::POST, "/tokens", &wish(&[grant(ENVIRONMENT, "admin")])).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let city = City::new();
    let admin = admin_of(&city, CITY);
    add(&city, "ci", &[(CITY, Role::Admin)]);
    add(&city, "en", &[(ENVIRONMENT, Role::Admin)]);
    let mut disabled = user(&[grant(CITY, "admin")]);
    disabled["enabled"] = json!(false);
    for body in
        [&disabled, &user(&[grant(CITY, "engineer")]), &user(&[grant(ENVIRONMENT, "admin")])]
    {
        let answer = ask(&city, &admin, Method::PUT, "/users/ci", body).await;
        assert_eq!(answer.problem(), "last_administrator", "{body}");
    }
    let answer = ask(&city, &admin, Method::DELETE, "/users/ci", &Value::Null).await;
    assert_eq!(answer.problem(), "last_administrator");
    let mut browser = Browser::of(&city, "ci").await;
    assert_eq!(browser.status(&city).await, 200, "nothing has changed");
    add(&city, "second", &[(CITY, Role::Admin)]);
    let answer = ask(&city, &admin, Method::PUT, "/users/ci", &disabled).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let answer = ask(&city, &admin, Method::DELETE, "/users/second", &Value::Null).await;
    assert_eq!(answer.problem(), "last_administrator", "the other one may not log in");
}

#[tokio::test]
async fn a_token_is_shown_once_listed_used_and_revoked() {
    let city = City::new();
    add(&city, "bo", &[(ENVIRONMENT, Role::Admin)]);
    let mut browser = Browser::of(&city, "bo").await;
    let at = (NOW + Span::from_hours(1)).to_string();
    let wish =
        json!({ "note": "script", "grants": [grant(ENVIRONMENT, "operator")], "expires_at": at });
    let made = browser.ask(&city, Method::POST, "/tokens", wish).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let made = made.json();
    let secret = made["token"].as_str().expect("a token");
    let path = format!("/tokens/{}", made["id"].as_str().expect("an id"));
    let system = ask(&city, secret, Method::GET, "/system", &Value::Null).await;
    assert_eq!(system.status, StatusCode::OK);
    let listed = browser.ask(&city, Method::GET, "/tokens?valid=true", Value::Null).await;
    assert!(!listed.text.contains(secret));
    let listed = listed.json()["items"][0].clone();
    for (member, value) in [
        ("user", json!("bo")),
        ("note", json!("script")),
        ("created_by", json!("bo")),
        ("owner", json!("bo")),
        ("expires_at", json!(at)),
        ("last_used_at", json!(NOW.to_string())),
        ("last_used_from", json!("127.0.0.1")),
        ("revoked_at", Value::Null),
    ] {
        assert_eq!(listed[member], value, "{member}: {listed}");
    }
    let gone = browser.ask(&city, Method::DELETE, &path, Value::Null).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.text);
    let refused = ask(&city, secret, Method::GET, "/system", &Value::Null).await;
    assert_eq!(refused.problem(), "unauthenticated", "at once");
    let none = browser.ask(&city, Method::DELETE, "/tokens/999", Value::Null).await;
    assert_eq!(none.problem(), "unknown_token");
    for bad in [
        json!({ "note": " ", "grants": [grant(ENVIRONMENT, "viewer")] }),
        json!({ "note": "x", "grants": [grant(ENVIRONMENT, "viewer")], "expires_at": NOW.to_string() }),
    ] {
        let answer = browser.ask(&city, Method::POST, "/tokens", bad).await;
        assert_eq!(answer.problem(), "bad_fields");
    }
}

#[tokio::test]
async fn what_the_program_made_for_itself_is_marked_and_stays() {
    let city = City::new();
    city.brain.mint("alert-engine", Role::Engine, crate::OWN_TOKEN).expect("minted");
    let listed = city.ok("/api/v1/tokens?q=alert-engine").await["items"][0].clone();
    assert_eq!(listed["own"], true, "{listed}");
    let path = format!("/api/v1/tokens/{}", listed["id"].as_str().expect("an id"));
    let refused = city.send(city.request(Method::DELETE, &path, None)).await;
    assert_eq!((refused.status.as_u16(), &*refused.problem()), (409, "own_token"));
}

/// A token that leaks must not live on in tokens that were made with it, nor outlive its user.
#[tokio::test]
async fn a_token_made_with_a_token_ends_with_it_and_with_the_user() {
    let city = City::new();
    add(&city, "bo", &[(ENVIRONMENT, Role::Admin)]);
    let mut browser = Browser::of(&city, "bo").await;
    let at = |hours| (NOW + Span::from_hours(hours)).to_string();
    let wish = |at: Option<String>| json!({ "note": "x", "grants": [grant(ENVIRONMENT, "admin")], "expires_at": at });
    let first = browser.ask(&city, Method::POST, "/tokens", wish(Some(at(2)))).await.json();
    let first = first["token"].as_str().expect("a token");
    let longer = ask(&city, first, Method::POST, "/tokens", &wish(Some(at(3)))).await;
    assert_eq!(longer.problem(), "bad_fields");
    let second = ask(&city, first, Method::POST, "/tokens", &wish(None)).await.json();
    let second = second["token"].as_str().expect("a token").to_owned();
    let login = json!({ "token": second });
    let mut session = Browser::default();
    session.send(&city, bare(Method::POST, "/api/v1/session", Some(&login))).await;
    let third = session.ask(&city, Method::POST, "/tokens", wish(None)).await.json();
    let third = third["token"].as_str().expect("a token").to_owned();
    let gone = ask(&city, &admin_of(&city, CITY), Method::DELETE, "/users/bo", &Value::Null).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.text);
    for token in [first, &second, &third] {
        let answer = ask(&city, token, Method::GET, "/system", &Value::Null).await;
        assert_eq!(answer.problem(), "unauthenticated");
    }
    assert_eq!(session.status(&city).await, 401);
}

#[tokio::test]
async fn the_first_administrator_is_made_once_by_who_has_the_link() {
    let city = City::new();
    let methods = async || city.ok("/api/v1/login-methods").await["setup_needed"].clone();
    let set_up = async |token: &str, password: &str| {
        let body = json!({ "token": token, "user": "ada", "name": "Ada", "password": password });
        city.send(bare(Method::POST, "/api/v1/setup", Some(&body))).await
    };
    assert_eq!(methods().await, false, "nobody opened it");
    assert_eq!(set_up("", PASSWORD).await.problem(), "setup_done");
    let token = city.brain.open_setup().expect("read").expect("there is no administrator");
    assert_eq!(methods().await, true);
    assert_eq!(set_up("guess", PASSWORD).await.problem(), "bad_setup_token");
    assert_eq!(set_up(&token, "password1234").await.problem(), "bad_fields");
    let done = set_up(&token, PASSWORD).await;
    assert_eq!(done.status, StatusCode::NO_CONTENT, "{}", done.text);
    assert!(done.headers.contains_key("set-cookie"));
    assert_eq!(set_up(&token, PASSWORD).await.problem(), "setup_done");
    assert_eq!(methods().await, false);
    let mut browser = Browser::of(&city, "ada").await;
    let session = browser.ask(&city, Method::GET, "/session", Value::Null).await.json();
    assert_eq!(session["grants"], json!([grant(CITY, "admin")]));
    assert_eq!(session["password_change_needed"], false);
    assert_eq!(city.brain.open_setup().expect("read"), None);
}

#[tokio::test]
async fn guessing_the_set_up_token_is_slowed_down() {
    let city = City::new();
    city.brain.open_setup().expect("read").expect("there is no administrator");
    let body = json!({ "token": "guess", "user": "eve", "name": "Eve", "password": PASSWORD });
    let guess = || city.send(bare(Method::POST, "/api/v1/setup", Some(&body)));
    for _ in 0..10 {
        assert_eq!(guess().await.problem(), "bad_setup_token");
    }
    assert_eq!(guess().await.problem(), "too_many_attempts");
}
