//! The engine with a real store and a real HTTP receiver: what is told, to whom, how often, and
//! what a restart changes.

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use city_alert::ReceiverConfig;
use city_model::{AlertEvent, AlertEventKind, Marks, Severity};
use city_pipeline::Follower as _;
use support::world::{Running, World};
use tokio::sync::mpsc;

/// A receiver that answers what it is told to.
struct Hook {
    url: String,
    events: mpsc::Receiver<(String, AlertEvent)>,
    answers: Arc<Mutex<Vec<StatusCode>>>,
}

#[derive(Clone)]
struct HookState {
    sender: mpsc::Sender<(String, AlertEvent)>,
    answers: Arc<Mutex<Vec<StatusCode>>>,
}

async fn receive(State(hook): State<HookState>, headers: HeaderMap, body: String) -> StatusCode {
    let answer =
        hook.answers.lock().expect("no panic holds it").pop().unwrap_or(StatusCode::NO_CONTENT);
    let key = headers["idempotency-key"].to_str().expect("text").to_owned();
    if answer.is_success() {
        let event = serde_json::from_str(&body).expect("an alert event");
        hook.sender.send((key, event)).await.expect("the test listens");
    }
    answer
}

impl Hook {
    async fn new() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let (sender, events) = mpsc::channel(100);
        let answers: Arc<Mutex<Vec<StatusCode>>> = Arc::default();
        let state = HookState { sender, answers: answers.clone() };
        let app = Router::new().route("/hook", post(receive)).with_state(state);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, events, answers }
    }

    fn config(&self, id: &str, inside: bool) -> ReceiverConfig {
        let options = serde_json::json!({ "url": self.url });
        ReceiverConfig { inside, ..ReceiverConfig::new(id, "webhook", options) }
    }

    async fn next(&mut self) -> AlertEvent {
        let next = tokio::time::timeout(Duration::from_secs(20), self.events.recv()).await;
        let (key, event) = next.expect("told in time").expect("told");
        assert_eq!(key, event.key);
        event
    }
}

