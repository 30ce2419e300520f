//! Who gets into a running program: the first administrator, people whom the command line adds and
//! takes away while it runs, and what is left of all that after a restart.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use city_tests::faults::{City, PATIENCE};
use city_tests::instance::{Instance, binary, eventually};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

const PASSWORD: &str = "a walk along the quiet river";
const OTHER: &str = "three boats in the harbour";

/// A browser, as far as logging in goes: it keeps the session's cookie.
#[derive(Default)]
struct Browser(Option<String>);

impl Browser {
    async fn send(&mut self, at: &Instance, method: Method, path: &str, body: &Value) -> Response {
        let client = city_alert::plain_client(Duration::from_secs(30)).expect("a client");
        let url = format!("http://{}/api/v1{path}", at.ready.http);
        let mut request = client.request(method, url).header("x-citybrain-csrf", "1");
        if let Some(session) = &self.0 {
            request = request.header("cookie", session);
        }
        if !body.is_null() {
            request = request.json(body);
        }
        let answer = request.send().await.expect("an answer");
        let cookies = answer.headers().get_all("set-cookie").iter();
        let session = cookies
            .filter_map(|set| set.to_str().ok()?.split(';').next())
            .find(|cookie| cookie.starts_with("citybrain_session="));
        if let Some(session) = session {
            self.0 = Some(session.to_owned());
        }
        answer
    }

    async fn log_in(at: &Instance, user: &str, password: &str) -> (Self, StatusCode) {
        let mut browser = Self::default();
        let body = json!({ "user": user, "password": password });
        let answer = browser.send(at, Method::POST, "/session", &body).await;
        (browser, answer.status())
    }

    async fn session(&mut self, at: &Instance) -> Option<Value> {
        let answer = self.send(at, Method::GET, "/session", &Value::Null).await;
        if answer.status() == StatusCode::OK { answer.json().await.ok() } else { None }
    }
}

/// Runs `citybrain user …` with a line on its standard input; what it says, if it succeeds.
fn user(city: &City, arguments: &[&str], line: &str) -> Result<String, String> {
    let mut child = Command::new(binary().expect("built"))
        .arg("user")
        .args(arguments)
        .arg("--data-dir")
        .arg(city.data())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut input = child.stdin.take().expect("an input");
    // It may have ended already.
    let _ = writeln!(input, "{line}");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(said) } else { Err(complained) }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_let_in_taken_away_and_kept_over_a_restart() {
    let city = City::new(&[]).expect("a city");
    let instance = city.start().await.expect("a start");
    let token = instance.ready.setup.clone().expect("nobody administers the city yet");
    let first = json!({ "token": token, "user": "ada", "name": "Ada", "password": PASSWORD });
    let mut ada = Browser::default();
    let done = ada.send(&instance, Method::POST, "/setup", &first).await;
    assert_eq!(done.status(), StatusCode::NO_CONTENT);
    let again = Browser::default().send(&instance, Method::POST, "/setup", &first).await;
    assert_eq!(again.status(), StatusCode::CONFLICT);
    let session = ada.session(&instance).await.expect("logged in");
    assert_eq!(session["grants"], json!([{ "department": "*", "role": "admin" }]));

    // The command line, beside the running program.
    let grant = ["add", "bo", "--name", "Bo", "--grant", "operator@city"];
    let weak = user(&city, &grant, "password1234").expect_err("too easy to guess");
    assert!(weak.contains("hint"), "{weak}");
    let added = user(&city, &grant, PASSWORD).expect("added");
    assert!(added.contains("operator@city") && !added.contains(PASSWORD), "{added}");
    let list = user(&city, &["list"], "").expect("listed");
    assert!(list.contains("ada") && list.contains("bo"), "{list}");
    let (mut bo, status) = Browser::log_in(&instance, "bo", PASSWORD).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let session = bo.session(&instance).await.expect("logged in");
    assert_eq!(session["password_change_needed"], true);
    let system = bo.send(&instance, Method::GET, "/system", &Value::Null).await;
    assert_eq!(system.status(), StatusCode::FORBIDDEN);
    let change = json!({ "current": PASSWORD, "new": OTHER });
    let changed = bo.send(&instance, Method::PUT, "/session/password", &change).await;
    assert_eq!(changed.status(), StatusCode::NO_CONTENT);
    let system = bo.send(&instance, Method::GET, "/system", &Value::Null).await;
    assert_eq!(system.status(), StatusCode::OK);
    let users = bo.send(&instance, Method::GET, "/users", &Value::Null).await;
    assert_eq!(users.status(), StatusCode::FORBIDDEN);

    // What another process changed holds within seconds.
    user(&city, &["disable", "bo"], "").expect("disabled");
    eventually("the end of the session", PATIENCE, async || {
        Ok(bo.session(&instance).await.is_none().then_some(()))
    })
    .await
    .expect("logged out");
    assert_eq!(Browser::log_in(&instance, "bo", OTHER).await.1, StatusCode::UNAUTHORIZED);
    let last = user(&city, &["disable", "ada"], "").expect_err("the last administrator");
    assert!(last.contains("last administrator"), "{last}");

    instance.kill().expect("killed");
    let instance = city.start().await.expect("a start");
    assert_eq!(instance.ready.setup, None, "there is an administrator");
    assert!(ada.session(&instance).await.is_some(), "sessions outlive the process");
    assert_eq!(Browser::log_in(&instance, "ada", PASSWORD).await.1, StatusCode::NO_CONTENT);
    assert_eq!(Browser::log_in(&instance, "bo", OTHER).await.1, StatusCode::UNAUTHORIZED);
}
