//! QARTOD test 3 for the position of a message: impossible, out of the city, swapped, or further
//! than the device can have moved.
//!
//! The manual fails a position that is none (|lat| > 90, |lon| > 180) and holds one suspect that
//! has moved further than RANGE_MAX. Here a position outside the city's bounds, or with longitude
//! and latitude exchanged, is suspect as well, and RANGE_MAX is a speed times the event time
//! between the two fixes.
//!
//! A jump is doubted once: if the next fix can be reached from the doubted one, the device has
//! been carried there, or the fix before was the wrong one, and the new place is believed.

use city_geo::Plausibility;
use city_model::{Position, Quality, Timestamp};
use serde::{Deserialize, Serialize};

/// Limits for the positions of devices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LocationConfig {
    /// Faster than this a device does not move, in metres per second; 70 (252 km/h) if not given.
    pub max_speed_m_s: f64,
    /// How far apart two fixes of one place may lie, in metres; 200 if not given, which is a
    /// receiver between high buildings.
    pub slack_m: f64,
    /// How far from its place in the registry a device that stands still may say to be, in metres;
    /// not looked at if not given.
    pub fixed_within_m: Option<f64>,
}

impl Default for LocationConfig {
    fn default() -> Self {
        Self { max_speed_m_s: 70.0, slack_m: 200.0, fixed_within_m: None }
    }
}

/// What is remembered of a device's positions: 64 bytes; a fresh one has seen nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LocationState {
    believed: Option<(Position, Timestamp)>,
    /// A fix after the believed one that the device cannot have reached.
    doubted: Option<(Position, Timestamp)>,
}

/// The position of a message, in WGS-84.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fix {
    /// Its event time.
    pub time: Timestamp,
    /// The position; `None` if the two numbers are no place on the Earth.
    pub position: Option<Position>,
    /// How the two numbers look beside the city's bounds; inside if the city has none.
    pub plausibility: Plausibility,
}

/// Judges the positions of moving devices. Judge each message once and give the verdict to all
/// its readings.
#[derive(Clone, Debug, Default)]
pub struct LocationChecker {
    config: LocationConfig,
}

impl LocationChecker {
    /// A checker with these limits.
    pub fn new(config: LocationConfig) -> Self {
        Self { config }
    }

    /// Judges a fix and takes it into the device's memory. Fixes that are not later than those
    /// before are judged without the speed, and leave the memory alone.
    pub fn check(&self, state: &mut LocationState, fix: &Fix) -> Quality {
        let position = match (fix.position, fix.plausibility) {
            (Some(position), Plausibility::Inside) => position,
            (Some(_), Plausibility::Far) | (_, Plausibility::Swapped) => return Quality::Suspect,
            (None, Plausibility::Inside | Plausibility::Far) => return Quality::Fail,
        };
        let now = (position, fix.time);
        if state.doubted == Some(now) {
            return Quality::Suspect; // the same fix again, perhaps for another reading
        }
        let last = state.doubted.or(state.believed);
        if last.is_some_and(|(_, at)| fix.time <= at) {
            return Quality::Pass;
        }
        let reachable = |from: Option<(Position, Timestamp)>| {
            from.is_some_and(|from| self.is_reachable(from, now))
        };
        if state.believed.is_none() || reachable(state.believed) || reachable(state.doubted) {
            *state = LocationState { believed: Some(now), doubted: None };
            Quality::Pass
        } else {
            state.doubted = Some(now);
            Quality::Suspect
        }
    }

    /// Judges where a device that stands still says to be, beside its place in the registry; not
    /// evaluated if there is no limit.
    pub fn check_fixed(&self, registered: Position, said: Option<Position>) -> Quality {
        match (self.config.fixed_within_m, said) {
            (None, _) => Quality::NotEvaluated,
            (Some(_), None) => Quality::Fail,
            (Some(limit), Some(said)) if registered.distance_m(said) > limit => Quality::Suspect,
            (Some(_), Some(_)) => Quality::Pass,
        }
    }

    fn is_reachable(
        &self,
        (from, left): (Position, Timestamp),
        (to, arrived): (Position, Timestamp),
    ) -> bool {
        let seconds = arrived.since(left).secs_f64();
        from.distance_m(to) <= self.config.max_speed_m_s * seconds + self.config.slack_m
    }
}

#[cfg(test)]
mod tests {
    use city_geo::{DEFAULT_MARGIN_DEG, plausibility};
    use city_model::Quality::{Fail, Pass, Suspect};
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;

    const CHICAGO: [f64; 4] = [-87.94, 41.64, -87.52, 42.02];

    /// A fix as the device sent it: second, longitude, latitude.
    fn fix((second, lon, lat): (i64, f64, f64)) -> Fix {
        Fix {
            time: Timestamp::from_secs(second),
            position: Position::new(lon, lat),
            plausibility: plausibility(lon, lat, CHICAGO, DEFAULT_MARGIN_DEG),
        }
    }

