//! Reading a source's options with errors that name the key.

use serde_json::{Map, Value};

use crate::error::OptionsError;

/// A table of options whose keys are all known.
pub(crate) struct Options<'o> {
    /// `None` if there are no options at all.
    table: Option<&'o Map<String, Value>>,
    /// The keys around this table, with a dot at the end; empty at the top.
    prefix: String,
}

impl<'o> Options<'o> {
    /// The options of a format: its own keys, and those that all formats share.
    pub(crate) fn new(value: &'o Value, own: &[&str]) -> Result<Self, OptionsError> {
        let known: Vec<&str> = own.iter().copied().chain(crate::mapping::KEYS).collect();
        Self::table_of(value, String::new(), &known)
    }

    /// A table inside the options, found at `key`.
    pub(crate) fn nested(
        value: &'o Value,
        key: &str,
        known: &[&str],
    ) -> Result<Self, OptionsError> {
        Self::table_of(value, format!("{key}."), known)
    }

    fn table_of(value: &'o Value, prefix: String, known: &[&str]) -> Result<Self, OptionsError> {
        let table = match value {
            Value::Null => None,
            Value::Object(table) => Some(table),
            other => return Err(OptionsError::NotATable { found: name_of(other) }),
        };
        let unknown =
            table.iter().flat_map(|t| t.keys()).find(|key| !known.contains(&key.as_str()));
        if let Some(key) = unknown {
            let (key, known) = (format!("{prefix}{key}"), known.join(", "));
            return Err(OptionsError::Unknown { key, known });
        }
        Ok(Self { table, prefix })
    }

    /// The key with the keys around it.
    pub(crate) fn full(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'o Value> {
        self.table?.get(key).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&self, key: &str) -> Result<Option<&'o str>, OptionsError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong(key, "a text", other)),
        }
    }

    pub(crate) fn flag(&self, key: &str) -> Result<Option<bool>, OptionsError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(other) => Err(self.wrong(key, "true or false", other)),
        }
    }

    pub(crate) fn number(&self, key: &str) -> Result<Option<f64>, OptionsError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Number(number)) => Ok(number.as_f64()),
            Some(other) => Err(self.wrong(key, "a number", other)),
        }
    }

    pub(crate) fn list(&self, key: &str) -> Result<&'o [Value], OptionsError> {
        match self.get(key) {
            None => Ok(&[]),
            Some(Value::Array(list)) => Ok(list),
            Some(other) => Err(self.wrong(key, "a list", other)),
        }
    }

    /// The entries of a table whose keys are names of the user's own.
    pub(crate) fn table(&self, key: &str) -> Result<Option<&'o Map<String, Value>>, OptionsError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Object(table)) => Ok(Some(table)),
            Some(other) => Err(self.wrong(key, "a table", other)),
        }
    }

    /// One of a few words.
    pub(crate) fn choice<T: Copy>(
        &self,
        key: &str,
        choices: &[(&str, T)],
    ) -> Result<Option<T>, OptionsError> {
        self.choice_of(key, choices.iter().copied())
    }

    /// One of a few words, for what cannot be copied.
    pub(crate) fn choice_of<'w, T>(
        &self,
        key: &str,
        choices: impl IntoIterator<Item = (&'w str, T)>,
    ) -> Result<Option<T>, OptionsError> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        let mut words = Vec::new();
        for (word, choice) in choices {
            if word == text {
                return Ok(Some(choice));
            }
            words.push(word);
        }
        let problem = format!("`{text}` is not one of {}", words.join(", "));
        Err(OptionsError::bad(self.full(key), problem))
    }

    fn wrong(&self, key: &str, expected: &str, found: &Value) -> OptionsError {
        let problem = format!("must be {expected}, not {}", name_of(found));
        OptionsError::bad(self.full(key), problem)
    }
}

/// What people call a kind of JSON value.
pub(crate) const fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table",
    }
}
