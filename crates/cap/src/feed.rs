//! An Atom feed (RFC 4287) of the messages that hold now.

use city_model::{AlertEvent, Timestamp};

use crate::issuer::{Issuer, encoded};
use crate::words::{self, Language};
use crate::xml::Document;

/// One alert in the feed.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its newest event.
    pub event: AlertEvent,
    /// When anything last happened to it.
    pub updated: Timestamp,
}

/// The feed: `base` is where the messages are, as in `/api/v1/cap`; `now` is when it was made, for a
/// feed without entries.
pub fn feed(issuer: &Issuer, entries: &[Entry], base: &str, now: Timestamp) -> String {
    let updated = entries.iter().map(|entry| entry.updated).max().unwrap_or(now);
    let urn = format!("urn:citybrain:cap:{}", encoded(&issuer.sender));
    let city = both(Language::Zh.of(&issuer.city), Language::En.of(&issuer.city));
    let mut document = Document::new();
    let namespaces = [
        ("xmlns", "http://www.w3.org/2005/Atom"),
        ("xmlns:cap", "urn:oasis:names:tc:emergency:cap:1.2"),
    ];
    document.element("feed", &namespaces, |feed| {
        feed.text("id", &urn);
        feed.text("title", format!("{city} 告警 Alerts").trim());
        feed.text("updated", &updated.to_string());
        feed.element("author", &[], |author| author.text("name", &issuer.sender));
        feed.empty("link", &[("rel", "self"), ("type", "application/atom+xml"), ("href", base)]);
        for entry in entries {
            let alert = &entry.event.alert;
            let href = format!("{base}/{}", encoded(&alert.id));
            feed.element("entry", &[], |item| {
                item.text("id", &format!("{urn}:{}", encoded(&alert.id)));
                let [zh, en] =
                    Language::ALL.map(|language| words::headline(&entry.event, language));
                item.text("title", &both(&zh, &en));
                item.text("published", &alert.fired_at.to_string());
                item.text("updated", &entry.updated.to_string());
                let [zh, en] = Language::ALL.map(|language| language.of(&alert.summary));
                item.text("summary", &both(zh, en));
                item.empty("link", &[("type", crate::MEDIA_TYPE), ("href", &href)]);
                item.text("cap:status", words::status(alert));
                item.text("cap:category", words::category(alert));
                item.text("cap:urgency", words::urgency(&entry.event));
                item.text("cap:severity", words::severity(alert.severity));
                item.text("cap:certainty", words::certainty(alert));
            });
        }
    });
    document.finish()
}

fn both(zh: &str, en: &str) -> String {
    if zh == en { zh.to_owned() } else { format!("{zh} {en}") }
}
