//! Floods as people hear of them: one message that tells the groups, instead of one for each alert.
//!
//! While there is a flood at an operator position, receivers that people read get a digest when it
//! begins, one each window while it goes on, and one when it is over. An alert that is worse than
//! everything before in this flood is told all the same, and so is what follows of alerts that were
//! told before.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use city_model::{
    Alert, AlertEvent, AlertEventKind, LocalText, RuleRef, Severity, Subject, Timestamp,
};
use city_rules::lifecycle::{CITY, FloodChange, FloodConfig, FloodMonitor, Group};
use serde::{Deserialize, Serialize};

/// Groups that a digest names.
const NAMED: usize = 5;
/// Groups that are counted apart: they are written with every alert of a flood.
const MOST_GROUPS: usize = 100;

/// The floods of all positions.
#[derive(Debug, Default)]
pub(super) struct Floods {
    pub(super) config: FloodConfig,
    pub(super) positions: BTreeMap<Arc<str>, Flood>,
}

/// What is known of a position.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Flood {
    monitor: FloodMonitor,
    /// The alerts of late, to be told of when a flood begins.
    recent: VecDeque<Member>,
    /// How many alerts each group has in this flood.
    groups: Vec<(Group, LocalText, u64)>,
    /// How many alerts it has in all.
    alerts: u64,
    worst: Option<Severity>,
    /// Alerts that were told although there is a flood.
    let_through: Vec<Arc<str>>,
    /// The newest digest of the present flood.
    digest: Option<AlertEvent>,
    /// How many alerts it told of.
    told: u64,
}

/// An alert of late.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Member {
    alert: Arc<str>,
    group: Group,
    label: LocalText,
    severity: Severity,
}

impl Floods {
    /// The id of the flood that an alert comes into, if there is one.
    pub(super) fn of(&self, alert: &Alert) -> Option<&Arc<str>> {
        let flood = self.positions.get(&self.config.position(alert))?;
        flood.monitor.since()?;
        flood.digest.as_ref().map(|digest| &digest.alert.id)
    }

    /// Takes an alert that fires and is held back by nothing; gives its position.
    pub(super) fn fired(
        &mut self,
        alert: &Alert,
        (group, label): (Group, LocalText),
        now: Timestamp,
    ) -> Arc<str> {
        let position = self.config.position(alert);
        let operators = self.config.operators_of(&position);
        let flood = self.positions.entry(position.clone()).or_default();
        if flood.recent.iter().any(|member| member.alert == alert.id) {
            return position;
        }
        let (severity, id) = (alert.severity, alert.id.clone());
        let member = Member { alert: id, group, label, severity };
        if flood.monitor.since().is_some() {
            flood.count(&member);
        }
        flood.recent.push_back(member);
        while flood.recent.len() > self.config.more_than as usize * operators as usize + 1 {
            flood.recent.pop_front();
        }
        let change = flood.monitor.fired(&alert.id, now, &self.config, operators);
        if change == Some(FloodChange::Began) {
            for member in flood.recent.clone() {
                flood.count(&member);
                flood.worst = flood.worst.max(Some(member.severity));
            }
            flood.say(&position, AlertEventKind::Fired, now);
        }
        position
    }

    /// The newest digest of a position's flood; telling it again changes nothing.
    pub(super) fn digest(&self, position: &str) -> Option<&AlertEvent> {
        self.positions.get(position)?.digest.as_ref()
    }

    /// Whether an alert that nobody was told of is told by a digest only.
    pub(super) fn swallows(&mut self, alert: &Alert) -> bool {
        let position = self.config.position(alert);
        let Some(flood) = self.positions.get_mut(&position) else { return false };
        if flood.monitor.since().is_none() || flood.let_through.contains(&alert.id) {
            return false;
        }
        if Some(alert.severity) > flood.worst {
            flood.worst = Some(alert.severity);
            flood.let_through.push(alert.id.clone());
            return false;
        }
        true
    }

