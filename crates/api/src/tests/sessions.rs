//! Attacks on logins and sessions: fixation, replay, forgery, requests of other sites, guessing, and
//! headers that pretend.

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Method, Request, StatusCode};
use city_model::Span;
use serde_json::{Value, json};

use super::fixture::{Answer, City, bare};
use super::owned::{grants, put_user};
use crate::{NewPassword, Role};

/// The password of everybody here.
pub(super) const PASSWORD: &str = "a walk along the quiet river";

/// Adds somebody with a password of his own choice.
pub(super) fn add(city: &City, id: &str, of: &[(&str, Role)]) {
    put_user(city, id, of);
    set_password(city, id, PASSWORD, false);
}

pub(super) fn set_password(city: &City, id: &str, password: &str, must_change: bool) {
    let password = NewPassword::new(password, id, id).expect("good");
    city.brain.app.credentials.users().set_password(id, &password, must_change).expect("set");
}

pub(super) fn login(user: &str, password: &str) -> Request<Body> {
    let body = json!({ "user": user, "password": password });
    bare(Method::POST, "/api/v1/session", Some(&body))
}

/// A request from an address, as the listener notes it.
pub(super) fn from(address: &str, mut request: Request<Body>) -> Request<Body> {
    let peer: std::net::SocketAddr = format!("{address}:4711").parse().expect("an address");
    request.extensions_mut().insert(ConnectInfo(peer));
    request
}

/// A browser: its cookies by name.
#[derive(Default)]
pub(super) struct Browser(Vec<(String, String)>);

impl Browser {
    /// Sends a request with the cookies, and keeps those that come back.
    pub(super) async fn send(&mut self, city: &City, mut request: Request<Body>) -> Answer {
        if !self.0.is_empty() {
            let cookies: Vec<_> = self.0.iter().map(|(n, v)| format!("{n}={v}")).collect();
            let cookies = HeaderValue::try_from(cookies.join("; ")).expect("a header");
            request.headers_mut().insert("cookie", cookies);
        }
        let answer = city.send(request).await;
        for set in answer.headers.get_all("set-cookie") {
            let set = set.to_str().expect("text");
            let (name, value) = set.split(';').next().and_then(|c| c.split_once('=')).expect("one");
            self.0.retain(|(kept, _)| kept != name);
            if !value.is_empty() {
                self.0.push((name.to_owned(), value.to_owned()));
            }
        }
        answer
    }

    pub(super) async fn log_in(&mut self, city: &City, user: &str, password: &str) -> Answer {
        self.send(city, login(user, password)).await
    }

    /// Logs in, which must work.
    pub(super) async fn of(city: &City, user: &str) -> Self {
        let mut browser = Self::default();
        let answer = browser.log_in(city, user, PASSWORD).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
        browser
    }

    /// The session, as the browser has it.
    fn session(&self) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(name, _)| name.ends_with("citybrain_session"))?;
        Some(value)
    }

    fn with_session(session: &str) -> Self {
        Self(vec![("citybrain_session".to_owned(), session.to_owned())])
    }

    /// A request with the header that no other site can send.
    pub(super) async fn ask(
        &mut self,
        city: &City,
        method: Method,
        path: &str,
        body: Value,
    ) -> Answer {
        let body = Some(&body).filter(|body| !body.is_null());
        let mut request = bare(method, &format!("/api/v1{path}"), body);
        request.headers_mut().insert("x-citybrain-csrf", HeaderValue::from_static("1"));
        self.send(city, request).await
    }

    /// The status of asking who is logged in.
    pub(super) async fn status(&mut self, city: &City) -> u16 {
        self.ask(city, Method::GET, "/session", Value::Null).await.status.as_u16()
    }
}

#[tokio::test]
async fn a_user_logs_in_and_is_told_who_he_is() {
    let city = City::new();
    add(&city, "bo", &[("environment", Role::Operator), ("*", Role::Viewer)]);
    let mut browser = Browser::default();
    let answer = browser.log_in(&city, " Bo ", PASSWORD).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
    for set in answer.headers.get_all("set-cookie") {
        let set = set.to_str().expect("text");
        assert!(set.contains("HttpOnly") && set.contains("SameSite=Strict"), "{set}");
        assert!(!set.contains("Domain"), "{set}");
    }
    let session = browser.ask(&city, Method::GET, "/session", Value::Null).await.json();
    let both = json!([{ "department": "*", "role": "viewer" },
        { "department": "environment", "role": "operator" }]);
    assert_eq!((&session["user"], &session["role"]), (&json!("bo"), &json!("operator")));
    assert_eq!((&session["grants"], &session["name"]), (&both, &json!("BO")));
    assert_eq!(session["password_changeable"], true);
}

