//! What becomes of an alert after it was raised: who is told of it and when. Pure: time comes in
//! with every call.
//!
//! People's decisions ([`Silence`], shelves) and the configuration's ([`Inhibitions`]) hold alerts
//! back from outside receivers. Whoever keeps the decisions hands them out as [`Suppressions`]
//! through [`Silencing`], so that whoever delivers needs to know nothing of where they are kept.

mod flood;
mod group;
mod handling;
mod inhibit;
mod load;
mod matcher;
mod place;
mod silence;
mod suppress;
mod weekly;

pub use flood::{CITY, FloodChange, FloodConfig, FloodMonitor, Positions};
pub use group::{Cause, Group, Troubled};
pub use handling::{Act, Handling, LONGEST_DEADLINE, MOST_STEPS, Refusal, Stage};
pub use inhibit::{Equal, InhibitRule, Inhibitions};
pub use load::{Actor, Load, Occurrence, RuleLoad, bad_actors};
pub use matcher::AlertMatch;
pub use place::Place;
pub use silence::{EXPIRES_SOON, LONGEST_RECURRING, LONGEST_SILENCE, Silence, SilenceState};
pub use suppress::{NoSilences, Shelves, Silencing, Suppressions};
pub use weekly::{Weekday, Weekly, WeeklySpan};
