//! What cannot be read, where, and how to mend it.

/// A part of an address or of a query option that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{option}, character {at}: {message}")]
pub struct SyntaxError {
    /// `$filter`, `$expand`, …, or `the path`.
    pub option: String,
    /// The place in it, in characters from 1.
    pub at: usize,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub hint: String,
}

impl SyntaxError {
    /// A problem at a byte of a text.
    pub(crate) fn new(
        option: &str,
        (text, byte): (&str, usize),
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        let before = text.get(..byte.min(text.len())).unwrap_or(text);
        Self {
            option: option.to_owned(),
            at: before.chars().count() + 1,
            message: message.into(),
            hint: hint.into(),
        }
    }
}

/// The beginning of what somebody sent, for messages.
pub(crate) fn short(text: &str) -> String {
    text.chars().take(64).collect()
}
