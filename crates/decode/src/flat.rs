//! Objects with everything inside them, named by paths: `{"a":{"b":[1]}}` is `a.b[0]` = 1.
//!
//! Most messages are small and come by the thousand, so no name is copied on its own: a name at
//! the top is the payload's, paths are written one after the other into one text, and a [`Name`]
//! becomes a text of its own only when a value keeps it.

mod entries;

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

pub(crate) use entries::{Entries, Name, Parts};

use crate::error::{At, DecodeError, DecodeErrorKind, quote};
use crate::limits::{self, MAX_NAME, MAX_VALUES};
use crate::wire::{self, Raw, Text, unsigned};

/// How long a path is expected to be, in bytes.
const USUAL_PATH: usize = 32;

/// A flattened object as it was read. Null is no value.
pub(crate) type Flat<'a> = Walk<Entries<'a>>;

/// Goes through an object and gives what is in it to a taker.
#[derive(Debug, Default)]
pub(crate) struct Walk<T> {
    taker: T,
    /// How many values it got.
    taken: usize,
    /// The path of what is being read.
    path: String,
    /// Set once a limit was passed; the rest was read over.
    problem: Option<Problem>,
}

#[derive(Debug)]
enum Problem {
    TooMany,
    LongName(String),
    Refused(DecodeError),
}

/// Takes values one after the other; after an error there are no more.
pub(crate) trait Take<'a> {
    fn take(&mut self, name: Name<'a, '_>, raw: Raw<'a>) -> Result<(), DecodeError>;
}

impl<'a, F: FnMut(Name<'a, '_>, Raw<'a>) -> Result<(), DecodeError>> Take<'a> for F {
    #[inline]
    fn take(&mut self, name: Name<'a, '_>, raw: Raw<'a>) -> Result<(), DecodeError> {
        self(name, raw)
    }
}

/// Gives the values of a JSON document to `taker`, without keeping them anywhere. What is wrong with
/// the document comes before what the taker says; by then it has had the values before that.
pub(crate) fn each<'a>(payload: &'a [u8], taker: impl Take<'a>) -> Result<(), DecodeError> {
    let text = wire::json_text(payload)?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let mut walk = Walk { taker, taken: 0, path: String::new(), problem: None };
    let read = Seed { sent: "", is_top: false, walk: &mut walk }.deserialize(&mut deserializer);
    read.and_then(|()| deserializer.end()).map_err(|error| wire::json_error(&error))?;
    walk.checked().map(|_| ())
}

impl<T> Walk<T> {
    /// The taker, unless a limit was passed.
    pub(crate) fn checked(&mut self) -> Result<&mut T, DecodeError> {
        match self.problem.take() {
            None => Ok(&mut self.taker),
            Some(Problem::TooMany) => Err(limits::too_many()),
            Some(Problem::LongName(name)) => Err(long_name(&name)),
            Some(Problem::Refused(error)) => Err(error),
        }
    }

    /// Goes on to an item of the array at the path.
    fn enter(&mut self, index: usize) {
        match u8::try_from(index) {
            Ok(index @ 0..10) => self.path.extend(['[', char::from(b'0' + index), ']']),
            // Writing into a text cannot fail.
            _ => _ = write!(self.path, "[{index}]"),
        }
    }
}

impl<'a> Flat<'a> {
    /// Adds a value of a format that is not JSON, within the limits.
    pub(crate) fn push(&mut self, name: &str, raw: Raw<'a>) -> Result<(), DecodeError> {
        if self.taken >= MAX_VALUES {
            return Err(limits::too_many());
        }
        self.taken += 1;
        self.taker.take(Name::made(name), raw)
    }

    /// Reads an object in place of the one before, whose memory it takes over; the caller has
    /// opened its braces.
    pub(crate) fn read_map<A: MapAccess<'a>>(&mut self, entries: A) -> Result<(), A::Error> {
        self.clear();
        Seed { sent: "", is_top: false, walk: self }.visit_map(entries)
    }

    /// The same for the next of an array's items; whether there was one.
    pub(crate) fn read_item<A: SeqAccess<'a>>(&mut self, items: &mut A) -> Result<bool, A::Error> {
        self.clear();
        items
            .next_element_seed(Seed { sent: "", is_top: false, walk: self })
            .map(|item| item.is_some())
    }

    fn clear(&mut self) {
        let Self { taker, taken, path, problem } = self;
        (*taken, *problem) = (0, None);
        taker.clear();
        path.clear();
    }

    /// Whether it is no object at all but a single value.
    pub(crate) fn is_scalar(&self) -> bool {
        let mut entries = self.taker.iter();
        entries.next().is_some_and(|(name, _)| name.as_str().is_empty()) && entries.next().is_none()
    }

    /// What was read so far.
    pub(crate) fn entries(&mut self) -> &mut Entries<'a> {
        &mut self.taker
    }

    /// The same for longer than its payload.
    pub(crate) fn into_owned<'b>(self) -> Flat<'b> {
        let Self { taker, taken, path, problem } = self;
        Flat { taker: taker.into_owned(), taken, path, problem }
    }
}

