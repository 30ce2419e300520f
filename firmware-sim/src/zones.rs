//! The city's zones, as far as a simulation needs them: who is inside, and random places.

use geo::{Area, BoundingRect, Contains, MultiPolygon, Point, Rect};
use geojson::GeoJson;

use crate::noise::{between, mix};
use crate::{LocalText, SimError};

/// Degrees of latitude to kilometres.
const KM_PER_DEGREE: f64 = 111.195;

/// A named area.
#[derive(Clone, Debug)]
pub(crate) struct Zone {
    pub(crate) name: LocalText,
    shape: MultiPolygon<f64>,
    bounds: Rect<f64>,
    /// Square kilometres, about.
    pub(crate) area: f64,
    /// The middle of its bounds.
    pub(crate) middle: (f64, f64),
}

/// All zones in the order of the file.
#[derive(Clone, Debug)]
pub(crate) struct Zones {
    pub(crate) list: Vec<Zone>,
    /// West, south, east, north.
    pub(crate) bounds: [f64; 4],
}

impl Zone {
    pub(crate) fn contains(&self, lon: f64, lat: f64) -> bool {
        let point = Point::new(lon, lat);
        self.bounds.contains(&point) && self.shape.contains(&point)
    }

    /// A random place inside, with six decimals (about 0.1 m).
    pub(crate) fn place(&self, key: u64) -> (f64, f64) {
        let six = |degrees: f64| (degrees * 1e6).round() / 1e6;
        let (min, max) = (self.bounds.min(), self.bounds.max());
        for attempt in 0..10_000 {
            let key = mix(key, attempt);
            let lon = six(between(mix(key, 11), min.x, max.x));
            let lat = six(between(mix(key, 12), min.y, max.y));
            if self.contains(lon, lat) {
                return (lon, lat);
            }
        }
        // A zone that covers less than a thousandth of its own bounds: take a corner of it.
        let corner = self.shape.0.first().and_then(|p| p.exterior().0.first().copied());
        corner.map_or(self.middle, |c| (c.x, c.y))
    }
}

impl Zones {
    /// Reads a GeoJSON feature collection; names in `name` (a text, or `en` and `zh`), `name_zh`.
    pub(crate) fn parse(text: &str) -> Result<Self, SimError> {
        let json: GeoJson = text.parse().map_err(|error| SimError::Zones(format!("{error}")))?;
        let GeoJson::FeatureCollection(collection) = json else {
            return Err(SimError::Zones("the file is not a FeatureCollection".to_owned()));
        };
        let mut list = Vec::with_capacity(collection.features.len());
        for (index, feature) in collection.features.into_iter().enumerate() {
            let fail = |what: &str| SimError::Zones(format!("feature {}: {what}", index + 1));
            let name = name_of(&feature).ok_or_else(|| fail("it has no `name`"))?;
            let geometry = feature.geometry.ok_or_else(|| fail("it has no geometry"))?;
            let shape = match geo::Geometry::<f64>::try_from(geometry) {
                Ok(geo::Geometry::MultiPolygon(shape)) => shape,
                Ok(geo::Geometry::Polygon(polygon)) => MultiPolygon(vec![polygon]),
                _ => return Err(fail("its geometry is neither Polygon nor MultiPolygon")),
            };
            let bounds = shape.bounding_rect().ok_or_else(|| fail("its polygon is empty"))?;
            let middle = (bounds.center().x, bounds.center().y);
            let square = KM_PER_DEGREE * KM_PER_DEGREE * middle.1.to_radians().cos();
            let area = shape.unsigned_area() * square;
            list.push(Zone { name, shape, bounds, area, middle });
        }
        if list.is_empty() {
            return Err(SimError::Zones("the file holds no zone".to_owned()));
        }
        let mut bounds = [f64::MAX, f64::MAX, f64::MIN, f64::MIN];
        for zone in &list {
            let (min, max) = (zone.bounds.min(), zone.bounds.max());
            bounds = [
                bounds[0].min(min.x),
                bounds[1].min(min.y),
                bounds[2].max(max.x),
                bounds[3].max(max.y),
            ];
        }
        Ok(Self { list, bounds })
    }

    pub(crate) fn by_name(&self, name: &str) -> Option<usize> {
        self.list.iter().position(|zone| zone.name.en == name)
    }

    /// Whether a place lies in any zone.
    pub(crate) fn contain(&self, lon: f64, lat: f64) -> bool {
        self.list.iter().any(|zone| zone.contains(lon, lat))
    }

