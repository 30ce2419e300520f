//! What an answer may look like that holds hostile texts.

use serde_json::Value;

use super::fixture::Answer;

/// Whether nothing of what was put in can do anything where it comes out.
#[track_caller]
pub(super) fn is_harmless(answer: &Answer, what: &str) {
    for (name, value) in &answer.headers {
        let text = value.to_str().unwrap_or_else(|_| panic!("{what}: {name}"));
        assert!(!text.contains("evil") && !text.contains(".."), "{what}: {name}: {text}");
    }
    assert!(answer.headers.contains_key("content-security-policy"), "{what}");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff", "{what}");
    if answer.text.is_empty() {
        return;
    }
    let media = answer.headers["content-type"].to_str().expect("text");
    match media.split(';').next().expect("a type").trim() {
        "application/json"
        | "application/problem+json"
        | "application/geo+json"
        | "application/ld+json" => {
            answer.json();
        }
        "application/x-ndjson" => {
            for line in answer.text.lines() {
                let _: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{what}: {e}"));
            }
        }
        "text/csv" => is_harmless_csv(&answer.text, what),
        "application/cap+xml" | "application/atom+xml" | "application/xml" => {
            is_harmless_xml(&answer.text, what);
        }
        "text/html" => {
            for text in ["<script", "<img", "javascript:", "href=\"data:"] {
                assert!(!answer.text.contains(text), "{what}: {text}");
            }
        }
        "text/plain" => {
            // Figures for Prometheus: a line is a comment or a sample.
            for line in answer.text.lines().filter(|line| !line.is_empty()) {
                let good =
                    line.starts_with("# ") || line.starts_with(|c: char| c.is_ascii_lowercase());
                assert!(good, "{what}: {line}");
            }
        }
        // Line ends in texts would end them.
        "text/turtle" => {
            assert!(!answer.text.contains("\nSet-Cookie") && !answer.text.contains('\r'), "{what}");
        }
        "text/css" | "text/javascript" => {}
        other => panic!("{what}: nobody looked at {other} yet"),
    }
}

#[track_caller]
fn is_harmless_csv(text: &str, what: &str) {
    let mut reader = csv::ReaderBuilder::new().flexible(false).from_reader(text.as_bytes());
    for record in reader.records() {
        for cell in &record.unwrap_or_else(|error| panic!("{what}: {error}")) {
            let number = cell.parse::<f64>().is_ok_and(f64::is_finite);
            let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
            assert!(number || !formula, "{what}: {cell:?}");
        }
    }
}

#[track_caller]
fn is_harmless_xml(text: &str, what: &str) {
    let mut reader = quick_xml::Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut depth = 0;
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{what}: {error}: {text}")) {
            quick_xml::events::Event::Start(start) => {
                depth += 1;
                let name = start.name().as_ref().to_owned();
                assert!(!["script", "img", "html"].contains(&name.as_str()), "{what}: <{name}>");
            }
            quick_xml::events::Event::End(_) => depth -= 1,
            quick_xml::events::Event::DocType(_) => panic!("{what}: a document type"),
            quick_xml::events::Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0, "{what}");
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(text.chars().all(allowed), "{what}: characters that XML 1.0 does not know");
}
