//! The words of CAP, and those that people read.

use city_model::{Alert, AlertEvent, AlertEventKind, LocalText, Severity};

/// One of the two languages of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Zh,
    En,
}

impl Language {
    /// Chinese first: readers take the first that they know.
    pub(crate) const ALL: [Self; 2] = [Self::Zh, Self::En];

    /// As RFC 3066 names it.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Zh => "zh-CN",
            Self::En => "en-US",
        }
    }

    pub(crate) fn pick<'a>(self, en: &'a str, zh: &'a str) -> &'a str {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }

    pub(crate) fn of(self, text: &LocalText) -> &str {
        let (this, other) = match self {
            Self::Zh => (&text.zh, &text.en),
            Self::En => (&text.en, &text.zh),
        };
        if this.is_empty() { other } else { this }
    }
}

/// CAP 1.2, 3.2.2.
const CATEGORIES: &[&str] = &[
    "Geo",
    "Met",
    "Safety",
    "Security",
    "Rescue",
    "Fire",
    "Health",
    "Env",
    "Transport",
    "Infra",
    "CBRNE",
    "Other",
];
const URGENCIES: &[&str] = &["Immediate", "Expected", "Future", "Past", "Unknown"];
const CERTAINTIES: &[&str] = &["Observed", "Likely", "Possible", "Unlikely", "Unknown"];

/// What metrics are about, by how their ids begin.
const METRICS: &[(&str, &str)] = &[
    ("pm", "Env"),
    ("no2", "Env"),
    ("so2", "Env"),
    ("o3", "Env"),
    ("co", "Env"),
    ("aqi", "Env"),
    ("noise", "Env"),
    ("temperature", "Met"),
    ("humidity", "Met"),
    ("pressure", "Met"),
    ("dew_point", "Met"),
    ("wind", "Met"),
    ("rain", "Met"),
    // Floods are meteorological, says the standard.
    ("water_level", "Met"),
    ("traffic", "Transport"),
    ("parking", "Transport"),
    ("speed", "Transport"),
    ("occupancy", "Transport"),
    ("lamp", "Infra"),
    ("fill_level", "Infra"),
    ("battery", "Infra"),
    ("online", "Infra"),
];

pub(crate) fn category(alert: &Alert) -> &'static str {
    if let Some(said) = said(alert, "cap_category", CATEGORIES) {
        return said;
    }
    // An alert without a metric is about a device that is not heard.
    let Some(metric) = &alert.metric else { return "Infra" };
    let known = METRICS.iter().find(|(begins, _)| metric.starts_with(begins));
    known.map_or("Other", |(_, category)| category)
}

pub(crate) fn urgency(event: &AlertEvent) -> &'static str {
    if event.kind == AlertEventKind::Resolved {
        return if event.reason.is_some() { "Unknown" } else { "Past" };
    }
    said(&event.alert, "cap_urgency", URGENCIES).unwrap_or(match event.alert.severity {
        Severity::Critical | Severity::High => "Immediate",
        Severity::Medium | Severity::Low => "Expected",
    })
}

pub(crate) const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "Extreme",
        Severity::High => "Severe",
        Severity::Medium => "Moderate",
        Severity::Low => "Minor",
    }
}

pub(crate) fn certainty(alert: &Alert) -> &'static str {
    said(alert, "cap_certainty", CERTAINTIES).unwrap_or("Observed")
}

/// A word of CAP that a label of the rule says.
fn said(alert: &Alert, label: &str, words: &[&'static str]) -> Option<&'static str> {
    let value = alert.labels.get(label)?;
    words.iter().find(|word| word.eq_ignore_ascii_case(value)).copied()
}

/// Actual, or for whom nothing happened.
pub(crate) fn status(alert: &Alert) -> &'static str {
    match (alert.simulated, alert.labels.get("test").map(String::as_str)) {
        (false, _) => "Actual",
        (true, Some("true")) => "Test",
        (true, _) => "Exercise",
    }
}

/// What happened, in a line.
pub(crate) fn headline(event: &AlertEvent, language: Language) -> String {
    let alert = &event.alert;
    let name = name(alert, language);
    if event.kind == AlertEventKind::Resolved {
        return format!("{}{name}", language.pick("Over: ", "已解除："));
    }
    let severity = match alert.severity {
        Severity::Low => language.pick("low", "提示"),
        Severity::Medium => language.pick("medium", "一般"),
        Severity::High => language.pick("high", "重要"),
        Severity::Critical => language.pick("critical", "紧急"),
    };
    match language {
        Language::Zh => format!("{name}（{severity}）"),
        Language::En => format!("{name} ({severity})"),
    }
}

/// What the rule is called; its id if it has no name.
pub(crate) fn name(alert: &Alert, language: Language) -> &str {
    let name = language.of(&alert.rule.name);
    if name.is_empty() { &alert.rule.id } else { name }
}
