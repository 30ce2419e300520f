//! Typed, tolerant access to the entries of a mapping: every problem is reported, none ends the
//! reading, and keys that nobody asked for are reported at the end.

use city_model::{LocalText, Severity, Span};

use crate::problem::{Sink, suggestion};
use crate::yaml::{Content, Key, Node};

/// A mapping that is being read.
pub(crate) struct Fields<'n> {
    pub(crate) node: &'n Node,
    entries: &'n [(Key, Node)],
    known: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// The mapping, or a problem that says what was expected.
    pub(crate) fn of(node: &'n Node, what: &str, sink: &mut Sink) -> Option<Self> {
        if let Content::Map(entries) = &node.content {
            return Some(Self { node, entries, known: Vec::new() });
        }
        sink.report(
            node.mark,
            format!("{what} must be a mapping of keys and values, found {}", node.found()),
        );
        None
    }

    /// The node of a key; from now on the key is a known one.
    pub(crate) fn get(&mut self, key: &'static str) -> Option<&'n Node> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        self.entries.iter().find(|(other, _)| other.name == key).map(|(_, node)| node)
    }

    /// The node of a key that must be there.
    pub(crate) fn need(
        &mut self,
        key: &'static str,
        hint: &str,
        sink: &mut Sink,
    ) -> Option<&'n Node> {
        let found = self.get(key);
        if found.is_none() {
            sink.report_with(self.node.mark, format!("`{key}` is missing"), hint);
        }
        found
    }

    pub(crate) fn text(&mut self, key: &'static str, sink: &mut Sink) -> Option<&'n str> {
        self.get(key).and_then(|node| text(node, key, sink))
    }

    pub(crate) fn span(&mut self, key: &'static str, sink: &mut Sink) -> Option<Span> {
        self.get(key).and_then(|node| span(node, key, sink))
    }

    pub(crate) fn number(&mut self, key: &'static str, sink: &mut Sink) -> Option<f64> {
        self.get(key).and_then(|node| number(node, key, sink))
    }

    pub(crate) fn flag(&mut self, key: &'static str, sink: &mut Sink) -> Option<bool> {
        let node = self.get(key)?;
        let flag = node.bool_value();
        if flag.is_none() {
            sink.report(
                node.mark,
                format!("`{key}` must be true or false, found {}", node.found()),
            );
        }
        flag
    }

    /// A whole number of at least `least`.
    pub(crate) fn count(&mut self, key: &'static str, least: u32, sink: &mut Sink) -> Option<u32> {
        let node = self.get(key)?;
        match node.number_value() {
            Some(number)
                if number.fract() == 0.0
                    && number >= f64::from(least)
                    && number <= f64::from(u32::MAX) =>
            {
                Some(number as u32)
            }
            _ => {
                sink.report(
                    node.mark,
                    format!(
                        "`{key}` must be a whole number of at least {least}, found {}",
                        node.found()
                    ),
                );
                None
            }
        }
    }

    pub(crate) fn local(&mut self, key: &'static str, sink: &mut Sink) -> Option<LocalText> {
        self.get(key).and_then(|node| local(node, key, sink))
    }

    /// One text or a list of them; empty if the key is absent.
    pub(crate) fn texts(&mut self, key: &'static str, sink: &mut Sink) -> Vec<(&'n str, &'n Node)> {
        let Some(node) = self.get(key) else { return Vec::new() };
        let items = one_or_many(node);
        if items.is_empty() {
            sink.report_with(
                node.mark,
                format!("`{key}` is an empty list, which selects nothing"),
                "name at least one, or remove the key",
            );
        }
        items.iter().filter_map(|item| Some((text(item, key, sink)?, item))).collect()
    }

    /// The entries with their keys, for mappings whose keys are free.
    pub(crate) fn entries(&self) -> &'n [(Key, Node)] {
        self.entries
    }

    /// Reports the keys that nobody asked for. `elsewhere` may know where such a key belongs.
    pub(crate) fn finish(self, elsewhere: impl Fn(&str) -> Option<String>, sink: &mut Sink) {
        for (key, _) in self.entries {
            if !self.known.contains(&key.name.as_str()) {
                let hint = elsewhere(&key.name).or_else(|| suggestion(&key.name, &self.known));
                sink.push(key.mark, format!("unknown key `{}`", key.name), hint);
            }
        }
    }
}

/// The items of a list, or the node itself as the only one.
pub(crate) fn one_or_many(node: &Node) -> &[Node] {
    match &node.content {
        Content::List(items) => items,
        _ => std::slice::from_ref(node),
    }
}

pub(crate) fn text<'n>(node: &'n Node, what: &str, sink: &mut Sink) -> Option<&'n str> {
    match node.text_value() {
        Some(text) if !text.trim().is_empty() => Some(text),
        _ => {
            sink.report(node.mark, format!("`{what}` must be a text, found {}", node.found()));
            None
        }
    }
}

pub(crate) fn number(node: &Node, what: &str, sink: &mut Sink) -> Option<f64> {
    let number = node.number_value();
    if number.is_none() {
        let message = format!("`{what}` must be a number, found {}", node.found());
        let quoted = node.text_value().is_some_and(|text| text.trim().parse::<f64>().is_ok());
        sink.push(node.mark, message, quoted.then(|| "remove the quotes".to_owned()));
    }
    number
}

/// A length of time that is not negative.
pub(crate) fn span(node: &Node, what: &str, sink: &mut Sink) -> Option<Span> {
    match node.text_value().and_then(|text| text.parse::<Span>().ok()) {
        Some(span) if span >= Span::ZERO => Some(span),
        Some(_) => {
            sink.report(
                node.mark,
                format!("`{what}` must not be negative, found {}", node.found()),
            );
            None
        }
        None => {
            let hint = match node.number_value() {
                Some(number) => format!("add the unit: `{number}s`, `{number}m` or `{number}h`"),
                None => "write for example `30s`, `5m`, `1h30m`".to_owned(),
            };
            sink.report_with(
                node.mark,
                format!("`{what}` must be a length of time, found {}", node.found()),
                hint,
            );
            None
        }
    }
}

pub(crate) fn severity(name: &str) -> Option<Severity> {
    Severity::ALL.into_iter().find(|severity| severity.name() == name)
}

/// `one text for both` or `{en: …, zh: …}`.
pub(crate) fn local(node: &Node, what: &str, sink: &mut Sink) -> Option<LocalText> {
    if let Content::Scalar { .. } = node.content {
        return text(node, what, sink).map(LocalText::same);
    }
    let mut fields = Fields::of(node, &format!("`{what}`"), sink)?;
    let en = fields.text("en", sink);
    let zh = fields.text("zh", sink);
    let either = en.or(zh);
    if either.is_none() {
        sink.report_with(node.mark, format!("`{what}` has no text"), "write {en: …, zh: …}");
    }
    fields.finish(|_| None, sink);
    let either = either?;
    Some(LocalText::new(en.unwrap_or(either), zh.unwrap_or(either)))
}
