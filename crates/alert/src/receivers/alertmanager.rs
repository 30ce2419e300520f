//! `alertmanager`: Prometheus Alertmanager, by `POST /api/v2/alerts`
//! (<https://prometheus.io/docs/alerting/latest/alerts_api/>).
//!
//! Options: `url` (needed: where Alertmanager is, with a path if it has a prefix), `token` or
//! `token_file` (bearer), or `username` with `password` or `password_file`; `repeat` (default `1m`),
//! `keep` (default `15m`), `severity` (`annotation` or `label`, default `annotation`), `language`,
//! `dashboard`, `timeout`, `ca_file`. Of a cluster, each member is a receiver of its own: all of them
//! must be told.
//!
//! # State, not events
//!
//! Alertmanager forgets an alert that nobody repeats. So each that fires is told again every `repeat`,
//! always with an end `keep` from then (as Prometheus does it), which makes us independent of the
//! server's `resolve_timeout`: an alert outlives a restart of citybrain of less than `keep`, and after
//! that Alertmanager says that it is resolved, which it cannot tell from the truth.
//!
//! # Identity
//!
//! To Alertmanager, the labels are the alert; what changes while it fires must not be one. Labels
//! are `alertname` (the rule's id), `department`, `subject`, `device`, `metric` or `zone`, and the
//! labels of the rule, in names that Prometheus allows. Zones of a device are an annotation, because
//! devices move. The severity is an annotation, too: one alert that becomes worse stays one alert. To
//! route by severity, add a receiver for each with its own least `severity` – or say
//! `severity = "label"`: when the severity changes, the alert of the old severity then ends and one
//! with the new begins, and people are told of an end that is none.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use city_model::{AlertEvent, AlertEventKind, Severity, Span, Subject, Timestamp};
use city_store::Secret;
use serde::{Deserialize, Serialize};

use super::http::{self, Target};
use super::message::{Language, Message, Wording};
use super::{CityFacts, Delivering, Delivery, Limits, Receiver, ReceiverKind, options, secrets};

/// Alerts in one request.
const TOGETHER: usize = 100;

pub(super) struct Alertmanager;

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SeverityAs {
    #[default]
    Annotation,
    Label,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    url: String,
    token: Option<Secret>,
    token_file: Option<PathBuf>,
    username: Option<String>,
    password: Option<Secret>,
    password_file: Option<PathBuf>,
    #[serde(default = "one_minute")]
    repeat: Span,
    #[serde(default = "quarter_hour")]
    keep: Span,
    #[serde(default)]
    severity: SeverityAs,
    #[serde(default)]
    language: Language,
    dashboard: Option<String>,
    #[serde(default = "http::ten_seconds")]
    timeout: Span,
    ca_file: Option<PathBuf>,
}

fn one_minute() -> Span {
    Span::from_mins(1)
}

fn quarter_hour() -> Span {
    Span::from_mins(15)
}

impl ReceiverKind for Alertmanager {
    fn name(&self) -> &'static str {
        "alertmanager"
    }

    fn build(
        &self,
        given: &serde_json::Value,
        city: &CityFacts,
    ) -> Result<Box<dyn Receiver>, String> {
        let options: Options = options(given)?;
        if options.repeat < Span::from_secs(5) {
            return Err(format!("repeat `{}`: it must be 5 seconds or more", options.repeat));
        }
        if options.keep.micros() < options.repeat.micros().saturating_mul(2) {
            return Err(format!(
                "keep `{}`: it must be at least twice `repeat` (`{}`), or alerts end in between",
                options.keep, options.repeat
            ));
        }
        let token = secrets::given("token", options.token, options.token_file.as_deref())?;
        let password =
            secrets::given("password", options.password, options.password_file.as_deref())?;
        let login = match (options.username, token) {
            (Some(_), Some(_)) => {
                return Err("`token` and `username` are both given; leave one out".to_owned());
            }
            (Some(username), None) => Login::User(username, password),
            (None, _) if password.is_some() => {
                return Err("`password` needs a `username`".to_owned());
            }
            (None, Some(token)) => Login::Token(token),
            (None, None) => Login::None,
        };
        let base = options.url.trim_end_matches('/');
        Ok(Box::new(Server {
            target: Target::new(
                &format!("{base}/api/v2/alerts"),
                options.timeout,
                options.ca_file.as_ref(),
            )?,
            login,
            repeat: options.repeat.to_std(),
            keep: options.keep,
            severity: options.severity,
            wording: Wording::new(options.language, options.dashboard, city)?,
        }))
    }
}

