//! Scenario files: a city's devices and what happens to them, as a person writes it in TOML.

use std::path::Path;

use serde::Deserialize;

use crate::kinds::{self, GATEWAY};
use crate::{FaultKind, IncidentKind, LocalText, SimError, Span, formats};

/// A city to simulate.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What people call the city.
    pub name: LocalText,
    /// Everything random follows from this number.
    pub seed: u64,
    /// IANA time zone of the daily patterns; without time zone data on the machine the sun's time
    /// at the city's longitude is used.
    pub time_zone: String,
    /// The zone file (GeoJSON), relative to the scenario's own file.
    pub zones: String,
    /// How many LoRaWAN gateways serve the devices that use one.
    pub lorawan_gateways: usize,
    /// How many roadside cabinets collect what sends line protocol.
    pub cabinets: usize,
    /// How many routes the buses share.
    pub bus_routes: usize,
    /// What was measured before the start.
    #[serde(default)]
    pub backfill: Option<Backfill>,
    /// The weather's means.
    #[serde(default)]
    pub climate: Climate,
    /// The devices by kind.
    pub devices: Vec<DeviceGroup>,
    /// What happens when.
    #[serde(default)]
    pub incidents: Vec<IncidentPlan>,
    /// What happens again and again, beside that.
    #[serde(default)]
    pub repeat: Vec<Repeat>,
    /// What devices do wrong, or otherwise than one expects.
    #[serde(default)]
    pub faults: Vec<FaultPlan>,
}

/// What the devices stored before the start and send first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backfill {
    /// How far back it reaches.
    pub window: Span,
    /// The time between two samples.
    pub step: Span,
}

/// Temperatures in °C.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Climate {
    /// The mean of the year.
    pub mean: f64,
    /// Half the difference between the warmest and the coldest month.
    pub season: f64,
    /// Half the difference between afternoon and night.
    pub day: f64,
}

impl Default for Climate {
    fn default() -> Self {
        Self { mean: 11.0, season: 11.0, day: 4.5 }
    }
}

/// Devices of one kind in one format.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceGroup {
    /// The kind, one of [`crate::KINDS`].
    pub kind: String,
    /// How many.
    pub count: usize,
    /// The payload format, one of [`crate::FORMATS`].
    pub format: String,
    /// How often each sends.
    pub interval: Span,
}

/// An incident that the scenario prescribes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncidentPlan {
    /// What happens.
    pub kind: IncidentKind,
    /// The name of the zone in which it happens.
    pub zone: String,
    /// When it begins, from the start of the simulation.
    pub start: Span,
    /// How long it takes to its peak.
    pub rise: Span,
    /// How long it stays there.
    pub hold: Span,
    /// How long it takes to end.
    pub fall: Span,
    /// How bad it gets; what the number means depends on the kind, see [`IncidentKind`].
    pub peak: f64,
    /// The part of the zone's devices of its kinds that it acts on, from 0 to 1; a few if it is not
    /// said. It means nothing to what silences a gateway or a whole zone.
    #[serde(default)]
    pub share: Option<f64>,
}

/// What some devices of a kind do wrong, or otherwise than one expects.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultPlan {
    /// What they do.
    pub kind: FaultKind,
    /// The kind of the devices, one of [`crate::KINDS`].
    pub devices: String,
    /// How many of them, from 0 to 1; at least one is hit. All if it is not said.
    #[serde(default = "all")]
    pub share: f64,
    /// From when on, from the start of the simulation.
    #[serde(default)]
    pub start: Span,
    /// For how long; for ever if it is not said.
    #[serde(default)]
    pub hold: Option<Span>,
    /// How much; what the number means, and what is usual, depends on the kind, see [`FaultKind`].
    #[serde(default)]
    pub size: Option<f64>,
    /// The format of the new firmware, for `firmware_update` alone.
    #[serde(default)]
    pub format: Option<String>,
}

const fn all() -> f64 {
    1.0
}

/// Incidents that come again and again, each at a random place. What is not said is as in the demo,
/// where all is over within minutes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// When the first begins.
    pub first: Span,
    /// Shortest and longest time from one start to the next.
    pub pause: [Span; 2],
    /// When the last begins at the latest.
    pub until: Span,
    /// The kinds, in turn.
    pub kinds: Vec<IncidentKind>,
    /// The shortest and the longest time that they take to their peak.
    #[serde(default)]
    pub rise: Option<[Span; 2]>,
    /// How long they stay there.
    #[serde(default)]
    pub hold: Option<[Span; 2]>,
    /// How long they take to end.
    #[serde(default)]
    pub fall: Option<[Span; 2]>,
    /// As in [`IncidentPlan`].
    #[serde(default)]
    pub share: Option<f64>,
}

