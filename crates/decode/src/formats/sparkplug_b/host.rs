//! What a host application knows of its edge nodes: who is born, what the aliases mean, whether a
//! message is missing, and when to ask for a new birth. Pure: the only time is that of arrival.

mod names;
mod node;
mod nodes;
mod sequence;

use city_model::{Span, Timestamp};

use super::topic::Address;
use super::wire::{self, Payload, Raw};
use crate::Command;
pub(super) use names::Names;
use node::{Born, Device, Session};
use nodes::Nodes;
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
    nodes: Nodes,
    /// Metrics and devices that are known, of all nodes.
    held: usize,
    /// The earliest time at which a missing message is given up.
    due: Option<Timestamp>,
    commands: Vec<Command>,
}

/// There are more edge nodes or metrics than the source allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

/// What became of a death.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Death {
    /// The node is offline, and these devices of it with it.
    Of(Vec<Box<str>>),
    /// Nothing new: it belongs to an earlier session, the node was born again since; or it was
    /// delivered before.
    Known,
}

impl Host {
    pub(super) fn new(patience: Patience) -> Self {
        let nodes = Nodes::new(patience.nodes);
        Self { patience, nodes, held: 0, due: None, commands: Vec::new() }
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
        for (key, node) in self.nodes.iter_mut() {
            let sequence = node.born_mut().and_then(|born| born.sequence.as_mut());
            let Some(sequence) = sequence else { continue };
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

    /// When an edge node or a device of it is said to be online or offline: at the arrival of
    /// the message, and after whatever was said of it before.
    pub(super) fn stamp(&mut self, address: Address<'_>, now: Timestamp) -> Timestamp {
        self.nodes.get_mut(&key(address)).map_or(now, |node| node.stamp(now))
    }

    /// An edge node's birth.
    pub(super) fn node_birth(
        &mut self,
        address: Address<'_>,
        payload: &Payload<'_>,
        now: Timestamp,
    ) -> Result<(), Full> {
        let key = key(address);
        let before = self.take_session(&key).unwrap_or_default();
        let mut unborn_since = self.nodes.make(&key, now)?.unborn_since;
        let mut from = unborn_since;
        let mut session = Session::default();
        if let Some(born) = &before.node {
            from = born.names.until(now);
            unborn_since = unborn_since.max(born.at);
        }
        // Devices that were online stay so until they are born again or die.
        let wait = |(key, device): (Box<str>, Device)| (key, device.wait(unborn_since, now));
        session.devices = before.devices.into_iter().map(wait).collect();
        let mut names = Names::of(payload, from);
        let full = self.room(session.held() + names.len()).is_err();
        if full {
            // The node is online all the same; its data cannot be understood.
            names = Names::of(&Payload::default(), now);
            session.devices.clear();
            unborn_since = now;
        }
        let sequence = payload.seq.map(|seq| Sequence::after(seq as u8));
        session.node = Some(Born { at: now, names, bd_seq: bd_seq(payload), sequence });
        self.held += session.held();
        let node = self.nodes.make(&key, now)?;
        node.session = Some(session);
        (node.asked, node.wants_birth, node.died) = (None, false, None);
        node.unborn_since = unborn_since;
        if full { Err(Full) } else { Ok(()) }
    }

    /// An edge node's death.
    pub(super) fn node_death(
        &mut self,
        address: Address<'_>,
        payload: &Payload<'_>,
        now: Timestamp,
    ) -> Death {
        let key = key(address);
        let bd_seq = bd_seq(payload);
        let node = self.nodes.get(&key);
        let born = node.and_then(|node| node.born());
        if let (Some(born), Some(death)) = (born.and_then(|born| born.bd_seq), bd_seq)
            && born != death
        {
            return Death::Known;
        }
        let died = node.filter(|node| node.session.is_none()).and_then(|node| node.died);
        if bd_seq.is_some() && died == bd_seq {
            return Death::Known;
        }
        let is_known = born.is_some();
        let session = self.take_session(&key);
        if let Ok(node) = self.nodes.make(&key, now) {
            node.wants_birth = false;
            node.died = bd_seq;
            node.unborn_since = now;
        }
        self.nodes.rest(&key);
        if !is_known {
            // It may be of an earlier session than the one that is on now.
            self.ask_node(&key, now);
        }
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
        let mut names = Names::of(payload, now);
        self.room(names.len() + 1)?;
        let node = self.nodes.make(&key(address), now)?;
        let unborn_since = node.unborn_since;
        let session = node.session.get_or_insert_default();
        let before = session.devices.remove(device);
        names.set_from(before.as_ref().map_or(unborn_since, |before| before.until(now)));
        let born = Device::Born(names);
        let freed = before.map_or(0, |before| before.held());
        self.held = (self.held + born.held()).saturating_sub(freed);
        session.devices.insert(device.into(), born);
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
        let Some(node) = self.nodes.get_mut(&key(address)) else { return };
        let gone = node.session.as_mut().and_then(|session| session.devices.remove(device));
        if let Some(gone) = gone {
            node.unborn_since = now;
            self.held -= gone.held().min(self.held);
        }
    }

    /// A message with a sequence number, other than a birth of the node: asks for that birth if
    /// it is not known, for then what we know of the node's devices may be of before a restart.
    pub(super) fn count(&mut self, address: Address<'_>, payload: &Payload<'_>, now: Timestamp) {
        let key = key(address);
        let node = self.nodes.get_mut(&key);
        let wants_birth = node.as_ref().is_none_or(|node| node.wants_birth);
        let Some(born) = node.and_then(|node| node.born_mut()) else {
            self.ask_node(&key, now);
            return;
        };
        if let (Some(sequence), Some(seq)) = (&mut born.sequence, payload.seq) {
            sequence.see(seq as u8, now);
            if let Some(since) = sequence.missing_since() {
                let due = later(since, self.patience.reorder);
                self.due = Some(self.due.map_or(due, |earlier| earlier.min(due)));
            }
        }
        if wants_birth {
            self.ask_node(&key, now);
        }
    }

    /// What a node or device has declared; `None` if its birth is not known.
    pub(super) fn names(&self, address: Address<'_>) -> Option<&Names> {
        let session = self.nodes.get(&key(address))?.session.as_ref()?;
        match address.device {
            None => session.node.as_ref().map(|born| &born.names),
            Some(device) => session.devices.get(device)?.names(),
        }
    }

    /// A message does not fit to what was declared: asks for the births, unless that was just now.
    pub(super) fn doubt(&mut self, address: Address<'_>, now: Timestamp) {
        let key = key(address);
        let node = self.nodes.get_mut(&key);
        if let Some(names) = node.and_then(|node| node.names_mut(address.device)) {
            names.doubt(now);
        }
        self.ask_node(&key, now);
    }

    fn ask_node(&mut self, key: &str, now: Timestamp) {
        let pause = self.patience.rebirth;
        let Ok(node) = self.nodes.make(key, now) else { return };
        node.wants_birth = true;
        let just_now = |asked| now == asked || (now >= asked && now.since(asked) < pause);
        if node.asked.is_some_and(just_now) {
            return;
        }
        node.asked = Some(now);
        let Some((group, edge)) = key.split_once('/') else { return };
        self.commands.push(Command {
            topic: format!("spBv1.0/{group}/NCMD/{edge}"),
            payload: wire::rebirth(u64::try_from(now.millis()).unwrap_or_default()),
        });
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
