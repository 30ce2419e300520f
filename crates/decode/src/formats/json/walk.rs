//! Walks a JSON payload and the compiled paths together, without building a tree of the payload.

use std::borrow::Cow;
use std::fmt;

use city_model::Timestamp;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Node, Plan, Slot};
use crate::error::{At, DecodeError, DecodeErrorKind};
use crate::guard::{Sink, bad_value, check_id};
use crate::limits::{self, MAX_VALUES};
use crate::wire::{self, Raw, Scalar};
use crate::{Decoded, Message};

/// How many items the arrays of a payload in columns may have: each row has a time besides.
const MAX_CELLS: usize = 4 * MAX_VALUES;

pub(super) fn walk<'a>(
    plan: &'a Plan,
    message: &Message<'a>,
    sink: &mut Sink<'_, 'a>,
) -> Result<(), DecodeError> {
    let text = wire::json_text(message.payload)?;
    let mut state = State {
        plan,
        sink,
        outer: Row::default(),
        row: None,
        rows: 0,
        columns: Vec::new(),
        cells: 0,
        error: None,
    };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = Walk { node: &plan.message, state: &mut state }
        .deserialize(&mut deserializer)
        .and_then(|()| deserializer.end());
    if let Err(error) = read {
        return Err(state.error.unwrap_or_else(|| wire::json_error(&error)));
    }
    state.transpose()?;
    let outer = state.outer;
    if sink.found().is_empty()
        && let Some(position) = outer.position()
    {
        sink.position_fix(position)?;
    }
    outer.complete(sink.found());
    Ok(())
}

/// What is known of a row, or of the message around the rows.
#[derive(Default)]
struct Row<'a> {
    device: Option<Cow<'a, str>>,
    time: Option<Timestamp>,
    lon: Option<f64>,
    lat: Option<f64>,
    sequence: Option<u64>,
    gateway: Option<Cow<'a, str>>,
    /// How many values there were before it.
    start: usize,
}

impl<'a> Row<'a> {
    fn position(&self) -> Option<(f64, f64)> {
        self.lon.zip(self.lat)
    }

    /// Ends a row of the payload: its values get what it has, and if it has a place but no values,
    /// it says where its device is.
    fn end(self, sink: &mut Sink<'_, 'a>) -> Result<(), DecodeError> {
        let start = self.start;
        if sink.since(start).is_empty()
            && let Some(position) = self.position()
        {
            sink.position_fix(position)?;
        }
        self.complete(sink.since(start));
        Ok(())
    }

    /// Gives its values what they do not have yet.
    fn complete(self, values: &mut [Decoded<'a>]) {
        let position = self.position();
        for value in values {
            if value.device.is_none() {
                value.device.clone_from(&self.device);
            }
            if value.gateway.is_none() {
                value.gateway.clone_from(&self.gateway);
            }
            value.time = value.time.or(self.time);
            value.position = value.position.or(position);
            value.sequence = value.sequence.or(self.sequence);
        }
    }
}

struct State<'w, 'o, 'a> {
    plan: &'a Plan,
    sink: &'w mut Sink<'o, 'a>,
    outer: Row<'a>,
    /// The row that is being read.
    row: Option<Row<'a>>,
    /// How many rows there were.
    rows: usize,
    /// The arrays of a payload in columns; null is no value.
    columns: Vec<(Slot, Vec<Option<Raw<'a>>>)>,
    /// How many items they have together.
    cells: usize,
    /// Why the walk stopped; the parser's own error only says that it did.
    error: Option<DecodeError>,
}

impl<'a> State<'_, '_, 'a> {
    fn put(&mut self, slot: Slot, raw: Raw<'a>) -> Result<(), DecodeError> {
        if let Slot::Value(index) = slot {
            let Some((_, rule)) = self.plan.values.get(index) else { return Ok(()) };
            let (plan, row) = (self.plan, self.row_number());
            return self.sink.ruled(rule, None, raw, || locate(plan, row, plan.path_of(slot)));
        }
        let at = self.at(slot);
        let (time, received) = (self.plan.time.as_ref(), self.sink.received());
        let row = self.row.as_mut().unwrap_or(&mut self.outer);
        match slot {
            Slot::Device => row.device = Some(id(raw, at)?),
            Slot::Gateway => row.gateway = Some(id(raw, at)?),
            Slot::Lon => row.lon = coordinate(&raw, at)?,
            Slot::Lat => row.lat = coordinate(&raw, at)?,
            Slot::Sequence => row.sequence = Some(counter(&raw, at)?),
            Slot::Time => {
                let read = time.map_or(Ok(None), |format| format.read(&raw, received));
                row.time = read.map_err(|problem| {
                    DecodeError::new(DecodeErrorKind::BadTime, at(), problem.message, problem.hint)
                })?;
            }
            Slot::Value(_) => {}
        }
        Ok(())
    }

