//! Who speaks, and to whom.

use std::fmt::Write as _;

use city_model::{LocalText, Span, Timestamp};
use jiff::tz::{Offset, TimeZone};
use serde::Deserialize;

/// What a configuration says of it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerConfig {
    /// Who speaks: an address, or a name in a domain of one's own, so that nobody else has it.
    pub sender: String,
    /// For whom messages are.
    #[serde(default)]
    pub scope: ScopeName,
    /// Who may read them, for the scope `restricted`.
    #[serde(default)]
    pub restriction: Option<String>,
    /// To whom they go, for the scope `private`.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// How long what a message says is to be believed; not said if missing.
    #[serde(default)]
    pub expires: Option<Span>,
    /// How far around a device an alert about it holds, in km: 0 to 1,000.
    #[serde(default = "half_a_kilometre")]
    pub radius_km: f64,
    /// Where the dashboard is for those who read, for links to alerts.
    #[serde(default)]
    pub dashboard: Option<String>,
}

fn half_a_kilometre() -> f64 {
    0.5
}

/// A scope by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScopeName {
    /// For everybody.
    Public,
    /// For those that `restriction` names.
    #[default]
    Restricted,
    /// For those in `addresses`.
    Private,
}

/// For whom messages are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everybody.
    Public,
    /// Those that this rule names.
    Restricted(String),
    /// These addresses.
    Private(Vec<String>),
}

/// Who speaks, and to whom.
#[derive(Clone, Debug, PartialEq)]
pub struct Issuer {
    pub(crate) sender: String,
    pub(crate) scope: Scope,
    pub(crate) expires: Option<Span>,
    pub(crate) radius_km: f64,
    pub(crate) dashboard: Option<String>,
    pub(crate) city: LocalText,
    pub(crate) time_zone: TimeZone,
    pub(crate) audience: Option<String>,
}

impl Issuer {
    /// Who speaks for a city; otherwise what is wrong with the configuration, key by key.
    pub fn new(
        config: &IssuerConfig,
        city: LocalText,
        time_zone: TimeZone,
    ) -> Result<Self, Vec<(&'static str, String)>> {
        let mut problems = Vec::new();
        if config.sender.is_empty() || config.sender.chars().any(is_forbidden) {
            problems.push((
                "sender",
                format!(
                    "`{}` cannot be one: it must have no spaces, commas, `<` and `&`; write an \
                     address such as alerts@city.example",
                    config.sender
                ),
            ));
        }
        if config.expires.is_some_and(|span| span < Span::from_mins(1)) {
            problems.push(("expires", "it must be a minute or longer".to_owned()));
        }
        if !(0.0..=1_000.0).contains(&config.radius_km) {
            problems.push(("radius_km", "it must be from 0 to 1000".to_owned()));
        }
        let is_address =
            |text: &&String| text.starts_with("http://") || text.starts_with("https://");
        if let Some(dashboard) = config.dashboard.as_ref().filter(|text| !is_address(text)) {
            let hint = "write it like https://city.example";
            problems.push(("dashboard", format!("`{dashboard}` is no address; {hint}")));
        }
        let (restriction, addresses) = (&config.restriction, &config.addresses);
        let scope = match config.scope {
            ScopeName::Public => Scope::Public,
            ScopeName::Restricted => Scope::Restricted(
                restriction.clone().unwrap_or_else(|| "City operations 城市运行部门".to_owned()),
            ),
            ScopeName::Private => Scope::Private(addresses.clone()),
        };
        if config.scope != ScopeName::Restricted && restriction.is_some() {
            problems.push(("restriction", "it goes with scope = \"restricted\" only".to_owned()));
        }
        if (config.scope == ScopeName::Private) == addresses.is_empty() {
            problems.push((
                "addresses",
                "they go with scope = \"private\", which needs one or more".to_owned(),
            ));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            sender: config.sender.clone(),
            scope,
            expires: config.expires,
            radius_km: config.radius_km,
            dashboard: config.dashboard.as_ref().map(|url| url.trim_end_matches('/').to_owned()),
            city,
            time_zone,
            audience: None,
        })
    }

    /// The same for what one receiver is told, whose messages refer to each other only.
    #[must_use]
    pub fn to(&self, receiver: &str) -> Self {
        Self { audience: Some(receiver.to_owned()), ..self.clone() }
    }

    /// The identifier of the message about an event.
    pub(crate) fn identifier(&self, alert: &str, step: &str) -> String {
        let audience = self.audience.as_ref().map(|name| format!(".{}", encoded(name)));
        format!("{}.{}{}", encoded(alert), encoded(step), audience.unwrap_or_default())
    }

    /// A time as CAP wants it: the city's, to the second, and `-00:00` for UTC.
    pub(crate) fn time(&self, time: Timestamp) -> String {
        let Ok(instant) = jiff::Timestamp::from_microsecond(time.micros()) else {
            return self.time(Timestamp::from_micros(0));
        };
        let zoned = instant.to_zoned_datetime(self.time_zone.clone());
        let offset = if zoned.offset() == Offset::UTC { "-00:00" } else { "%:z" };
        zoned.strftime(&format!("%Y-%m-%dT%H:%M:%S{offset}")).to_string()
    }

    /// Where an alert is on the dashboard.
    pub(crate) fn link(&self, alert: &str) -> Option<String> {
        self.dashboard.as_ref().map(|base| format!("{base}/alerts/{}", encoded(alert)))
    }
}

