//! Plain JSON of any shape: configured paths say where device, time, place and values are.
//!
//! ```json
//! {"id": "air-17", "ts": 1795422600, "gps": {"lon": -87.63, "lat": 41.88},
//!  "pm": [12.5, 20], "temp": "21.5", "door": true}
//! ```
//! with the options
//! ```toml
//! device = "id"
//! time = "ts"                  # time_format = auto | rfc3339 | unix_s | unix_ms | unix_us |
//!                              #   unix_ns | local or a pattern such as "%d.%m.%Y %H:%M", with
//!                              #   time_offset = "+08:00" or time_zone = "Europe/Berlin"
//! lon = "gps.lon"
//! lat = "gps.lat"
//! sequence = "n"               # a message counter, if the device has one
//! gateway = "via"              # the id of the gateway, if the payload has it
//! [values]                     # path -> metric, or a table (see the shared options)
//! "pm[0]" = "pm25"
//! "pm[1]" = "pm10"
//! temp = { metric = "temperature", unit = "Cel" }
//! ```
//!
//! Paths are described in [`crate::path`]: `a.b[0].c`, `a["b.c"]`, `@`. With `each` (the path of
//! an array) every element is a row of its own and the other paths are relative to it; `$.x`
//! still starts at the message. Without `values`, all numbers and truth values at the top level
//! that are not named otherwise become metrics, under the shared `metrics` mapping; texts only if
//! that mapping names them.
//!
//! With `columns = true` the paths lead to arrays of one length, whose first items are the first
//! row: `{"t": [1795422600, 1795422660], "pm": [12.5, 13]}`; what is no array holds for all rows.
//!
//! A path that leads nowhere, or to null, is skipped; so are bare `NaN` and `Infinity`. A row
//! with a place and no values becomes the truth value `position_fix`, so that the way of a moving
//! device is kept.

mod walk;

use rustc_hash::FxHashMap;

use crate::error::{DecodeError, OptionsError};
use crate::guard::{Guarded, Parse, Sink};
use crate::mapping::{Mapping, Rule};
use crate::options::Options;
use crate::path::{Path, Step};
use crate::time::{self, TimeFormat};
use crate::{Decoder, Example, Format, Message};

/// Plain JSON with configured paths.
pub(super) struct Json;

const KEYS: [&str; 9] =
    ["device", "time", "lon", "lat", "sequence", "gateway", "values", "each", "columns"];

impl Format for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn summary(&self) -> &'static str {
        "Plain JSON of any shape; paths in the options say what is where"
    }

    fn summary_zh(&self) -> &'static str {
        "任意结构的普通 JSON，由配置中的路径指明各字段"
    }

    fn example(&self) -> Example {
        Example {
            topic: "city/air/air-17/up",
            options: r#"{"device": "id", "time": "ts", "lon": "gps.lon", "lat": "gps.lat",
                "values": {"pm[0]": "pm25", "pm[1]": "pm10",
                           "temp": {"metric": "temperature", "unit": "Cel"}}}"#,
            payload: r#"{"id": "air-17", "ts": 1795422600, "gps": {"lon": -87.63, "lat": 41.88},
                "pm": [12.5, 20], "temp": "21.5", "door": true}"#,
            values: 3,
        }
    }

    fn compile(&self, options: &serde_json::Value) -> Result<Box<dyn Decoder>, OptionsError> {
        let known: Vec<&str> = KEYS.into_iter().chain(time::KEYS).collect();
        let options = Options::new(options, &known)?;
        Guarded::boxed(Plan::compile(&options)?, &options)
    }
}

/// Where everything is, compiled into trees that are walked along with the payload.
#[derive(Debug, Default)]
struct Plan {
    /// From the message.
    message: Node,
    /// From each row, if there are rows.
    row: Node,
    /// The path of the rows.
    each: Option<Path>,
    /// Whether the paths lead to arrays that are columns of rows.
    columns: bool,
    time: Option<TimeFormat>,
    values: Vec<(Path, Rule)>,
    paths: Vec<(Slot, Path)>,
}

/// A place in the payload.
#[derive(Debug, Default)]
struct Node {
    keys: FxHashMap<Box<str>, Node>,
    /// By index, in ascending order.
    items: Vec<(usize, Node)>,
    /// What is here.
    slots: Vec<Slot>,
    /// Whether the rows are here.
    rows: bool,
    /// Whether names that are not in `keys` are values too.
    open: bool,
}

/// What a place in the payload holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    Device,
    Time,
    Lon,
    Lat,
    Sequence,
    Gateway,
    /// An index into [`Plan::values`].
    Value(usize),
}

