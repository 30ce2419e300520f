//! Expected events and how they compare with those that came.

use city_model::{AlertEvent, AlertEventKind, LocalText, Severity, Span, Subject, Timestamp};

use super::registry::pick;
use crate::fields::{self, Fields, one_or_many};
use crate::problem::{Mark, Sink};
use crate::rule::RuleSet;
use crate::yaml::Node;

const EVENTS: [(&str, AlertEventKind); 4] = [
    ("fired", AlertEventKind::Fired),
    ("escalated", AlertEventKind::Escalated),
    ("deescalated", AlertEventKind::Deescalated),
    ("resolved", AlertEventKind::Resolved),
];

pub(super) struct Expected {
    pub(super) mark: Mark,
    pub(super) offset: Span,
    pub(super) at: Timestamp,
    pub(super) event: &'static str,
    pub(super) subject: String,
    rule: Option<String>,
    severity: Option<Severity>,
    value: Option<f64>,
    limit: Option<f64>,
    started: Option<Timestamp>,
    simulated: Option<bool>,
    zones: Option<Vec<String>>,
    summary: Option<LocalText>,
}

/// The subject as test files write it.
pub(super) fn subject_text(subject: &Subject) -> String {
    match subject {
        Subject::Series { device, metric } => format!("{metric} of {device}"),
        Subject::Device { device } => format!("device {device}"),
        Subject::Zone { zone } => format!("zone {zone}"),
    }
}

impl Expected {
    /// Whether an event is the one that is meant.
    pub(super) fn matches(&self, event: &AlertEvent, rules: &RuleSet) -> bool {
        let rule = self.rule.as_deref();
        let kind = EVENTS.iter().find(|(name, _)| *name == self.event).map(|(_, kind)| *kind);
        event.at == self.at
            && Some(event.kind) == kind
            && subject_text(&event.alert.subject) == self.subject
            && rule.map_or(rules.len() == 1, |rule| *rule == *event.alert.rule.id)
    }

    /// In what the event differs from what was written.
    pub(super) fn differences(&self, event: &AlertEvent) -> Vec<String> {
        let alert = &event.alert;
        let zones: Vec<String> = alert.zones.iter().map(ToString::to_string).collect();
        let mut found = Vec::new();
        let mut check = |what: &str, same: bool, wanted: String, got: String| {
            if !same {
                found.push(format!(
                    "{} {} at {}: {what} is {got}, expected {wanted}",
                    self.subject, self.event, self.offset
                ));
            }
        };
        if let Some(severity) = self.severity {
            check(
                "severity",
                alert.severity == severity,
                severity.to_string(),
                alert.severity.to_string(),
            );
        }
        for (what, wanted, got) in
            [("value", self.value, alert.value), ("limit", self.limit, alert.limit)]
        {
            if let Some(wanted) = wanted {
                let same =
                    got.is_some_and(|got| (got - wanted).abs() <= 1e-9 * wanted.abs().max(1.0));
                check(what, same, wanted.to_string(), format!("{got:?}"));
            }
        }
        if let Some(started) = self.started {
            check(
                "started",
                alert.started_at == started,
                started.to_string(),
                alert.started_at.to_string(),
            );
        }
        if let Some(simulated) = self.simulated {
            check(
                "simulated",
                alert.simulated == simulated,
                simulated.to_string(),
                alert.simulated.to_string(),
            );
        }
        if let Some(wanted) = &self.zones {
            check("zones", *wanted == zones, format!("{wanted:?}"), format!("{zones:?}"));
        }
        if let Some(wanted) = &self.summary {
            check(
                "summary",
                *wanted == alert.summary,
                format!("{wanted:?}"),
                format!("{:?}", alert.summary),
            );
        }
        found
    }
}

impl Expected {
    pub(super) fn read(node: &Node, start: Timestamp, sink: &mut Sink) -> Option<Self> {
        let mut fields = Fields::of(node, "an expected event", sink)?;
        let at = fields.need("at", "say when, for example `at: 30s`", sink);
        let at = at.and_then(|node| fields::span(node, "at", sink));
        let names = EVENTS.map(|(name, _)| (name, name));
        let event = crate::parse::choose(&mut fields, "event", &names, sink);
        let subject = fields.need("subject", "`pm25 of a`, `device a` or `zone z`", sink);
        let subject =
            subject.and_then(|node| fields::text(node, "subject", sink)).map(str::to_owned);
        let severities = Severity::ALL.map(|severity| (severity.name(), severity));
        let zones = fields.get("zones").map(|node| {
            let items = one_or_many(node).iter();
            items.filter_map(|item| item.text_value().map(str::to_owned)).collect()
        });
        let rule = fields.text("rule", sink).map(str::to_owned);
        let severity = pick(&mut fields, "severity", &severities, sink);
        let value = fields.number("value", sink);
        let limit = fields.number("limit", sink);
        let started = fields.span("started", sink).map(|started| start + started);
        let simulated = fields.flag("simulated", sink);
        let summary = fields.local("summary", sink);
        fields.finish(|_| None, sink);
        Some(Self {
            mark: node.mark,
            offset: at?,
            at: start + at?,
            event: event?,
            subject: subject?,
            rule,
            severity,
            value,
            limit,
            started,
            simulated,
            zones,
            summary,
        })
    }
}
