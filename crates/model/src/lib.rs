//! The vocabulary of citybrain: readings, devices, metrics, units, positions, zones and alerts.
//!
//! Pure values: no I/O, no clock, no async runtime. Every other crate speaks in these types.

mod alert;
mod causes;
mod clock;
mod csv;
mod device;
mod directory;
mod metric;
mod position;
mod quality;
mod reading;
mod text;
mod time;
pub mod unit;
mod value;
mod zone;

pub use alert::{Alert, AlertEvent, AlertEventKind, EndReason, RuleRef, Severity, Subject};
pub use causes::with_causes;
pub use clock::{Clock, ManualClock, SharedClock};
pub use csv::{csv_cell, from_csv_cell};
pub use device::{Attribute, Device, DeviceKey, LifeCycle, Placement};
pub use directory::{Difference, Directory};
pub use metric::{Catalogue, CatalogueError, Metric, MetricKey, Range};
pub use position::{Crs, DeclaredPosition, Position};
pub use quality::Quality;
pub use reading::{Marks, Reading, SeriesKey};
pub use text::LocalText;
pub use time::{ParseSpanError, ParseTimestampError, Span, Timestamp};
pub use value::Value;
pub use zone::{Zone, ZoneKey, ZoneSet};
