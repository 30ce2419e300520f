//! Text in the two languages of the interface.

use serde::{Deserialize, Serialize};

/// The same text in English and Chinese.
///
/// In files either a mapping (`{en: …, zh: …}`) or one string for both. A language that is
/// missing falls back to the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct LocalText {
    /// English.
    pub en: String,
    /// Simplified Chinese.
    pub zh: String,
}

impl LocalText {
    /// Both languages given.
    pub fn new(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self { en: en.into(), zh: zh.into() }
    }

    /// One text for both languages.
    pub fn same(text: impl Into<String>) -> Self {
        let en = text.into();
        Self { zh: en.clone(), en }
    }

    /// Whether neither language says anything.
    pub fn is_empty(&self) -> bool {
        self.en.is_empty() && self.zh.is_empty()
    }
}

impl<'de> Deserialize<'de> for LocalText {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Both {
            #[serde(default, deserialize_with = "there")]
            en: Option<String>,
            #[serde(default, deserialize_with = "there")]
            zh: Option<String>,
        }
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "expected a text, or texts in `en` and `zh`")]
        enum Either {
            Same(String),
            Both(Both),
        }
        // Binary formats cannot tell the two spellings apart; they hold both texts in order.
        if !deserializer.is_human_readable() {
            let (en, zh) = Deserialize::deserialize(deserializer)?;
            return Ok(Self { en, zh });
        }
        Ok(match Either::deserialize(deserializer)? {
            Either::Same(text) => Self::same(text),
            Either::Both(Both { en: None, zh: None }) => {
                return Err(serde::de::Error::custom("a text in `en` or `zh` is missing"));
            }
            Either::Both(Both { en, zh }) => {
                let en = en.or_else(|| zh.clone()).unwrap_or_default();
                let zh = zh.unwrap_or_else(|| en.clone());
                Self { en, zh }
            }
        })
    }
}

/// What is there is a text: a language that has none is left out, not `null`.
fn there<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    String::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::LocalText;

    #[test]
    fn a_missing_language_falls_back_to_the_other() {
        let read = |text| serde_json::from_str::<LocalText>(text).expect("valid");
        assert_eq!(read(r#""Oslo""#), LocalText::new("Oslo", "Oslo"));
        assert_eq!(read(r#"{"zh":"北京"}"#), LocalText::new("北京", "北京"));
        for bad in ["{}", r#"{"en":"Beijing","zh":null}"#, "null", "1"] {
            let error = serde_json::from_str::<LocalText>(bad).expect_err(bad).to_string();
            assert!(error.contains("`en`") && error.contains("`zh`"), "{error}");
        }
        assert_eq!(read(r#"{"en":"Beijing","zh":"北京"}"#), LocalText::new("Beijing", "北京"));
    }
}
