//! Reads zones from GeoJSON (RFC 7946) and says which features could not be used, and why.

use std::fmt;

use city_model::{Crs, LocalText, Position, Zone, ZoneKey};
use geo::{ChamberlainDuquetteArea, Coord, CoordsIter, MultiPolygon};
use geojson::{Feature, GeometryValue, feature};
use serde::Deserialize;

use super::area::Area;
use super::hierarchy::Wanted;
use super::meridian::{around, normal};
use super::repair::{Repair, mend};
use super::slug::{TakenIds, slug};
use super::tree::Bounds;
use super::{Parts, ZoneIndex};
use crate::crs::to_wgs84;
use crate::{DEFAULT_MARGIN_DEG, Plausibility, plausibility};

/// No city lies beyond these latitudes; zones that do have their numbers swapped.
const UNINHABITED_DEG: f64 = 84.0;

/// Square metres in a square kilometre.
const M2_PER_KM2: f64 = 1e6;

/// How to read a zone file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ZoneOptions {
    /// The layer of all its zones, such as `neighbourhood`.
    pub layer: String,
    /// The property that holds a stable id; without it the id is made from the name.
    pub id_property: Option<String>,
    /// The property that holds the name; `name` if not given.
    pub name_property: Option<String>,
    /// The property that holds the Chinese name; the name serves for both languages otherwise.
    pub name_zh_property: Option<String>,
    /// The property that holds the id or the name of the zone above. Without it the zone above is
    /// the smallest larger one of another layer that holds the label.
    pub parent_property: Option<String>,
    /// The layer of the zones above; any other one if not given.
    pub parent_layer: Option<String>,
    /// The coordinate system of the file's numbers.
    pub crs: Crs,
    /// West, south, east, north of where zones are expected, if that is known: tells when the
    /// two numbers of all positions are swapped.
    pub near: Option<[f64; 4]>,
}

/// What was read.
#[derive(Debug)]
pub struct Loaded {
    /// The zones of all features that could be used.
    pub index: ZoneIndex,
    /// The features that could not.
    pub problems: Vec<ZoneProblem>,
    /// The features whose geometry had to be mended.
    pub repairs: Vec<ZoneRepair>,
    /// What is odd about the file as a whole.
    pub oddity: Option<ZoneFileOddity>,
}

/// What is odd about a file that can be read.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum ZoneFileOddity {
    /// Every zone lies elsewhere, and at home with its numbers swapped.
    #[error(
        "longitude and latitude seem to be swapped: the zones lie around {lon:.2}, {lat:.2}; GeoJSON is longitude first"
    )]
    Swapped {
        /// The first zone's longitude as read.
        lon: f64,
        /// And its latitude.
        lat: f64,
    },
    /// No zone lies where zones are expected.
    #[error("no zone lies near the city: they lie around {lon:.2}, {lat:.2}")]
    Elsewhere {
        /// The first zone's longitude.
        lon: f64,
        /// And its latitude.
        lat: f64,
    },
}

/// Why a file cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum ZoneFileError {
    /// Not JSON, or not an object with a `type`; the message has line and column.
    #[error("the zone file is not GeoJSON: {0}")]
    Syntax(#[from] serde_json::Error),
    /// GeoJSON, but of one thing instead of many.
    #[error("the zone file holds a `{found}`; put its areas into a FeatureCollection")]
    NotACollection {
        /// Its type.
        found: String,
    },
    /// The file says that its numbers are in a system that is not read.
    #[error(
        "the zone file says that its coordinates are {name}; convert it to WGS-84, or give its `crs` if it is wrong"
    )]
    ForeignCrs {
        /// The system's name in the file.
        name: String,
    },
}

/// A feature that was mended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneRepair {
    /// Its index in the collection, from 0.
    pub feature: usize,
    /// The id of the zone.
    pub zone: String,
    /// What was done, each once.
    pub repairs: Vec<Repair>,
    /// The id that it asked for, if another zone has that.
    pub wanted_id: Option<String>,
}

impl ZoneRepair {
    /// Whether it is worth a warning: the shape or the id is not what the file says.
    pub fn is_grave(&self) -> bool {
        self.wanted_id.is_some() || self.repairs.iter().any(|repair| repair.changes_shape())
    }
}

impl fmt::Display for ZoneRepair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "features[{}] ({}): ", self.feature, self.zone)?;
        let id = self.wanted_id.iter().map(|id| format!("the id `{id}` is taken"));
        let all: Vec<String> = self.repairs.iter().map(ToString::to_string).chain(id).collect();
        f.write_str(&all.join("; "))
    }
}

/// A feature that was skipped.
#[derive(Clone, Debug, PartialEq)]
pub struct ZoneProblem {
    /// Its index in the collection, from 0.
    pub feature: usize,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Why.
    pub reason: SkipReason,
}

