//! What is held, for whom, and what is told of it afterwards.

use city_model::{AlertEventKind, Severity, Span, Subject};
use city_rules::lifecycle::{AlertMatch, Silence, Suppressions};

use super::*;
use crate::receivers::sample::event as test_event;

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
            severity,
            inside,
            people: receiver == "chat",
            ..crate::ReceiverConfig::new(receiver, "webhook", serde_json::Value::Null).route()
        };
        let routes = vec![
            route("brain", Severity::Low, true),
            route("all", Severity::Low, false),
            route("bad", Severity::Critical, false),
            route("chat", Severity::Low, false),
        ];
        let parts = GateParts {
            silencing: decided.clone(),
            inhibit: inhibit.into(),
            ..GateParts::default()
        };
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
    let to_brain = city.outbox.waiting("brain", 10).expect("read");
    assert_eq!(waiting[0].delivery.body, to_brain[0].delivery.body, "exactly");
    assert_eq!(waiting[0].delivery.event().expect("an event"), fired);
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

fn many(ids: std::ops::Range<usize>, severity: Severity) -> Vec<AlertEvent> {
    ids.map(|n| event(&format!("m{n}"), 1, severity, Fired)).collect()
}

/// Digests that a receiver waits for: seq, kind, and the English summary.
fn digests(city: &City, receiver: &str) -> Vec<(u32, AlertEventKind, String)> {
    let waiting = city.outbox.waiting(receiver, 1_000).expect("read");
    let events = waiting.iter().map(|waiting| waiting.delivery.event().expect("an event"));
    let digests = events.filter(|event| &*event.alert.rule.id == "alert-flood");
    digests.map(|event| (event.seq, event.kind, event.alert.summary.en)).collect()
}

#[test]
fn in_a_flood_people_get_digests_and_machines_every_event_with_its_group() {
    let city = City::new();
    city.put(&many(0..10, Medium), 0);
    assert_eq!(city.told("chat").len(), 10, "no flood yet");
    city.put(&many(10..15, Medium), 1);
    let begins = "11 alerts, told together from now on. haidian, PM2.5 high × 11".to_owned();
    assert_eq!(digests(&city, "chat"), [(1, Fired, begins)]);
    assert_eq!((city.told("chat").len(), city.told("all").len()), (11, 15));
    assert!(digests(&city, "all").is_empty() && digests(&city, "brain").is_empty());
    let last = city.outbox.waiting("all", 100).expect("read").pop().expect("there");
    let body: serde_json::Value = serde_json::from_str(&last.delivery.body).expect("JSON");
    assert_eq!(body["group"]["zone"], "haidian");
    assert_eq!(body["group"]["cause"], serde_json::json!({"type": "rule", "id": "pm25-high"}));
    assert!(body["group"]["flood"].as_str().is_some_and(|id| id.starts_with("flood-")), "{body}");
    assert_eq!(last.delivery.group().as_deref(), Some("haidian / pm25-high"));

    // Worse than all before: told at once, and once.
    city.put(&many(15..17, Critical), 2);
    assert_eq!(city.told("chat").last().map(String::as_str), Some("m15/1"));
    assert_eq!(digests(&city, "bad"), [], "no people read it");
    // What was told goes on being told; what was not ends unheard.
    city.put(&[event("m0", 2, Medium, Resolved), event("m12", 2, Medium, Resolved)], 3);
    assert_eq!(city.told("chat").last().map(String::as_str), Some("m0/2"));
    city.put(&many(17..23, Medium), 9);
    city.review(10);
    city.review(11);
    let told = digests(&city, "chat");
    let goes_on = "23 alerts, told together from now on. haidian, PM2.5 high × 23".to_owned();
    assert_eq!(told[1], (2, Fired, goes_on), "after ten minutes");
    assert_eq!(told.len(), 2);
    city.review(19);
    let over = "The flood of alerts is over; 23 came. haidian, PM2.5 high × 23".to_owned();
    assert_eq!(digests(&city, "chat")[2], (3, Resolved, over));
    city.review(20);
    city.put(&many(30..31, Low), 21);
    assert_eq!(city.told("chat").last().map(String::as_str), Some("m30/1"), "as ever");
    assert_eq!(digests(&city, "chat").len(), 3);
}

