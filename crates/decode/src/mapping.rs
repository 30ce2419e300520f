//! The options that all formats share: what becomes of the names and values that a device sends.
//!
//! ```toml
//! max_payload = 65536                      # bytes; default 1 MiB
//! missing = [-999, "n/a"]                  # placeholders that mean "no value"
//! unmapped = "ignore"                      # names that `metrics` does not list; default "keep"
//!
//! [metrics]                                # sent name -> what it is here
//! temp = "temperature"
//! p = { metric = "pressure", unit = "Pa", scale = 10 }
//! linkquality = { ignore = true }
//!
//! [default_units]                          # metric -> the unit it comes in, if none is sent
//! temperature = "[degF]"
//! ```

use std::borrow::Cow;

use city_model::{Value, unit};
use rustc_hash::FxHashMap;

use crate::error::{OptionsError, quote};
use crate::limits::{DEFAULT_MAX_PAYLOAD, HIGHEST_MAX_PAYLOAD, MAX_NAME};
use crate::options::{Options, name_of};
use crate::wire::Raw;

/// The options read here.
pub(crate) const KEYS: [&str; 5] =
    ["metrics", "default_units", "missing", "unmapped", "max_payload"];

const RULE_KEYS: [&str; 5] = ["metric", "unit", "scale", "ignore", "missing"];

/// The shared options of one source.
#[derive(Debug)]
pub(crate) struct Mapping {
    rules: FxHashMap<Box<str>, Rule>,
    shared: Shared,
    ignore_unmapped: bool,
    pub(crate) max_payload: usize,
}

/// What all rules of a source share.
#[derive(Debug, Default)]
struct Shared {
    default_units: FxHashMap<Box<str>, Box<str>>,
    missing: Placeholders,
}

/// A value with its metric, before it is known whose and when it is; see [`crate::Decoded`].
#[derive(Debug)]
pub(crate) struct Mapped<'a> {
    pub(crate) metric: Cow<'a, str>,
    pub(crate) value: Value,
    pub(crate) missing: bool,
    pub(crate) unit: Option<Cow<'a, str>>,
}

/// What becomes of one sent name.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    metric: Box<str>,
    unit: Option<Box<str>>,
    default_unit: Option<Box<str>>,
    scale: Scale,
    missing: Placeholders,
    ignore: bool,
}

/// Values that stand for "no value".
#[derive(Clone, Debug, Default)]
struct Placeholders {
    numbers: Vec<f64>,
    texts: Vec<Box<str>>,
}

/// A factor; the reciprocal of a whole number divides, so that 273 tenths are 27.3.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Scale {
    None,
    Times(f64),
    Over(f64),
}

/// Why a value cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadValue(pub(crate) String);

