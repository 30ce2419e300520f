//! The words of a filter.

use city_model::Timestamp;

use crate::error::{SyntaxError, short};
use crate::geometry;
use crate::value::Value;

/// A word with the byte at which it begins.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) at: usize,
    pub(crate) word: Word,
}

/// A word.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Word {
    /// A name: of a property, an operator or a function; it may hold `.` and begin with `@`.
    Name(String),
    /// A value.
    Literal(Value),
    Open,
    Close,
    Comma,
    Slash,
    Minus,
}

/// The words of a text. `base` is where the text begins in `whole`, for messages.
pub(crate) fn words(option: &str, text: &str) -> Result<Vec<Token>, SyntaxError> {
    let mut lexer = Lexer { option, text, at: 0 };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next()? {
        tokens.push(token);
    }
    Ok(tokens)
}

struct Lexer<'a> {
    option: &'a str,
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn error(&self, at: usize, message: String, hint: &str) -> SyntaxError {
        SyntaxError::new(self.option, (self.text, at), message, hint)
    }

    fn next(&mut self) -> Result<Option<Token>, SyntaxError> {
        self.at += self.rest().len() - self.rest().trim_start().len();
        let at = self.at;
        let Some(first) = self.rest().chars().next() else { return Ok(None) };
        let word = match first {
            '(' => self.single(Word::Open),
            ')' => self.single(Word::Close),
            ',' => self.single(Word::Comma),
            '/' => self.single(Word::Slash),
            '\'' => Word::Literal(Value::Text(self.quoted()?)),
            '-' if !self.rest()[1..].starts_with(|c: char| c.is_ascii_digit()) => {
                self.single(Word::Minus)
            }
            '-' | '0'..='9' => self.number_or_time()?,
            c if c.is_alphabetic() || c == '_' || c == '@' => self.name()?,
            other => {
                let message = format!("`{other}` means nothing here");
                return Err(self.error(at, message, "texts stand between single quotes"));
            }
        };
        Ok(Some(Token { at, word }))
    }

    fn single(&mut self, word: Word) -> Word {
        self.at += 1;
        word
    }

    /// A text between single quotes; two of them stand for one.
    fn quoted(&mut self) -> Result<String, SyntaxError> {
        let begin = self.at;
        let mut out = String::new();
        let mut chars = self.rest().char_indices().skip(1).peekable();
        while let Some((offset, c)) = chars.next() {
            if c != '\'' {
                out.push(c);
                continue;
            }
            if chars.peek().is_some_and(|(_, next)| *next == '\'') {
                chars.next();
                out.push('\'');
                continue;
            }
            self.at = begin + offset + 1;
            return Ok(out);
        }
        let hint = "end it with a single quote; write one inside twice";
        Err(self.error(begin, "the text has no end".to_owned(), hint))
    }

    fn take(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c: char| !fits(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn number_or_time(&mut self) -> Result<Word, SyntaxError> {
        let begin = self.at;
        let text = self.take(|c| c.is_ascii_alphanumeric() || "+-.:".contains(c));
        if let Ok(number) = text.parse::<f64>()
            && number.is_finite()
        {
            return Ok(Word::Literal(Value::Number(number)));
        }
        let from = instant(text).ok_or_else(|| {
            let message = format!("`{}` is neither a number nor a time", short(text));
            let hint = "write times like 2026-11-23T08:30:00Z; percent-encode a + of an offset";
            self.error(begin, message, hint)
        })?;
        // An interval as ISO 8601 writes it: both ends with a stroke between.
        let after = self.rest().strip_prefix('/');
        if after.is_some_and(|after| after.starts_with(|c: char| c.is_ascii_digit())) {
            let stroke = self.at;
            self.at += 1;
            let text = self.take(|c| c.is_ascii_alphanumeric() || "+-.:".contains(c));
            let to = instant(text).filter(|to| from <= *to).ok_or_else(|| {
                let message = format!("`{}` is no end of this span of time", short(text));
                self.error(stroke, message, "write both ends like 2026-11-23T08:30:00Z")
            })?;
            return Ok(Word::Literal(Value::Interval(from, to)));
        }
        Ok(Word::Literal(Value::Time(from)))
    }

    fn name(&mut self) -> Result<Word, SyntaxError> {
        let begin = self.at;
        let name = self.take(|c| c.is_alphanumeric() || "_.@".contains(c));
        if self.rest().starts_with('\'') {
            let text = self.quoted()?;
            return match name.to_ascii_lowercase().as_str() {
                "geography" | "geometry" => match geometry::from_wkt(&text) {
                    Ok(shape) => Ok(Word::Literal(Value::Geometry(shape))),
                    Err(message) => {
                        let hint = "write it like geography'POINT (11.5 50.5)', longitude first";
                        Err(self.error(begin, message, hint))
                    }
                },
                _ => {
                    let message = format!("there are no values of the type `{}`", short(name));
                    Err(self.error(
                        begin,
                        message,
                        "there are texts, numbers, times and geography'…'",
                    ))
                }
            };
        }
        Ok(match name {
            "true" => Word::Literal(Value::Bool(true)),
            "false" => Word::Literal(Value::Bool(false)),
            "null" => Word::Literal(Value::Null),
            _ => Word::Name(name.to_owned()),
        })
    }
}

/// An instant, or the beginning of a day by UTC.
fn instant(text: &str) -> Option<Timestamp> {
    if text.contains('T') {
        return text.parse().ok();
    }
    let day: jiff::civil::Date = text.parse().ok()?;
    format!("{day}T00:00:00Z").parse().ok()
}
