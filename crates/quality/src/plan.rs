//! Which checks run on which devices: those of the metric, changed for kinds of device.
//!
//! ```toml
//! [quality.pm25]
//! spike = { suspect = 50, fail = 200 }       # all devices that measure PM2.5
//! flat_line = { suspect_after = "2h" }
//! [quality.pm25.kinds.low_cost_sensor]
//! spike = { suspect = 120 }                  # this replaces the whole check for this kind
//! flat_line = false                          # and this turns it off
//!
//! [location]                                 # positions that messages carry
//! max_speed_m_s = 70
//! [location.kinds.bus]
//! max_speed_m_s = 30
//! [location.kinds.air_station]
//! fixed_within_m = 150                       # of where the registry has a device that stands still
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use city_model::Span;
use serde::de::value::MapAccessDeserializer;
use serde::{Deserialize, Deserializer, de};

use crate::{
    CheckConfig, ConfigProblem, FlatLine, GrossRange, LocationConfig, RateOfChange, Spike,
};

/// The checks of one metric, with what is different for kinds of device.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricChecks {
    /// What is physically possible and what is usual.
    pub gross_range: Option<GrossRange>,
    /// Values that stand out from their neighbours.
    pub spike: Option<Spike>,
    /// Values that change too fast.
    pub rate_of_change: Option<RateOfChange>,
    /// Values that stay the same too long.
    pub flat_line: Option<FlatLine>,
    /// Whether a bad position makes the reading as bad; yes if not given.
    pub location: Option<bool>,
    /// After a longer silence in event time the history is forgotten. Never if not given.
    pub max_gap: Option<Span>,
    /// What is different for kinds of device, by the kind's id.
    pub kinds: BTreeMap<String, KindChecks>,
}

/// What is different for a kind of device: each check that is named here replaces the metric's.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KindChecks {
    /// Instead of the metric's, or none. The metric's physical range stays where it gives none.
    pub gross_range: Option<Instead<GrossRange>>,
    /// Instead of the metric's, or none.
    pub spike: Option<Instead<Spike>>,
    /// Instead of the metric's, or none.
    pub rate_of_change: Option<Instead<RateOfChange>>,
    /// Instead of the metric's, or none.
    pub flat_line: Option<Instead<FlatLine>>,
    /// Whether a bad position makes the reading as bad.
    pub location: Option<bool>,
    /// After a longer silence in event time the history is forgotten.
    pub max_gap: Option<Instead<Span>>,
}

/// What stands instead of what the metric says: `false` for nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Instead<T> {
    /// The check does not run.
    Off,
    /// These limits.
    Limits(T),
}

impl<T: Clone> Instead<T> {
    fn over(instead: Option<&Self>, metric: Option<&T>) -> Option<T> {
        match instead {
            Some(Self::Off) => None,
            Some(Self::Limits(limits)) => Some(limits.clone()),
            None => metric.cloned(),
        }
    }
}

impl MetricChecks {
    /// The checks of devices of this kind.
    pub fn of(&self, kind: &str) -> CheckConfig {
        self.with(self.kinds.get(kind))
    }

    /// The checks of devices whose kind has nothing of its own.
    pub fn of_all(&self) -> CheckConfig {
        self.with(None)
    }

    fn with(&self, kind: Option<&KindChecks>) -> CheckConfig {
        let none = KindChecks::default();
        let kind = kind.unwrap_or(&none);
        CheckConfig {
            gross_range: Instead::over(kind.gross_range.as_ref(), self.gross_range.as_ref()),
            spike: Instead::over(kind.spike.as_ref(), self.spike.as_ref()),
            rate_of_change: Instead::over(
                kind.rate_of_change.as_ref(),
                self.rate_of_change.as_ref(),
            ),
            flat_line: Instead::over(kind.flat_line.as_ref(), self.flat_line.as_ref()),
            location: kind.location.or(self.location).unwrap_or(true),
            max_gap: Instead::over(kind.max_gap.as_ref(), self.max_gap.as_ref()),
        }
    }
}

/// Limits for the positions that messages carry.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LocationChecks {
    /// Faster than this a device does not move, in metres per second; 70 if not given.
    pub max_speed_m_s: Option<f64>,
    /// How far apart two fixes of one place may lie, in metres; 200 if not given.
    pub slack_m: Option<f64>,
    /// How far from its place in the registry a device that stands still may say to be, in metres;
    /// not looked at if not given.
    pub fixed_within_m: Option<f64>,
    /// What is different for kinds of device, by the kind's id.
    pub kinds: BTreeMap<String, KindLocation>,
}

/// The limits of a kind of device; those that are not given are those of all devices.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KindLocation {
    /// Faster than this it does not move, in metres per second.
    pub max_speed_m_s: Option<f64>,
    /// How far apart two fixes of one place may lie, in metres.
    pub slack_m: Option<f64>,
    /// How far from its place in the registry it may say to be, in metres.
    pub fixed_within_m: Option<f64>,
}

impl LocationChecks {
    /// The limits of devices of this kind.
    pub fn of(&self, kind: &str) -> LocationConfig {
        self.with(self.kinds.get(kind))
    }

    /// The limits of devices whose kind has none of its own.
    pub fn of_all(&self) -> LocationConfig {
        self.with(None)
    }