#[test]
fn a_flood_goes_on_over_a_restart_and_a_failed_write() {
    let city = City::new();
    let failed: Result<(), StateError> = city.state.write(|tx| {
        city.outbox.put(tx, &many(0..12, Medium), NOW)?;
        Err(rusqlite::Error::InvalidQuery.into())
    });
    assert!(failed.is_err());
    city.put(&many(0..12, Medium), 0);
    assert_eq!((digests(&city, "chat").len(), city.told("chat").len()), (1, 1));
    assert_eq!(city.told("all").len(), 12);
    let city = city.restart();
    city.put(&many(12..14, Medium), 1);
    assert_eq!(city.told("chat").len(), 1);
    city.review(11);
    let (seq, kind, summary) = digests(&city, "chat").pop().expect("there");
    assert_eq!((seq, kind), (2, Resolved));
    assert!(summary.contains("14 came"), "{summary}");
}

#[test]
fn a_digest_names_the_largest_groups_and_counts_the_rest() {
    let city = City::new();
    let mut events = many(0..250, Medium);
    for (n, event) in events.iter_mut().enumerate() {
        // Five groups of ten, and two hundred of one.
        let zone = if n < 50 { format!("large-{}", n / 10) } else { format!("small-{n}") };
        event.alert.zones = vec![zone.into()];
    }
    city.put(&events, 0);
    city.review(9);
    city.put(&many(300..306, Medium), 9);
    city.review(10);
    let (_, _, summary) = digests(&city, "chat").pop().expect("there");
    let expected = "256 alerts, told together from now on. large-0, PM2.5 high × 10; \
        large-1, PM2.5 high × 10; large-2, PM2.5 high × 10; large-3, PM2.5 high × 10; \
        large-4, PM2.5 high × 10; elsewhere 206";
    assert_eq!(summary, expected);
}

