//! Explanations as the API gives them.

use std::collections::BTreeMap;

use city_backtest::{Caveat, Explanation, Mismatch, Units, Verdict, told};
use city_model::{Alert, Directory, LocalText, Quality, Subject, Timestamp, Value};
use city_rules::{Decision, Expectation, TraceStep};
use serde::Serialize;
use utoipa::ToSchema;

use super::Beside;
use crate::alerts::AlertDetail;
use crate::routes::late_readings::LateDecided;
use crate::schema;

/// Why an alert fired, or why none did.
#[derive(Serialize, ToSchema)]
pub(super) struct RuleExplanation {
    pub(super) rule: String,
    /// The version of the rule that was run: the one in force.
    pub(super) version: String,
    #[schema(value_type = schema::Subject)]
    pub(super) subject: Subject,
    #[schema(value_type = String, format = DateTime)]
    pub(super) at: Timestamp,
    /// From when on readings were looked at.
    #[schema(value_type = String, format = DateTime)]
    pub(super) from: Timestamp,
    pub(super) verdict: ExplainedVerdict,
    /// All of it in one sentence.
    #[schema(value_type = schema::LocalText)]
    pub(super) sentence: LocalText,
    /// Since when it fired, or the condition held.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(super) since: Option<Timestamp>,
    /// When it would change by itself: fire, end, or be silent for too long.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(super) until: Option<Timestamp>,
    /// The alert as this run raised it; `null` if none fired.
    #[schema(value_type = Option<schema::Alert>)]
    pub(super) alert: Option<Box<Alert>>,
    /// What of the rule does not match, by the registry of today.
    pub(super) mismatches: Vec<ExplainedMismatch>,
    /// How often what was decided, by the names of decisions.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub(super) counts: BTreeMap<&'static str, u64>,
    /// How many readings the rule did not trust, by their quality flag.
    #[schema(value_type = BTreeMap<String, u64>)]
    pub(super) untrusted: BTreeMap<Quality, u64>,
    /// The value that came closest to a limit without passing it.
    pub(super) nearest_miss: Option<NearestMiss>,
    /// What was decided, oldest first: the newest steps.
    pub(super) steps: Vec<ExplainedStep>,
    /// How many older steps there were.
    pub(super) steps_left_out: u64,
    /// How many readings were evaluated.
    pub(super) readings: u64,
    /// The alerts of the rule about the subject that stood in that time, with their logs, newest
    /// first; at most 5.
    pub(super) alerts: Vec<AlertDetail>,
    /// The silences that kept outside receivers from being told of the alert at that instant.
    pub(super) silences: Vec<ExplainedSilence>,
    /// What was decided about readings that came late, since the program started; newest first.
    pub(super) late_readings: Vec<LateDecided>,
    /// Where it may differ from what really happened.
    #[schema(value_type = Vec<schema::LocalText>)]
    pub(super) caveats: Vec<LocalText>,
}

/// How it stood.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ExplainedVerdict {
    /// An alert fired.
    Firing,
    /// The condition held, not yet for long enough.
    Pending,
    /// The condition held, but the rule was off schedule or a dependency held the alert back.
    HeldBack,
    /// The rule judged, and found nothing to raise.
    Clear,
    /// The rule had nothing by which to judge.
    Unknown,
    /// The rule is not about the subject.
    NotSelected,
}

/// A part of a rule that does not match.
#[derive(Serialize, ToSchema)]
pub(super) struct ExplainedMismatch {
    /// `life_cycle`, `kind`, `department`, `device`, `attribute`, `metric`, `zone`, `layer`,
    /// `interval`, `limits` or `rule`.
    pub(super) part: &'static str,
    #[schema(value_type = schema::LocalText)]
    pub(super) text: LocalText,
}

/// A value that came close to a limit.
#[derive(Serialize, ToSchema)]
pub(super) struct NearestMiss {
    pub(super) value: f64,
    pub(super) limit: f64,
    #[schema(value_type = String, format = DateTime)]
    pub(super) at: Timestamp,
}

/// A decision.
#[derive(Serialize, ToSchema)]
pub(super) struct ExplainedStep {
    #[schema(value_type = String, format = DateTime)]
    pub(super) at: Timestamp,
    /// The reading that was the reason; `null` if time or another alert was.
    pub(super) reading: Option<ExplainedReading>,
    /// Its name, such as `judged`, `untrusted`, `pending` or `fired`.
    pub(super) decision: &'static str,
    /// In words.
    #[schema(value_type = schema::LocalText)]
    pub(super) text: LocalText,
    /// The value that was judged.
    pub(super) value: Option<f64>,
    /// The limit with which it was compared.
    pub(super) limit: Option<f64>,
    /// What the rule expected of the reading; `null` if it expects nothing, or nothing yet.
    pub(super) expected: Option<ExplainedExpectation>,
}

