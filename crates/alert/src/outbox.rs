//! The outbox: alert events that receivers still have to be told about, durable before anybody
//! is told.

use std::sync::Arc;

use city_model::{AlertEvent, Severity, Span, Timestamp};
use city_store::{StateDb, StateError};
use rusqlite::{Transaction, params};
use tokio::sync::Notify;

use crate::receivers::Delivery;

/// Events that may wait for one receiver; past that the oldest are given up and counted.
const CAPACITY: i64 = 100_000;

/// How long delivered events are remembered: the follow-up of an alert goes to those who were told
/// of it.
const REMEMBER: Span = Span::from_hours(90 * 24);

/// What the outbox needs to know of a receiver.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) receiver: String,
    pub(crate) severity: Severity,
    pub(crate) inside: bool,
}

/// One event for one receiver, as kept.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) id: i64,
    pub(crate) attempts: u32,
    pub(crate) delivery: Delivery,
}

/// The outbox of all receivers.
#[derive(Debug)]
pub struct Outbox {
    state: Arc<StateDb>,
    routes: Vec<Route>,
    pub(crate) news: Notify,
}

impl Outbox {
    pub(crate) fn new(state: Arc<StateDb>, routes: Vec<Route>) -> Self {
        Self { state, routes, news: Notify::new() }
    }

    /// Writes events for every receiver that wants them; those that are known already are left as
    /// they are. Call [`Outbox::ring`] once the transaction is durable.
    ///
    /// A receiver that was told of an alert hears everything that follows, also when the alert
    /// has become milder than what it asks for: it must hear that it ended.
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
        for event in events {
            let body = serde_json::to_string(event).unwrap_or_default();
            for route in &self.routes {
                insert.execute(params![
                    route.receiver,
                    event.key,
                    &*event.alert.id,
                    body,
                    now.micros(),
                    wants(route, event),
                ])?;
            }
        }
        Ok(())
    }

    /// Tells those who deliver that there is something new.
    pub(crate) fn ring(&self) {
        self.news.notify_waiters();
    }

    /// The oldest events that wait for a receiver.
    pub(crate) fn waiting(&self, receiver: &str, limit: usize) -> Result<Vec<Waiting>, StateError> {
        self.state.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT id, attempts, key, body FROM alert_outbox
                 WHERE receiver = ?1 AND delivered_at IS NULL AND given_up_at IS NULL
                 ORDER BY id LIMIT ?2",
            )?;
            let rows = statement.query_map(params![receiver, limit as i64], |row| {
                Ok(Waiting {
                    id: row.get(0)?,
                    attempts: row.get(1)?,
                    delivery: Delivery { key: row.get(2)?, body: row.get(3)? },
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    pub(crate) fn delivered(&self, id: i64, now: Timestamp) -> Result<(), StateError> {
        self.set(
            "UPDATE alert_outbox SET delivered_at = ?2, attempts = attempts + 1 WHERE id = ?1",
            id,
            now,
        )
    }

    pub(crate) fn given_up(&self, id: i64, why: &str, now: Timestamp) -> Result<(), StateError> {
        self.failed(id, why)?;
        self.set("UPDATE alert_outbox SET given_up_at = ?2 WHERE id = ?1", id, now)
    }

    pub(crate) fn failed(&self, id: i64, why: &str) -> Result<(), StateError> {
        self.state.write(|tx| {
            tx.prepare_cached(
                "UPDATE alert_outbox SET attempts = attempts + 1, last_error = ?2 WHERE id = ?1",
            )?
            .execute(params![id, why])?;
            Ok(())
        })
    }

    fn set(&self, sql: &str, id: i64, now: Timestamp) -> Result<(), StateError> {
        self.state.write(|tx| {
            tx.prepare_cached(sql)?.execute(params![id, now.micros()])?;
            Ok(())
        })
    }

    /// How many events wait for a receiver.
    pub(crate) fn backlog(&self, receiver: &str) -> Result<u64, StateError> {
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
            tx.execute(
                "DELETE FROM alert_outbox WHERE coalesce(delivered_at, given_up_at) < ?1",
                [(now - REMEMBER).micros()],
            )?;
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

/// Simulated and test data reach receivers inside only.
fn wants(route: &Route, event: &AlertEvent) -> bool {
    event.alert.severity >= route.severity && (route.inside || !event.alert.simulated)
}
