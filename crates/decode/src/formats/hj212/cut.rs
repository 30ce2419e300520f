//! Where frames begin and end in what a line brings.

use super::cipher;
use super::frame::{MAX_FRAME, data_place};

/// What begins at the start of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A frame of this many bytes, CR and LF included if they are there.
    Frame(usize),
    /// This many bytes that belong to no frame.
    Garbage(usize),
    /// This many bytes of white space between frames.
    Blank(usize),
    /// Not enough to say.
    More,
}

/// Says what begins at the start of a buffer; an empty one needs more.
///
/// Where the length is wrong, CR and LF or the next `##` end the frame, so that one bad frame
/// costs no good one. Raw ciphertext may hold CR and LF itself: such a frame ends where its length
/// says, and elsewhere only once that turns out wrong.
pub fn next(buffer: &[u8]) -> Step {
    let blank = buffer.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    if blank > 0 {
        return Step::Blank(blank);
    }
    if buffer.len() < 2 {
        return if buffer.is_empty() || buffer == b"#" { Step::More } else { garbage(buffer) };
    }
    if !buffer.starts_with(b"##") {
        return garbage(buffer);
    }
    let hashes = buffer.iter().take_while(|byte| **byte == b'#').count();
    if hashes > 2 {
        return Step::Garbage(hashes - 2);
    }
    let Some(digits) = buffer.get(2..6) else { return Step::More };
    if let Some(declared) = number(digits) {
        let end = 6 + declared + 4;
        match buffer.get(end..) {
            Some(rest) if rest.starts_with(b"\r\n") => return Step::Frame(end + 2),
            Some(rest) if rest.starts_with(b"##") => return Step::Frame(end),
            Some(b"" | b"\r") if !ends_early(buffer, end) => return Step::More,
            None if !ends_early(buffer, buffer.len()) => return Step::More,
            _ => {}
        }
    }
    // The length is wrong: what ends the frame says where it ends.
    match find(buffer, *b"\r\n") {
        Some(end) => Step::Frame(end + 2),
        None if buffer.len() < MAX_FRAME => Step::More,
        // No frame ends in here; only the last start may have one that goes on.
        None => match buffer[2..].windows(2).rposition(|pair| pair == b"##") {
            Some(last) => Step::Garbage(last + 2),
            None => garbage(&buffer[1..]).longer_by_one(),
        },
    }
}

impl Step {
    fn longer_by_one(self) -> Self {
        match self {
            Self::Garbage(length) => Self::Garbage(length + 1),
            other => other,
        }
    }
}

/// Whether a line ends before the frame does by its length, so that the length is wrong.
fn ends_early(buffer: &[u8], before: usize) -> bool {
    let line = find(&buffer[..before], *b"\r\n");
    line.is_some_and(|end| !holds_ciphertext(buffer, end))
}

/// Whether the data of the frame at the start, which begin before `line_end`, are raw ciphertext.
fn holds_ciphertext(buffer: &[u8], line_end: usize) -> bool {
    let place = data_place(&buffer[6..]).map(|place| 6 + place);
    place.is_some_and(|place| {
        place <= line_end
            && cipher::knows_encryption(&buffer[6..place])
            && cipher::is_raw(&buffer[place..])
    })
}

/// Everything up to the next `##`; a single `#` at the end may be half of one.
fn garbage(buffer: &[u8]) -> Step {
    match find(buffer, *b"##") {
        Some(length) => Step::Garbage(length),
        None if buffer.len() > 1 && buffer.ends_with(b"#") => Step::Garbage(buffer.len() - 1),
        None => Step::Garbage(buffer.len()),
    }
}

pub(super) fn find(buffer: &[u8], what: [u8; 2]) -> Option<usize> {
    buffer.windows(2).position(|pair| pair == what)
}

/// The number that decimal digits spell; `None` if there are others or none.
pub(super) fn number(digits: &[u8]) -> Option<usize> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(mut buffer: &[u8]) -> Vec<(Step, String)> {
        let mut steps = Vec::new();
        loop {
            let step = next(buffer);
            let (Step::Frame(length) | Step::Garbage(length) | Step::Blank(length)) = step else {
                return steps;
            };
            steps.push((step, String::from_utf8_lossy(&buffer[..length]).into_owned()));
            buffer = &buffer[length..];
        }
    }

    const GOOD: &str = "##0009CP=&&ab&&ABCD\r\n";

    fn frames(buffer: &str) -> Vec<String> {
        let steps = cut(buffer.as_bytes()).into_iter();
        steps.filter(|(step, _)| matches!(step, Step::Frame(_))).map(|(_, text)| text).collect()
    }

    #[test]
    fn frames_are_found_after_whatever_was_wrong() {
        assert_eq!(frames(&format!("{GOOD}{GOOD}")), [GOOD, GOOD]);
        assert_eq!(frames(&format!("noise # {GOOD}\r\n\r\n{GOOD}")), [GOOD, GOOD]);
        let without_end = GOOD.trim_end();
        assert_eq!(frames(&format!("{without_end}{GOOD}")), [without_end, GOOD]);
        for wrong in ["##9000CP=&&x&&ABCD\r\n", "##0003CP=&&x&&ABCD\r\n", "##77CP=&&x&&ABCD\r\n"] {
            assert_eq!(frames(&format!("{wrong}{GOOD}")), [wrong, GOOD]);
        }
    }

    #[test]
    fn a_frame_that_comes_in_pieces_is_waited_for_and_garbage_is_not() {
        for end in 0..GOOD.len() {
            assert_eq!(next(&GOOD.as_bytes()[..end]), Step::More, "{end}");
        }
        assert_eq!(next(b"GET / HTTP/1.1\r\n\r\n"), Step::Garbage(18));
        assert_eq!(next(b"x#"), Step::Garbage(1), "it may be half of a start");
        let endless = [b"##".to_vec(), vec![b'x'; MAX_FRAME]].concat();
        assert_eq!(next(&endless), Step::Garbage(endless.len()));
        assert_eq!(next(&b"#".repeat(MAX_FRAME + 2)[..]), Step::Garbage(MAX_FRAME));
    }

    #[test]
    fn ciphertext_that_holds_a_line_end_is_cut_by_its_length() {
        for place in 0..31 {
            let mut secret = [0x80_u8; 32];
            secret[place..place + 2].copy_from_slice(b"\r\n");
            let head = b"##0054MN=M;Flag=8;CP=&&";
            let frame = [&head[..], &secret, b"g=N&&ABCD\r\n"].concat();
            // Once a block is there, it can be told from text.
            for end in head.len() + cipher::BLOCK..frame.len() {
                assert_eq!(next(&frame[..end]), Step::More, "{place} {end}");
            }
            let both = [&frame[..], GOOD.as_bytes()].concat();
            assert_eq!(next(&both), Step::Frame(frame.len()), "{place}");
        }
        // What is cut off in the middle of a text is not waited for.
        let short = b"##0200MN=M;CP=&&DataTime=2026\r\n";
        let both = [&short[..], GOOD.as_bytes()].concat();
        assert_eq!(next(&both), Step::Frame(short.len()));
        // A wrong length costs no frame behind it, once there is as much as it says.
        let wrong = [b"##0067MN=M;Flag=8;CP=&&".as_slice(), &[0x80; 20], b"&&ABCD\r\n"].concat();
        let both = [&wrong[..], GOOD.as_bytes(), GOOD.as_bytes()].concat();
        assert_eq!(next(&both[..wrong.len() + 4]), Step::More);
        assert_eq!(next(&both), Step::Frame(wrong.len()));
    }
}
