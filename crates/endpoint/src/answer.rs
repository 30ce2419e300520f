//! What the endpoint writes back.

use bytes::{BufMut, BytesMut};
use mqtt_protocol_core::mqtt::packet::{Properties, ReasonString, v5_0};
use mqtt_protocol_core::mqtt::result_code::DisconnectReasonCode;

use crate::acks::{Slot, Verdict};
use crate::wire::Version;

const PUBLISH: u8 = 0x30;
const PUBACK: u8 = 0x40;
const PUBREC: u8 = 0x50;
const PUBCOMP: u8 = 0x70;
const SUBACK: u8 = 0x90;
const UNSUBACK: u8 = 0xb0;
const PINGRESP: u8 = 0xd0;

const NOT_AUTHORIZED: u8 = 0x87;
const PACKET_ID_NOT_FOUND: u8 = 0x92;

/// What a refused message is told.
const NO_RIGHT: &str = "this client may not publish to this topic";

/// PUBACK or PUBREC. MQTT 3.1.1 cannot express a refusal: the caller ends the connection.
pub(crate) fn acknowledge(out: &mut BytesMut, slot: Slot, explains: bool) {
    let kind = if slot.qos2 { PUBREC } else { PUBACK };
    match slot.verdict {
        Verdict::Refused if explains => {
            with_text(out, kind, slot.packet_id, NOT_AUTHORIZED, NO_RIGHT);
        }
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

/// SUBACK: a code for each filter. The text says why some are refused.
pub(crate) fn subscribed(
    out: &mut BytesMut,
    version: Version,
    packet_id: u16,
    codes: &[u8],
    text: Option<&str>,
) {
    answer_with_codes(out, SUBACK, version, packet_id, codes, text);
}

/// UNSUBACK; MQTT 3.1.1 has no codes in it.
pub(crate) fn unsubscribed(out: &mut BytesMut, version: Version, packet_id: u16, codes: &[u8]) {
    let codes = if version == Version::V3 { &[] } else { codes };
    answer_with_codes(out, UNSUBACK, version, packet_id, codes, None);
}

/// A command to a client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Command<'a> {
    pub(crate) topic: &'a str,
    pub(crate) payload: &'a [u8],
    pub(crate) retained: bool,
    /// Sent before.
    pub(crate) again: bool,
    /// In seconds.
    pub(crate) expires_in: Option<u32>,
}

/// PUBLISH; without a packet id at QoS 0.
pub(crate) fn publish(out: &mut BytesMut, version: Version, command: &Command, id: Option<u16>) {
    const EXPIRY: u8 = 0x02;
    let Command { topic, payload, retained, again, expires_in } = *command;
    let expires_in = expires_in.filter(|_| version == Version::V5);
    let properties = match (version, expires_in) {
        (Version::V3, _) => 0,
        (Version::V5, None) => 1,
        (Version::V5, Some(_)) => 6,
    };
    let id_length = if id.is_some() { 2 } else { 0 };
    let qos = u8::from(id.is_some()) << 1;
    out.put_u8(PUBLISH | u8::from(again) << 3 | qos | u8::from(retained));
    put_length(out, 2 + topic.len() + id_length + properties + payload.len());
    out.put_u16(topic.len() as u16);
    out.put_slice(topic.as_bytes());
    if let Some(id) = id {
        out.put_u16(id);
    }
    if version == Version::V5 {
        out.put_u8(if expires_in.is_some() { 5 } else { 0 });
        if let Some(seconds) = expires_in {
            out.put_u8(EXPIRY);
            out.put_u32(seconds);
        }
    }
    out.put_slice(payload);
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

fn plain(out: &mut BytesMut, kind: u8, packet_id: u16) {
    let [high, low] = packet_id.to_be_bytes();
    out.put_slice(&[kind, 2, high, low]);
}

fn with_reason(out: &mut BytesMut, kind: u8, packet_id: u16, reason: u8) {
    let [high, low] = packet_id.to_be_bytes();
    out.put_slice(&[kind, 3, high, low, reason]);
}

fn with_text(out: &mut BytesMut, kind: u8, packet_id: u16, reason: u8, text: &str) {
    let text = text_property(text);
    out.put_u8(kind);
    put_length(out, 2 + 1 + length_size(text.len()) + text.len());
    out.put_u16(packet_id);
    out.put_u8(reason);
    put_length(out, text.len());
    out.put_slice(&text);
}

fn answer_with_codes(
    out: &mut BytesMut,
    kind: u8,
    version: Version,
    packet_id: u16,
    codes: &[u8],
    text: Option<&str>,
) {
    let text = text.map(text_property).unwrap_or_default();
    let properties = if version == Version::V5 { length_size(text.len()) + text.len() } else { 0 };
    out.put_u8(kind);
    put_length(out, 2 + properties + codes.len());
    out.put_u16(packet_id);
    if version == Version::V5 {
        put_length(out, text.len());
        out.put_slice(&text);
    }
    out.put_slice(codes);
}

/// A reason string as it is written among properties.
fn text_property(text: &str) -> Vec<u8> {
    const REASON_STRING: u8 = 0x1f;
    let text = text.as_bytes();
    let mut property = vec![REASON_STRING];
    property.extend((text.len() as u16).to_be_bytes());
    property.extend(text);
    property
}

/// A variable byte integer (MQTT 5, 1.5.5).
fn put_length(out: &mut BytesMut, mut length: usize) {
    while length >= 0x80 {
        out.put_u8(length as u8 | 0x80);
        length >>= 7;
    }
    out.put_u8(length as u8);
}

/// How many bytes the length takes.
fn length_size(length: usize) -> usize {
    match length {
        0..0x80 => 1,
        0x80..0x4000 => 2,
        0x4000..0x20_0000 => 3,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_as_the_standard_writes_them() {
        let mut out = BytesMut::new();
        subscribed(&mut out, Version::V3, 7, &[0x80, 1], Some("no"));
        assert_eq!(&out[..], [0x90, 4, 0, 7, 0x80, 1]);
        out.clear();
        subscribed(&mut out, Version::V5, 7, &[0x87, 1], Some("no"));
        assert_eq!(&out[..], [0x90, 10, 0, 7, 5, 0x1f, 0, 2, b'n', b'o', 0x87, 1]);
        out.clear();
        unsubscribed(&mut out, Version::V3, 7, &[0, 0x11]);
        unsubscribed(&mut out, Version::V5, 7, &[0, 0x11]);
        assert_eq!(&out[..], [0xb0, 2, 0, 7, 0xb0, 5, 0, 7, 0, 0, 0x11]);
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
        subscribed(&mut out, Version::V3, 1, &[0; 200], None);
        assert_eq!(&out[..5], [0x90, 0xca, 0x01, 0, 1]);
    }

    #[test]
    fn the_protocol_crate_reads_what_is_refused_and_sent() {
        let mut out = BytesMut::new();
        with_text(&mut out, PUBACK, 258, NOT_AUTHORIZED, NO_RIGHT);
        let (packet, length) = v5_0::Puback::parse(&out[2..]).expect("a PUBACK");
        assert_eq!((packet.packet_id(), length), (258, out.len() - 2));
        let payload = [7; 300];
        for (id, expires_in) in [(None, None), (Some(9), None), (Some(9), Some(77))] {
            out.clear();
            let command = Command {
                topic: "cmd/设备",
                payload: &payload,
                retained: true,
                again: id.is_some(),
                expires_in,
            };
            publish(&mut out, Version::V5, &command, id);
            let head = crate::wire::Head::peek(&out, 1 << 20).expect("good").expect("whole");
            assert_eq!(head.total(), out.len());
            let (packet, _) =
                v5_0::Publish::parse(head.flags, out[head.header..].into()).expect("a PUBLISH");
            assert_eq!((packet.topic_name(), packet.packet_id()), ("cmd/设备", id));
            assert_eq!(packet.payload().as_slice(), payload);
            assert_eq!((packet.retain(), packet.dup()), (true, id.is_some()));
            assert_eq!(packet.props().len(), usize::from(expires_in.is_some()));
            out.clear();
            publish(&mut out, Version::V3, &command, id);
            let head = crate::wire::Head::peek(&out, 1 << 20).expect("good").expect("whole");
            let read = crate::parse::Publish::parse(head.flags, &out[head.header..], Version::V3)
                .expect("good");
            assert_eq!((read.topic, read.packet_id), ("cmd/设备", id.unwrap_or(0)));
            assert_eq!(out[head.header + read.payload..], payload);
        }
    }
}
