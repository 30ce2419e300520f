//! Kinds that judge a device as a whole: a function over all that it sends, with a memory.

use std::fmt;
use std::sync::Arc;

use city_model::{LocalText, Position, Span, Timestamp, Value};
use serde::{Deserialize, Serialize};

use super::Measure;

/// A function over the readings of one device.
pub trait DeviceFunction: fmt::Debug + Send + Sync {
    /// An empty memory.
    fn start(&self) -> Box<dyn DeviceMemory>;
    /// The memory that was saved.
    fn restore(&self, saved: &SavedDevice) -> Box<dyn DeviceMemory>;
    /// How far back readings can count.
    fn reach(&self) -> Span;
    /// What value and limit are measured in.
    fn measure(&self) -> Measure;
    /// What is bad, for people; `zone` gives the name of a zone by its id.
    fn text(&self, zone: &dyn Fn(&str) -> LocalText) -> LocalText;
    /// The ids of the zones that it asks about.
    fn zones(&self) -> &[Arc<str>] {
        &[]
    }
}

/// What a [`DeviceFunction`] remembers of one device.
pub trait DeviceMemory: fmt::Debug + Send + Sync {
    /// Takes a reading, newer than the ones of the same metric before. `None` says nothing: what
    /// is pending stays so, what fires goes on.
    fn take(&mut self, input: &Input<'_>) -> Option<Finding>;
    /// When it has something to find without a reading.
    fn deadline(&self) -> Option<Timestamp> {
        None
    }
    /// Serves the deadline.
    fn wake(&mut self) -> Option<Finding> {
        None
    }
    /// Forgets the time after `now`, by a clock that was set back.
    fn set_back(&mut self, now: Timestamp);
    /// Everything needed to go on after a restart exactly as without it.
    fn save(&self) -> SavedDevice;
}

/// A reading as a [`DeviceMemory`] takes it.
#[derive(Clone, Copy, Debug)]
pub struct Input<'r> {
    /// The place of its metric among those that the rule selects.
    pub place: usize,
    /// Its event time.
    pub time: Timestamp,
    /// The time of the evaluation.
    pub now: Timestamp,
    /// Its value.
    pub value: &'r Value,
    /// Where the device was, if the reading brought it.
    pub position: Option<Position>,
    /// Whether it was in one of [`DeviceFunction::zones`].
    pub inside: bool,
}

/// What was found out about a device.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Finding {
    /// A value, to be held against limits.
    Number(f64),
    /// Whether it is as it should not be.
    Truth(bool),
}

/// A saved [`DeviceMemory`]; each kind says what the columns hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SavedDevice {
    /// Times, counts or flags.
    pub integers: Vec<i64>,
    /// Times that may be unknown, each with the value that was there.
    pub values: Vec<Option<(Timestamp, SavedValue)>>,
}

/// A [`Value`] in a form that needs no self-describing format.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum SavedValue {
    /// A number.
    Number(f64),
    /// A truth value.
    Bool(bool),
    /// A text.
    Text(Arc<str>),
}

impl From<&Value> for SavedValue {
    fn from(value: &Value) -> Self {
        match value {
            Value::Number(number) => Self::Number(*number),
            Value::Bool(state) => Self::Bool(*state),
            Value::Text(text) => Self::Text(text.clone()),
        }
    }
}

impl From<&SavedValue> for Value {
    fn from(saved: &SavedValue) -> Self {
        match saved {
            SavedValue::Number(number) => Self::Number(*number),
            SavedValue::Bool(state) => Self::Bool(*state),
            SavedValue::Text(text) => Self::Text(text.clone()),
        }
    }
}
