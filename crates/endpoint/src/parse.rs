//! PUBLISH, read in place.
//!
//! The hot path has its own reader because the protocol crate's copies each packet into an
//! allocation of its own; a test holds the two against each other.

use mqtt_protocol_core::mqtt::packet::{Properties, PropertiesParse, Property};

use crate::wire::{Version, Violation, packet_id, u16_at};

/// A PUBLISH without its payload.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Publish<'a> {
    /// Empty if only the alias says it.
    pub(crate) topic: &'a str,
    /// MQTT 5: the number that stands for the topic.
    pub(crate) alias: Option<u16>,
    /// 0 to 2.
    pub(crate) qos: u8,
    /// 0 at QoS 0.
    pub(crate) packet_id: u16,
    /// Where the payload starts in the body.
    pub(crate) payload: usize,
}

impl<'a> Publish<'a> {
    /// Reads the body of a PUBLISH with these flags.
    pub(crate) fn parse(flags: u8, body: &'a [u8], version: Version) -> Result<Self, Violation> {
        let qos = qos(flags)?;
        let length = usize::from(u16_at(body, 0)?);
        let mut at = 2 + length;
        let topic = body.get(2..at).ok_or(Violation::Malformed("the topic ends too early"))?;
        let topic = topic_name(topic)?;
        let mut id = 0;
        if qos > 0 {
            id = packet_id(body, at)?;
            at += 2;
        }
        let mut alias = None;
        if version == Version::V5 {
            let (read, length) = properties(body.get(at..).unwrap_or_default())?;
            alias = read;
            at += length;
        }
        if topic.is_empty() && alias.is_none() {
            return Err(Violation::Topic("empty"));
        }
        Ok(Self { topic, alias, qos, packet_id: id, payload: at })
    }
}

/// The QoS in the flags of a PUBLISH.
pub(crate) fn qos(flags: u8) -> Result<u8, Violation> {
    let (qos, dup) = ((flags >> 1) & 3, flags & 8 != 0);
    match (qos, dup) {
        (3, _) => Err(Violation::Malformed("QoS 3")),
        (0, true) => Err(Violation::Malformed("QoS 0 sent again")),
        _ => Ok(qos),
    }
}

/// A topic that can be published to, or nothing.
pub(crate) fn topic_name(bytes: &[u8]) -> Result<&str, Violation> {
    let topic =
        std::str::from_utf8(bytes).map_err(|_| Violation::Malformed("the topic is not UTF-8"))?;
    for byte in bytes {
        match byte {
            0 => return Err(Violation::Malformed("the topic has a null character")),
            b'+' | b'#' => return Err(Violation::Topic("has a wildcard")),
            _ => {}
        }
    }
    Ok(topic)
}

