//! Topic filters as rights: what a client may publish to, and what it may subscribe to.

use std::sync::Arc;

/// What a device may subscribe to unless a city says otherwise; `{device}` is its id.
pub const COMMAND_TOPICS: &[&str] = &[
    "cmd/{device}/#",
    "city/{device}/cmd/#",
    "cmnd/{device}/#",
    "spBv1.0/STATE/+",
    "spBv1.0/+/NCMD/{device}/#",
    "spBv1.0/+/DCMD/{device}/#",
];

/// A set of topic filters. Clones share it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filters {
    every: bool,
    list: Arc<[Box<str>]>,
}

impl Filters {
    /// Every topic.
    pub fn every() -> Self {
        Self { every: true, list: Arc::default() }
    }

    /// No topic.
    pub fn none() -> Self {
        Self { every: false, list: Arc::default() }
    }

    /// The filters that templates stand for when `{device}` is each of these ids. A template
    /// without the placeholder stands for itself; one that is no valid filter stands for nothing,
    /// and neither does one whose id holds `/`, `+` or `#`, because it would be somebody else's
    /// too.
    pub fn from_templates<T: AsRef<str>>(
        templates: impl IntoIterator<Item = T>,
        devices: &[&str],
    ) -> Self {
        const PLACEHOLDER: &str = "{device}";
        let mut list: Vec<Box<str>> = Vec::new();
        for template in templates {
            let template = template.as_ref();
            if template.contains(PLACEHOLDER) {
                let plain = devices.iter().filter(|id| !id.is_empty() && !id.contains(SPECIAL));
                list.extend(plain.map(|id| template.replace(PLACEHOLDER, id).into_boxed_str()));
            } else {
                list.push(template.into());
            }
        }
        list.retain(|filter| is_valid(filter));
        list.sort_unstable();
        list.dedup();
        Self { every: false, list: list.into() }
    }

    /// Whether a topic is among them.
    pub fn matches(&self, topic: &str) -> bool {
        self.every || self.list.iter().any(|filter| matches(filter, topic))
    }

    /// Whether every topic that `asked` matches is among them.
    pub fn covers(&self, asked: &str) -> bool {
        self.every || self.list.iter().any(|filter| covers(filter, asked))
    }

    /// The filters, for people; empty if it is every topic or none.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|filter| &**filter)
    }
}

/// What an id may not hold to be part of a filter.
const SPECIAL: [char; 4] = ['/', '+', '#', '\0'];

/// Whether wildcards stand where they may (MQTT 5, 4.7.1).
pub(crate) fn is_valid(filter: &str) -> bool {
    let mut levels = filter.split('/').peekable();
    let mut good = !filter.is_empty() && !filter.contains('\0');
    while let Some(level) = levels.next() {
        good &= match level {
            "#" => levels.peek().is_none(),
            "+" => true,
            _ => !level.contains(['+', '#']),
        };
    }
    good
}

/// Whether a filter matches a topic (MQTT 5, 4.7).
pub(crate) fn matches(filter: &str, topic: &str) -> bool {
    if hides(filter, topic) {
        return false;
    }
    let (mut filter, mut topic) = (filter.split('/'), topic.split('/'));
    loop {
        match (filter.next(), topic.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(_)) => {}
            (Some(wanted), Some(level)) if wanted == level => {}
            _ => return false,
        }
    }
}

/// Whether a right matches everything that a filter does.
fn covers(right: &str, asked: &str) -> bool {
    if hides(right, asked) {
        return false;
    }
    let (mut right, mut asked) = (right.split('/'), asked.split('/'));
    loop {
        match (right.next(), asked.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(level)) if level != "#" => {}
            (Some(wanted), Some(level)) if wanted == level => {}
            _ => return false,
        }
    }
}

/// A wildcard at the front does not match topics with a dollar sign there (MQTT 5, 4.7.2).
fn hides(filter: &str, topic: &str) -> bool {
    topic.starts_with('$') && filter.starts_with(['+', '#'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn filters_match_as_the_standard_says() {
        for (filter, topic, expected) in [
            ("a/b", "a/b", true),
            ("a/+", "a/b", true),
            ("a/+", "a/", true),
            ("a/+", "a", false),
            ("a/+", "a/b/c", false),
            ("a/#", "a", true),
            ("a/#", "a/b/c", true),
            ("#", "a/b", true),
            ("#", "$SYS/a", false),
            ("+/a", "$SYS/a", false),
            ("$SYS/#", "$SYS/a", true),
            ("+", "/a", false),
            ("/+", "/a", true),
            ("a", "b", false),
        ] {
            assert_eq!(matches(filter, topic), expected, "{filter} on {topic}");
        }
    }

    #[test]
    fn a_right_covers_what_is_narrower_only() {
        for (right, asked, expected) in [
            ("cmd/d1/#", "cmd/d1/#", true),
            ("cmd/d1/#", "cmd/d1", true),
            ("cmd/d1/#", "cmd/d1/+/set", true),
            ("cmd/d1/#", "cmd/d10/#", false),
            ("cmd/d1/#", "cmd/+/#", false),
            ("cmd/d1/#", "#", false),
            ("cmd/+", "cmd/#", false),
            ("cmd/+", "cmd/+", true),
            ("cmd/+", "cmd/a", true),
            ("cmd/+/x", "cmd/+/#", false),
            ("#", "$SYS/#", false),
            ("a", "a/#", false),
        ] {
            assert_eq!(covers(right, asked), expected, "{right} for {asked}");
        }
    }

    #[test]
    fn templates_become_the_devices_own_topics_and_no_wider() {
        let filters = Filters::from_templates(["city/{device}/#", "a/b#"], &["d1", "+", "x/y", ""]);
        assert_eq!(filters.iter().collect::<Vec<_>>(), ["city/d1/#"]);
        assert!(filters.matches("city/d1/up") && !filters.matches("city/d2/up"));
        assert!(!Filters::none().matches("a") && Filters::every().matches("$SYS/a"));
        let gateway = Filters::from_templates(["city/{device}/up", "gw/up"], &["d1", "d2"]);
        assert!(gateway.matches("city/d2/up") && gateway.matches("gw/up"));
    }

    proptest! {
        #[test]
        fn what_covers_a_filter_matches_all_that_it_matches(
            right in "([ab+]/){0,2}[ab+#]",
            asked in "([ab+]/){0,2}[ab+#]",
            topic in "([ab]/){0,3}[ab]",
        ) {
            if covers(&right, &asked) && matches(&asked, &topic) {
                prop_assert!(matches(&right, &topic));
            }
        }
    }
}
