//! What the outbox knows of one receiver: what waits for it, what was given up, what it was told.

use city_cap::Earlier;
use city_model::Timestamp;
use city_store::StateError;
use rusqlite::{OptionalExtension as _, params};

use crate::notifier::Failure;
use crate::outbox::Outbox;

/// Earlier events that are looked up at most: as many as a message refers to.
const MOST_EARLIER: i64 = 100;

/// What is kept of a receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) waiting: u64,
    pub(crate) oldest_waiting: Option<Timestamp>,
    pub(crate) given_up: u64,
    pub(crate) last_given_up: Option<Failure>,
}

impl Outbox {
    /// What is kept of a receiver, each figure from an index of its own.
    pub(crate) fn figures(&self, receiver: &str) -> Result<Figures, StateError> {
        let waiting = self.backlog(receiver)?;
        self.state.read(|conn| {
            let oldest = conn
                .prepare_cached(
                    "SELECT created_at FROM alert_outbox
                     WHERE receiver = ?1 AND delivered_at IS NULL AND given_up_at IS NULL
                     ORDER BY id LIMIT 1",
                )?
                .query_row([receiver], |row| row.get(0).map(Timestamp::from_micros))
                .optional()?;
            let given_up: i64 = conn
                .prepare_cached(
                    "SELECT count(*) FROM alert_outbox
                     WHERE receiver = ?1 AND given_up_at IS NOT NULL",
                )?
                .query_row([receiver], |row| row.get(0))?;
            let last = conn
                .prepare_cached(
                    "SELECT given_up_at, coalesce(last_error, '') FROM alert_outbox
                     WHERE receiver = ?1 AND given_up_at IS NOT NULL ORDER BY id DESC LIMIT 1",
                )?
                .query_row([receiver], |row| {
                    Ok(Failure { at: Timestamp::from_micros(row.get(0)?), message: row.get(1)? })
                })
                .optional()?;
            Ok(Figures {
                waiting,
                oldest_waiting: oldest,
                given_up: given_up as u64,
                last_given_up: last,
            })
        })
    }

    /// What a receiver took of an alert before the event of row `before`, oldest first; of many, the
    /// newest.
    pub(crate) fn told_before(
        &self,
        receiver: &str,
        alert: &str,
        before: i64,
    ) -> Result<Vec<Earlier>, StateError> {
        #[derive(serde::Deserialize)]
        struct Kept {
            at: Timestamp,
        }
        self.state.read(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT key, body FROM alert_outbox
                 WHERE receiver = ?1 AND alert = ?2 AND id < ?3 AND delivered_at IS NOT NULL
                 ORDER BY id DESC LIMIT ?4",
            )?;
            let told = params![receiver, alert, before, MOST_EARLIER];
            let rows = statement
                .query_map(told, |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
            let mut earlier = Vec::new();
            for row in rows {
                let (key, body) = row?;
                // What cannot be read was not told either.
                let kept = serde_json::from_str::<Kept>(&body);
                earlier.extend(kept.map(|kept| Earlier::of(&key, kept.at)));
            }
            earlier.reverse();
            Ok(earlier)
        })
    }

    /// When a receiver last took an event, as far as that is remembered.
    pub(crate) fn last_delivery(&self, receiver: &str) -> Result<Option<Timestamp>, StateError> {
        self.state.read(|conn| {
            let last: Option<i64> = conn
                .prepare_cached("SELECT max(delivered_at) FROM alert_outbox WHERE receiver = ?1")?
                .query_row(params![receiver], |row| row.get(0))?;
            Ok(last.map(Timestamp::from_micros))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use city_store::StateDb;

    use super::*;
    use crate::{ReceiverConfig, state};

    /// An outbox in which `count` events wait for `dead`, each put there a microsecond after the one
    /// before, and one was taken.
    fn outbox(count: i64) -> Outbox {
        let db = Arc::new(StateDb::in_memory().expect("a database"));
        state::migrate(&db).expect("tables");
        db.write::<_, StateError>(|tx| {
            tx.execute(
                "INSERT INTO alert_outbox (receiver, key, alert, body, created_at, delivered_at)
                 WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
                 SELECT 'dead', 'k' || i, 'a' || i, '{}', i, iif(i = 0, 7, NULL) FROM n",
                [count],
            )?;
            Ok(())
        })
        .expect("written");
        let dead = ReceiverConfig::new("dead", "webhook", serde_json::Value::Null);
        Outbox::new(db, vec![dead.route()])
    }

    #[test]
    fn what_waits_is_bounded_and_what_was_given_up_is_told() {
        let outbox = outbox(100_010);
        let now = Timestamp::from_secs(1_790_000_000);
        assert_eq!(outbox.last_delivery("dead").expect("read").map(Timestamp::micros), Some(7));
        assert_eq!(outbox.last_delivery("other").expect("read"), None);
        assert_eq!(
            outbox.figures("dead").expect("read").oldest_waiting.map(Timestamp::micros),
            Some(1)
        );
        assert_eq!(outbox.tidy(now).expect("tidied"), 10);
        let last = Failure { at: now, message: "too many events wait".to_owned() };
        let wanted = Figures {
            waiting: 100_000,
            oldest_waiting: Some(Timestamp::from_micros(11)),
            given_up: 10,
            last_given_up: Some(last),
        };
        assert_eq!(outbox.figures("dead").expect("read"), wanted);
        let nobody = Figures { waiting: 0, oldest_waiting: None, given_up: 0, last_given_up: None };
        assert_eq!(outbox.figures("other").expect("read"), nobody);
    }
}