    /// Makes rows of the columns: the first items of all arrays are the first row.
    fn transpose(&mut self) -> Result<(), DecodeError> {
        let columns = std::mem::take(&mut self.columns);
        let rows = columns.iter().map(|(_, column)| column.len()).max().unwrap_or(0);
        let mut columns: Vec<_> =
            columns.into_iter().map(|(slot, column)| (slot, column.into_iter())).collect();
        for row in 0..rows {
            self.rows = row;
            let start = self.sink.found().len();
            self.row = Some(Row { start, ..Row::default() });
            for (slot, column) in &mut columns {
                if let Some(raw) = column.next().flatten() {
                    self.put(*slot, raw)?;
                }
            }
            if let Some(row) = self.row.take() {
                row.end(self.sink)?;
            }
        }
        Ok(())
    }

    fn row_number(&self) -> Option<usize> {
        self.row.is_some().then_some(self.rows)
    }

    fn at(&self, slot: Slot) -> impl FnOnce() -> At + use<'a> {
        let (plan, row) = (self.plan, self.row_number());
        move || locate(plan, row, plan.path_of(slot))
    }

    /// Keeps the reason and gives the parser an error of its own kind.
    fn fail<E: Error>(&mut self, error: DecodeError) -> E {
        self.error = Some(error);
        E::custom("stopped")
    }

    /// A container stands where a single value should be.
    fn unexpected<E: Error>(&mut self, slot: Slot, found: &str) -> E {
        let at = self.at(slot)();
        self.fail(bad_value(at, format!("there is {found} where one value should be")))
    }
}

/// A path as it applies to this message: `rows[3].pm`.
fn locate(plan: &Plan, row: Option<usize>, path: &str) -> At {
    if let (true, Some(row)) = (plan.columns, row) {
        return At::Path(format!("{path}[{row}]"));
    }
    let path = match (&plan.each, row) {
        (Some(each), Some(row)) => match path {
            "@" => format!("{each}[{row}]"),
            path if path.starts_with('[') => format!("{each}[{row}]{path}"),
            path => format!("{each}[{row}].{path}"),
        },
        _ => path.to_owned(),
    };
    At::Path(path)
}

