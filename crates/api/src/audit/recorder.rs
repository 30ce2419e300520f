//! The audit log from async code, with what is counted about it.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use city_audit::{AuditLog, Begun, NewEntry, Outcome, Written};
use city_model::Timestamp;
use city_store::StateError;
use prometheus::{IntCounter, IntGauge};

use super::Draft;
use super::refusals::Refusals;
use crate::app::App;

/// How often refusals that were counted together are looked at.
const UPKEEP: Duration = Duration::from_secs(10);

/// Writes entries.
#[derive(Debug)]
pub(crate) struct Recorder {
    log: Arc<AuditLog>,
    refusals: Refusals,
    last: IntGauge,
    failures: IntCounter,
}

impl Recorder {
    /// Registers its figures.
    pub(crate) fn new(
        log: Arc<AuditLog>,
        metrics: &prometheus::Registry,
    ) -> Result<Self, prometheus::Error> {
        let last = IntGauge::new(
            "citybrain_audit_last_entry",
            "Number of the entry of the audit log that was written last by this process.",
        )?;
        let failures = IntCounter::new(
            "citybrain_audit_failures_total",
            "Times that the audit log could not be written; nothing is changed then.",
        )?;
        metrics.register(Box::new(last.clone()))?;
        metrics.register(Box::new(failures.clone()))?;
        Ok(Self { log, refusals: Refusals::default(), last, failures })
    }

    /// The log itself.
    pub(crate) fn log(&self) -> &Arc<AuditLog> {
        &self.log
    }

    /// Notes what is about to be done. The error was logged.
    pub(super) async fn begin(&self, entry: NewEntry) -> Result<Begun, ()> {
        self.blocking(move |log| log.begin(&entry)).await
    }

    /// Writes the entry of a request that has its answer.
    pub(super) async fn settle(&self, draft: &Draft, status: StatusCode, outcome: Outcome) {
        let (mut entry, begun, idle) = {
            let parts = draft.lock();
            if parts.held {
                return;
            }
            (parts.entry.clone(), parts.begun, parts.idle)
        };
        entry.status = Some(status.as_u16());
        entry.outcome = outcome;
        let at = entry.at;
        if entry.outcome != Outcome::Done {
            // What a handler prepared is not so.
            entry.after = None;
        }
        let counted = status.is_client_error() && self.refusals.counts(&entry);
        if counted || (idle && entry.outcome == Outcome::Done) {
            self.withdraw(begun).await;
        } else {
            self.finish(begun, entry).await;
        }
        self.sum_up(at).await;
    }

    /// Writes the entry of work that went on after its answer had begun. Blocks.
    pub(super) fn settle_held(&self, draft: &Draft, outcome: Outcome) {
        let (mut entry, begun, idle) = {
            let parts = draft.lock();
            (parts.entry.clone(), parts.begun, parts.idle)
        };
        entry.outcome = outcome;
        let done = match begun {
            Some(begun) if idle => self.log.withdraw(begun).map(|()| None),
            _ => self.log.finish(begun, entry).map(Some),
        };
        match done {
            Ok(Some(Written { number, .. })) => self.last.set(number as i64),
            Ok(None) => {}
            Err(error) => self.failed(&error.to_string()),
        }
    }

    /// Writes entries about refusals that were counted together, once their minute is over.
    async fn sum_up(&self, now: Timestamp) {
        for entry in self.refusals.over(now) {
            self.finish(None, entry).await;
        }
    }

    async fn finish(&self, begun: Option<Begun>, entry: NewEntry) {
        if let Ok(Written { number, .. }) = self.blocking(move |log| log.finish(begun, entry)).await
        {
            self.last.set(number as i64);
        }
    }

    async fn withdraw(&self, begun: Option<Begun>) {
        if let Some(begun) = begun {
            let _ = self.blocking(move |log| log.withdraw(begun)).await;
        }
    }

    fn failed(&self, error: &str) {
        self.failures.inc();
        tracing::error!(error.cause = error, "the audit log cannot be written");
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&AuditLog) -> Result<T, StateError> + Send + 'static,
    ) -> Result<T, ()> {
        let log = self.log.clone();
        // Not in a lane: a change must not go unrecorded because there is no room in one.
        let error = match tokio::task::spawn_blocking(move || work(&log)).await {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        self.failed(&error);
        Err(())
    }
}

/// Writes what was counted together once its time is over.
pub(crate) async fn upkeep(app: &App) {
    loop {
        tokio::time::sleep(UPKEEP).await;
        app.audit.sum_up(app.clock.now()).await;
    }
}