/// A name by path that is too long, before anything inside it is looked at.
pub(crate) fn long_name(name: &str) -> DecodeError {
    DecodeError::new(
        DecodeErrorKind::BadName,
        At::Path(quote(name)),
        format!("a name is longer than {MAX_NAME} bytes"),
        "send shorter names",
    )
}

impl<'de: 'a, 'a> Deserialize<'de> for Flat<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut flat = Flat::default();
        Seed { sent: "", is_top: false, walk: &mut flat }.deserialize(deserializer)?;
        Ok(flat)
    }
}

/// Reads what is at the path that was reached.
struct Seed<'w, 'a, T> {
    /// The last name of the path, if the payload has it without escapes.
    sent: &'a str,
    /// Whether that is all of the name, and not written into the path yet: most values are at the
    /// top, and need no path.
    is_top: bool,
    walk: &'w mut Walk<T>,
}

impl<'a, T: Take<'a>> Seed<'_, 'a, T> {
    #[inline]
    fn put(self, raw: Raw<'a>) {
        let Walk { taker, taken, path, problem } = self.walk;
        if *taken >= MAX_VALUES {
            problem.get_or_insert(Problem::TooMany);
            return;
        }
        *taken += 1;
        let text = if self.is_top { self.sent } else { path };
        if let Err(error) = taker.take(Name::reached(text, self.sent), raw) {
            problem.get_or_insert(Problem::Refused(error));
        }
    }

    /// Whether to go on into what is named so; longer and longer names must not use up memory.
    fn name_fits(&mut self) -> bool {
        let name = if self.is_top { self.sent } else { &self.walk.path };
        if name.len() > MAX_NAME {
            let name = name.to_owned();
            self.walk.problem.get_or_insert(Problem::LongName(name));
        }
        self.walk.problem.is_none()
    }

    /// Goes inside what is named so.
    fn go_in(&mut self) {
        if self.is_top {
            self.walk.path.reserve(USUAL_PATH);
            self.walk.path.push_str(self.sent);
        }
    }

    /// Comes out again.
    fn come_out(&mut self) {
        if self.is_top {
            self.walk.path.clear();
        }
    }
}

impl<'de: 'a, 'a, T: Take<'a>> DeserializeSeed<'de> for Seed<'_, 'a, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(mut self, deserializer: D) -> Result<(), D::Error> {
        if self.name_fits() {
            deserializer.deserialize_any(self)
        } else {
            IgnoredAny::deserialize(deserializer).map(|_| ())
        }
    }
}

