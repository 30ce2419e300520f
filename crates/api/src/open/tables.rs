//! Devices and newest readings as JSON, CSV and GeoJSON.

use std::collections::BTreeMap;

use city_model::{Attribute, LocalText, Position, Quality, Timestamp, Value};
use serde::Serialize;
use serde_json::{Value as Json, json};
use utoipa::ToSchema;

use super::cache::Encoded;
use super::csv::{self, Line};
use super::view::{PublicDataset, PublicDevice, PublicValue};
use crate::problem::{Answer, Problem, codes};
use crate::schema;

const JSON: &str = "application/json";
const GEOJSON: &str = "application/geo+json";

/// A table of a dataset, by the name of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Table {
    rows: Rows,
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rows {
    Devices,
    Latest,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Json,
    Csv,
    GeoJson,
}

/// Names of tables.
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes the parameter")]
pub(super) enum OpenTable {
    #[serde(rename = "devices.json")]
    DevicesJson,
    #[serde(rename = "devices.csv")]
    DevicesCsv,
    #[serde(rename = "devices.geojson")]
    DevicesGeoJson,
    #[serde(rename = "latest.json")]
    LatestJson,
    #[serde(rename = "latest.csv")]
    LatestCsv,
    #[serde(rename = "latest.geojson")]
    LatestGeoJson,
}

/// Devices or newest readings, as the name of the file says.
#[derive(ToSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "describes the answer")]
pub(super) enum OpenRows {
    Devices(OpenDeviceList),
    Latest(OpenLatestList),
}

/// The devices of a dataset.
#[derive(Serialize, ToSchema)]
pub(super) struct OpenDeviceList {
    items: Vec<OpenDevice>,
}

/// A device as its dataset tells of it.
#[derive(Serialize, ToSchema)]
pub(super) struct OpenDevice {
    id: String,
    /// `null` unless the dataset tells names.
    #[schema(value_type = Option<schema::LocalText>)]
    name: Option<LocalText>,
    kind: String,
    /// Whether it moves; then the position is the newest one.
    moving: bool,
    /// Longitude and latitude, as exactly as the dataset tells.
    #[schema(value_type = Option<schema::LonLat>)]
    position: Option<[f64; 2]>,
    /// The id of the smallest zone around it.
    zone: Option<String>,
    simulated: bool,
    /// Those attributes that the dataset tells.
    #[schema(value_type = BTreeMap<String, schema::ReadingValue>)]
    attributes: BTreeMap<String, Attribute>,
}

/// The newest readings of a dataset.
#[derive(Serialize, ToSchema)]
pub(super) struct OpenLatestList {
    items: Vec<OpenLatest>,
}

/// The newest reading of a series by event time.
#[derive(Serialize, ToSchema)]
pub(super) struct OpenLatest {
    device: String,
    metric: String,
    #[schema(value_type = String, format = DateTime)]
    time: Timestamp,
    #[schema(value_type = schema::ReadingValue)]
    value: Value,
    /// UCUM code.
    unit: String,
    #[schema(value_type = schema::Quality)]
    quality: Quality,
    simulated: bool,
    /// Where the device is, as exactly as the dataset tells.
    #[schema(value_type = Option<schema::LonLat>)]
    position: Option<[f64; 2]>,
}

impl Table {
    /// The table of this name.
    pub(super) fn named(name: &str) -> Answer<Self> {
        let unknown = || {
            Problem::new(codes::NOT_FOUND, "A dataset has no such file.").hint(
                "There are devices and latest as .json, .csv and .geojson, readings.csv, \
                 readings.json and readings/YYYY-MM-DD.csv.",
            )
        };
        let (rows, format) = name.split_once('.').ok_or_else(unknown)?;
        let rows = match rows {
            "devices" => Rows::Devices,
            "latest" => Rows::Latest,
            _ => return Err(unknown()),
        };
        let format = match format {
            "json" => Format::Json,
            "csv" => Format::Csv,
            "geojson" => Format::GeoJson,
            _ => return Err(unknown()),
        };
        Ok(Self { rows, format })
    }

    /// The table of a dataset as it is now. Blocks shortly.
    pub(super) fn encode(self, dataset: &PublicDataset) -> Answer<Encoded> {
        let devices = dataset.devices();
        let values: Vec<Vec<PublicValue<'_>>> = match self.rows {
            Rows::Devices => Vec::new(),
            Rows::Latest => devices.iter().map(|device| dataset.latest(device)).collect(),
        };
        let newest = values.iter().flatten().map(|value| value.time).max();
        let (bytes, content_type) = match (self.rows, self.format) {
            (Rows::Devices, Format::Json) => {
                (written(&OpenDeviceList { items: devices.iter().map(device).collect() })?, JSON)
            }
            (Rows::Devices, Format::GeoJson) => (device_features(&devices)?, GEOJSON),
            (Rows::Devices, Format::Csv) => (device_lines(dataset, &devices), csv::TYPE),
            (Rows::Latest, Format::Json) => {
                let rows = devices.iter().zip(&values);
                let rows = rows.flat_map(|(d, values)| values.iter().map(move |v| latest(d, v)));
                (written(&OpenLatestList { items: rows.collect() })?, JSON)
            }
            (Rows::Latest, Format::GeoJson) => (latest_features(&devices, &values)?, GEOJSON),
            (Rows::Latest, Format::Csv) => (latest_lines(&devices, &values), csv::TYPE),
        };
        let modified = newest.unwrap_or_default().max(dataset.described_at());
        Ok(Encoded { content_type, bytes: bytes.into(), modified })
    }
}

