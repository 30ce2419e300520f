//! The topics of Sparkplug B: `spBv1.0/{group}/{type}/{edge node}[/{device}]` (clause 4.1).

/// What a topic says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic<'t> {
    /// A message of an edge node or of one of its devices.
    Edge(Address<'t>, Kind),
    /// A command, or a host's state: nothing to read.
    NotForUs,
}

/// Who sent a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Address<'t> {
    pub(super) group: &'t str,
    pub(super) edge: &'t str,
    /// `None`: the edge node itself.
    pub(super) device: Option<&'t str>,
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Birth,
    Data,
    Death,
}

impl<'t> Topic<'t> {
    /// Reads a topic; says what is wrong if it is not one of Sparkplug's.
    pub(super) fn read(topic: &'t str) -> Result<Self, &'static str> {
        let mut levels = topic.split('/');
        if levels.next() != Some("spBv1.0") {
            return Err("it does not begin with spBv1.0/");
        }
        let group = levels.next().filter(|group| !group.is_empty()).ok_or("it has no group")?;
        if group == "STATE" {
            return Ok(Self::NotForUs);
        }
        let kind = levels.next().ok_or("it has no message type")?;
        let edge = levels.next().filter(|edge| !edge.is_empty()).ok_or("it has no edge node")?;
        let device = levels.next();
        if levels.next().is_some() || device == Some("") {
            return Err("it has more levels than a device's");
        }
        let (of_device, kind) = match kind {
            "NBIRTH" => (false, Kind::Birth),
            "NDATA" => (false, Kind::Data),
            "NDEATH" => (false, Kind::Death),
            "DBIRTH" => (true, Kind::Birth),
            "DDATA" => (true, Kind::Data),
            "DDEATH" => (true, Kind::Death),
            "NCMD" | "DCMD" => return Ok(Self::NotForUs),
            _ => return Err("its message type is not one of Sparkplug B's"),
        };
        match (of_device, device) {
            (true, None) => Err("it has no device, though its message type is a device's"),
            (false, Some(_)) => Err("it has a device, though its message type is an edge node's"),
            _ => Ok(Self::Edge(Address { group, edge, device }, kind)),
        }
    }
}
