//! One event, one line of the log: what people, devices and servers said cannot begin another line,
//! colour it, or turn it around. The log has no colours of its own either: tracing-subscriber does not
//! escape fields when it colours, and what it wrote itself could not be told from what it was given.

use std::io::{self, Write};

use tracing_subscriber::fmt::MakeWriter;

/// Writes to where another one writes, without what would fool those who read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OneLine<M> {
    to: M,
}

impl<M> OneLine<M> {
    /// For lines that go `to`.
    pub(crate) const fn new(to: M) -> Self {
        Self { to }
    }
}

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for OneLine<M> {
    type Writer = Lines<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Lines { to: self.to.make_writer() }
    }

    fn make_writer_for(&'a self, meta: &tracing::Metadata<'_>) -> Self::Writer {
        Lines { to: self.to.make_writer_for(meta) }
    }
}

/// Writes events, each of which comes whole.
#[derive(Debug)]
pub(crate) struct Lines<W> {
    to: W,
}

impl<W: Write> Write for Lines<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        if line.chars().any(is_escaped) {
            let escape = |c: char| match c {
                c if is_escaped(c) => c.escape_default().to_string(),
                c => c.to_string(),
            };
            let mut safe: String = line.chars().map(escape).collect();
            safe.push('\n');
            self.to.write_all(safe.as_bytes())?;
        } else {
            self.to.write_all(event)?;
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Control characters, line and paragraph separators, and what turns the direction of text (Unicode
/// Standard Annex 9, "Directional Formatting Characters").
fn is_escaped(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = matches!(c, '\u{2028}' | '\u{2029}');
    c.is_control() || turns || breaks
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("no panic").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(log: impl FnOnce()) -> String {
        let kept = Kept::default();
        let to = kept.clone();
        let writer = OneLine::new(move || to.clone());
        let lines = tracing_subscriber::fmt().with_writer(writer).with_ansi(false);
        tracing::subscriber::with_default(lines.finish(), log);
        String::from_utf8(kept.0.lock().expect("no panic").clone()).expect("text")
    }

    const HOSTILE: &str =
        "a\n2026-01-01T00:00:00Z ERROR forged\r\u{1b}[31mred\u{202e}turned\u{2028}\0";

    #[test]
    fn an_event_is_one_line_whatever_stands_in_it() {
        let text = logged(|| {
            tracing::info!(user.name = %HOSTILE, "{HOSTILE}");
            tracing::info!(user.name = HOSTILE, debug = ?HOSTILE, "plain");
        });
        assert_eq!(text.lines().count(), 2, "{text}");
        let odd = |c: char| c != '\n' && (c.is_control() || "\u{202e}\u{2028}".contains(c));
        assert!(!text.contains(odd), "{text:?}");
        assert!(text.contains("forged") && text.contains("\\u{202e}turned"), "{text}");
    }
}