enum Login {
    None,
    Token(Secret),
    User(String, Option<Secret>),
}

struct Server {
    target: Target,
    login: Login,
    repeat: Duration,
    keep: Span,
    severity: SeverityAs,
    wording: Wording,
}

/// An alert as Alertmanager takes it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Posted {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<&'static str, String>,
    starts_at: Timestamp,
    ends_at: Timestamp,
    #[serde(rename = "generatorURL", skip_serializing_if = "Option::is_none")]
    generator_url: Option<String>,
}

impl Receiver for Server {
    fn deliver<'a>(&'a self, events: &'a [Delivery], now: Timestamp) -> Delivering<'a> {
        Box::pin(async move {
            let mut alerts = Vec::with_capacity(events.len());
            for delivery in events {
                let before = alerts.len();
                self.add(&delivery.event()?, now, &mut alerts);
                if let Some(group) = delivery.group() {
                    for posted in &mut alerts[before..] {
                        posted.annotations.insert("group", group.clone());
                    }
                }
            }
            let request = self.target.post(self.target.url().clone()).json(&alerts);
            let request = match &self.login {
                Login::None => request,
                Login::Token(token) => request.bearer_auth(token.expose()),
                Login::User(name, password) => {
                    request.basic_auth(name, password.as_ref().map(Secret::expose))
                }
            };
            http::tell(request).await
        })
    }

    fn limits(&self) -> Limits {
        Limits { together: TOGETHER, repeat: Some(self.repeat), ..Limits::default() }
    }
}

impl Server {
    /// Adds what an event means; an earlier one of the same alert is told before it.
    fn add(&self, event: &AlertEvent, now: Timestamp, alerts: &mut Vec<Posted>) {
        let alert = &event.alert;
        let starts_at = alert.fired_at;
        let message = self.wording.message(event);
        let ends_at = match event.kind {
            AlertEventKind::Resolved => alert.resolved_at.unwrap_or(event.at).max(starts_at),
            _ => now.max(starts_at) + self.keep,
        };
        let posted = Posted {
            labels: labels(event),
            starts_at,
            ends_at,
            generator_url: message.link.clone(),
            annotations: annotations(event, &message, &self.wording),
        };
        if self.severity == SeverityAs::Annotation {
            alerts.push(posted);
            return;
        }
        let changed = matches!(event.kind, AlertEventKind::Escalated | AlertEventKind::Deescalated);
        for severity in Severity::ALL {
            let current = severity == alert.severity;
            // Which one it was before is not known; ending one that never was changes nothing.
            if !current && !changed {
                continue;
            }
            let mut posted = posted.clone();
            posted.labels.insert("severity".to_owned(), severity.name().to_owned());
            if !current {
                posted.ends_at = event.at.max(starts_at);
            }
            alerts.push(posted);
        }
    }
}

/// What may change while it fires.
fn annotations(
    event: &AlertEvent,
    message: &Message,
    wording: &Wording,
) -> BTreeMap<&'static str, String> {
    let alert = &event.alert;
    let mut annotations = BTreeMap::from([
        ("title", message.title.clone()),
        ("summary", wording.pick(&alert.summary.en, &alert.summary.zh)),
        ("description", message.lines.join("\n")),
        ("severity", alert.severity.name().to_owned()),
        ("alert_id", alert.id.to_string()),
    ]);
    if !alert.zones.is_empty() {
        annotations.insert("zones", alert.zones.join(", "));
    }
    if let Some(value) = alert.value {
        annotations.insert("value", value.to_string());
    }
    if let Some(position) = alert.position {
        annotations.insert("position", format!("{}, {}", position.lat, position.lon));
    }
    if let Some(runbook) = &alert.runbook {
        annotations.insert("runbook_url", runbook.clone());
    }
    annotations
}

