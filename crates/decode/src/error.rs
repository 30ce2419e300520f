//! Why a message could not be decoded, or a source's options not be used.

use std::borrow::Cow;
use std::fmt;

/// What kind of problem a message has. The codes are stable: dead letters, metrics and the API
/// carry them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// Not the format's syntax.
    Malformed,
    /// The syntax is right, but something has another shape than the format prescribes.
    WrongShape,
    /// More bytes than the source allows.
    TooLarge,
    /// Nested deeper than [`limits::MAX_DEPTH`](crate::limits::MAX_DEPTH).
    TooDeep,
    /// More values than [`limits::MAX_VALUES`](crate::limits::MAX_VALUES).
    TooManyValues,
    /// Nothing that could be a value was found.
    NoValues,
    /// Only the device's raw bytes, without decoded values.
    NoCodec,
    /// The device's codec could not decode its bytes.
    Codec,
    /// The checksum does not fit the bytes.
    BadChecksum,
    /// Said in terms of a birth certificate that is not known.
    NoBirth,
    /// A value that cannot be one: not finite, too long, or of another type.
    BadValue,
    /// A time that cannot be read.
    BadTime,
    /// A device id that cannot be one.
    BadDevice,
    /// A metric's name that cannot be one.
    BadName,
}

impl DecodeErrorKind {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Malformed,
        Self::WrongShape,
        Self::TooLarge,
        Self::TooDeep,
        Self::TooManyValues,
        Self::NoValues,
        Self::NoCodec,
        Self::Codec,
        Self::BadChecksum,
        Self::NoBirth,
        Self::BadValue,
        Self::BadTime,
        Self::BadDevice,
        Self::BadName,
    ];

    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::WrongShape => "wrong_shape",
            Self::TooLarge => "too_large",
            Self::TooDeep => "too_deep",
            Self::TooManyValues => "too_many_values",
            Self::NoValues => "no_values",
            Self::NoCodec => "no_codec",
            Self::Codec => "codec_failed",
            Self::BadChecksum => "bad_checksum",
            Self::NoBirth => "no_birth",
            Self::BadValue => "bad_value",
            Self::BadTime => "bad_time",
            Self::BadDevice => "bad_device",
            Self::BadName => "bad_name",
        }
    }

    /// What people call it, in English and Chinese.
    pub const fn title(self) -> (&'static str, &'static str) {
        match self {
            Self::Malformed => ("Not valid in this format", "不符合该格式的语法"),
            Self::WrongShape => ("Unexpected structure", "结构与格式不符"),
            Self::TooLarge => ("Message too large", "消息过大"),
            Self::TooDeep => ("Nested too deeply", "嵌套过深"),
            Self::TooManyValues => ("Too many values", "数值过多"),
            Self::NoValues => ("No values found", "未找到任何数值"),
            Self::NoCodec => ("Raw bytes without a codec", "仅有原始字节，缺少编解码器"),
            Self::Codec => ("The device's codec failed", "设备编解码器出错"),
            Self::BadChecksum => ("Wrong checksum", "校验码不符"),
            Self::NoBirth => ("No birth certificate", "缺少上线声明（BIRTH）"),
            Self::BadValue => ("Unusable value", "数值不可用"),
            Self::BadTime => ("Unreadable time", "时间无法识别"),
            Self::BadDevice => ("Unusable device id", "设备标识不可用"),
            Self::BadName => ("Unusable metric name", "指标名称不可用"),
        }
    }
}

impl fmt::Display for DecodeErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Where in a message a problem is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// The message as a whole.
    Message,
    /// At this byte, counted from 0.
    Byte(usize),
    /// At this place of a text, both counted from 1, columns in bytes.
    LineColumn {
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// At this path, in the notation of the source's options.
    Path(String),
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message => f.write_str("the message"),
            Self::Byte(byte) => write!(f, "byte {byte}"),
            Self::LineColumn { line, column } => write!(f, "line {line}, column {column}"),
            Self::Path(path) => write!(f, "`{path}`"),
        }
    }
}

/// Why a message could not be decoded: what, where and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.detail())]
pub struct DecodeError {
    /// What kind of problem: decide on this, never on the text.
    pub kind: DecodeErrorKind,
    /// Where it is.
    pub at: At,
    /// What is wrong; may quote a little of the payload.
    pub message: String,
    /// How to mend it.
    pub hint: Cow<'static, str>,
}

/// The longest path that an error shows whole, in bytes.
const LONGEST_PATH: usize = 400;

impl DecodeError {
    pub(crate) fn new(
        kind: DecodeErrorKind,
        at: At,
        message: impl Into<String>,
        hint: impl Into<Cow<'static, str>>,
    ) -> Self {
        let at = match at {
            // Paths are made of the payload's names, which may be of any length.
            At::Path(path) if path.len() > LONGEST_PATH => {
                let start: String = path.chars().take(LONGEST_PATH / 4).collect();
                At::Path(format!("{start}…"))
            }
            at => at,
        };
        Self { kind, at, message: message.into(), hint: hint.into() }
    }

    /// What is wrong and where, in one line.
    pub fn detail(&self) -> String {
        match &self.at {
            At::Message => self.message.clone(),
            at => format!("{} (at {at})", self.message),
        }
    }
}

/// Why a source's options cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// Not a table of options.
    #[error("options must be a table of keys and values, not {found}")]
    NotATable {
        /// What there is instead.
        found: &'static str,
    },
    /// No option has this name.
    #[error("there is no option `{key}`; known are {known}")]
    Unknown {
        /// The key, with the keys around it.
        key: String,
        /// The keys that there are.
        known: String,
    },
    /// The option's value cannot be used.
    #[error("option `{key}`: {problem}")]
    Bad {
        /// The key, with the keys around it.
        key: String,
        /// What is wrong with it and what it must be.
        problem: String,
    },
}

impl OptionsError {
    pub(crate) fn bad(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Bad { key: key.into(), problem: problem.into() }
    }

    /// The key that the problem is about, if it is about one.
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::NotATable { .. } => None,
            Self::Unknown { key, .. } | Self::Bad { key, .. } => Some(key),
        }
    }
}

/// The start of a text for an error message: at most 64 characters, control characters escaped.
pub(crate) fn quote(text: &str) -> String {
    let start: String = text.chars().take(64).flat_map(char::escape_debug).collect();
    if text.chars().nth(64).is_some() { format!("{start}…") } else { start }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_titles_bilingual() {
        let mut codes: Vec<_> = DecodeErrorKind::ALL.iter().map(|kind| kind.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), DecodeErrorKind::ALL.len());
        for kind in DecodeErrorKind::ALL {
            let (en, zh) = kind.title();
            assert!(en.is_ascii() && !zh.is_ascii(), "{kind}");
        }
    }

    #[test]
    fn the_detail_says_where() {
        let at = At::LineColumn { line: 2, column: 7 };
        let error = DecodeError::new(DecodeErrorKind::Malformed, at, "no closing quote", "add it");
        assert_eq!(error.to_string(), "no closing quote (at line 2, column 7)");
        assert_eq!(quote(&"ab\n".repeat(30)).chars().last(), Some('…'));
        let long = At::Path("路".repeat(100_000));
        let error = DecodeError::new(DecodeErrorKind::BadName, long, "a long name", "shorten it");
        assert!(error.detail().len() < 500, "{error}");
    }
}