#[test]
fn what_is_silenced_makes_no_flood_before_it_comes_back_all_at_once() {
    let city = City::new();
    city.decided.silence(AlertMatch { severity_at_most: Some(Low), ..AlertMatch::default() }, 5);
    city.put(&many(0..20, Low), 0);
    city.put(&many(20..30, Medium), 1);
    assert_eq!((digests(&city, "chat").len(), city.told("chat").len()), (0, 10));
    city.review(5);
    assert_eq!((city.told("all").len(), city.outbox.held()), (30, 0), "machines hear them all");
    assert_eq!((digests(&city, "chat").len(), city.told("chat").len()), (1, 11));
    assert_eq!(digests(&city, "bad"), []);
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

mod whatever_happens {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// What happens next.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        /// Something to one of four alerts: it fires, gets worse or milder, or ends.
        Event {
            alert: usize,
            ends: bool,
            severity: Severity,
            fails: bool,
        },
        /// Alerts up to this severity are silenced from now on; nothing is if missing.
        Silence(Option<Severity>),
        Review,
        Restart,
    }

    fn step() -> impl Strategy<Value = Step> {
        let severity = || prop::sample::select(Severity::ALL.to_vec());
        prop_oneof![
            6 => (0usize..4, any::<bool>(), severity(), prop::bool::weighted(0.2)).prop_map(
                |(alert, ends, severity, fails)| Step::Event { alert, ends, severity, fails }
            ),
            2 => prop::option::of(severity()).prop_map(Step::Silence),
            1 => Just(Step::Review),
            1 => Just(Step::Restart),
        ]
    }

    /// The events of an alert, and whether it is silenced from the first on.
    #[derive(Default)]
    struct Life {
        id: String,
        events: Vec<AlertEvent>,
        silenced: bool,
    }

    fn fires(life: &Life) -> Option<Severity> {
        let last = life.events.last()?;
        last.alert.resolved_at.is_none().then_some(last.alert.severity)
    }

    proptest! {
        #[test]
        fn nothing_is_told_twice_or_lost(steps in prop::collection::vec(step(), 1..60)) {
            let mut city = City::new();
            let mut silenced_to: Option<Severity> = None;
            let mut lives: Vec<Life> = Vec::new();
            let mut present: [Option<usize>; 4] = [None; 4];
            for (minute, step) in steps.into_iter().enumerate() {
                let minute = minute as i64 / 10;
                match step {
                    Step::Event { alert, ends, severity, fails } => {
                        let index = present[alert].filter(|index| fires(&lives[*index]).is_some());
                        let index = index.unwrap_or_else(|| {
                            let id = format!("a{}", lives.len());
                            lives.push(Life { id, ..Life::default() });
                            lives.len() - 1
                        });
                        present[alert] = Some(index);
                        let life = &mut lives[index];
                        let kind = match fires(life) {
                            None => Fired,
                            Some(_) if ends => Resolved,
                            Some(before) if severity > before => Escalated,
                            Some(before) if severity < before => Deescalated,
                            Some(_) => continue,
                        };
                        let seq = life.events.len() as u32 + 1;
                        let event = event(&life.id, seq, severity, kind);
                        let silenced = silenced_to.is_some_and(|most| severity <= most);
                        life.silenced = silenced && (kind == Fired || life.silenced);
                        life.events.push(event.clone());
                        if fails {
                            let now = NOW + Span::from_mins(minute);
                            let failed: Result<(), StateError> = city.state.write(|tx| {
                                city.outbox.put(tx, std::slice::from_ref(&event), now)?;
                                Err(rusqlite::Error::InvalidQuery.into())
                            });
                            prop_assert!(failed.is_err());
                        }
                        city.put(&[event], minute);
                    }
                    Step::Silence(most) => {
                        silenced_to = most;
                        city.decided.nothing();
                        if most.is_some() {
                            let matches =
                                AlertMatch { severity_at_most: most, ..AlertMatch::default() };
                            city.decided.silence(matches, 100);
                        }
                    }
                    Step::Review => city.review(minute),
                    Step::Restart => {
                        let held = city.outbox.held();
                        city = city.restart();
                        prop_assert_eq!(city.outbox.held(), held, "as it was");
                    }
                }
            }
            city.decided.nothing();
            city.review(90);
            prop_assert_eq!(city.outbox.held(), 0);

            let brain: BTreeMap<String, usize> =
                city.told("brain").into_iter().zip(0..).collect();
            let all: usize = lives.iter().map(|life| life.events.len()).sum();
            prop_assert_eq!(brain.len(), all, "the brain hears everything");
            let told = city.told("all");
            for life in &lives {
                let start = format!("{}/", life.id);
                let of: Vec<&String> = told.iter().filter(|key| key.starts_with(&start)).collect();
                let seq = |key: &str| key[start.len()..].parse::<usize>().expect("a number");
                prop_assert!(of.is_sorted_by(|a, b| seq(a) < seq(b)), "in order, once: {:?}", of);
                let newest = &life.events.last().expect("one at least").key;
                if fires(life).is_some() {
                    prop_assert_eq!(of.last(), Some(&newest), "how it is now");
                    prop_assert_eq!(of[0], &life.events[0].key, "and how it began");
                } else if life.silenced {
                    // Between two looks a silence may have ended; then it was told, to its end.
                    prop_assert!(of.is_empty() || of.last() == Some(&newest));
                } else if let Some(last) = of.last() {
                    prop_assert_eq!(*last, newest, "who knows of it hears its end");
                }
            }
        }
    }
}
