//! The engine's saved state: what earlier versions wrote is read, and what cannot be read leaves no
//! alert behind that never ends.

mod support;

use std::sync::Arc;

use city_alert::ReceiverConfig;
use city_model::{AlertEvent, AlertEventKind, EndReason, Marks};
use city_pipeline::Follower as _;
use city_rules::RuleSet;
use city_store::StateError;
use rusqlite::params;
use support::world::{NOW, RULES, Running, World};

/// What the engine saved when its state was one row: one alert of `pm25-high` that fires.
const FIRST_LAYOUT: &[u8] = include_bytes!("../testdata/state_1.bin");

fn desk() -> ReceiverConfig {
    let options = serde_json::json!({ "url": "http://127.0.0.1:9/nobody" });
    ReceiverConfig { inside: true, ..ReceiverConfig::new("desk", "webhook", options) }
}

fn give(world: &World, running: &Running, second: i64, value: f64) {
    running.engine.handle().follow(&world.commit(second, value, Marks::NONE));
}

fn told(world: &World) -> Vec<AlertEvent> {
    let bodies = world.state.read(|conn| {
        let mut statement = conn.prepare("SELECT body FROM alert_outbox ORDER BY id")?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
        Ok::<_, StateError>(rows.collect::<Result<Vec<_>, _>>()?)
    });
    let bodies = bodies.expect("readable");
    bodies.iter().map(|body| serde_json::from_str(body).expect("an event")).collect()
}

fn run(world: &World, sql: &str) {
    world.state.write(|tx| Ok::<_, StateError>(tx.execute_batch(sql)?)).expect("done");
}

#[test]
fn a_state_that_cannot_be_read_ends_what_was_told_with_a_reason() {
    let world = World::new();
    let running = world.start(vec![desk()]);
    give(&world, &running, 1, 80.0);
    running.engine.stop();
    run(&world, "UPDATE alert_snapshot SET bytes = x'FF'");

    let running = world.start(vec![desk()]);
    assert_eq!(running.engine.handle().status().firing, 0);
    give(&world, &running, 2, 90.0);
    running.engine.stop();
    let told = told(&world);
    let kinds: Vec<_> = told.iter().map(|event| (event.kind, event.seq, event.reason)).collect();
    let expected = [
        (AlertEventKind::Fired, 1, None),
        (AlertEventKind::Resolved, 2, Some(EndReason::StateLost)),
        (AlertEventKind::Fired, 1, None),
    ];
    assert_eq!(kinds, expected);
    assert_eq!(told[0].alert.id, told[1].alert.id);
    assert_ne!(told[0].alert.id, told[2].alert.id, "raised again, because it still holds");
    assert!(told[1].alert.resolved_at.is_some());
}

#[test]
fn an_unreadable_state_with_a_journal_loses_nothing_that_still_holds() {
    let world = World::new();
    let running = world.start(vec![desk()]);
    give(&world, &running, 1, 80.0);
    while running.engine.handle().status().firing == 0 {
        std::thread::yield_now();
    }
    running.engine.kill();
    run(&world, "UPDATE alert_snapshot SET bytes = x'FF'");

    // The alert came of the commits since the state was saved: they lead to it again.
    let running = world.start(vec![desk()]);
    assert_eq!(running.engine.handle().status().firing, 1);
    give(&world, &running, 2, 10.0);
    running.engine.stop();
    let kinds: Vec<_> = told(&world).iter().map(|event| (event.kind, event.seq)).collect();
    assert_eq!(kinds, [(AlertEventKind::Fired, 1), (AlertEventKind::Resolved, 2)]);
}

#[test]
fn rules_that_were_changed_while_a_crashed_engine_was_down_leave_no_alert_behind() {
    let world = World::new();
    let running = world.start(vec![desk()]);
    give(&world, &running, 1, 80.0);
    let milder = RULES.replace("above: 75, clear_below: 65", "above: 50, clear_below: 40");
    let rules = RuleSet::parse(&[("air.yaml", milder)]).expect("good rules");
    let report = running.engine.handle().set_rules(Arc::new(rules)).expect("it runs");
    assert_eq!(report.ended.len(), 1);
    give(&world, &running, 2, 60.0);
    while told(&world).len() < 3 {
        std::thread::yield_now();
    }
    running.engine.kill();

    // The rules are the old ones again, by which 60 is no reason to fire.
    let running = world.start(vec![desk()]);
    assert_eq!(running.engine.handle().status().firing, 0);
    running.engine.stop();
    let told = told(&world);
    let kinds: Vec<_> = told.iter().map(|event| (event.kind, event.seq, event.reason)).collect();
    let changed = Some(EndReason::RuleChanged);
    let expected = [
        (AlertEventKind::Fired, 1, None),
        (AlertEventKind::Resolved, 2, changed),
        (AlertEventKind::Fired, 1, None),
        (AlertEventKind::Resolved, 2, changed),
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn the_first_layout_is_read_and_its_alerts_go_on_under_their_ids() {
    let world = World::new();
    // Brings the tables of today; then the state is as versions before the journal left it.
    world.start(vec![desk()]).engine.stop();
    let (head, clock) = (world.store.head_seq() as i64, NOW.micros());
    run(
        &world,
        "DELETE FROM alert_base; DELETE FROM alert_snapshot; DELETE FROM alert_journal;
         DELETE FROM alert_told",
    );
    world
        .state
        .write(|tx| {
            let sql = "INSERT INTO alert_engine (id, seq, clock, snapshot) VALUES (1, ?1, ?2, ?3)";
            Ok::<_, StateError>(tx.execute(sql, params![head, clock, FIRST_LAYOUT])?)
        })
        .expect("written");

    let running = world.start(vec![desk()]);
    assert_eq!(running.engine.handle().status().firing, 1, "it fires as it did");
    // A crash: what receivers were told is known from now on, too.
    running.engine.kill();
    let running = world.start(vec![desk()]);
    give(&world, &running, 2, 160.0);
    running.engine.stop();
    let told = told(&world);
    assert_eq!(told.len(), 1, "nothing was lost, nothing is raised anew: {told:?}");
    assert_eq!((told[0].kind, told[0].seq), (AlertEventKind::Escalated, 2));
    assert_eq!(&*told[0].alert.id, "78ce18978eb6bdfe");
}
