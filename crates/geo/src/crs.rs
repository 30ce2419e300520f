//! Conversion between WGS-84 and the coordinate systems that devices declare.
//!
//! GCJ-02 is not published. The formulas here are the ones that map providers' own output agrees
//! with (332 cities in `testdata/coords`, within 1e-5 degrees). Outside China GCJ-02 and BD-09 are
//! WGS-84: providers shift nothing there ("非中国地区地图，服务坐标统一使用 WGS84 坐标", Baidu).
//! The border is the usual box, so places near it but abroad (Ulaanbaatar, Hanoi) count as inside
//! when a device declares one of the two systems for them.

use std::f64::consts::PI;

use city_model::Crs;

/// Where GCJ-02 and BD-09 differ from WGS-84: west, south, east, north in degrees.
const CHINA: [f64; 4] = [72.004, 0.8293, 137.8347, 55.8271];

/// Semi-major axis in metres of the Krasovsky 1940 ellipsoid, on which GCJ-02 computes its offsets.
const AXIS: f64 = 6_378_245.0;
/// Its first eccentricity, squared.
const ECCENTRICITY_2: f64 = 0.006_693_421_622_965_943;
/// The frequency of the waves that BD-09 adds. Leaving out the factor 3000/180 is a widespread
/// mistake that costs up to 50 m.
const BAIDU_WAVE: f64 = PI * 3000.0 / 180.0;

/// Inverses stop when a step moves less than this, in degrees (0.1 µm on the ground).
const CONVERGED: f64 = 1e-12;
/// Every step gains at least one and a half digits, so positions in the box never need so many.
const MAX_STEPS: usize = 16;

/// Converts longitude and latitude in degrees from `crs` to WGS-84.
///
/// The exact inverse of [`from_wgs84`] to 1e-9 degrees (0.1 mm), except within a few kilometres
/// of the border of the box around China, where the systems themselves have a jump. CGCS2000 is taken as
/// WGS-84: they differ by centimetres. Numbers that are not finite stay what they are.
pub fn to_wgs84(crs: Crs, lon: f64, lat: f64) -> (f64, f64) {
    match crs {
        Crs::Gcj02 if in_china(lon, lat) => invert(gcj02_from_wgs84, lon, lat),
        Crs::Bd09 if in_china(lon, lat) => {
            let (lon, lat) = invert(bd09_from_gcj02, lon, lat);
            invert(gcj02_from_wgs84, lon, lat)
        }
        Crs::Wgs84 | Crs::Cgcs2000 | Crs::Gcj02 | Crs::Bd09 => (lon, lat),
    }
}

/// Converts longitude and latitude in degrees from WGS-84 to `crs`.
pub fn from_wgs84(crs: Crs, lon: f64, lat: f64) -> (f64, f64) {
    match crs {
        Crs::Gcj02 if in_china(lon, lat) => gcj02_from_wgs84(lon, lat),
        Crs::Bd09 if in_china(lon, lat) => {
            let (lon, lat) = gcj02_from_wgs84(lon, lat);
            bd09_from_gcj02(lon, lat)
        }
        Crs::Wgs84 | Crs::Cgcs2000 | Crs::Gcj02 | Crs::Bd09 => (lon, lat),
    }
}

fn in_china(lon: f64, lat: f64) -> bool {
    let [west, south, east, north] = CHINA;
    (west..=east).contains(&lon) && (south..=north).contains(&lat)
}

/// Adds the GCJ-02 offset, whatever side of the border.
fn gcj02_from_wgs84(lon: f64, lat: f64) -> (f64, f64) {
    let (x, y) = (lon - 105.0, lat - 35.0);
    let wave = |number: f64, amplitude: f64| amplitude * (number * PI).sin();
    let common = wave(6.0 * x, 20.0) + wave(2.0 * x, 20.0);
    let lat_waves = common
        + wave(y, 20.0)
        + wave(y / 3.0, 40.0)
        + wave(y / 12.0, 160.0)
        + wave(y / 30.0, 320.0);
    let lon_waves = common
        + wave(x, 20.0)
        + wave(x / 3.0, 40.0)
        + wave(x / 12.0, 150.0)
        + wave(x / 30.0, 300.0);
    let root = 0.1 * x.abs().sqrt();
    // Metres north and east.
    let north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 2.0 * root;
    let east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + root;
    let (north, east) = (north + lat_waves * 2.0 / 3.0, east + lon_waves * 2.0 / 3.0);
    // To degrees, with the ellipsoid's radii of curvature at this latitude.
    let (sin, cos) = lat.to_radians().sin_cos();
    let flat = 1.0 - ECCENTRICITY_2 * sin * sin;
    let meridian = AXIS * (1.0 - ECCENTRICITY_2) / (flat * flat.sqrt());
    let parallel = AXIS / flat.sqrt() * cos;
    (lon + (east / parallel).to_degrees(), lat + (north / meridian).to_degrees())
}