impl Repeat {
    /// What is wrong, and what to do.
    fn check(&self) -> Result<(), (String, &'static str)> {
        if self.kinds.is_empty() {
            return Err(("kinds is empty".to_owned(), "leave [[repeat]] out instead"));
        }
        let spans = [
            ("pause", Some(self.pause)),
            ("rise", self.rise),
            ("hold", self.hold),
            ("fall", self.fall),
        ];
        for (name, span) in spans {
            if let Some([low, high]) = span
                && high < low
            {
                let problem = format!("{name} [{low}, {high}] is not shortest and longest");
                return Err((problem, "write the shorter one first"));
            }
        }
        if self.pause[0].is_zero() {
            return Err(("pause is zero".to_owned(), "give at least 1ms"));
        }
        if self.kinds.iter().any(|kind| kind.silences()) && self.rise.or(self.fall).is_some() {
            let problem = "a silence has neither rise nor fall".to_owned();
            return Err((problem, "give it a [[repeat]] of its own, with hold alone"));
        }
        self.kinds.iter().try_for_each(|kind| check_share(*kind, self.share))
    }
}

/// What is wrong with a share of the devices, and what to do.
fn check_share(kind: IncidentKind, share: Option<f64>) -> Result<(), (String, &'static str)> {
    match share {
        Some(_) if kind.silences() => {
            Err((format!("a share means nothing to {}", kind.name()), "leave it out"))
        }
        Some(share) if !(share > 0.0 && share <= 1.0) => {
            Err((format!("share {share} is not a share"), "give more than 0, at most 1"))
        }
        _ => Ok(()),
    }
}

impl Scenario {
    /// The scenario of the demo: Chicago with 2,000 devices.
    pub fn chicago() -> Self {
        Self::parse("the built-in scenario", include_str!("../scenarios/chicago.toml"))
            .expect("the built-in scenario is tested")
    }

    /// Reads a scenario; `what` is what errors call it.
    pub fn parse(what: &str, text: &str) -> Result<Self, SimError> {
        let scenario: Self = toml::from_str(text)
            .map_err(|error| SimError::Syntax { what: what.to_owned(), error: Box::new(error) })?;
        scenario.check()?;
        Ok(scenario)
    }

    /// Reads a scenario file and the zone file that it names.
    pub fn load(path: &Path) -> Result<(Self, String), SimError> {
        let read = |path: &Path| {
            std::fs::read_to_string(path)
                .map_err(|error| SimError::Read { path: path.to_owned(), error })
        };
        let scenario = Self::parse(&format!("`{}`", path.display()), &read(path)?)?;
        let zones = path.parent().unwrap_or(Path::new("")).join(&scenario.zones);
        Ok((scenario, read(&zones)?))
    }

    /// The same city with `factor` times as many devices (at least one of each group).
    #[must_use]
    pub fn scaled(mut self, factor: f64) -> Self {
        let scale = |count: usize| ((count as f64 * factor).round() as usize).max(1);
        self.lorawan_gateways = scale(self.lorawan_gateways);
        self.cabinets = scale(self.cabinets);
        let gateways = self.lorawan_gateways + self.cabinets;
        for group in &mut self.devices {
            group.count = if group.kind == GATEWAY { gateways } else { scale(group.count) };
        }
        self
    }

    /// The same city with every interval `factor` times as long: less load for a factor above 1.
    #[must_use]
    pub fn slowed(mut self, factor: f64) -> Self {
        for group in &mut self.devices {
            group.interval = group.interval.times(factor);
        }
        self
    }

    /// How many devices there are.
    pub fn device_count(&self) -> usize {
        self.devices.iter().map(|group| group.count).sum()
    }

