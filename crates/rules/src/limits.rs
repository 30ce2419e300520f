//! Limits of single devices: numbers that come from the registry.
//!
//! Wherever a ladder or `raise` and `clear` take a number, they also take an attribute of the
//! device:
//!
//! ```yaml
//! severity:
//!   medium: {above: {attribute: pm25_limit, default: 115}}
//!   high: {above: {attribute: pm25_limit, default: 115, factor: 1.2, plus: 5}}
//! ```
//!
//! The limit is the attribute (or, for devices without it, `default`) times `factor` (1 unless
//! given) plus `plus` (0 unless given). A device with neither is not judged; nor is one whose
//! limits are in a bad order, such as a clear limit beyond the limit that raises.

use std::sync::Arc;

use city_model::{Attribute, Device, LocalText, Severity};

use crate::fields::{self, Fields};
use crate::ladder::{Ladder, is_ordered};
use crate::problem::Sink;
use crate::yaml::{Content, Node};

/// A limit as it stands in a rule.
#[derive(Clone, Debug, PartialEq)]
enum Limit {
    Fixed(f64),
    /// An attribute of the device, or a default for it, times a factor, plus an offset.
    Attribute {
        name: Arc<str>,
        default: Option<f64>,
        factor: f64,
        plus: f64,
    },
}

/// The limits of a rule that differ from device to device, mildest first.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceLimits {
    steps: Vec<(Severity, Limit, Option<Limit>)>,
}

/// Why a device cannot be judged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LimitFault {
    /// The device has not this attribute, and the rule no default for it.
    Missing(Arc<str>),
    /// The device's attribute is no finite number.
    NotANumber(Arc<str>),
    /// The device's limits are in a bad order: a milder one is worse than a severer one, or a clear
    /// limit lies beyond the limit that raises.
    Order,
}

impl LimitFault {
    /// For people.
    pub fn text(&self) -> LocalText {
        match self {
            Self::Missing(name) => LocalText::new(
                format!("without the attribute `{name}`, for which the rule has no default"),
                format!("缺少属性 `{name}`，规则也没有默认值"),
            ),
            Self::NotANumber(name) => LocalText::new(
                format!("with an attribute `{name}` that is no number"),
                format!("属性 `{name}` 不是数字"),
            ),
            Self::Order => LocalText::new(
                "with limits in a bad order: they must get worse with the severity, and clear \
                 limits must lie on the good side",
                "限值顺序错误：严重程度越高限值应越严重，且恢复限值应在正常一侧",
            ),
        }
    }
}

impl Limit {
    fn read(node: &Node, key: &str, sink: &mut Sink) -> Option<Self> {
        let Content::Map(_) = node.content else {
            return fields::number(node, key, sink).map(Self::Fixed);
        };
        let mut fields = Fields::of(node, key, sink)?;
        let hint = "write `{attribute: pm25_limit, default: 115}`";
        let name = fields.need("attribute", hint, sink);
        let name = name.and_then(|node| fields::text(node, "attribute", sink)).map(Arc::from);
        let default = fields.number("default", sink);
        let factor = fields.number("factor", sink).unwrap_or(1.0);
        let plus = fields.number("plus", sink).unwrap_or(0.0);
        fields.finish(|_| None, sink);
        Some(Self::Attribute { name: name?, default, factor, plus })
    }

    /// The limit of a device; without one, that of devices which lack the attribute.
    fn of(&self, device: Option<&Device>) -> Result<f64, LimitFault> {
        let (name, default, factor, plus) = match self {
            Self::Fixed(limit) => return Ok(*limit),
            Self::Attribute { name, default, factor, plus } => (name, default, factor, plus),
        };
        let base = match device.and_then(|device| device.attributes.get(&**name)) {
            Some(Attribute::Number(number)) => *number,
            Some(_) => return Err(LimitFault::NotANumber(name.clone())),
            None => default.ok_or_else(|| LimitFault::Missing(name.clone()))?,
        };
        let limit = base * factor + plus;
        if limit.is_finite() { Ok(limit) } else { Err(LimitFault::NotANumber(name.clone())) }
    }
}

/// Reads a limit for a [`Ladder`]: for limits of single devices that of devices without the
/// attribute, not a number if they have none.
pub(crate) fn stand_in(fields: &mut Fields<'_>, key: &'static str, sink: &mut Sink) -> Option<f64> {
    let limit = Limit::read(fields.get(key)?, key, sink)?;
    Some(limit.of(None).unwrap_or(f64::NAN))
}

