//! Silences between the engine and a real receiver, over a crash.

mod support;

use std::sync::{Arc, Mutex};

use city_alert::{GateParts, ReceiverConfig};
use city_model::{Marks, Span};
use city_rules::lifecycle::{AlertMatch, Silence, Silencing, Suppressions};
use serde_json::json;
use support::world::{NOW, World, until};
use support::{Recorder, Reply};

/// What is silenced now.
#[derive(Default)]
struct Decided(Mutex<Arc<Suppressions>>);

impl Silencing for Decided {
    fn current(&self) -> Arc<Suppressions> {
        self.0.lock().expect("not poisoned").clone()
    }
}

impl Decided {
    fn silence_all(&self) {
        let matches = AlertMatch { rule: vec!["pm25-high".to_owned()], ..AlertMatch::default() };
        let ends_at = NOW + Span::from_hours(1);
        let silence = Silence { id: "s".into(), matches, starts_at: NOW, ends_at, weekly: None };
        *self.0.lock().expect("not poisoned") =
            Arc::new(Suppressions { silences: vec![Arc::new(silence)], ..Suppressions::default() });
    }

    fn nothing(&self) {
        *self.0.lock().expect("not poisoned") = Arc::default();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silenced_alert_is_told_after_a_crash_when_somebody_ends_the_silence() {
    let server = Recorder::start(Reply::new(204, "")).await;
    let desk: ReceiverConfig = serde_json::from_value(
        json!({"id": "desk", "type": "webhook", "options": {"url": server.url}}),
    )
    .expect("a receiver");
    let decided = Arc::new(Decided::default());
    let gate = || GateParts { silencing: decided.clone(), ..GateParts::default() };
    let world = World::new();

    decided.silence_all();
    let running = world.start_gated(vec![desk.clone()], gate());
    let delivering = running.deliver();
    running.follow(&world.commit(0, 80.0, Marks::NONE));
    let engine = running.engine.handle();
    until(async || (engine.status().firing == 1).then_some(())).await;
    delivering.stop().await;
    let (engine, notifier) = (running.engine, running.notifier);
    tokio::task::spawn_blocking(|| engine.kill()).await.expect("dies");
    drop(notifier);
    assert_eq!(server.seen().len(), 0, "it is silenced");

    let running = world.start_gated(vec![desk], gate());
    let delivering = running.deliver();
    decided.nothing();
    let seen = until(async || (!server.seen().is_empty()).then(|| server.seen())).await;
    assert_eq!(
        seen[0].headers["idempotency-key"].to_str().expect("text").split('/').nth(1),
        Some("1")
    );
    let body: serde_json::Value = serde_json::from_str(&seen[0].body).expect("JSON");
    assert_eq!((&body["kind"], &body["alert"]["severity"]), (&json!("fired"), &json!("medium")));

    // From here on it is an alert like any other.
    running.follow(&world.commit(1, 160.0, Marks::NONE));
    running.follow(&world.commit(2, 20.0, Marks::NONE));
    let seen = until(async || (server.seen().len() == 3).then(|| server.seen())).await;
    let kinds: Vec<serde_json::Value> = seen
        .iter()
        .map(|seen| {
            serde_json::from_str::<serde_json::Value>(&seen.body).expect("JSON")["kind"].clone()
        })
        .collect();
    assert_eq!(kinds, ["fired", "escalated", "resolved"]);
    delivering.stop().await;
    drop(running.stop().await);
}
