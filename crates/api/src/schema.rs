//! The vocabulary's JSON shapes for the OpenAPI document. The vocabulary itself knows nothing of
//! HTTP, so its types are described here, and tests hold the two together.

#![allow(dead_code, reason = "most of these types describe, and nobody makes one")]

mod lifecycle;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::openapi::schema::{ArrayBuilder, ArrayItems, Object, Schema, Type};
use utoipa::openapi::{ObjectBuilder, RefOr};
use utoipa::{PartialSchema, ToSchema};

pub(crate) use lifecycle::{AlertMatch, Weekly};

/// The same text in English and Chinese.
#[derive(Serialize, ToSchema)]
pub(crate) struct LocalText {
    /// English.
    en: String,
    /// Simplified Chinese.
    zh: String,
}

/// A text for both languages, or one for each; one that is missing is the other's.
#[derive(ToSchema)]
#[serde(untagged)]
pub(crate) enum GivenText {
    Same(String),
    Each(EachText),
}

/// A text in English, in Chinese, or in both.
#[derive(ToSchema)]
pub(crate) struct EachText {
    /// English.
    #[schema(nullable = false)]
    en: Option<String>,
    /// Simplified Chinese.
    #[schema(nullable = false)]
    zh: Option<String>,
}

/// How bad it is, mildest first.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

/// How far a reading can be trusted: the QARTOD primary flag.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Quality {
    Pass,
    NotEvaluated,
    Suspect,
    Fail,
    Missing,
}

/// A stage in a device's life.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LifeCycle {
    Planned,
    Active,
    Maintenance,
    Retired,
}

/// A coordinate system.
#[derive(Serialize, ToSchema)]
pub(crate) enum Crs {
    #[serde(rename = "WGS-84")]
    Wgs84,
    #[serde(rename = "GCJ-02")]
    Gcj02,
    #[serde(rename = "BD-09")]
    Bd09,
    #[serde(rename = "CGCS2000")]
    Cgcs2000,
}

/// A position exactly as somebody declared it.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeclaredPosition {
    /// Degrees east in `crs`.
    lon: f64,
    /// Degrees north in `crs`.
    lat: f64,
    crs: Crs,
}

/// A device as imported and exported.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeviceEntry {
    /// Its id: 1 to 128 bytes without control characters.
    id: String,
    /// What people call it, as one text for both languages or one for each; the id if missing.
    #[schema(nullable = false)]
    name: Option<LocalText>,
    /// Its kind.
    kind: String,
    /// The department that owns it.
    department: String,
    /// Where it stands, in the coordinate system that it names.
    #[schema(nullable = false)]
    position: Option<DeclaredPosition>,
    /// Whether it moves and its messages carry its position; as its kind says if missing.
    #[schema(nullable = false)]
    moving: Option<bool>,
    /// How often it is expected to send, such as `30s` or `5m`; as its kind says if missing.
    #[schema(nullable = false)]
    interval: Option<String>,
    /// The device through which it sends.
    #[schema(nullable = false)]
    gateway: Option<String>,
    #[schema(required = false)]
    life_cycle: LifeCycle,
    /// Whether everything it sends is simulated or test data.
    #[schema(required = false)]
    simulated: bool,
    /// The coordinate system of positions in its messages; as its kind says if missing.
    #[schema(nullable = false)]
    crs: Option<Crs>,
    /// Further attributes, beside those that its kind gives.
    #[schema(required = false)]
    attributes: BTreeMap<String, ReadingValue>,
}

/// A kind of device as a template: what holds where a device's own entry is silent.
#[derive(Serialize, ToSchema)]
pub(crate) struct KindEntry {
    /// Its id, such as `air_station`; the one in the address if missing.
    #[schema(required = false)]
    id: String,
    /// What people call it, as one text for both languages or one for each.
    name: LocalText,
    /// How often its devices are expected to send, such as `30s` or `5m`.
    #[schema(nullable = false)]
    interval: Option<String>,
    /// Whether its devices move and their messages carry their position.
    #[schema(nullable = false)]
    moving: Option<bool>,
    /// The coordinate system of positions in their messages.
    #[schema(nullable = false)]
    crs: Option<Crs>,
    /// Attributes that devices have unless they give their own of that name.
    #[schema(required = false)]
    attributes: BTreeMap<String, ReadingValue>,
    /// The codec that turns the bytes of their frames into values, by name.
    #[schema(nullable = false)]
    codec: Option<String>,
    /// What the codec is told beside the bytes, by name.
    #[schema(required = false, value_type = Object)]
    codec_variables: BTreeMap<String, serde_json::Value>,
    /// The metrics that such a device is expected to send, by id.
    #[schema(required = false)]
    metrics: Vec<String>,
}

/// What a name that devices send means.
#[derive(Serialize, ToSchema)]
pub(crate) struct Mapping {
    /// The source that uses the name; every source if missing. One for the source goes first.
    #[schema(nullable = false)]
    source: Option<String>,
    /// The name as it is sent.
    name: String,
    /// The metric of the catalogue that it means.
    metric: String,
    /// The unit in which it is sent, whatever the message says; as the message says if missing.
    #[schema(nullable = false)]
    unit: Option<String>,
    /// What the number is to be multiplied with first, such as 0.1 for tenths.
    #[schema(nullable = false)]
    scale: Option<f64>,
}

