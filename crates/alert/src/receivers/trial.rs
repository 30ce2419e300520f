//! A try: an alert that never was, told to one receiver, to see whether it takes it.

use city_cap::Earlier;
use city_model::{
    Alert, AlertEvent, AlertEventKind, LocalText, RuleRef, Severity, Subject, Timestamp,
};

use super::{Delivery, DeliveryError};
use crate::config::ReceiverConfig;

/// Why a try failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrialError {
    /// The receiver's options cannot be used.
    #[error("its options cannot be used: {0}")]
    Options(String),
    /// It was not told.
    #[error("it did not take the alert: {0}")]
    Delivery(#[from] DeliveryError),
    /// It was told that the alert began, but not that it ended.
    #[error("it took the alert, but not its end: {0}")]
    End(DeliveryError),
}

impl ReceiverConfig {
    /// Tells the receiver that an alert of this severity began, and that it ended if it wants to hear
    /// of ends, once each. The alert is marked as a test in its texts, its label `test` and as simulated.
    pub async fn try_out(&self, now: Timestamp) -> Result<(), TrialError> {
        let receiver = self.build().map_err(TrialError::Options)?;
        let began = delivery(&event(&self.id, self.severity, now, AlertEventKind::Fired));
        let earlier = [Earlier::of(&began.key, now)];
        receiver.deliver(&[began], now).await?;
        if !self.resolved {
            return Ok(());
        }
        let ended = delivery(&event(&self.id, self.severity, now, AlertEventKind::Resolved));
        receiver.deliver_after(&[ended], &earlier, now).await.map_err(TrialError::End)
    }
}

fn delivery(event: &AlertEvent) -> Delivery {
    Delivery { key: event.key.clone(), body: serde_json::to_string(event).unwrap_or_default() }
}

fn event(receiver: &str, severity: Severity, now: Timestamp, kind: AlertEventKind) -> AlertEvent {
    let id = format!("test-{:x}", now.micros());
    let ended = kind == AlertEventKind::Resolved;
    let seq = if ended { 2 } else { 1 };
    AlertEvent {
        key: format!("{id}/{seq}"),
        seq,
        kind,
        at: now,
        reason: None,
        alert: Alert {
            id: id.into(),
            rule: RuleRef {
                id: "receiver-test".into(),
                version: "000000000000".into(),
                name: LocalText::new("Test of a receiver", "接收方测试"),
                department: "test".into(),
            },
            subject: Subject::Device { device: "receiver-test".into() },
            severity,
            started_at: now,
            fired_at: now,
            resolved_at: ended.then_some(now),
            metric: None,
            unit: None,
            value: None,
            limit: None,
            reading_time: None,
            summary: LocalText::new(
                format!("This only tests the receiver {receiver}; nothing happened."),
                format!("仅用于测试接收方 {receiver}，并无异常。"),
            ),
            zones: Vec::new(),
            kind: None,
            position: None,
            simulated: true,
            runbook: None,
            labels: [("test".to_owned(), "true".to_owned())].into(),
        },
    }
}