/// Stops the engine and delivers what is in the outbox.
async fn finish(running: Running) {
    let delivering = running.deliver();
    let notifier = running.stop().await;
    // The outbox is empty once nothing waits for any receiver.
    while notifier.waiting().expect("readable") > 0 {
        tokio::task::yield_now().await;
    }
    delivering.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_fires_escalates_and_ends_and_a_restart_in_between_changes_nothing() {
    let world = World::new();
    let mut hook = Hook::new().await;
    let running = world.start(vec![hook.config("brain", true)]);
    running.engine.handle().follow(&world.commit(0, 10.0, Marks::NONE));
    running.engine.handle().follow(&world.commit(1, 80.0, Marks::NONE));
    finish(running).await;
    let fired = hook.next().await;
    assert_eq!((fired.kind, fired.alert.severity), (AlertEventKind::Fired, Severity::Medium));

    let running = world.start(vec![hook.config("brain", true)]);
    running.engine.handle().follow(&world.commit(2, 160.0, Marks::NONE));
    finish(running).await;
    let escalated = hook.next().await;
    assert_eq!(escalated.kind, AlertEventKind::Escalated);
    assert_eq!(escalated.alert.id, fired.alert.id, "one alert that changes its severity");

    let running = world.start(vec![hook.config("brain", true)]);
    running.engine.handle().follow(&world.commit(3, 20.0, Marks::NONE));
    finish(running).await;
    let resolved = hook.next().await;
    assert_eq!(resolved.kind, AlertEventKind::Resolved);
    assert_eq!(resolved.alert.id, fired.alert.id);
    assert!(hook.events.try_recv().is_err(), "nothing is told twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_before_the_state_was_saved_evaluates_again_and_tells_once() {
    let world = World::new();
    let mut hook = Hook::new().await;
    // Saved at the start, before the commit; then the process dies without a word.
    let running = world.start(vec![hook.config("brain", true)]);
    let committed = world.commit(1, 80.0, Marks::NONE);
    running.engine.handle().follow(&committed);
    let Running { engine, notifier } = running;
    while engine.handle().status().firing == 0 {
        std::thread::yield_now();
    }
    engine.kill();
    drop(notifier);

    let running = world.start(vec![hook.config("brain", true)]);
    assert_eq!(running.engine.handle().status().firing, 1, "evaluated again from the store");
    finish(running).await;
    assert_eq!(hook.next().await.kind, AlertEventKind::Fired);
    assert!(hook.events.try_recv().is_err(), "once, although evaluated twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_that_come_faster_than_they_are_evaluated_are_all_evaluated() {
    let world = World::new();
    let running = world.start(Vec::new());
    let commits: Vec<_> =
        (0..500).map(|second| world.commit_all(second * 40, &[10.0; 40], Marks::NONE)).collect();
    for committed in &commits {
        running.engine.handle().follow(committed);
    }
    let handle = running.engine.handle();
    running.stop().await;
    assert_eq!(handle.status().readings, 500 * 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn simulated_data_reach_receivers_inside_only() {
    let world = World::new();
    let (mut inside, mut outside) = (Hook::new().await, Hook::new().await);
    let running = world.start(vec![inside.config("brain", true), outside.config("desk", false)]);
    running.engine.handle().follow(&world.commit(1, 80.0, Marks::SIMULATED));
    finish(running).await;
    assert!(inside.next().await.alert.simulated);
    assert!(outside.events.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_fails_is_tried_again_and_delays_nobody_else() {
    let world = World::new();
    let (mut good, mut bad) = (Hook::new().await, Hook::new().await);
    *bad.answers.lock().expect("no panic holds it") = vec![StatusCode::INTERNAL_SERVER_ERROR];
    let running = world.start(vec![bad.config("bad", true), good.config("good", true)]);
    running.engine.handle().follow(&world.commit(1, 80.0, Marks::NONE));
    finish(running).await;
    let (first, second) = (good.next().await, bad.next().await);
    assert_eq!(first.key, second.key, "the same event, the same key");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_refuses_for_good_is_not_asked_again() {
    let world = World::new();
    let mut hook = Hook::new().await;
    *hook.answers.lock().expect("no panic holds it") = vec![StatusCode::BAD_REQUEST];
    let running = world.start(vec![hook.config("desk", true)]);
    running.engine.handle().follow(&world.commit(1, 80.0, Marks::NONE));
    running.engine.handle().follow(&world.commit(2, 10.0, Marks::NONE));
    finish(running).await;
    assert_eq!(hook.next().await.kind, AlertEventKind::Resolved, "the next event is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_told_of_an_alert_hears_its_end_although_it_had_become_mild() {
    let world = World::new();
    let mut hook = Hook::new().await;
    let desk = ReceiverConfig { severity: Severity::Critical, ..hook.config("desk", true) };
    let running = world.start(vec![desk]);
    // Medium first: not for the desk. Then critical, medium again, and over.
    for (second, value) in [(1, 80.0), (2, 160.0), (3, 100.0), (4, 10.0)] {
        running.engine.handle().follow(&world.commit(second, value, Marks::NONE));
    }
    finish(running).await;
    let mut kinds = Vec::new();
    while let Ok((_, event)) = hook.events.try_recv() {
        kinds.push(event.kind);
    }
    let expected =
        [AlertEventKind::Escalated, AlertEventKind::Deescalated, AlertEventKind::Resolved];
    assert_eq!(kinds, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_is_tried_again_because_it_can_be_mended() {
    let world = World::new();
    let mut hook = Hook::new().await;
    *hook.answers.lock().expect("no panic holds it") = vec![StatusCode::UNAUTHORIZED];
    let running = world.start(vec![hook.config("desk", true)]);
    running.engine.handle().follow(&world.commit(1, 80.0, Marks::NONE));
    finish(running).await;
    assert_eq!(hook.next().await.kind, AlertEventKind::Fired);
}
