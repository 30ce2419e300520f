//! One event as a CAP message.

use city_model::{AlertEvent, AlertEventKind, Timestamp};

use crate::area::{Places, area};
use crate::issuer::{Issuer, Scope};
use crate::words::{self, Language};
use crate::xml::Document;

/// So many earlier messages are referred to at most, the newest of them.
const REFERENCES: usize = 100;

/// Headlines are cut after so many characters, as the standard asks (160).
const HEADLINE_CHARS: usize = 160;

/// An earlier event of the same alert that was told to the same people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// Which one it was: what its idempotency key has behind the alert's id.
    pub step: String,
    /// When it happened.
    pub at: Timestamp,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its identifier, unique with the sender.
    pub identifier: String,
    /// The document, UTF-8.
    pub xml: String,
}

/// The message about an event, after `earlier` ones, oldest first.
pub fn message(
    issuer: &Issuer,
    event: &AlertEvent,
    earlier: &[Earlier],
    places: &Places,
) -> Message {
    let alert = &event.alert;
    let identifier = issuer.identifier(&alert.id, step(&event.key));
    let status = words::status(alert);
    let mut document = Document::new();
    let namespace = [("xmlns", "urn:oasis:names:tc:emergency:cap:1.2")];
    document.element("alert", &namespace, |root| {
        root.text("identifier", &identifier);
        root.text("sender", &issuer.sender);
        root.text("sent", &issuer.time(event.at));
        root.text("status", status);
        root.text("msgType", kind(event, earlier));
        root.text("source", &alert.subject.to_string());
        scope(root, &issuer.scope);
        if status != "Actual" {
            root.text(
                "note",
                "Simulated or test data; nothing happened. 模拟或测试数据，并无异常。",
            );
        }
        root.maybe("references", Some(&references(issuer, event, earlier)));
        for language in Language::ALL {
            info(root, issuer, event, places, language);
        }
    });
    Message { identifier, xml: document.finish() }
}

impl Earlier {
    /// The event with this idempotency key.
    pub fn of(key: &str, at: Timestamp) -> Self {
        Self { step: step(key).to_owned(), at }
    }
}

/// What an idempotency key has behind the alert's id: most often the number of the event.
fn step(key: &str) -> &str {
    key.rsplit_once('/').map_or(key, |(_, step)| step)
}

fn kind(event: &AlertEvent, earlier: &[Earlier]) -> &'static str {
    match event.kind {
        _ if earlier.is_empty() => "Alert",
        AlertEventKind::Resolved => "Cancel",
        _ => "Update",
    }
}

fn scope(root: &mut Document, scope: &Scope) {
    match scope {
        Scope::Public => root.text("scope", "Public"),
        Scope::Restricted(rule) => {
            root.text("scope", "Restricted");
            root.text("restriction", rule);
        }
        Scope::Private(addresses) => {
            root.text("scope", "Private");
            let quoted = addresses.iter().map(|address| {
                if address.contains(char::is_whitespace) {
                    format!("\"{address}\"")
                } else {
                    address.clone()
                }
            });
            root.text("addresses", &quoted.collect::<Vec<_>>().join(" "));
        }
    }
}

/// `sender,identifier,sent` of each earlier message.
fn references(issuer: &Issuer, event: &AlertEvent, earlier: &[Earlier]) -> String {
    let newest = &earlier[earlier.len().saturating_sub(REFERENCES)..];
    let one = |earlier: &Earlier| {
        let identifier = issuer.identifier(&event.alert.id, &earlier.step);
        format!("{},{identifier},{}", issuer.sender, issuer.time(earlier.at))
    };
    newest.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn info(
    root: &mut Document,
    issuer: &Issuer,
    event: &AlertEvent,
    places: &Places,
    language: Language,
) {
    let alert = &event.alert;
    let (runbook, address) = match alert.runbook.as_deref() {
        Some(text) if text.starts_with("http://") || text.starts_with("https://") => {
            (Some(format!("{}{text}", language.pick("See ", "参见 "))), Some(text.to_owned()))
        }
        Some(text) => (Some(text.to_owned()), None),
        None => (None, None),
    };
    root.element("info", &[], |info| {
        info.text("language", language.code());
        info.text("category", words::category(alert));
        info.text("event", words::name(alert, language));
        // Only what was measured clears anything: a rule that was deleted does not.
        if event.kind == AlertEventKind::Resolved && event.reason.is_none() {
            info.text("responseType", "AllClear");
        }
        info.text("urgency", words::urgency(event));
        info.text("severity", words::severity(alert.severity));
        info.text("certainty", words::certainty(alert));
        info.text("onset", &issuer.time(alert.started_at));
        info.maybe("expires", issuer.expires.map(|span| issuer.time(event.at + span)).as_deref());
        info.maybe("senderName", Some(language.of(&issuer.city)));
        let headline = words::headline(event, language);
        info.text("headline", &headline.chars().take(HEADLINE_CHARS).collect::<String>());
        let reason = event.reason.map(|reason| {
            let text = reason.text();
            format!("{}{}", language.pick("Ended because ", "结束原因："), language.of(&text))
        });
        let summary = Some(language.of(&alert.summary).to_owned()).filter(|text| !text.is_empty());
        let lines: Vec<String> = [summary, reason].into_iter().flatten().collect();
        info.maybe("description", Some(&lines.join("\n")));
        info.maybe("instruction", runbook.as_deref());
        info.maybe("web", issuer.link(&alert.id).or(address).as_deref());
        for (name, value) in parameters(event) {
            info.element("parameter", &[], |parameter| {
                parameter.text("valueName", name);
                parameter.text("value", &value);
            });
        }
        area(info, issuer, alert, places, language);
    });
}

/// What machines may want to know, without asking back.
fn parameters(event: &AlertEvent) -> Vec<(&'static str, String)> {
    let alert = &event.alert;
    let unit = alert.unit.as_deref().map(|unit| format!(" {unit}")).unwrap_or_default();
    let mut all = vec![
        ("citybrain:alert", alert.id.to_string()),
        ("citybrain:rule", alert.rule.id.to_string()),
        ("citybrain:department", alert.rule.department.to_string()),
    ];
    let mut add = |name, value: Option<String>| all.extend(value.map(|value| (name, value)));
    add("citybrain:device", alert.subject.device().map(ToString::to_string));
    add("citybrain:metric", alert.metric.as_ref().map(ToString::to_string));
    add("citybrain:value", alert.value.map(|value| format!("{value}{unit}")));
    add("citybrain:limit", alert.limit.map(|limit| format!("{limit}{unit}")));
    all
}
