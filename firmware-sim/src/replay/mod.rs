//! Recorded data sets, sent again over MQTT as if their devices were sending now.
//!
//! A data set is a folder with a `dataset.toml`:
//!
//! ```toml
//! name = { en = "Aarhus road sensors", zh = "奥胡斯道路传感器" }
//! devices = "devices.json"        # what to import into the registry; optional
//!
//! [publish]
//! format = "senml"                # or "json": {"ts": …, "<column>": …}
//! topic = "senml/{device}"
//!
//! [[file]]
//! path = "traffic.csv.gz"         # CSV with a header line; .gz is unpacked on the way
//! time = "timestamp"              # the columns with time and device
//! time_format = "local"           # rfc3339 (default), local, unix_s, unix_ms
//! time_offset = "+00:00"          # for local times
//! device = "report_id"
//! device_prefix = "aarhus-"       # optional
//! [file.values]                   # column -> metric and unit; empty cells are never sent
//! vehicle_count = "traffic_count"
//! avg_speed_kmh = { metric = "traffic_speed", unit = "km/h", missing = ["0"] }
//! ```
//!
//! Rows go out in the order of time, however many files there are. The whole set is read once
//! before the first message, so a bad row is reported, with its line, before anything is sent.

mod dataset;
mod rows;
mod send;

pub use dataset::{Column, Dataset, Publish, PublishFormat, Source, TimeFormat};
pub use rows::Overview;
pub use send::{Progress, Replay, ReplayReport, Shift, Speed};
