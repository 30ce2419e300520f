//! What a codec says beside its values, told in the log without flooding it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::Report;

/// How long the log is silent about the same thing.
const SILENCE: Duration = Duration::from_hours(1);

/// How many names of values are told apart; a script can make up any number.
const MOST_NAMES: usize = 50;

/// Stands for the names beyond those.
const OTHERS: &str = "(others)";

/// What one codec has said. Times count from any fixed moment.
#[derive(Debug, Default)]
pub(crate) struct Remarks {
    not_finite: BTreeMap<String, Tally>,
    warnings: Tally,
}

/// How often something happened since it was last told.
#[derive(Debug, Default)]
struct Tally {
    count: u64,
    told: Option<Duration>,
}

impl Tally {
    /// How often it happened, if that is to be told now.
    fn add(&mut self, more: usize, now: Duration) -> Option<u64> {
        self.count += more as u64;
        let silent = self.told.is_some_and(|told| now.saturating_sub(told) < SILENCE);
        if silent {
            return None;
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.count))
    }
}

impl Remarks {
    /// Tells what a frame's report says beside its values: each name of a value that is left out,
    /// and warnings, at once and then at most every hour.
    pub(crate) fn tell(&mut self, file: &str, device: &str, report: &Report, now: Duration) {
        for name in &report.not_finite {
            if let Some((value, count)) = self.left_out(name, now) {
                tracing::warn!(
                    codec = file,
                    device,
                    value,
                    count,
                    "a codec gave NaN or an infinite number, which is left out; the frame may be \
                     shorter than the codec expects"
                );
            }
        }
        if let Some(warning) = report.warnings.first()
            && let Some(count) = self.warnings.add(report.warnings.len(), now)
        {
            tracing::info!(codec = file, device, warning, count, "a codec warned");
        }
    }

    fn left_out<'n>(&mut self, name: &'n str, now: Duration) -> Option<(&'n str, u64)> {
        let full = self.not_finite.len() >= MOST_NAMES;
        let name = if full && !self.not_finite.contains_key(name) { OTHERS } else { name };
        let tally = match self.not_finite.get_mut(name) {
            Some(tally) => tally,
            None => self.not_finite.entry(name.to_owned()).or_default(),
        };
        tally.add(1, now).map(|count| (name, count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn the_same_name_is_told_at_once_and_then_hourly_with_its_count() {
        let mut remarks = Remarks::default();
        assert_eq!(remarks.left_out("t", at(5)), Some(("t", 1)));
        for second in 6..3605 {
            assert_eq!(remarks.left_out("t", at(second)), None);
        }
        assert_eq!(remarks.left_out("h", at(100)), Some(("h", 1)), "another name");
        assert_eq!(remarks.left_out("t", at(3605)), Some(("t", 3600)));
        assert_eq!(remarks.left_out("t", at(3606)), None);
    }

    #[test]
    fn any_number_of_names_makes_few_lines() {
        let mut remarks = Remarks::default();
        let told = (0..10_000).filter(|n| remarks.left_out(&format!("n{n}"), at(1)).is_some());
        assert_eq!(told.count(), MOST_NAMES + 1);
        assert_eq!(remarks.left_out("new", at(3601)), Some((OTHERS, 9_950)));
    }
}
