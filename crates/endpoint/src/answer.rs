//! What the endpoint writes back.

use bytes::{BufMut, BytesMut};
use mqtt_protocol_core::mqtt::packet::v3_1_1;
use mqtt_protocol_core::mqtt::packet::{Properties, ReasonString, v5_0};
use mqtt_protocol_core::mqtt::result_code::DisconnectReasonCode;

use crate::acks::{Slot, Verdict};
use crate::wire::{Version, Violation, packet_id};

const PUBACK: u8 = 0x40;
const PUBREC: u8 = 0x50;
const PUBCOMP: u8 = 0x70;
const SUBACK: u8 = 0x90;
const UNSUBACK: u8 = 0xb0;
const PINGRESP: u8 = 0xd0;

const NOT_AUTHORIZED: u8 = 0x87;
const PACKET_ID_NOT_FOUND: u8 = 0x92;

/// PUBACK or PUBREC. MQTT 3.1.1 cannot express a refusal: the caller ends the connection.
pub(crate) fn acknowledge(out: &mut BytesMut, slot: Slot) {
    let kind = if slot.qos2 { PUBREC } else { PUBACK };
    match slot.verdict {
        Verdict::Refused => with_reason(out, kind, slot.packet_id, NOT_AUTHORIZED),
        Verdict::Stored | Verdict::Waits => plain(out, kind, slot.packet_id),
    }
}

/// PUBCOMP; `known` says whether the message was there to be released.
pub(crate) fn complete(out: &mut BytesMut, version: Version, packet_id: u16, known: bool) {
    if known || version == Version::V3 {
        plain(out, PUBCOMP, packet_id);
    } else {
        with_reason(out, PUBCOMP, packet_id, PACKET_ID_NOT_FOUND);
    }
}

/// PINGRESP.
pub(crate) fn pong(out: &mut BytesMut) {
    out.put_slice(&[PINGRESP, 0]);
}

/// SUBACK: a client may subscribe to its own command topic and to nothing else.
pub(crate) fn subscribe(
    out: &mut BytesMut,
    version: Version,
    client: &str,
    body: &[u8],
) -> Result<(), Violation> {
    let bad = |_| Violation::Malformed("SUBSCRIBE");
    let id = packet_id(body, 0)?;
    let mut codes = Vec::new();
    if version == Version::V3 {
        let (packet, _) = v3_1_1::Subscribe::parse(body).map_err(bad)?;
        for entry in packet.entries() {
            let code = granted(client, entry.topic_filter(), entry.sub_opts().qos() as u8);
            codes.push(code.unwrap_or(0x80));
        }
    } else {
        let (packet, _) = v5_0::Subscribe::parse(body).map_err(bad)?;
        for entry in packet.entries() {
            let code = granted(client, entry.topic_filter(), entry.sub_opts().qos() as u8);
            codes.push(code.unwrap_or_else(|reason| reason));
        }
    }
    answer_with_codes(out, SUBACK, version, id, &codes);
    Ok(())
}

/// UNSUBACK.
pub(crate) fn unsubscribe(
    out: &mut BytesMut,
    version: Version,
    client: &str,
    body: &[u8],
) -> Result<(), Violation> {
    const NO_SUBSCRIPTION: u8 = 0x11;
    let bad = |_| Violation::Malformed("UNSUBSCRIBE");
    let id = packet_id(body, 0)?;
    let mut codes = Vec::new();
    if version == Version::V3 {
        v3_1_1::Unsubscribe::parse(body).map_err(bad)?;
    } else {
        let (packet, _) = v5_0::Unsubscribe::parse(body).map_err(bad)?;
        for filter in packet.entries() {
            let known = granted(client, filter.as_str(), 0).is_ok();
            codes.push(if known { 0 } else { NO_SUBSCRIPTION });
        }
    }
    answer_with_codes(out, UNSUBACK, version, id, &codes);
    Ok(())
}

/// DISCONNECT, which only MQTT 5 lets a server send.
pub(crate) fn disconnect(out: &mut BytesMut, version: Version, reason: u8, text: &str) {
    if version == Version::V3 {
        return;
    }
    let code = DisconnectReasonCode::try_from(reason);
    let packet = v5_0::Disconnect::builder()
        .reason_code(code.unwrap_or(DisconnectReasonCode::UnspecifiedError))
        .props(reason_string(text))
        .build();
    if let Ok(packet) = packet {
        out.put_slice(&packet.to_continuous_buffer());
    }
}

/// The properties of a refusal that says why.
pub(crate) fn reason_string(text: &str) -> Properties {
    ReasonString::new(text).map(|reason| vec![reason.into()]).unwrap_or_default()
}

