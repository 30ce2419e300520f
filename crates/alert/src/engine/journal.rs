//! What the evaluator was given since its state was saved: enough to lead it to the same state
//! again, for the readings themselves are in the store.

use std::collections::VecDeque;

use city_model::Timestamp;
use serde::{Deserialize, Serialize};

/// Something that the evaluator was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Input {
    /// All commits up to this one.
    Commits(u64),
    /// The clock went on to this time.
    Clock(Timestamp),
    /// Devices were registered, so that all keys below this one were in use, at this time.
    Devices(u32, Timestamp),
}

/// The inputs that are not written yet. Each has a place, counted from the start of the process.
#[derive(Debug, Default)]
pub(super) struct Journal {
    inputs: Vec<Input>,
    /// The place of the first of them.
    first: u64,
    /// Inputs before this place stay as they are.
    sealed: u64,
}

impl Journal {
    /// Notes an input. Two of a kind in a row are one: clocks and commits only go forward, and how
    /// often the clock was looked at changes nothing.
    pub(super) fn note(&mut self, input: Input) {
        let end = self.end();
        if let Some(last) = self.inputs.last_mut().filter(|_| end > self.sealed) {
            match (last, input) {
                (Input::Commits(upto), Input::Commits(seq)) => return *upto = seq.max(*upto),
                (Input::Clock(at), Input::Clock(now)) => return *at = now.max(*at),
                _ => {}
            }
        }
        self.inputs.push(input);
    }

    /// The place of the next input. What was noted before is not touched any more: it belongs to a
    /// state that is being saved.
    pub(super) fn seal(&mut self) -> u64 {
        self.sealed = self.end();
        self.sealed
    }

    /// The inputs with the place of the first.
    pub(super) fn unwritten(&self) -> (u64, &[Input]) {
        (self.first, &self.inputs)
    }

    /// Drops the inputs before a place: they are written, or a saved state knows of them.
    pub(super) fn drop_before(&mut self, place: u64) {
        let known = place.saturating_sub(self.first).min(self.inputs.len() as u64);
        self.inputs.drain(..known as usize);
        self.first += known;
    }

    pub(super) fn end(&self) -> u64 {
        self.first + self.inputs.len() as u64
    }
}

/// What to give the evaluator next after a restart.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// This first.
    Give(Input),
    /// The commit: it was evaluated before.
    Again,
    /// The commit: it was not evaluated before, or nobody heard of it.
    New,
}

/// Inputs that were written and are given again.
#[derive(Debug)]
pub(super) struct Script(pub(super) VecDeque<Input>);

impl Script {
    /// What to give before or with commit `seq`; called until it is its turn.
    pub(super) fn next(&mut self, seq: u64) -> Next {
        while let Some(input) = self.0.front().copied() {
            match input {
                Input::Commits(upto) if seq <= upto => return Next::Again,
                Input::Commits(_) => _ = self.0.pop_front(),
                other => {
                    self.0.pop_front();
                    return Next::Give(other);
                }
            }
        }
        Next::New
    }

    /// What is left after the last commit.
    pub(super) fn rest(&mut self) -> impl Iterator<Item = Input> {
        self.0.drain(..).filter(|input| !matches!(input, Input::Commits(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(seconds)
    }

    #[test]
    fn inputs_of_a_kind_in_a_row_are_one_except_across_a_saved_state() {
        let mut journal = Journal::default();
        for input in
            [Input::Commits(1), Input::Commits(2), Input::Clock(at(1)), Input::Clock(at(2))]
        {
            journal.note(input);
        }
        assert_eq!(journal.unwritten(), (0, &[Input::Commits(2), Input::Clock(at(2))][..]));
        let place = journal.seal();
        journal.note(Input::Clock(at(3)));
        assert_eq!(journal.unwritten().1.len(), 3, "what the saved state knows stays apart");
        journal.drop_before(place);
        assert_eq!(journal.unwritten(), (2, &[Input::Clock(at(3))][..]));
        journal.drop_before(place);
        assert_eq!(journal.end(), 3, "nothing is dropped twice");
    }

    #[test]
    fn a_script_leads_up_to_each_commit_and_says_when_it_is_over() {
        let inputs =
            [Input::Clock(at(1)), Input::Commits(5), Input::Clock(at(2)), Input::Commits(7)];
        let mut script = Script(inputs.into());
        assert_eq!(script.next(5), Next::Give(Input::Clock(at(1))));
        assert_eq!(script.next(5), Next::Again);
        // Commit 6 held no readings: nobody heard of it.
        assert_eq!(script.next(7), Next::Give(Input::Clock(at(2))));
        assert_eq!(script.next(7), Next::Again);
        assert_eq!(script.next(8), Next::New);
        let mut script = Script([Input::Commits(5), Input::Clock(at(2))].into());
        assert_eq!(script.rest().collect::<Vec<_>>(), [Input::Clock(at(2))]);
    }
}
