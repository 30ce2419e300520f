//! Reads zones from GeoJSON (RFC 7946) and says which features could not be used, and why.

use std::fmt;

use city_model::{LocalText, Position, Zone, ZoneKey};
use geo::{Area as _, Coord, CoordsIter, LineString, MultiPolygon, Polygon};
use geojson::{Feature, GeometryValue, feature};
use serde::Deserialize;

use super::area::{Area, bounds_of};
use super::slug::{TakenIds, slug};
use super::{Parts, ZoneIndex};

/// How to read a zone file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ZoneOptions {
    /// The layer of all its zones, such as `neighbourhood`.
    pub layer: String,
    /// The property that holds a stable id; without it the id is made from the name.
    pub id_property: Option<String>,
    /// The property that holds the name; `name` if not given.
    pub name_property: Option<String>,
    /// The property that holds the Chinese name; the name serves for both languages otherwise.
    pub name_zh_property: Option<String>,
}

/// What was read.
#[derive(Debug)]
pub struct Loaded {
    /// The zones of all features that could be used.
    pub index: ZoneIndex,
    /// The features that could not.
    pub problems: Vec<ZoneProblem>,
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
}

pub(super) fn from_geojson(text: &str, options: &ZoneOptions) -> Result<Loaded, ZoneFileError> {
    let text = text.trim_start_matches('\u{feff}');
    let collection: Collection = serde_json::from_str(text)?;
    if collection.kind != "FeatureCollection" {
        return Err(ZoneFileError::NotACollection { found: collection.kind });
    }
    let mut reader = Reader { options, taken: TakenIds::default(), parts: Parts::default() };
    let mut problems = Vec::new();
    for (feature, value) in collection.features.into_iter().enumerate() {
        let name = value.get("properties").and_then(|all| text_of(all.get(reader.name_key())?));
        if let Err(reason) = reader.read(value) {
            problems.push(ZoneProblem { feature, name, reason });
        }
    }
    Ok(Loaded { index: ZoneIndex::assemble(reader.parts), problems })
}

struct Reader<'a> {
    options: &'a ZoneOptions,
    taken: TakenIds,
    parts: Parts,
}

impl Reader<'_> {
    fn name_key(&self) -> &str {
        self.options.name_property.as_deref().unwrap_or("name")
    }

    fn read(&mut self, value: serde_json::Value) -> Result<(), SkipReason> {
        let feature: Feature = serde_json::from_value(value)
            .map_err(|error| SkipReason::Malformed { problem: error.to_string() })?;
        let (id, name) = self.id_and_name(&feature)?;
        let polygons = polygons_of(feature)?;
        let areas: Vec<Area> = polygons.iter().filter_map(Area::new).collect();
        let bounds = areas.iter().map(Area::bounds).reduce(super::area::union);
        let bounds = bounds.ok_or(SkipReason::Empty)?;

        let key = ZoneKey(self.parts.zones.len() as u32);
        self.parts.zones.push(Zone {
            key,
            id: self.taken.take(slug(&id)).into(),
            name,
            layer: self.options.layer.as_str().into(),
            label: label_of(&areas, &polygons),
            bounds,
        });
        self.parts.shapes.push(polygons);
        self.parts.areas.extend(areas.into_iter().map(|area| (key, area)));
        Ok(())
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

/// The polygons of a feature that enclose something, with coordinates checked.
fn polygons_of(feature: Feature) -> Result<MultiPolygon<f64>, SkipReason> {
    let polygons = match feature.geometry.ok_or(SkipReason::NoGeometry)?.value {
        GeometryValue::Polygon { coordinates } => vec![coordinates],
        GeometryValue::MultiPolygon { coordinates } => coordinates,
        other => return Err(SkipReason::NotAnArea { found: other.type_name() }),
    };
    let mut kept = Vec::with_capacity(polygons.len());
    for rings in polygons {
        let mut rings = rings.iter().map(|ring| ring_of(ring));
        let Some(exterior) = rings.next() else { continue };
        let polygon = Polygon::new(exterior?, rings.collect::<Result<_, _>>()?);
        if polygon.unsigned_area() > 0.0 {
            kept.push(polygon);
        }
    }
    Ok(MultiPolygon(kept))
}

/// A ring of positions; written here because `geojson`'s own conversion panics on a position with
/// fewer than two numbers.
fn ring_of(positions: &[geojson::Position]) -> Result<LineString<f64>, SkipReason> {
    let coord = |position: &geojson::Position| match *position.as_slice() {
        [lon, lat, ..] if Position::new(lon, lat).is_some() => Ok(Coord { x: lon, y: lat }),
        [lon, lat, ..] => Err(SkipReason::OutOfRange { lon, lat }),
        _ => Err(SkipReason::Malformed {
            problem: "a position needs at least two numbers, longitude and latitude".into(),
        }),
    };
    positions.iter().map(coord).collect()
}

/// The label's place: in the widest part; a corner if the zone is a sliver.
fn label_of(areas: &[Area], polygons: &MultiPolygon<f64>) -> Position {
    let widest = areas.iter().filter_map(Area::label).max_by(|a, b| a.1.total_cmp(&b.1));
    let corner = || bounds_of(polygons.coords_iter().take(1));
    match (widest, corner()) {
        (Some((place, _)), _) => Position { lon: place.x, lat: place.y },
        (None, Some([lon, lat, ..])) => Position { lon, lat },
        // Not reached: a zone without areas is skipped before.
        (None, None) => Position { lon: 0.0, lat: 0.0 },
    }
}