    fn check(fixes: &[(i64, f64, f64)], expected: &[Quality]) {
        let checker = LocationChecker::default();
        let mut state = LocationState::default();
        let got: Vec<_> = fixes.iter().map(|f| checker.check(&mut state, &fix(*f))).collect();
        assert_eq!(got, expected, "{fixes:?}");
    }

    #[test]
    fn a_position_that_is_none_fails_and_one_elsewhere_is_suspect() {
        check(&[(0, -87.63, 41.88)], &[Pass]);
        check(&[(0, 0.0, 0.0)], &[Suspect]);
        check(&[(0, 41.88, -87.63)], &[Suspect]); // swapped
        check(&[(0, 41.88, 95.0)], &[Suspect]); // swapped: 95 is a longitude
        check(&[(0, 300.0, 95.0)], &[Fail]);
        check(&[(0, f64::NAN, 41.88)], &[Fail]);
    }

    #[test]
    fn a_bus_may_drive_but_not_fly() {
        // 0.01 degrees of latitude are 1,112 m: in 60 s 18.5 m/s; 0.1 degrees in 60 s 185 m/s,
        // more than 70 m/s * 60 s + 200 m = 4,400 m.
        check(&[(0, -87.63, 41.80), (60, -87.63, 41.81)], &[Pass, Pass]);
        check(&[(0, -87.63, 41.80), (60, -87.63, 41.90)], &[Pass, Suspect]);
        // Back on the route the next fix is believed, judged from the last believed one.
        check(
            &[(0, -87.63, 41.80), (60, -87.63, 41.90), (120, -87.63, 41.82)],
            &[Pass, Suspect, Pass],
        );
    }

    #[test]
    fn a_device_that_was_carried_is_doubted_once() {
        check(
            &[(0, -87.63, 41.70), (60, -87.63, 41.95), (120, -87.63, 41.951), (180, -87.63, 41.95)],
            &[Pass, Suspect, Pass, Pass],
        );
    }

    #[test]
    fn jitter_within_the_slack_is_no_movement() {
        // 0.001 degrees are 111 m, in one second.
        check(&[(0, -87.63, 41.800), (1, -87.63, 41.801)], &[Pass, Pass]);
    }

    #[test]
    fn late_and_repeated_fixes_change_nothing() {
        let checker = LocationChecker::default();
        let mut state = LocationState::default();
        checker.check(&mut state, &fix((100, -87.63, 41.80)));
        let before = state;
        assert_eq!(checker.check(&mut state, &fix((50, -87.63, 41.99))), Pass);
        assert_eq!(checker.check(&mut state, &fix((100, -87.63, 41.80))), Pass);
        assert_eq!(state, before);
        // The second reading of a message with a doubted position is as suspect as the first.
        assert_eq!(checker.check(&mut state, &fix((110, -87.63, 41.99))), Suspect);
        assert_eq!(checker.check(&mut state, &fix((110, -87.63, 41.99))), Suspect);
    }

    #[test]
    fn the_state_is_small_and_survives_a_snapshot() {
        assert!(size_of::<LocationState>() <= 64, "{} bytes", size_of::<LocationState>());
        let mut state = LocationState::default();
        LocationChecker::default().check(&mut state, &fix((5, -87.63, 41.80)));
        let bytes = postcard::to_allocvec(&state).expect("postcard");
        assert_eq!(postcard::from_bytes::<LocationState>(&bytes).expect("read"), state);
    }

    #[test]
    fn a_device_that_stands_still_is_where_it_was_put() {
        let home = Position::new(-87.63, 41.88).expect("a place");
        let near = Position::new(-87.631, 41.88); // 83 m west
        let far = Position::new(-87.64, 41.88);
        let checker = |within| {
            let config = LocationConfig { fixed_within_m: within, ..LocationConfig::default() };
            LocationChecker::new(config)
        };
        assert_eq!(checker(None).check_fixed(home, far), Quality::NotEvaluated);
        for (said, expected) in [(near, Pass), (far, Suspect), (None, Fail)] {
            assert_eq!(checker(Some(150.0)).check_fixed(home, said), expected, "{said:?}");
        }
    }

    #[test]
    fn unknown_keys_are_errors() {
        let error = toml::from_str::<LocationConfig>("max_speed = 3").expect_err("unknown");
        assert!(error.to_string().contains("max_speed_m_s"), "{error}");
    }

    proptest! {
        // The same cases every time; PROPTEST_CASES asks for more.
        #![proptest_config(ProptestConfig {
            rng_seed: RngSeed::Fixed(1),
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn no_input_panics_and_no_place_never_passes(
            fixes in prop::collection::vec((any::<i64>(), any::<f64>(), any::<f64>()), 1..20),
        ) {
            let checker = LocationChecker::default();
            let mut state = LocationState::default();
            for (micros, lon, lat) in fixes {
                let mut fix = fix((0, lon, lat));
                fix.time = Timestamp::from_micros(micros);
                let verdict = checker.check(&mut state, &fix);
                prop_assert!(fix.position.is_some() || verdict != Pass);
            }
        }
    }
}
