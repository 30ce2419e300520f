//! The outbox: alert events that receivers still have to be told about, durable before anybody
//! is told.

use std::sync::Arc;

use city_model::{AlertEvent, Span, Timestamp};
use city_store::{StateDb, StateError};
use rusqlite::{OptionalExtension as _, Transaction, params};
use tokio::sync::Notify;

use crate::gate::Gate;
use crate::receivers::Delivery;
use crate::route::Route;

/// Events that may wait for one receiver; past that the oldest are given up and counted.
const CAPACITY: i64 = 100_000;

/// How long delivered events are remembered: the follow-up of an alert goes to those who were told
/// of it.
const REMEMBER: Span = Span::from_hours(90 * 24);

/// Forgets what was delivered or given up before ?1.
const FORGET: &str = "DELETE FROM alert_outbox WHERE coalesce(delivered_at, given_up_at) < ?1";

/// One event for one receiver, as kept.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) id: i64,
    pub(crate) attempts: u32,
    /// The alert's id.
    pub(crate) alert: String,
    pub(crate) delivery: Delivery,
}

/// The outbox of all receivers.
#[derive(Debug)]
pub struct Outbox {
    pub(crate) state: Arc<StateDb>,
    routes: Vec<Route>,
    gate: Gate,
    pub(crate) news: Notify,
}

impl Outbox {
    pub(crate) fn new(state: Arc<StateDb>, routes: Vec<Route>, gate: Gate) -> Self {
        Self { state, routes, gate, news: Notify::new() }
    }

    /// Writes events for every receiver that wants them; those that are known already are left as
    /// they are. Call [`Outbox::ring`] once the transaction is durable.
    ///
    /// A receiver that was told of an alert hears everything that follows, also when the alert
    /// has become milder than what it asks for: it must hear that it ended, unless it wants to hear
    /// of no end.
    pub(crate) fn put(
        &self,
        tx: &Transaction<'_>,
        events: &[AlertEvent],
        now: Timestamp,
    ) -> Result<(), StateError> {
        let mut insert = tx.prepare_cached(
            "INSERT INTO alert_outbox (receiver, key, alert, body, created_at)
             SELECT ?1, ?2, ?3, ?4, ?5
             WHERE ?6 OR EXISTS (SELECT 1 FROM alert_outbox WHERE receiver = ?1 AND alert = ?3)
             ON CONFLICT DO NOTHING",
        )?;
        self.gate.note(tx, events, (&self.routes, wants), now)?;
        for event in events {
            let body = self.gate.body(event);
            for route in &self.routes {
                let wanted = wants(route, event);
                if self.gate.keeps(tx, (route, wanted), event, (&body, now))?
                    || !route.hears_of(event)
                {
                    continue;
                }
                insert.execute(params![
                    route.receiver,
                    event.key,
                    &*event.alert.id,
                    body,
                    now.micros(),
                    wanted,
                ])?;
            }
        }
        Ok(())
    }

    /// Tells receivers outside of something that the brain found out, such as a deadline that was
    /// missed. Telling the same event again changes nothing. Blocks.
    pub fn notify(&self, event: &AlertEvent, now: Timestamp) -> Result<(), StateError> {
        self.state.write(|tx| self.put(tx, std::slice::from_ref(event), now))?;
        self.ring();
        Ok(())
    }

