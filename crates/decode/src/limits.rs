//! What a message may at most be, so that no sender can use up memory or stack.

use crate::error::{At, DecodeError, DecodeErrorKind};

/// The largest payload in bytes, unless the source's option `max_payload` says otherwise.
pub const DEFAULT_MAX_PAYLOAD: usize = 1 << 20;

/// The largest that `max_payload` may be, in bytes.
pub const HIGHEST_MAX_PAYLOAD: usize = 64 << 20;

/// How deep arrays and objects may be nested.
pub const MAX_DEPTH: usize = 64;

/// How many values a message may hold.
pub const MAX_VALUES: usize = 100_000;

/// The longest device id, gateway id or deduplication id in bytes.
pub const MAX_ID: usize = 128;

/// The longest name of a metric in bytes.
pub const MAX_NAME: usize = 128;

pub(crate) fn check_size(payload: &[u8], limit: usize) -> Result<(), DecodeError> {
    if payload.len() <= limit {
        return Ok(());
    }
    Err(DecodeError::new(
        DecodeErrorKind::TooLarge,
        At::Message,
        format!("the payload has {} bytes; this source allows {limit}", payload.len()),
        "send smaller messages, or raise the source's option max_payload",
    ))
}

/// Refuses JSON that is nested deeper than [`MAX_DEPTH`].
///
/// Counting the opening brackets is much faster than following them, and almost always enough:
/// with at most `MAX_DEPTH` of them nothing can be nested deeper.
pub(crate) fn check_depth(json: &str) -> Result<(), DecodeError> {
    let bytes = json.as_bytes();
    if opening_brackets(bytes) <= MAX_DEPTH {
        return Ok(());
    }
    match first_too_deep(bytes) {
        None => Ok(()),
        Some(byte) => Err(DecodeError::new(
            DecodeErrorKind::TooDeep,
            At::Byte(byte),
            format!("arrays and objects are nested deeper than {MAX_DEPTH}"),
            "send a flatter message",
        )),
    }
}

/// How many opening brackets there are, those inside strings included.
fn opening_brackets(bytes: &[u8]) -> usize {
    // `[` and `{` differ in this bit, which no other byte shares with them. The sums of parts that
    // short fit into a byte, so that the compiler counts many bytes at once.
    const CASE: u8 = b'[' ^ b'{';
    let parts = bytes.chunks(255);
    let count = |part: &[u8]| part.iter().map(|byte| u8::from(byte | CASE == b'{')).sum::<u8>();
    parts.map(|part| usize::from(count(part))).sum()
}

/// The place of the first bracket beyond the limit; brackets inside strings do not count.
fn first_too_deep(bytes: &[u8]) -> Option<usize> {
    let mut depth = 0usize;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Some(at);
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => at = end_of_string(bytes, at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The place of the quote that closes the string opened at `start`, or the end.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

pub(crate) fn too_many() -> DecodeError {
    DecodeError::new(
        DecodeErrorKind::TooManyValues,
        At::Message,
        format!("the message holds more than {MAX_VALUES} values"),
        "send fewer values in one message",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_counted_outside_strings_only() {
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(check_depth(&nested(MAX_DEPTH)), Ok(()));
        let error = check_depth(&nested(MAX_DEPTH + 1)).expect_err("too deep");
        assert_eq!((error.kind, error.at), (DecodeErrorKind::TooDeep, At::Byte(MAX_DEPTH)));
        let text = format!(r#"{{"a":"\"{}"}}"#, "[".repeat(500));
        assert_eq!(check_depth(&text), Ok(()));
        let rows = format!("[{}]", vec!["{}"; 500].join(","));
        assert_eq!(check_depth(&rows), Ok(()));
        assert!(check_depth(&"[".repeat(100_000)).is_err());
        for (text, expected) in
            [(0_u8..=255).collect(), b"[{".repeat(400)].into_iter().zip([2, 800])
        {
            let text: Vec<u8> = text;
            assert_eq!(opening_brackets(&text), expected);
        }
    }
}
