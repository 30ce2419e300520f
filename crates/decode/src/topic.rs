//! MQTT topics: filters that match them, templates that take ids out of them.

use std::fmt;

/// The longest topic or filter in bytes (MQTT 5.0, clause 4.7.3).
pub const MAX_TOPIC: usize = 65_535;

/// Why a text is no topic filter or template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// Nothing there.
    #[error("a topic filter cannot be empty")]
    Empty,
    /// More than [`MAX_TOPIC`] bytes.
    #[error("a topic filter has at most {MAX_TOPIC} bytes, this one has {0}")]
    TooLong(usize),
    /// A character that MQTT forbids.
    #[error("`{0}` holds the character NUL, which topics cannot hold")]
    Nul(String),
    /// `#` somewhere else than as the whole last level.
    #[error("`{0}`: # must be the last level, alone: city/#")]
    Hash(String),
    /// `+` with something else in its level.
    #[error("`{0}`: + must be alone in its level: city/+/up")]
    Plus(String),
    /// A shared subscription without group or filter.
    #[error("`{0}`: a shared subscription is $share/GROUP/FILTER")]
    Share(String),
    /// A template of a shared subscription.
    #[error("`{0}`: a template describes the topics themselves, without $share/GROUP/")]
    SharedTemplate(String),
    /// A brace that is not closed, or not alone in its level.
    #[error("`{0}`: a capture is a whole level in braces: city/{{device}}/up")]
    Brace(String),
    /// A capture of something unknown.
    #[error("`{template}`: there is nothing called `{name}` to capture; there are {known}")]
    UnknownCapture {
        /// The template.
        template: String,
        /// The name.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// The same capture twice.
    #[error("`{template}`: {{{name}}} can be captured once only")]
    Twice {
        /// The template.
        template: String,
        /// The name.
        name: String,
    },
    /// `{name...}` before the last level.
    #[error("`{0}`: only the last level can be captured with all that follows ({{device...}})")]
    RestNotLast(String),
}

/// A valid MQTT topic filter (MQTT 5.0, clause 4.7), possibly of a shared subscription.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TopicFilter {
    text: String,
    /// Where the filter itself starts, after `$share/GROUP/`.
    start: usize,
}

impl TopicFilter {
    /// Checks a filter.
    pub fn parse(text: &str) -> Result<Self, TopicError> {
        check_text(text)?;
        let start = match text.strip_prefix("$share/") {
            None => 0,
            Some(rest) => match rest.split_once('/') {
                Some((group, filter)) if !group.is_empty() && !filter.is_empty() => {
                    if group.contains(['+', '#']) {
                        return Err(TopicError::Share(text.to_owned()));
                    }
                    text.len() - filter.len()
                }
                _ => return Err(TopicError::Share(text.to_owned())),
            },
        };
        let mut levels = text[start..].split('/').peekable();
        while let Some(level) = levels.next() {
            if level.contains('#') && (level != "#" || levels.peek().is_some()) {
                return Err(TopicError::Hash(text.to_owned()));
            }
            if level.contains('+') && level != "+" {
                return Err(TopicError::Plus(text.to_owned()));
            }
        }
        Ok(Self { text: text.to_owned(), start })
    }

    /// The filter as it is subscribed to.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a topic matches. Wildcards at the start do not match topics that begin with `$`
    /// (clause 4.7.2).
    pub fn matches(&self, topic: &str) -> bool {
        let filter = &self.text[self.start..];
        if topic.starts_with('$') && filter.starts_with(['+', '#']) {
            return false;
        }
        let mut topic = topic.split('/');
        for level in filter.split('/') {
            match (level, topic.next()) {
                // `a/#` matches `a` too (clause 4.7.1.2).
                ("#", _) => return true,
                ("+", Some(_)) => {}
                (level, Some(found)) if level == found => {}
                _ => return false,
            }
        }
        topic.next().is_none()
    }
}

impl fmt::Display for TopicFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What a template took out of a topic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Captures<'t> {
    /// The device's id.
    pub device: Option<&'t str>,
    /// The department that owns it.
    pub department: Option<&'t str>,
    /// The kind of the device.
    pub kind: Option<&'t str>,
    /// The metric's name.
    pub metric: Option<&'t str>,
}

/// A topic with captures: `city/{department}/{device}/up`.
///
/// A capture stands for one whole level that is not empty. `{device...}` at the end stands for
/// all remaining levels with their slashes. `+` and, at the end, `#` match without capturing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicTemplate {
    text: String,
    levels: Vec<Level>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Level {
    Literal(String),
    Any,
    AnyRest,
    Capture(Name),
    CaptureRest(Name),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Device,
    Department,
    Kind,
    Metric,
}

const NAMES: [(&str, Name); 4] = [
    ("device", Name::Device),
    ("department", Name::Department),
    ("kind", Name::Kind),
    ("metric", Name::Metric),
];

