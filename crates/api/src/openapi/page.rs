//! The document as a page that people can read: plain HTML, no script, nothing from elsewhere.

use std::fmt::Write as _;

use serde_json::Value;

use crate::auth::policy;
use crate::problem::codes;

/// The page's style sheet.
pub(crate) const CSS: &str = include_str!("docs.css");

/// The page for this document.
pub(crate) fn page(document: &Value) -> String {
    let mut html = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>citybrain API</title>\n\
         <link rel=\"stylesheet\" href=\"/api/v1/docs.css\">\n</head>\n<body>\n<main>\n",
    );
    let about = prose(text(&document["info"]["description"]));
    let _ = write!(
        html,
        "<h1>citybrain API</h1>\n{about}\n\
         <p><a href=\"/api/v1/openapi.json\">OpenAPI document</a></p>\n<h2>Calls</h2>\n"
    );
    for (path, item) in members(&document["paths"]) {
        for (method, operation) in members(item) {
            call(&mut html, &method.to_uppercase(), path, operation);
        }
    }
    html.push_str("<h2>Shapes</h2>\n");
    for (name, schema) in members(&document["components"]["schemas"]) {
        let about = escape(text(&schema["description"]));
        let _ = write!(html, "<section id=\"shape-{name}\">\n<h3>{name}</h3>\n<p>{about}</p>\n");
        properties(&mut html, schema);
        html.push_str("</section>\n");
    }
    html.push_str("<h2>Problem codes</h2>\n<table>\n");
    for code in codes::ALL {
        let _ = writeln!(
            html,
            "<tr id=\"problem-{0}\"><td><code>{0}</code></td><td>{1}</td><td>{2}</td></tr>",
            code.name, code.status, code.title
        );
    }
    html.push_str("</table>\n</main>\n</body>\n</html>\n");
    html
}

fn call(html: &mut String, method: &str, path: &str, operation: &Value) {
    let id = escape(text(&operation["operationId"]));
    let summary = escape(text(&operation["summary"]));
    let about = escape(text(&operation["description"]));
    let needs = policy::find(method, path).map(policy::Access::needs).unwrap_or_default();
    let _ = write!(
        html,
        "<section id=\"{id}\">\n<h3><code>{method} {}</code></h3>\n\
         <p>{summary}. {about}</p>\n<p class=\"needs\">Needs {needs}.</p>\n",
        escape(path)
    );
    let parameters: Vec<_> = operation["parameters"].as_array().into_iter().flatten().collect();
    if !parameters.is_empty() {
        html.push_str("<table>\n");
        for parameter in parameters {
            let required = if parameter["required"] == true { " (required)" } else { "" };
            let _ = writeln!(
                html,
                "<tr><td><code>{}</code>{required}</td><td>{}</td><td>{}</td></tr>",
                escape(text(&parameter["name"])),
                kind(&parameter["schema"]),
                escape(text(&parameter["description"]))
            );
        }
        html.push_str("</table>\n");
    }
    for (_, content) in members(&operation["requestBody"]["content"]) {
        let _ = writeln!(html, "<p>Body: {}</p>", kind(&content["schema"]));
    }
    html.push_str("<ul>\n");
    for (status, response) in members(&operation["responses"]) {
        let shapes: Vec<_> = members(&response["content"])
            .map(|(media, content)| format!("{} as {}", kind(&content["schema"]), escape(media)))
            .collect();
        let about = escape(text(&response["description"]));
        let _ = writeln!(html, "<li><b>{status}</b> {about} {}</li>", shapes.join(", "));
    }
    html.push_str("</ul>\n</section>\n");
}

fn properties(html: &mut String, schema: &Value) {
    for part in schema["allOf"].as_array().into_iter().flatten() {
        if part["$ref"].is_string() {
            let _ = writeln!(html, "<p>Everything of {}, and:</p>", kind(part));
        }
        properties(html, part);
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<_> = words.iter().map(|w| format!("<code>{}</code>", word(w))).collect();
        let _ = writeln!(html, "<p>One of {}.</p>", words.join(", "));
    }
    if schema["properties"].is_object() {
        html.push_str("<table>\n");
        for (name, property) in members(&schema["properties"]) {
            let _ = writeln!(
                html,
                "<tr><td><code>{}</code></td><td>{}</td><td>{}</td></tr>",
                escape(name),
                kind(property),
                escape(text(&property["description"]))
            );
        }
        html.push_str("</table>\n");
    }
    let one_of: Vec<_> = schema["oneOf"].as_array().into_iter().flatten().map(kind).collect();
    if !one_of.is_empty() {
        let _ = writeln!(html, "<p>One of: {}.</p>", one_of.join("; "));
    }
}

/// What a schema is, in a few words.
fn kind(schema: &Value) -> String {
    if let Some(target) = schema["$ref"].as_str() {
        let name = escape(target.rsplit('/').next().unwrap_or_default());
        return format!("<a href=\"#shape-{name}\">{name}</a>");
    }
    for combined in ["oneOf", "allOf", "anyOf"] {
        if let Some(parts) = schema[combined].as_array() {
            return parts.iter().map(kind).collect::<Vec<_>>().join(" or ");
        }
    }
    let word = match &schema["type"] {
        Value::Array(types) => types.iter().map(word).collect::<Vec<_>>().join(" or "),
        other => word(other),
    };
    if schema["items"].is_object() {
        return format!("list of {}", kind(&schema["items"]));
    }
    if schema["properties"].is_object() {
        let names: Vec<_> = members(&schema["properties"])
            .map(|(name, property)| format!("<code>{}</code>: {}", escape(name), kind(property)))
            .collect();
        return format!("{{{}}}", names.join(", "));
    }
    match schema["format"].as_str() {
        Some("date-time") => word.replace("string", "time"),
        _ => word,
    }
}

/// Paragraphs and lists, with what is bold in them.
fn prose(text: &str) -> String {
    let mut html = String::new();
    let mut in_list = false;
    for line in text.lines().filter(|line| !line.is_empty()) {
        let (tag, line) = line.strip_prefix("- ").map_or(("p", line), |line| ("li", line));
        if in_list != (tag == "li") {
            html.push_str(if in_list { "</ul>\n" } else { "<ul>\n" });
            in_list = !in_list;
        }
        let mut line = escape(line);
        while line.matches("**").count() >= 2 {
            line = line.replacen("**", "<b>", 1).replacen("**", "</b>", 1);
        }
        let _ = writeln!(html, "<{tag}>{line}</{tag}>");
    }
    if in_list {
        html.push_str("</ul>\n");
    }
    html
}

fn word(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| if value.is_null() { "any".to_owned() } else { value.to_string() }, escape)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