/// The alias among the properties of a PUBLISH, and how long they are.
fn properties(bytes: &[u8]) -> Result<(Option<u16>, usize), Violation> {
    if bytes.first() == Some(&0) {
        return Ok((None, 1));
    }
    let malformed = |_| Violation::Malformed("the properties of a PUBLISH");
    let (list, length) = Properties::parse(bytes).map_err(malformed)?;
    let mut alias = None;
    for property in &list {
        match property {
            Property::TopicAlias(value) if alias.is_none() => alias = Some(value.val()),
            Property::TopicAlias(_) => return Err(Violation::Protocol("two topic aliases")),
            Property::PayloadFormatIndicator(_)
            | Property::MessageExpiryInterval(_)
            | Property::ContentType(_)
            | Property::ResponseTopic(_)
            | Property::CorrelationData(_)
            | Property::UserProperty(_) => {}
            _ => return Err(Violation::Protocol("a property that a PUBLISH may not have")),
        }
    }
    Ok((alias, length))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mqtt_protocol_core::mqtt::packet::{Qos, TopicAlias, v3_1_1, v5_0};
    use proptest::prelude::*;

    use super::*;

    fn library_qos(qos: u8) -> Qos {
        Qos::try_from(qos).expect("0 to 2")
    }

    proptest! {
        #[test]
        fn what_the_protocol_crate_writes_is_read_as_it_was(
            topic in "[a-z/\u{4e00}-\u{4e10}]{1,40}",
            payload in prop::collection::vec(any::<u8>(), 0..200),
            qos in 0_u8..3,
            id in 1_u16..,
            alias in prop::option::of(1_u16..),
        ) {
            let mut old = v3_1_1::Publish::builder()
                .topic_name(topic.as_str()).expect("a topic")
                .qos(library_qos(qos))
                .payload(payload.clone());
            let mut new = v5_0::Publish::builder()
                .topic_name(topic.as_str()).expect("a topic")
                .qos(library_qos(qos))
                .payload(payload.clone());
            if qos > 0 {
                old = old.packet_id(id);
                new = new.packet_id(id);
            }
            if let Some(alias) = alias {
                new = new.props(vec![TopicAlias::new(alias).expect("not 0").into()]);
            }
            let packets = [
                (Version::V3, old.build().expect("a packet").to_continuous_buffer(), None),
                (Version::V5, new.build().expect("a packet").to_continuous_buffer(), alias),
            ];
            for (version, bytes, alias) in packets {
                let head = crate::wire::Head::peek(&bytes, 1 << 20).expect("good").expect("whole");
                let body = &bytes[head.header..];
                let read = Publish::parse(head.flags, body, version).expect("good");
                prop_assert_eq!(read.topic, &topic);
                prop_assert_eq!(read.alias, alias);
                prop_assert_eq!((read.qos, read.packet_id), (qos, if qos > 0 { id } else { 0 }));
                prop_assert_eq!(&body[read.payload..], &payload);
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused_and_what_is_read_the_protocol_crate_reads_alike(
            flags in 0_u8..16,
            mut body in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            if let Some(first) = body.first_mut() {
                *first = 0;
            }
            if let Some(second) = body.get_mut(1) {
                *second %= 32;
            }
            if let Ok(read) = Publish::parse(flags, &body, Version::V5) {
                prop_assert!(read.payload <= body.len());
                let (theirs, _) = v5_0::Publish::parse(flags, Arc::from(&body[..]))
                    .expect("theirs is not stricter");
                prop_assert_eq!(theirs.topic_name(), read.topic);
                prop_assert_eq!(theirs.payload().as_slice(), &body[read.payload..]);
            }
            if let Ok(read) = Publish::parse(flags, &body, Version::V3) {
                prop_assert!(read.payload <= body.len());
            }
        }
    }

    #[test]
    fn what_the_standard_forbids_is_refused() {
        for (flags, body, reason) in [
            (0b0110, &b"\0\x01t\0\x01"[..], 0x81), // QoS 3
            (0b1000, b"\0\x01t", 0x81),            // DUP at QoS 0
            (0b0010, b"\0\x01t\0\0", 0x82),        // packet id 0
            (0b0010, b"\0\x01t\0", 0x81),          // no packet id
            (0, b"\0\x09t", 0x81),                 // a short topic
            (0, b"\0\0", 0x90),                    // no topic
            (0, b"\0\x01\0", 0x81),                // a null character
            (0, b"\0\x02a+", 0x90),                // a wildcard
            (0, b"\0\x01\xff", 0x81),              // not UTF-8
        ] {
            let violation = Publish::parse(flags, body, Version::V3).expect_err("forbidden");
            assert_eq!(violation.reason(), reason, "{violation} for {body:?}");
        }
        let subscription_identifier = b"\0\x01t\x02\x0b\x01";
        let violation = Publish::parse(0, subscription_identifier, Version::V5).expect_err("no");
        assert_eq!(violation.reason(), 0x82);
        let no_properties = b"\0\x01t";
        let violation = Publish::parse(0, no_properties, Version::V5).expect_err("no");
        assert_eq!(violation.reason(), 0x81);
    }
}