    /// Everything about the limits that makes no sense, with the kind whose limits they are.
    pub fn problems(&self) -> Vec<(Option<&str>, ConfigProblem)> {
        let own = KindLocation {
            max_speed_m_s: self.max_speed_m_s,
            slack_m: self.slack_m,
            fixed_within_m: self.fixed_within_m,
        };
        let kinds = self.kinds.iter().map(|(kind, limits)| (Some(kind.as_str()), limits));
        std::iter::once((None, &own))
            .chain(kinds)
            .flat_map(|(kind, limits)| limits.problems().map(move |problem| (kind, problem)))
            .collect()
    }

    fn with(&self, kind: Option<&KindLocation>) -> LocationConfig {
        let usual = LocationConfig::default();
        let of = |limit: fn(&KindLocation) -> Option<f64>| kind.and_then(limit);
        LocationConfig {
            max_speed_m_s: of(|kind| kind.max_speed_m_s)
                .or(self.max_speed_m_s)
                .unwrap_or(usual.max_speed_m_s),
            slack_m: of(|kind| kind.slack_m).or(self.slack_m).unwrap_or(usual.slack_m),
            fixed_within_m: of(|kind| kind.fixed_within_m).or(self.fixed_within_m),
        }
    }
}

impl KindLocation {
    fn problems(&self) -> impl Iterator<Item = ConfigProblem> + use<> {
        let positive = |limit: f64| limit > 0.0 && limit.is_finite();
        let not_negative = |limit: f64| limit >= 0.0 && limit.is_finite();
        let speed = self.max_speed_m_s.is_some_and(|limit| !positive(limit));
        let slack = self.slack_m.is_some_and(|limit| !not_negative(limit));
        let within = self.fixed_within_m.is_some_and(|limit| !positive(limit));
        [
            speed.then_some(ConfigProblem::NotPositive("max_speed_m_s")),
            slack.then_some(ConfigProblem::Negative("slack_m")),
            within.then_some(ConfigProblem::NotPositive("fixed_within_m")),
        ]
        .into_iter()
        .flatten()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Instead<T> {
    // By hand, because an untagged enum would not name an unknown key of the limits.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(InsteadVisitor(PhantomData))
    }
}

struct InsteadVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> de::Visitor<'de> for InsteadVisitor<T> {
    type Value = Instead<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("limits, or false for no check")
    }

    fn visit_bool<E: de::Error>(self, on: bool) -> Result<Self::Value, E> {
        if on {
            return Err(E::custom("write the limits; `true` says nothing, `false` turns it off"));
        }
        Ok(Instead::Off)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        T::deserialize(de::value::StrDeserializer::new(text)).map(Instead::Limits)
    }

    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Instead::Limits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PM25: &str = r#"
        spike = { suspect = 50, fail = 200 }
        flat_line = { suspect_after = "2h" }
        max_gap = "1h"
        [kinds.cheap]
        spike = { suspect = 120 }
        flat_line = false
        location = false
        max_gap = false
        [kinds.reference]
        rate_of_change = { fail_per_s = 2 }
        max_gap = "1d"
    "#;

    #[test]
    fn what_a_kind_names_replaces_what_the_metric_says() {
        let checks: MetricChecks = toml::from_str(PM25).expect("valid");
        let all = checks.of_all();
        assert_eq!(checks.of("anything"), all);
        assert!(all.location && all.flat_line.is_some());

        let cheap = checks.of("cheap");
        assert_eq!(cheap.spike, Some(Spike { suspect: Some(120.0), fail: None }));
        assert_eq!((cheap.flat_line, cheap.location, cheap.max_gap), (None, false, None));

        let reference = checks.of("reference");
        assert_eq!((&reference.spike, &reference.flat_line), (&all.spike, &all.flat_line));
        assert_eq!(reference.max_gap, Some(Span::from_hours(24)));
        assert!(reference.rate_of_change.is_some() && all.rate_of_change.is_none());
    }

    #[test]
    fn unknown_keys_are_named_in_kinds_too() {
        for (text, expected) in [
            ("[kinds.a]\nspikes = false", "spikes"),
            ("[kinds.a]\nspike = { warn = 1 }", "warn"),
            ("[kinds.a]\nspike = true", "turns it off"),
            ("[kinds.a]\nspike = 3", "limits, or false"),
            ("[kinds.a]\nmax_gap = \"soon\"", "soon"),
            ("kind = 1", "kind"),
        ] {
            let error = toml::from_str::<MetricChecks>(text).expect_err(text).to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn limits_of_positions_are_those_of_all_where_a_kind_gives_none() {
        let checks: LocationChecks = toml::from_str(
            "max_speed_m_s = 50\n[kinds.bus]\nslack_m = 30\n[kinds.air]\nfixed_within_m = 150",
        )
        .expect("valid");
        let bus = checks.of("bus");
        assert_eq!((bus.max_speed_m_s, bus.slack_m, bus.fixed_within_m), (50.0, 30.0, None));
        assert_eq!(checks.of("air").fixed_within_m, Some(150.0));
        assert_eq!(LocationChecks::default().of("x"), LocationConfig::default());
        assert_eq!(checks.problems(), []);
    }

    #[test]
    fn limits_that_make_no_sense_are_reported_with_their_kind() {
        let checks: LocationChecks =
            toml::from_str("max_speed_m_s = 0\n[kinds.bus]\nslack_m = -1\nfixed_within_m = nan")
                .expect("the right shape");
        assert_eq!(
            checks.problems(),
            [
                (None, ConfigProblem::NotPositive("max_speed_m_s")),
                (Some("bus"), ConfigProblem::Negative("slack_m")),
                (Some("bus"), ConfigProblem::NotPositive("fixed_within_m")),
            ]
        );
    }
}
