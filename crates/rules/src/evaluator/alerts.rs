//! From a change of a slot's state to the alert and the event that leave the engine.

use std::sync::Arc;

use city_model::{
    Alert, AlertEvent, AlertEventKind, Device, Directory, EndReason, LocalText, Metric, Placement,
    Severity, Timestamp, Zone, ZoneKey,
};

use super::program::Compiled;
use super::slot::{Body, Evidence, Open, Slot, SubjectKey};
use crate::kinds::{Condition, Measure, together};
use crate::ladder::Ladder;
use crate::parse::hex;
use crate::rule::Rule;
use crate::selector::smallest;
use crate::template::Facts;

/// Writes a change of an open slot into its alert and gives the event. `None` only where the
/// directory does not know the subject.
pub(super) fn record(
    slot: &mut Slot,
    compiled: &Compiled,
    directory: &Directory,
    kind: AlertEventKind,
    at: Timestamp,
) -> Option<AlertEvent> {
    let Slot { key, open, last_started, own, body, .. } = slot;
    let open = open.as_deref_mut()?;
    let rule = &compiled.rule;
    let ladder = own.as_deref().or(rule.ladder.as_ref());
    let mut scene = Scene::new(key, rule, directory);
    if let Body::Composite { fires } = body {
        let firing = compiled.followed.iter().zip(fires).filter(|(_, fires)| fires.count > 0);
        scene.firing = firing.map(|(name, _)| name).collect();
    }
    if kind == AlertEventKind::Fired {
        open.alert = Some(scene.fired(rule, ladder, open, at)?);
        *last_started = Some(open.started);
    }
    let severity = open.machine.severity();
    let simulated = open.simulated;
    let alert = open.alert.as_mut()?;
    alert.simulated |= simulated;
    if kind != AlertEventKind::Fired {
        alert.value = open.evidence.value;
        alert.reading_time = open.evidence.time.or(alert.reading_time);
    }
    match (kind, severity) {
        (AlertEventKind::Escalated | AlertEventKind::Deescalated, Some(severity)) => {
            alert.severity = severity;
            alert.limit = limit(ladder, severity);
            alert.summary = scene.summary(rule, severity, &open.evidence, alert.limit);
            alert.zones = scene.zone_ids(&open.evidence.zones);
            alert.position = scene.position(&open.evidence);
        }
        (AlertEventKind::Resolved, _) => {
            // The text keeps saying what happened; value and limit say why it is over.
            alert.resolved_at = Some(at);
            alert.limit = ladder.and_then(clear_limit);
        }
        _ => {}
    }
    let event = next_event(open, kind, at, None);
    if rule.silent {
        // Nobody is told, now or when it ends.
        open.seq = 0;
    }
    event
}

/// Ends an alert for another reason than a reading; `None` if nobody was told of it.
pub(super) fn end(open: &mut Open, at: Timestamp, reason: EndReason) -> Option<AlertEvent> {
    if open.seq == 0 {
        return None;
    }
    open.alert.as_mut()?.resolved_at = Some(at);
    next_event(open, AlertEventKind::Resolved, at, Some(reason))
}

/// The next event of an open alert as it is now.
pub(super) fn next_event(
    open: &mut Open,
    kind: AlertEventKind,
    at: Timestamp,
    reason: Option<EndReason>,
) -> Option<AlertEvent> {
    open.seq += 1;
    let (seq, alert) = (open.seq, open.alert.clone()?);
    Some(AlertEvent { key: format!("{}/{seq}", alert.id), seq, kind, at, reason, alert })
}

fn limit(ladder: Option<&Ladder>, severity: Severity) -> Option<f64> {
    Some(ladder?.step(severity)?.raise)
}

fn clear_limit(ladder: &Ladder) -> Option<f64> {
    let mildest = ladder.steps.first()?;
    Some(mildest.clear.unwrap_or(mildest.raise))
}

/// The things that an alert is about.
struct Scene<'d> {
    key: &'d SubjectKey,
    directory: &'d Directory,
    device_id: Option<&'d str>,
    device: Option<&'d Device>,
    zone: Option<&'d Zone>,
    metric: Option<&'d Metric>,
    measure: Measure,
    /// The rules that a composite follows and that fire.
    firing: Vec<&'d LocalText>,
}