#[tokio::test]
async fn a_session_that_somebody_planted_is_not_the_one_that_a_login_opens() {
    let city = City::new();
    add(&city, "bo", &[("*", Role::Viewer)]);
    add(&city, "mallory", &[("*", Role::Viewer)]);
    let planted = Browser::of(&city, "mallory").await.session().expect("one").to_owned();
    let mut victim = Browser::with_session(&planted);
    victim.log_in(&city, "bo", PASSWORD).await;
    assert_ne!(victim.session(), Some(&*planted), "a login always opens a new one");
    let mut mallory = Browser::with_session(&planted);
    assert_eq!(mallory.status(&city).await, 401, "and ends the one that was there");
    let made_up = "A".repeat(43);
    let mut victim = Browser::with_session(&made_up);
    victim.log_in(&city, "bo", PASSWORD).await;
    assert_eq!(Browser::with_session(&made_up).status(&city).await, 401);
}

#[tokio::test]
async fn what_was_copied_is_worthless_after_the_logout() {
    let city = City::new();
    add(&city, "bo", &[("*", Role::Viewer)]);
    let mut browser = Browser::of(&city, "bo").await;
    let mut thief = Browser::with_session(browser.session().expect("one"));
    assert_eq!(thief.status(&city).await, 200);
    let out = browser.ask(&city, Method::DELETE, "/session", Value::Null).await;
    assert_eq!((out.status, browser.session()), (StatusCode::NO_CONTENT, None));
    assert_eq!(thief.status(&city).await, 401, "at once");
}

#[tokio::test]
async fn sessions_end_when_they_rest_and_when_they_are_old() {
    let city = City::new();
    add(&city, "bo", &[("*", Role::Viewer)]);
    let mut browser = Browser::of(&city, "bo").await;
    city.clock.advance(Span::from_hours(12));
    assert_eq!(browser.status(&city).await, 401, "idle");
    let mut browser = Browser::of(&city, "bo").await;
    for _ in 0..7 * 24 / 6 - 1 {
        city.clock.advance(Span::from_hours(6));
        assert_eq!(browser.status(&city).await, 200);
    }
    city.clock.advance(Span::from_hours(6));
    assert_eq!(browser.status(&city).await, 401, "a week");
}

