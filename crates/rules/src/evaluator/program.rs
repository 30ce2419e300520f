//! Rules compiled against a directory: which rules can select a metric, and their hot fields.

use std::sync::Arc;

use city_model::{Device, Directory, MetricKey, Placement, Span, ZoneKey};

use crate::kinds::{Condition, Silence};
use crate::ladder::Ladder;
use crate::limits::LimitFault;
use crate::rule::{Rule, RuleSet, Trust};
use crate::state::Timing;

#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) rules: Vec<Compiled>,
    /// By metric key: the rules that may select series of the metric, in order.
    by_metric: Vec<Vec<u32>>,
}

#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) rule: Arc<Rule>,
    pub(super) timing: Timing,
    pub(super) trust: Trust,
    pub(super) lateness: Option<Span>,
    /// The keys of the selected zones in order; `None` if the rule selects no zones.
    pub(super) zones: Option<Box<[ZoneKey]>>,
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
        let compiled: Vec<Compiled> =
            rules.rules().iter().map(|rule| Compiled::new(rule.clone(), directory)).collect();
        let mut by_metric = vec![Vec::new(); directory.metrics.len()];
        for (index, rule) in rules.rules().iter().enumerate() {
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
        Self { rules: compiled, by_metric }
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

impl Compiled {
    fn new(rule: Arc<Rule>, directory: &Directory) -> Self {
        let zones = (!rule.select.zone.is_empty()).then(|| {
            let mut keys: Vec<ZoneKey> = rule
                .select
                .zone
                .iter()
                .filter_map(|id| Some(directory.zone_by_id(id)?.key))
                .collect();
            keys.sort_unstable();
            keys.into_boxed_slice()
        });
        Self {
            timing: Timing { hold: rule.holds(), keep: rule.keep_firing_for },
            trust: rule.trust,
            lateness: rule.lateness,
            zones,
            rule,
        }
    }

    /// Whether readings that are no numbers are judged, too.
    pub(super) fn takes_text(&self) -> bool {
        matches!(self.rule.condition, Condition::State(_))
    }

    /// Whether any of these zones is selected.
    pub(super) fn in_zones(&self, zones: &[ZoneKey]) -> bool {
        match &self.zones {
            None => true,
            Some(selected) => zones.iter().any(|zone| selected.binary_search(zone).is_ok()),
        }
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

    /// The limits of a device, if the rule takes them from it; an error if it has none.
    pub(super) fn own_limits(&self, device: &Device) -> Result<Option<Box<Ladder>>, LimitFault> {
        match (&self.rule.limits, &self.rule.ladder) {
            (Some(limits), Some(ladder)) => Ok(Some(Box::new(limits.resolve(ladder, device)?))),
            _ => Ok(None),
        }
    }

    /// How long an absence rule lets a device be silent; `None` if it does not watch it. Devices
    /// that move are watched by rules without zones only.
    pub(super) fn allowance(&self, silence: &Silence, device: &Device) -> Option<Span> {
        let selected = self.rule.select.matches_device(device) && self.in_zones(&device.zones);
        if selected { silence.allowance(device) } else { None }
    }
}
