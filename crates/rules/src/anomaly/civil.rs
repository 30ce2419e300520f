//! Hour of day and kind of day.

use city_model::{Span, Timestamp};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

/// What the seasons need of a local time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Civil {
    /// 0 to 23.
    pub(super) hour: usize,
    /// How much of the hour is over, from 0 up to 1.
    pub(super) part: f32,
    /// Saturday or Sunday.
    pub(super) weekend: bool,
}

impl Civil {
    /// The local time where clocks are ahead of UTC by `offset`.
    pub(super) fn of(time: Timestamp, offset: Span) -> Self {
        let secs = time.micros().saturating_add(offset.micros()).div_euclid(1_000_000);
        let in_day = secs.rem_euclid(DAY);
        // 1970-01-01 was a Thursday: day 0 of a week that begins on Monday is three days before.
        let weekday = (secs.div_euclid(DAY) + 3).rem_euclid(7);
        Self {
            hour: (in_day / HOUR) as usize,
            part: (in_day % HOUR) as f32 / HOUR as f32,
            weekend: weekday >= 5,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_time_knows_hours_and_weekends() {
        // 2026-11-27T22:30:00Z, a Friday.
        let friday = Timestamp::from_secs(1_795_818_600);
        assert_eq!(Civil::of(friday, Span::ZERO), Civil { hour: 22, part: 0.5, weekend: false });
        let shanghai = Civil::of(friday, Span::from_secs(8 * 3_600));
        assert_eq!(shanghai, Civil { hour: 6, part: 0.5, weekend: true });
        let chicago = Civil::of(friday, Span::from_secs(-6 * 3_600));
        assert_eq!(chicago, Civil { hour: 16, part: 0.5, weekend: false });
    }
}
