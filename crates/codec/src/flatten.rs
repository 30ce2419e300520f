//! From what a script returns to values by path.

use std::borrow::Cow;
use std::fmt::Write as _;

use city_decode::CodecValue;
use city_decode::limits::{MAX_DEPTH, MAX_NAME, MAX_VALUES};
use city_model::Value as Plain;
use rquickjs::object::Filter;
use rquickjs::{Atom, Error, Function, Object, Type, Value};

use crate::Report;
use crate::failure::Failure;

/// Reads a result into a report.
///
/// Everything here can run the script again (getters, proxies), so nothing is believed: counts are
/// bounded by what was visited, and every step can fail.
pub(crate) struct Flattener<'r, 'js> {
    kit: &'r Object<'js>,
    report: &'r mut Report,
    /// The path to where we are.
    name: String,
    visited: usize,
}

impl<'r, 'js> Flattener<'r, 'js> {
    pub(crate) fn new(kit: &'r Object<'js>, report: &'r mut Report) -> Self {
        Self { kit, report, name: String::new(), visited: 0 }
    }

    /// Reads `{data, errors, warnings}`.
    pub(crate) fn read(mut self, result: &Value<'js>) -> Result<(), Failure> {
        let Some(result) = result.as_object().filter(|_| !result.is_promise()) else {
            return Err(Failure::WrongResult { found: describe(result) });
        };
        let errors = self.texts(&result.get("errors")?)?;
        if !errors.is_empty() {
            return Err(Failure::Told { errors });
        }
        self.report.warnings = self.texts(&result.get("warnings")?)?;
        let data: Value<'js> = result.get("data")?;
        if !data.is_object() || data.is_function() {
            return Err(Failure::NoData { found: describe(&data) });
        }
        self.value(&data, 0)
    }

    /// A list of texts, or one text.
    fn texts(&mut self, value: &Value<'js>) -> Result<Vec<String>, Failure> {
        let Some(list) = value.as_object() else {
            return match value.as_string() {
                Some(text) => Ok(vec![text.to_string()?]),
                None => Ok(Vec::new()),
            };
        };
        let mut texts = Vec::new();
        for index in 0..length(list)?.min(20) {
            let item: Value<'js> = list.get(index as u32)?;
            let text = match item.as_string() {
                Some(text) => text.to_string()?,
                None => self.kit.get::<_, Function<'js>>("thrown")?.call((item,))?,
            };
            texts.push(text.chars().take(200).collect());
        }
        Ok(texts)
    }

    fn value(&mut self, value: &Value<'js>, depth: usize) -> Result<(), Failure> {
        self.visited += 1;
        if self.visited > MAX_VALUES {
            return Err(Failure::TooMany);
        }
        match value.type_of() {
            Type::Bool => self.put(Plain::Bool(value.as_bool().unwrap_or_default())),
            Type::Int | Type::Float => self.number(value.as_number().unwrap_or(f64::NAN)),
            Type::BigInt => {
                // The language's own conversion: of any size, and rounded to the nearest.
                let number = self.kit.get::<_, Function<'js>>("number")?.call((value.clone(),))?;
                self.number(number);
            }
            Type::String => {
                let text = value.as_string().map(rquickjs::String::to_string).transpose()?;
                self.put(Plain::from(text.unwrap_or_default().as_str()));
            }
            _ => return self.structure(value, depth),
        }
        Ok(())
    }

    fn structure(&mut self, value: &Value<'js>, depth: usize) -> Result<(), Failure> {
        let Some(object) = value.as_object().filter(|_| !value.is_function()) else {
            return Ok(()); // null, undefined, a function, a symbol: no value
        };
        if depth >= MAX_DEPTH {
            return Err(Failure::TooDeep { name: self.name.clone() });
        }
        if self.name.len() > MAX_NAME {
            return Err(Failure::LongName { name: self.name.clone() });
        }
        if value.is_array() {
            return self.list(object, depth);
        }
        let keys = self.keys(object)?;
        if keys.is_empty() {
            return self.date(value);
        }
        if !self.name.is_empty() && self.measured(object, &keys)? {
            return Ok(());
        }
        let outer = self.name.len();
        for (atom, key) in keys {
            if outer > 0 {
                self.name.push('.');
            }
            self.name.push_str(&key);
            self.value(&object.get(atom)?, depth + 1)?;
            self.name.truncate(outer);
        }
        Ok(())
    }

