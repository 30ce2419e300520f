//! Rules compiled against a directory: which rules can select a metric, and their hot fields.

use std::sync::Arc;

use city_model::{Device, Directory, LocalText, Placement, Span, ZoneKey};

use super::index::RuleIndex;
use crate::kinds::{Condition, Silence};
use crate::ladder::{Direction, Ladder};
use crate::limits::LimitFault;
use crate::rule::{Rule, RuleSet, Trust};
use crate::state::Timing;

#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) rules: Vec<Compiled>,
    /// By rule: the rules that follow its alerts, each with the place that it has there.
    pub(super) ties: Vec<Vec<(u32, usize)>>,
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
    /// The keys of the zones that a rule on devices asks about, in order.
    pub(super) fence: Box<[ZoneKey]>,
    /// What people call the rules that a composite follows.
    pub(super) followed: Box<[LocalText]>,
    /// The dependencies that hold its alerts back.
    pub(super) suppressors: Vec<u32>,
}

/// What each reading looks at of each rule that selects it. It lies beside the series, so that the
/// usual reading, which decides nothing, does not touch the rules, however many they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hot {
    /// Microseconds; the most there are where a reading may be late without limit.
    lateness: i64,
    /// A judged value on the good side of this raises nothing.
    mildest: f64,
    pub(super) trust: Trust,
    calm: Calm,
    /// Whether readings that are no numbers are judged, too.
    pub(super) takes_text: bool,
}

/// Which values raise nothing for sure.
#[derive(Clone, Copy, Debug)]
enum Calm {
    Below,
    Above,
    Unknown,
}

impl Hot {
    pub(super) fn new(compiled: &Compiled) -> Self {
        let rule = &compiled.rule;
        let ladder = match rule.condition {
            Condition::Value | Condition::Index(_) | Condition::Function(_) => rule.ladder.as_ref(),
            _ => None,
        };
        let mildest = ladder.and_then(|ladder| Some((ladder.direction, ladder.steps.first()?)));
        Self {
            lateness: compiled.lateness.map_or(i64::MAX, Span::micros),
            mildest: mildest.map_or(f64::NAN, |(_, step)| step.raise),
            trust: compiled.trust,
            calm: match mildest {
                Some((Direction::Above, _)) => Calm::Below,
                Some((Direction::Below, _)) => Calm::Above,
                None => Calm::Unknown,
            },
            takes_text: compiled.takes_text(),
        }
    }

    pub(super) fn is_late(&self, lateness: Span) -> bool {
        lateness.micros() > self.lateness
    }

    /// Whether a judged value raises no severity; `false` where that needs a closer look.
    pub(super) fn is_calm(&self, value: f64) -> bool {
        match self.calm {
            Calm::Below => value < self.mildest,
            Calm::Above => value > self.mildest,
            Calm::Unknown => false,
        }
    }
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
        let index = RuleIndex::new(&compiled, directory);
        Self { rules: compiled, ties, index }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_calm_raises_nothing(
            limits in prop::collection::vec(-10.0f64..10.0, 3), above: bool, value in -12.0f64..12.0,
        ) {
            let mut limits = limits;
            limits.sort_by(f64::total_cmp);
            if !above {
                limits.reverse();
            }
            let side = if above { "above" } else { "below" };
            let text = format!(
                "group: g\ndepartment: d\nrules:\n  - {{id: r, kind: threshold, \
                 select: {{metric: pm25}}, severity: {{low: {{{side}: {}}}, medium: {{{side}: {}}}, \
                 high: {{{side}: {}}}}}}}\n",
                limits[0], limits[1], limits[2],
            );
            let rules = RuleSet::parse(&[("rules.yaml", text)]).expect("valid rules");
            let program = Program::new(&rules, &Directory::default());
            let hot = Hot::new(&program.rules[0]);
            let ladder = rules.rules()[0].ladder.as_ref().expect("a ladder");
            for value in [value, limits[0], limits[2], f64::NAN] {
                let calm = hot.is_calm(value);
                prop_assert!(!calm || ladder.judge(value).raised == 0, "{value}");
            }
            let good = if above { limits[0] - 0.1 } else { limits[0] + 0.1 };
            prop_assert!(hot.is_calm(good));
        }
    }
}
