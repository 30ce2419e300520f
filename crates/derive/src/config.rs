//! What a configuration can say about indices.

use std::fmt;

use serde::{Deserialize, Deserializer, de};

use crate::{STANDARDS, Standard, standard};

/// One standard and the devices that it is computed for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AqiConfig {
    /// The standard, by its id.
    #[serde(deserialize_with = "by_id")]
    pub standard: &'static Standard,
    /// The kinds of device whose readings are taken, such as `air_station`.
    pub kinds: Vec<String>,
}

fn by_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'static Standard, D::Error> {
    let id = String::deserialize(deserializer)?;
    standard(&id).ok_or_else(|| de::Error::custom(UnknownStandard(id)))
}

struct UnknownStandard(String);

impl fmt::Display for UnknownStandard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known: Vec<&str> = STANDARDS.iter().map(|standard| standard.id).collect();
        write!(f, "there is no standard `{}`; the standards are {}", self.0, known.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_standard_is_named_with_those_that_there_are() {
        let config: AqiConfig =
            serde_json::from_str(r#"{"standard": "us_epa_2024", "kinds": ["air"]}"#).expect("good");
        assert_eq!(config.standard.name, "US EPA AQI 2024");
        let error = serde_json::from_str::<AqiConfig>(r#"{"standard": "aqhi", "kinds": []}"#)
            .expect_err("unknown");
        assert!(error.to_string().contains("`aqhi`; the standards are hj633_2026,"), "{error}");
    }
}