impl fmt::Display for ZoneProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "features[{}]", self.feature)?;
        if let Some(name) = &self.name {
            write!(f, " ({name})")?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// Why a feature was skipped.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SkipReason {
    /// Not a GeoJSON feature.
    #[error("it is not a GeoJSON feature: {problem}")]
    Malformed {
        /// What the reader found.
        problem: String,
    },
    /// Nothing to name it by.
    #[error("it has no text or number in the property `{property}`; name the right property")]
    NoName {
        /// The property that was looked for.
        property: String,
    },
    /// The id property is configured but missing here.
    #[error("it has no text or number in the property `{property}`, which is to hold its id")]
    NoId {
        /// The property that was looked for.
        property: String,
    },
    /// No geometry.
    #[error("it has no geometry")]
    NoGeometry,
    /// A geometry that is not an area.
    #[error("its geometry is a {found}; a zone needs a Polygon or MultiPolygon")]
    NotAnArea {
        /// The type of the geometry.
        found: &'static str,
    },
    /// Coordinates that are not degrees.
    #[error(
        "its coordinates are not degrees ({lon}, {lat}); convert the file to WGS-84, longitude first"
    )]
    OutOfRange {
        /// The first offending first number.
        lon: f64,
        /// And its second.
        lat: f64,
    },
    /// Coordinates that are degrees the other way round.
    #[error(
        "its positions are latitude first ({lon}, {lat}); GeoJSON is longitude first (RFC 7946, section 3.1.1)"
    )]
    Swapped {
        /// The first offending first number.
        lon: f64,
        /// And its second.
        lat: f64,
    },
    /// Rings that enclose nothing.
    #[error("its rings enclose no area")]
    Empty,
}

#[derive(Deserialize)]
struct Collection {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    features: Vec<serde_json::Value>,
    #[serde(default)]
    crs: serde_json::Value,
}

/// The systems of the member `crs` (GeoJSON of 2008) that are WGS-84, or as good as that.
const KNOWN_CRS: &[&str] = &["CRS84", "4326", "4490", "WGS84", "WGS-84"];

pub(super) fn from_geojson(text: &str, options: &ZoneOptions) -> Result<Loaded, ZoneFileError> {
    let text = text.trim_start_matches('\u{feff}');
    let collection: Collection = serde_json::from_str(text)?;
    if collection.kind != "FeatureCollection" {
        return Err(ZoneFileError::NotACollection { found: collection.kind });
    }
    let declared = collection.crs.pointer("/properties/name").and_then(|name| name.as_str());
    if let Some(name) = declared.filter(|_| options.crs == Crs::Wgs84)
        && !KNOWN_CRS.iter().any(|known| name.ends_with(known))
    {
        return Err(ZoneFileError::ForeignCrs { name: name.to_owned() });
    }
    let mut reader = Reader {
        options,
        taken: TakenIds::default(),
        parts: Parts::default(),
        repairs: Vec::new(),
    };
    let mut problems = Vec::new();
    for (feature, value) in collection.features.into_iter().enumerate() {
        let name = value.get("properties").and_then(|all| text_of(all.get(reader.name_key())?));
        if let Err(reason) = reader.read(feature, value) {
            problems.push(ZoneProblem { feature, name, reason });
        }
    }
    let Reader { parts, repairs, .. } = reader;
    let oddity = oddity(&parts.zones, options.near);
    Ok(Loaded { index: ZoneIndex::assemble(parts), problems, repairs, oddity })
}

/// What the places of all zones together say.
fn oddity(zones: &[Zone], near: Option<[f64; 4]>) -> Option<ZoneFileOddity> {
    let Position { lon, lat } = zones.first()?.label;
    let all = |judge: &dyn Fn(f64, f64) -> bool| {
        zones.iter().all(|zone| judge(zone.label.lon, zone.label.lat))
    };
    if let Some(near) = near {
        let is = |wanted: Plausibility| {
            all(&|lon, lat| plausibility(lon, lat, near, DEFAULT_MARGIN_DEG) == wanted)
        };
        if is(Plausibility::Swapped) {
            return Some(ZoneFileOddity::Swapped { lon, lat });
        }
        return is(Plausibility::Far).then_some(ZoneFileOddity::Elsewhere { lon, lat });
    }
    all(&|_, lat| lat.abs() > UNINHABITED_DEG).then_some(ZoneFileOddity::Swapped { lon, lat })
}

struct Reader<'a> {
    options: &'a ZoneOptions,
    taken: TakenIds,
    parts: Parts,
    repairs: Vec<ZoneRepair>,
}