/// What the alert is, and stays while it fires.
fn labels(event: &AlertEvent) -> BTreeMap<String, String> {
    let alert = &event.alert;
    let rule = alert.labels.iter().map(|(name, value)| (label_name(name), value.clone()));
    // A rule's own labels cannot take the place of ours, or stand for a severity that changes.
    let mut labels: BTreeMap<String, String> = rule
        .map(
            |(name, value)| {
                if name == "severity" { ("rule_severity".into(), value) } else { (name, value) }
            },
        )
        .collect();
    let mut own = |name: &str, value: &str| labels.insert(name.to_owned(), value.to_owned());
    own("alertname", &alert.rule.id);
    own("department", &alert.rule.department);
    own("subject", &alert.subject.to_string());
    match &alert.subject {
        Subject::Series { device, metric } => {
            own("device", device);
            own("metric", metric);
        }
        Subject::Device { device } => {
            own("device", device);
        }
        Subject::Zone { zone } => {
            own("zone", zone);
        }
    }
    if alert.simulated {
        own("simulated", "true");
    }
    // To Alertmanager an empty label is none.
    labels.retain(|_, value| !value.is_empty());
    labels
}

/// A name that Prometheus allows: `[a-zA-Z_][a-zA-Z0-9_]*`.
fn label_name(name: &str) -> String {
    let allowed = |char: char| if char.is_ascii_alphanumeric() { char } else { '_' };
    let mut name: String = name.chars().map(allowed).collect();
    if !name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') {
        name.insert(0, '_');
    }
    name
}

#[cfg(test)]
mod tests {
    use super::super::message::tests::event;
    use super::*;

    fn server(severity: &str) -> Server {
        Server {
            target: Target::new("http://127.0.0.1:9093", http::ten_seconds(), None).expect("good"),
            login: Login::None,
            repeat: Duration::from_mins(1),
            keep: quarter_hour(),
            severity: serde_json::from_value(severity.into()).expect("known"),
            wording: super::super::message::tests::wording(Language::En),
        }
    }

    fn posted(severity: &str, event: &AlertEvent) -> Vec<Posted> {
        let mut alerts = Vec::new();
        server(severity).add(event, event.at + Span::from_mins(5), &mut alerts);
        alerts
    }

    #[test]
    fn an_alert_keeps_its_labels_while_severity_zones_and_value_change() {
        let first = event(AlertEventKind::Fired);
        let mut worse = event(AlertEventKind::Escalated);
        worse.alert.severity = Severity::Low;
        worse.alert.zones.clear();
        worse.alert.value = Some(1.0);
        let (first, worse) = (posted("annotation", &first), posted("annotation", &worse));
        assert_eq!(first[0].labels, worse[0].labels);
        assert_ne!(first[0].annotations, worse[0].annotations);
        assert_eq!(first[0].labels["alertname"], "pm25-high");
    }

    #[test]
    fn as_a_label_the_old_severity_ends_when_it_changes() {
        let fired = posted("label", &event(AlertEventKind::Fired));
        assert_eq!(fired.len(), 1);
        let worse = event(AlertEventKind::Escalated);
        let alerts = posted("label", &worse);
        assert_eq!(alerts.len(), 4);
        for alert in alerts {
            let over = alert.ends_at == worse.at;
            assert_eq!(over, alert.labels["severity"] != "critical", "{alert:?}");
        }
    }

    #[test]
    fn it_ends_in_the_future_until_it_is_over() {
        let fired = event(AlertEventKind::Fired);
        let ends = fired.at + Span::from_mins(20);
        assert_eq!(posted("annotation", &fired)[0].ends_at, ends);
        let over = event(AlertEventKind::Resolved);
        assert_eq!(posted("annotation", &over)[0].ends_at, over.at);
    }

    #[test]
    fn labels_of_the_rule_get_allowed_names_and_take_no_place_of_ours() {
        let mut event = event(AlertEventKind::Fired);
        event.alert.labels = [("1 team-a", "x"), ("alertname", "y"), ("severity", "z"), ("e", "")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        let labels = labels(&event);
        assert_eq!(labels["_1_team_a"], "x");
        assert_eq!(labels["alertname"], "pm25-high");
        assert_eq!(labels["rule_severity"], "z");
        assert!(!labels.contains_key("e"));
    }
}
