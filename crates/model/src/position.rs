//! Places on the Earth and the coordinate systems in which devices give them.

use serde::{Deserialize, Serialize};

/// A place in WGS-84: longitude and latitude in degrees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Degrees east, -180 to 180.
    pub lon: f64,
    /// Degrees north, -90 to 90.
    pub lat: f64,
}

impl Position {
    /// A place, if both numbers are finite and in range.
    pub fn new(lon: f64, lat: f64) -> Option<Self> {
        let inside = (-180.0..=180.0).contains(&lon) && (-90.0..=90.0).contains(&lat);
        inside.then_some(Self { lon, lat })
    }

    /// The great-circle distance in metres on a sphere of the mean Earth radius (6,371,008.8 m,
    /// IUGG); within 0.6 % of the distance on the ellipsoid.
    pub fn distance_m(self, other: Self) -> f64 {
        let (lat1, lat2) = (self.lat.to_radians(), other.lat.to_radians());
        let half_lat = ((lat2 - lat1) / 2.0).sin();
        let half_lon = ((other.lon - self.lon).to_radians() / 2.0).sin();
        let h = half_lat * half_lat + lat1.cos() * lat2.cos() * half_lon * half_lon;
        2.0 * 6_371_008.8 * h.sqrt().min(1.0).asin()
    }
}

/// A coordinate system in which a device or a source declares its positions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Crs {
    /// EPSG:4326, what satellite receivers give.
    #[default]
    #[serde(rename = "WGS-84")]
    Wgs84,
    /// The offset system of mainland Chinese maps (GB 20263-2006).
    #[serde(rename = "GCJ-02")]
    Gcj02,
    /// Baidu's system on top of GCJ-02.
    #[serde(rename = "BD-09")]
    Bd09,
    /// China Geodetic Coordinate System 2000 (EPSG:4490): equal to WGS-84 within centimetres.
    #[serde(rename = "CGCS2000")]
    Cgcs2000,
}

impl Crs {
    /// The name used in configuration and the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wgs84 => "WGS-84",
            Self::Gcj02 => "GCJ-02",
            Self::Bd09 => "BD-09",
            Self::Cgcs2000 => "CGCS2000",
        }
    }
}

/// A position exactly as somebody declared it, before conversion to WGS-84.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredPosition {
    /// Degrees east in `crs`.
    pub lon: f64,
    /// Degrees north in `crs`.
    pub lat: f64,
    /// The coordinate system of the two numbers.
    #[serde(default)]
    pub crs: Crs,
}

#[cfg(test)]
mod tests {
    use super::Position;

    #[test]
    fn positions_out_of_range_do_not_exist() {
        for (lon, lat) in [(180.1, 0.0), (0.0, 90.5), (f64::NAN, 0.0), (0.0, f64::INFINITY)] {
            assert_eq!(Position::new(lon, lat), None, "{lon} {lat}");
        }
    }

    #[test]
    fn a_degree_of_latitude_is_about_111_kilometres() {
        let a = Position { lon: 10.0, lat: 56.0 };
        let b = Position { lon: 10.0, lat: 57.0 };
        assert!((a.distance_m(b) - 111_195.0).abs() < 1.0);
    }
}
