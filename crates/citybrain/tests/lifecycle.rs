//! The lifecycle of alerts with the whole program between a device and somebody outside.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use city_api::Mode;
use citybrain::app::App;
use citybrain::city::City;
use citybrain::settings::load;
use reqwest::Method;
use serde_json::{Value, json};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

const RULES: &str = "
group: test
department: works
rules:
  - id: hot
    name: {en: Hot, zh: 高温}
    kind: threshold
    select: {metric: temperature}
    severity: {medium: {above: 30, clear_below: 28}}
    summary: {en: '{device} {value}', zh: '{device} {value}'}
  - id: very-hot
    name: {en: Very hot, zh: 极热}
    kind: threshold
    select: {metric: temperature}
    severity: {critical: {above: 45, clear_below: 42}}
    summary: {en: '{device} {value}', zh: '{device} {value}'}
";

/// A city with a webhook at `url`.
async fn start(folder: &Path, url: &str) -> App {
    let rules = folder.join("rules");
    std::fs::create_dir_all(&rules).expect("made");
    std::fs::write(rules.join("hot.yaml"), RULES).expect("written");
    let text = format!(
        r#"
data_dir = '{}'
[city]
name = "Test"
time_zone = "Asia/Shanghai"
rules = '{}'
[http]
listen = "127.0.0.1:0"
[mqtt]
enabled = false
[[source]]
id = "json"
topic = "json/{{device}}"
format = "json"
unknown_devices = "register"
[source.options.values]
"t" = {{ metric = "temperature", unit = "Cel" }}
[[receiver]]
id = "desk"
type = "webhook"
options = {{ url = "{url}" }}
[[inhibit]]
source = {{ rule = "very-hot" }}
target = {{ rule = "hot" }}
equal = ["device"]
"#,
        folder.join("data").display(),
        rules.display()
    );
    let file = folder.join("citybrain.toml");
    std::fs::write(&file, text).expect("written");
    let city = City::read(load(&file).expect("good settings")).expect("a good city");
    App::start(city, Mode::Live, &mut |_| {}).await.expect("it starts")
}

/// What somebody was told: the rule, and what happened.
type Told = Arc<Mutex<Vec<(String, String)>>>;

/// A webhook's other side.
fn desk() -> (String, Told) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let told = Told::default();
    let hears = told.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.expect("a connection"));
            let (mut length, mut line) = (0, String::new());
            while stream.read_line(&mut line).is_ok_and(|read| read > 2) {
                if let Some(text) = line.to_lowercase().strip_prefix("content-length:") {
                    length = text.trim().parse().expect("a number");
                }
                line.clear();
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).expect("a body");
            let event: Value = serde_json::from_slice(&body).expect("JSON");
            let text = |value: &Value| value.as_str().expect("text").to_owned();
            let what = (text(&event["alert"]["rule"]["id"]), text(&event["kind"]));
            hears.lock().expect("not poisoned").push(what);
            let answer = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
            stream.get_mut().write_all(answer).expect("answered");
        }
    });
    (url, told)
}

async fn call(app: &App, method: Method, path: &str, body: Option<&Value>) -> Value {
    let url = format!("http://{}/api/v1/{path}", app.http);
    let client = reqwest::Client::builder().tls_certs_only([]).build().expect("a client");
    let request = client.request(method, url).bearer_auth(&app.token);
    let request = if let Some(body) = body { request.json(body) } else { request };
    let answer = request.send().await.expect("an answer");
    let status = answer.status();
    let text = answer.text().await.expect("text");
    assert!(status.is_success(), "{path}: {status} {text}");
    serde_json::from_str(&text).expect("JSON")
}

async fn get(app: &App, path: &str) -> Value {
    call(app, Method::GET, path, None).await
}

async fn post(app: &App, path: &str, body: &Value) -> Value {
    call(app, Method::POST, path, Some(body)).await
}

async fn measure(app: &App, device: &str, temperature: f64) {
    post(app, &format!("ingest/json?device={device}"), &json!({ "t": temperature })).await;
}

/// What is there, once it is.
async fn until<T>(what: impl AsyncFn() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = what().await {
            return found;
        }
        assert!(Instant::now() < end, "it does not happen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// An alert of a device that is as wanted, once there is one.
async fn alert(app: &App, device: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let path = format!("alerts?device={device}");
    let looking = async || {
        let page = get(app, &path).await;
        page["items"].as_array()?.iter().find(|item| wanted(item)).cloned()
    };
    until(looking).await
}

fn from_now(seconds: i64) -> String {
    let now = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
    now.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_silenced_or_inhibited_is_told_afterwards_and_missed_deadlines_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let (url, told) = desk();
    let heard = || told.lock().expect("not poisoned").clone();
    let pair = |rule: &str, kind: &str| (rule.to_owned(), kind.to_owned());
    let app = start(folder.path(), &url).await;

    let silence = json!({ "match": { "device": ["a", "b"] }, "reason": "Works on the line",
        "ends_at": from_now(3_600) });
    let silence = post(&app, "silences", &silence).await;
    let id = silence["id"].as_str().expect("an id").to_owned();
    measure(&app, "a", 35.0).await;
    measure(&app, "b", 35.0).await;
    let silenced = alert(&app, "a", |_| true).await;
    assert_eq!(silenced["silenced_by"], json!([id]));
    measure(&app, "b", 20.0).await;
    alert(&app, "b", |item| item["state"] == "resolved").await;
    assert_eq!(heard(), [], "the brain knows of both; nobody outside does");
    let shown = get(&app, &format!("silences/{id}")).await;
    assert_eq!((&shown["hid"], &shown["unsaid"]), (&json!(2), &json!(1)));

    // Over a restart, then somebody ends it.
    app.stop().await.expect("it stops");
    let app = start(folder.path(), &url).await;
    post(&app, &format!("silences/{id}/end"), &json!({})).await;
    until(async || (heard() == [pair("hot", "fired")]).then_some(())).await;

    // It gets so hot that another rule says it all.
    measure(&app, "c", 50.0).await;
    until(async || heard().contains(&pair("very-hot", "fired")).then_some(())).await;
    let hot = alert(&app, "c", |item| item["rule"]["id"] == "hot").await;
    until(async || {
        let item = get(&app, &format!("alerts/{}", hot["id"].as_str()?)).await;
        (item["inhibited_by"].as_array()?.len() == 1).then_some(())
    })
    .await;
    assert_eq!(heard().iter().filter(|what| **what == pair("hot", "fired")).count(), 1);
    measure(&app, "c", 35.0).await;
    until(async || {
        let hot = heard().into_iter().filter(|what| *what == pair("hot", "fired")).count();
        (hot == 2).then_some(())
    })
    .await;

    // Somebody is asked, and does nothing.
    let a = silenced["id"].as_str().expect("an id");
    let ask = json!({ "who": "bob", "until": from_now(1) });
    post(&app, &format!("alerts/{a}/assign"), &ask).await;
    until(async || heard().contains(&pair("hot", "overdue")).then_some(())).await;
    alert(&app, "a", |item| item["handling"]["overdue"] == true).await;
    let log = get(&app, "alert-log?kind=overdue,silence_ended").await;
    assert_eq!(log["items"].as_array().map(Vec::len), Some(2), "{log}");
    let load = get(&app, "alarm-load").await;
    assert_eq!(load["city"]["alerts"], 4, "{load}");
    app.stop().await.expect("it stops");
}