fn written(value: &impl Serialize) -> Answer<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| Problem::internal(&error))
}

fn lon_lat(position: Position) -> [f64; 2] {
    [position.lon, position.lat]
}

fn device(device: &PublicDevice) -> OpenDevice {
    OpenDevice {
        id: device.id.to_string(),
        name: device.name.clone(),
        kind: device.kind.to_string(),
        moving: device.moving,
        position: device.position.map(lon_lat),
        zone: device.zone.as_deref().map(str::to_owned),
        simulated: device.simulated,
        attributes: device.attributes.clone(),
    }
}

fn latest(device: &PublicDevice, value: &PublicValue<'_>) -> OpenLatest {
    OpenLatest {
        device: device.id.to_string(),
        metric: value.metric.id.to_string(),
        time: value.time,
        value: value.value.clone(),
        unit: value.metric.unit.to_string(),
        quality: value.quality,
        simulated: value.simulated,
        position: device.position.map(lon_lat),
    }
}

/// A GeoJSON feature (RFC 7946, section 3.2).
fn feature(position: Option<Position>, id: &str, properties: &Json) -> Json {
    let geometry = position.map(|p| json!({ "type": "Point", "coordinates": lon_lat(p) }));
    json!({ "type": "Feature", "id": id, "geometry": geometry, "properties": properties })
}

fn collection(features: &[Json]) -> Answer<Vec<u8>> {
    written(&json!({ "type": "FeatureCollection", "features": features }))
}

fn device_features(devices: &[PublicDevice]) -> Answer<Vec<u8>> {
    let features = devices.iter().map(|shown| {
        let mut properties = serde_json::to_value(device(shown)).unwrap_or_default();
        if let Json::Object(members) = &mut properties {
            members.remove("position");
        }
        feature(shown.position, &shown.id, &properties)
    });
    collection(&features.collect::<Vec<_>>())
}

/// One feature for each device, with its newest values by metric.
fn latest_features(devices: &[PublicDevice], values: &[Vec<PublicValue<'_>>]) -> Answer<Vec<u8>> {
    let features = devices.iter().zip(values).map(|(shown, values)| {
        let metrics: serde_json::Map<String, Json> = values
            .iter()
            .map(|value| {
                let told = json!({ "time": value.time, "value": value.value,
                    "unit": value.metric.unit, "quality": value.quality,
                    "simulated": value.simulated });
                (value.metric.id.to_string(), told)
            })
            .collect();
        let properties = json!({ "id": shown.id, "name": shown.name, "kind": shown.kind,
            "simulated": shown.simulated, "latest": metrics });
        feature(shown.position, &shown.id, &properties)
    });
    collection(&features.collect::<Vec<_>>())
}

fn device_lines(dataset: &PublicDataset, devices: &[PublicDevice]) -> Vec<u8> {
    let told = &dataset.about().attributes;
    let mut out = String::new();
    let mut line = Line::new(&mut out).text("id").text("name_en").text("name_zh").text("kind");
    line = line.text("lon").text("lat").text("zone").text("moving").text("simulated");
    for name in told {
        line = line.text(&format!("attr.{name}"));
    }
    line.end();
    for shown in devices {
        let name = shown.name.as_ref();
        let mut line = Line::new(&mut out)
            .text(&shown.id)
            .text(name.map_or("", |name| &name.en))
            .text(name.map_or("", |name| &name.zh))
            .text(&shown.kind)
            .plain(shown.position.map(|position| position.lon))
            .plain(shown.position.map(|position| position.lat))
            .text(shown.zone.as_deref().unwrap_or_default())
            .plain(Some(shown.moving))
            .plain(Some(shown.simulated));
        for name in told {
            line = match shown.attributes.get(name) {
                Some(Attribute::Text(text)) => line.text(text),
                other => line.plain(other),
            };
        }
        line.end();
    }
    out.into_bytes()
}

fn latest_lines(devices: &[PublicDevice], values: &[Vec<PublicValue<'_>>]) -> Vec<u8> {
    let mut out = String::new();
    let line = Line::new(&mut out).text("device").text("metric").text("time").text("value");
    line.text("unit").text("quality").text("simulated").text("lon").text("lat").end();
    for (shown, values) in devices.iter().zip(values) {
        for value in values {
            let line =
                Line::new(&mut out).text(&shown.id).text(&value.metric.id).plain(Some(value.time));
            value_cell(line, &value.value)
                .text(&value.metric.unit)
                .plain(Some(quality_name(value.quality)))
                .plain(Some(value.simulated))
                .plain(shown.position.map(|position| position.lon))
                .plain(shown.position.map(|position| position.lat))
                .end();
        }
    }
    out.into_bytes()
}

/// A value as a cell.
pub(super) fn value_cell<'a>(line: Line<'a>, value: &Value) -> Line<'a> {
    match value {
        Value::Number(number) => line.plain(Some(*number)),
        Value::Bool(state) => line.plain(Some(*state)),
        Value::Text(text) => line.text(text),
    }
}

/// A flag by its name in the API.
pub(super) const fn quality_name(quality: Quality) -> &'static str {
    match quality {
        Quality::Pass => "pass",
        Quality::NotEvaluated => "not_evaluated",
        Quality::Suspect => "suspect",
        Quality::Fail => "fail",
        Quality::Missing => "missing",
    }
}
