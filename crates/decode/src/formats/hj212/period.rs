//! What statistics are about, and what they are called.

/// What a statistic is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Period {
    RealTime,
    Minute,
    Hour,
    Day,
}

impl Period {
    /// By the command (HJ 212-2017, table 5).
    pub(super) fn of(cn: &str) -> Option<Self> {
        Some(match cn {
            "2011" => Self::RealTime,
            "2051" => Self::Minute,
            "2061" => Self::Hour,
            "2031" => Self::Day,
            _ => return None,
        })
    }

    pub(super) const fn suffix(self) -> &'static str {
        match self {
            Self::RealTime => "",
            Self::Minute => "_minute",
            Self::Hour => "_hour",
            Self::Day => "_day",
        }
    }
}

/// What a statistic is called; `None` if it is none of the standard's.
pub(super) fn statistic_name(statistic: &str) -> Option<&'static str> {
    Some(match statistic {
        "Rtd" => "rtd",
        "Avg" => "avg",
        "Min" => "min",
        "Max" => "max",
        "Cou" => "sum",
        _ => return None,
    })
}
