//! Why a call of a codec failed, and how that is told.

use std::time::Duration;

use city_decode::CodecError;
use city_decode::limits::{MAX_DEPTH, MAX_NAME, MAX_VALUES};

/// The longest message that is kept, in characters.
const LONGEST_MESSAGE: usize = 300;

/// Why a call failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The script threw something, or cannot be compiled.
    Script { place: Place, message: String },
    /// An exception that nobody has looked at yet.
    Thrown(rquickjs::Error),
    /// The codec says itself that it cannot decode the frame.
    Told { errors: Vec<String> },
    /// Too much time.
    Time { limit: Duration },
    /// Too much memory.
    Memory { limit: usize },
    /// So much time that nobody waits for it any longer.
    Stuck { limit: Duration },
    /// The call before it was stuck, and still is.
    Occupied,
    /// There is no engine to run it.
    Engine { why: String },
    /// It is left alone for now.
    Rests { left: Duration },
    /// Nothing that could be called.
    NoFunction,
    /// Not an object.
    WrongResult { found: &'static str },
    /// An object without data.
    NoData { found: &'static str },
    /// More values than a message may hold.
    TooMany,
    /// Nested too deeply.
    TooDeep { name: String },
    /// A name by path that is too long.
    LongName { name: String },
}

impl From<rquickjs::Error> for Failure {
    fn from(error: rquickjs::Error) -> Self {
        Self::Thrown(error)
    }
}

/// A line in the codec's file, if it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place(Option<u32>);

impl Place {
    /// The first line of this file in a stack such as `    at decode (x.js:17:5)`.
    pub(crate) fn first_of(file: &str, stack: &str) -> Self {
        let mut rest = stack;
        while let Some(at) = rest.find(file) {
            rest = &rest[at + file.len()..];
            let digits = rest.strip_prefix(':').unwrap_or_default();
            let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
            if let Ok(line) = digits[..end].parse() {
                return Self(Some(line));
            }
        }
        Self::default()
    }
}

impl Failure {
    /// Whether the codec used up what it may use, so that its engine cannot be trusted any more.
    pub(crate) fn is_a_limit(&self) -> bool {
        matches!(
            self,
            Self::Time { .. } | Self::Memory { .. } | Self::Stuck { .. } | Self::Engine { .. }
        )
    }

    pub(crate) fn into_error(self, file: &str) -> CodecError {
        let at = match &self {
            Self::Script { place: Place(Some(line)), .. } => format!("{file}:{line}"),
            _ => file.to_owned(),
        };
        let hint = self.hint();
        CodecError { at, message: self.message().chars().take(LONGEST_MESSAGE).collect(), hint }
    }

    fn message(self) -> String {
        match self {
            Self::Script { message, .. } if message.is_empty() => "it threw nothing".to_owned(),
            Self::Script { message, .. } => message,
            Self::Thrown(error) => error.to_string(),
            Self::Told { errors } => format!("it says: {}", errors.join("; ")),
            Self::Time { limit } => format!("it ran longer than {} ms", limit.as_millis()),
            Self::Stuck { limit } => {
                format!("it ran longer than {} ms, and is still running", limit.as_millis())
            }
            Self::Occupied => "a frame before this one is still running in it".to_owned(),
            Self::Engine { why } => format!("it cannot be run: {why}"),
            Self::Memory { limit } => format!("it used more than {} MiB", limit >> 20),
            Self::Rests { left } => format!(
                "it used up its time or memory too often and rests for another {} s",
                left.as_secs_f64().ceil()
            ),
            Self::NoFunction => {
                "the file has no function decodeUplink, Decode or Decoder".to_owned()
            }
            Self::WrongResult { found } => {
                format!("it returned {found}, not an object with `data` or `errors`")
            }
            Self::NoData { found } => format!("it returned {found} as `data`, not an object"),
            Self::TooMany => format!("it returned more than {MAX_VALUES} values"),
            Self::TooDeep { name } => {
                let name: String = name.chars().take(64).collect();
                format!("what it returned is nested deeper than {MAX_DEPTH} (at `{name}…`)")
            }
            Self::LongName { name } => {
                let name: String = name.chars().take(64).collect();
                format!("a name is longer than {MAX_NAME} bytes (`{name}…`)")
            }
        }
    }

    const fn hint(&self) -> &'static str {
        match self {
            Self::Script { .. } | Self::Thrown(_) => {
                "try the bytes with `citybrain codec test`; take a newer file from the vendor, or \
                 mend this one"
            }
            Self::Told { .. } => {
                "check that the device is of this kind and sends what this version of the file \
                 expects (port, firmware)"
            }
            Self::Time { .. } | Self::Memory { .. } => {
                "try the bytes with `citybrain codec test`: an endless loop is the most common \
                 cause"
            }
            Self::Stuck { .. } => {
                "try the bytes with `citybrain codec test`: a search in a very long text or a number \
                 of very many digits is the most common cause"
            }
            Self::Engine { .. } => {
                "check how many threads and how much memory the system allows; then replay the frame"
            }
            Self::Rests { .. } | Self::Occupied => {
                "mend the file; what was refused meanwhile can be replayed"
            }
            Self::NoFunction => {
                "the file must define decodeUplink(input) at its top; `export` and several files \
                 are not possible"
            }
            Self::WrongResult { .. } | Self::NoData { .. } => {
                "check that the file knows frames on this port; it must return {data: {…}}"
            }
            Self::TooMany | Self::TooDeep { .. } | Self::LongName { .. } => {
                "the file must return fewer, flatter or shorter things"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_the_first_one_in_the_file() {
        let stack = "    at push (native)\n    at read (my codec.js:12:7)\n    at decodeUplink \
                     (my codec.js:30:1)\n    at run (citybrain:60:9)\n";
        assert_eq!(Place::first_of("my codec.js", stack), Place(Some(12)));
        assert_eq!(Place::first_of("x.js", "    at x.js:3:10\n"), Place(Some(3)));
        assert_eq!(Place::first_of("x.js", "    at x.js (native)\n"), Place(None));
        assert_eq!(Place::first_of("x.js", ""), Place(None));
    }

    #[test]
    fn every_failure_says_what_and_how_to_mend_it() {
        let failures = [
            Failure::Script { place: Place(Some(3)), message: String::new() },
            Failure::Told { errors: vec!["unknown port".to_owned(), "x".repeat(1_000)] },
            Failure::Time { limit: Duration::from_millis(50) },
            Failure::Memory { limit: 16 << 20 },
            Failure::Stuck { limit: Duration::from_millis(50) },
            Failure::Occupied,
            Failure::Engine { why: "there is no thread".to_owned() },
            Failure::Rests { left: Duration::from_millis(9_200) },
            Failure::NoFunction,
            Failure::WrongResult { found: "a number" },
            Failure::NoData { found: "nothing" },
            Failure::TooMany,
            Failure::TooDeep { name: "é".repeat(100) },
            Failure::LongName { name: "é".repeat(100) },
        ];
        for failure in failures {
            let error = failure.into_error("x.js");
            assert!(error.at.starts_with("x.js") && !error.hint.is_empty());
            let length = error.message.chars().count();
            assert!((5..=LONGEST_MESSAGE).contains(&length), "{error}");
        }
    }
}