    /// Takes events that engines elsewhere found, together with a note of what was taken. Taking the
    /// same events again changes nothing. Blocks.
    pub fn take<E: From<StateError> + From<rusqlite::Error>>(
        &self,
        events: &[AlertEvent],
        now: Timestamp,
        note: impl FnOnce(&Transaction<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.state.write(|tx| {
            self.put(tx, events, now)?;
            note(tx)
        })?;
        self.ring();
        Ok(())
    }

    /// Lets go what nothing holds any longer. Blocks.
    pub(crate) fn review(&self, now: Timestamp) -> Result<(), StateError> {
        if self.gate.review(&self.state, (&self.routes, wants), now)? {
            self.ring();
        }
        Ok(())
    }

    /// How many alerts are held back from outside receivers.
    pub(crate) fn held(&self) -> usize {
        self.gate.held()
    }

    /// Tells those who deliver that there is something new.
    pub(crate) fn ring(&self) {
        self.news.notify_waiters();
    }

    /// The oldest events that wait for a receiver.
    pub(crate) fn waiting(&self, receiver: &str, limit: usize) -> Result<Vec<Waiting>, StateError> {
        self.state.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT id, attempts, alert, key, body FROM alert_outbox
                 WHERE receiver = ?1 AND delivered_at IS NULL AND given_up_at IS NULL
                 ORDER BY id LIMIT ?2",
            )?;
            let rows = statement.query_map(params![receiver, limit as i64], |row| {
                Ok(Waiting {
                    id: row.get(0)?,
                    attempts: row.get(1)?,
                    alert: row.get(2)?,
                    delivery: Delivery { key: row.get(3)?, body: row.get(4)? },
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Notes what was delivered. That does not wait for the disk, for which others wait whose alert is
    /// news: when the power goes, the last ones are told once more, with the same keys.
    pub(crate) fn delivered(&self, ids: &[i64], now: Timestamp) -> Result<(), StateError> {
        self.state.write_soon(|tx| {
            let mut update = tx.prepare_cached(
                "UPDATE alert_outbox SET delivered_at = ?2, attempts = attempts + 1 WHERE id = ?1",
            )?;
            for id in ids {
                update.execute(params![id, now.micros()])?;
            }
            Ok(())
        })
    }

    pub(crate) fn given_up(
        &self,
        ids: &[i64],
        why: &str,
        now: Timestamp,
    ) -> Result<(), StateError> {
        self.state.write(|tx| {
            let mut update = tx.prepare_cached(
                "UPDATE alert_outbox SET given_up_at = ?2, attempts = attempts + 1, last_error = ?3
                 WHERE id = ?1",
            )?;
            for id in ids {
                update.execute(params![id, now.micros(), why])?;
            }
            Ok(())
        })
    }

    pub(crate) fn failed(&self, ids: &[i64], why: &str) -> Result<(), StateError> {
        self.state.write(|tx| {
            let mut update = tx.prepare_cached(
                "UPDATE alert_outbox SET attempts = attempts + 1, last_error = ?2 WHERE id = ?1",
            )?;
            for id in ids {
                update.execute(params![id, why])?;
            }
            Ok(())
        })
    }

    /// What fires as far as a receiver was told: alerts, and the event that told it last.
    pub(crate) fn firing(&self, receiver: &str) -> Result<Vec<(String, i64)>, StateError> {
        self.state.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT alert, max(id) FROM alert_outbox AS told
                 WHERE receiver = ?1 AND delivered_at IS NOT NULL AND NOT EXISTS (
                     SELECT 1 FROM alert_outbox WHERE receiver = ?1 AND alert = told.alert
                     AND json_extract(body, '$.kind') = 'resolved')
                 GROUP BY alert",
            )?;
            let rows = statement.query_map([receiver], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Events that were delivered before, to be told again; those that are forgotten are left out.
    pub(crate) fn again(&self, ids: &[i64]) -> Result<Vec<Delivery>, StateError> {
        self.state.read(|conn| {
            let mut statement =
                conn.prepare_cached("SELECT key, body FROM alert_outbox WHERE id = ?1")?;
            let mut found = Vec::with_capacity(ids.len());
            for id in ids {
                let row = statement
                    .query_row([id], |row| Ok(Delivery { key: row.get(0)?, body: row.get(1)? }));
                found.extend(row.optional()?);
            }
            Ok(found)
        })
    }

    /// How many events wait for a receiver. Blocks.
    pub fn backlog(&self, receiver: &str) -> Result<u64, StateError> {
        self.state.read(|conn| {
            let count: i64 = conn
                .prepare_cached(
                    "SELECT count(*) FROM alert_outbox
                     WHERE receiver = ?1 AND delivered_at IS NULL AND given_up_at IS NULL",
                )?
                .query_row([receiver], |row| row.get(0))?;
            Ok(count as u64)
        })
    }

    /// Forgets old deliveries, and gives up the oldest events of receivers that have too many.
    /// Returns how many were given up.
    pub(crate) fn tidy(&self, now: Timestamp) -> Result<usize, StateError> {
        self.state.write(|tx| {
            tx.execute(FORGET, [(now - REMEMBER).micros()])?;
            let mut given_up = 0;
            for route in &self.routes {
                given_up += tx.execute(
                    "UPDATE alert_outbox SET given_up_at = ?2, last_error = 'too many events wait'
                     WHERE delivered_at IS NULL AND given_up_at IS NULL AND receiver = ?1 AND id <= (
                         SELECT id FROM alert_outbox
                         WHERE delivered_at IS NULL AND given_up_at IS NULL AND receiver = ?1
                         ORDER BY id DESC LIMIT 1 OFFSET ?3)",
                    params![route.receiver, now.micros(), CAPACITY],
                )?;
            }
            Ok(given_up)
        })
    }
}

fn wants(route: &Route, event: &AlertEvent) -> bool {
    route.wants(event)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outbox() -> Outbox {
        let state = Arc::new(StateDb::in_memory().expect("a database"));
        crate::state::migrate(&state).expect("tables");
        let desk = crate::ReceiverConfig::new("desk", "webhook", serde_json::Value::Null);
        let gate = Gate::open(&state, crate::GateParts::default()).expect("a gate");
        Outbox::new(state, vec![desk.route()], gate)
    }

    #[test]
    fn tidying_looks_at_what_it_forgets_and_at_nothing_else() {
        let outbox = outbox();
        let plan = |sql: &str, count: usize| {
            let sql = format!("EXPLAIN QUERY PLAN {sql}");
            let plan: Result<String, StateError> = outbox.state.read(|conn| {
                let values = rusqlite::params_from_iter(vec![1; count]);
                Ok(conn.query_row(&sql, values, |row| row.get(3))?)
            });
            plan.expect("a plan")
        };
        assert!(plan(FORGET, 1).contains("USING INDEX alert_outbox_done"), "{}", plan(FORGET, 1));
    }

    #[test]
    fn what_was_delivered_long_ago_is_forgotten_and_what_waits_is_not() {
        let outbox = outbox();
        let day = |day: i64| Timestamp::from_secs(1_790_000_000) + Span::from_hours(24 * day);
        let insert =
            "INSERT INTO alert_outbox (receiver, key, alert, body, created_at, delivered_at)
                      VALUES ('desk', ?1, 'a', '{}', 0, ?2)";
        for (key, delivered) in [("old", Some(day(0))), ("new", Some(day(50))), ("open", None)] {
            let delivered = delivered.map(Timestamp::micros);
            let wrote: Result<usize, StateError> =
                outbox.state.write(|tx| Ok(tx.execute(insert, params![key, delivered])?));
            wrote.expect("written");
        }
        assert_eq!(outbox.tidy(day(100)).expect("tidied"), 0);
        let left: Result<Vec<String>, StateError> = outbox.state.read(|conn| {
            let mut statement = conn.prepare("SELECT key FROM alert_outbox ORDER BY key")?;
            let rows = statement.query_map([], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        });
        assert_eq!(left.expect("readable"), ["new", "open"]);
    }
}
