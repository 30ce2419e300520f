//! `mqtt`: each event as JSON, the same as a webhook gets, published to a broker.
//!
//! Options: `broker` (needed: the keys of `[broker.connect]`, such as `host`, `client_id`, `tls`,
//! `username`, `password_file`; the `client_id` must be of no other session), `topic` (default
//! `city/alerts/{severity}/{rule}`), `retain` (default `false`), `timeout` (default `10s`).
//!
//! Placeholders of `topic` are `{severity}`, `{rule}`, `{department}`, `{event}` (`fired`, …), `{alert}`
//! (its id), `{device}`, `{metric}`, `{zone}`; what an alert does not have is `-`. In their values,
//! `/`, `+`, `#`, `%` and control characters are percent-encoded, so that a value is one level.
//!
//! Messages are published at QoS 1 over a connection of its own, made when there is something to
//! tell, and they are told when the broker has acknowledged them. The idempotency key is the member
//! `key` of the body. MQTT 3.1.1 brokers acknowledge what their access rules drop; MQTT 5 ones can
//! say so.

use std::borrow::Cow;
use std::fmt::Write as _;

use city_collect::{BrokerConfig, Message, PublishError};
use city_model::{AlertEvent, Span, Subject, Timestamp};
use serde::Deserialize;

use super::http::{check_timeout, ten_seconds};
use super::{CityFacts, Delivering, Delivery, DeliveryError, Limits, Receiver, ReceiverKind};

/// Events over one connection.
const TOGETHER: usize = 100;

pub(super) struct Mqtt;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    broker: BrokerConfig,
    #[serde(default = "usual_topic")]
    topic: String,
    #[serde(default)]
    retain: bool,
    #[serde(default = "ten_seconds")]
    timeout: Span,
}

fn usual_topic() -> String {
    "city/alerts/{severity}/{rule}".to_owned()
}

impl ReceiverKind for Mqtt {
    fn name(&self) -> &'static str {
        "mqtt"
    }

    fn build(&self, given: &serde_json::Value, _: &CityFacts) -> Result<Box<dyn Receiver>, String> {
        let options: Options = super::options(given)?;
        check_timeout(options.timeout)?;
        let problems: Vec<String> =
            options.broker.problems().iter().map(|problem| format!("broker.{problem}")).collect();
        if !problems.is_empty() {
            return Err(problems.join("; "));
        }
        Ok(Box::new(Publisher {
            topic: Topic::parse(&options.topic)?,
            broker: options.broker,
            retain: options.retain,
            timeout: options.timeout,
        }))
    }
}

struct Publisher {
    broker: BrokerConfig,
    topic: Topic,
    retain: bool,
    timeout: Span,
}

impl Receiver for Publisher {
    fn deliver<'a>(&'a self, events: &'a [Delivery], _: Timestamp) -> Delivering<'a> {
        Box::pin(async move {
            let topics: Vec<String> = events
                .iter()
                .map(|delivery| Ok(self.topic.of(&delivery.event()?)))
                .collect::<Result<_, DeliveryError>>()?;
            let messages: Vec<Message<'_>> = topics
                .iter()
                .zip(events)
                .map(|(topic, event)| Message {
                    topic,
                    payload: event.body.as_bytes(),
                    retain: self.retain,
                })
                .collect();
            let publishing = city_collect::publish(&self.broker, &messages);
            match tokio::time::timeout(self.timeout.to_std(), publishing).await {
                Ok(Ok(())) => Ok(()),
                Ok(Err(PublishError::Link(error))) => Err(DeliveryError::again(&error.to_string())),
                Ok(Err(error)) => Err(DeliveryError::refused(&error.to_string())),
                Err(_) => Err(DeliveryError::again("the broker does not answer in time")),
            }
        })
    }

    fn limits(&self) -> Limits {
        Limits { together: TOGETHER, ..Limits::default() }
    }
}

/// A topic with placeholders.
#[derive(Debug, PartialEq, Eq)]
struct Topic(Vec<Piece>);

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Place(Place),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Severity,
    Rule,
    Department,
    Event,
    Alert,
    Device,
    Metric,
    Zone,
}

const PLACES: [(&str, Place); 8] = [
    ("severity", Place::Severity),
    ("rule", Place::Rule),
    ("department", Place::Department),
    ("event", Place::Event),
    ("alert", Place::Alert),
    ("device", Place::Device),
    ("metric", Place::Metric),
    ("zone", Place::Zone),
];

