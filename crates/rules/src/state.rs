//! The state machine of one alert under virtual time: inactive → pending → firing → recovering →
//! resolved, with one such path per severity.
//!
//! Each severity of a ladder has its own level, as if it were a rule of its own; the alert has the
//! worst severity that fires. So an alert escalates only when the worse limit has been passed for
//! its own `for`, too, and steps down only after `keep_firing_for`.
//!
//! The machine has no clock. Verdicts come with their time, and [`Machine::advance`] must be
//! called at every [`Machine::next_deadline`]: then the same input gives the same changes, however
//! often it is called in between. Nothing but a verdict can clear a level: silence never does.

use city_model::{AlertEventKind, Severity, Span, Timestamp};
use serde::{Deserialize, Serialize};

use crate::ladder::Verdict;

/// The waiting times of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// How long a limit must be passed before its severity fires (`for`), by severity.
    pub hold: [Span; Severity::ALL.len()],
    /// How long a severity goes on firing after it has cleared (`keep_firing_for`).
    pub keep: Span,
}

impl Timing {
    /// How long a severity waits before it fires, and before it is over.
    fn waits(&self, severity: usize) -> (Span, Span) {
        (self.hold[severity], self.keep)
    }
}

/// The state of one severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Level {
    /// Nothing is wrong, or nothing is known.
    #[default]
    Inactive,
    /// The limit is passed, not yet for long enough.
    Pending {
        /// Since when.
        since: Timestamp,
    },
    /// It fires.
    Firing,
    /// It still fires, but a fresh reading has cleared it.
    Recovering {
        /// Since when.
        since: Timestamp,
    },
}

impl Level {
    const fn fires(self) -> bool {
        matches!(self, Self::Firing | Self::Recovering { .. })
    }

    fn deadline(self, (hold, keep): (Span, Span)) -> Option<Timestamp> {
        match self {
            Self::Pending { since } => Some(since + hold),
            Self::Recovering { since } => Some(since + keep),
            Self::Inactive | Self::Firing => None,
        }
    }

    /// The level after a verdict. The raise limit alone keeps a pending level alive, the clear
    /// limit alone ends a firing one; between the two nothing changes but that.
    fn judged(
        self,
        now: Timestamp,
        (raised, cleared): (bool, bool),
        (hold, keep): (Span, Span),
    ) -> Self {
        match self {
            Self::Inactive if raised && hold == Span::ZERO => Self::Firing,
            Self::Inactive if raised => Self::Pending { since: now },
            Self::Pending { .. } if !raised => Self::Inactive,
            Self::Firing if cleared && keep == Span::ZERO => Self::Inactive,
            Self::Firing if cleared => Self::Recovering { since: now },
            Self::Recovering { .. } if raised => Self::Firing,
            same => same,
        }
    }

    fn advanced(self, now: Timestamp, waits: (Span, Span)) -> Self {
        match (self, self.deadline(waits)) {
            (Self::Pending { .. }, Some(deadline)) if deadline <= now => Self::Firing,
            (Self::Recovering { .. }, Some(deadline)) if deadline <= now => Self::Inactive,
            (same, _) => same,
        }
    }
}

/// The state of one alert.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    levels: [Level; Severity::ALL.len()],
}

impl Machine {
    /// Whether nothing is pending and nothing fires.
    pub fn is_inactive(&self) -> bool {
        self.levels.iter().all(|level| *level == Level::Inactive)
    }

    /// The severity with which it fires, if it does.
    pub fn severity(&self) -> Option<Severity> {
        Severity::ALL.into_iter().rev().find(|severity| self.level(*severity).fires())
    }

    /// The state of one severity.
    pub fn level(&self, severity: Severity) -> Level {
        self.levels[severity as usize]
    }

    /// Takes the verdict over a fresh, trusted reading. Deadlines up to `now` must have been
    /// served by [`Machine::advance`].
    pub fn judge(
        &mut self,
        now: Timestamp,
        verdict: Verdict,
        timing: Timing,
    ) -> Option<AlertEventKind> {
        let before = self.severity();
        for (index, level) in self.levels.iter_mut().enumerate() {
            let bit = 1 << index;
            let verdict = (verdict.raised & bit != 0, verdict.cleared & bit != 0);
            *level = level.judged(now, verdict, timing.waits(index));
        }
        self.imply();
        change(before, self.severity())
    }

