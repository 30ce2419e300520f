//! Who takes care of an alert, under virtual time: unassigned → assigned → accepted → handed over →
//! accepted …, each step with a deadline. A deadline that is missed escalates, once.
//!
//! Like the alert's own machine it has no clock: acts come with their time, and
//! [`Handling::advance`] must be called at every [`Handling::next_deadline`].

use city_model::{Span, Timestamp};
use serde::{Deserialize, Serialize};

/// The furthest deadline.
pub const LONGEST_DEADLINE: Span = Span::from_hours(30 * 24);
/// An alert can be handed over so many times.
pub const MOST_STEPS: u32 = 20;

/// Who is to do what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Stage {
    /// Nobody takes care of it.
    #[default]
    Unassigned,
    /// Somebody was asked, and must accept in time.
    Assigned {
        /// Who.
        who: String,
        /// Until when.
        until: Timestamp,
    },
    /// Somebody takes care of it.
    Accepted {
        /// Who.
        who: String,
        /// Until when it should be over or handed on; open if missing.
        until: Option<Timestamp>,
    },
    /// Another department was asked, and somebody there must accept in time.
    HandedOver {
        /// Which.
        department: String,
        /// Until when.
        until: Timestamp,
    },
}

/// What people do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Ask somebody.
    Assign {
        /// Whom.
        who: String,
        /// Until when they must accept.
        until: Timestamp,
    },
    /// Take care of it.
    Accept {
        /// Who does.
        who: String,
        /// Until when it will be over or handed on, if they say so.
        until: Option<Timestamp>,
    },
    /// Ask another department.
    HandOver {
        /// Who asks.
        by: String,
        /// Which.
        department: String,
        /// Until when they must accept.
        until: Timestamp,
    },
    /// Give it back to whoever it came from.
    Return {
        /// Who gives it back.
        by: String,
        /// Until when they must accept it.
        until: Timestamp,
    },
}

/// Why something cannot be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It has ended.
    #[error("the alert has ended")]
    Closed,
    /// The deadline is past, or too far.
    #[error("the deadline must be in the next 30 days")]
    Deadline,
    /// Somebody else was asked or takes care of it.
    #[error("it is {0}'s")]
    NotYours(String),
    /// They do so already.
    #[error("it is accepted already")]
    Accepted,
    /// The department that was asked has not accepted it.
    #[error("{0} has not accepted it")]
    NotAccepted(String),
    /// It came from nobody.
    #[error("it came from nobody")]
    FromNobody,
    /// It was handed over too many times.
    #[error("it was handed over {MOST_STEPS} times")]
    TooManySteps,
}

/// How an alert is taken care of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handling {
    /// Who is to do what.
    #[serde(flatten)]
    stage: Stage,
    /// Who handed it over, first first: to the last of them it can be returned.
    givers: Vec<String>,
    /// The departments that it was handed over to, first first, without those that gave it back.
    #[serde(default)]
    departments: Vec<String>,
    /// How many times it was handed over.
    step: u32,
    /// Whether the deadline of the present stage was missed.
    missed: bool,
    /// How many deadlines were missed in all.
    overdue: u32,
    /// Whether the alert has ended, so that there are no deadlines any more.
    closed: bool,
}

impl Handling {
    /// Who is to do what.
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// How many times it was handed over.
    pub fn step(&self) -> u32 {
        self.step
    }

    /// To whom it can be returned.
    pub fn giver(&self) -> Option<&str> {
        self.givers.last().map(String::as_str)
    }

    /// The department that was asked and has not answered yet.
    pub fn asked(&self) -> Option<&str> {
        match &self.stage {
            Stage::HandedOver { department, .. } => Some(department),
            _ => None,
        }
    }

    /// The department that has it: the last one where somebody has accepted it; `None` for that of
    /// the rule.
    pub fn holder(&self) -> Option<&str> {
        let asked = usize::from(self.asked().is_some());
        let accepted = self.departments.len().checked_sub(asked + 1)?;
        self.departments.get(accepted).map(String::as_str)
    }