/// Adds Baidu's offset to GCJ-02.
fn bd09_from_gcj02(lon: f64, lat: f64) -> (f64, f64) {
    let radius = lon.hypot(lat) + 0.000_02 * (lat * BAIDU_WAVE).sin();
    let angle = lat.atan2(lon) + 0.000_003 * (lon * BAIDU_WAVE).cos();
    (radius * angle.cos() + 0.0065, radius * angle.sin() + 0.006)
}

/// Solves `forward(p) = (lon, lat)` by fixed-point iteration: the offsets change by less than 3 %
/// of a move, so each step is at least 30 times closer.
fn invert(forward: fn(f64, f64) -> (f64, f64), lon: f64, lat: f64) -> (f64, f64) {
    let (mut x, mut y) = (lon, lat);
    for _ in 0..MAX_STEPS {
        let (lon_there, lat_there) = forward(x, y);
        let (dx, dy) = (lon - lon_there, lat - lat_there);
        (x, y) = (x + dx, y + dy);
        if dx.abs().max(dy.abs()) < CONVERGED {
            break;
        }
    }
    (x, y)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;

    const ALL: [Crs; 4] = [Crs::Wgs84, Crs::Gcj02, Crs::Bd09, Crs::Cgcs2000];

    proptest! {
        // The same cases every time; PROPTEST_CASES asks for more.
        #![proptest_config(ProptestConfig {
            rng_seed: RngSeed::Fixed(1),
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn there_and_back_is_the_same_place(lon in 72.1..137.7_f64, lat in 0.9..55.7_f64) {
            for crs in ALL {
                let (there_lon, there_lat) = from_wgs84(crs, lon, lat);
                let (back_lon, back_lat) = to_wgs84(crs, there_lon, there_lat);
                prop_assert!((back_lon - lon).abs() < 1e-9, "{} {lon} {lat}: {back_lon}", crs.name());
                prop_assert!((back_lat - lat).abs() < 1e-9, "{} {lon} {lat}: {back_lat}", crs.name());
            }
        }

        #[test]
        fn back_and_there_is_the_same_place(lon in 72.1..137.7_f64, lat in 0.9..55.7_f64) {
            for crs in ALL {
                let (wgs_lon, wgs_lat) = to_wgs84(crs, lon, lat);
                let (again_lon, again_lat) = from_wgs84(crs, wgs_lon, wgs_lat);
                prop_assert!((again_lon - lon).abs() < 1e-9, "{} {lon} {lat}", crs.name());
                prop_assert!((again_lat - lat).abs() < 1e-9, "{} {lon} {lat}", crs.name());
            }
        }

        #[test]
        fn inside_china_the_offset_is_metres_to_a_few_kilometres(
            lon in 73.0..135.0_f64, lat in 18.0..53.0_f64,
        ) {
            let (gcj_lon, gcj_lat) = from_wgs84(Crs::Gcj02, lon, lat);
            let moved = (gcj_lon - lon).hypot(gcj_lat - lat);
            prop_assert!(moved > 1e-5 && moved < 0.02, "{lon} {lat} moved by {moved} degrees");
        }

        #[test]
        fn any_number_goes_through(lon in any::<f64>(), lat in any::<f64>()) {
            for crs in ALL {
                let _ = to_wgs84(crs, lon, lat);
                let _ = from_wgs84(crs, lon, lat);
            }
        }
    }

    #[test]
    fn abroad_nothing_moves() {
        for (lon, lat) in [(-87.63, 41.88), (10.2, 56.16), (183.0, 45.0), (151.2, -33.87)] {
            for crs in ALL {
                assert_eq!(from_wgs84(crs, lon, lat), (lon, lat), "{}", crs.name());
                assert_eq!(to_wgs84(crs, lon, lat), (lon, lat), "{}", crs.name());
            }
        }
    }
}
