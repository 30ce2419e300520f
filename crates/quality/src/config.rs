//! Which checks run on a metric, and their limits.

use std::cmp::Ordering;

use city_model::{Metric, Range, Span};
use serde::{Deserialize, Serialize};

/// The checks of one metric. A check without configuration does not run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CheckConfig {
    /// What is physically possible and what is usual.
    pub gross_range: Option<GrossRange>,
    /// Values that stand out from their neighbours.
    pub spike: Option<Spike>,
    /// Values that change too fast.
    pub rate_of_change: Option<RateOfChange>,
    /// Values that stay the same too long.
    pub flat_line: Option<FlatLine>,
    /// Whether a bad position makes the reading as bad; yes if not given.
    pub location: bool,
    /// After a longer silence in event time the history is forgotten, so that a device that
    /// returns is not judged by the time before. Never if not given.
    pub max_gap: Option<Span>,
}

impl Default for CheckConfig {
    fn default() -> Self {
        Self {
            gross_range: None,
            spike: None,
            rate_of_change: None,
            flat_line: None,
            location: true,
            max_gap: None,
        }
    }
}

/// Limits of the gross range check, in the metric's unit, both ends included.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrossRange {
    /// Outside of it a value fails; the metric's physical range if not given.
    pub fail: Option<Range>,
    /// Outside of it a value is suspect.
    pub suspect: Option<Range>,
}

/// Limits of the spike check, in the metric's unit, positive.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spike {
    /// Further from the reference a value is suspect.
    pub suspect: Option<f64>,
    /// Further from the reference a value fails.
    pub fail: Option<f64>,
}

/// Limits of the rate of change, in the metric's unit per second, positive.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateOfChange {
    /// Changing faster a value is suspect.
    pub suspect_per_s: Option<f64>,
    /// Changing faster a value fails.
    pub fail_per_s: Option<f64>,
}

/// Limits of the flat line check.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlatLine {
    /// Values this close to the first of a run count as equal to it, in the metric's unit.
    #[serde(default)]
    pub eps: f64,
    /// A run of this many readings is suspect; at least 2.
    pub suspect_count: Option<u32>,
    /// A run of this many readings fails; at least 2.
    pub fail_count: Option<u32>,
    /// A run that spans this much event time is suspect.
    pub suspect_after: Option<Span>,
    /// A run that spans this much event time fails.
    pub fail_after: Option<Span>,
}

