//! Text in the two languages of the interface.

use serde::{Deserialize, Serialize};

/// The same text in English and Chinese.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocalText {
    /// English.
    pub en: String,
    /// Simplified Chinese.
    pub zh: String,
}

impl LocalText {
    /// Both languages.
    pub fn new(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self { en: en.into(), zh: zh.into() }
    }
}

/// A name as a part of ids: lower-case letters and digits, everything else one `-`.
pub(crate) fn slug(name: &str) -> String {
    let mut slug = String::with_capacity(name.len());
    for c in name.chars().filter(|c| *c != '\'') {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn slugs_are_fit_for_topics_and_ids() {
        for (name, expected) in [
            ("Sheffield & DePaul", "sheffield-depaul"),
            ("O'Hare", "ohare"),
            ("Little Italy, UIC", "little-italy-uic"),
            ("Loop", "loop"),
        ] {
            assert_eq!(slug(name), expected);
        }
    }
}