impl Reader<'_> {
    fn name_key(&self) -> &str {
        self.options.name_property.as_deref().unwrap_or("name")
    }

    fn read(&mut self, place: usize, value: serde_json::Value) -> Result<(), SkipReason> {
        let feature: Feature = serde_json::from_value(value)
            .map_err(|error| SkipReason::Malformed { problem: error.to_string() })?;
        let (id, name) = self.id_and_name(&feature)?;
        let parent = self
            .options
            .parent_property
            .as_deref()
            .map(|key| feature.property(key).and_then(text_of).unwrap_or_default());
        let mut repairs = Vec::new();
        let shape = self.shape(feature, &mut repairs)?;
        let wanted_id = slug(&id);
        let id = self.taken.take(wanted_id.clone());
        repairs.sort_unstable();
        repairs.dedup();
        if !repairs.is_empty() || id != wanted_id {
            let wanted_id = (id != wanted_id).then_some(wanted_id);
            self.repairs.push(ZoneRepair { feature: place, zone: id.clone(), repairs, wanted_id });
        }
        let key = ZoneKey(self.parts.zones.len() as u32);
        self.parts.zones.push(zone(key, id, name, &self.options.layer, &shape)?);
        self.parts.shapes.push(shape);
        self.parts.wanted.push(Wanted { parent, layer: self.options.parent_layer.clone() });
        Ok(())
    }

    /// The polygons of a feature that enclose something, in WGS-84.
    fn shape(
        &self,
        feature: Feature,
        repairs: &mut Vec<Repair>,
    ) -> Result<MultiPolygon<f64>, SkipReason> {
        let polygons = match feature.geometry.ok_or(SkipReason::NoGeometry)?.value {
            GeometryValue::Polygon { coordinates } => vec![coordinates],
            GeometryValue::MultiPolygon { coordinates } => coordinates,
            other => return Err(SkipReason::NotAnArea { found: other.type_name() }),
        };
        let mut kept = Vec::with_capacity(polygons.len());
        for rings in polygons {
            let rings = rings.iter().map(|ring| coords_of(ring, self.options.crs));
            kept.extend(mend(rings.collect::<Result<_, _>>()?, repairs));
        }
        if kept.is_empty() { Err(SkipReason::Empty) } else { Ok(MultiPolygon(kept)) }
    }

    fn id_and_name(&self, feature: &Feature) -> Result<(String, LocalText), SkipReason> {
        let text = |key: &str| feature.property(key).and_then(text_of);
        let id = match &self.options.id_property {
            None => None,
            Some(key) => {
                let id = text(key).or_else(|| member_id(feature).filter(|_| key == "id"));
                Some(id.ok_or_else(|| SkipReason::NoId { property: key.clone() })?)
            }
        };
        let name = text(self.name_key())
            .or_else(|| id.clone())
            .ok_or_else(|| SkipReason::NoName { property: self.name_key().to_owned() })?;
        let zh = self.options.name_zh_property.as_deref().and_then(text);
        Ok((
            id.unwrap_or_else(|| name.clone()),
            LocalText::new(&name, zh.as_ref().unwrap_or(&name)),
        ))
    }
}

/// The feature's own `id` member (RFC 7946, section 3.2).
fn member_id(feature: &Feature) -> Option<String> {
    match feature.id.as_ref()? {
        feature::Id::String(text) => Some(text.clone()),
        feature::Id::Number(number) => Some(number.to_string()),
    }
}

fn text_of(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Positions in WGS-84; written here because `geojson`'s own conversion panics on a position with
/// fewer than two numbers.
fn coords_of(ring: &[geojson::Position], crs: Crs) -> Result<Vec<Coord<f64>>, SkipReason> {
    let coord = |position: &geojson::Position| match *position.as_slice() {
        [lon, lat, ..] if lon.abs() <= 360.0 && lat.abs() <= 90.0 => {
            let (x, y) = to_wgs84(crs, lon, lat);
            Ok(Coord { x, y })
        }
        [lon, lat, ..] if lon.abs() <= 90.0 && lat.abs() <= 180.0 => {
            Err(SkipReason::Swapped { lon, lat })
        }
        [lon, lat, ..] => Err(SkipReason::OutOfRange { lon, lat }),
        _ => Err(SkipReason::Malformed {
            problem: "a position needs at least two numbers, longitude and latitude".into(),
        }),
    };
    ring.iter().map(coord).collect()
}

/// A zone of this shape, without a parent.
pub(super) fn zone(
    key: ZoneKey,
    id: String,
    name: LocalText,
    layer: &str,
    shape: &MultiPolygon<f64>,
) -> Result<Zone, SkipReason> {
    let areas: Vec<Area> = shape.iter().filter_map(Area::new).collect();
    let bounds: Bounds = around(areas.iter().map(Area::bounds)).ok_or(SkipReason::Empty)?;
    Ok(Zone {
        key,
        id: id.into(),
        name,
        layer: layer.into(),
        label: label_of(&areas, shape),
        bounds,
        parent: None,
        area_km2: shape.chamberlain_duquette_unsigned_area() / M2_PER_KM2,
    })
}

/// The label's place: in the widest part; a corner if the zone is a sliver.
fn label_of(areas: &[Area], shape: &MultiPolygon<f64>) -> Position {
    let widest = areas.iter().filter_map(Area::label).max_by(|a, b| a.1.total_cmp(&b.1));
    let place = widest.map(|(place, _)| place).or_else(|| shape.coords_iter().next());
    // Never without a corner: a shape without areas is no zone.
    place.map_or(Position { lon: 0.0, lat: 0.0 }, |place| Position {
        lon: normal(place.x),
        lat: place.y,
    })
}
