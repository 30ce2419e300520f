//! Alert rules: rule files with located errors, rule kinds, the alert state machine under virtual
//! time, the evaluator, and rule tests as data.
//!
//! Pure: no I/O, no clock of its own, no async runtime. Files come in as text, time comes in with
//! every call, alerts go out as [`city_model::AlertEvent`]s. Live evaluation, backtests and rule
//! tests all run the one [`Evaluator`].
//!
//! The path of a rule: [`RuleSet::parse`] (`parse.rs`, which reads `yaml.rs` nodes through
//! `fields.rs`) makes [`Rule`]s, their kinds come from [`kinds::KINDS`]. The path of a reading:
//! [`Evaluator::observe`] finds the slots that select its series, the rule's [`Condition`] makes a
//! value, its [`Ladder`] makes a verdict, and the [`state::Machine`] of the slot makes the alert.

pub mod anomaly;
mod calendar;
mod check;
mod evaluator;
mod fields;
pub mod kinds;
mod ladder;
pub mod lifecycle;
mod limits;
mod parse;
mod problem;
mod references;
mod rule;
mod schedule;
mod selector;
mod setting;
pub mod state;
mod template;
pub mod testing;
mod yaml;

pub use calendar::{Calendar, Calendars};
pub use check::NotJudged;
pub use evaluator::{
    Decision, Ended, Evaluator, LateDecision, LateLog, LateReading, NearMiss, ReloadReport, Seen,
    Snapshot, Standing, Stats, Step as TraceStep, Told, Trace,
};
pub use kinds::{Condition, Expectation, KINDS, Kind};
pub use ladder::{Direction, Ladder, Step, Verdict};
pub use limits::{DeviceLimits, LimitFault};
pub use problem::{RuleProblem, RuleProblems};
pub use rule::{Changes, GroupPlace, Rule, RuleSet, Trust};
pub use schedule::{Outside, Schedule, Shift};
pub use selector::Selector;
pub use setting::Setting;
pub use template::{Placeholder, Template};