impl DeviceLimits {
    /// Reads the limits of a rule, if any comes from an attribute. Problems were reported when its
    /// ladder was read.
    pub(crate) fn read(rule: &Fields<'_>) -> Option<Self> {
        let mut quiet = Sink::new("");
        let entry = |node: &'_ Node, key: &str| match &node.content {
            Content::Map(entries) => {
                entries.iter().find(|(other, _)| other.name == key).map(|(_, node)| node.clone())
            }
            _ => None,
        };
        let mut limit = |node: &Node, keys: [&str; 2]| {
            let found = keys.into_iter().find_map(|key| entry(node, key))?;
            Limit::read(&found, "", &mut quiet)
        };
        let severity = entry(rule.node, "severity")?;
        let mut steps = Vec::new();
        if let Content::Map(entries) = &severity.content {
            for (key, node) in entries {
                let raise = limit(node, ["above", "below"]);
                if let (Some(severity), Some(raise)) = (fields::severity(&key.name), raise) {
                    steps.push((severity, raise, limit(node, ["clear_below", "clear_above"])));
                }
            }
        } else {
            let raise = limit(&entry(rule.node, "raise")?, ["above", "below"])?;
            let clear = entry(rule.node, "clear");
            let clear = clear.and_then(|node| limit(&node, ["above", "below"]));
            steps.push((fields::severity(severity.text_value()?)?, raise, clear));
        }
        steps.sort_by_key(|(severity, ..)| *severity);
        let is_own = |limit: &Limit| matches!(limit, Limit::Attribute { .. });
        let any = steps
            .iter()
            .any(|(_, raise, clear)| is_own(raise) || clear.as_ref().is_some_and(is_own));
        any.then_some(Self { steps })
    }

    /// The ladder of a device, of which `ladder` is the rule's.
    pub fn resolve(&self, ladder: &Ladder, device: &Device) -> Result<Ladder, LimitFault> {
        let mut own = ladder.clone();
        for step in &mut own.steps {
            let found = self.steps.iter().find(|(severity, ..)| *severity == step.severity);
            let Some((_, raise, clear)) = found else { continue };
            step.raise = raise.of(Some(device))?;
            step.clear = clear.as_ref().map(|clear| clear.of(Some(device))).transpose()?;
        }
        if is_ordered(&own) { Ok(own) } else { Err(LimitFault::Order) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use city_model::{
        Catalogue, Crs, DeviceKey, Directory, LifeCycle, Marks, Placement, Position, Quality,
        Reading, SeriesKey, Timestamp, Value, ZoneSet,
    };

    use super::*;
    use crate::evaluator::Evaluator;
    use crate::rule::RuleSet;

    fn parse(severity: &str) -> Result<RuleSet, String> {
        let text = format!(
            "group: g\ndepartment: d\nrules:\n  - id: r\n    kind: threshold\n    \
             select: {{metric: pm25}}\n    severity: {severity}\n"
        );
        RuleSet::parse(&[("r.yaml", text)]).map_err(|problems| problems.to_string())
    }

    fn device(key: u32, attribute: Option<Attribute>) -> Arc<Device> {
        Arc::new(Device {
            key: DeviceKey(key),
            id: format!("d{key}").into(),
            name: LocalText::same("D"),
            kind: "k".into(),
            department: "d".into(),
            placement: Placement::Fixed(Position { lon: 1.0, lat: 2.0 }),
            declared: None,
            crs: Crs::default(),
            zones: ZoneSet::default(),
            interval: None,
            gateway: None,
            life_cycle: LifeCycle::Active,
            simulated: false,
            attributes: attribute.map(|value| ("own".to_owned(), value)).into_iter().collect(),
        })
    }

    #[test]
    fn mistakes_are_located() {
        for (severity, expected) in [
            ("{high: {above: {attribut: own}}}", "r.yaml:7:31: rule `r`: unknown key `attribut`"),
            ("{high: {above: {default: 1}}}", "r.yaml:7:30: rule `r`: `attribute` is missing"),
            ("{high: {above: {attribute: own, factor: x}}}", "`factor` must be a number"),
            (
                "{low: {above: {attribute: own, default: 5}}, high: {above: 4}}",
                "the limit of `high` (4) must be worse than that of `low` (5)",
            ),
            (
                "{low: {above: 5, clear_below: {attribute: own, default: 6}}}",
                "the clear limit 6 is above the limit 5",
            ),
        ] {
            let found = parse(severity).expect_err(severity);
            assert!(found.contains(expected), "{severity}: {found}");
        }
        let zone = "group: g\ndepartment: d\nrules:\n  - {id: r, kind: zone_aggregate, \
                    select: {metric: pm25}, aggregate: {function: mean, over: 5m}, severity: low, \
                    raise: {above: {attribute: own}}}\n";
        let found = RuleSet::parse(&[("r.yaml", zone)]).expect_err("zones have no devices");
        assert!(found.to_string().contains("not for rules of kind zone_aggregate"), "{found}");
    }

    #[test]
    fn devices_that_cannot_be_judged_are_counted_and_listed() {
        let rules = parse("{low: {above: {attribute: own}}, high: {above: 50}}").expect("valid");
        let devices = [
            device(0, Some(Attribute::Number(10.0))),
            device(1, None),
            device(2, Some(Attribute::Text("10".to_owned()))),
            device(3, Some(Attribute::Number(60.0))),
            device(4, None),
        ];
        let directory = Directory::new(devices, Catalogue::embedded(), Vec::new(), 1);
        let listed: BTreeMap<String, Vec<String>> = rules
            .not_judged(&directory)
            .into_iter()
            .map(|found| {
                let ids = found.devices.iter().map(ToString::to_string).collect();
                (found.reason.en.chars().take(24).collect(), ids)
            })
            .collect();
        let expected = [
            ("without the attribute `o", vec!["d1".to_owned(), "d4".to_owned()]),
            ("with an attribute `own` ", vec!["d2".to_owned()]),
            ("with limits in a bad ord", vec!["d3".to_owned()]),
        ];
        assert_eq!(listed, expected.map(|(text, ids)| (text.to_owned(), ids)).into());

        let metric = directory.metrics.by_id("pm25").expect("known").key;
        let now = Timestamp::from_secs(1_767_225_600);
        let mut evaluator = Evaluator::new(Arc::new(rules), Arc::new(directory), now);
        let mut out = Vec::new();
        for key in 0..5 {
            let reading = Reading {
                series: SeriesKey { device: DeviceKey(key), metric },
                time: now,
                received: now,
                value: Value::Number(99.0),
                quality: Quality::Pass,
                marks: Marks::NONE,
                position: None,
                zones: ZoneSet::default(),
            };
            evaluator.observe(&reading, &mut out);
        }
        let stats = evaluator.stats();
        assert_eq!((stats.without_limit, stats.evaluated, out.len()), (4, 1, 1));
    }
}
