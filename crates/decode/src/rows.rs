//! JSON that is one object or an array of them, read object after object, each flat.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::error::{At, DecodeError, DecodeErrorKind, quote};
use crate::flat::Flat;
use crate::wire::{self, Text};

/// Takes an object: the name above it (empty at the top), its place in an array, its entries.
pub(crate) trait Take<'a>:
    FnMut(&Cow<'a, str>, Option<usize>, &mut Flat<'a>) -> Result<(), DecodeError>
{
}

impl<'a, F> Take<'a> for F where
    F: FnMut(&Cow<'a, str>, Option<usize>, &mut Flat<'a>) -> Result<(), DecodeError>
{
}

/// Gives the objects of a payload to `take` one after the other.
pub(crate) fn each<'a>(payload: &'a [u8], take: impl Take<'a>) -> Result<(), DecodeError> {
    let mut rows = Rows { take, error: None, flat: Flat::default() };
    let text = wire::json_text(payload)?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let seed = RowsSeed { rows: &mut rows, name: &Cow::Borrowed("") };
    let read = seed.deserialize(&mut deserializer).and_then(|()| deserializer.end());
    rows.ended(read)
}

/// The same for `{"name": object or array of objects, …}`.
pub(crate) fn each_named<'a>(payload: &'a [u8], take: impl Take<'a>) -> Result<(), DecodeError> {
    let mut rows = Rows { take, error: None, flat: Flat::default() };
    let text = wire::json_text(payload)?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let seed = NamedSeed { rows: &mut rows };
    let read = seed.deserialize(&mut deserializer).and_then(|()| deserializer.end());
    rows.ended(read)
}

/// Where an object stands, for errors.
pub(crate) fn at(name: &str, index: Option<usize>) -> At {
    match (name, index) {
        ("", None) => At::Message,
        (name, None) => At::Path(quote(name)),
        (name, Some(index)) => At::Path(format!("{}[{index}]", quote(name))),
    }
}

struct Rows<'a, F> {
    take: F,
    /// The object that was read last.
    flat: Flat<'a>,
    /// Why reading stopped; the parser's own error only says that it did.
    error: Option<DecodeError>,
}

impl<'a, F> Rows<'a, F> {
    fn ended(self, read: Result<(), serde_json::Error>) -> Result<(), DecodeError> {
        read.map_err(|error| self.error.unwrap_or_else(|| wire::json_error(&error)))
    }

    #[expect(clippy::ptr_arg, reason = "a borrowed name is kept without a copy")]
    fn took<E: Error>(&mut self, name: &Cow<'a, str>, index: Option<usize>) -> Result<(), E>
    where
        F: Take<'a>,
    {
        let error = match (self.take)(name, index, &mut self.flat) {
            Ok(()) => return Ok(()),
            Err(error) if error.at == At::Message => DecodeError { at: at(name, index), ..error },
            Err(error) => error,
        };
        self.error = Some(error);
        Err(E::custom("stopped"))
    }

    fn no_object<E: Error>(&mut self, name: &str, index: Option<usize>) -> E {
        self.error = Some(DecodeError::new(
            DecodeErrorKind::WrongShape,
            at(name, index),
            "there is a single value where an object should be",
            "check that the source's format is the one that the device sends",
        ));
        E::custom("stopped")
    }
}

/// Reads one object, or an array of objects.
struct RowsSeed<'r, 'n, 'a, F> {
    rows: &'r mut Rows<'a, F>,
    name: &'n Cow<'a, str>,
}

impl<'de, F: Take<'de>> DeserializeSeed<'de> for RowsSeed<'_, '_, 'de, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: Take<'de>> Visitor<'de> for RowsSeed<'_, '_, 'de, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array of objects")
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<(), A::Error> {
        self.rows.flat.read_map(entries)?;
        self.rows.took(self.name, None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        for index in 0usize.. {
            if !self.rows.flat.read_item(&mut items)? {
                break;
            }
            if self.rows.flat.is_scalar() {
                return Err(self.rows.no_object(self.name, Some(index)));
            }
            self.rows.took(self.name, Some(index))?;
        }
        Ok(())
    }
}

/// Reads an object whose values are objects or arrays of objects.
struct NamedSeed<'r, 'a, F> {
    rows: &'r mut Rows<'a, F>,
}

impl<'de, F: Take<'de>> DeserializeSeed<'de> for NamedSeed<'_, 'de, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, F: Take<'de>> Visitor<'de> for NamedSeed<'_, 'de, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a name for each device")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(Text(name)) = entries.next_key()? {
            entries.next_value_seed(RowsSeed { rows: self.rows, name: &name })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str, named: bool) -> Result<Vec<String>, DecodeError> {
        let mut seen = Vec::new();
        let take = |name: &Cow<'_, str>, index: Option<usize>, flat: &mut Flat<'_>| {
            for (key, _) in flat.checked()?.iter() {
                seen.push(format!("{name}/{index:?}/{}", key.as_str()));
            }
            Ok(())
        };
        let read =
            if named { each_named(json.as_bytes(), take) } else { each(json.as_bytes(), take) };
        read.map(|()| seen)
    }

    #[test]
    fn objects_come_one_after_the_other() {
        assert_eq!(read(r#"{"a": {"b": 1}}"#, false), Ok(vec!["/None/a.b".to_owned()]));
        let rows = read(r#"[{"a": 1}, {}, {"b": 2}]"#, false).expect("rows");
        assert_eq!(rows, ["/Some(0)/a", "/Some(2)/b"]);
        let named = read(r#"{"x.y": [{"a": 1}, {"a": 2}], "z": {"b": 3}}"#, true).expect("rows");
        assert_eq!(named, ["x.y/Some(0)/a", "x.y/Some(1)/a", "z/None/b"]);
    }

    #[test]
    fn what_is_no_object_is_refused_with_its_place() {
        let error = read(r#"{"x": [{"a": 1}, 5]}"#, true).expect_err("a number");
        assert_eq!(error.at, At::Path("x[1]".to_owned()));
        for (json, named) in [("5", false), ("[5]", false), ("[]", true), (r#"{"x": 5}"#, true)] {
            assert_eq!(
                read(json, named).expect_err(json).kind,
                DecodeErrorKind::WrongShape,
                "{json}"
            );
        }
        assert_eq!(read("[{}", false).expect_err("cut").kind, DecodeErrorKind::Malformed);
    }
}
