//! Packet boundaries, and what can be wrong with what a client sends.

/// Packet types by their number in the fixed header (MQTT 5, 2.1.2).
pub(crate) mod kind {
    pub(crate) const CONNECT: u8 = 1;
    pub(crate) const PUBLISH: u8 = 3;
    pub(crate) const PUBACK: u8 = 4;
    pub(crate) const PUBREL: u8 = 6;
    pub(crate) const SUBSCRIBE: u8 = 8;
    pub(crate) const UNSUBSCRIBE: u8 = 10;
    pub(crate) const PINGREQ: u8 = 12;
    pub(crate) const DISCONNECT: u8 = 14;
}

/// The version of the protocol that a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// MQTT 3.1.1.
    V3,
    /// MQTT 5.
    V5,
}

/// How a client broke the protocol or a limit; each ends its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Violation {
    #[error("malformed packet: {0}")]
    Malformed(&'static str),
    #[error("protocol error: {0}")]
    Protocol(&'static str),
    #[error("a packet of {size} bytes is over the limit of {limit} bytes")]
    TooLarge { size: usize, limit: usize },
    #[error("topic name: {0}")]
    Topic(&'static str),
    #[error("topic alias {0} is unknown or over the announced maximum")]
    Alias(u16),
    #[error("more messages at QoS 2 under way than the announced receive maximum of {0}")]
    ReceiveMaximum(u16),
    #[error("this client may not publish to this topic")]
    NotAuthorized,
    #[error("this server takes no subscription identifiers")]
    SubscriptionIdentifier,
}

impl Violation {
    /// The reason code that an MQTT 5 client is told (MQTT 5, 3.14.2.1).
    pub(crate) fn reason(self) -> u8 {
        match self {
            Self::Malformed(_) => 0x81,
            Self::Protocol(_) => 0x82,
            Self::NotAuthorized => 0x87,
            Self::Topic(_) => 0x90,
            Self::ReceiveMaximum(_) => 0x93,
            Self::Alias(_) => 0x94,
            Self::TooLarge { .. } => 0x95,
            Self::SubscriptionIdentifier => 0xa1,
        }
    }
}

/// The fixed header of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    /// Length of the fixed header in bytes.
    pub(crate) header: usize,
    /// Length of the rest in bytes.
    pub(crate) body: usize,
}

impl Head {
    /// The fixed header at the front of `buffer`; `None` if it is not complete. Refuses packets
    /// over `limit` bytes before they are there.
    pub(crate) fn peek(buffer: &[u8], limit: usize) -> Result<Option<Self>, Violation> {
        let Some((&first, rest)) = buffer.split_first() else { return Ok(None) };
        let mut body = 0_usize;
        for (place, &byte) in rest.iter().take(4).enumerate() {
            body |= usize::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                let head = Self { kind: first >> 4, flags: first & 0x0f, header: place + 2, body };
                return head.checked(limit).map(Some);
            }
        }
        if rest.len() >= 4 {
            return Err(Violation::Malformed("the remaining length has more than four bytes"));
        }
        Ok(None)
    }

    /// Length of the whole packet in bytes.
    pub(crate) fn total(self) -> usize {
        self.header + self.body
    }

    fn checked(self, limit: usize) -> Result<Self, Violation> {
        let wanted = match self.kind {
            kind::PUBLISH => self.flags,
            kind::PUBREL | kind::SUBSCRIBE | kind::UNSUBSCRIBE => 0b0010,
            _ => 0,
        };
        if self.flags != wanted {
            return Err(Violation::Malformed("the flags of the fixed header are reserved"));
        }
        if self.total() > limit {
            return Err(Violation::TooLarge { size: self.total(), limit });
        }
        Ok(self)
    }
}

/// The two bytes at `at` as a number.
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Result<u16, Violation> {
    match bytes.get(at..at + 2) {
        Some(&[high, low]) => Ok(u16::from_be_bytes([high, low])),
        _ => Err(Violation::Malformed("the packet ends too early")),
    }
}

/// The packet id at `at`, which is never 0.
pub(crate) fn packet_id(bytes: &[u8], at: usize) -> Result<u16, Violation> {
    match u16_at(bytes, at)? {
        0 => Err(Violation::Protocol("packet id 0")),
        id => Ok(id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_they_come_in() {
        assert_eq!(Head::peek(&[], 100), Ok(None));
        assert_eq!(Head::peek(&[0x30], 100), Ok(None));
        assert_eq!(Head::peek(&[0x30, 0x80], 1000), Ok(None));
        let head = Head { kind: kind::PUBLISH, flags: 2, header: 3, body: 300 };
        assert_eq!(Head::peek(&[0x32, 0xac, 0x02], 1000), Ok(Some(head)));
    }

    #[test]
    fn bad_headers_are_refused_before_the_body_is_there() {
        for (bytes, reason) in [
            (&[0x30, 0xff, 0xff, 0xff, 0xff][..], 0x81),
            (&[0x60, 0x02], 0x81),
            (&[0xc1, 0x00], 0x81),
            (&[0x30, 0x63], 0x95),
        ] {
            let violation = Head::peek(bytes, 100).expect_err("bad");
            assert_eq!(violation.reason(), reason, "{violation}");
        }
        assert!(Head::peek(&[0x30, 0x62], 100).is_ok(), "exactly the limit");
    }
}
