//! The syntax of line protocol: bytes to points.
//!
//! Source: the grammar and the corpus of InfluxData's line-protocol reference
//! (<https://github.com/influxdata/line-protocol>, <https://github.com/influxdata/line-protocol-corpus>).
//! A backslash escapes only what would otherwise end the token; before anything else it stands
//! for itself.

use std::borrow::Cow;

use crate::error::{At, DecodeError, DecodeErrorKind, quote};
use crate::wire::Raw;

/// One line's content.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Point<'a> {
    pub(super) measurement: Cow<'a, str>,
    pub(super) tags: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    pub(super) fields: Vec<(Cow<'a, str>, Raw<'a>)>,
    /// In the source's precision.
    pub(super) time: Option<i64>,
    /// The number of its first line, from 1.
    pub(super) line: usize,
}

/// Reads points one after the other.
pub(super) struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The line that `counted` is on.
    line: usize,
    /// Where lines have been counted up to.
    counted: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, line: 1, counted: 0 }
    }

    /// Reads the next point; `false` at the end.
    pub(super) fn next(&mut self, point: &mut Point<'a>) -> Result<bool, DecodeError> {
        self.skip_blank_lines()?;
        if self.peek().is_none() {
            return Ok(false);
        }
        point.line = self.line_here();
        point.measurement = self.measurement()?;
        self.tags(&mut point.tags)?;
        let timed = self.fields(&mut point.fields)?;
        point.time = if timed { Some(self.time()?) } else { None };
        Ok(true)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Counts on from where it stopped last, so that counting costs one pass in all.
    fn line_here(&mut self) -> usize {
        let passed = self.bytes.get(self.counted..self.at).unwrap_or_default();
        self.line += newlines(passed);
        self.counted = self.at;
        self.line
    }

    fn skip(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|byte| !wanted(*byte)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// Takes a line's end, if it is here: a newline with or without carriage return, or the end.
    fn line_end(&mut self) -> bool {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = match rest {
            [] => 0,
            [b'\n', ..] | [b'\r'] => 1,
            [b'\r', b'\n', ..] => 2,
            _ => return false,
        };
        self.at += length;
        true
    }

    fn skip_blank_lines(&mut self) -> Result<(), DecodeError> {
        loop {
            self.skip(|byte| byte == b' ');
            match self.peek() {
                Some(b'#') => {
                    self.skip(|byte| !is_control(byte) || byte == b'\t');
                    if !self.line_end() {
                        return Err(self.wrong(self.at, "a control character in a comment"));
                    }
                }
                Some(b'\n' | b'\r') if self.line_end() => {}
                _ => return Ok(()),
            }
        }
    }

    fn measurement(&mut self) -> Result<Cow<'a, str>, DecodeError> {
        let start = self.at;
        let ends = |byte| matches!(byte, b',' | b' ') || is_control(byte);
        let measurement = self.token(ends, b", ")?;
        if measurement.is_empty() {
            return Err(self.wrong(start, "a line begins with a character that no name can have"));
        }
        self.tag_comma()?;
        Ok(measurement)
    }

    /// Takes the comma before a tag, which must then be there.
    fn tag_comma(&mut self) -> Result<(), DecodeError> {
        if self.peek() != Some(b',') {
            return Ok(());
        }
        self.at += 1;
        match self.peek() {
            None | Some(b' ' | b'\r' | b'\n') => {
                Err(self.wrong(self.at, "a tag is missing after the comma"))
            }
            Some(_) => Ok(()),
        }
    }

    fn tags(&mut self, tags: &mut Vec<(Cow<'a, str>, Cow<'a, str>)>) -> Result<(), DecodeError> {
        tags.clear();
        let start = self.at;
        while self.peek() != Some(b' ') {
            if self.peek().is_none() && !tags.is_empty() {
                break;
            }
            let here = self.at;
            let key = self.token(ends_key, KEY_ESCAPES)?;
            if key.is_empty() || self.peek() != Some(b'=') {
                return Err(self.wrong(here, "a tag key with `=`, or blank and fields, is missing"));
            }
            self.at += 1;
            let value = self.token(ends_tag_value, KEY_ESCAPES)?;
            if value.is_empty() {
                return Err(self.wrong(self.at, "a tag has no value"));
            }
            tags.push((key, value));
            self.tag_comma()?;
        }
        self.skip(|byte| byte == b' ');
        if let Some(twice) = duplicate(tags) {
            let message = format!("the tag `{}` is there twice", quote(twice));
            return Err(self.wrong(start, message));
        }
        Ok(())
    }

    /// Reads the fields; whether a time follows.
    fn fields(&mut self, fields: &mut Vec<(Cow<'a, str>, Raw<'a>)>) -> Result<bool, DecodeError> {
        fields.clear();
        loop {
            let start = self.at;
            let key = self.token(ends_key, KEY_ESCAPES)?;
            if key.is_empty() {
                return Err(self.wrong(start, "a field key is missing"));
            }
            if self.peek() != Some(b'=') {
                return Err(self.wrong(self.at, "`=` is missing after a field key"));
            }
            self.at += 1;
            fields.push((key, self.value()?));
            match self.peek() {
                Some(b',') => self.at += 1,
                None | Some(b' ' | b'\r' | b'\n') => break,
                Some(_) => return Err(self.wrong(self.at, "`,` or blank is missing after a field")),
            }
        }
        self.skip(|byte| byte == b' ');
        Ok(!self.line_end())
    }

    fn value(&mut self) -> Result<Raw<'a>, DecodeError> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b't' | b'T' | b'f' | b'F') => {
                let start = self.at;
                match self.skip(in_value) {
                    b"t" | b"T" | b"true" | b"True" | b"TRUE" => Ok(Raw::Bool(true)),
                    b"f" | b"F" | b"false" | b"False" | b"FALSE" => Ok(Raw::Bool(false)),
                    _ => Err(self.wrong(start, "a truth value is not true, false, t or f")),
                }
            }
            Some(b'-' | b'.' | b'0'..=b'9') => self.number(),
            _ => Err(self.wrong(
                self.at,
                "a field's value is neither number, truth value nor text in quotes (NaN and \
                 infinities cannot be sent)",
            )),
        }
    }

    fn string(&mut self) -> Result<Raw<'a>, DecodeError> {
        let start = self.at;
        self.at += 1;
        let text = self.token(|byte| byte == b'"', b"\"\\")?;
        if self.peek().is_none() {
            return Err(self.wrong(start, "a text has no closing quote"));
        }
        self.at += 1;
        Ok(Raw::Text(text))
    }

    fn number(&mut self) -> Result<Raw<'a>, DecodeError> {
        let start = self.at;
        let bytes = self.skip(in_value);
        let (digits, suffix) = match bytes {
            [digits @ .., suffix @ (b'i' | b'u')] => (digits, Some(*suffix)),
            digits => (digits, None),
        };
        let signed = digits.strip_prefix(b"-").unwrap_or(digits);
        let whole = !signed.is_empty() && signed.iter().all(u8::is_ascii_digit);
        let text = std::str::from_utf8(digits).unwrap_or_default();
        let parsed = match suffix {
            Some(b'i') if whole => text.parse().ok().map(Raw::Integer),
            Some(_) if whole && signed.len() == digits.len() => {
                text.parse().ok().map(crate::wire::unsigned)
            }
            Some(_) => return Err(self.wrong(start, "an integer is not only digits")),
            None if digits.iter().all(|byte| in_float(*byte)) => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Some(Raw::Number(number)),
                Ok(_) => None,
                Err(_) => return Err(self.wrong(start, "a number is not a decimal one")),
            },
            None => return Err(self.wrong(start, "a number is not a decimal one")),
        };
        parsed
            .ok_or_else(|| self.error(DecodeErrorKind::BadValue, start, "a number is out of range"))
    }

    fn time(&mut self) -> Result<i64, DecodeError> {
        let start = self.at;
        let bytes = self.skip(|byte| matches!(byte, b'-' | b'0'..=b'9'));
        if !matches!(self.peek(), None | Some(b' ' | b'\r' | b'\n')) {
            return Err(self.wrong(start, "a time is not a whole number"));
        }
        self.skip(|byte| byte == b' ');
        if !self.line_end() {
            return Err(self.wrong(self.at, "text follows after the time"));
        }
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.is_empty() || digits.contains('-') {
            return Err(self.wrong(start, "a time is not a whole number"));
        }
        text.parse()
            .map_err(|_| self.error(DecodeErrorKind::BadTime, start, "a time is out of range"))
    }

    /// Takes bytes up to one that ends the token, with escapes undone.
    fn token(
        &mut self,
        ends: impl Fn(u8) -> bool,
        escapes: &[u8],
    ) -> Result<Cow<'a, str>, DecodeError> {
        let bytes: &'a [u8] = self.bytes;
        let start = self.at;
        let mut unescaped: Option<Vec<u8>> = None;
        let mut copied = start;
        while let Some(byte) = self.peek() {
            if byte == b'\\' {
                if let Some(next) = bytes.get(self.at + 1).filter(|next| escapes.contains(next)) {
                    let buffer = unescaped.get_or_insert_default();
                    buffer.extend_from_slice(&bytes[copied..self.at]);
                    buffer.push(*next);
                    self.at += 2;
                    copied = self.at;
                    continue;
                }
            } else if ends(byte) {
                break;
            }
            self.at += 1;
        }
        let rest = &bytes[copied..self.at];
        let text = match unescaped {
            None => std::str::from_utf8(rest).ok().map(Cow::Borrowed),
            Some(mut buffer) => {
                buffer.extend_from_slice(rest);
                String::from_utf8(buffer).ok().map(Cow::Owned)
            }
        };
        text.ok_or_else(|| self.wrong(start, "a name or text is not UTF-8"))
    }

    fn wrong(&self, at: usize, message: impl Into<String>) -> DecodeError {
        self.error(DecodeErrorKind::Malformed, at, message)
    }

    fn error(&self, kind: DecodeErrorKind, at: usize, message: impl Into<String>) -> DecodeError {
        let before = self.bytes.get(..at).unwrap_or(self.bytes);
        let line = 1 + newlines(before);
        let column = 1 + before.iter().rev().take_while(|byte| **byte != b'\n').count();
        let hint = "send measurement,tag=value field=value time, one point a line";
        DecodeError::new(kind, At::LineColumn { line, column }, message, hint)
    }
}