/// A name that a format's devices use: as sent, the metric, and the unit that it comes in (empty:
/// none that is always the same).
pub(crate) type KnownName = (&'static str, &'static str, &'static str);

impl Mapping {
    /// With names that the format knows; the source's own rules for them come first.
    pub(crate) fn knowing(
        options: &Options<'_>,
        known: &[KnownName],
    ) -> Result<Self, OptionsError> {
        let mut mapping = Self::from_options(options)?;
        for (name, metric, unit) in known {
            let default = mapping.shared.default_units.get(*metric).cloned();
            let unit = Some(*unit).filter(|unit| !unit.is_empty()).map(Into::into);
            let rule = Rule { default_unit: default.or(unit), ..Rule::plain(metric) };
            mapping.rules.entry((*name).into()).or_insert(rule);
        }
        Ok(mapping)
    }

    pub(crate) fn from_options(options: &Options<'_>) -> Result<Self, OptionsError> {
        let shared = Shared {
            default_units: default_units(options)?,
            missing: Placeholders::from_options(options)?,
        };
        let mut rules = FxHashMap::default();
        for (name, spec) in options.table("metrics")?.into_iter().flatten() {
            let key = options.full(&format!("metrics.{name}"));
            rules.insert(name.as_str().into(), Rule::compile(&key, name, spec, &shared)?);
        }
        let unmapped = options.choice("unmapped", &[("keep", false), ("ignore", true)])?;
        let ignore_unmapped = unmapped.unwrap_or(false);
        Ok(Self { rules, shared, ignore_unmapped, max_payload: max_payload(options)? })
    }

    /// The rule that a format's own option gives for one value, with this source's defaults.
    pub(crate) fn rule(
        &self,
        key: &str,
        name: &str,
        spec: &serde_json::Value,
    ) -> Result<Rule, OptionsError> {
        Rule::compile(key, name, spec, &self.shared)
    }

    /// The rule for a sent name.
    pub(crate) fn find(&self, name: &str) -> Option<&Rule> {
        self.rules.get(name)
    }

    /// The names with a rule, for error messages.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.rules.keys().map(AsRef::as_ref)
    }

    /// Whether values without a rule are to be left out.
    pub(crate) fn ignores_unmapped(&self) -> bool {
        self.ignore_unmapped
    }

    /// A value of a sent name that has no rule.
    pub(crate) fn unmapped<'a>(
        &'a self,
        name: Cow<'a, str>,
        unit: Option<Cow<'a, str>>,
        raw: Raw<'a>,
    ) -> Result<Mapped<'a>, BadValue> {
        let missing = self.shared.missing.contain(&raw);
        let value = match raw {
            Raw::Number(number) => Value::Number(finite(number)?),
            Raw::Integer(number) => Value::Number(number as f64),
            Raw::Bool(flag) => Value::Bool(flag),
            Raw::Text(text) | Raw::Absent(text) => text_value(&text)?,
        };
        let default = || self.shared.default_units.get(name.as_ref()).map(|u| Cow::Borrowed(&**u));
        let unit = unit.or_else(default);
        Ok(Mapped { metric: name, value, missing, unit })
    }

    /// A value that a rule is for; `None` if the rule ignores it.
    pub(crate) fn ruled<'a>(
        &'a self,
        rule: &'a Rule,
        unit: Option<Cow<'a, str>>,
        raw: Raw<'a>,
    ) -> Result<Option<Mapped<'a>>, BadValue> {
        if rule.ignore {
            return Ok(None);
        }
        let missing = rule.missing.contain(&raw) || self.shared.missing.contain(&raw);
        let value = match raw {
            Raw::Bool(flag) => Value::Bool(flag),
            // A placeholder is kept as it was sent: scaling or checking it would say nothing.
            Raw::Absent(text) => text_value(&text)?,
            Raw::Text(text) if missing => text_value(&text)?,
            Raw::Text(ref text) => match raw.as_number() {
                Some(number) => Value::Number(finite(rule.scale.apply(finite(number)?))?),
                None => text_value(text)?,
            },
            Raw::Number(number) => Value::Number(self.number(rule, number)?.0),
            Raw::Integer(number) => Value::Number(self.number(rule, number as f64)?.0),
        };
        let unit = rule.unit(unit);
        let metric = Cow::Borrowed(rule.metric.as_ref());
        Ok(Some(Mapped { metric, value, missing, unit }))
    }

    /// A number that a rule is for, and whether it stands for "no value".
    #[inline]
    pub(crate) fn number(&self, rule: &Rule, number: f64) -> Result<(f64, bool), BadValue> {
        let missing =
            rule.missing.numbers.contains(&number) || self.shared.missing.numbers.contains(&number);
        let scaled = if missing { number } else { rule.scale.apply(finite(number)?) };
        Ok((finite(scaled)?, missing))
    }
}

impl Rule {
    /// The metric's name.
    pub(crate) fn metric(&self) -> &str {
        &self.metric
    }

    /// The unit of a value that came with this one.
    #[inline]
    pub(crate) fn unit<'a>(&'a self, sent: Option<Cow<'a, str>>) -> Option<Cow<'a, str>> {
        let fixed = self.unit.as_deref().map(Cow::Borrowed);
        fixed.or(sent).or(self.default_unit.as_deref().map(Cow::Borrowed))
    }

    /// Whether what has this name is left out on purpose.
    pub(crate) fn ignores(&self) -> bool {
        self.ignore
    }

    /// From `"metric"` or `{metric, unit, scale, ignore, missing}`; the metric is called as the
    /// sent name unless said otherwise.
    fn compile(
        key: &str,
        name: &str,
        spec: &serde_json::Value,
        shared: &Shared,
    ) -> Result<Self, OptionsError> {
        let rule = match spec {
            serde_json::Value::String(metric) => Self::plain(metric),
            serde_json::Value::Object(_) => {
                let options = Options::nested(spec, key, &RULE_KEYS)?;
                Self {
                    unit: options.text("unit")?.map(Into::into),
                    scale: Scale::from_options(&options)?,
                    ignore: options.flag("ignore")?.unwrap_or(false),
                    missing: Placeholders::from_options(&options)?,
                    ..Self::plain(options.text("metric")?.unwrap_or(name))
                }
            }
            other => {
                let problem = format!(
                    "must be a metric's name or a table of {}, not {}",
                    RULE_KEYS.join(", "),
                    name_of(other)
                );
                return Err(OptionsError::bad(key, problem));
            }
        };
        if let Some(unit) = &rule.unit {
            known_unit(&format!("{key}.unit"), unit)?;
        }
        if !rule.ignore && !is_name(&rule.metric) {
            let problem = format!("`{}` cannot be a metric's name", quote(&rule.metric));
            return Err(OptionsError::bad(key, problem));
        }
        let default_unit = shared.default_units.get(&rule.metric).cloned();
        Ok(Self { default_unit, ..rule })
    }