/// The QoS at which a filter is granted, or the reason why not (MQTT 5, 3.9.3).
fn granted(client: &str, filter: &str, qos: u8) -> Result<u8, u8> {
    const FILTER_INVALID: u8 = 0x8f;
    const SHARED_NOT_SUPPORTED: u8 = 0x9e;
    if !valid_filter(filter) {
        return Err(FILTER_INVALID);
    }
    if filter.starts_with("$share/") {
        return Err(SHARED_NOT_SUPPORTED);
    }
    // A client whose id reads as a pattern, or as several levels, has no command topic: it would
    // be somebody else's too.
    let own = !client.contains(['+', '#', '/'])
        && filter
            .strip_prefix("cmd/")
            .and_then(|rest| rest.strip_prefix(client))
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if own { Ok(qos.min(1)) } else { Err(NOT_AUTHORIZED) }
}

/// Whether wildcards stand where they may (MQTT 5, 4.7.1).
fn valid_filter(filter: &str) -> bool {
    let mut levels = filter.split('/').peekable();
    let mut good = !filter.is_empty() && !filter.contains('\0');
    while let Some(level) = levels.next() {
        good &= match level {
            "#" => levels.peek().is_none(),
            "+" => true,
            _ => !level.contains(['+', '#']),
        };
    }
    good
}

fn plain(out: &mut BytesMut, kind: u8, packet_id: u16) {
    let [high, low] = packet_id.to_be_bytes();
    out.put_slice(&[kind, 2, high, low]);
}

fn with_reason(out: &mut BytesMut, kind: u8, packet_id: u16, reason: u8) {
    let [high, low] = packet_id.to_be_bytes();
    out.put_slice(&[kind, 3, high, low, reason]);
}

fn answer_with_codes(out: &mut BytesMut, kind: u8, version: Version, packet_id: u16, codes: &[u8]) {
    let properties: &[u8] = if version == Version::V5 { &[0] } else { &[] };
    let mut length = 2 + properties.len() + codes.len();
    out.put_u8(kind);
    while length >= 0x80 {
        out.put_u8(length as u8 | 0x80);
        length >>= 7;
    }
    out.put_u8(length as u8);
    out.put_u16(packet_id);
    out.put_slice(properties);
    out.put_slice(codes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_command_topic_is_granted() {
        for (client, filter, answer) in [
            ("d1", "cmd/d1/#", Ok(1)),
            ("d1", "cmd/d1", Ok(1)),
            ("d1", "cmd/d1/+/set", Ok(1)),
            ("d1", "cmd/d10/#", Err(0x87)),
            ("d1", "cmd/+/#", Err(0x87)),
            ("+", "cmd/+/#", Err(0x87)),
            ("d1", "#", Err(0x87)),
            ("d1", "cmd/d1/#/x", Err(0x8f)),
            ("d1", "$share/g/cmd/d1/#", Err(0x9e)),
            ("d1", "", Err(0x8f)),
        ] {
            assert_eq!(granted(client, filter, 2), answer, "{filter} for {client}");
        }
    }

    #[test]
    fn answers_are_as_the_standard_writes_them() {
        let mut out = BytesMut::new();
        let subscribe_v3 = [&[0, 7][..], b"\0\x01#\x01", b"\0\x08cmd/d1/#\x01"].concat();
        subscribe(&mut out, Version::V3, "d1", &subscribe_v3).expect("good");
        assert_eq!(&out[..], [0x90, 4, 0, 7, 0x80, 1]);
        out.clear();
        let subscribe_v5 = [&[0, 7, 0][..], b"\0\x01#\x01", b"\0\x08cmd/d1/#\x01"].concat();
        subscribe(&mut out, Version::V5, "d1", &subscribe_v5).expect("good");
        assert_eq!(&out[..], [0x90, 5, 0, 7, 0, 0x87, 1]);
        out.clear();
        complete(&mut out, Version::V5, 258, false);
        complete(&mut out, Version::V3, 258, false);
        assert_eq!(&out[..], [0x70, 3, 1, 2, 0x92, 0x70, 2, 1, 2]);
        out.clear();
        disconnect(&mut out, Version::V5, 0x8b, "bye");
        assert_eq!(&out[..], [0xe0, 8, 0x8b, 6, 0x1f, 0, 3, b'b', b'y', b'e']);
        out.clear();
        disconnect(&mut out, Version::V3, 0x8b, "bye");
        assert!(out.is_empty());
        answer_with_codes(&mut out, SUBACK, Version::V3, 1, &[0; 200]);
        assert_eq!(&out[..5], [0x90, 0xca, 0x01, 0, 1]);
    }

    #[test]
    fn a_subscribe_without_filters_is_refused() {
        let mut out = BytesMut::new();
        assert!(subscribe(&mut out, Version::V3, "d1", &[0, 7]).is_err());
        assert!(subscribe(&mut out, Version::V3, "d1", &[0, 0]).is_err());
        assert!(subscribe(&mut out, Version::V5, "d1", &[]).is_err());
        assert!(out.is_empty());
    }
}