    /// Serves the deadlines up to `now`.
    pub fn advance(&mut self, now: Timestamp, timing: Timing) -> Option<AlertEventKind> {
        let before = self.severity();
        for (index, level) in self.levels.iter_mut().enumerate() {
            *level = level.advanced(now, timing.waits(index));
        }
        self.imply();
        change(before, self.severity())
    }

    /// While a severity fires, milder ones whose limit is passed, too, need not wait any longer: so
    /// an alert steps down to them instead of ending and coming back.
    fn imply(&mut self) {
        let mut worse_fires = false;
        for level in self.levels.iter_mut().rev() {
            if worse_fires && matches!(level, Level::Pending { .. }) {
                *level = Level::Firing;
            }
            worse_fires |= level.fires();
        }
    }

    /// Lets what is pending wait for all of its time from `now` on.
    pub fn wait_anew(&mut self, now: Timestamp) {
        for level in &mut self.levels {
            if let Level::Pending { since } = level {
                *since = now;
            }
        }
    }

    /// What fires, by severity; bit `n` stands for `Severity::ALL[n]`.
    pub fn firing(&self) -> u8 {
        let levels = self.levels.iter().enumerate();
        levels.filter(|(_, level)| level.fires()).fold(0, |all, (index, _)| all | 1 << index)
    }

    /// Whether something fires that a reading has cleared.
    pub fn is_recovering(&self) -> bool {
        self.levels.iter().any(|level| matches!(level, Level::Recovering { .. }))
    }

    /// Forgets what is pending.
    pub fn pause(&mut self) {
        for level in &mut self.levels {
            if matches!(level, Level::Pending { .. }) {
                *level = Level::Inactive;
            }
        }
    }

    /// What began after `now`, by a clock that has been set back since, begins now.
    pub fn set_back(&mut self, now: Timestamp) {
        for level in &mut self.levels {
            if let Level::Pending { since } | Level::Recovering { since } = level {
                *since = (*since).min(now);
            }
        }
    }

    /// When [`Machine::advance`] has something to do next.
    pub fn next_deadline(&self, timing: Timing) -> Option<Timestamp> {
        let levels = self.levels.iter().enumerate();
        levels.filter_map(|(index, level)| level.deadline(timing.waits(index))).min()
    }
}