    fn list(&mut self, list: &Object<'js>, depth: usize) -> Result<(), Failure> {
        let length = length(list)?;
        if length > MAX_VALUES - self.visited.min(MAX_VALUES) {
            return Err(Failure::TooMany);
        }
        let outer = self.name.len();
        for index in 0..length {
            // Writing to a text cannot fail.
            let _ = write!(self.name, "[{index}]");
            self.value(&list.get(index as u32)?, depth + 1)?;
            self.name.truncate(outer);
        }
        Ok(())
    }

    fn keys(&self, object: &Object<'js>) -> Result<Vec<(Atom<'js>, String)>, Failure> {
        let keys = object.own_keys::<Atom<'js>>(Filter::default());
        if keys.len() > MAX_VALUES - self.visited.min(MAX_VALUES) {
            return Err(Failure::TooMany);
        }
        keys.map(|atom| {
            let atom = atom?;
            // Not the atom's own way to text, which trusts it to be valid Unicode.
            let key = atom.to_js_string()?.to_string()?;
            Ok((atom, key))
        })
        .collect()
    }

    /// A date is its text; any other object without content is nothing.
    fn date(&mut self, value: &Value<'js>) -> Result<(), Failure> {
        let date_text: Function<'js> = self.kit.get("dateText")?;
        let text: Value<'js> = date_text.call((value.clone(),))?;
        if let Some(text) = text.as_string() {
            let text = text.to_string()?;
            self.put(Plain::from(text.as_str()));
        } else if text.is_null() {
            self.report.not_finite.push(self.name.clone());
        }
        Ok(())
    }

    /// Takes `{value, unit, displayName}` as one value in its unit, as the network servers' formats
    /// do with what was decoded there. Says whether it was one.
    fn measured(
        &mut self,
        object: &Object<'js>,
        keys: &[(Atom<'js>, String)],
    ) -> Result<bool, Failure> {
        let known = |key: &str| matches!(key, "value" | "unit" | "displayName");
        if keys.len() < 2 || !keys.iter().all(|(_, key)| known(key)) {
            return Ok(false);
        }
        let (mut value, mut unit) = (None, None);
        for (atom, key) in keys {
            let part: Value<'js> = object.get(atom.clone())?;
            match (key.as_str(), part.as_string()) {
                ("value", _) if part.is_object() => return Ok(false),
                ("value", _) => value = Some(part),
                ("unit", Some(text)) => unit = Some(text.to_string()?),
                (_, Some(_)) => {}
                (_, None) => return Ok(false),
            }
        }
        let Some(value) = value else { return Ok(false) };
        let before = self.report.output.values.len();
        self.value(&value, MAX_DEPTH)?;
        if let Some(put) = self.report.output.values.get_mut(before) {
            put.unit = unit.map(Cow::Owned);
        }
        Ok(true)
    }

    fn number(&mut self, number: f64) {
        if number.is_finite() {
            self.put(Plain::Number(number));
        } else {
            self.report.not_finite.push(self.name.clone());
        }
    }

    fn put(&mut self, value: Plain) {
        self.report.output.values.push(CodecValue::new(self.name.as_str(), value));
    }
}

/// The length of a list; a proxy can claim anything.
fn length(list: &Object<'_>) -> Result<usize, Error> {
    let length: Value<'_> = list.get("length")?;
    Ok(length.as_number().filter(|length| *length > 0.0).unwrap_or_default() as usize)
}

fn describe(value: &Value<'_>) -> &'static str {
    match value.type_of() {
        _ if value.is_promise() => "a promise",
        _ if value.is_function() => "a function",
        _ if value.is_array() => "a list",
        _ if value.is_number() => "a number",
        _ if value.is_string() => "a text",
        _ if value.is_undefined() => "nothing",
        _ if value.is_null() => "null",
        _ if value.is_object() => "an object",
        _ => "something else",
    }
}
