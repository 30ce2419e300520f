//! Rules compiled against a directory: which rules can select a metric, and their hot fields.

use std::sync::Arc;

use city_model::{Device, Directory, LocalText, MetricKey, Placement, Span, ZoneKey};

use crate::kinds::{Condition, Silence};
use crate::rule::{Rule, RuleSet, Trust};
use crate::state::Timing;

#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) rules: Vec<Compiled>,
    /// By metric key: the rules that may select series of the metric, in order.
    by_metric: Vec<Vec<u32>>,
    /// By rule: the rules that follow its alerts, each with the place that it has there.
    pub(super) ties: Vec<Vec<(u32, usize)>>,
}

#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) rule: Arc<Rule>,
    pub(super) timing: Timing,
    pub(super) trust: Trust,
    pub(super) lateness: Option<Span>,
    /// The keys of the selected zones in order; `None` if the rule selects no zones.
    pub(super) zones: Option<Box<[ZoneKey]>>,
    /// The keys of the zones that a rule on devices asks about, in order.
    pub(super) fence: Box<[ZoneKey]>,
    /// What people call the rules that a composite follows.
    pub(super) followed: Box<[LocalText]>,
    /// The dependencies that hold its alerts back.
    pub(super) suppressors: Vec<u32>,
}

/// How a device relates to the zones that a rule selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inside {
    Always,
    Never,
    /// It moves: every reading says.
    Varies,
}

impl Program {
    pub(super) fn new(rules: &RuleSet, directory: &Directory) -> Self {
        let mut compiled: Vec<Compiled> =
            rules.rules().iter().map(|rule| Compiled::new(rule.clone(), directory)).collect();
        let ties = tie(rules, &mut compiled);
        let mut by_metric = vec![Vec::new(); directory.metrics.len()];
        for (index, rule) in rules.rules().iter().enumerate() {
            if !rule.condition.takes_readings() {
                continue;
            }
            if rule.select.metric.is_empty() {
                for list in &mut by_metric {
                    list.push(index as u32);
                }
            }
            for name in &rule.select.metric {
                if let Some(metric) = directory.metrics.by_id(name)
                    && by_metric[metric.key.index()].last() != Some(&(index as u32))
                {
                    by_metric[metric.key.index()].push(index as u32);
                }
            }
        }
        Self { rules: compiled, by_metric, ties }
    }

    /// The rules that may select series of a metric.
    pub(super) fn candidates(&self, metric: MetricKey) -> &[u32] {
        self.by_metric.get(metric.index()).map_or(&[], Vec::as_slice)
    }

    /// The absence rules.
    pub(super) fn silences(&self) -> impl Iterator<Item = (u32, &Compiled, &Silence)> {
        self.rules.iter().enumerate().filter_map(|(index, compiled)| {
            match &compiled.rule.condition {
                Condition::Silence(silence) => Some((index as u32, compiled, silence)),
                _ => None,
            }
        })
    }
}

/// Which rules follow which.
fn tie(rules: &RuleSet, compiled: &mut [Compiled]) -> Vec<Vec<(u32, usize)>> {
    let mut ties = vec![Vec::new(); compiled.len()];
    for (index, rule) in rules.rules().iter().enumerate() {
        let followed: Vec<&Arc<str>> = match &rule.condition {
            Condition::Composite(composite) => composite.followed().collect(),
            Condition::Dependency(dependency) => {
                for id in &dependency.suppress {
                    if let Some(place) = rules.position(id) {
                        compiled[place].suppressors.push(index as u32);
                    }
                }
                dependency.when.iter().collect()
            }
            _ => continue,
        };
        let names = followed.iter().map(|id| match rules.get(id) {
            Some(other) => other.name.clone(),
            None => LocalText::same(&***id),
        });
        compiled[index].followed = names.collect();
        for (place, id) in followed.into_iter().enumerate() {
            if let Some(other) = rules.position(id) {
                ties[other].push((index as u32, place));
            }
        }
    }
    ties
}

/// The keys of zones, in order.
fn keys_of<'i>(ids: impl Iterator<Item = &'i Arc<str>>, directory: &Directory) -> Box<[ZoneKey]> {
    let mut keys: Vec<ZoneKey> = ids.filter_map(|id| Some(directory.zone_by_id(id)?.key)).collect();
    keys.sort_unstable();
    keys.into_boxed_slice()
}

impl Compiled {
    fn new(rule: Arc<Rule>, directory: &Directory) -> Self {
        let zones =
            (!rule.select.zone.is_empty()).then(|| keys_of(rule.select.zone.iter(), directory));
        let fence = match &rule.condition {
            Condition::Device(function) => keys_of(function.zones().iter(), directory),
            _ => Box::default(),
        };
        Self {
            timing: Timing { hold: rule.holds(), keep: rule.keep_firing_for },
            trust: rule.trust,
            lateness: rule.lateness,
            zones,
            fence,
            followed: Box::default(),
            suppressors: Vec::new(),
            rule,
        }
    }

    /// Whether readings that are no numbers are judged, too.
    pub(super) fn takes_text(&self) -> bool {
        matches!(self.rule.condition, Condition::State(_) | Condition::Device(_))
    }

    /// Whether any of these zones is selected.
    pub(super) fn in_zones(&self, zones: &[ZoneKey]) -> bool {
        match &self.zones {
            None => true,
            Some(selected) => zones.iter().any(|zone| selected.binary_search(zone).is_ok()),
        }
    }

    /// Whether any of these zones is fenced.
    pub(super) fn in_fence(&self, zones: &[ZoneKey]) -> bool {
        zones.iter().any(|zone| self.fence.binary_search(zone).is_ok())
    }

    /// Whether a device is in the selected zones.
    pub(super) fn inside(&self, device: &Device) -> Inside {
        match device.placement {
            _ if self.zones.is_none() => Inside::Always,
            Placement::Fixed(_) if self.in_zones(&device.zones) => Inside::Always,
            Placement::Fixed(_) => Inside::Never,
            Placement::Moving | Placement::Unknown => Inside::Varies,
        }
    }

    /// How long an absence rule lets a device be silent; `None` if it does not watch it. Devices
    /// that move are watched by rules without zones only.
    pub(super) fn allowance(&self, silence: &Silence, device: &Device) -> Option<Span> {
        let selected = self.rule.select.matches_device(device) && self.in_zones(&device.zones);
        if selected { silence.allowance(device) } else { None }
    }
}