impl<'d> Scene<'d> {
    fn new(key: &'d SubjectKey, rule: &'d Rule, directory: &'d Directory) -> Self {
        let (device, zone, metric) = match key {
            SubjectKey::Series(series) => {
                (directory.device(series.device), None, directory.metrics.get(series.metric))
            }
            SubjectKey::Device(device) => (directory.device(*device), None, None),
            SubjectKey::Gateway(id) => (directory.device_by_id(id), None, None),
            SubjectKey::Zone(id) => {
                let metric = rule.select.metric.first();
                (None, directory.zone_by_id(id), metric.and_then(|id| directory.metrics.by_id(id)))
            }
        };
        let device = device.map(Arc::as_ref);
        let device_id = match key {
            SubjectKey::Gateway(id) => Some(&**id),
            _ => device.map(|device| &*device.id),
        };
        let measure = rule.condition.measure();
        Self { key, directory, device_id, device, zone, metric, measure, firing: Vec::new() }
    }

    fn fired(
        &self,
        rule: &Rule,
        ladder: Option<&Ladder>,
        open: &Open,
        at: Timestamp,
    ) -> Option<Alert> {
        let severity = open.machine.severity()?;
        let subject = self.key.subject(self.directory)?;
        let evidence = &open.evidence;
        let limit = limit(ladder, severity);
        let identity = format!("{}\n{subject}\n{}", rule.id, open.started.micros());
        let unit = if evidence.value.is_some() { self.measure.unit(self.metric) } else { None };
        Some(Alert {
            id: hex(identity.as_bytes(), 16).into(),
            rule: rule.reference(),
            subject,
            severity,
            started_at: open.started,
            fired_at: at,
            resolved_at: None,
            metric: self.metric.map(|metric| metric.id.clone()),
            unit,
            value: evidence.value,
            limit,
            reading_time: evidence.time,
            summary: self.summary(rule, severity, evidence, limit),
            zones: self.zone_ids(&evidence.zones),
            kind: self.device.map(|device| device.kind.clone()),
            position: self.position(evidence),
            simulated: open.simulated,
            runbook: rule.runbook.clone(),
            labels: rule.labels.clone(),
        })
    }

    fn summary(
        &self,
        rule: &Rule,
        severity: Severity,
        evidence: &Evidence,
        limit: Option<f64>,
    ) -> LocalText {
        let mut hold = rule.hold_of(severity);
        let mut template = &rule.summary;
        if let Condition::Silence(silence) = &rule.condition {
            hold = self.device.and_then(|device| silence.allowance(device)).unwrap_or(hold);
            if let (SubjectKey::Gateway(_), Some(gateways)) = (self.key, &silence.gateways) {
                template = &gateways.summary;
            }
        }
        template.fill(&Facts {
            device_id: self.device_id,
            device: self.device,
            zone: self.zone.or_else(|| smallest(&evidence.zones, |key| self.directory.zone(key))),
            metric: self.metric,
            measure: self.measure,
            state: match &rule.condition {
                Condition::State(states) => Some(states.text().clone()),
                Condition::Index(index) => index.category(evidence.value),
                Condition::Composite(_) => Some(together(&self.firing)),
                Condition::Device(function) => Some(function.text(&|id| self.zone_name(id))),
                _ => None,
            },
            target: match &rule.condition {
                Condition::Function(function) => function.target(),
                _ => None,
            },
            value: evidence.value,
            limit,
            hold,
            devices: evidence.devices,
        })
    }

    fn zone_name(&self, id: &str) -> LocalText {
        let zone = self.directory.zone_by_id(id);
        zone.map_or_else(|| LocalText::same(id), |zone| zone.name.clone())
    }

    fn zone_ids(&self, zones: &[ZoneKey]) -> Vec<Arc<str>> {
        match self.key {
            SubjectKey::Zone(id) => vec![id.clone()],
            _ => {
                zones.iter().filter_map(|key| Some(self.directory.zone(*key)?.id.clone())).collect()
            }
        }
    }

    fn position(&self, evidence: &Evidence) -> Option<city_model::Position> {
        let fixed = match self.device.map(|device| device.placement) {
            Some(Placement::Fixed(position)) => Some(position),
            _ => self.zone.map(|zone| zone.label),
        };
        fixed.or(evidence.position)
    }
}
