//! Zones as the map draws them: simplified, rounded, in small GeoJSON.

use geo::orient::{Direction, Orient};
use geo::{BooleanOps, CoordsIter, LineString, MultiPolygon, Polygon, Rect, Simplify, Translate};
use serde_json::{Value, json};

use city_model::Zone;

/// Five decimals are about a metre.
const DECIMALS: f64 = 1e5;

pub(super) fn feature(zone: &Zone, shape: &MultiPolygon<f64>, tolerance_deg: f64) -> Value {
    let split = shape.coords_iter().any(|place| place.x > 180.0).then(|| split(shape));
    let shape = split.as_ref().unwrap_or(shape);
    let simple: Vec<Value> =
        shape.iter().filter_map(|polygon| rings(&simplified(polygon, tolerance_deg))).collect();
    // A zone smaller than the tolerance keeps its shape rather than vanish.
    let polygons =
        if simple.is_empty() { shape.iter().filter_map(rings).collect() } else { simple };
    json!({
        "type": "Feature",
        "properties": { "id": &*zone.id, "name": zone.name, "layer": &*zone.layer },
        "geometry": { "type": "MultiPolygon", "coordinates": polygons },
    })
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
    let mut places: Vec<[f64; 2]> = line.coords().map(|c| [round(c.x), round(c.y)]).collect();
    places.dedup();
    (places.len() >= 4).then(|| json!(places))
}

fn round(degrees: f64) -> f64 {
    (degrees * DECIMALS).round() / DECIMALS
}