impl TopicTemplate {
    /// Reads a template.
    pub fn parse(text: &str) -> Result<Self, TopicError> {
        check_text(text)?;
        if text.starts_with("$share/") {
            return Err(TopicError::SharedTemplate(text.to_owned()));
        }
        let mut levels = Vec::new();
        let mut seen = Vec::new();
        for level in text.split('/') {
            if matches!(levels.last(), Some(Level::CaptureRest(_))) {
                return Err(TopicError::RestNotLast(text.to_owned()));
            }
            let level = parse_level(text, level)?;
            if let Level::Capture(name) | Level::CaptureRest(name) = level {
                if seen.contains(&name) {
                    let name = name.text().to_owned();
                    return Err(TopicError::Twice { template: text.to_owned(), name });
                }
                seen.push(name);
            }
            levels.push(level);
        }
        let template = Self { text: text.to_owned(), levels };
        TopicFilter::parse(&template.filter())?;
        Ok(template)
    }

    /// The template as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The filter to subscribe to.
    pub fn filter(&self) -> String {
        let levels = self.levels.iter().map(|level| match level {
            Level::Literal(text) => text.as_str(),
            Level::Any | Level::Capture(_) => "+",
            Level::AnyRest | Level::CaptureRest(_) => "#",
        });
        levels.collect::<Vec<_>>().join("/")
    }

    /// Takes the captures out of a topic; `None` if the topic does not fit, or a capture would be
    /// empty. Does not allocate.
    pub fn capture<'t>(&self, topic: &'t str) -> Option<Captures<'t>> {
        let wild = !matches!(self.levels.first(), Some(Level::Literal(_)));
        if wild && topic.starts_with('$') {
            return None;
        }
        let mut captures = Captures::default();
        let mut rest = Some(topic);
        for level in &self.levels {
            match level {
                Level::AnyRest => return Some(captures),
                Level::CaptureRest(name) => {
                    captures.put(*name, rest.filter(|rest| !rest.is_empty())?);
                    return Some(captures);
                }
                Level::Literal(_) | Level::Any | Level::Capture(_) => {}
            }
            let (found, after) = match rest?.split_once('/') {
                Some((found, after)) => (found, Some(after)),
                None => (rest?, None),
            };
            match level {
                Level::Literal(text) if text != found => return None,
                Level::Capture(_) if found.is_empty() => return None,
                Level::Capture(name) => captures.put(*name, found),
                _ => {}
            }
            rest = after;
        }
        rest.is_none().then_some(captures)
    }

    /// The topic that has these captures, for messages that come without one. A capture that the
    /// template has and that is not given stands as `-`, which no topic filter minds; `None` if
    /// one could not be read back, because it is empty or holds a slash where one level stands.
    pub fn fill(&self, captures: &Captures<'_>) -> Option<String> {
        let given = |name: Name| match name {
            Name::Device => captures.device,
            Name::Department => captures.department,
            Name::Kind => captures.kind,
            Name::Metric => captures.metric,
        };
        let levels = self.levels.iter().map(|level| match level {
            Level::Literal(text) => text.as_str(),
            Level::Any | Level::AnyRest => "-",
            Level::Capture(name) | Level::CaptureRest(name) => given(*name).unwrap_or("-"),
        });
        let topic = levels.collect::<Vec<_>>().join("/");
        let back = self.capture(&topic)?;
        (captures.device.is_none() || back.device == captures.device).then_some(topic)
    }
}

impl fmt::Display for TopicTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Name {
    const fn text(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Department => "department",
            Self::Kind => "kind",
            Self::Metric => "metric",
        }
    }
}

impl<'t> Captures<'t> {
    const fn put(&mut self, name: Name, text: &'t str) {
        match name {
            Name::Device => self.device = Some(text),
            Name::Department => self.department = Some(text),
            Name::Kind => self.kind = Some(text),
            Name::Metric => self.metric = Some(text),
        }
    }
}

fn check_text(text: &str) -> Result<(), TopicError> {
    match text {
        "" => Err(TopicError::Empty),
        _ if text.len() > MAX_TOPIC => Err(TopicError::TooLong(text.len())),
        _ if text.contains('\0') => Err(TopicError::Nul(text.escape_debug().to_string())),
        _ => Ok(()),
    }
}