/// What a rule expected of a reading, in the unit of its metric.
#[derive(Serialize, ToSchema)]
pub(super) struct ExplainedExpectation {
    pub(super) value: f64,
    /// From here to `high` a single reading is usual.
    pub(super) low: f64,
    pub(super) high: f64,
    /// How far off the reading is, in usual errors; negative below what was expected.
    pub(super) deviation: f64,
}

/// A reading that decided.
#[derive(Serialize, ToSchema)]
pub(super) struct ExplainedReading {
    /// The device; `null` if the registry no longer knows it.
    pub(super) device: Option<String>,
    pub(super) metric: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub(super) time: Timestamp,
    #[schema(value_type = schema::ReadingValue)]
    pub(super) value: Value,
    #[schema(value_type = schema::Quality)]
    pub(super) quality: Quality,
}

/// A silence that held an alert back.
#[derive(Serialize, ToSchema)]
pub(super) struct ExplainedSilence {
    pub(super) id: String,
    /// Who made it.
    pub(super) owner: String,
    pub(super) reason: String,
    #[schema(value_type = String, format = DateTime)]
    pub(super) ends_at: Timestamp,
}

/// An explanation with what stands beside it, and the newest of its steps.
pub(super) fn view(
    explanation: Explanation,
    beside: Beside,
    directory: &Directory,
    limit: usize,
) -> RuleExplanation {
    let mut steps = explanation.steps;
    let older = steps.len().saturating_sub(limit);
    let steps = steps.split_off(older);
    let units = explanation.units;
    RuleExplanation {
        rule: explanation.rule.to_string(),
        version: explanation.version.to_string(),
        subject: explanation.subject,
        at: explanation.at,
        from: explanation.from,
        verdict: explanation.verdict.into(),
        sentence: explanation.sentence,
        since: explanation.since,
        until: explanation.until,
        alert: explanation.alert,
        mismatches: explanation.mismatches.into_iter().map(ExplainedMismatch::from).collect(),
        counts: explanation.counts,
        untrusted: explanation.untrusted,
        nearest_miss: explanation.nearest.map(|near| NearestMiss {
            value: near.value,
            limit: near.limit,
            at: near.at,
        }),
        steps: steps.into_iter().map(|step| step_view(step, &units, directory)).collect(),
        steps_left_out: explanation.left_out + older as u64,
        readings: explanation.readings,
        alerts: beside.alerts,
        silences: beside.silences,
        late_readings: beside.late,
        caveats: explanation.caveats.into_iter().map(Caveat::text).collect(),
    }
}

fn step_view(step: TraceStep, units: &Units, directory: &Directory) -> ExplainedStep {
    let (value, limit, expected) = match step.decision {
        Decision::Judged { value, limit, expected, .. } => (value, limit, expected),
        _ => (None, None, None),
    };
    let finite = |number: &f64| number.is_finite();
    ExplainedStep {
        at: step.at,
        reading: step.reading.map(|seen| ExplainedReading {
            device: directory.device(seen.series.device).map(|device| device.id.to_string()),
            metric: directory.metrics.get(seen.series.metric).map(|metric| metric.id.to_string()),
            time: seen.time,
            value: seen.value,
            quality: seen.quality,
        }),
        decision: step.decision.name(),
        text: told(&step.decision, units),
        value: value.filter(finite),
        limit: limit.filter(finite),
        expected: expected.map(|Expectation { value, low, high, deviation }| {
            ExplainedExpectation { value, low, high, deviation }
        }),
    }
}

impl From<Mismatch> for ExplainedMismatch {
    fn from(mismatch: Mismatch) -> Self {
        Self { part: mismatch.part, text: mismatch.text }
    }
}

impl From<Verdict> for ExplainedVerdict {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Firing => Self::Firing,
            Verdict::Pending => Self::Pending,
            Verdict::HeldBack => Self::HeldBack,
            Verdict::Clear => Self::Clear,
            Verdict::Unknown => Self::Unknown,
            Verdict::NotSelected => Self::NotSelected,
        }
    }
}