#[tokio::test]
async fn a_changed_password_ends_all_sessions_and_opens_a_new_one() {
    let city = City::new();
    add(&city, "bo", &[("*", Role::Viewer)]);
    let mut elsewhere = Browser::of(&city, "bo").await;
    let mut browser = Browser::of(&city, "bo").await;
    let mut thief = Browser::with_session(browser.session().expect("one"));
    let change = |current: &str, new: &str| json!({ "current": current, "new": new });
    let path = "/session/password";
    let wrong = browser.ask(&city, Method::PUT, path, change("wrong", "another long word")).await;
    assert_eq!(wrong.problem(), "bad_login");
    let weak = browser.ask(&city, Method::PUT, path, change(PASSWORD, "password1234")).await;
    assert_eq!(weak.problem(), "bad_fields");
    assert_eq!(browser.status(&city).await, 200, "nothing has changed");
    let new = "three boats in the harbour";
    let done = browser.ask(&city, Method::PUT, path, change(PASSWORD, new)).await;
    assert_eq!(done.status, StatusCode::NO_CONTENT, "{}", done.text);
    assert_eq!(browser.status(&city).await, 200);
    assert_eq!((thief.status(&city).await, elsewhere.status(&city).await), (401, 401));
    let old = Browser::default().log_in(&city, "bo", PASSWORD).await;
    assert_eq!(old.problem(), "bad_login");
    assert_eq!(Browser::default().log_in(&city, "bo", new).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_password_that_somebody_else_gave_must_be_changed_before_anything_else() {
    let city = City::new();
    add(&city, "bo", &[("*", Role::Admin)]);
    set_password(&city, "bo", PASSWORD, true);
    let mut browser = Browser::of(&city, "bo").await;
    let session = browser.ask(&city, Method::GET, "/session", Value::Null).await.json();
    assert_eq!(session["password_change_needed"], true);
    for path in ["/system", "/users", "/devices"] {
        let refused = browser.ask(&city, Method::GET, path, Value::Null).await;
        assert_eq!(refused.problem(), "password_change_needed", "{path}");
    }
    let change = json!({ "current": PASSWORD, "new": "three boats in the harbour" });
    let done = browser.ask(&city, Method::PUT, "/session/password", change).await;
    assert_eq!(done.status, StatusCode::NO_CONTENT, "{}", done.text);
    let system = browser.ask(&city, Method::GET, "/system", Value::Null).await;
    assert_eq!(system.status, StatusCode::OK);
}

#[tokio::test]
async fn a_session_ends_when_its_user_may_not_log_in_or_may_do_something_else() {
    let city = City::new();
    add(&city, "bo", &[("*", Role::Viewer)]);
    let disable = json!({ "name": "Bo", "grants": [{ "department": "*", "role": "viewer" }],
        "enabled": false });
    let change = async |body: &Value| {
        let tag = city.get("/api/v1/users/bo").await.headers["etag"].clone();
        let tag = tag.to_str().expect("text").to_owned();
        let done = city.change(Method::PUT, "/api/v1/users/bo", body, Some(&tag)).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    };
    let mut browser = Browser::of(&city, "bo").await;
    let mut renamed = disable.clone();
    (renamed["enabled"], renamed["name"]) = (json!(true), json!("Bob"));
    change(&renamed).await;
    assert_eq!(browser.status(&city).await, 200, "a new name ends nothing");
    change(&disable).await;
    assert_eq!(browser.status(&city).await, 401);
    let refused = browser.log_in(&city, "bo", PASSWORD).await;
    assert_eq!(refused.problem(), "bad_login", "as if nobody were there");
    change(&renamed).await;
    let mut browser = Browser::of(&city, "bo").await;
    renamed["grants"] = json!([{ "department": "environment", "role": "viewer" }]);
    change(&renamed).await;
    assert_eq!(browser.status(&city).await, 401, "other grants");
    let mut browser = Browser::of(&city, "bo").await;
    let out = city.change(Method::DELETE, "/api/v1/users/bo/sessions", &Value::Null, None).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT, "{}", out.text);
    assert_eq!(browser.status(&city).await, 401, "logged out by an administrator");
}

#[tokio::test]
async fn forged_cookies_are_nobodys() {
    let city = City::new();
    add(&city, "bo", &[("*", Role::Viewer)]);
    let browser = Browser::of(&city, "bo").await;
    let real = browser.session().expect("one").to_owned();
    let token = city.token(Role::Admin);
    let mut last = real.clone();
    let end = if last.ends_with('A') { "B" } else { "A" };
    last.replace_range(last.len() - 1.., end);
    let forged =
        [String::new(), "bo".to_owned(), "1".to_owned(), last, real[..42].to_owned(), token];
    for forged in forged {
        assert_eq!(Browser::with_session(&forged).status(&city).await, 401, "{forged}");
    }
    // The cookie by which a browser is known opens nothing, and a session is no token.
    let known = browser.0.iter().find(|(name, _)| name == "citybrain_browser").expect("one");
    assert_eq!(Browser::with_session(&known.1).status(&city).await, 401);
    let mut request = bare(Method::GET, "/api/v1/session", None);
    let bearer = HeaderValue::try_from(format!("Bearer {real}")).expect("a header");
    request.headers_mut().insert("authorization", bearer);
    assert_eq!(city.send(request).await.problem(), "unauthenticated");
}

/// What a page of another site can make a browser send, cookies and all.
#[tokio::test]
async fn other_sites_can_change_nothing_and_log_nobody_in() {
    let city = City::new();
    add(&city, "bo", &[("*", Role::Operator)]);
    let mut browser = Browser::of(&city, "bo").await;
    let mut send = async |headers: &[(&'static str, &'static str)]| {
        let mut request = bare(Method::DELETE, "/api/v1/session", None);
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_static(value));
        }
        browser.send(&city, request).await
    };
    let header = ("x-citybrain-csrf", "1");
    assert_eq!(send(&[]).await.problem(), "csrf_header_missing");
    assert_eq!(send(&[("x-citybrain-csrf", "0")]).await.problem(), "csrf_header_missing");
    let same_host = [("host", "city.example"), ("origin", "https://city.example")];
    assert_eq!(send(&same_host).await.problem(), "csrf_header_missing");
    for foreign in [
        [header, ("host", "city.example"), ("origin", "https://evil.example")],
        [header, ("host", "city.example"), ("origin", "null")],
        [header, ("host", "city.example"), ("sec-fetch-site", "cross-site")],
        [header, ("host", "city.example"), ("sec-fetch-site", "same-site")],
    ] {
        assert_eq!(send(&foreign).await.problem(), "cross_origin", "{foreign:?}");
    }
    let good = [header, same_host[0], same_host[1], ("sec-fetch-site", "same-origin")];
    assert_eq!(send(&good).await.status, StatusCode::NO_CONTENT);

    // Somebody else's session planted by a login from elsewhere.
    for (name, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
        let mut request = login("bo", PASSWORD);
        request.headers_mut().insert("host", HeaderValue::from_static("city.example"));
        request.headers_mut().insert(name, HeaderValue::from_static(value));
        let refused = city.send(request).await;
        assert_eq!(refused.problem(), "cross_origin", "{name}");
        assert!(!refused.headers.contains_key("set-cookie"));
    }
    // A form cannot send JSON, and JSON is asked for.
    let mut form = login("bo", PASSWORD);
    form.headers_mut().insert("content-type", HeaderValue::from_static("text/plain"));
    assert_eq!(city.send(form).await.problem(), "unsupported_media_type");
}

