//! Which rules, devices and hours decide about a subject.

use city_model::{Device, Directory, Placement, Span, Subject, Timestamp};
use city_rules::{Condition, Rule, RuleSet};

use super::About;
use crate::run::{LONGEST_WARM_UP, warm_up};

/// What is looked at of one device at least, so that an explanation can tell a near miss.
const LEAST_OF_A_DEVICE: Span = Span::from_hours(24);
/// What is looked at of many at least.
const LEAST_OF_MANY: Span = Span::from_hours(2);
/// Readings of a slow device that are looked at, at least.
const INTERVALS: i64 = 12;

/// The rule, the rules that it follows, and the dependencies that may hold them back.
pub(super) fn needed(rules: &RuleSet, rule: &Rule) -> RuleSet {
    let mut ids = vec![rule.id.to_string()];
    loop {
        let set = rules.only(&ids);
        let holds_back = |other: &Rule| match &other.condition {
            Condition::Dependency(dependency) => {
                dependency.suppress.iter().any(|id| set.get(id).is_some())
            }
            _ => false,
        };
        let more =
            rules.rules().iter().filter(|other| holds_back(other) && set.get(&other.id).is_none());
        let more: Vec<String> = more.map(|other| other.id.to_string()).collect();
        if more.is_empty() {
            return set;
        }
        ids.extend(more);
    }
}

/// Whether a rule asks about more than the subject itself.
fn looks_around(set: &RuleSet, rule: &Rule) -> bool {
    set.rules().iter().any(|other| matches!(other.condition, Condition::Dependency(_)))
        || About::of(rule) == About::Zone
        || groups(rule)
}

fn groups(rule: &Rule) -> bool {
    matches!(&rule.condition, Condition::Silence(silence) if silence.gateways.is_some())
}

/// From when on readings are looked at. `newest` is the newest one of the subject, `quietest` that of
/// the device that has been silent for longest, of those that decide.
pub(super) fn start(
    set: &RuleSet,
    rule: &Rule,
    subject: &Subject,
    directory: &Directory,
    at: Timestamp,
    (newest, quietest): (Option<Timestamp>, Option<Timestamp>),
) -> Timestamp {
    let alone = !looks_around(set, rule);
    let device = subject.device().and_then(|id| directory.device_by_id(id));
    let interval = device.and_then(|device| device.interval).unwrap_or(Span::ZERO);
    let least = if alone { LEAST_OF_A_DEVICE } else { LEAST_OF_MANY };
    let some = Span::from_micros(interval.micros().saturating_mul(INTERVALS));
    let back = warm_up(set, directory).max(least).max(some).min(LONGEST_WARM_UP);
    // What fires goes on doing so while nothing is heard, however long; and a silence began with
    // the last sign of life. Between that and now a device that decides alone sends nothing.
    let silence = matches!(rule.condition, Condition::Silence(_));
    match (newest, quietest) {
        (_, Some(quietest)) if silence && alone => quietest.min(at - back),
        (_, Some(quietest)) if silence => quietest.max(at - LONGEST_WARM_UP).min(at - back),
        (Some(newest), _) if alone => newest - back,
        _ => at - back,
    }
}

/// Which devices' readings can decide.
pub(super) struct Deciding<'q> {
    rule: &'q Rule,
    subject: &'q Subject,
    directory: &'q Directory,
    causes: RuleSet,
}

impl<'q> Deciding<'q> {
    pub(super) fn new(
        set: &RuleSet,
        rule: &'q Rule,
        subject: &'q Subject,
        directory: &'q Directory,
    ) -> Self {
        Self { rule, subject, directory, causes: causes(set) }
    }

    /// Whether the readings of a device can decide.
    pub(super) fn takes(&self, device: &Device) -> bool {
        self.is_own(device)
            || self
                .causes
                .rules()
                .iter()
                .any(|rule| rule.condition.takes_readings() && rule.select.matches_device(device))
    }

    /// Whether it is the subject, in it, or behind the same gateway where that counts.
    pub(super) fn is_own(&self, device: &Device) -> bool {
        match self.subject {
            Subject::Zone { zone } => {
                let zone = self.directory.zone_by_id(zone);
                !matches!(device.placement, Placement::Fixed(_))
                    || zone.is_some_and(|zone| device.zones.contains(&zone.key))
            }
            Subject::Device { device: id } | Subject::Series { device: id, .. } => {
                device.id == *id || (groups(self.rule) && self.is_neighbour(id, device))
            }
        }
    }

    /// Whether a device is behind the same gateway, or behind the subject itself.
    fn is_neighbour(&self, subject: &str, device: &Device) -> bool {
        let own = self.directory.device_by_id(subject);
        let own = own.and_then(|device| device.gateway.as_ref());
        let gateway = device.gateway.as_ref();
        gateway.is_some_and(|gateway| **gateway == *subject || own == Some(gateway))
    }
}

/// The rules whose alerts can be the cause that a dependency asks about.
fn causes(set: &RuleSet) -> RuleSet {
    let dependencies = set.rules().iter().filter_map(|rule| match &rule.condition {
        Condition::Dependency(dependency) => Some(&dependency.when),
        _ => None,
    });
    let ids: Vec<String> = dependencies.flatten().map(ToString::to_string).collect();
    set.only(&ids)
}
