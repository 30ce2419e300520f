//! Bus routes: straight streets of the city's grid, ridden to and fro with stops.

use crate::noise::round;
use crate::zones::Zones;

const METRES_PER_DEGREE: f64 = 111_195.0;

/// Metres between two places at which a street is checked to lie inside the city.
const CHECK_EVERY: f64 = 50.0;

/// Routes shorter than this are not worth a bus, in metres.
const SHORTEST: f64 = 2_500.0;

/// Seconds from one stop to the next.
const STOP_EVERY: f64 = 80.0;

/// A street from one end to the other, wholly inside the city's zones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Route {
    from: (f64, f64),
    to: (f64, f64),
    /// Metres.
    length: f64,
}

/// A bus on its route.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ride {
    pub(crate) route: Route,
    /// The mean speed in m/s, stops included.
    pub(crate) speed: f64,
    /// Seconds by which it is ahead of a bus that started at the epoch.
    pub(crate) ahead: f64,
}

impl Ride {
    /// Where it is (degrees, six decimals) and how fast it goes (km/h).
    ///
    /// It goes to and fro; between stops its speed swings smoothly from 0 to twice the mean.
    pub(crate) fn at(&self, secs: f64) -> ((f64, f64), f64) {
        let time = secs + self.ahead;
        let pulse = std::f64::consts::TAU / STOP_EVERY;
        let driven = self.speed * (time + (pulse * time).sin() / pulse);
        let speed = self.speed * (1.0 + (pulse * time).cos()) * 3.6;
        let phase = (driven / self.route.length).rem_euclid(2.0);
        let share = if phase <= 1.0 { phase } else { 2.0 - phase };
        let between = |a: f64, b: f64| round(a + (b - a) * share, 6);
        let (from, to) = (self.route.from, self.route.to);
        ((between(from.0, to.0), between(from.1, to.1)), speed)
    }
}

/// The longest streets that lie inside the zones, at most `count`, longest first.
pub(crate) fn routes(zones: &Zones, count: usize) -> Vec<Route> {
    let [west, south, east, north] = zones.bounds;
    let lines = (count * 2).max(8);
    let place =
        |low: f64, high: f64, n: usize| low + (high - low) * (n as f64 + 0.5) / lines as f64;
    let mut routes = Vec::new();
    for n in 0..lines {
        let lat = place(south, north, n);
        routes.extend(longest(zones, (west, lat), (east, lat)));
        let lon = place(west, east, n);
        routes.extend(longest(zones, (lon, south), (lon, north)));
    }
    routes.sort_by(|a, b| b.length.total_cmp(&a.length));
    routes.truncate(count);
    routes
}

/// The longest part of a line that lies inside the zones.
fn longest(zones: &Zones, from: (f64, f64), to: (f64, f64)) -> Option<Route> {
    let scale = from.1.to_radians().cos();
    let (dx, dy) =
        ((to.0 - from.0) * scale * METRES_PER_DEGREE, (to.1 - from.1) * METRES_PER_DEGREE);
    let steps = (dx.hypot(dy) / CHECK_EVERY).floor();
    let at = |step: f64| {
        let share = step / steps;
        (from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share)
    };
    let (mut best, mut begin) = ((0.0, 0.0), None);
    let mut step = 0.0;
    while step <= steps {
        let (lon, lat) = at(step);
        if zones.contain(lon, lat) {
            let start = *begin.get_or_insert(step);
            if step - start > best.1 - best.0 {
                best = (start, step);
            }
        } else {
            begin = None;
        }
        step += 1.0;
    }
    let length = (best.1 - best.0) * CHECK_EVERY;
    (length >= SHORTEST).then(|| Route { from: at(best.0), to: at(best.1), length })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zones::tests::CHICAGO;

    #[test]
    fn buses_stay_inside_the_city_and_move_as_fast_as_they_say() {
        let zones = Zones::parse(CHICAGO).expect("zones");
        let routes = routes(&zones, 20);
        assert_eq!(routes.len(), 20);
        for (n, route) in routes.iter().enumerate() {
            let ride = Ride { route: *route, speed: 5.0, ahead: n as f64 * 377.0 };
            for second in (0..4_000).step_by(50) {
                let ((lon, lat), _) = ride.at(1.8e9 + f64::from(second));
                assert!(zones.contain(lon, lat), "{lon} {lat} is outside");
            }
        }
        let ride = Ride { route: routes[0], speed: 5.0, ahead: 0.0 };
        let mut metres = 0.0;
        let mut said = 0.0;
        for second in 0..800 {
            let (a, speed) = ride.at(f64::from(second));
            let (b, _) = ride.at(f64::from(second) + 1.0);
            let scale = a.1.to_radians().cos();
            metres += ((b.0 - a.0) * scale).hypot(b.1 - a.1) * METRES_PER_DEGREE;
            said += speed / 3.6;
            assert!((0.0..=36.1).contains(&speed), "{speed}");
        }
        assert!((metres - said).abs() / said < 0.02, "{metres} m driven, {said} m by its speed");
    }
}
