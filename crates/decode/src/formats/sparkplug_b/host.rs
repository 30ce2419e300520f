//! What a host application knows of its edge nodes: who is born, what the aliases mean, whether a
//! message is missing, and when to ask for a new birth. Pure: the only time is that of arrival.

mod sequence;

use city_model::{Span, Timestamp};
use rustc_hash::FxHashMap;

use super::topic::Address;
use super::wire::{self, Metric, Payload, Raw};
use crate::Command;
use sequence::Sequence;

/// The metric that pairs a death with its birth.
pub(super) const BD_SEQ: &str = "bdSeq";

/// How much a host keeps, and how patient it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Edge nodes that are known at most.
    pub(super) nodes: usize,
    /// Metrics and devices of all edge nodes together that are known at most.
    pub(super) metrics: usize,
    /// How long a missing message may still come.
    pub(super) reorder: Span,
    /// How long an edge node is not asked a second time.
    pub(super) rebirth: Span,
}

/// The state of a host application.
#[derive(Debug)]
pub(super) struct Host {
    patience: Patience,
    nodes: FxHashMap<Box<str>, Node>,
    /// Metrics and devices that are known, of all nodes.
    held: usize,
    /// The earliest time at which a missing message is given up.
    due: Option<Timestamp>,
    commands: Vec<Command>,
}

#[derive(Debug, Default)]
struct Node {
    session: Option<Session>,
    /// When it was last asked for a birth that has not come yet.
    asked: Option<Timestamp>,
    wants_birth: bool,
}

/// From a birth to a death.
#[derive(Debug, Default)]
struct Session {
    /// `None`: the birth of the node itself is not known, only births of devices.
    node: Option<Born>,
    /// Devices that are online; `None`: not born again since the node was.
    devices: FxHashMap<Box<str>, Option<Names>>,
}

#[derive(Debug)]
struct Born {
    names: Names,
    bd_seq: Option<u64>,
    sequence: Option<Sequence>,
}

/// What a birth certificate declares.
#[derive(Debug, Default)]
pub(super) struct Names {
    list: Vec<Declared>,
    by_alias: FxHashMap<u64, u32>,
    by_name: FxHashMap<Box<str>, u32>,
}

/// A metric as it was declared.
#[derive(Debug)]
pub(super) struct Declared {
    pub(super) name: Box<str>,
    pub(super) datatype: Option<u32>,
    pub(super) unit: Option<Box<str>>,
}

/// There are more edge nodes or metrics than the source allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

/// What became of a death.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Death {
    /// The node is offline, and these devices of it with it.
    Of(Vec<Box<str>>),
    /// It belongs to an earlier session; the node was born again since.
    Earlier,
}

impl Host {
    pub(super) fn new(patience: Patience) -> Self {
        Self { patience, nodes: FxHashMap::default(), held: 0, due: None, commands: Vec::new() }
    }

    /// Moves out what is to be published.
    pub(super) fn commands(&mut self, out: &mut Vec<Command>) {
        out.append(&mut self.commands);
    }

    /// Time goes on: asks the nodes whose missing messages did not come.
    pub(super) fn tick(&mut self, now: Timestamp) {
        if self.due.is_none_or(|due| now < due) {
            return;
        }
        self.due = None;
        let timeout = self.patience.reorder;
        let mut overdue = Vec::new();
        for (key, node) in &mut self.nodes {
            let born = node.session.as_mut().and_then(|session| session.node.as_mut());
            let Some(sequence) = born.and_then(|born| born.sequence.as_mut()) else { continue };
            match sequence.missing_since() {
                Some(since) if now.since(since) >= timeout => {
                    sequence.give_up();
                    overdue.push(key.clone());
                }
                Some(since) => {
                    let due = later(since, timeout);
                    self.due = Some(self.due.map_or(due, |earlier| earlier.min(due)));
                }
                None => {}
            }
        }
        for key in overdue {
            self.ask_node(&key, now);
        }
    }