const KEY_ESCAPES: &[u8] = b",= ";

const fn ends_key(byte: u8) -> bool {
    matches!(byte, b',' | b'=' | b' ') || is_control(byte)
}

/// A tag's value may hold control characters, though a key may not.
const fn ends_tag_value(byte: u8) -> bool {
    matches!(byte, b',' | b'=' | b' ' | b'\r' | b'\n')
}

const fn in_value(byte: u8) -> bool {
    !matches!(byte, b',' | b' ' | b'\r' | b'\n')
}

const fn in_float(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
}

const fn is_control(byte: u8) -> bool {
    matches!(byte, 0..=31 | 127)
}

fn newlines(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').skip(1).count()
}

/// A key that is there twice. Many tags are sorted, so that a hostile line costs no square.
fn duplicate<'t>(tags: &'t [(Cow<'_, str>, Cow<'_, str>)]) -> Option<&'t str> {
    if tags.len() <= 8 {
        let mut later = tags;
        while let Some(((key, _), rest)) = later.split_first() {
            if rest.iter().any(|(other, _)| other == key) {
                return Some(key);
            }
            later = rest;
        }
        return None;
    }
    let mut keys: Vec<&str> = tags.iter().map(|(key, _)| key.as_ref()).collect();
    keys.sort_unstable();
    keys.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}
