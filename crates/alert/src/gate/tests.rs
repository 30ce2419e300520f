//! What is held, for whom, and what is told of it afterwards.

use city_model::{AlertEventKind, Severity, Span, Subject};
use city_rules::lifecycle::{AlertMatch, Silence, Suppressions};

use super::*;
use crate::receivers::test_event;

const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

/// What the tests silence.
#[derive(Default)]
struct Decided(Mutex<Arc<Suppressions>>);

impl Silencing for Decided {
    fn current(&self) -> Arc<Suppressions> {
        self.0.lock().expect("not poisoned").clone()
    }
}

impl Decided {
    /// Silences these alerts for so many minutes.
    fn silence(&self, matches: AlertMatch, minutes: i64) {
        let ends_at = NOW + Span::from_mins(minutes);
        let silence = Silence { id: "s".into(), matches, starts_at: NOW, ends_at, weekly: None };
        let silences = vec![Arc::new(silence)];
        *self.0.lock().expect("not poisoned") =
            Arc::new(Suppressions { silences, ..Suppressions::default() });
    }

    fn nothing(&self) {
        *self.0.lock().expect("not poisoned") = Arc::default();
    }
}

struct City {
    state: Arc<StateDb>,
    decided: Arc<Decided>,
    outbox: Outbox,
}

impl City {
    fn new() -> Self {
        let state = Arc::new(StateDb::in_memory().expect("a database"));
        Self::over(state, Arc::default(), &[])
    }

    fn over(state: Arc<StateDb>, decided: Arc<Decided>, inhibit: &[InhibitRule]) -> Self {
        crate::state::migrate(&state).expect("tables");
        let route = |receiver: &str, severity, inside| Route {
            receiver: receiver.to_owned(),
            severity,
            inside,
        };
        let routes = vec![
            route("brain", Severity::Low, true),
            route("all", Severity::Low, false),
            route("bad", Severity::Critical, false),
        ];
        let parts =
            GateParts { silencing: decided.clone(), inhibit: inhibit.into(), registry: None };
        let gate = Gate::open(&state, parts).expect("a gate");
        let outbox = Outbox::new(state.clone(), routes, gate);
        Self { state, decided, outbox }
    }

    fn restart(self) -> Self {
        Self::over(self.state, self.decided, &[])
    }

    fn put(&self, events: &[AlertEvent], minute: i64) {
        let now = NOW + Span::from_mins(minute);
        self.state.write(|tx| self.outbox.put(tx, events, now)).expect("written");
    }

    fn review(&self, minute: i64) {
        self.outbox.review(NOW + Span::from_mins(minute)).expect("reviewed");
    }

    /// The keys of what a receiver is told.
    fn told(&self, receiver: &str) -> Vec<String> {
        let waiting = self.outbox.waiting(receiver, 100).expect("read");
        waiting.into_iter().map(|waiting| waiting.delivery.key).collect()
    }
}

fn event(alert: &str, seq: u32, severity: Severity, kind: AlertEventKind) -> AlertEvent {
    let mut event = test_event(kind);
    event.alert.id = alert.into();
    event.alert.severity = severity;
    event.seq = seq;
    event.key = format!("{alert}/{seq}");
    event
}

fn device(device: &str) -> AlertMatch {
    AlertMatch { device: vec![device.to_owned()], ..AlertMatch::default() }
}

use AlertEventKind::{Deescalated, Escalated, Fired, Overdue, Resolved};
use Severity::{Critical, High, Low, Medium};

#[test]
fn what_is_held_is_told_exactly_when_the_silence_ends_and_the_alert_still_fires() {
    let city = City::new();
    city.decided.silence(device("air_1"), 10);
    let fired = event("a", 1, Medium, Fired);
    city.put(std::slice::from_ref(&fired), 0);
    assert_eq!(city.told("brain"), ["a/1"], "the brain hears everything");
    city.review(9);
    assert_eq!((city.told("all"), city.outbox.held()), (vec![], 1));
    city.review(10);
    let waiting = city.outbox.waiting("all", 10).expect("read");
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].delivery.key, fired.key);
    assert_eq!(waiting[0].delivery.body, serde_json::to_string(&fired).expect("JSON"));
    assert_eq!((city.told("bad"), city.outbox.held()), (vec![], 0), "it did not want it");
    city.review(11);
    assert_eq!(city.told("all"), ["a/1"], "once");
}

#[test]
fn an_end_of_the_silence_before_its_time_counts_at_once() {
    let city = City::new();
    city.decided.silence(device("air_1"), 10);
    city.put(&[event("a", 1, Medium, Fired)], 0);
    city.decided.nothing();
    city.put(&[event("b", 1, Medium, Fired)], 1);
    assert_eq!(city.told("all"), ["b/1"]);
    city.review(1);
    assert_eq!(city.told("all"), ["b/1", "a/1"]);
}

#[test]
fn what_came_and_went_is_never_told() {
    let city = City::new();
    city.decided.silence(device("air_1"), 10);
    city.put(&[event("a", 1, Medium, Fired), event("a", 2, Medium, Resolved)], 0);
    // One that ends just after the silence, before anybody has looked, went unheard as well.
    city.put(&[event("b", 1, Medium, Fired)], 1);
    city.put(&[event("b", 2, Medium, Resolved)], 10);
    city.review(20);
    assert_eq!((city.told("all"), city.outbox.held()), (vec![], 0));
    assert_eq!(city.told("brain"), ["a/1", "a/2", "b/1", "b/2"]);
}

