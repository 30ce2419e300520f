//! A silence: somebody's decision that alerts of a kind are not told to outside receivers for a
//! while.

use std::sync::Arc;

use city_model::{Alert, Span, Timestamp};
use serde::{Deserialize, Serialize};

use super::{AlertMatch, Weekly};

/// The longest that a silence may last.
pub const LONGEST_SILENCE: Span = Span::from_hours(30 * 24);
/// The longest that a silence may recur: its spans of the week are short, its end far.
pub const LONGEST_RECURRING: Span = Span::from_hours(366 * 24);
/// A silence whose end is nearer than this expires soon.
pub const EXPIRES_SOON: Span = Span::from_hours(1);

/// How far a silence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SilenceState {
    /// It holds nothing back yet, or it recurs and is between two of its spans.
    Pending,
    /// It holds alerts back.
    Active,
    /// It is over.
    Expired,
}

/// Which alerts are held back when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Silence {
    /// Its id.
    pub id: Arc<str>,
    /// Which alerts.
    pub matches: AlertMatch,
    /// From when on.
    pub starts_at: Timestamp,
    /// Until when, exclusively.
    pub ends_at: Timestamp,
    /// Only in these spans of the week; always if missing.
    pub weekly: Option<Weekly>,
}

impl Silence {
    /// How far it is.
    pub fn state(&self, now: Timestamp) -> SilenceState {
        if now >= self.ends_at {
            SilenceState::Expired
        } else if now >= self.starts_at
            && self.weekly.as_ref().is_none_or(|week| week.contains(now))
        {
            SilenceState::Active
        } else {
            SilenceState::Pending
        }
    }

    /// Whether it holds an alert back now.
    pub fn holds(&self, alert: &Alert, now: Timestamp) -> bool {
        self.state(now) == SilenceState::Active && self.matches.matches(alert)
    }

    /// When its state next changes; `None` if it is over.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        if now >= self.ends_at {
            return None;
        }
        let week = |after| self.weekly.as_ref().and_then(|week| week.next_change(after));
        if now >= self.starts_at {
            return Some(week(now).map_or(self.ends_at, |change| change.min(self.ends_at)));
        }
        let begins_inside = self.weekly.as_ref().is_none_or(|week| week.contains(self.starts_at));
        let next = if begins_inside { Some(self.starts_at) } else { week(self.starts_at) };
        Some(next.map_or(self.ends_at, |change| change.min(self.ends_at)))
    }

    /// Whether it is not over, but will be within [`EXPIRES_SOON`].
    pub fn expires_soon(&self, now: Timestamp) -> bool {
        now < self.ends_at && self.ends_at.since(now) <= EXPIRES_SOON
    }

    /// What is wrong with it, for people; `None` if nothing is.
    pub fn problem(&self, now: Timestamp) -> Option<String> {
        if self.matches.is_empty() {
            return Some("it would silence every alert; say at least which rule, zone, device, department, label or severity".to_owned());
        }
        if let Some(problem) = self.matches.problem() {
            return Some(problem);
        }
        if self.ends_at <= self.starts_at {
            return Some("it ends before it starts".to_owned());
        }
        if self.ends_at <= now {
            return Some("it is over already".to_owned());
        }
        let (longest, days) =
            if self.weekly.is_some() { (LONGEST_RECURRING, 366) } else { (LONGEST_SILENCE, 30) };
        let begins = self.starts_at.max(now);
        if self.ends_at.since(begins) > longest || begins.since(now) > LONGEST_RECURRING {
            return Some(format!("it is longer than {days} days, or begins after 366 days"));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::matcher::tests::alert;
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        // A Monday, 00:00 UTC.
        Timestamp::from_secs(1_790_553_600) + Span::from_mins(minutes)
    }

    fn silence(weekly: Option<serde_json::Value>) -> Silence {
        Silence {
            id: "s".into(),
            matches: serde_json::from_value(json!({"rule": "pm25-high"})).expect("a matcher"),
            starts_at: at(0),
            ends_at: at(3_000),
            weekly: weekly.map(|week| serde_json::from_value(week).expect("a week")),
        }
    }

    #[test]
    fn it_holds_from_its_start_until_before_its_end() {
        use SilenceState::{Active, Expired, Pending};
        let silence = silence(None);
        for (minute, state, next, soon) in [
            (-1, Pending, Some(0), false),
            (0, Active, Some(3_000), false),
            (2_940, Active, Some(3_000), true),
            (2_999, Active, Some(3_000), true),
            (3_000, Expired, None, false),
        ] {
            assert_eq!(silence.state(at(minute)), state, "{minute}");
            assert_eq!(silence.next_change(at(minute)), next.map(at), "{minute}");
            assert_eq!(silence.expires_soon(at(minute)), soon, "{minute}");
            assert_eq!(silence.holds(&alert("1"), at(minute)), state == Active, "{minute}");
        }
        let mut other = alert("1");
        other.rule.id = "other".into();
        assert!(!silence.holds(&other, at(1)));
    }

    #[test]
    fn one_that_recurs_rests_between_its_spans() {
        use SilenceState::{Active, Expired, Pending};
        let silence = silence(Some(json!({"time_zone": "UTC",
            "spans": [{"days": ["mon", "tue", "wed"], "from": "01:00", "to": "02:00"}]})));
        for (minute, state, next) in [
            (-100, Pending, Some(60)),
            (0, Pending, Some(60)),
            (60, Active, Some(120)),
            (120, Pending, Some(1_500)),
            (2_900, Pending, Some(2_940)),
            (2_940, Active, Some(3_000)),
            (3_000, Expired, None),
        ] {
            assert_eq!(silence.state(at(minute)), state, "{minute}");
            assert_eq!(silence.next_change(at(minute)), next.map(at), "{minute}");
        }
    }

    #[test]
    fn what_is_too_much_is_said() {
        let good = silence(None);
        assert_eq!(good.problem(at(0)), None);
        let with = |change: fn(&mut Silence)| {
            let mut silence = good.clone();
            change(&mut silence);
            silence.problem(at(0))
        };
        assert!(with(|s| s.matches = AlertMatch::default()).is_some_and(|p| p.contains("every")));
        assert!(with(|s| s.ends_at = s.starts_at).is_some());
        assert!(with(|s| s.ends_at = s.starts_at + Span::from_hours(30 * 24 + 1)).is_some());
        assert!(with(|s| s.starts_at = s.starts_at - Span::from_hours(999)).is_none(), "from now");
        assert!(good.problem(at(3_000)).is_some(), "over");
    }
}
