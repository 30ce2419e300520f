//! Just enough RDF to write a catalogue down: nodes with properties, as Turtle and as JSON-LD.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

/// The prefixes that names here may have.
pub(super) const PREFIXES: [(&str, &str); 10] = [
    ("adms", "http://www.w3.org/ns/adms#"),
    ("dcat", "http://www.w3.org/ns/dcat#"),
    ("dcatap", "http://data.europa.eu/r5r/"),
    ("dct", "http://purl.org/dc/terms/"),
    ("foaf", "http://xmlns.com/foaf/0.1/"),
    ("geo", "http://www.opengis.net/ont/geosparql#"),
    ("rdfs", "http://www.w3.org/2000/01/rdf-schema#"),
    ("skos", "http://www.w3.org/2004/02/skos/core#"),
    ("vcard", "http://www.w3.org/2006/vcard/ns#"),
    ("xsd", "http://www.w3.org/2001/XMLSchema#"),
];

/// A thing and what is said of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    /// Its address; `None` for one that has none.
    iri: Option<String>,
    /// Its class, with a prefix.
    class: Option<&'static str>,
    properties: Vec<(&'static str, Object)>,
}

/// What is said.
#[derive(Clone, Debug)]
pub(super) enum Object {
    /// A text in a language.
    Text(String, &'static str),
    /// A value of a type, with a prefix.
    Typed(String, &'static str),
    /// Another thing.
    Node(Node),
}

impl Node {
    /// A thing of a class with an address.
    pub(super) fn new(iri: impl Into<String>, class: &'static str) -> Self {
        Self { iri: Some(iri.into()), class: Some(class), properties: Vec::new() }
    }

    /// A thing of a class without an address.
    pub(super) fn blank(class: &'static str) -> Self {
        Self { iri: None, class: Some(class), properties: Vec::new() }
    }

    /// A thing of which nothing is said here.
    pub(super) fn reference(iri: impl Into<String>) -> Self {
        Self { iri: Some(iri.into()), ..Self::default() }
    }

    /// Says something of it.
    pub(super) fn with(mut self, property: &'static str, object: Object) -> Self {
        self.properties.push((property, object));
        self
    }

    /// Says something of it that is another thing.
    pub(super) fn linked(self, property: &'static str, node: Self) -> Self {
        self.with(property, Object::Node(node))
    }

    /// Says something of it in both languages.
    pub(super) fn told(self, property: &'static str, text: &city_model::LocalText) -> Self {
        self.with(property, Object::Text(text.en.clone(), "en"))
            .with(property, Object::Text(text.zh.clone(), "zh"))
    }

    /// Says something of it that is a value of a type.
    pub(super) fn typed(
        self,
        property: &'static str,
        value: &impl ToString,
        datatype: &'static str,
    ) -> Self {
        self.with(property, Object::Typed(value.to_string(), datatype))
    }
}

/// Things as Turtle (W3C Recommendation, 25 February 2014).
pub(super) fn turtle(nodes: &[Node]) -> String {
    let mut out = String::new();
    for (prefix, iri) in PREFIXES {
        let _ = writeln!(out, "@prefix {prefix}: <{iri}> .");
    }
    for node in nodes {
        out.push('\n');
        match &node.iri {
            Some(iri) => write_iri(&mut out, iri),
            None => out.push_str("[]"),
        }
        write_properties(&mut out, node, 1);
        out.push_str(" .\n");
    }
    out
}

fn write_properties(out: &mut String, node: &Node, depth: usize) {
    let indent = "    ".repeat(depth);
    let mut separator = "";
    if let Some(class) = node.class {
        let _ = write!(out, "\n{indent}a {class}");
        separator = " ;";
    }
    for (property, object) in &node.properties {
        let _ = write!(out, "{separator}\n{indent}{property} ");
        separator = " ;";
        write_object(out, object, depth);
    }
}

fn write_object(out: &mut String, object: &Object, depth: usize) {
    match object {
        Object::Text(text, language) => {
            write_string(out, text);
            let _ = write!(out, "@{language}");
        }
        Object::Typed(value, datatype) => {
            write_string(out, value);
            let _ = write!(out, "^^{datatype}");
        }
        Object::Node(Node { iri: Some(iri), .. }) => write_iri(out, iri),
        Object::Node(node) => {
            out.push('[');
            write_properties(out, node, depth + 1);
            out.push_str(" ]");
        }
    }
}

fn write_iri(out: &mut String, iri: &str) {
    out.push('<');
    for c in iri.chars() {
        // What IRIREF does not take (production 18).
        if c <= ' ' || "<>\"{}|^`\\".contains(c) {
            let _ = write!(out, "%{:02X}", c as u32);
        } else {
            out.push(c);
        }
    }
    out.push('>');
}

fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Things as JSON-LD 1.1.
pub(super) fn json_ld(nodes: &[Node]) -> Value {
    let context: Map<String, Value> =
        PREFIXES.iter().map(|(prefix, iri)| ((*prefix).to_owned(), json!(iri))).collect();
    let graph: Vec<Value> = nodes.iter().map(node_json).collect();
    json!({ "@context": context, "@graph": graph })
}

fn node_json(node: &Node) -> Value {
    let mut members = Map::new();
    if let Some(iri) = &node.iri {
        members.insert("@id".to_owned(), json!(iri));
    }
    if let Some(class) = node.class {
        members.insert("@type".to_owned(), json!(class));
    }
    for (property, object) in &node.properties {
        let value = match object {
            Object::Text(text, language) => json!({ "@value": text, "@language": language }),
            Object::Typed(value, datatype) => json!({ "@value": value, "@type": datatype }),
            Object::Node(Node { iri: Some(iri), .. }) => json!({ "@id": iri }),
            Object::Node(node) => node_json(node),
        };
        let list = members.entry(*property).or_insert_with(|| json!([]));
        if let Value::Array(list) = list {
            list.push(value);
        }
    }
    Value::Object(members)
}

/// All things, those that others name included: each with an address stands for itself once.
pub(super) fn flatten(root: Node) -> Vec<Node> {
    let mut found = Vec::new();
    collect(&root, &mut found);
    found.insert(0, root);
    let mut seen = rustc_hash::FxHashSet::default();
    found.retain(|node| node.iri.as_ref().is_none_or(|iri| seen.insert(iri.clone())));
    found
}

fn collect(node: &Node, found: &mut Vec<Node>) {
    for (_, object) in &node.properties {
        let Object::Node(inner) = object else { continue };
        if inner.iri.is_some() && (inner.class.is_some() || !inner.properties.is_empty()) {
            found.push(inner.clone());
        }
        collect(inner, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_addresses_cannot_break_out() {
        let nasty = "a\"b\\c\n<>@en .";
        let node = Node::new("http://x/ <>\"", "dcat:Dataset")
            .with("dct:title", Object::Text(nasty.to_owned(), "en"))
            .linked(
                "dct:spatial",
                Node::blank("dct:Location").typed("dcat:bbox", &"x", "xsd:string"),
            );
        let text = turtle(&flatten(node.clone()));
        assert!(text.contains("<http://x/%20%3C%3E%22>\n    a dcat:Dataset"), "{text}");
        assert!(text.contains(r#""a\"b\\c\n<>@en ."@en"#), "{text}");
        assert!(text.contains("[\n        a dct:Location ;"), "{text}");
        let json = json_ld(&flatten(node));
        assert_eq!(json["@graph"][0]["dct:title"][0]["@value"], nasty);
        assert_eq!(json["@graph"][0]["dct:spatial"][0]["@type"], "dct:Location");
    }

    #[test]
    fn a_thing_that_is_named_twice_stands_there_once() {
        let agent = || Node::new("http://x/a", "foaf:Agent");
        let root = Node::new("http://x/", "dcat:Catalog")
            .linked("dct:publisher", agent())
            .linked(
                "dcat:dataset",
                Node::new("http://x/d", "dcat:Dataset").linked("dct:publisher", agent()),
            )
            .linked("dct:license", Node::reference("http://x/l"));
        let iris: Vec<_> = flatten(root).into_iter().filter_map(|node| node.iri).collect();
        assert_eq!(iris, ["http://x/", "http://x/a", "http://x/d"]);
    }
}