/// A limit that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigProblem {
    /// A check that could never flag anything.
    #[error("`{0}` sets no limit: give one for suspect or for fail, or leave the check out")]
    NoLimit(&'static str),
    /// A limit that is not a positive, finite number.
    #[error("`{0}` must be greater than 0")]
    NotPositive(&'static str),
    /// A negative tolerance, or not a number.
    #[error("`{0}` must be 0 or greater")]
    Negative(&'static str),
    /// One reading is always equal to itself.
    #[error("`{0}` must be at least 2")]
    CountTooSmall(&'static str),
    /// The ends of a range are swapped or not finite.
    #[error("`{0}`: min must be less than max")]
    Range(&'static str),
    /// The milder limit would never be met.
    #[error("`{0}`: what fails must lie beyond what is suspect")]
    Order(&'static str),
}

impl CheckConfig {
    /// What every metric gets without configuration: the gross range check with its physical
    /// range, and the location check.
    pub fn for_metric(metric: &Metric) -> Self {
        Self::default().with_metric(metric)
    }

    /// This configuration with the metric's physical range where it gives none of its own.
    pub fn with_metric(mut self, metric: &Metric) -> Self {
        if let Some(range) = metric.range {
            self.gross_range.get_or_insert_default().fail.get_or_insert(range);
        }
        self
    }

    /// Everything about the limits that makes no sense; empty if all is well.
    pub fn problems(&self) -> Vec<ConfigProblem> {
        let mut found = Vec::new();
        if let Some(ranges) = &self.gross_range {
            ranges.problems(&mut found);
        }
        if let Some(spike) = &self.spike {
            let keys = ["spike", "spike.suspect", "spike.fail"];
            limits(keys, spike.suspect, spike.fail, &mut found);
        }
        if let Some(rate) = &self.rate_of_change {
            let keys =
                ["rate_of_change", "rate_of_change.suspect_per_s", "rate_of_change.fail_per_s"];
            limits(keys, rate.suspect_per_s, rate.fail_per_s, &mut found);
        }
        if let Some(flat) = &self.flat_line {
            flat.problems(&mut found);
        }
        if self.max_gap.is_some_and(|gap| gap <= Span::ZERO) {
            found.push(ConfigProblem::NotPositive("max_gap"));
        }
        found
    }
}

impl GrossRange {
    fn problems(&self, found: &mut Vec<ConfigProblem>) {
        let before = found.len();
        for (key, range) in [("gross_range.fail", self.fail), ("gross_range.suspect", self.suspect)]
        {
            // NaN has no order, so it is a problem too.
            let in_order = |range: Range| range.min.partial_cmp(&range.max) == Some(Ordering::Less);
            if range.is_some_and(|range| !in_order(range)) {
                found.push(ConfigProblem::Range(key));
            }
        }
        match (self.fail, self.suspect) {
            (None, None) => found.push(ConfigProblem::NoLimit("gross_range")),
            (Some(fail), Some(suspect))
                if found.len() == before && (suspect.min < fail.min || suspect.max > fail.max) =>
            {
                found.push(ConfigProblem::Order("gross_range"));
            }
            _ => {}
        }
    }
}

impl FlatLine {
    fn problems(&self, found: &mut Vec<ConfigProblem>) {
        if !(self.eps >= 0.0 && self.eps.is_finite()) {
            found.push(ConfigProblem::Negative("flat_line.eps"));
        }
        for (key, count) in [
            ("flat_line.suspect_count", self.suspect_count),
            ("flat_line.fail_count", self.fail_count),
        ] {
            if count.is_some_and(|count| count < 2) {
                found.push(ConfigProblem::CountTooSmall(key));
            }
        }
        for (key, after) in [
            ("flat_line.suspect_after", self.suspect_after),
            ("flat_line.fail_after", self.fail_after),
        ] {
            if after.is_some_and(|after| after <= Span::ZERO) {
                found.push(ConfigProblem::NotPositive(key));
            }
        }
        let counts = self.suspect_count.zip(self.fail_count).is_some_and(|(s, f)| s >= f);
        let spans = self.suspect_after.zip(self.fail_after).is_some_and(|(s, f)| s >= f);
        if counts || spans {
            found.push(ConfigProblem::Order("flat_line"));
        }
        let none = self.suspect_count.is_none() && self.fail_count.is_none();
        if none && self.suspect_after.is_none() && self.fail_after.is_none() {
            found.push(ConfigProblem::NoLimit("flat_line"));
        }
    }
}

fn limits(
    [check, suspect_key, fail_key]: [&'static str; 3],
    suspect: Option<f64>,
    fail: Option<f64>,
    found: &mut Vec<ConfigProblem>,
) {
    for (key, limit) in [(suspect_key, suspect), (fail_key, fail)] {
        if limit.is_some_and(|limit| !(limit > 0.0 && limit.is_finite())) {
            found.push(ConfigProblem::NotPositive(key));
        }
    }
    if suspect.is_none() && fail.is_none() {
        found.push(ConfigProblem::NoLimit(check));
    }
    if suspect.zip(fail).is_some_and(|(suspect, fail)| suspect >= fail) {
        found.push(ConfigProblem::Order(check));
    }
}

#[cfg(test)]
mod tests {
    use city_model::Catalogue;

    use super::*;

    const ALL: &str = r#"
        location = false
        max_gap = "6h"
        gross_range = { suspect = { min = 0, max = 500 } }
        spike = { suspect = 50, fail = 200 }
        rate_of_change = { suspect_per_s = 0.5 }
        flat_line = { eps = 0.1, suspect_count = 10, fail_after = "12h" }
    "#;

    #[test]
    fn a_file_configures_every_check() {
        let config: CheckConfig = toml::from_str(ALL).expect("valid");
        assert_eq!(config.problems(), []);
        assert!(!config.location);
        assert_eq!(
            config.flat_line.as_ref().and_then(|f| f.fail_after),
            Some(Span::from_hours(12))
        );
        let text = toml::to_string(&config).expect("writable");
        assert_eq!(toml::from_str::<CheckConfig>(&text).expect("readable"), config);
    }

    #[test]
    fn unknown_keys_are_errors_at_every_level() {
        for (text, key) in [
            ("spikes = {}", "spikes"),
            ("spike = { warn = 1 }", "warn"),
            ("flat_line = { count = 3 }", "count"),
            ("gross_range = { operator = 1 }", "operator"),
            ("rate_of_change = { suspect = 1 }", "suspect"),
        ] {
            let error = toml::from_str::<CheckConfig>(text).expect_err(text).to_string();
            assert!(error.contains(key) && error.contains("unknown field"), "{error}");
        }
    }

    #[test]
    fn the_physical_range_comes_from_the_metric_unless_the_file_has_one() {
        let catalogue = Catalogue::embedded();
        let metric = catalogue.by_id("pm25").expect("in the catalogue");
        let range = metric.range.expect("has a range");
        let plain = CheckConfig::for_metric(metric);
        assert_eq!(plain.gross_range, Some(GrossRange { fail: Some(range), suspect: None }));
        assert!(plain.spike.is_none() && plain.flat_line.is_none() && plain.location);

        let config: CheckConfig = toml::from_str(ALL).expect("valid");
        let ranges = config.with_metric(metric).gross_range.expect("set");
        assert_eq!((ranges.fail, ranges.suspect.map(|r| r.max)), (Some(range), Some(500.0)));

        let own = Range { min: 1.0, max: 2.0 };
        let config = CheckConfig {
            gross_range: Some(GrossRange { fail: Some(own), suspect: None }),
            ..CheckConfig::default()
        };
        assert_eq!(config.with_metric(metric).gross_range.expect("set").fail, Some(own));

        let unmapped = Metric { range: None, ..metric.clone() };
        assert_eq!(CheckConfig::for_metric(&unmapped), CheckConfig::default());
    }

    #[test]
    fn every_problem_is_reported_at_once() {
        use ConfigProblem::*;
        let config: CheckConfig = toml::from_str(
            r#"
            max_gap = "0s"
            gross_range = { fail = { min = 5, max = 1 } }
            spike = { suspect = 9, fail = 3 }
            rate_of_change = { suspect_per_s = -1 }
            flat_line = { eps = nan, fail_count = 1, suspect_after = "-1s" }
            "#,
        )
        .expect("the right shape");
        assert_eq!(
            config.problems(),
            [
                Range("gross_range.fail"),
                Order("spike"),
                NotPositive("rate_of_change.suspect_per_s"),
                Negative("flat_line.eps"),
                CountTooSmall("flat_line.fail_count"),
                NotPositive("flat_line.suspect_after"),
                NotPositive("max_gap"),
            ]
        );
        let empty: CheckConfig =
            toml::from_str("gross_range = {}\nspike = {}\nrate_of_change = {}\nflat_line = {}")
                .expect("the right shape");
        assert_eq!(
            empty.problems(),
            ["gross_range", "spike", "rate_of_change", "flat_line"].map(NoLimit)
        );
        let wide = GrossRange {
            fail: Some(city_model::Range { min: 0.0, max: 5.0 }),
            suspect: Some(city_model::Range { min: 1.0, max: 6.0 }),
        };
        let wide = CheckConfig { gross_range: Some(wide), ..CheckConfig::default() };
        assert_eq!(wide.problems(), [Order("gross_range")]);
    }
}