fn id(raw: Raw<'_>, at: impl FnOnce() -> At) -> Result<Cow<'_, str>, DecodeError> {
    match raw {
        Raw::Text(text) => check_id(text, at),
        Raw::Integer(number) => Ok(Cow::Owned(number.to_string())),
        other => Err(DecodeError::new(
            DecodeErrorKind::BadDevice,
            at(),
            format!("{} cannot be an id", other.describe()),
            "name the field that holds the id in the source's options",
        )),
    }
}

/// An empty text means that the receiver has no fix.
fn coordinate(raw: &Raw<'_>, at: impl FnOnce() -> At) -> Result<Option<f64>, DecodeError> {
    if matches!(raw, Raw::Text(text) if text.trim().is_empty()) {
        return Ok(None);
    }
    match raw.as_number().filter(|number| number.is_finite()) {
        Some(number) => Ok(Some(number)),
        None => Err(bad_value(at(), format!("{} is not a coordinate", raw.describe()))),
    }
}

fn counter(raw: &Raw<'_>, at: impl FnOnce() -> At) -> Result<u64, DecodeError> {
    let count = match raw {
        Raw::Integer(count) => u64::try_from(*count).ok(),
        Raw::Text(text) => text.trim().parse().ok(),
        _ => None,
    };
    count.ok_or_else(|| bad_value(at(), format!("{} is not a counter", raw.describe())))
}

/// Reads one place of the payload.
struct Walk<'w, 'o, 's, 'a> {
    node: &'a Node,
    state: &'w mut State<'o, 's, 'a>,
}

impl<'de> Walk<'_, '_, '_, 'de> {
    fn scalar<E: Error>(self, raw: Raw<'de>) -> Result<(), E> {
        if self.node.rows {
            return Err(self.not_rows("a single value"));
        }
        let Some((last, slots)) = self.node.slots.split_last() else { return Ok(()) };
        for slot in slots {
            self.state.put(*slot, raw.clone()).map_err(|error| self.state.fail(error))?;
        }
        self.state.put(*last, raw).map_err(|error| self.state.fail(error))
    }

    fn not_rows<E: Error>(self, found: &str) -> E {
        let each = self.state.plan.each.as_ref().map_or("", |path| path.as_str());
        self.state.fail(DecodeError::new(
            DecodeErrorKind::WrongShape,
            At::Path(each.to_owned()),
            format!("there is {found} where an array of rows should be"),
            "correct the source's option each",
        ))
    }

    /// Reads an array of a payload in columns.
    fn column<A: SeqAccess<'de>>(self, slot: Slot, mut items: A) -> Result<(), A::Error> {
        let state = self.state;
        let mut column = Vec::new();
        while let Some(Scalar(raw)) = items.next_element()? {
            state.cells += 1;
            if state.cells > MAX_CELLS {
                return Err(state.fail(limits::too_many()));
            }
            column.push(raw);
        }
        state.columns.push((slot, column));
        Ok(())
    }

    /// Reads the rows.
    fn rows<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let state = self.state;
        let node = &state.plan.row;
        loop {
            let start = state.sink.found().len();
            state.row = Some(Row { start, ..Row::default() });
            let more = items.next_element_seed(Walk { node, state })?;
            let row = state.row.take();
            if more.is_none() {
                return Ok(());
            }
            if let Some(row) = row {
                row.end(state.sink).map_err(|error| state.fail(error))?;
            }
            state.rows += 1;
        }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_bool<E: Error>(self, flag: bool) -> Result<(), E> {
        self.scalar(Raw::Bool(flag))
    }
    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.scalar(Raw::Integer(number))
    }
    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.scalar(wire::unsigned(number))
    }
    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.scalar(Raw::Number(number))
    }
    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<(), E> {
        self.scalar(Raw::Text(Cow::Borrowed(text)))
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.scalar(Raw::Text(Cow::Owned(text.to_owned())))
    }
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        if self.node.rows {
            return self.rows(items);
        }
        if let Some(slot) = self.node.slots.first() {
            if self.state.plan.columns {
                return self.column(*slot, items);
            }
            return Err(self.state.unexpected(*slot, "an array"));
        }
        let mut next = 0;
        for (item, node) in &self.node.items {
            while next < *item {
                if items.next_element::<IgnoredAny>()?.is_none() {
                    return Ok(());
                }
                next += 1;
            }
            if items.next_element_seed(Walk { node, state: self.state })?.is_none() {
                return Ok(());
            }
            next += 1;
        }
        wire::drain_seq(items)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Self { node, state } = self;
        if node.rows {
            return Err(Walk { node, state }.not_rows("an object"));
        }
        if let Some(slot) = node.slots.first() {
            return Err(state.unexpected(*slot, "an object"));
        }
        while let Some(key) = entries.next_key_seed(KeySeed { node })? {
            match key {
                Key::Known(node) => entries.next_value_seed(Walk { node, state })?,
                Key::Open(name) => {
                    if let Scalar(Some(raw)) = entries.next_value()? {
                        open_value(state, name, raw).map_err(|error| state.fail(error))?;
                    }
                }
                Key::Other => {
                    entries.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// A value under a name that no path names; a text only counts if the mapping names it.
fn open_value<'a>(
    state: &mut State<'_, '_, 'a>,
    name: Cow<'a, str>,
    raw: Raw<'a>,
) -> Result<(), DecodeError> {
    if matches!(raw, Raw::Text(_)) && state.sink.mapping().find(&name).is_none() {
        return Ok(());
    }
    let (plan, row) = (state.plan, state.row_number());
    let path = name.clone();
    state.sink.named(name, None, raw, move || locate(plan, row, &path))
}

enum Key<'a> {
    /// Some path goes on here.
    Known(&'a Node),
    /// No path does, but every name counts.
    Open(Cow<'a, str>),
    /// Nobody asked for it.
    Other,
}

struct KeySeed<'a> {
    node: &'a Node,
}

impl<'de> KeySeed<'de> {
    fn find(&self, key: &str, name: impl FnOnce() -> Cow<'de, str>) -> Key<'de> {
        match self.node.keys.get(key) {
            Some(node) => Key::Known(node),
            None if self.node.open => Key::Open(name()),
            None => Key::Other,
        }
    }
}

impl<'de> DeserializeSeed<'de> for KeySeed<'de> {
    type Value = Key<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key<'de>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for KeySeed<'de> {
    type Value = Key<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }
    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Key<'de>, E> {
        Ok(self.find(key, || Cow::Borrowed(key)))
    }
    fn visit_str<E>(self, key: &str) -> Result<Key<'de>, E> {
        Ok(self.find(key, || Cow::Owned(key.to_owned())))
    }
}