    fn check(&self) -> Result<(), SimError> {
        for (index, group) in self.devices.iter().enumerate() {
            let place = format!("[[devices]] number {}", index + 1);
            let fail = |problem: String, hint: String| {
                Err(SimError::scenario(place.clone(), problem, hint))
            };
            if kinds::kind(&group.kind).is_none() {
                let known: Vec<_> = kinds::KINDS.iter().map(|kind| kind.id()).collect();
                return fail(
                    format!("kind `{}` is not known", group.kind),
                    format!("known are {}", known.join(", ")),
                );
            }
            if formats::format(&group.format).is_none() {
                let known: Vec<_> = formats::FORMATS.iter().map(|format| format.name()).collect();
                return fail(
                    format!("format `{}` is not known", group.format),
                    format!("known are {}", known.join(", ")),
                );
            }
            if group.interval.is_zero() {
                return fail("interval is zero".to_owned(), "give at least 1ms".to_owned());
            }
            if self.devices[..index].iter().any(|earlier| earlier.kind == group.kind) {
                return fail(
                    format!("kind `{}` is listed twice", group.kind),
                    "put all devices of a kind into one group".to_owned(),
                );
            }
        }
        self.check_gateways()?;
        for (index, plan) in self.incidents.iter().enumerate() {
            let checked = if plan.peak.is_finite() {
                check_share(plan.kind, plan.share)
            } else {
                Err(("peak is not a number".to_owned(), "give a number"))
            };
            checked.map_err(|(problem, hint)| {
                SimError::scenario(format!("[[incidents]] number {}", index + 1), problem, hint)
            })?;
        }
        for (index, repeat) in self.repeat.iter().enumerate() {
            repeat.check().map_err(|(problem, hint)| {
                SimError::scenario(format!("[[repeat]] number {}", index + 1), problem, hint)
            })?;
        }
        for (index, plan) in self.faults.iter().enumerate() {
            self.check_fault(plan).map_err(|(problem, hint)| {
                SimError::scenario(format!("[[faults]] number {}", index + 1), problem, hint)
            })?;
        }
        if let Some(backfill) = self.backfill
            && (backfill.step.is_zero() || backfill.step > backfill.window)
        {
            return Err(SimError::scenario(
                "[backfill]",
                format!("step {} does not fit into window {}", backfill.step, backfill.window),
                "give a step between 1ms and the window, or leave [backfill] out",
            ));
        }
        Ok(())
    }

