//! YAML text as a tree of nodes that know their line and column.
//!
//! Scalars keep the text as it was written, so that an id such as `007` stays one, and duplicate
//! keys are all reported instead of ending the reading at the first.

use rustc_hash::FxHashMap;
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span};

use crate::problem::{Mark, Sink};

/// A piece of a YAML document.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) mark: Mark,
    /// The last line on which something of the node stands.
    pub(crate) last_line: usize,
    pub(crate) content: Content,
}

#[derive(Clone, Debug)]
pub(crate) enum Content {
    Null,
    /// The text and whether it was written without quotes, so that it may be a number or a truth.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    /// Entries in the order of the file; a key occurs once.
    Map(Vec<(Key, Node)>),
}

#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) mark: Mark,
}

impl Node {
    pub(crate) fn number_value(&self) -> Option<f64> {
        match &self.content {
            Content::Scalar { text, plain: true } => {
                // Rust also reads `inf` and `nan`, which are no limits.
                text.replace('_', "").parse().ok().filter(|number: &f64| number.is_finite())
            }
            _ => None,
        }
    }

    pub(crate) fn bool_value(&self) -> Option<bool> {
        match &self.content {
            Content::Scalar { text, plain: true } => match text.as_str() {
                "true" | "True" | "TRUE" => Some(true),
                "false" | "False" | "FALSE" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    pub(crate) fn text_value(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// What it is, for messages.
    pub(crate) fn found(&self) -> String {
        match &self.content {
            Content::Null => "nothing".to_owned(),
            Content::Scalar { text, .. } => {
                format!("`{}`", text.chars().take(40).collect::<String>())
            }
            Content::List(_) => "a list".to_owned(),
            Content::Map(_) => "a mapping".to_owned(),
        }
    }

    /// The same meaning in one spelling: JSON with sorted keys and normalised numbers, without
    /// comments, order and style.
    pub(crate) fn canonical(&self) -> serde_json::Value {
        if let Some(flag) = self.bool_value() {
            return flag.into();
        }
        if let Some(number) = self.number_value() {
            return number.into();
        }
        match &self.content {
            Content::Null => serde_json::Value::Null,
            Content::Scalar { text, .. } => text.as_str().into(),
            Content::List(items) => items.iter().map(Self::canonical).collect(),
            Content::Map(entries) => {
                let sorted: std::collections::BTreeMap<_, _> = entries
                    .iter()
                    .map(|(key, node)| (key.name.clone(), node.canonical()))
                    .collect();
                serde_json::Value::Object(sorted.into_iter().collect())
            }
        }
    }
}

/// Reads one document. Problems go to the sink; `None` if there is nothing to go on with.
pub(crate) fn read(text: &str, sink: &mut Sink) -> Option<Node> {
    let mut builder = Builder::default();
    let result = builder.build(text);
    for (at, message) in builder.problems {
        sink.report(at, message);
    }
    if let Err(error) = result {
        let marker = error.marker();
        sink.report_with(
            Mark { line: marker.line(), column: marker.col() + 1 },
            format!("this is not valid YAML: {}", error.info()),
            "check indentation, quotes and brackets here and above; a text that holds `: ` or \
             begins with one of `{[*&!|>@%` needs quotes",
        );
        return None;
    }
    let mut documents = builder.documents;
    if let Some(second) = documents.get(1) {
        sink.report_with(
            second.mark,
            "a second document begins here",
            "remove the `---`, or move what follows to a file of its own",
        );
    }
    if documents.is_empty() {
        sink.report(Mark { line: 1, column: 1 }, "the file is empty");
        return None;
    }
    Some(documents.swap_remove(0))
}

/// How many nodes aliases may add to a document, so that nested ones cannot fill the memory.
const ALIAS_BUDGET: usize = 10_000;

/// How deep lists and mappings may be nested, so that nobody can exhaust the stack.
const DEEPEST: usize = 64;

/// A list or mapping that is still open.
struct Open {
    mark: Mark,
    anchor: usize,
    last_line: usize,
    part: Part,
}

enum Part {
    List(Vec<Node>),
    Map { entries: Vec<(Key, Node)>, key: Option<Key> },
}

#[derive(Default)]
struct Builder {
    documents: Vec<Node>,
    open: Vec<Open>,
    anchors: FxHashMap<usize, Node>,
    aliased: usize,
    problems: Vec<(Mark, String)>,
}

impl Builder {
    fn close(&mut self) {
        let Some(open) = self.open.pop() else { return };
        let content = match open.part {
            Part::List(items) => Content::List(items),
            Part::Map { entries, .. } => Content::Map(entries),
        };
        let node = Node { mark: open.mark, last_line: open.last_line, content };
        self.put(node, open.anchor);
    }

    fn put(&mut self, node: Node, anchor: usize) {
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(parent) = self.open.last_mut() else {
            self.documents.push(node);
            return;
        };
        parent.last_line = parent.last_line.max(node.last_line);
        match &mut parent.part {
            Part::List(items) => items.push(node),
            Part::Map { entries, key } => match key.take() {
                None => {
                    let name = node.text_value().unwrap_or_default().to_owned();
                    if !matches!(node.content, Content::Scalar { .. }) {
                        self.problems.push((node.mark, "a key must be a plain word".to_owned()));
                    }
                    *key = Some(Key { name, mark: node.mark });
                }
                Some(key) => match entries.iter().find(|(other, _)| other.name == key.name) {
                    Some((first, _)) => self.problems.push((
                        key.mark,
                        format!("`{}` is given twice, first on line {}", key.name, first.mark.line),
                    )),
                    None => entries.push((key, node)),
                },
            },
        }
    }

    fn alias(&mut self, id: usize, mark: Mark, last_line: usize) {
        let node = self.anchors.get(&id).cloned();
        self.aliased += node.as_ref().map_or(1, size);
        match node {
            Some(node) if self.aliased <= ALIAS_BUDGET => {
                self.put(Node { mark, last_line, ..node }, 0);
            }
            _ => {
                self.problems.push((mark, "this alias refers to itself or to too much".to_owned()));
                self.put(Node { mark, last_line, content: Content::Null }, 0);
            }
        }
    }
}

fn size(node: &Node) -> usize {
    1 + match &node.content {
        Content::List(items) => items.iter().map(size).sum(),
        Content::Map(entries) => entries.iter().map(|(_, node)| 1 + size(node)).sum(),
        Content::Null | Content::Scalar { .. } => 0,
    }
}

impl Builder {
    fn build(&mut self, text: &str) -> Result<(), ScanError> {
        for event in Parser::new_from_str(text) {
            let (event, span) = event?;
            self.take(event, span);
            if self.open.len() > DEEPEST {
                return Err(ScanError::new_str(span.start, "it is nested too deeply"));
            }
        }
        Ok(())
    }

    fn take(&mut self, event: Event<'_>, span: Span) {
        let mark = Mark { line: span.start.line(), column: span.start.col() + 1 };
        // A block scalar ends where the next line begins.
        let ends_before = span.end.col() == 0 && span.end.line() > span.start.line();
        let last_line = span.end.line() - usize::from(ends_before);
        let open = |anchor, part| Open { mark, anchor, last_line: mark.line, part };
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let plain = style == ScalarStyle::Plain;
                let content = if plain && matches!(&*text, "" | "~" | "null") {
                    Content::Null
                } else {
                    Content::Scalar { text: text.into_owned(), plain }
                };
                self.put(Node { mark, last_line: last_line.max(mark.line), content }, anchor);
            }
            Event::SequenceStart(anchor, _) => {
                self.open.push(open(anchor, Part::List(Vec::new())));
            }
            Event::MappingStart(anchor, _) => {
                self.open.push(open(anchor, Part::Map { entries: Vec::new(), key: None }));
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(id) => self.alias(id, mark, mark.line),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let mut sink = Sink::new("f");
        read(text, &mut sink);
        sink.problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn all_duplicate_keys_are_reported() {
        let got = problems("a: 1\nb: {c: 1, c: 2}\na: 2\n");
        assert_eq!(got.len(), 2, "{got:?}");
        assert!(got[0].starts_with("f:2:11: `c` is given twice"), "{got:?}");
        assert!(got[1].starts_with("f:3:1: `a` is given twice, first on line 1"), "{got:?}");
    }

    #[test]
    fn broken_yaml_says_where() {
        let got = problems("a: [1, 2\nb: 3\n");
        assert_eq!(got.len(), 1, "{got:?}");
        assert!(got[0].contains("not valid YAML"), "{got:?}");
    }

    #[test]
    fn nested_aliases_cannot_explode() {
        let mut text = "l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let before = level - 1;
            let many = vec![format!("*l{before}"); 10].join(", ");
            let _ = writeln!(text, "l{level}: &l{level} [{many}]");
        }
        assert!(!problems(&text).is_empty());
    }

    #[test]
    fn deep_nesting_is_refused() {
        for opening in ["[", "- ", "{a: "] {
            let got = problems(&opening.repeat(20_000));
            assert!(got.len() == 1 && got[0].contains("not valid YAML"), "{got:?}");
        }
    }

    #[test]
    fn style_does_not_change_the_meaning() {
        let mut sink = Sink::new("f");
        let one = read("{b: 1.0, a: [x, 'y']}", &mut sink).expect("valid");
        let two = read("a: # why\n  - x\n  - \"y\"\nb: 1\n", &mut sink).expect("valid");
        assert_eq!(one.canonical(), two.canonical());
        assert_eq!(two.last_line, 4);
    }
}
