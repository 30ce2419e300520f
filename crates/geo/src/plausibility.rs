//! Whether a position can be in the city, or has its two numbers swapped.

use serde::{Deserialize, Serialize};

/// How far outside the city's bounds a position is still believed, in degrees (about 20 km): a
/// bus line may leave the city, a float in the wrong sea may not.
pub const DEFAULT_MARGIN_DEG: f64 = 0.2;

/// What a pair of numbers looks like as a position of this city.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Plausibility {
    /// In the city or within the margin around it.
    Inside,
    /// Longitude and latitude were exchanged: the other way round it lies in the city, or the
    /// "latitude" is beyond 90 degrees and only the other way round is a place at all.
    Swapped,
    /// Neither: somewhere else, or nowhere on the Earth.
    Far,
}

/// Judges longitude and latitude in degrees against the city's `bounds` (west, south, east, north;
/// west may be greater than east across the antimeridian), widened by `margin_deg` on all sides.
///
/// A pair that lies in the city as given is never called swapped.
pub fn plausibility(lon: f64, lat: f64, bounds: [f64; 4], margin_deg: f64) -> Plausibility {
    if is_place(lon, lat) && in_bounds(lon, lat, bounds, margin_deg) {
        Plausibility::Inside
    } else if is_place(lat, lon) && (in_bounds(lat, lon, bounds, margin_deg) || lat.abs() > 90.0) {
        Plausibility::Swapped
    } else {
        Plausibility::Far
    }
}

fn is_place(lon: f64, lat: f64) -> bool {
    lon.abs() <= 180.0 && lat.abs() <= 90.0
}

fn in_bounds(lon: f64, lat: f64, [west, south, east, north]: [f64; 4], margin: f64) -> bool {
    let (west_edge, east_edge) = (west - margin, east + margin);
    let lon_inside = if west <= east {
        (west_edge..=east_edge).contains(&lon)
    } else {
        lon >= west_edge || lon <= east_edge
    };
    lon_inside && (south - margin..=north + margin).contains(&lat)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::Plausibility::{Far, Inside, Swapped};
    use super::*;

    const CHICAGO: [f64; 4] = [-87.94, 41.64, -87.52, 42.02];
    const BEIJING: [f64; 4] = [115.4, 39.4, 117.5, 41.1];
    const FIJI: [f64; 4] = [177.0, -19.2, -179.8, -16.0];

    #[test]
    fn positions_are_judged_by_where_they_lie() {
        for (lon, lat, bounds, expected) in [
            (-87.63, 41.88, CHICAGO, Inside),
            (-87.50, 41.50, CHICAGO, Inside), // within the margin
            (41.88, -87.63, CHICAGO, Swapped),
            (87.63, 41.88, CHICAGO, Far), // the sign was lost, nothing was swapped
            (0.0, 0.0, CHICAGO, Far),     // a receiver without a fix
            (39.9, 116.4, BEIJING, Swapped),
            (39.9, 116.4, CHICAGO, Swapped), // 116.4 is no latitude
            (200.0, 95.0, CHICAGO, Far),
            (95.0, 120.0, CHICAGO, Far), // no place either way
            (f64::NAN, 41.88, CHICAGO, Far),
            (-87.63, f64::INFINITY, CHICAGO, Far),
            (179.9, -17.0, FIJI, Inside),
            (-179.9, -17.0, FIJI, Inside),
            (0.0, -17.0, FIJI, Far),
        ] {
            let got = plausibility(lon, lat, bounds, DEFAULT_MARGIN_DEG);
            assert_eq!(got, expected, "{lon} {lat} in {bounds:?}");
        }
    }

    proptest! {
        // The same cases every time; PROPTEST_CASES asks for more.
        #![proptest_config(ProptestConfig {
            rng_seed: RngSeed::Fixed(1),
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn what_lies_in_the_city_is_inside_and_its_mirror_is_swapped(
            lon in -87.94..-87.52_f64, lat in 41.64..42.02_f64,
        ) {
            prop_assert_eq!(plausibility(lon, lat, CHICAGO, 0.0), Inside);
            prop_assert_eq!(plausibility(lat, lon, CHICAGO, 0.0), Swapped);
        }
    }
}