fn change(before: Option<Severity>, after: Option<Severity>) -> Option<AlertEventKind> {
    match (before, after) {
        (None, Some(_)) => Some(AlertEventKind::Fired),
        (Some(_), None) => Some(AlertEventKind::Resolved),
        (Some(before), Some(after)) if after > before => Some(AlertEventKind::Escalated),
        (Some(before), Some(after)) if after < before => Some(AlertEventKind::Deescalated),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ladder::{Direction, Ladder, Step};
    use AlertEventKind::{Deescalated, Escalated, Fired, Resolved};
    use proptest::prelude::*;

    fn ladder() -> Ladder {
        let step =
            |severity, raise, clear| Step { severity, raise, clear: Some(clear), hold: None };
        Ladder {
            direction: Direction::Above,
            steps: vec![
                step(Severity::Medium, 75.0, 65.0),
                step(Severity::High, 115.0, 100.0),
                step(Severity::Critical, 150.0, 130.0),
            ],
            reaching: false,
        }
    }

    type Log = Vec<(i64, AlertEventKind, Option<Severity>)>;

    /// Runs values at seconds through a machine as the evaluator does, with extra ticks.
    fn run(readings: &[(i64, f64)], until: i64, timing: Timing, ticks: &[i64]) -> Log {
        let mut machine = Machine::default();
        let mut log = Log::new();
        let serve = |machine: &mut Machine, to: i64, log: &mut Log| {
            while let Some(at) =
                machine.next_deadline(timing).filter(|at| *at <= Timestamp::from_secs(to))
            {
                if let Some(kind) = machine.advance(at, timing) {
                    log.push((at.micros() / 1_000_000, kind, machine.severity()));
                }
            }
        };
        let mut steps: Vec<(i64, Option<f64>)> = ticks.iter().map(|at| (*at, None)).collect();
        steps.extend(readings.iter().map(|(at, value)| (*at, Some(*value))));
        steps.sort_by_key(|(at, value)| (*at, value.is_some()));
        steps.push((until, None));
        for (at, value) in steps {
            serve(&mut machine, at, &mut log);
            let Some(value) = value else { continue };
            let verdict = ladder().judge(value);
            if let Some(kind) = machine.judge(Timestamp::from_secs(at), verdict, timing) {
                log.push((at, kind, machine.severity()));
            }
        }
        log
    }

    const TIMING: Timing = Timing { hold: [Span::from_secs(30); 4], keep: Span::ZERO };

    #[test]
    fn an_alert_climbs_and_steps_down_the_ladder() {
        let readings = [(0, 80.0), (20, 160.0), (60, 125.0), (70, 90.0), (80, 70.0), (90, 60.0)];
        assert_eq!(
            run(&readings, 200, TIMING, &[]),
            [
                (30, Fired, Some(Severity::Medium)),
                (50, Escalated, Some(Severity::Critical)),
                (60, Deescalated, Some(Severity::High)),
                (70, Deescalated, Some(Severity::Medium)),
                (90, Resolved, None),
            ]
        );
    }

    #[test]
    fn each_severity_waits_for_its_own_time() {
        let hold = [0, 10, 60, 20].map(Span::from_secs);
        let timing = Timing { hold, keep: Span::ZERO };
        assert_eq!(
            run(&[(0, 160.0), (50, 140.0), (65, 60.0)], 100, timing, &[]),
            [
                (10, Fired, Some(Severity::Medium)),
                (20, Escalated, Some(Severity::Critical)),
                (65, Resolved, None),
            ]
        );
        assert_eq!(
            run(&[(0, 120.0), (61, 60.0)], 100, timing, &[])[1],
            (60, Escalated, Some(Severity::High))
        );
        // The worse one is quicker: the milder one does not wait when that is over.
        let timing = Timing { hold: [0, 100, 100, 0].map(Span::from_secs), keep: Span::ZERO };
        assert_eq!(
            run(&[(0, 160.0), (10, 90.0), (20, 60.0)], 300, timing, &[]),
            [
                (0, Fired, Some(Severity::Critical)),
                (10, Deescalated, Some(Severity::Medium)),
                (20, Resolved, None),
            ]
        );
    }

    #[test]
    fn the_recovery_limit_keeps_no_pending_alive() {
        assert_eq!(run(&[(0, 80.0), (20, 70.0), (25, 80.0)], 54, TIMING, &[]), []);
    }

    #[test]
    fn silence_resolves_nothing() {
        let log = run(&[(0, 80.0)], 1_000_000, TIMING, &[]);
        assert_eq!(log, [(30, Fired, Some(Severity::Medium))]);
    }

    #[test]
    fn an_alert_that_keeps_firing_outlives_short_recoveries() {
        let timing = Timing { hold: [Span::ZERO; 4], keep: Span::from_secs(60) };
        let readings = [(0, 80.0), (10, 50.0), (40, 80.0), (50, 50.0), (80, 70.0)];
        assert_eq!(
            run(&readings, 500, timing, &[]),
            [(0, Fired, Some(Severity::Medium)), (110, Resolved, None)]
        );
    }

    fn readings() -> impl Strategy<Value = Vec<(i64, f64)>> {
        prop::collection::vec((0i64..40, 40.0f64..200.0), 0..60).prop_map(|steps| {
            let mut at = 0;
            steps
                .into_iter()
                .map(|(gap, value)| {
                    at += gap;
                    (at, value)
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn events_alternate_and_severities_are_consistent(
            readings in readings(), hold in prop::array::uniform4(0i64..60), keep in 0i64..60,
        ) {
            let hold = hold.map(Span::from_secs);
            let timing = Timing { hold, keep: Span::from_secs(keep) };
            let mut current: Option<Severity> = None;
            for (at, kind, severity) in run(&readings, 100_000, timing, &[]) {
                match kind {
                    Fired => prop_assert!(current.is_none() && severity.is_some()),
                    Escalated => prop_assert!(severity > current && current.is_some()),
                    Deescalated => prop_assert!(severity < current && severity.is_some()),
                    Resolved => {
                        prop_assert!(current.is_some() && severity.is_none());
                        // Nothing resolves without a reading that cleared it, `keep` ago.
                        prop_assert!(readings.iter().any(|(t, v)| *t == at - keep && *v < 65.0));
                    }
                }
                current = severity;
            }
        }

        #[test]
        fn ticks_change_nothing(
            readings in readings(), hold in prop::array::uniform4(0i64..60), keep in 0i64..60,
            ticks in prop::collection::vec(0i64..2_000, 0..50),
        ) {
            let hold = hold.map(Span::from_secs);
            let timing = Timing { hold, keep: Span::from_secs(keep) };
            prop_assert_eq!(
                run(&readings, 5_000, timing, &[]),
                run(&readings, 5_000, timing, &ticks)
            );
        }
    }
}