    /// Lets time pass; gives the positions with something to say or to keep.
    pub(super) fn advance(&mut self, now: Timestamp) -> Vec<Arc<str>> {
        let mut changed = Vec::new();
        for (position, flood) in &mut self.positions {
            let operators = self.config.operators_of(position);
            let change = flood.monitor.advance(now, &self.config, operators);
            if let Some(FloodChange::Ended { at, .. }) = change {
                flood.say(position, AlertEventKind::Resolved, at);
                changed.push(position.clone());
                continue;
            }
            let told = flood.digest.as_ref().map(|digest| digest.at);
            let flooded = flood.monitor.since().is_some();
            let due = told.is_some_and(|told| now.since(told) >= self.config.window);
            if flooded && due && flood.alerts > flood.told {
                flood.say(position, AlertEventKind::Fired, now);
                changed.push(position.clone());
            }
        }
        changed
    }

    /// What was said of the end of floods has been told.
    pub(super) fn forget_ended(&mut self) {
        for flood in self.positions.values_mut() {
            if flood.monitor.since().is_none() && flood.digest.is_some() {
                let Flood { monitor, recent, .. } = std::mem::take(flood);
                *flood = Flood { monitor, recent, ..Flood::default() };
            }
        }
    }
}

impl Flood {
    fn count(&mut self, member: &Member) {
        self.alerts += 1;
        let known = self.groups.iter().position(|(group, ..)| *group == member.group);
        if let Some(known) = known {
            self.groups[known].2 += 1;
        } else if self.groups.len() < MOST_GROUPS {
            self.groups.push((member.group.clone(), member.label.clone(), 1));
        }
    }

    /// Makes the next digest.
    fn say(&mut self, position: &Arc<str>, kind: AlertEventKind, at: Timestamp) {
        let alerts = self.alerts;
        let before = self.digest.as_ref();
        let began = before.map_or(at, |digest| digest.alert.fired_at);
        let seq = before.map_or(1, |digest| digest.seq + 1);
        let id: Arc<str> = before.map_or_else(
            || format!("flood-{:x}-{:x}", began.micros(), short_hash(position)).into(),
            |digest| digest.alert.id.clone(),
        );
        let mut groups: Vec<&(Group, LocalText, u64)> = self.groups.iter().collect();
        groups.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.0.cmp(&b.0)));
        groups.truncate(NAMED);
        let more = alerts - groups.iter().map(|(.., count)| count).sum::<u64>();
        let list = |pick: fn(&LocalText) -> &str, comma: &str| {
            let item =
                |(_, label, count): &&(Group, LocalText, u64)| format!("{} × {count}", pick(label));
            groups.iter().map(item).collect::<Vec<_>>().join(comma)
        };
        let (mut en, mut zh) = (list(|text| &text.en, "; "), list(|text| &text.zh, "；"));
        if more > 0 {
            en = format!("{en}; elsewhere {more}");
            zh = format!("{zh}；其他 {more} 条");
        }
        let ended = kind == AlertEventKind::Resolved;
        let summary = if ended {
            LocalText::new(
                format!("The flood of alerts is over; {alerts} came. {en}"),
                format!("告警洪泛已结束，共 {alerts} 条。{zh}"),
            )
        } else {
            LocalText::new(
                format!("{alerts} alerts, told together from now on. {en}"),
                format!("{alerts} 条告警，现合并通知。{zh}"),
            )
        };
        let zone = groups.first().and_then(|(group, ..)| group.zone.clone());
        self.told = alerts;
        let seq_key = format!("{id}/{seq}");
        self.digest = Some(AlertEvent {
            key: seq_key,
            seq,
            kind,
            at,
            reason: None,
            alert: Alert {
                id,
                rule: RuleRef {
                    id: "alert-flood".into(),
                    version: "000000000000".into(),
                    name: LocalText::new("Flood of alerts", "告警洪泛"),
                    department: position.clone(),
                },
                subject: Subject::Zone { zone: zone.clone().unwrap_or_else(|| CITY.into()) },
                severity: self.worst.unwrap_or(Severity::Low),
                started_at: began,
                fired_at: began,
                resolved_at: ended.then_some(at),
                metric: None,
                unit: None,
                value: None,
                limit: None,
                reading_time: None,
                summary,
                zones: zone.into_iter().collect(),
                kind: None,
                position: None,
                simulated: false,
                runbook: None,
                labels: BTreeMap::new(),
            },
        });
    }
}

/// Tells positions apart whose floods begin at the same time; names may be in any script, and this
/// becomes part of the id of a mail.
fn short_hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
