//! Whether a rule is about something at all: most questions why nothing fired end here.

use city_model::{Device, Directory, LifeCycle, LocalText, Placement, Subject};
use city_rules::{Condition, Rule};

/// A part of a rule that does not match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Which part: `life_cycle`, `kind`, `department`, `device`, `attribute`, `metric`, `zone`,
    /// `layer`, `interval`, `limits` or `rule`.
    pub part: &'static str,
    /// What it says, for people.
    pub text: LocalText,
}

/// What of a rule does not match a subject of today's registry.
pub(super) fn mismatches(rule: &Rule, subject: &Subject, directory: &Directory) -> Vec<Mismatch> {
    let mut found = Vec::new();
    if let Condition::Dependency(_) = rule.condition {
        found.push(Mismatch {
            part: "rule",
            text: LocalText::new(
                "a dependency raises no alerts; ask about the rules that it suppresses",
                "依赖规则本身不产生告警，请查询被其抑制的规则",
            ),
        });
        return found;
    }
    match subject {
        Subject::Zone { zone } => zone_parts(rule, zone, directory, &mut found),
        Subject::Device { device } | Subject::Series { device, .. } => {
            // Composites take what their members select; gateways need not be registered.
            let Some(device) = directory.device_by_id(device) else { return found };
            if matches!(rule.condition, Condition::Composite(_))
                || is_gateway(rule, device, directory)
            {
                return found;
            }
            device_parts(rule, device, directory, &mut found);
            if let Subject::Series { metric, .. } = subject
                && !rule.select.matches_metric(metric)
            {
                found.push(differs("metric", "指标", metric, &listed(&rule.select.metric)));
            }
        }
    }
    found
}

/// Whether a device stands for those behind it in an absence rule.
fn is_gateway(rule: &Rule, device: &Device, directory: &Directory) -> bool {
    matches!(&rule.condition, Condition::Silence(silence) if silence.gateways.is_some())
        && directory.devices().any(|other| other.gateway.as_ref() == Some(&device.id))
}

fn device_parts(rule: &Rule, device: &Device, directory: &Directory, found: &mut Vec<Mismatch>) {
    let select = &rule.select;
    let silence = match &rule.condition {
        Condition::Silence(silence) => Some(silence),
        _ => None,
    };
    let state = match device.life_cycle {
        LifeCycle::Planned => Some(("planned", "计划中")),
        LifeCycle::Retired => Some(("retired", "已退役")),
        LifeCycle::Maintenance if silence.is_some() => Some(("in maintenance", "维护中")),
        _ => None,
    };
    if let Some((en, zh)) = state {
        found.push(Mismatch {
            part: "life_cycle",
            text: LocalText::new(format!("the device is {en}"), format!("设备处于{zh}状态")),
        });
    } else if silence.is_some_and(|silence| silence.allowance(device).is_none()) {
        found.push(Mismatch {
            part: "interval",
            text: LocalText::new(
                "the device declares no interval, and the rule counts in intervals",
                "设备未声明上报间隔，而规则按间隔计算",
            ),
        });
    }
    for (part, zh, list, value) in [
        ("kind", "类型", &select.kind, &device.kind),
        ("department", "部门", &select.department, &device.department),
        ("device", "设备", &select.device, &device.id),
    ] {
        if !list.is_empty() && !list.contains(value) {
            found.push(differs(part, zh, value, &listed(list)));
        }
    }
    for (name, values) in &select.attributes {
        let own = device.attributes.get(name);
        if own.is_none_or(|own| !values.contains(own)) {
            let own = own.map_or("–".to_owned(), ToString::to_string);
            let wanted = listed(values);
            found.push(Mismatch {
                part: "attribute",
                text: LocalText::new(
                    format!("its attribute `{name}` is {own}, the rule selects {wanted}"),
                    format!("属性 `{name}` 为 {own}，规则选择 {wanted}"),
                ),
            });
        }
    }
    let inside = |zone: &std::sync::Arc<str>| {
        directory.zone_by_id(zone).is_some_and(|zone| device.zones.contains(&zone.key))
    };
    // Where a device is that moves, its readings say. Silences know only where it is registered.
    let is_fixed = matches!(device.placement, Placement::Fixed(_)) || silence.is_some();
    if is_fixed && !select.zone.is_empty() && !select.zone.iter().any(inside) {
        let ids: Vec<_> = device.zones.iter().filter_map(|key| directory.zone(*key)).collect();
        let ids: Vec<_> = ids.iter().map(|zone| &zone.id).collect();
        let own = if ids.is_empty() { "–".to_owned() } else { listed(&ids) };
        found.push(differs("zone", "区域", &own, &listed(&select.zone)));
    }
    if let (Some(limits), Some(ladder)) = (&rule.limits, &rule.ladder)
        && let Err(fault) = limits.resolve(ladder, device)
    {
        let text = fault.text();
        found.push(Mismatch {
            part: "limits",
            text: LocalText::new(format!("the device is {}", text.en), format!("设备{}", text.zh)),
        });
    }
}

fn zone_parts(rule: &Rule, zone: &str, directory: &Directory, found: &mut Vec<Mismatch>) {
    let select = &rule.select.zone;
    if !select.is_empty() && !select.iter().any(|id| **id == *zone) {
        found.push(differs("zone", "区域", zone, &listed(select)));
    }
    let Some(zone) = directory.zone_by_id(zone) else { return };
    let takes = match &rule.condition {
        Condition::Zone(aggregate) => aggregate.takes_layer(&zone.layer),
        Condition::Composite(composite) => composite.takes_layer(&zone.layer),
        _ => true,
    };
    if !takes {
        found.push(Mismatch {
            part: "layer",
            text: LocalText::new(
                format!("the rule is about zones of other layers than `{}`", zone.layer),
                format!("规则不适用于图层 `{}` 的区域", zone.layer),
            ),
        });
    }
}

fn differs(part: &'static str, zh: &str, own: &str, wanted: &str) -> Mismatch {
    let text = LocalText::new(
        format!("its {part} is `{own}`, the rule selects {wanted}"),
        format!("其{zh}为 `{own}`，规则选择 {wanted}"),
    );
    Mismatch { part, text }
}

fn listed(all: &[impl ToString]) -> String {
    let all: Vec<String> = all.iter().map(|item| format!("`{}`", item.to_string())).collect();
    all.join(", ")
}