    fn plain(metric: &str) -> Self {
        Self {
            metric: metric.into(),
            unit: None,
            default_unit: None,
            scale: Scale::None,
            missing: Placeholders::default(),
            ignore: false,
        }
    }
}

impl Placeholders {
    fn from_options(options: &Options<'_>) -> Result<Self, OptionsError> {
        let mut placeholders = Self::default();
        for value in options.list("missing")? {
            match value {
                serde_json::Value::Number(number) => {
                    placeholders.numbers.extend(number.as_f64());
                }
                serde_json::Value::String(text) => placeholders.texts.push(text.as_str().into()),
                other => {
                    let problem =
                        format!("a placeholder is a number or a text, not {}", name_of(other));
                    return Err(OptionsError::bad(options.full("missing"), problem));
                }
            }
        }
        Ok(placeholders)
    }

    /// A placeholder number also counts when it is sent as a text.
    fn contain(&self, raw: &Raw<'_>) -> bool {
        let texts = match raw {
            Raw::Text(text) => self.texts.iter().any(|placeholder| **placeholder == **text),
            Raw::Absent(_) => true,
            _ => false,
        };
        texts
            || !self.numbers.is_empty()
                && raw.as_number().is_some_and(|number| self.numbers.contains(&number))
    }
}

impl Scale {
    fn from_options(options: &Options<'_>) -> Result<Self, OptionsError> {
        let Some(factor) = options.number("scale")? else { return Ok(Self::None) };
        if factor == 0.0 || !factor.is_finite() {
            return Err(OptionsError::bad(options.full("scale"), "must not be 0"));
        }
        let inverse = (1.0 / factor).round();
        Ok(if factor.abs() < 1.0 && 1.0 / inverse == factor {
            Self::Over(inverse)
        } else {
            Self::Times(factor)
        })
    }

    fn apply(self, number: f64) -> f64 {
        match self {
            Self::None => number,
            Self::Times(factor) => number * factor,
            Self::Over(divisor) => number / divisor,
        }
    }
}

/// Whether a text can be the name of a metric: 1 to 128 bytes without control characters.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_NAME && !text.chars().any(char::is_control)
}

fn finite(number: f64) -> Result<f64, BadValue> {
    if number.is_finite() {
        return Ok(number);
    }
    Err(BadValue(format!("{number} is not a finite number")))
}

fn text_value(text: &str) -> Result<Value, BadValue> {
    if text.len() > Value::MAX_TEXT {
        let (found, allowed) = (text.len(), Value::MAX_TEXT);
        return Err(BadValue(format!("a text of {found} bytes; at most {allowed} are kept")));
    }
    Ok(Value::from(text))
}

fn default_units(options: &Options<'_>) -> Result<FxHashMap<Box<str>, Box<str>>, OptionsError> {
    let mut units = FxHashMap::default();
    for (metric, unit) in options.table("default_units")?.into_iter().flatten() {
        let key = options.full(&format!("default_units.{metric}"));
        let Some(unit) = unit.as_str() else {
            let problem = format!("must be a unit such as Cel, not {}", name_of(unit));
            return Err(OptionsError::bad(key, problem));
        };
        known_unit(&key, unit)?;
        units.insert(metric.as_str().into(), unit.into());
    }
    Ok(units)
}

fn known_unit(key: &str, code: &str) -> Result<(), OptionsError> {
    if unit::is_known(code) {
        return Ok(());
    }
    let known: Vec<_> = unit::known().collect();
    let problem = format!("unit `{code}` is not known; known are {}", known.join(", "));
    Err(OptionsError::bad(key, problem))
}

