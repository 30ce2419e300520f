//! XML as text: elements in order, with escaping, and without what XML forbids.

use std::borrow::Cow;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

/// A document being written.
pub(crate) struct Document(Writer<Vec<u8>>);

impl Document {
    pub(crate) fn new() -> Self {
        let mut document = Self(Writer::new_with_indent(Vec::new(), b' ', 2));
        document.write(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
        document
    }

    /// An element with what `inside` writes.
    pub(crate) fn element(
        &mut self,
        name: &str,
        attributes: &[(&str, &str)],
        inside: impl FnOnce(&mut Self),
    ) {
        let clean: Vec<_> = attributes.iter().map(|(name, value)| (*name, clean(value))).collect();
        let pairs = clean.iter().map(|(name, value)| (*name, &**value));
        self.write(Event::Start(BytesStart::new(name).with_attributes(pairs)));
        inside(self);
        self.write(Event::End(BytesEnd::new(name)));
    }

    /// An element with attributes only.
    pub(crate) fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        let clean: Vec<_> = attributes.iter().map(|(name, value)| (*name, clean(value))).collect();
        let pairs = clean.iter().map(|(name, value)| (*name, &**value));
        self.write(Event::Empty(BytesStart::new(name).with_attributes(pairs)));
    }

    /// An element with a text.
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        self.write(Event::Start(BytesStart::new(name)));
        self.write(Event::Text(BytesText::new(&clean(text))));
        self.write(Event::End(BytesEnd::new(name)));
    }

    /// An element with a text, if there is one.
    pub(crate) fn maybe(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.text(name, text);
        }
    }

    pub(crate) fn finish(self) -> String {
        // Everything that was written is text.
        String::from_utf8(self.0.into_inner()).unwrap_or_default()
    }

    fn write(&mut self, event: Event<'_>) {
        // Memory takes everything.
        let _ = self.0.write_event(event);
    }
}

/// Without the characters that XML 1.0 (2.2) does not know, escaped or not.
fn clean(text: &str) -> Cow<'_, str> {
    let known = |char: char| {
        matches!(char, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}'
            | '\u{1_0000}'..='\u{10_ffff}')
    };
    if text.chars().all(known) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().map(|char| if known(char) { char } else { '\u{fffd}' }).collect())
    }
}