impl Plan {
    fn compile(options: &Options<'_>) -> Result<Self, OptionsError> {
        let mut plan = Self { time: Some(TimeFormat::from_options(options)?), ..Self::default() };
        plan.columns = options.flag("columns")?.unwrap_or(false);
        if plan.columns && options.get("each").is_some() {
            let problem = "an array is either one of rows (each) or a column";
            return Err(OptionsError::bad(options.full("columns"), problem));
        }
        if let Some(text) = options.text("each")? {
            let path = path(options, "each", text)?;
            plan.message.at(&path.steps).rows = true;
            plan.each = Some(path);
        }
        for (key, slot) in [
            ("device", Slot::Device),
            ("time", Slot::Time),
            ("lon", Slot::Lon),
            ("lat", Slot::Lat),
            ("sequence", Slot::Sequence),
            ("gateway", Slot::Gateway),
        ] {
            if let Some(text) = options.text(key)? {
                let path = path(options, key, text)?;
                plan.place(&path, slot);
                plan.paths.push((slot, path));
            }
        }
        if options.get("lon").is_some() != options.get("lat").is_some() {
            return Err(OptionsError::bad(options.full("lon"), "lon and lat go together"));
        }
        match options.table("values")? {
            Some(values) => plan.add_values(options, values)?,
            None if plan.columns => {
                let problem = "needs values: the paths of the columns";
                return Err(OptionsError::bad(options.full("columns"), problem));
            }
            None => plan.rows_or_message().open = true,
        }
        Ok(plan)
    }

    fn add_values(
        &mut self,
        options: &Options<'_>,
        values: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<(), OptionsError> {
        if values.is_empty() {
            let problem = "names no value; leave it out to take all top-level numbers";
            return Err(OptionsError::bad(options.full("values"), problem));
        }
        let mapping = Mapping::from_options(options)?;
        for (text, spec) in values {
            let key = format!("values.{text}");
            let path = path(options, &key, text)?;
            let rule = mapping.rule(&options.full(&key), text, spec)?;
            self.place(&path, Slot::Value(self.values.len()));
            self.values.push((path, rule));
        }
        Ok(())
    }

    fn place(&mut self, path: &Path, slot: Slot) {
        let root = if path.from_message { &mut self.message } else { self.rows_or_message() };
        root.at(&path.steps).slots.push(slot);
    }

    fn rows_or_message(&mut self) -> &mut Node {
        if self.each.is_some() { &mut self.row } else { &mut self.message }
    }

    /// The path of a slot as it was configured.
    fn path_of(&self, slot: Slot) -> &str {
        let path = match slot {
            Slot::Value(index) => self.values.get(index).map(|(path, _)| path),
            _ => self.paths.iter().find(|(other, _)| *other == slot).map(|(_, path)| path),
        };
        path.map_or("", Path::as_str)
    }
}

impl Node {
    /// The node at the end of a path, made if need be.
    fn at(&mut self, steps: &[Step]) -> &mut Self {
        let Some((step, rest)) = steps.split_first() else { return self };
        let next = match step {
            Step::Key(key) => self.keys.entry(key.clone()).or_default(),
            Step::Item(item) => {
                let place = match self.items.binary_search_by_key(item, |(item, _)| *item) {
                    Ok(place) => place,
                    Err(place) => {
                        self.items.insert(place, (*item, Self::default()));
                        place
                    }
                };
                &mut self.items[place].1
            }
        };
        next.at(rest)
    }
}

fn path(options: &Options<'_>, key: &str, text: &str) -> Result<Path, OptionsError> {
    Path::parse(text).map_err(|problem| OptionsError::bad(options.full(key), problem))
}

impl Parse for Plan {
    fn parse<'a>(
        &'a self,
        message: &Message<'a>,
        sink: &mut Sink<'_, 'a>,
    ) -> Result<(), DecodeError> {
        walk::walk(self, message, sink)
    }

    fn is_json(&self) -> bool {
        true
    }

    fn looked_for(&self) -> String {
        let rows = match &self.each {
            Some(each) => format!(" in each row of `{each}`"),
            None => String::new(),
        };
        if self.values.is_empty() {
            return format!("numbers and truth values at the top level{rows}");
        }
        let paths: Vec<_> = self.values.iter().map(|(path, _)| format!("`{path}`")).collect();
        format!("{}{rows}", paths.join(", "))
    }
}

#[cfg(test)]
#[path = "json/tests.rs"]
mod tests;
