//! The properties of entities, for answers and for filters.

use city_model::{Device, Placement, Position, Quality, Value as Measured};
use city_sta::{Entity, Value};
use serde_json::{Value as Json, json};

use super::item::{Item, Series, Set};
use super::world::World;

/// GeoJSON (OGC 18-088, table 15).
const GEOJSON: &str = "application/geo+json";
/// Types of observations (OGC 18-088, table 16; OGC 10-004r3).
const OM: &str = "http://www.opengis.net/def/observationType/OGC-OM/2.0";

/// The value of a property; `null` if it has none.
pub(super) fn property(world: &World, item: &Item, name: &str) -> Json {
    match (item, name) {
        (Item::Thing(device), _) => thing(world, device, name),
        (Item::Location(device, _, position), _) => match name {
            "location" => point(*position),
            "encodingType" => json!(GEOJSON),
            "description" => json!("WGS-84, longitude first"),
            "properties" => json!({ "moving": device.placement == Placement::Moving }),
            _ => thing(world, device, name),
        },
        (Item::HistoricalLocation(_, at, _), "time") => json!(at),
        (Item::Datastream(series), _) => datastream(world, series, name),
        (Item::Sensor(kind), _) => {
            let names = world.kind(kind).map(|(_, names)| names);
            match name {
                "name" => json!(names.map(|names| world.told(names))),
                "description" => json!(format!("kind of device `{kind}`")),
                "encodingType" => json!("application/json"),
                "metadata" => json!({ "kind": kind, "names": names }),
                _ => json!({}),
            }
        }
        (Item::ObservedProperty(metric), _) => {
            let Some(metric) = world.metric(*metric) else { return Json::Null };
            match name {
                "name" => json!(world.told(&metric.name)),
                "description" => json!(format!("metric `{}` in {}", metric.id, metric.symbol)),
                "definition" => json!(format!("urn:citybrain:metric:{}", metric.id)),
                _ => json!({ "names": metric.name, "unit": metric.unit,
                    "range": metric.range.map(|range| [range.min, range.max]) }),
            }
        }
        (Item::Observation(series, reading), _) => match name {
            "phenomenonTime" | "resultTime" => json!(reading.time),
            "result" => json!(reading.value),
            "resultQuality" => json!(quality_name(reading.quality)),
            "parameters" => json!({ "simulated": is_simulated(world, series) }),
            _ => Json::Null,
        },
        (Item::FeatureOfInterest(device), _) => match name {
            "feature" => json!({ "type": "Feature", "properties": {},
                "geometry": world.position(device).map(point) }),
            "encodingType" => json!(GEOJSON),
            "description" => json!("where the device observes: at its own place"),
            "properties" => json!({}),
            _ => thing(world, device, name),
        },
        _ => Json::Null,
    }
}

fn thing(world: &World, device: &Device, name: &str) -> Json {
    match name {
        "name" => json!(world.told(&device.name)),
        "description" => {
            let kind = world.kind(&device.kind).map(|(_, names)| world.told(names));
            json!(kind.unwrap_or(&device.kind))
        }
        "properties" => json!({
            "names": device.name,
            "kind": device.kind,
            "department": device.department,
            "life_cycle": device.life_cycle,
            "moving": device.placement == Placement::Moving,
            "interval_s": device.interval.map(city_model::Span::secs_f64),
            "gateway": device.gateway,
            "simulated": device.simulated || world.app.simulated,
            "attributes": device.attributes,
        }),
        _ => Json::Null,
    }
}

fn datastream(world: &World, series: &Series, name: &str) -> Json {
    let Some(metric) = world.metric(series.metric) else { return Json::Null };
    let device = &series.device;
    match name {
        "name" => json!(format!("{} – {}", world.told(&device.name), world.told(&metric.name))),
        "description" => json!(format!("readings of `{}` by `{}`", metric.id, device.id)),
        "unitOfMeasurement" => json!({
            "name": metric.symbol,
            "symbol": metric.symbol,
            "definition": format!("ucum:{}", metric.unit),
        }),
        "observationType" => {
            let kind = match world.last(series.key()).map(|last| last.value) {
                Some(Measured::Bool(_)) => "OM_TruthObservation",
                Some(Measured::Text(_)) => "OM_Observation",
                _ => "OM_Measurement",
            };
            json!(format!("{OM}/{kind}"))
        }
        "properties" => json!({ "metric": metric.id, "device": device.id,
            "department": device.department, "simulated": is_simulated(world, series) }),
        _ => Json::Null,
    }
}

fn is_simulated(world: &World, series: &Series) -> bool {
    let marked = |last: city_store::LastValue| last.marks.has(city_model::Marks::SIMULATED);
    series.device.simulated || world.app.simulated || world.last(series.key()).is_some_and(marked)
}

fn point(position: Position) -> Json {
    json!({ "type": "Point", "coordinates": [position.lon, position.lat] })
}

const fn quality_name(quality: Quality) -> &'static str {
    match quality {
        Quality::Pass => "pass",
        Quality::NotEvaluated => "not_evaluated",
        Quality::Suspect => "suspect",
        Quality::Fail => "fail",
        Quality::Missing => "missing",
    }
}

/// An entity in its city, for filters and orders.
pub(super) struct Seen<'a> {
    pub(super) world: &'a World,
    pub(super) item: &'a Item,
}

impl Entity for Seen<'_> {
    fn value(&self, path: &[String]) -> Value {
        let Some((first, rest)) = path.split_first() else { return Value::Null };
        let (world, item) = (self.world, self.item);
        match (first.trim_start_matches("@iot."), item) {
            ("id", _) => return Value::Text(item.id(world)),
            ("selfLink", _) => return Value::Text(super::links::self_link(world, item)),
            // Most filters are about these, and there are many of them.
            ("phenomenonTime" | "resultTime", Item::Observation(_, reading)) => {
                return Value::Time(reading.time);
            }
            ("result", Item::Observation(_, reading)) => {
                return match &reading.value {
                    Measured::Number(number) => Value::Number(*number),
                    Measured::Bool(state) => Value::Bool(*state),
                    Measured::Text(text) => Value::Text(text.to_string()),
                };
            }
            _ => {}
        }
        if let Some(relation) = item.kind().relation(first) {
            let Set::Listed(related) = item.related(world, relation.target) else {
                return Value::Null;
            };
            if !world.visit(related.len() + 1) {
                return Value::Null;
            }
            let values = related.iter().map(|item| Seen { world, item }.value(rest));
            if !relation.many {
                return values.last().unwrap_or_default();
            }
            let mut all = Vec::with_capacity(related.len());
            for value in values {
                match value {
                    Value::Many(inner) => all.extend(inner),
                    one => all.push(one),
                }
            }
            return Value::Many(all);
        }
        let mut json = property(world, item, first);
        for step in rest {
            json = json.get_mut(step).map(Json::take).unwrap_or_default();
        }
        Value::from_json(json)
    }
}