impl<'de: 'a, 'a, T: Take<'a>> Visitor<'de> for Seed<'_, 'a, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }
    fn visit_bool<E>(self, flag: bool) -> Result<(), E> {
        self.put(Raw::Bool(flag));
        Ok(())
    }
    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.put(Raw::Integer(number));
        Ok(())
    }
    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.put(unsigned(number));
        Ok(())
    }
    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.put(Raw::Number(number));
        Ok(())
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<(), E> {
        self.put(Raw::Text(Cow::Borrowed(text)));
        Ok(())
    }
    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.put(Raw::Text(Cow::Owned(text.to_owned())));
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        self.go_in();
        let outer = self.walk.path.len();
        for index in 0usize.. {
            self.walk.enter(index);
            let seed = Seed { sent: "", is_top: false, walk: self.walk };
            let item = items.next_element_seed(seed)?;
            self.walk.path.truncate(outer);
            if item.is_none() {
                break;
            }
        }
        self.come_out();
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        self.go_in();
        let outer = self.walk.path.len();
        while let Some(Text(key)) = entries.next_key()? {
            let seed = match (outer, key) {
                (0, Cow::Borrowed(sent)) => Seed { sent, is_top: true, walk: self.walk },
                (_, key) => {
                    if outer > 0 {
                        self.walk.path.push('.');
                    }
                    self.walk.path.push_str(&key);
                    let sent = if let Cow::Borrowed(key) = key { key } else { "" };
                    Seed { sent, is_top: false, walk: self.walk }
                }
            };
            entries.next_value_seed(seed)?;
            self.walk.path.truncate(outer);
        }
        self.come_out();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::from_json;

    fn flat(json: &str) -> Result<Vec<(String, Raw<'static>)>, DecodeErrorKind> {
        let flat: Flat<'_> = from_json(json.as_bytes()).map_err(|error| error.kind)?;
        let mut entries = flat.into_owned();
        let entries = entries.checked().map_err(|error| error.kind)?;
        Ok(entries.drain().map(|(name, raw)| (name.as_str().to_owned(), raw)).collect())
    }

    #[test]
    fn objects_are_flattened_by_path() {
        let entries = flat(r#"{"a":{"b":[1,{"c":2.5}]},"d\n":true,"e":"on","f":null,"g":{}}"#);
        let expected = [
            ("a.b[0]", Raw::Integer(1)),
            ("a.b[1].c", Raw::Number(2.5)),
            ("d\n", Raw::Bool(true)),
            ("e", Raw::Text("on".into())),
        ];
        assert_eq!(entries, Ok(expected.map(|(name, raw)| (name.to_owned(), raw)).to_vec()));
    }

    #[test]
    fn names_are_the_payloads_as_far_as_it_has_them() {
        let json = r#"{"a":{"b":1,"c\n":{"d":2}},"e":3,"":{"":4,"f":5}}"#;
        let mut flat: Flat<'_> = from_json(json.as_bytes()).expect("JSON");
        let entries = flat.checked().expect("within the limits");
        let mut seen = Vec::new();
        for (name, _) in entries.drain() {
            assert_eq!(name.keep(), name.as_str());
            let borrowed = |name: Name<'_, '_>| matches!(name.keep(), Cow::Borrowed(_));
            let inside = name.strip_prefix("a.").map(borrowed);
            seen.push((name.as_str().to_owned(), borrowed(name), inside));
        }
        let expected = [
            ("a.b", false, Some(true)),
            ("a.c\n.d", false, Some(false)),
            ("e", true, None),
            ("", true, None),
            ("f", true, None),
        ];
        assert_eq!(seen, expected.map(|(name, own, inside)| (name.to_owned(), own, inside)));
    }

    #[test]
    fn what_is_inside_an_object_is_named_from_there() {
        let inside = |json: &str| {
            let mut flat: Flat<'_> = from_json(json.as_bytes()).expect("JSON");
            let entries = flat.checked().expect("within the limits");
            let any = entries.go_inside("data.");
            let names = entries.drain().map(|(name, _)| {
                assert_eq!(name.keep(), name.as_str());
                name.as_str().to_owned()
            });
            (any, names.collect::<Vec<_>>())
        };
        let (any, names) = inside(r#"{"data":{"a":1,"b":{"c":2},"":3},"data.d":4,"e":5}"#);
        assert_eq!((any, names), (true, ["a", "b.c", "", "d"].map(str::to_owned).to_vec()));
        assert_eq!(inside(r#"{"datum":{"a":1}}"#), (false, vec!["datum.a".to_owned()]));
    }

    #[test]
    fn flattening_keeps_the_limits() {
        let long = format!(r#"{{"{}":{{"b":[1,2,3]}}}}"#, "a".repeat(MAX_NAME));
        assert_eq!(flat(&long), Err(DecodeErrorKind::BadName));
        let many = format!(r#"{{"a":[{}1]}}"#, "1,".repeat(MAX_VALUES));
        assert_eq!(flat(&many), Err(DecodeErrorKind::TooManyValues));
        assert_eq!(flat(&"[".repeat(200)), Err(DecodeErrorKind::TooDeep));
    }

    #[test]
    fn parser_errors_say_where() {
        let error = from_json::<Flat<'_>>(b"{\n\"a\": nan}").expect_err("not JSON");
        assert_eq!(error.kind, DecodeErrorKind::Malformed);
        assert_eq!(error.at, At::LineColumn { line: 2, column: 7 });
        assert!(!error.message.contains("line"), "{error}");
        let error = from_json::<Flat<'_>>(b"{\"a\": \"\xff\"}").expect_err("not UTF-8");
        assert_eq!(error.at, At::Byte(7));
    }
}
