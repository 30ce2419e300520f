//! What a trace holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use city_model::{
    Alert, AlertEventKind, Marks, Quality, SeriesKey, Severity, Span, Timestamp, Value,
};

use crate::kinds::Expectation;
use crate::ladder::{Ladder, Verdict};

/// A reading as a step saw it.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Which series.
    pub series: SeriesKey,
    /// The event time.
    pub time: Timestamp,
    /// When it arrived.
    pub received: Timestamp,
    /// The value.
    pub value: Value,
    /// Its flag.
    pub quality: Quality,
    /// Its marks.
    pub marks: Marks,
}

/// What was decided at a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// A retained message is no news.
    Retained,
    /// A reading from the future decides nothing.
    Future,
    /// There was a reading of the same series with the same event time.
    Duplicate,
    /// There was a newer one, and the rule has no use for older ones.
    OutOfOrder {
        /// The event time of the newest one.
        newest: Timestamp,
    },
    /// There was a newer one, and the reading was put in its place.
    Inserted,
    /// It came too late.
    Late {
        /// How late.
        by: Span,
    },
    /// The rule does not trust its flag.
    Untrusted {
        /// The flag.
        flag: Quality,
    },
    /// The rule judges numbers alone.
    NotNumeric,
    /// The device has no limits to judge by.
    NoLimit,
    /// The device was not in the zones of the rule, which counts as clear.
    OutsideZones,
    /// The rule has not seen enough to say anything: its window is not full.
    NoResult,
    /// Too few devices of the zone were heard.
    TooFewDevices {
        /// How many were.
        have: u32,
        /// How many it needs.
        need: u32,
    },
    /// A value was judged.
    Judged {
        /// The value that the limits were compared with; `None` for what is or is not.
        value: Option<f64>,
        /// The limit that it passed, or else the mildest one.
        limit: Option<f64>,
        /// The worst severity whose limit is passed.
        raised: Option<Severity>,
        /// Whether it clears all severities.
        cleared: bool,
        /// What the rule expected of the reading, if it expects something.
        expected: Option<Expectation>,
    },
    /// The rules that a composite follows were counted.
    Followed {
        /// Members that fire.
        firing: Vec<Arc<str>>,
        /// Members that must fire.
        needed: usize,
        /// Rules of `unless` that fire.
        blocking: Vec<Arc<str>>,
    },
    /// A limit is passed, but the rule is off schedule.
    OffSchedule,
    /// The rule came on schedule.
    OnSchedule,
    /// It may not fire while something else does.
    HeldBack {
        /// The dependencies that hold it back, or the rule itself, whose gateway is dark.
        by: Vec<Arc<str>>,
    },
    /// A sign of life.
    Heard {
        /// When it would be silent for too long.
        until: Timestamp,
    },
    /// Nothing was heard for too long.
    Silent {
        /// Since when.
        since: Timestamp,
    },
    /// The condition holds, and must hold for longer.
    Pending {
        /// When it fires.
        until: Timestamp,
    },
    /// The condition ceased before it had held for long enough.
    Ceased {
        /// When it began.
        since: Timestamp,
    },
    /// It still fires, and ends unless the condition comes back.
    Recovering {
        /// When it ends.
        until: Timestamp,
    },
    /// The alert changed.
    Changed(AlertEventKind),
}

impl Decision {
    /// The name in the API.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Retained => "retained",
            Self::Future => "future",
            Self::Duplicate => "duplicate",
            Self::OutOfOrder { .. } => "out_of_order",
            Self::Inserted => "inserted",
            Self::Late { .. } => "late",
            Self::Untrusted { .. } => "untrusted",
            Self::NotNumeric => "not_numeric",
            Self::NoLimit => "no_limit",
            Self::OutsideZones => "outside_zones",
            Self::NoResult => "no_result",
            Self::TooFewDevices { .. } => "too_few_devices",
            Self::Judged { .. } => "judged",
            Self::Followed { .. } => "followed",
            Self::OffSchedule => "off_schedule",
            Self::OnSchedule => "on_schedule",
            Self::HeldBack { .. } => "held_back",
            Self::Heard { .. } => "heard",
            Self::Silent { .. } => "silent",
            Self::Pending { .. } => "pending",
            Self::Ceased { .. } => "ceased",
            Self::Recovering { .. } => "recovering",
            Self::Changed(kind) => match kind {
                AlertEventKind::Fired => "fired",
                AlertEventKind::Escalated => "escalated",
                AlertEventKind::Deescalated => "deescalated",
                AlertEventKind::Resolved => "resolved",
                AlertEventKind::Overdue => "overdue",
            },
        }
    }

    pub(in super::super) fn judged(
        value: Option<f64>,
        ladder: Option<&Ladder>,
        verdict: Verdict,
    ) -> Self {
        let bit = |severity: &Severity| verdict.raised & 1 << *severity as u8 != 0;
        let raised = Severity::ALL.into_iter().rev().find(bit);
        let step = ladder.and_then(|ladder| match raised {
            Some(severity) => ladder.step(severity),
            None => ladder.steps.first(),
        });
        Self::Judged {
            value,
            limit: step.map(|step| step.raise).filter(|limit| limit.is_finite()),
            raised,
            cleared: verdict.cleared == Verdict::CLEAR.cleared,
            expected: None,
        }
    }

    /// The same with what was expected.
    pub(in super::super) fn expecting(mut self, by_rule: Option<Expectation>) -> Self {
        if let Self::Judged { expected, .. } = &mut self {
            *expected = by_rule;
        }
        self
    }
}

/// A step of a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// When, by the clock of the evaluation.
    pub at: Timestamp,
    /// The reading that was the reason; `None` if time or another alert was.
    pub reading: Option<Seen>,
    /// What was decided.
    pub decision: Decision,
}

/// A value that came closest to a limit without passing it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NearMiss {
    /// The value.
    pub value: f64,
    /// The limit.
    pub limit: f64,
    /// When.
    pub at: Timestamp,
}

/// How something stands at the end of a trace.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// Nothing is raised; nothing may be known either.
    Clear,
    /// Nothing is raised, and when it would be silent for too long.
    Heard {
        /// The last sign of life.
        at: Timestamp,
        /// When.
        until: Timestamp,
    },
    /// The condition holds and must hold for longer.
    Pending {
        /// Since when.
        since: Timestamp,
        /// When it fires.
        until: Timestamp,
    },
    /// The condition holds, but it may not fire.
    HeldBack,
    /// It fires.
    Firing {
        /// The alert at its last event.
        alert: Box<Alert>,
        /// When it ends, if the condition does not come back.
        until: Option<Timestamp>,
    },
}

/// What was decided about one subject of one rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// The newest steps, oldest first; at most 2,000.
    pub steps: Vec<Step>,
    /// How many older ones were left out.
    pub dropped: u64,
    /// How many of each kind there were, by [`Decision::name`].
    pub counts: BTreeMap<&'static str, u64>,
    /// How many readings were not trusted, by their flag.
    pub untrusted: BTreeMap<Quality, u64>,
    /// The nearest miss since an alert was last resolved.
    pub nearest: Option<NearMiss>,
    /// The last time that the condition held for too short a time: from when to when.
    pub ceased: Option<(Timestamp, Timestamp)>,
    /// How it stands.
    pub standing: Standing,
}