    /// An edge node's birth.
    pub(super) fn node_birth(
        &mut self,
        address: Address<'_>,
        payload: &Payload<'_>,
    ) -> Result<(), Full> {
        let key = key(address);
        let mut names = Names::of(payload);
        let bd_seq = bd_seq(payload);
        let sequence = payload.seq.map(|seq| Sequence::after(seq as u8));
        let before = self.take_session(&key);
        let mut session = Session::default();
        // Devices that were online stay so until they are born again or die.
        if let Some(before) = before {
            session.devices = before.devices.into_keys().map(|device| (device, None)).collect();
        }
        let full = self.room(session.held() + names.list.len()).is_err();
        if full {
            // The node is online all the same; its data cannot be understood.
            names = Names::default();
            session.devices.clear();
        }
        session.node = Some(Born { names, bd_seq, sequence });
        let held = session.held();
        let node = self.node(&key)?;
        *node = Node { session: Some(session), ..Node::default() };
        self.held += held;
        if full { Err(Full) } else { Ok(()) }
    }

    /// An edge node's death.
    pub(super) fn node_death(&mut self, address: Address<'_>, payload: &Payload<'_>) -> Death {
        let key = key(address);
        let session = self.nodes.get(&*key).and_then(|node| node.session.as_ref());
        let born = session.and_then(|session| session.node.as_ref());
        if let (Some(born), Some(death)) = (born.and_then(|born| born.bd_seq), bd_seq(payload))
            && born != death
        {
            return Death::Earlier;
        }
        let session = self.take_session(&key);
        self.nodes.remove(&*key);
        Death::Of(session.map(|session| session.devices.into_keys().collect()).unwrap_or_default())
    }

    /// A device's birth.
    pub(super) fn device_birth(
        &mut self,
        address: Address<'_>,
        device: &str,
        payload: &Payload<'_>,
        now: Timestamp,
    ) -> Result<(), Full> {
        self.count(address, payload, now);
        let key = key(address);
        let names = Names::of(payload);
        self.room(names.list.len() + 1)?;
        let node = self.node(&key)?;
        let session = node.session.get_or_insert_default();
        let node_is_known = session.node.is_some();
        let added = names.list.len() + 1;
        let before = session.devices.insert(device.into(), Some(names));
        let freed = before.map_or(0, |names| 1 + names.map_or(0, |names| names.list.len()));
        self.held = (self.held + added).saturating_sub(freed);
        if !node_is_known {
            self.ask(address, now);
        }
        Ok(())
    }

    /// A device's death.
    pub(super) fn device_death(
        &mut self,
        address: Address<'_>,
        device: &str,
        payload: &Payload<'_>,
        now: Timestamp,
    ) {
        self.count(address, payload, now);
        let node = self.nodes.get_mut(&*key(address));
        let session = node.and_then(|node| node.session.as_mut());
        let gone = session.and_then(|session| session.devices.remove(device));
        let freed = gone.map_or(0, |names| 1 + names.map_or(0, |names| names.list.len()));
        self.held -= freed.min(self.held);
    }

    /// A message with a sequence number, other than a birth of the node.
    pub(super) fn count(&mut self, address: Address<'_>, payload: &Payload<'_>, now: Timestamp) {
        let Some(node) = self.nodes.get_mut(&*key(address)) else { return };
        let born = node.session.as_mut().and_then(|session| session.node.as_mut());
        let sequence = born.and_then(|born| born.sequence.as_mut());
        if let (Some(sequence), Some(seq)) = (sequence, payload.seq) {
            sequence.see(seq as u8, now);
            if let Some(since) = sequence.missing_since() {
                let due = later(since, self.patience.reorder);
                self.due = Some(self.due.map_or(due, |earlier| earlier.min(due)));
            }
        }
        if node.wants_birth {
            self.ask(address, now);
        }
    }

