//! Quality flags of the IOOS QARTOD manuals.

use serde::{Deserialize, Serialize};

/// How far a reading can be trusted: the QARTOD primary flag
/// (IOOS, *Manual for the Use of Real-Time Oceanographic Data Quality Control Flags*, 2020).
///
/// Ordered by how bad it is, so that the worst of several checks is their maximum, with the one
/// exception that any verdict beats "not evaluated": use [`Quality::worst`].
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Quality {
    /// 1: all checks that ran passed.
    Pass = 1,
    /// 2: no check could run.
    #[default]
    NotEvaluated = 2,
    /// 3: high interest or suspect.
    Suspect = 3,
    /// 4: fails a critical check; not to be used for decisions.
    Fail = 4,
    /// 9: the device said that it has no value, with a placeholder.
    Missing = 9,
}

impl Quality {
    /// The number that QARTOD gives the flag.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The flag of a QARTOD number.
    pub const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::Pass,
            2 => Self::NotEvaluated,
            3 => Self::Suspect,
            4 => Self::Fail,
            9 => Self::Missing,
            _ => return None,
        })
    }

    /// The verdict of two checks together: the worse one, where "not evaluated" says nothing.
    pub fn worst(self, other: Self) -> Self {
        match (self, other) {
            (Self::NotEvaluated, verdict) | (verdict, Self::NotEvaluated) => verdict,
            (a, b) => a.max(b),
        }
    }

    /// Whether rules trust the reading unless they say otherwise: passed or not evaluated.
    pub const fn is_trusted(self) -> bool {
        matches!(self, Self::Pass | Self::NotEvaluated)
    }
}

#[cfg(test)]
mod tests {
    use super::Quality::{Fail, Missing, NotEvaluated, Pass, Suspect};

    #[test]
    fn the_worst_verdict_wins_and_not_evaluated_says_nothing() {
        assert_eq!(Pass.worst(NotEvaluated), Pass);
        assert_eq!(NotEvaluated.worst(NotEvaluated), NotEvaluated);
        assert_eq!(Suspect.worst(Fail), Fail);
        assert_eq!(Missing.worst(Fail), Missing);
    }
}
