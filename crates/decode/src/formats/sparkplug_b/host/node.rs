//! What is known of one edge node and its devices.

use city_model::{Span, Timestamp};
use rustc_hash::FxHashMap;

use super::later;
use super::names::Names;
use super::sequence::Sequence;

/// An edge node.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) session: Option<Session>,
    /// When it was last asked for a birth that has not come yet.
    pub(super) asked: Option<Timestamp>,
    pub(super) wants_birth: bool,
    /// The `bdSeq` of the death that it has not been born after.
    pub(super) died: Option<u64>,
    /// Since when there is no birth of whatever has none: earlier messages may have had one.
    pub(super) unborn_since: Timestamp,
    /// When it, or a device of it, was last said to be online or offline.
    stamp: Option<Timestamp>,
    /// Whether it is in the queue of nodes without a session.
    pub(super) queued: bool,
}

/// From a birth to a death.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// `None`: the birth of the node itself is not known, only births of devices.
    pub(super) node: Option<Born>,
    /// Devices that are online.
    pub(super) devices: FxHashMap<Box<str>, Device>,
}

#[derive(Debug)]
pub(super) struct Born {
    /// When the birth arrived.
    pub(super) at: Timestamp,
    pub(super) names: Names,
    pub(super) bd_seq: Option<u64>,
    pub(super) sequence: Option<Sequence>,
}

/// A device that is online.
#[derive(Debug)]
pub(super) enum Device {
    Born(Names),
    /// Not born again since the node was; its messages wait for that since then.
    Waits(Timestamp),
}

impl Node {
    /// One that is heard of for the first time.
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            session: None,
            asked: None,
            wants_birth: false,
            died: None,
            unborn_since: now,
            stamp: None,
            queued: false,
        }
    }

    pub(super) fn born(&self) -> Option<&Born> {
        self.session.as_ref()?.node.as_ref()
    }

    pub(super) fn born_mut(&mut self) -> Option<&mut Born> {
        self.session.as_mut()?.node.as_mut()
    }

    /// What it, or that device of it, has declared.
    pub(super) fn names_mut(&mut self, device: Option<&str>) -> Option<&mut Names> {
        let session = self.session.as_mut()?;
        match device {
            None => session.node.as_mut().map(|born| &mut born.names),
            Some(device) => session.devices.get_mut(device)?.names_mut(),
        }
    }

    /// The next time at which it can be said to be online or offline.
    pub(super) fn stamp(&mut self, now: Timestamp) -> Timestamp {
        let next = self.stamp.map(|last| later(last, Span::from_micros(1)));
        let stamp = next.map_or(now, |next| now.max(next));
        self.stamp = Some(stamp);
        stamp
    }
}

impl Session {
    /// What it counts.
    pub(super) fn held(&self) -> usize {
        let own = self.node.as_ref().map_or(0, |born| born.names.len());
        own + self.devices.values().map(Device::held).sum::<usize>()
    }
}

impl Device {
    /// What it counts.
    pub(super) fn held(&self) -> usize {
        1 + self.names().map_or(0, Names::len)
    }

    pub(super) fn names(&self) -> Option<&Names> {
        match self {
            Self::Born(names) => Some(names),
            Self::Waits(_) => None,
        }
    }

    fn names_mut(&mut self) -> Option<&mut Names> {
        match self {
            Self::Born(names) => Some(names),
            Self::Waits(_) => None,
        }
    }

    /// From when on messages are about the names of the birth that arrives now.
    pub(super) fn until(&self, now: Timestamp) -> Timestamp {
        match self {
            Self::Born(names) => names.until(now),
            Self::Waits(since) => *since,
        }
    }

    /// Its node is born again, after a birth that arrived then.
    pub(super) fn wait(&self, before: Timestamp, now: Timestamp) -> Self {
        Self::Waits(match self {
            Self::Born(names) => names.until(now),
            // What was sent before that birth may have been about a birth that we missed.
            Self::Waits(since) => before.max(*since),
        })
    }
}