    /// Shares a number of things out over zones by area: at least one each if they suffice, the
    /// rest to the largest remainders.
    pub(crate) fn share_out(&self, count: usize) -> Vec<usize> {
        let least = usize::from(count >= self.list.len());
        let rest = count - least * self.list.len();
        let total: f64 = self.list.iter().map(|zone| zone.area).sum();
        let exact: Vec<f64> = self.list.iter().map(|z| z.area / total * rest as f64).collect();
        let mut shares: Vec<usize> = exact.iter().map(|part| part.floor() as usize).collect();
        let mut order: Vec<usize> = (0..exact.len()).collect();
        order.sort_by(|a, b| exact[*b].fract().total_cmp(&exact[*a].fract()).then(a.cmp(b)));
        let left = rest - shares.iter().sum::<usize>();
        for index in order.into_iter().take(left) {
            shares[index] += 1;
        }
        shares.iter().map(|share| share + least).collect()
    }

    /// Splits the zones into compact groups of about the same area: halves along the longer side,
    /// again and again. Fewer than `groups` if there are fewer zones.
    pub(crate) fn regions(&self, groups: usize) -> Vec<Vec<usize>> {
        let mut regions = Vec::with_capacity(groups);
        self.split((0..self.list.len()).collect(), groups, &mut regions);
        regions
    }

    fn split(&self, mut zones: Vec<usize>, groups: usize, out: &mut Vec<Vec<usize>>) {
        if groups <= 1 || zones.len() <= 1 {
            if !zones.is_empty() {
                out.push(zones);
            }
            return;
        }
        let extent = |axis: fn(&Zone) -> f64| {
            let values = zones.iter().map(|zone| axis(&self.list[*zone]));
            let (low, high) = values.fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)));
            high - low
        };
        // A degree of longitude is shorter than one of latitude.
        let scale = self.bounds[1].to_radians().cos();
        let axis = if extent(lon) * scale > extent(lat) { lon } else { lat };
        zones.sort_by(|a, b| axis(&self.list[*a]).total_cmp(&axis(&self.list[*b])).then(a.cmp(b)));
        let half = groups / 2;
        let total: f64 = zones.iter().map(|zone| self.list[*zone].area).sum();
        let (mut sum, mut cut) = (0.0, 0);
        while cut + (groups - half) < zones.len()
            && (cut < half || sum < total * half as f64 / groups as f64)
        {
            sum += self.list[zones[cut]].area;
            cut += 1;
        }
        let cut = cut.clamp(1, zones.len() - 1);
        let right = zones.split_off(cut);
        self.split(zones, half, out);
        self.split(right, groups - half, out);
    }
}

const fn lon(zone: &Zone) -> f64 {
    zone.middle.0
}

const fn lat(zone: &Zone) -> f64 {
    zone.middle.1
}

fn name_of(feature: &geojson::Feature) -> Option<LocalText> {
    let properties = feature.properties.as_ref()?;
    let name = properties.get("name")?;
    if let Some(en) = name.as_str() {
        let zh = properties.get("name_zh").and_then(|zh| zh.as_str()).unwrap_or(en);
        return Some(LocalText::new(en, zh));
    }
    let en = name.get("en")?.as_str()?;
    Some(LocalText::new(en, name.get("zh").and_then(|zh| zh.as_str()).unwrap_or(en)))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const CHICAGO: &str =
        include_str!("../../crates/citybrain/assets/chicago/zones.geojson");

    #[test]
    fn random_places_are_inside() {
        let zones = Zones::parse(CHICAGO).expect("zones");
        assert_eq!(zones.list.len(), 98);
        for (index, zone) in zones.list.iter().enumerate() {
            assert_ne!(zone.name.en, zone.name.zh, "both languages");
            for n in 0..5 {
                let (lon, lat) = zone.place(mix(index as u64, n));
                assert!(zone.contains(lon, lat), "{} {lon} {lat}", zone.name.en);
            }
        }
        assert!(!zones.contain(-87.50, 41.90), "Lake Michigan is no neighbourhood");
    }

    #[test]
    fn shares_add_up() {
        let zones = Zones::parse(CHICAGO).expect("zones");
        for count in [1, 97, 98, 120, 560] {
            let shares = zones.share_out(count);
            assert_eq!(shares.iter().sum::<usize>(), count);
            assert!(count < 98 || shares.iter().all(|share| *share >= 1));
        }
    }

    #[test]
    fn regions_are_a_partition_of_about_equal_area() {
        let zones = Zones::parse(CHICAGO).expect("zones");
        let regions = zones.regions(24);
        assert_eq!(regions.len(), 24);
        let mut all: Vec<usize> = regions.iter().flatten().copied().collect();
        all.sort_unstable();
        assert_eq!(all, (0..98).collect::<Vec<_>>());
        for region in regions {
            let area: f64 = region.iter().map(|zone| zones.list[*zone].area).sum();
            assert!((4.0..70.0).contains(&area), "{area} km²");
        }
    }

    #[test]
    fn a_file_without_names_says_so() {
        let text = r#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},
            "geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}}]}"#;
        let error = Zones::parse(text).expect_err("no name").to_string();
        assert!(error.contains("feature 1: it has no `name`"), "{error}");
    }
}