    /// What a node or device has declared; `None` if its birth is not known.
    pub(super) fn names(&self, address: Address<'_>) -> Option<&Names> {
        let session = self.nodes.get(&*key(address))?.session.as_ref()?;
        match address.device {
            None => session.node.as_ref().map(|born| &born.names),
            Some(device) => session.devices.get(device)?.as_ref(),
        }
    }

    /// Asks an edge node for its births, unless it was asked just now.
    pub(super) fn ask(&mut self, address: Address<'_>, now: Timestamp) {
        self.ask_node(&key(address), now);
    }

    fn ask_node(&mut self, key: &str, now: Timestamp) {
        let pause = self.patience.rebirth;
        let Ok(node) = self.node(key) else { return };
        node.wants_birth = true;
        if node.asked.is_some_and(|asked| now >= asked && now.since(asked) < pause) {
            return;
        }
        node.asked = Some(now);
        let Some((group, edge)) = key.split_once('/') else { return };
        self.commands.push(Command {
            topic: format!("spBv1.0/{group}/NCMD/{edge}"),
            payload: wire::rebirth(u64::try_from(now.millis()).unwrap_or_default()),
        });
    }

    /// The node, which is made if there is room; nodes without a session make room.
    fn node(&mut self, key: &str) -> Result<&mut Node, Full> {
        if !self.nodes.contains_key(key) {
            if self.nodes.len() >= self.patience.nodes {
                let idle = self.nodes.iter().find(|(_, node)| node.session.is_none());
                let idle = idle.map(|(key, _)| key.clone()).ok_or(Full)?;
                self.nodes.remove(&*idle);
            }
            self.nodes.insert(key.into(), Node::default());
        }
        self.nodes.get_mut(key).ok_or(Full)
    }

    fn room(&self, metrics: usize) -> Result<(), Full> {
        if self.held + metrics > self.patience.metrics { Err(Full) } else { Ok(()) }
    }

    fn take_session(&mut self, key: &str) -> Option<Session> {
        let session = self.nodes.get_mut(key)?.session.take()?;
        self.held -= session.held().min(self.held);
        Some(session)
    }
}

impl Session {
    /// What it counts.
    fn held(&self) -> usize {
        let own = self.node.as_ref().map_or(0, |born| born.names.list.len());
        let names = self.devices.values().flatten().map(|names| names.list.len()).sum::<usize>();
        own + names + self.devices.len()
    }
}

impl Names {
    fn of(payload: &Payload<'_>) -> Self {
        let mut names = Self::default();
        for metric in &payload.metrics {
            let Some(name) = metric.name.filter(|name| !name.is_empty()) else { continue };
            let place = names.list.len() as u32;
            names.list.push(Declared {
                name: name.into(),
                datatype: metric.datatype,
                unit: metric.properties().unit.map(Into::into),
            });
            names.by_name.insert(name.into(), place);
            if let Some(alias) = metric.alias {
                names.by_alias.insert(alias, place);
            }
        }
        names
    }

    /// What a metric in data is, by its name or else its alias.
    pub(super) fn find(&self, metric: &Metric<'_>) -> Option<&Declared> {
        let place = match (metric.name.filter(|name| !name.is_empty()), metric.alias) {
            (Some(name), _) => self.by_name.get(name),
            (None, Some(alias)) => self.by_alias.get(&alias),
            (None, None) => None,
        };
        self.list.get(*place? as usize)
    }
}

fn key(address: Address<'_>) -> Box<str> {
    format!("{}/{}", address.group, address.edge).into()
}

fn bd_seq(payload: &Payload<'_>) -> Option<u64> {
    let metric = payload.metrics.iter().find(|metric| metric.name == Some(BD_SEQ))?;
    match metric.value {
        Some(Raw::Bits(bits)) => Some(bits),
        _ => None,
    }
}

fn later(time: Timestamp, span: Span) -> Timestamp {
    Timestamp::from_micros(time.micros().saturating_add(span.micros()))
}
