//! What an expression stands for.

use city_model::Timestamp;
use geo::Geometry;

/// A value.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// Nothing.
    #[default]
    Null,
    /// A truth value.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// An instant.
    Time(Timestamp),
    /// A span of time: its first instant and its last.
    Interval(Timestamp, Timestamp),
    /// A shape on the Earth, longitude and latitude in degrees.
    Geometry(Geometry<f64>),
    /// An object or a list.
    Json(serde_json::Value),
    /// One for each of several entities: what is said holds if it holds for any of them.
    Many(Vec<Value>),
}

impl Value {
    /// From JSON.
    pub fn from_json(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(state) => Self::Bool(state),
            serde_json::Value::Number(number) => number.as_f64().map_or(Self::Null, Self::Number),
            serde_json::Value::String(text) => Self::Text(text),
            other => Self::Json(other),
        }
    }

    /// As a text.
    pub(crate) fn text(&self) -> Option<String> {
        Some(match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Bool(state) => state.to_string(),
            Self::Time(time) => time.to_string(),
            _ => return None,
        })
    }

    /// As a number.
    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// As an instant; of a span its first.
    pub(crate) fn time(&self) -> Option<Timestamp> {
        match self {
            Self::Time(time) | Self::Interval(time, _) => Some(*time),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// As a shape: what GeoJSON says is one, too.
    pub(crate) fn geometry(&self) -> Option<Geometry<f64>> {
        match self {
            Self::Geometry(geometry) => Some(geometry.clone()),
            Self::Json(json) => crate::geometry::from_geojson(json),
            _ => None,
        }
    }

    /// Whether it is true.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Bool(state) => *state,
            Self::Many(values) => values.iter().any(Self::is_true),
            _ => false,
        }
    }
}