/// What is wrong with one field.
#[derive(Serialize, ToSchema)]
pub(crate) struct ImportProblem {
    /// The device's place in the list, from 1.
    row: usize,
    /// The line of the file where it begins, if the list came as lines.
    line: Option<u64>,
    /// Its id as given.
    device: String,
    /// The field or column, if it is one.
    field: Option<String>,
    /// What is wrong.
    message: String,
    /// How to mend it.
    hint: String,
}

/// A place in WGS-84.
#[derive(Serialize, ToSchema)]
pub(crate) struct Position {
    /// Degrees east.
    lon: f64,
    /// Degrees north.
    lat: f64,
}

/// A number in the metric's unit, a state, or a short text.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum ReadingValue {
    Number(f64),
    Bool(bool),
    Text(String),
}

/// Lowest and highest value that can physically be, in the metric's unit.
#[derive(Serialize, ToSchema)]
pub(crate) struct Range {
    min: f64,
    max: f64,
}

/// What an alert is about.
#[derive(Serialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Subject {
    /// One metric of one device.
    Series {
        /// The device's id.
        device: String,
        /// The metric's id.
        metric: String,
    },
    /// A whole device.
    Device {
        /// The device's id.
        device: String,
    },
    /// A zone.
    Zone {
        /// The zone's id.
        zone: String,
    },
}

/// The rule that raised an alert, as it was then.
#[derive(Serialize, ToSchema)]
pub(crate) struct RuleRef {
    /// Its id.
    id: String,
    /// The first 12 hexadecimal digits of the SHA-256 of its definition.
    version: String,
    /// What people call it.
    name: LocalText,
    /// The department that owns it.
    department: String,
}

/// An alert with all that a receiver needs to show it without asking back.
#[derive(Serialize, ToSchema)]
pub(crate) struct Alert {
    /// The same for every event of this alert.
    id: String,
    rule: RuleRef,
    subject: Subject,
    severity: Severity,
    /// Since when the condition holds.
    #[schema(format = DateTime)]
    started_at: String,
    /// When it began to fire.
    #[schema(format = DateTime)]
    fired_at: String,
    /// When it ended.
    #[schema(format = DateTime)]
    resolved_at: Option<String>,
    /// The metric that decided.
    metric: Option<String>,
    /// Its unit as people write it.
    unit: Option<String>,
    /// The value that decided, in that unit.
    value: Option<f64>,
    /// The limit that it passed, in the same unit.
    limit: Option<f64>,
    /// The event time of the reading that decided.
    #[schema(format = DateTime)]
    reading_time: Option<String>,
    /// What happened.
    summary: LocalText,
    /// Ids of the zones that it lies in.
    zones: Vec<String>,
    /// The kind of the device.
    kind: Option<String>,
    /// Where it is.
    position: Option<Position>,
    /// Whether simulated or test data raised it.
    simulated: bool,
    /// Where to read what to do.
    runbook: Option<String>,
    /// Routing labels of the rule.
    labels: BTreeMap<String, String>,
}

/// What happened to an alert.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AlertEventKind {
    Fired,
    Escalated,
    Deescalated,
    Resolved,
    Overdue,
}

/// Why an alert ended, if no reading cleared it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EndReason {
    RuleRemoved,
    RuleChanged,
    NotSelected,
    NotWatched,
    NoLimit,
    OffSchedule,
    ZoneGone,
    StateLost,
}

/// One step in the life of an alert, as engines push it.
#[derive(Serialize, ToSchema)]
pub(crate) struct AlertEvent {
    /// The idempotency key: `<alert id>/<seq>`.
    key: String,
    /// Counts the events of this alert from 1.
    seq: u32,
    kind: AlertEventKind,
    /// When, by the clock of the evaluation.
    #[schema(format = DateTime)]
    at: String,
    /// Why it ended, if no reading cleared it; only for `resolved`.
    reason: Option<EndReason>,
    /// The alert after it happened.
    alert: Alert,
}

/// Longitude and latitude in WGS-84.
pub(crate) struct LonLat;

impl PartialSchema for LonLat {
    fn schema() -> RefOr<Schema> {
        numbers(2, "Longitude and latitude in degrees, WGS-84.")
    }
}

impl ToSchema for LonLat {
    fn name() -> Cow<'static, str> {
        "LonLat".into()
    }
}

/// West, south, east, north in degrees.
pub(crate) struct Bounds;

impl PartialSchema for Bounds {
    fn schema() -> RefOr<Schema> {
        numbers(4, "West, south, east, north in degrees.")
    }
}

impl ToSchema for Bounds {
    fn name() -> Cow<'static, str> {
        "Bounds".into()
    }
}

/// An array of exactly so many numbers.
fn numbers(count: usize, description: &str) -> RefOr<Schema> {
    let number = || -> Object { ObjectBuilder::new().schema_type(Type::Number).build() };
    let array = ArrayBuilder::new()
        .prefix_items((0..count).map(|_| number()))
        .items(ArrayItems::False)
        .min_items(Some(count))
        .max_items(Some(count))
        .description(Some(description))
        .build();
    RefOr::T(Schema::Array(array))
}

/// `Feature`, of GeoJSON.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) enum FeatureType {
    Feature,
}

/// `FeatureCollection`, of GeoJSON.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) enum CollectionType {
    FeatureCollection,
}

/// `MultiPolygon`, of GeoJSON.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) enum MultiPolygonType {
    MultiPolygon,
}

/// `LineString`, of GeoJSON.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) enum LineStringType {
    LineString,
}