fn max_payload(options: &Options<'_>) -> Result<usize, OptionsError> {
    match options.number("max_payload")? {
        None => Ok(DEFAULT_MAX_PAYLOAD),
        Some(bytes) if bytes >= 1.0 && bytes <= HIGHEST_MAX_PAYLOAD as f64 => Ok(bytes as usize),
        Some(_) => {
            let problem = format!("must be a number of bytes from 1 to {HIGHEST_MAX_PAYLOAD}");
            Err(OptionsError::bad(options.full("max_payload"), problem))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mapping(options: &serde_json::Value) -> Result<Mapping, OptionsError> {
        Mapping::from_options(&Options::new(options, &[])?)
    }

    fn ruled(options: &serde_json::Value, raw: Raw<'static>) -> Mapped<'static> {
        let mapping = Box::leak(Box::new(mapping(options).expect("valid")));
        let rule = mapping.find("x").expect("a rule for x");
        mapping.ruled(rule, None, raw).expect("a value").expect("not ignored")
    }

    #[test]
    fn scaling_tenths_leaves_no_noise() {
        let tenths = json!({"metrics": {"x": {"metric": "temperature", "scale": 0.1}}});
        for (sent, expected) in [(273, 27.3), (3, 0.3), (-41, -4.1)] {
            let got = ruled(&tenths, Raw::Integer(sent));
            assert_eq!(got.value, Value::Number(expected));
        }
        let times = json!({"metrics": {"x": {"scale": 2.5}}});
        let got = ruled(&times, Raw::Integer(4));
        assert_eq!((got.metric.as_ref(), got.value), ("x", Value::Number(10.0)));
    }

    #[test]
    fn placeholders_are_kept_and_marked() {
        let options = json!({
            "missing": [-999],
            "metrics": {"x": {"scale": 0.1, "missing": ["--", "NaN"]}},
        });
        for raw in [Raw::Integer(-999), Raw::Number(-999.0), Raw::Text("-999".into())] {
            assert!(ruled(&options, raw).missing);
        }
        assert_eq!(ruled(&options, Raw::Integer(-999)).value, Value::Number(-999.0));
        assert_eq!(ruled(&options, Raw::Text("NaN".into())).value, Value::from("NaN"));
        assert!(!ruled(&options, Raw::Integer(-998)).missing);
    }

    #[test]
    fn texts_that_spell_numbers_count_when_a_rule_names_them() {
        let options = json!({"metrics": {"x": "temperature"}});
        assert_eq!(ruled(&options, Raw::Text(" 23.4 ".into())).value, Value::Number(23.4));
        assert_eq!(ruled(&options, Raw::Text("open".into())).value, Value::from("open"));
        let mapping = mapping(&options).expect("valid");
        let kept = mapping.unmapped("y".into(), None, Raw::Text("23.4".into())).expect("a value");
        assert_eq!(kept.value, Value::from("23.4"));
        let rule = mapping.find("x").expect("a rule");
        for bad in ["NaN", "inf", "-Infinity"] {
            assert!(mapping.ruled(rule, None, Raw::Text(bad.into())).is_err(), "{bad}");
        }
        let long = Raw::Text("x".repeat(Value::MAX_TEXT + 1).into());
        assert!(mapping.ruled(rule, None, long.clone()).is_err());
        assert!(mapping.unmapped("y".into(), None, long).is_err());
    }

    #[test]
    fn the_mapped_unit_beats_the_sent_one_which_beats_the_default() {
        let options = json!({
            "default_units": {"temperature": "[degF]", "y": "mm"},
            "metrics": {"x": "temperature", "z": {"metric": "temperature", "unit": "K"}},
        });
        let mapping = mapping(&options).expect("valid");
        let unit = |name: &str, sent: Option<&'static str>| {
            let rule = mapping.find(name).expect("a rule");
            let value = mapping.ruled(rule, sent.map(Cow::Borrowed), Raw::Integer(1));
            value.expect("a value").expect("kept").unit.map(Cow::into_owned)
        };
        assert_eq!(unit("x", None).as_deref(), Some("[degF]"));
        assert_eq!(unit("x", Some("Cel")).as_deref(), Some("Cel"));
        assert_eq!(unit("z", Some("Cel")).as_deref(), Some("K"));
        let kept = mapping.unmapped("y".into(), None, Raw::Integer(1)).expect("a value");
        assert_eq!(kept.unit.as_deref(), Some("mm"));
    }

    #[test]
    fn bad_options_name_the_key() {
        for (options, key) in [
            (json!({"metric": {}}), "metric"),
            (json!({"metrics": {"x": {"scael": 1}}}), "metrics.x.scael"),
            (json!({"metrics": {"x": {"unit": "furlong"}}}), "metrics.x.unit"),
            (json!({"metrics": {"x": {"scale": 0}}}), "metrics.x.scale"),
            (json!({"metrics": {"x": 5}}), "metrics.x"),
            (json!({"metrics": {"x": ""}}), "metrics.x"),
            (json!({"metrics": []}), "metrics"),
            (json!({"default_units": {"x": "wag"}}), "default_units.x"),
            (json!({"missing": -999}), "missing"),
            (json!({"missing": [[]]}), "missing"),
            (json!({"unmapped": "drop"}), "unmapped"),
            (json!({"max_payload": 0}), "max_payload"),
        ] {
            let error = mapping(&options).expect_err(&options.to_string());
            assert_eq!(error.key(), Some(key), "{error}");
        }
        let error = mapping(&json!({"metric": {}})).expect_err("a typo").to_string();
        assert!(error.contains("known are") && error.contains("metrics"), "{error}");
        assert_eq!(mapping(&json!([])).expect_err("a list").key(), None);
    }
}
