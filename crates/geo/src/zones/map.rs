//! Zones as the map draws them: simplified, rounded, in small GeoJSON.

use geo::orient::{Direction, Orient};
use geo::{BooleanOps, CoordsIter, LineString, MultiPolygon, Polygon, Rect, Simplify, Translate};
use serde_json::{Value, json};

use city_model::{Position, Zone};

/// Five decimals are about a metre.
const DECIMALS: f64 = 1e5;

pub(super) fn feature(zone: &Zone, shape: &MultiPolygon<f64>, tolerance_deg: f64) -> Value {
    let polygons = drawn(shape, tolerance_deg, rings);
    json!({
        "type": "Feature",
        "properties": { "id": &*zone.id, "name": zone.name, "layer": &*zone.layer },
        "geometry": { "type": "MultiPolygon", "coordinates": polygons },
    })
}

/// The exteriors of a shape, closed.
pub(super) fn outlines(shape: &MultiPolygon<f64>, tolerance_deg: f64) -> Vec<Vec<Position>> {
    drawn(shape, tolerance_deg, |polygon| {
        let places = places(polygon.orient(Direction::Default).exterior())?;
        places.into_iter().map(|[lon, lat]| Position::new(lon, lat)).collect()
    })
}

/// The polygons of a shape, each drawn with a tolerance.
fn drawn<T>(
    shape: &MultiPolygon<f64>,
    tolerance_deg: f64,
    draw: impl Fn(&Polygon<f64>) -> Option<T>,
) -> Vec<T> {
    let split = shape.coords_iter().any(|place| place.x > 180.0).then(|| split(shape));
    let shape = split.as_ref().unwrap_or(shape);
    let simple: Vec<T> =
        shape.iter().filter_map(|polygon| draw(&simplified(polygon, tolerance_deg))).collect();
    // A zone smaller than the tolerance keeps its shape rather than vanish.
    if simple.is_empty() { shape.iter().filter_map(draw).collect() } else { simple }
}

/// What goes on past 180 degrees, cut there as RFC 7946 (section 3.1.9) wants it.
fn split(shape: &MultiPolygon<f64>) -> MultiPolygon<f64> {
    let turn = |turns: f64| {
        let (west, east) = (360.0 * turns - 180.0, 360.0 * turns + 180.0);
        let side = Rect::new((west, -90.0), (east, 90.0)).to_polygon();
        shape.intersection(&side).translate(-360.0 * turns, 0.0)
    };
    MultiPolygon(turn(0.0).into_iter().chain(turn(1.0)).collect())
}

fn simplified(polygon: &Polygon<f64>, tolerance_deg: f64) -> Polygon<f64> {
    if tolerance_deg > 0.0 { polygon.simplify(tolerance_deg) } else { polygon.clone() }
}

/// The rings, exterior first and anticlockwise (RFC 7946, section 3.1.6); `None` if rounding
/// leaves nothing of the exterior. Holes that round to nothing are left out.
fn rings(polygon: &Polygon<f64>) -> Option<Value> {
    let polygon = polygon.orient(Direction::Default);
    let mut rings = vec![ring(polygon.exterior())?];
    rings.extend(polygon.interiors().iter().filter_map(ring));
    Some(Value::Array(rings))
}

fn ring(line: &LineString<f64>) -> Option<Value> {
    places(line).map(|places| json!(places))
}

/// The corners of a ring as they are drawn; `None` if rounding leaves no area.
fn places(line: &LineString<f64>) -> Option<Vec<[f64; 2]>> {
    let mut places: Vec<[f64; 2]> = line.coords().map(|c| [round(c.x), round(c.y)]).collect();
    places.dedup();
    (places.len() >= 4).then_some(places)
}

fn round(degrees: f64) -> f64 {
    (degrees * DECIMALS).round() / DECIMALS
}
