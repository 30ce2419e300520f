//! Floods of alerts (ISA-18.2): when more come to an operator position than anybody can look at, and
//! when that is over.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use city_model::{Alert, Span, Timestamp};
use serde::{Deserialize, Serialize};

/// Whose alerts come together on one screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Positions {
    /// Each department has its own operators.
    #[default]
    Department,
    /// All alerts of the city come to the same ones.
    City,
}

/// The position of operators who see the alerts of all departments.
pub const CITY: &str = "city";

/// When a flood begins and ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FloodConfig {
    /// More alerts than this within `window`, for each operator, are a flood.
    pub more_than: u32,
    /// It is over when there are fewer than this.
    pub below: u32,
    /// For so long an alert counts.
    pub window: Span,
    /// Whose alerts come together.
    pub positions: Positions,
    /// How many operators share the alerts of a position; one unless said.
    pub operators: BTreeMap<String, u32>,
}

impl Default for FloodConfig {
    /// As ISA-18.2 has it: more than 10 in 10 minutes, until fewer than 5.
    fn default() -> Self {
        Self {
            more_than: 10,
            below: 5,
            window: Span::from_mins(10),
            positions: Positions::Department,
            operators: BTreeMap::new(),
        }
    }
}

impl FloodConfig {
    /// What is wrong with it, for people; `None` if nothing is.
    pub fn problem(&self) -> Option<String> {
        if self.more_than == 0 || self.more_than > 10_000 {
            return Some("`more_than` must be 1 to 10000".to_owned());
        }
        if self.below == 0 || self.below > self.more_than {
            return Some("`below` must be at least 1 and at most `more_than`".to_owned());
        }
        if self.window < Span::from_mins(1) || self.window > Span::from_hours(24) {
            return Some("`window` must be 1m to 24h".to_owned());
        }
        let bad = self.operators.iter().find(|(_, count)| !(1..=100).contains(*count));
        bad.map(|(position, _)| format!("`operators.{position}` must be 1 to 100"))
    }

    /// The position that an alert comes to.
    pub fn position(&self, alert: &Alert) -> Arc<str> {
        match self.positions {
            Positions::Department => alert.rule.department.clone(),
            Positions::City => CITY.into(),
        }
    }

    /// How many operators a position has.
    pub fn operators_of(&self, position: &str) -> u32 {
        self.operators.get(position).copied().unwrap_or(1).max(1)
    }
}

/// What time or an alert changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloodChange {
    /// There is a flood now.
    Began,
    /// The flood is over.
    Ended {
        /// When it had begun.
        began: Timestamp,
        /// When it ended.
        at: Timestamp,
        /// How many alerts came meanwhile, those that began it included.
        alerts: u64,
    },
}

/// Watches one position, under virtual time: memory is bounded however many alerts come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FloodMonitor {
    /// The newest alerts that count, no more than it takes to begin a flood.
    recent: VecDeque<(Timestamp, Arc<str>)>,
    since: Option<Timestamp>,
    alerts: u64,
}

impl FloodMonitor {
    /// Since when there is a flood; `None` if there is none.
    pub fn since(&self) -> Option<Timestamp> {
        self.since
    }

    /// How many alerts came in this flood.
    pub fn alerts(&self) -> u64 {
        self.alerts
    }

    /// Takes up a flood that was going on when the program stopped.
    pub fn resume(&mut self, since: Timestamp, alerts: u64) {
        (self.since, self.alerts) = (Some(since), alerts);
    }

    /// Takes an alert that fires. Time up to `at` must have been served by [`FloodMonitor::advance`];
    /// an alert that is known already changes nothing.
    pub fn fired(
        &mut self,
        alert: &Arc<str>,
        at: Timestamp,
        config: &FloodConfig,
        operators: u32,
    ) -> Option<FloodChange> {
        if self.recent.iter().any(|(_, known)| known == alert) {
            return None;
        }
        let at = self.recent.back().map_or(at, |(last, _)| at.max(*last));
        self.recent.push_back((at, alert.clone()));
        self.alerts += u64::from(self.since.is_some());
        let most = config.more_than as usize * operators as usize;
        if self.recent.len() <= most {
            return None;
        }
        while self.recent.len() > most + 1 {
            self.recent.pop_front();
        }
        if self.since.is_some() {
            return None;
        }
        self.since = Some(at);
        self.alerts = self.recent.len() as u64;
        Some(FloodChange::Began)
    }