/// What CAP forbids in identifiers and senders.
fn is_forbidden(char: char) -> bool {
    char.is_whitespace() || char.is_control() || matches!(char, ',' | '<' | '&')
}

/// A text for an identifier or an address: what is forbidden there is percent-encoded.
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        if is_forbidden(char) || matches!(char, '%' | '/' | '?' | '#') {
            let mut bytes = [0; 4];
            for byte in char.encode_utf8(&mut bytes).bytes() {
                // Writing to a text cannot fail.
                let _ = write!(out, "%{byte:02X}");
            }
        } else {
            out.push(char);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer(text: &str) -> Result<Issuer, Vec<&'static str>> {
        let config: IssuerConfig = toml::from_str(text).expect("the right shape");
        let zone = TimeZone::get("Asia/Shanghai").expect("known");
        let problems =
            |found: Vec<(&'static str, String)>| found.into_iter().map(|p| p.0).collect();
        Issuer::new(&config, LocalText::new("Beijing", "北京"), zone).map_err(problems)
    }

    #[test]
    fn everything_that_is_wrong_is_named() {
        let good = "sender = \"alerts@city.example\"";
        assert!(issuer(good).is_ok());
        for (text, keys) in [
            ("sender = \"\"", vec!["sender"]),
            ("sender = \"a b\"", vec!["sender"]),
            (
                "sender = \"a,b\"\nexpires = \"1s\"\nradius_km = -1",
                vec!["sender", "expires", "radius_km"],
            ),
            (&format!("{good}\ndashboard = \"city\""), vec!["dashboard"]),
            (&format!("{good}\nscope = \"private\""), vec!["addresses"]),
            (&format!("{good}\naddresses = [\"x\"]"), vec!["addresses"]),
            (&format!("{good}\nscope = \"public\"\nrestriction = \"x\""), vec!["restriction"]),
        ] {
            assert_eq!(issuer(text).expect_err(text), keys, "{text}");
        }
    }

    #[test]
    fn times_have_the_citys_offset_and_utc_is_minus_zero() {
        let at = Timestamp::from_micros(1_790_000_000_700_000);
        let city = issuer("sender = \"a\"").expect("good");
        assert_eq!(city.time(at), "2026-09-21T22:13:20+08:00");
        let utc = Issuer { time_zone: TimeZone::UTC, ..city.clone() };
        assert_eq!(utc.time(at), "2026-09-21T14:13:20-00:00");
        let london = TimeZone::get("Europe/London").expect("known");
        let london = Issuer { time_zone: london, ..city };
        assert_eq!(london.time(at), "2026-09-21T15:13:20+01:00", "summer");
        let winter = at + Span::from_hours(24 * 90);
        assert_eq!(london.time(winter), "2026-12-20T14:13:20-00:00");
    }

    #[test]
    fn identifiers_hold_nothing_that_cap_forbids() {
        let city = issuer("sender = \"a\"").expect("good");
        assert_eq!(city.identifier("0123abcd", "2"), "0123abcd.2");
        assert_eq!(city.to("duty desk").identifier("a,b", "1"), "a%2Cb.1.duty%20desk");
    }
}
