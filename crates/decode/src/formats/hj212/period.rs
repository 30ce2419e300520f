//! What statistics are about, and what they are called.

/// What a statistic is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Period {
    RealTime,
    /// A noise measurement of its own, of whatever length.
    Single,
    Minute,
    /// The temperature of a furnace.
    FiveMinutes,
    Hour,
    Day,
}

impl Period {
    /// By the command (HJ 212-2017, table 9; 2052 and 2111 are of HJ 212-2025).
    pub(super) fn of(cn: &str) -> Option<Self> {
        Some(match cn {
            "2011" => Self::RealTime,
            "2052" => Self::Single,
            "2051" => Self::Minute,
            "2111" => Self::FiveMinutes,
            "2061" => Self::Hour,
            "2031" => Self::Day,
            _ => return None,
        })
    }

    pub(super) const fn suffix(self) -> &'static str {
        match self {
            Self::RealTime | Self::Single => "",
            Self::Minute => "_minute",
            Self::FiveMinutes => "_five_minutes",
            Self::Hour => "_hour",
            Self::Day => "_day",
        }
    }

    /// Whether a value of this period is the plain one, where statistics of `plain` are.
    pub(super) fn is_plain(self, statistic: &str, plain: Self) -> bool {
        match self {
            Self::RealTime => statistic == "Rtd",
            Self::Single => matches!(statistic, "Rtd" | "Data"),
            period => matches!(statistic, "Avg" | "Data") && period == plain,
        }
    }
}

/// What a statistic is called; `None` if it is none of the standard's (HJ 212-2017, table 9).
///
/// Noise has one value for each period, `Data`: that is what an average is elsewhere.
pub(super) fn statistic_name(statistic: &str) -> Option<&'static str> {
    Some(match statistic {
        "Rtd" => "rtd",
        "Avg" | "Data" => "avg",
        "RawAvg" => "raw_avg",
        "Min" => "min",
        "Max" => "max",
        "Cou" => "sum",
        "DayData" => "daytime",
        "NightData" => "nighttime",
        _ => return None,
    })
}

/// Whether a statistic's name says its period already, whatever the command's is.
pub(super) fn has_own_period(statistic: &str) -> bool {
    matches!(statistic, "DayData" | "NightData")
}
