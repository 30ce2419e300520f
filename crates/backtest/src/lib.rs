//! Rules over stored history, before anybody switches them on: what would have fired, how much work
//! that would have been for the operators, what another version of the rules would have done
//! differently, and how well it agrees with incidents that are known.
//!
//! The evaluator is the one that runs live; readings come from the store in order of event time,
//! series by series in slices of time, so that memory is bounded however long the range is.
//! What the store does not keep cannot be played back: [`Caveat`] says what that means.

mod compare;
mod explain;
mod run;
mod slices;

pub use city_rules::lifecycle::{Load, Occurrence, RuleLoad};
pub use compare::{Difference, Found, Label, Labelled};
pub use explain::{Explanation, Mismatch, Question, Units, Verdict, explain, subject_of, told};
pub use run::{Alerts, Caveat, Progress, Report, Request, WouldBe, backtest};
pub use slices::Locate;