    /// What is wrong with a fault, and what to do.
    fn check_fault(&self, plan: &FaultPlan) -> Result<(), (String, String)> {
        let name = plan.kind.name();
        let fail = |problem: String, hint: &str| Err((problem, hint.to_owned()));
        let Some(group) = self.devices.iter().find(|group| group.kind == plan.devices) else {
            let problem = format!("there are no devices of kind `{}`", plan.devices);
            return fail(problem, "name a kind that a group of [[devices]] has");
        };
        if !(plan.share > 0.0 && plan.share <= 1.0) {
            return fail(
                format!("share {} is not a share", plan.share),
                "give more than 0, at most 1",
            );
        }
        if plan.hold.is_some_and(Span::is_zero) {
            return fail("hold is zero".to_owned(), "leave it out for a fault that does not end");
        }
        match (plan.kind.sizes(), plan.size) {
            (None, Some(_)) => {
                return fail(format!("a size means nothing to {name}"), "leave it out");
            }
            (Some((_, [low, high])), Some(size)) if !(low..=high).contains(&size) => {
                let hint = format!("give one from {low} to {high}");
                return fail(format!("size {size} is none of {name}"), &hint);
            }
            _ => {}
        }
        let is_update = plan.kind == FaultKind::FirmwareUpdate;
        match plan.format.as_deref() {
            None if is_update => {
                fail("the new firmware has no format".to_owned(), "add format = \"…\"")
            }
            Some(_) if !is_update => {
                fail(format!("a format means nothing to {name}"), "leave it out")
            }
            Some(format) => {
                let via = |name: &str| formats::format(name).map(formats::Encoder::via);
                if via(format).is_none() || via(format) != via(&group.format) {
                    let fits = |f: &&&dyn formats::Encoder| Some(f.via()) == via(&group.format);
                    let fitting: Vec<_> =
                        formats::FORMATS.iter().filter(fits).map(|f| f.name()).collect();
                    let problem =
                        format!("{name} to `{format}` of devices that speak `{}`", group.format);
                    let hint = format!("they can send {}", fitting.join(", "));
                    return fail(problem, &hint);
                }
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn check_gateways(&self) -> Result<(), SimError> {
        if self.lorawan_gateways == 0 || self.cabinets == 0 || self.bus_routes == 0 {
            return Err(SimError::scenario(
                "lorawan_gateways, cabinets, bus_routes",
                "one of them is zero",
                "give at least 1 of each",
            ));
        }
        let (wanted, gateways) = (
            self.lorawan_gateways + self.cabinets,
            self.devices.iter().find(|group| group.kind == GATEWAY),
        );
        match gateways {
            Some(group) if group.count != wanted => Err(SimError::scenario(
                "[[devices]] of kind gateway",
                format!("count is {}", group.count),
                format!("lorawan_gateways and cabinets together are {wanted}; write that"),
            )),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = include_str!("../scenarios/chicago.toml");

    #[test]
    fn the_demo_has_two_thousand_devices_in_all_formats() {
        let scenario = Scenario::chicago();
        assert_eq!(scenario.device_count(), 2_000);
        assert!(scenario.devices.len() >= 9);
        for format in formats::FORMATS {
            assert!(
                scenario.devices.iter().any(|group| group.format == format.name()),
                "{} is not used",
                format.name()
            );
        }
        let messages: f64 =
            scenario.devices.iter().map(|g| g.count as f64 / g.interval.secs_f64()).sum();
        assert!((150.0..300.0).contains(&messages), "{messages} messages a second");
    }

    #[test]
    fn mistakes_are_named_with_a_way_out() {
        for (from, to, expected) in [
            ("kind = \"air_station\"", "kind = \"air_statio\"", "known are air_station"),
            ("format = \"json\"", "format = \"jsn\"", "known are json"),
            ("interval = \"5s\"", "interval = \"5 s\"", "`5 s` is not a length of time"),
            ("seed = 60601", "sede = 60601", "sede"),
            ("step = \"5m\"", "step = \"5h\"", "does not fit into window 2h"),
            ("count = 40", "count = 41", "together are 40"),
            ("[\"140s\", \"220s\"]", "[\"220s\", \"140s\"]", "shorter one first"),
            ("peak = 178.0", "peak = nan", "peak is not a number"),
            ("peak = 178.0", "peak = 178.0\nshare = 1.5", "share 1.5 is not a share"),
            ("peak = 0.0", "peak = 0.0\nshare = 0.5", "a share means nothing to dark_gateway"),
            ("first = \"3m\"", "first = \"3m\"\nrise = [\"1m\", \"2m\"]", "neither rise nor fall"),
            ("kind = \"noise_meter\"", "kind = \"air_station\"", "listed twice"),
        ] {
            let error = Scenario::parse("test", &TEXT.replacen(from, to, 1)).expect_err(to);
            let text = error.to_string();
            assert!(text.contains(expected), "{text}");
        }
    }

    #[test]
    fn the_metropolis_has_a_hundred_thousand_devices_and_incidents_reach_all_of_a_zone() {
        let text = include_str!("../scenarios/metropolis.toml");
        let scenario = Scenario::parse("metropolis", text).expect("valid");
        assert_eq!(scenario.device_count(), 100_000);
        let small = scenario.scaled(0.1);
        let start = "2026-11-16T06:00:00Z".parse().expect("a time");
        let fleet = crate::Fleet::new(&small, crate::zones::tests::CHICAGO, start).expect("a city");
        let incidents = fleet.incidents();
        for (kind, least) in [
            (IncidentKind::TrafficJam, 60),
            (IncidentKind::RisingWater, 5),
            (IncidentKind::PowerCut, 2),
            (IncidentKind::DarkGateway, 8),
        ] {
            let count = incidents.iter().filter(|incident| incident.kind == kind).count();
            assert!(count >= least, "{count} of {kind:?}");
        }
        let jams = incidents.iter().filter(|incident| incident.kind == IncidentKind::TrafficJam);
        let most = jams.map(|jam| jam.devices.len()).max().unwrap_or(0);
        assert!(most > IncidentKind::TrafficJam.acts_on().2, "{most} loops at most");
        let flood = incidents.iter().find(|i| i.zone == "Albany Park").expect("the flood");
        let lasts = flood.end.as_second() - flood.start.as_second();
        assert_eq!(lasts, 40 * 3_600, "it is as long as the scenario says");
    }

    #[test]
    fn scaling_keeps_gateways_and_kinds_consistent() {
        let small = Scenario::chicago().scaled(0.01);
        assert!(small.check().is_ok());
        assert!(small.device_count() < 40);
        assert_eq!(Scenario::chicago().slowed(2.0).devices[0].interval, Span::from_secs(10));
    }
}