#[tokio::test]
async fn over_tls_the_cookies_are_such_that_nobody_else_can_set_them() {
    let city = City::new();
    add(&city, "bo", &[("*", Role::Viewer)]);
    let tls = |mut request: Request<Body>| {
        request.headers_mut().insert("x-forwarded-proto", HeaderValue::from_static("https"));
        request
    };
    let mut browser = Browser::default();
    let answer = browser.send(&city, tls(login("bo", PASSWORD))).await;
    let sets: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    assert_eq!(sets.len(), 2);
    for set in sets {
        let set = set.to_str().expect("text");
        assert!(set.starts_with("__Host-citybrain_") && set.ends_with("; Secure"), "{set}");
        assert!(set.contains("Path=/;"), "{set}");
    }
    let session = browser.session().expect("one").to_owned();
    let ask = || tls(bare(Method::GET, "/api/v1/session", None));
    assert_eq!(browser.send(&city, ask()).await.status, StatusCode::OK);
    let plain = Browser::with_session(&session).send(&city, ask()).await;
    assert_eq!(plain.problem(), "unauthenticated", "the name that any host can set");
    // Nobody but a proxy on this machine says that it was TLS.
    let far = from("192.0.2.1", tls(login("bo", PASSWORD)));
    let answer = city.send(far).await;
    let set = answer.headers["set-cookie"].to_str().expect("text");
    assert!(set.starts_with("citybrain_session=") && !set.contains("Secure"), "{set}");
}

#[tokio::test]
async fn a_token_of_another_department_opens_a_session_of_that_department() {
    let city = City::new();
    let token = super::owned::token(&city, grants(&[("transport", Role::Engineer)]));
    let mut browser = Browser::default();
    let body = json!({ "token": token });
    let answer = browser.send(&city, bare(Method::POST, "/api/v1/session", Some(&body))).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    let patch = json!({ "life_cycle": "maintenance" });
    let own = browser.ask(&city, Method::PATCH, "/devices/bus-1", patch.clone()).await;
    assert_eq!(own.status, StatusCode::OK, "{}", own.text);
    let other = browser.ask(&city, Method::PATCH, "/devices/air-1", patch).await;
    assert_eq!(other.problem(), "forbidden");
    let password = json!({ "current": "x", "new": "three boats in the harbour" });
    let none = browser.ask(&city, Method::PUT, "/session/password", password).await;
    assert_eq!(none.problem(), "no_password");
}

#[tokio::test]
async fn a_login_is_a_token_or_a_name_and_a_password() {
    let city = City::new();
    for body in [
        json!({}),
        json!({ "user": "bo" }),
        json!({ "token": "t", "user": "bo", "password": "p" }),
        json!({ "token": 5 }),
        json!({ "token": "t", "role": "admin" }),
        json!({ "state": "s" }),
        json!({ "state": "s", "code": "c", "token": "t" }),
        json!({ "user": "bo", "password": "p", "issuer": "https://id.city.example" }),
    ] {
        let answer = city.send(bare(Method::POST, "/api/v1/session", Some(&body))).await;
        assert_eq!(answer.problem(), "bad_body", "{body}");
    }
}

#[tokio::test]
async fn without_an_identity_provider_nobody_goes_there_or_comes_from_there() {
    let city = City::new();
    let methods = city.send(bare(Method::GET, "/api/v1/login-methods", None)).await.json();
    assert_eq!(methods["oidc"], Value::Null);
    let leave = city.send(bare(Method::POST, "/api/v1/session/external", None)).await;
    assert_eq!(leave.problem(), "no_provider");
    let body = json!({ "state": "s", "code": "c" });
    let arrive = city.send(bare(Method::POST, "/api/v1/session", Some(&body))).await;
    assert_eq!(arrive.problem(), "no_provider");
}
