//! The list is the same in whatever order, and how often, its events arrive.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use city_model::{AlertEvent, AlertEventKind, EndReason, ManualClock, Severity, SharedClock, Span};
use city_rules::lifecycle::{Inhibitions, Place};
use city_store::StateDb;

use super::upkeep::{RETENTION, upkeep};
use super::{Acknowledgement, AlertList, Board, ChangeError, Floods, Holds, migrate};
use crate::Silences;
use crate::lanes::Lanes;
use crate::tests::fixture::{NOW, Told, alert, event};

struct Listed {
    list: Arc<AlertList>,
    state: Arc<StateDb>,
    board: Arc<Board>,
    told: Arc<Mutex<Vec<(String, u32)>>>,
}

fn list() -> Listed {
    let state = Arc::new(StateDb::in_memory().expect("a database"));
    migrate(&state).expect("tables");
    let board = Arc::new(Board::load(&state).expect("empty"));
    let told: Arc<Mutex<Vec<_>>> = Arc::default();
    let hears = told.clone();
    let tell = move |stored: &super::Stored| {
        let news = (stored.alert.id.to_string(), stored.events);
        hears.lock().expect("not poisoned").push(news);
    };
    let clock: SharedClock = Arc::new(ManualClock::new(NOW));
    let silences = Arc::new(Silences::open(state.clone(), NOW).expect("silences"));
    let nowhere = Box::new(|_: &city_model::Alert| Place::default());
    let holds =
        Holds::new(silences, Inhibitions::default(), nowhere, clock, Arc::new(Told::default()));
    let list = Arc::new(AlertList::new(
        state.clone(),
        board.clone(),
        holds,
        Floods::load(&state, Arc::default(), NOW).expect("none"),
        Box::new(tell),
    ));
    Listed { list, state, board, told }
}

/// Fired, worse, better, ended.
fn life() -> [AlertEvent; 4] {
    [
        event(1, AlertEventKind::Fired, alert("a", Severity::Medium)),
        event(2, AlertEventKind::Escalated, alert("a", Severity::Critical)),
        event(3, AlertEventKind::Deescalated, alert("a", Severity::High)),
        event(4, AlertEventKind::Resolved, alert("a", Severity::High)),
    ]
}

fn permutations(items: &[usize]) -> Vec<Vec<usize>> {
    if items.len() <= 1 {
        return vec![items.to_vec()];
    }
    let mut all = Vec::new();
    for (index, first) in items.iter().enumerate() {
        let mut rest = items.to_vec();
        rest.remove(index);
        for mut tail in permutations(&rest) {
            tail.insert(0, *first);
            all.push(tail);
        }
    }
    all
}

#[test]
fn every_order_of_arrival_gives_the_same_alert_and_log() {
    let life = life();
    let expected = {
        let listed = list();
        for event in &life {
            assert!(listed.list.apply(event).expect("written"));
        }
        listed.list.detail("a").expect("read")
    };
    assert_eq!(expected.as_ref().map(|(stored, log)| (stored.events, log.len())), Some((4, 4)));
    for order in permutations(&[0, 1, 2, 3]) {
        let listed = list();
        for index in &order {
            assert!(listed.list.apply(&life[*index]).expect("written"), "{order:?}");
            assert!(!listed.list.apply(&life[*index]).expect("read"), "{order:?} again");
        }
        assert_eq!(listed.list.detail("a").expect("read"), expected, "{order:?}");
        assert_eq!(listed.board.counts().firing, 0, "{order:?}");
        assert_eq!(listed.board.severity_of("air-1"), None, "{order:?}");
        assert_eq!(listed.told.lock().expect("not poisoned").len(), 4, "told once each: {order:?}");
    }
}

#[test]
fn an_event_that_comes_late_does_not_undo_a_newer_one() {
    let listed = list();
    let [fired, escalated, ..] = life();
    listed.list.apply(&escalated).expect("written");
    listed.list.apply(&fired).expect("written");
    assert_eq!(listed.board.severity_of("air-1"), Some(Severity::Critical));
    let (stored, log) = listed.list.detail("a").expect("read").expect("there");
    assert_eq!(stored.alert.severity, Severity::Critical);
    assert_eq!(log[0].severity, Some(Severity::Medium));
}

#[test]
fn the_log_keeps_why_an_alert_ended_without_a_reading() {
    let listed = list();
    listed.list.apply(&life()[0]).expect("written");
    let end = event(2, AlertEventKind::Resolved, alert("a", Severity::Medium));
    let end = AlertEvent { reason: Some(EndReason::RuleRemoved), ..end };
    listed.list.apply(&end).expect("written");
    let (_, log) = listed.list.detail("a").expect("read").expect("there");
    let reasons: Vec<_> = log.iter().map(|entry| entry.reason).collect();
    assert_eq!(reasons, [None, Some(EndReason::RuleRemoved)]);
}

#[test]
fn an_alert_that_comes_back_asks_to_be_acknowledged_again() {
    let listed = list();
    let known = Acknowledgement { by: "ada".to_owned(), at: NOW, note: None };
    let fire = |seq| event(seq, AlertEventKind::Fired, alert("a", Severity::High));
    listed.list.apply(&fire(1)).expect("written");
    listed.list.acknowledge("a", &known).expect("acknowledged");
    let escalated = event(2, AlertEventKind::Escalated, alert("a", Severity::Critical));
    listed.list.apply(&escalated).expect("written");
    assert_eq!(listed.board.counts().unacknowledged, 0);
    let ended = event(3, AlertEventKind::Resolved, alert("a", Severity::High));
    listed.list.apply(&ended).expect("written");
    listed.list.apply(&fire(4)).expect("written");
    let (stored, log) = listed.list.detail("a").expect("read").expect("there");
    assert_eq!(stored.acknowledged, None);
    assert_eq!(log.len(), 5);
    assert_eq!(listed.board.counts().unacknowledged, 1);
}