    /// Lets time pass.
    pub fn advance(
        &mut self,
        now: Timestamp,
        config: &FloodConfig,
        operators: u32,
    ) -> Option<FloodChange> {
        let enough = config.below as usize * operators as usize;
        let mut ended = None;
        // An alert counts for the window; the flood is over when enough of them have passed.
        while let Some(out) = self.recent.front().map(|(oldest, _)| *oldest + config.window) {
            if out > now {
                break;
            }
            self.recent.pop_front();
            if self.recent.len() < enough
                && let Some(began) = self.since.take()
            {
                ended = Some(FloodChange::Ended { began, at: out, alerts: self.alerts });
                self.alerts = 0;
            }
        }
        // One that was taken up after a stop may have nothing left that counts.
        if self.recent.is_empty()
            && let Some(began) = self.since.take()
        {
            ended = Some(FloodChange::Ended { began, at: now.max(began), alerts: self.alerts });
            self.alerts = 0;
        }
        ended
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(1_790_000_000 + secs)
    }

    fn id(n: usize) -> Arc<str> {
        n.to_string().into()
    }

    #[test]
    fn a_flood_begins_with_the_eleventh_and_ends_below_five() {
        let config = FloodConfig::default();
        let mut monitor = FloodMonitor::default();
        for n in 0..20 {
            let now = at(n as i64 * 30);
            assert_eq!(monitor.advance(now, &config, 1), None);
            let expected = (n == 10).then_some(FloodChange::Began);
            assert_eq!(monitor.fired(&id(n), now, &config, 1), expected, "{n}");
            assert_eq!(monitor.fired(&id(n), now, &config, 1), None, "again");
        }
        assert_eq!((monitor.since(), monitor.alerts()), (Some(at(300)), 20));
        // The last came at 9:30; ten minutes after the sixteenth only four are left.
        assert_eq!(monitor.advance(at(1_049), &config, 1), None);
        let ended = FloodChange::Ended { began: at(300), at: at(1_050), alerts: 20 };
        assert_eq!(monitor.advance(at(2_000), &config, 1), Some(ended));
        assert_eq!(monitor.since(), None);
    }

    #[test]
    fn two_operators_bear_twice_as_many() {
        let config = FloodConfig::default();
        let mut monitor = FloodMonitor::default();
        let began = (0..21).map(|n| monitor.fired(&id(n), at(0), &config, 2));
        assert_eq!(began.flatten().count(), 1);
        assert_eq!(monitor.recent.len(), 21);
    }

    #[test]
    fn a_flood_that_was_taken_up_ends_also_when_nothing_is_left_of_it() {
        let config = FloodConfig::default();
        let mut monitor = FloodMonitor::default();
        monitor.resume(at(0), 50);
        let ended = FloodChange::Ended { began: at(0), at: at(900), alerts: 50 };
        assert_eq!(monitor.advance(at(900), &config, 1), Some(ended));
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        assert_eq!(FloodConfig::default().problem(), None);
        let with = |change: fn(&mut FloodConfig)| {
            let mut config = FloodConfig::default();
            change(&mut config);
            config.problem().is_some()
        };
        assert!(with(|c| c.more_than = 0) && with(|c| c.below = 11) && with(|c| c.below = 0));
        assert!(with(|c| c.window = Span::from_secs(59)));
        assert!(with(|c| c.operators.extend([("works".to_owned(), 0)])));
    }

    proptest! {
        #[test]
        fn it_is_as_if_all_alerts_were_remembered(
            gaps in prop::collection::vec(0i64..200, 0..200), operators in 1u32..3,
        ) {
            let config = FloodConfig::default();
            let mut monitor = FloodMonitor::default();
            let mut all: Vec<i64> = Vec::new();
            let mut flood = false;
            let mut now = 0;
            for gap in gaps {
                // Every second is looked at, so that the model needs no cleverness.
                for second in now..=now + gap {
                    monitor.advance(at(second), &config, operators);
                    let count = all.iter().filter(|fired| second - **fired < 600).count();
                    if count < 5 * operators as usize {
                        flood = false;
                    }
                }
                now += gap;
                monitor.fired(&id(all.len()), at(now), &config, operators);
                all.push(now);
                let count = all.iter().filter(|fired| now - **fired < 600).count();
                flood |= count > 10 * operators as usize;
                prop_assert_eq!(monitor.since().is_some(), flood, "at {}", now);
                prop_assert!(monitor.recent.len() <= 10 * operators as usize + 1);
            }
        }
    }
}