fn parse_level(template: &str, level: &str) -> Result<Level, TopicError> {
    let inside = level.strip_prefix('{').and_then(|level| level.strip_suffix('}'));
    let Some(inside) = inside else {
        return match level {
            "+" => Ok(Level::Any),
            "#" => Ok(Level::AnyRest),
            _ if level.contains(['{', '}']) => Err(TopicError::Brace(template.to_owned())),
            _ => Ok(Level::Literal(level.to_owned())),
        };
    };
    let (name, rest) = match inside.strip_suffix("...") {
        Some(name) => (name, true),
        None => (inside, false),
    };
    match NAMES.iter().find(|(known, _)| *known == name) {
        Some((_, name)) if rest => Ok(Level::CaptureRest(*name)),
        Some((_, name)) => Ok(Level::Capture(*name)),
        None => Err(TopicError::UnknownCapture {
            template: template.to_owned(),
            name: name.to_owned(),
            known: NAMES.map(|(name, _)| name).join(", "),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_match_as_mqtt_says() {
        for (filter, topic, expected) in [
            ("sport/tennis/player1/#", "sport/tennis/player1", true),
            ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true),
            ("sport/#", "sport", true),
            ("#", "sport/tennis", true),
            ("sport/tennis/+", "sport/tennis/player1", true),
            ("sport/tennis/+", "sport/tennis/player1/ranking", false),
            ("sport/+", "sport", false),
            ("sport/+", "sport/", true),
            ("+/+", "/finance", true),
            ("/+", "/finance", true),
            ("+", "/finance", false),
            ("#", "$SYS/monitor", false),
            ("+/monitor/Clients", "$SYS/monitor/Clients", false),
            ("$SYS/#", "$SYS/monitor", true),
            ("a/b", "a/b/c", false),
            ("a/b/c", "a/b", false),
            ("A", "a", false),
            ("$share/group/a/+", "a/b", true),
            ("$share/group/#", "$SYS/a", false),
        ] {
            let filter = TopicFilter::parse(filter).expect("a filter");
            assert_eq!(filter.matches(topic), expected, "{filter} on {topic}");
        }
    }

    #[test]
    fn bad_filters_are_refused() {
        for filter in [
            "",
            "a/#/b",
            "a#",
            "a/b#",
            "a+/b",
            "a/+b",
            "a\0",
            "$share/g",
            "$share//a",
            "$share/+/a",
        ] {
            assert!(TopicFilter::parse(filter).is_err(), "{filter}");
        }
        assert!(matches!(
            TopicFilter::parse(&"a".repeat(70_000)),
            Err(TopicError::TooLong(70_000))
        ));
    }

    fn check(template: &str, filter: &str, topic: &str, expected: Option<[Option<&str>; 4]>) {
        let template = TopicTemplate::parse(template).expect("a template");
        assert_eq!(template.filter(), filter);
        let captures = template.capture(topic);
        let got = captures.map(|c| [c.device, c.department, c.kind, c.metric]);
        assert_eq!(got, expected, "{template} on {topic}");
        let matches = TopicFilter::parse(filter).expect("a filter").matches(topic);
        assert!(
            matches || captures.is_none(),
            "{template} fits {topic}, but was not subscribed to"
        );
    }

    #[test]
    fn templates_capture() {
        let up = "city/{department}/{device}/up";
        check(up, "city/+/+/up", "city/air/a-17/up", Some([Some("a-17"), Some("air"), None, None]));
        check(up, "city/+/+/up", "city/air/a-17/down", None);
        check(up, "city/+/+/up", "city/air//up", None);
        check(up, "city/+/+/up", "city/air/a-17/up/more", None);
        check(up, "city/+/+/up", "city/air", None);
        let z2m = "zigbee2mqtt/{device...}";
        check(
            z2m,
            "zigbee2mqtt/#",
            "zigbee2mqtt/hall/lamp",
            Some([Some("hall/lamp"), None, None, None]),
        );
        check(z2m, "zigbee2mqtt/#", "zigbee2mqtt/lamp", Some([Some("lamp"), None, None, None]));
        check(z2m, "zigbee2mqtt/#", "zigbee2mqtt", None);
        check(z2m, "zigbee2mqtt/#", "zigbee2mqtt/", None);
        let sub = "+/{kind}/{device}/{metric}/#";
        check(sub, "+/+/+/+/#", "x/air/7/pm25", Some([Some("7"), None, Some("air"), Some("pm25")]));
        check(
            sub,
            "+/+/+/+/#",
            "x/air/7/pm25/a/b",
            Some([Some("7"), None, Some("air"), Some("pm25")]),
        );
        check(sub, "+/+/+/+/#", "$SYS/air/7/pm25", None);
        check("fixed/topic", "fixed/topic", "fixed/topic", Some([None; 4]));
    }

    #[test]
    fn bad_templates_say_why() {
        for (template, part) in [
            ("city/{devise}/up", "device, department"),
            ("city/{device/up", "whole level"),
            ("city/x{device}/up", "whole level"),
            ("city/{device...}/up", "last level"),
            ("{device}/{device}", "once only"),
            ("a/#/{device}", "# must be"),
            ("a/b+/{device}", "+ must be"),
            ("$share/g/city/{device}", "without $share"),
            ("", "empty"),
        ] {
            let error = TopicTemplate::parse(template).expect_err(template).to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_template_is_filled_so_that_it_reads_back() {
        let device = |device| Captures { device: Some(device), ..Captures::default() };
        for (template, of, expected) in [
            ("push/{device}", "a-1", Some("push/a-1")),
            ("city/{department}/{kind}/{device}/up", "a-1", Some("city/-/-/a-1/up")),
            ("+/{device...}", "a/1", Some("-/a/1")),
            ("push/{device}", "a/1", None),
            ("push/{device}", "", None),
            ("push/#", "a-1", None),
        ] {
            let template = TopicTemplate::parse(template).expect("a template");
            assert_eq!(template.fill(&device(of)).as_deref(), expected, "{template} {of}");
        }
        let template = TopicTemplate::parse("push/{device}").expect("a template");
        assert_eq!(template.fill(&Captures::default()).as_deref(), Some("push/-"));
    }
}