#[test]
fn of_two_who_acknowledge_at_once_one_is_told_of_the_other() {
    let listed = list();
    listed.list.apply(&life()[0]).expect("written");
    let by = |user: &str| Acknowledgement {
        by: user.to_owned(),
        at: NOW + Span::from_secs(1),
        note: None,
    };
    let results: Vec<_> = std::thread::scope(|scope| {
        let one = |user: &'static str| {
            let (list, by) = (&listed.list, by(user));
            scope.spawn(move || list.acknowledge("a", &by).map(|stored| stored.acknowledged))
        };
        [one("ada"), one("bob")].map(|thread| thread.join().expect("no panic")).into()
    });
    let winner = results.iter().find_map(|result| result.as_ref().ok()).expect("one wins").clone();
    let losers: Vec<_> = results.iter().filter_map(|result| result.as_ref().err()).collect();
    assert!(
        matches!(losers[..], [ChangeError::AlreadyAcknowledged(earlier)] if Some(earlier) == winner.as_ref())
    );
}

/// Alert `id`, fired at [`NOW`] and ended a minute later.
fn ended(id: &str) -> [AlertEvent; 2] {
    [
        event(1, AlertEventKind::Fired, alert(id, Severity::Medium)),
        event(2, AlertEventKind::Resolved, alert(id, Severity::Medium)),
    ]
}

impl Listed {
    fn apply(&self, events: &[AlertEvent]) {
        for event in events {
            assert!(self.list.apply(event).expect("written"));
        }
    }

    /// The rows of each table that speak of an alert.
    fn rows(&self, id: &str) -> [i64; 3] {
        let count = |table: &str, column: &str| {
            let sql = format!("SELECT count(*) FROM {table} WHERE {column} = ?1");
            let count = self.state.read(|conn| conn.query_row(&sql, [id], |row| row.get(0)));
            count.expect("read")
        };
        [count("alerts", "id"), count("alert_log", "alert"), count("alert_zones", "alert")]
    }
}

#[test]
fn what_ended_long_ago_is_deleted_with_its_log_and_what_fires_never() {
    let listed = list();
    listed.apply(&ended("a"));
    listed.apply(&ended("b"));
    let [fired, _] = ended("firing");
    listed.apply(&[fired]);
    let [first, end] = ended("back");
    listed.apply(&[first, end, event(3, AlertEventKind::Fired, alert("back", Severity::High))]);
    let end = NOW + Span::from_mins(1);

    assert_eq!(listed.list.delete_ended(end, 10).expect("written"), 0, "not before its time");
    let later = end + Span::from_micros(1);
    assert_eq!(listed.list.delete_ended(later, 1).expect("written"), 1, "no more than asked for");
    assert_eq!(listed.list.delete_ended(later, 10).expect("written"), 1);
    assert_eq!(listed.list.delete_ended(later + RETENTION, 10).expect("written"), 0);
    assert_eq!((listed.rows("a"), listed.rows("b")), ([0, 0, 0], [0, 0, 0]));
    assert_eq!((listed.rows("firing"), listed.rows("back")), ([1, 1, 1], [1, 3, 1]));
    assert_eq!(listed.board.counts().firing, 2);
}

#[test]
fn finding_what_ended_does_not_read_the_whole_list() {
    let listed = list();
    let sql = format!("EXPLAIN QUERY PLAN {}", super::tables::ENDED);
    let plan: String =
        listed.state.read(|conn| conn.query_row(&sql, [1, 1], |row| row.get(3))).expect("a plan");
    assert!(plan.contains("USING INDEX alerts_ended"), "{plan}");
}

#[tokio::test(start_paused = true)]
async fn upkeep_deletes_now_and_every_hour_however_many_there_are() {
    let listed = list();
    let many: Vec<String> = (0..1_100).map(|n| format!("a-{n}")).collect();
    for id in &many {
        listed.apply(&ended(id));
    }
    let left = || -> i64 {
        let count = |conn: &rusqlite::Connection| {
            conn.query_row("SELECT count(*) FROM alerts", [], |row| row.get(0))
        };
        listed.state.read(count).expect("read")
    };
    let manual = Arc::new(ManualClock::new(NOW + Span::from_mins(1) + RETENTION));
    let (clock, lanes): (SharedClock, _) = (manual.clone(), Lanes::new());
    let mut upkeep = std::pin::pin!(upkeep(&listed.list, &lanes, &clock));
    let mut run_for = async |seconds| {
        let time = Duration::from_secs(seconds);
        assert!(tokio::time::timeout(time, upkeep.as_mut()).await.is_err(), "it goes on");
    };
    run_for(60).await;
    assert_eq!(left(), 1_100, "it is not their time yet");
    manual.advance(Span::from_secs(1));
    run_for(3_500).await;
    assert_eq!(left(), 1_100, "it looks only every hour");
    run_for(60).await;
    assert_eq!(left(), 0);
}
