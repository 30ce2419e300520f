//! Rules compiled against a directory: which rules can select a metric, and their hot fields.

use std::sync::Arc;

use city_model::{Device, Directory, Placement, Span, ZoneKey};

use super::index::RuleIndex;
use crate::kinds::{Condition, Silence};
use crate::rule::{Rule, RuleSet, Trust};
use crate::state::Timing;

#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) rules: Vec<Compiled>,
    pub(super) index: RuleIndex,
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
        let index = RuleIndex::new(&compiled, directory);
        Self { rules: compiled, index }
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

    /// Whether it is an absence rule that groups by gateway, where a device concerns others.
    pub(super) fn groups(&self) -> bool {
        matches!(&self.rule.condition, Condition::Silence(silence) if silence.gateways.is_some())
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

    /// How long an absence rule lets a device be silent; `None` if it does not watch it. Devices
    /// that move are watched by rules without zones only.
    pub(super) fn allowance(&self, silence: &Silence, device: &Device) -> Option<Span> {
        let selected = self.rule.select.matches_device(device) && self.in_zones(&device.zones);
        if selected { silence.allowance(device) } else { None }
    }
}
