//! All that people have decided to hold back, as a whole that is handed out and never changed.

use std::sync::Arc;

use city_model::{Alert, Timestamp};
use rustc_hash::FxHashMap;

use super::{Silence, SilenceState};

/// Shelved alerts by id, and until when.
pub type Shelves = FxHashMap<Arc<str>, Timestamp>;

/// The silences that are not over, and the shelves.
#[derive(Clone, Debug, Default)]
pub struct Suppressions {
    /// The silences.
    pub silences: Vec<Arc<Silence>>,
    /// The shelves.
    pub shelves: Shelves,
}

impl Suppressions {
    /// The ids of the silences that hold an alert back.
    pub fn silenced_by(&self, alert: &Alert, now: Timestamp) -> Vec<Arc<str>> {
        let holding = self.silences.iter().filter(|silence| silence.holds(alert, now));
        holding.map(|silence| silence.id.clone()).collect()
    }

    /// Whether an alert is on a shelf.
    pub fn is_shelved(&self, alert: &str, now: Timestamp) -> bool {
        self.shelves.get(alert).is_some_and(|until| now < *until)
    }

    /// Whether anything holds an alert back.
    pub fn holds(&self, alert: &Alert, now: Timestamp) -> bool {
        self.is_shelved(&alert.id, now)
            || self.silences.iter().any(|silence| silence.holds(alert, now))
    }

    /// The silences that hold back what they match now: whether marks must be looked at again.
    pub fn active(&self, now: Timestamp) -> Vec<Arc<str>> {
        let active =
            self.silences.iter().filter(|silence| silence.state(now) == SilenceState::Active);
        active.map(|silence| silence.id.clone()).collect()
    }
}

/// Hands out what holds now. The one who delivers asks for each event, so a change counts at once.
pub trait Silencing: Send + Sync {
    /// What holds now. Does not block.
    fn current(&self) -> Arc<Suppressions>;
}

/// Nobody silences anything.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSilences;

impl Silencing for NoSilences {
    fn current(&self) -> Arc<Suppressions> {
        Arc::default()
    }
}

#[cfg(test)]
mod tests {
    use city_model::Span;

    use super::super::AlertMatch;
    use super::super::matcher::tests::alert;
    use super::*;

    #[test]
    fn silences_and_shelves_hold_until_they_end() {
        let now = Timestamp::from_secs(1_790_000_000);
        let silence = |id: &str, minutes| {
            let matches = AlertMatch { device: vec!["a".to_owned()], ..AlertMatch::default() };
            let ends_at = now + Span::from_mins(minutes);
            Arc::new(Silence { id: id.into(), matches, starts_at: now, ends_at, weekly: None })
        };
        let all = Suppressions {
            silences: vec![silence("s1", 10), silence("s2", 5)],
            shelves: Shelves::from_iter([("1".into(), now + Span::from_mins(20))]),
        };
        let later = |minutes| now + Span::from_mins(minutes);
        assert_eq!(all.silenced_by(&alert("1"), now), ["s1".into(), "s2".into()]);
        assert_eq!(all.silenced_by(&alert("1"), later(5)), ["s1".into()]);
        assert!(all.holds(&alert("1"), later(19)) && !all.holds(&alert("1"), later(20)));
        assert!(all.holds(&alert("2"), later(9)) && !all.holds(&alert("2"), later(10)));
        assert_eq!(all.active(later(7)), ["s1".into()]);
        assert!(!NoSilences.current().holds(&alert("1"), now));
    }
}