#[test]
fn whoever_knows_of_an_alert_hears_its_end_and_otherwise_only_how_it_is_afterwards() {
    let city = City::new();
    city.put(&[event("a", 1, Medium, Fired), event("b", 1, Medium, Fired)], 0);
    city.decided.silence(device("air_1"), 10);
    city.put(&[event("a", 2, High, Escalated), event("a", 3, Critical, Escalated)], 1);
    city.put(&[event("a", 4, High, Deescalated), event("b", 2, Medium, Resolved)], 2);
    assert_eq!(city.told("all"), ["a/1", "b/1", "b/2"]);
    city.review(10);
    assert_eq!(city.told("all"), ["a/1", "b/1", "b/2", "a/4"], "how it is now");
    assert_eq!(city.told("bad"), ["a/3", "a/4"], "it hears of it for the first time");
}

#[test]
fn one_that_becomes_worse_than_the_silence_covers_is_told_with_its_beginning() {
    let city = City::new();
    city.decided.silence(AlertMatch { severity_at_most: Some(Medium), ..device("air_1") }, 10);
    city.put(&[event("a", 1, Low, Fired), event("a", 2, Medium, Escalated)], 0);
    assert_eq!(city.told("all"), Vec::<String>::new());
    city.put(&[event("a", 3, High, Escalated)], 1);
    assert_eq!(city.told("all"), ["a/1", "a/2", "a/3"]);
}

#[test]
fn a_restart_forgets_nothing_that_is_held() {
    let city = City::new();
    city.decided.silence(device("air_1"), 10);
    city.put(&[event("a", 1, Medium, Fired), event("b", 1, Medium, Fired)], 0);
    let city = city.restart();
    assert_eq!(city.outbox.held(), 2);
    city.put(&[event("b", 2, Medium, Resolved)], 5);
    city.review(10);
    assert_eq!(city.told("all"), ["a/1"]);
}

#[test]
fn a_shelf_holds_one_alert() {
    let city = City::new();
    let shelves = [("a".into(), NOW + Span::from_mins(5))].into_iter().collect();
    *city.decided.0.lock().expect("not poisoned") =
        Arc::new(Suppressions { shelves, ..Suppressions::default() });
    city.put(&[event("a", 1, Medium, Fired), event("b", 1, Medium, Fired)], 0);
    assert_eq!(city.told("all"), ["b/1"]);
    city.review(5);
    assert_eq!(city.told("all"), ["b/1", "a/1"]);
}

#[test]
fn an_inhibited_alert_waits_for_the_end_of_its_source_also_over_a_restart() {
    let rule = |id: &str| AlertMatch { rule: vec![id.to_owned()], ..AlertMatch::default() };
    let rules =
        [InhibitRule { source: rule("power-out"), target: rule("pm25-high"), equal: vec![] }];
    let source = |seq, kind| {
        let mut event = event("s", seq, High, kind);
        event.alert.rule.id = "power-out".into();
        event.alert.subject = Subject::Zone { zone: "harbour".into() };
        event
    };
    let state = Arc::new(StateDb::in_memory().expect("a database"));
    let city = City::over(state, Arc::default(), &rules);
    // The source comes last, but at the same time.
    city.put(&[event("a", 1, Medium, Fired), source(1, Fired)], 0);
    assert_eq!(city.told("all"), ["s/1"]);
    let city = City::over(city.state, city.decided, &rules);
    city.put(&[event("b", 1, Medium, Fired)], 1);
    city.review(2);
    assert_eq!((city.told("all"), city.outbox.held()), (vec!["s/1".to_owned()], 2));
    city.put(&[event("b", 2, Medium, Resolved)], 3);
    city.put(&[source(2, Resolved)], 4);
    city.review(4);
    assert_eq!(city.told("all"), ["s/1", "s/2", "a/1"]);
}

#[test]
fn a_missed_deadline_is_told_outside_unless_the_alert_is_silenced() {
    let city = City::new();
    city.put(&[event("a", 1, Medium, Fired), event("b", 1, Medium, Fired)], 0);
    let overdue = |alert: &str| {
        let mut event = event(alert, 2, Medium, Overdue);
        event.key = format!("{alert}/h1");
        city.outbox.notify(&event, NOW).expect("told");
    };
    overdue("a");
    overdue("a");
    city.decided.silence(device("air_1"), 10);
    overdue("b");
    city.review(10);
    assert_eq!(city.told("brain"), ["a/1", "b/1"]);
    assert_eq!(city.told("all"), ["a/1", "b/1", "a/h1"]);
}

#[test]
fn an_event_that_comes_again_after_a_failed_write_is_held_once() {
    let city = City::new();
    city.decided.silence(device("air_1"), 10);
    let fired = [event("a", 1, Medium, Fired)];
    let failed: Result<(), StateError> = city.state.write(|tx| {
        city.outbox.put(tx, &fired, NOW)?;
        Err(rusqlite::Error::InvalidQuery.into())
    });
    assert!(failed.is_err());
    city.review(1);
    city.put(&fired, 1);
    city.put(&fired, 1);
    city.review(10);
    assert_eq!(city.told("all"), ["a/1"]);
}