    /// Whether the deadline of the present stage was missed.
    pub fn is_overdue(&self) -> bool {
        self.missed
    }

    /// How many deadlines were missed in all.
    pub fn overdue(&self) -> u32 {
        self.overdue
    }

    /// Who must act: a person or a department; `None` if nobody must.
    pub fn due_from(&self) -> Option<&str> {
        match &self.stage {
            Stage::Unassigned => None,
            Stage::Assigned { who, .. } | Stage::Accepted { who, .. } => Some(who),
            Stage::HandedOver { department, .. } => Some(department),
        }
    }

    /// The deadline of the present stage, missed or not.
    pub fn until(&self) -> Option<Timestamp> {
        match &self.stage {
            Stage::Unassigned => None,
            Stage::Accepted { until, .. } => *until,
            Stage::Assigned { until, .. } | Stage::HandedOver { until, .. } => Some(*until),
        }
    }

    /// When [`Handling::advance`] has something to do next.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.until().filter(|_| !self.missed && !self.closed)
    }

    /// Does what somebody wants. Deadlines up to `now` must have been served by
    /// [`Handling::advance`].
    pub fn act(&mut self, now: Timestamp, act: Act) -> Result<(), Refusal> {
        if self.closed {
            return Err(Refusal::Closed);
        }
        let deadline = match &act {
            Act::Accept { until, .. } => *until,
            Act::Assign { until, .. } | Act::HandOver { until, .. } | Act::Return { until, .. } => {
                Some(*until)
            }
        };
        if deadline.is_some_and(|until| until <= now || until.since(now) > LONGEST_DEADLINE) {
            return Err(Refusal::Deadline);
        }
        self.stage = match act {
            Act::Assign { who, until } => Stage::Assigned { who, until },
            Act::Accept { who, until } => {
                match &self.stage {
                    Stage::Accepted { who: other, .. } if *other == who => {
                        return Err(Refusal::Accepted);
                    }
                    Stage::Assigned { who: other, .. } | Stage::Accepted { who: other, .. }
                        if *other != who =>
                    {
                        return Err(Refusal::NotYours(other.clone()));
                    }
                    _ => {}
                }
                Stage::Accepted { who, until }
            }
            Act::HandOver { by, department, until } => {
                self.must_be_of(&by)?;
                if self.step == MOST_STEPS {
                    return Err(Refusal::TooManySteps);
                }
                self.step += 1;
                self.givers.push(by);
                self.departments.push(department.clone());
                Stage::HandedOver { department, until }
            }
            Act::Return { by, until } => {
                if !matches!(self.stage, Stage::HandedOver { .. }) {
                    self.must_be_of(&by)?;
                }
                match (self.givers.pop(), &self.stage) {
                    (Some(who), _) => {
                        self.departments.pop();
                        Stage::Assigned { who, until }
                    }
                    (None, Stage::Assigned { .. } | Stage::Accepted { .. }) => Stage::Unassigned,
                    (None, _) => return Err(Refusal::FromNobody),
                }
            }
        };
        self.missed = false;
        Ok(())
    }

    fn must_be_of(&self, by: &str) -> Result<(), Refusal> {
        match &self.stage {
            Stage::Assigned { who, .. } | Stage::Accepted { who, .. } if who != by => {
                Err(Refusal::NotYours(who.clone()))
            }
            Stage::HandedOver { department, .. } => Err(Refusal::NotAccepted(department.clone())),
            _ => Ok(()),
        }
    }

    /// Serves the deadline if it has passed by `now`; `true` if it was missed just so.
    pub fn advance(&mut self, now: Timestamp) -> bool {
        let missed = self.next_deadline().is_some_and(|until| until <= now);
        if missed {
            self.missed = true;
            self.overdue += 1;
        }
        missed
    }

    /// The alert has ended: nothing is due any more.
    pub fn close(&mut self) {
        self.closed = true;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_secs(1_790_000_000) + Span::from_mins(minutes)
    }

    fn assign(who: &str, until: i64) -> Act {
        Act::Assign { who: who.to_owned(), until: at(until) }
    }

    fn accept(who: &str, until: Option<i64>) -> Act {
        Act::Accept { who: who.to_owned(), until: until.map(at) }
    }

    fn hand_over(by: &str, department: &str, until: i64) -> Act {
        Act::HandOver { by: by.to_owned(), department: department.to_owned(), until: at(until) }
    }

    fn give_back(by: &str, until: i64) -> Act {
        Act::Return { by: by.to_owned(), until: at(until) }
    }

    #[test]
    fn it_goes_from_hand_to_hand_and_back() {
        let mut handling = Handling::default();
        assert_eq!((handling.next_deadline(), handling.due_from()), (None, None));
        handling.act(at(0), assign("ada", 10)).expect("assigned");
        assert_eq!(handling.act(at(1), accept("bob", None)), Err(Refusal::NotYours("ada".into())));
        handling.act(at(1), accept("ada", Some(60))).expect("accepted");
        assert_eq!(handling.act(at(2), accept("ada", None)), Err(Refusal::Accepted));
        handling.act(at(5), hand_over("ada", "works", 30)).expect("handed over");
        assert_eq!((handling.step(), handling.due_from()), (1, Some("works")));
        let early = handling.act(at(6), hand_over("ada", "water", 30));
        assert_eq!(early, Err(Refusal::NotAccepted("works".into())));
        assert_eq!((handling.holder(), handling.asked()), (None, Some("works")));
        handling.act(at(7), accept("wim", None)).expect("accepted");
        assert_eq!((handling.holder(), handling.asked()), (Some("works"), None));
        assert_eq!(handling.next_deadline(), None, "they said no time");
        handling.act(at(8), hand_over("wim", "water", 30)).expect("handed over");
        assert_eq!((handling.step(), handling.giver()), (2, Some("wim")));
        assert_eq!((handling.holder(), handling.asked()), (Some("works"), Some("water")));
        handling.act(at(9), give_back("anybody there", 30)).expect("returned");
        assert_eq!(handling.stage(), &Stage::Assigned { who: "wim".into(), until: at(30) });
        handling.act(at(10), give_back("wim", 40)).expect("returned");
        assert_eq!((handling.due_from(), handling.holder()), (Some("ada"), None));
        handling.act(at(11), give_back("ada", 50)).expect("declined");
        assert_eq!(handling.stage(), &Stage::Unassigned);
        assert_eq!(handling.act(at(12), give_back("ada", 50)), Err(Refusal::FromNobody));
    }

    #[test]
    fn a_missed_deadline_is_noticed_once_and_a_new_step_has_a_new_one() {
        let mut handling = Handling::default();
        handling.act(at(0), assign("ada", 10)).expect("assigned");
        assert!(!handling.advance(at(9)) && handling.advance(at(10)) && !handling.advance(at(11)));
        assert_eq!((handling.overdue(), handling.next_deadline()), (1, None));
        handling.act(at(12), accept("ada", Some(20))).expect("late, but accepted");
        assert!(!handling.is_overdue() && handling.advance(at(99)));
        assert_eq!(handling.overdue(), 2);
        handling.act(at(100), hand_over("ada", "works", 110)).expect("handed over");
        handling.close();
        assert_eq!((handling.next_deadline(), handling.advance(at(999))), (None, false));
        assert_eq!(handling.act(at(999), accept("wim", None)), Err(Refusal::Closed));
    }

    #[test]
    fn deadlines_are_ahead_but_not_too_far() {
        let mut handling = Handling::default();
        let far = 30 * 24 * 60;
        for until in [-1, 0, far + 1] {
            assert_eq!(handling.act(at(0), assign("ada", until)), Err(Refusal::Deadline));
            assert_eq!(handling.act(at(0), accept("ada", Some(until))), Err(Refusal::Deadline));
        }
        assert_eq!(handling, Handling::default(), "what is refused changes nothing");
        handling.act(at(0), assign("ada", far)).expect("far");
    }

    #[test]
    fn it_is_not_handed_over_for_ever() {
        let mut handling = Handling::default();
        for _ in 0..MOST_STEPS {
            handling.act(at(0), hand_over("ada", "works", 10)).expect("handed over");
            handling.act(at(0), accept("ada", None)).expect("accepted");
        }
        let once_more = handling.act(at(0), hand_over("ada", "works", 10));
        assert_eq!(once_more, Err(Refusal::TooManySteps));
    }

    /// Who does what after how many minutes, with a deadline so many minutes ahead.
    fn acts() -> impl Strategy<Value = Vec<(i64, u8, u8, i64)>> {
        prop::collection::vec((0i64..20, 0u8..4, 0u8..3, 0i64..30), 0..60)
    }

    fn act(kind: u8, who: u8, until: i64) -> Act {
        let who = ["ada", "bob", "wim"][usize::from(who)];
        match kind {
            0 => assign(who, until),
            1 => accept(who, (until % 2 == 0).then_some(until)),
            2 => hand_over(who, "works", until),
            _ => give_back(who, until),
        }
    }

    /// Runs acts with extra ticks; gives the times at which deadlines were missed, and the end.
    fn run(acts: &[(i64, u8, u8, i64)], ticks: &[i64]) -> (Vec<i64>, Handling) {
        let mut handling = Handling::default();
        let mut missed = Vec::new();
        let mut now = 0;
        let mut steps: Vec<(i64, Option<Act>)> = ticks.iter().map(|tick| (*tick, None)).collect();
        for (gap, kind, who, ahead) in acts {
            now += gap;
            steps.push((now, Some(act(*kind, *who, now + ahead))));
        }
        steps.sort_by_key(|(minute, act)| (*minute, act.is_some()));
        steps.push((100_000, None));
        for (minute, act) in steps {
            while let Some(due) = handling.next_deadline().filter(|due| *due <= at(minute)) {
                assert!(handling.advance(due));
                missed.push(due.since(at(0)).micros() / 60_000_000);
            }
            if let Some(act) = act {
                // What is refused is as good a test as what is not.
                let before = handling.clone();
                if handling.act(at(minute), act).is_err() {
                    assert_eq!(handling, before, "what is refused changes nothing");
                }
            }
        }
        (missed, handling)
    }

    proptest! {
        #[test]
        fn ticks_change_nothing(
            acts in acts(), ticks in prop::collection::vec(0i64..1_500, 0..50),
        ) {
            prop_assert_eq!(run(&acts, &ticks), run(&acts, &[]));
        }

        #[test]
        fn every_missed_deadline_counts_once_and_in_order(acts in acts()) {
            let (missed, handling) = run(&acts, &[]);
            prop_assert_eq!(missed.len(), handling.overdue() as usize);
            prop_assert!(missed.is_sorted());
            prop_assert!(handling.next_deadline().is_none(), "all are served at the end");
            prop_assert!(handling.step() <= MOST_STEPS);
            prop_assert!(handling.givers.len() <= handling.step() as usize);
        }

        #[test]
        fn what_is_saved_reads_back(acts in acts()) {
            let (_, handling) = run(&acts, &[]);
            let json = serde_json::to_string(&handling).expect("JSON");
            prop_assert_eq!(serde_json::from_str::<Handling>(&json).expect("reads"), handling);
        }

        #[test]
        fn whoever_hands_over_gets_it_back(acts in acts(), by in 0u8..3) {
            let (_, mut handling) = run(&acts, &[]);
            let now = 100_001;
            let giver = ["ada", "bob", "wim"][usize::from(by)];
            if handling.act(at(now), hand_over(giver, "water", now + 5)).is_ok() {
                handling.act(at(now), give_back("somebody there", now + 5)).expect("returned");
                prop_assert_eq!(handling.due_from(), Some(giver));
            }
        }
    }
}