impl Topic {
    fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let (before, after) = rest.split_at(open);
            let Some((name, behind)) = after[1..].split_once('}') else {
                return Err(format!("topic `{text}`: a `{{` has no `}}`"));
            };
            let Some((_, place)) = PLACES.iter().find(|(known, _)| *known == name) else {
                let known = PLACES.map(|(known, _)| format!("{{{known}}}"));
                return Err(format!(
                    "topic `{text}`: there is no `{{{name}}}`; there are {}",
                    known.join(", ")
                ));
            };
            pieces.extend([Piece::Text(before.to_owned()), Piece::Place(*place)]);
            rest = behind;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        pieces.retain(|piece| *piece != Piece::Text(String::new()));
        let own = |piece: &Piece| match piece {
            Piece::Text(text) => text.contains(['+', '#', '}', '\0']),
            Piece::Place(_) => false,
        };
        if pieces.is_empty() || pieces.iter().any(own) || text.starts_with('$') {
            return Err(format!(
                "topic `{text}`: messages cannot be published to it; write it like `{}`",
                usual_topic()
            ));
        }
        Ok(Self(pieces))
    }

    fn of(&self, event: &AlertEvent) -> String {
        self.0.iter().fold(String::new(), |mut topic, piece| {
            match piece {
                Piece::Text(text) => topic.push_str(text),
                Piece::Place(place) => {
                    push_level(&mut topic, &place.of(event).unwrap_or("-".into()));
                }
            }
            topic
        })
    }
}

impl Place {
    fn of(self, event: &AlertEvent) -> Option<Cow<'_, str>> {
        let alert = &event.alert;
        let value: Option<&str> = match self {
            Self::Severity => Some(alert.severity.name()),
            Self::Rule => Some(&*alert.rule.id),
            Self::Department => Some(&*alert.rule.department),
            // As in the body.
            Self::Event => {
                let kind = serde_json::to_value(event.kind).ok()?;
                return kind.as_str().map(|name| Cow::Owned(name.to_owned()));
            }
            Self::Alert => Some(&*alert.id),
            Self::Device => alert.subject.device().map(|device| &**device),
            Self::Metric => alert.metric.as_deref(),
            Self::Zone => match &alert.subject {
                Subject::Zone { zone } => Some(&**zone),
                // The first zone of a device is that of the first layer, which is the same for all.
                Subject::Series { .. } | Subject::Device { .. } => {
                    alert.zones.first().map(|zone| &**zone)
                }
            },
        };
        value.map(Cow::Borrowed)
    }
}

/// Adds a value as one level, whatever is in it.
fn push_level(topic: &mut String, value: &str) {
    for char in value.chars() {
        if matches!(char, '/' | '+' | '#' | '%') || char.is_control() {
            let mut bytes = [0; 4];
            for byte in char.encode_utf8(&mut bytes).bytes() {
                // Writing to a text cannot fail.
                let _ = write!(topic, "%{byte:02X}");
            }
        } else {
            topic.push(char);
        }
    }
    if value.is_empty() {
        topic.push('-');
    }
}

#[cfg(test)]
mod tests {
    use city_model::AlertEventKind;
    use serde_json::json;

    use super::super::message::tests::event;
    use super::*;

    fn topic(template: &str, change: impl FnOnce(&mut AlertEvent)) -> String {
        let mut event = event(AlertEventKind::Fired);
        change(&mut event);
        Topic::parse(template).expect("good").of(&event)
    }

    #[test]
    fn a_topic_is_made_of_the_alert_and_each_value_is_one_level() {
        assert_eq!(topic(&usual_topic(), |_| {}), "city/alerts/critical/pm25-high");
        let all = "{department}/{event}/{alert}/{device}/{metric}/{zone}";
        let wanted = "environment/fired/0123456789abcdef/air_1/pm25/haidian";
        assert_eq!(topic(all, |_| {}), wanted);
        let odd = |event: &mut AlertEvent| event.alert.rule.id = "a/+#%\u{1}空".into();
        assert_eq!(topic("x/{rule}", odd), "x/a%2F%2B%23%25%01空");
        let about_zone = |event: &mut AlertEvent| {
            event.alert.subject = Subject::Zone { zone: "chaoyang".into() };
            event.alert.metric = None;
            event.alert.rule.department = "".into();
        };
        assert_eq!(topic("{zone}/{device}/{metric}/{department}", about_zone), "chaoyang/-/-/-");
    }

    #[test]
    fn topics_that_cannot_be_published_to_are_refused() {
        for bad in ["", "a/+/b", "a/#", "$SYS/x", "{serverity}", "{rule", "rule}"] {
            let error = Topic::parse(bad).expect_err(bad);
            assert!(error.contains(&format!("`{bad}`")), "{error}");
        }
        let error = Topic::parse("{serverity}").expect_err("a typo");
        assert!(error.contains("there are {severity}, {rule}"), "{error}");
    }

    #[test]
    fn what_is_wrong_with_the_broker_is_said_with_its_key() {
        let broker = json!({"host": "b", "client_id": "", "password": "x"});
        let built = Mqtt.build(&json!({"broker": broker}), &CityFacts::default());
        let error = built.err().expect("refused");
        for words in ["broker.client_id", "broker.username"] {
            assert!(error.contains(words), "{error}");
        }
        let missing = Mqtt.build(&json!({}), &CityFacts::default()).err().expect("refused");
        assert!(missing.contains("missing field `broker`"), "{missing}");
    }
}
