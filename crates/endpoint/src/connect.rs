//! CONNECT and CONNACK: what a client asks for, and what it is told.

use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use mqtt_protocol_core::mqtt::packet::{
    AssignedClientIdentifier, MaximumPacketSize, Properties, Property, ReceiveMaximum,
    ServerKeepAlive, SessionExpiryInterval, SharedSubscriptionAvailable,
    SubscriptionIdentifierAvailable, TopicAliasMaximum, v3_1_1, v5_0,
};
use mqtt_protocol_core::mqtt::result_code::ConnectReasonCode;

use crate::answer::reason_string;
use crate::config::EndpointConfig;
use crate::limits::Met;
use crate::parse::topic_name;
use crate::wire::Version;

/// The largest CONNECT, in bytes: every field of it is at most 64 KiB, and few come near.
pub(crate) const MAX_CONNECT: usize = 256 << 10;
/// Topic aliases of one connection.
pub(crate) const MAX_ALIASES: u16 = 16;

/// What a client asks for.
#[derive(Debug, PartialEq)]
pub(crate) struct Connect {
    pub(crate) version: Version,
    /// Empty if the server is to choose one.
    pub(crate) client: String,
    /// Whether an earlier session is to be forgotten.
    pub(crate) clean: bool,
    /// How long the session outlives the connection, in seconds; 0 not at all, `u32::MAX` for
    /// ever.
    pub(crate) session_expiry: u32,
    /// In seconds; 0 for none.
    pub(crate) keep_alive: u16,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<Vec<u8>>,
    pub(crate) will: Option<Will>,
    /// The largest packet that the client takes, in bytes.
    pub(crate) max_packet: u32,
    /// Commands that the client takes before it has answered the first.
    pub(crate) receive_maximum: u16,
    /// Whether it wants to be told why something was refused.
    pub(crate) wants_reasons: bool,
}

/// The message that is published when the client is lost.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Will {
    pub(crate) topic: Box<str>,
    pub(crate) payload: Bytes,
    pub(crate) delay: Duration,
}

/// Why a client is not let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("malformed CONNECT: {0}")]
    Malformed(&'static str),
    #[error("this server speaks MQTT 3.1.1 and 5 only")]
    Version,
    #[error("a client without an id must ask for a clean session")]
    ClientId,
    #[error("the client id holds a control character")]
    ControlCharacter,
    #[error("extended authentication is not supported; use user name and password")]
    Method,
    #[error("wrong user name or password")]
    Credentials,
    #[error("{0}")]
    NotAuthorized(String),
    #[error("this client may not publish to the topic of its will")]
    Will,
    #[error("it cannot be checked now who may connect; try again later")]
    Unavailable,
    #[error("all connections are taken; try again later")]
    Full,
    #[error("{0}; try again later")]
    Limit(Met),
}

impl Refusal {
    /// The return code of MQTT 3.1.1 (3.2.2.3); `None` if the connection is just closed.
    fn old_code(&self) -> Option<u8> {
        match self {
            Self::Malformed(_) | Self::Method => None,
            Self::Version => Some(1),
            Self::ClientId | Self::ControlCharacter => Some(2),
            Self::Full | Self::Unavailable | Self::Limit(_) => Some(3),
            Self::Credentials => Some(4),
            Self::NotAuthorized(_) | Self::Will => Some(5),
        }
    }

    fn new_code(&self) -> ConnectReasonCode {
        match self {
            Self::Malformed(_) => ConnectReasonCode::MalformedPacket,
            Self::Version => ConnectReasonCode::UnsupportedProtocolVersion,
            Self::ClientId | Self::ControlCharacter => ConnectReasonCode::ClientIdentifierNotValid,
            Self::Method => ConnectReasonCode::BadAuthenticationMethod,
            Self::Credentials => ConnectReasonCode::BadUserNameOrPassword,
            Self::NotAuthorized(_) | Self::Will => ConnectReasonCode::NotAuthorized,
            Self::Full => ConnectReasonCode::ServerBusy,
            Self::Unavailable => ConnectReasonCode::ServerUnavailable,
            Self::Limit(Met::DeviceConnections(_) | Met::AddressConnections(_)) => {
                ConnectReasonCode::QuotaExceeded
            }
            Self::Limit(Met::Connects(_) | Met::FailedLogins) => {
                ConnectReasonCode::ConnectionRateExceeded
            }
        }
    }
}

impl Connect {
    /// Reads the body of a CONNECT; on failure says in which version to answer.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, (Version, Refusal)> {
        let version = version(body)?;
        Self::parse_as(version, body).map_err(|refusal| (version, refusal))
    }

    fn parse_as(version: Version, body: &[u8]) -> Result<Self, Refusal> {
        check_flags(body.get(7).copied().unwrap_or_default())?;
        let (connect, length) = match version {
            Version::V3 => Self::from_old(body)?,
            Version::V5 => Self::from_new(body)?,
        };
        if length != body.len() {
            return Err(Refusal::Malformed("it goes on after its end"));
        }
        if connect.client.contains('\0') {
            return Err(Refusal::Malformed("the client id has a null character"));
        }
        if connect.client.chars().any(char::is_control) {
            // As a server may (MQTT 5, 1.5.4). What sessions are kept under relies on it.
            return Err(Refusal::ControlCharacter);
        }
        if version == Version::V3 && connect.client.is_empty() && !connect.clean {
            return Err(Refusal::ClientId);
        }
        Ok(connect)
    }

    fn from_old(body: &[u8]) -> Result<(Self, usize), Refusal> {
        let (packet, length) = v3_1_1::Connect::parse(body)
            .map_err(|_| Refusal::Malformed("a field is too short or not UTF-8"))?;
        let clean = packet.clean_session();
        let connect = Self {
            version: Version::V3,
            client: packet.client_id().to_owned(),
            clean,
            session_expiry: if clean { 0 } else { u32::MAX },
            keep_alive: packet.keep_alive(),
            username: packet.user_name().map(str::to_owned),
            password: packet.password().map(<[u8]>::to_vec),
            will: will(packet.will_topic(), packet.will_payload(), 0)?,
            max_packet: u32::MAX,
            receive_maximum: u16::MAX,
            wants_reasons: true,
        };
        Ok((connect, length))
    }

    fn from_new(body: &[u8]) -> Result<(Self, usize), Refusal> {
        let (packet, length) = v5_0::Connect::parse(body)
            .map_err(|_| Refusal::Malformed("a field or property is wrong"))?;
        let (mut session_expiry, mut max_packet, mut delay) = (0, u32::MAX, 0);
        let (mut receive_maximum, mut wants_reasons) = (u16::MAX, true);
        for property in packet.props() {
            match property {
                Property::SessionExpiryInterval(value) => session_expiry = value.val(),
                Property::MaximumPacketSize(value) => max_packet = value.val(),
                Property::ReceiveMaximum(value) => receive_maximum = value.val(),
                Property::RequestProblemInformation(value) => wants_reasons = value.val() != 0,
                Property::AuthenticationMethod(_) => return Err(Refusal::Method),
                _ => {}
            }
        }
        for property in packet.will_props() {
            if let Property::WillDelayInterval(value) = property {
                delay = value.val();
            }
        }
        let connect = Self {
            version: Version::V5,
            client: packet.client_id().to_owned(),
            clean: packet.clean_start(),
            session_expiry,
            keep_alive: packet.keep_alive(),
            username: packet.user_name().map(str::to_owned),
            password: packet.password().map(<[u8]>::to_vec),
            // A will never waits longer than the session lives (MQTT 5, 3.1.3.2.2).
            will: will(packet.will_topic(), packet.will_payload(), delay.min(session_expiry))?,
            max_packet,
            receive_maximum,
            wants_reasons,
        };
        Ok((connect, length))
    }
}

/// What a client is told that is let in.
pub(crate) struct Welcome<'a> {
    pub(crate) session_present: bool,
    /// The id that the server chose for it.
    pub(crate) assigned: Option<&'a Arc<str>>,
    /// The session expiry in seconds, if it is not what the client asked for.
    pub(crate) expiry: Option<u32>,
    /// The keep-alive in seconds, if it is not what the client asked for.
    pub(crate) keep_alive: Option<u16>,
}

/// CONNACK for a client that is let in.
pub(crate) fn accept(
    out: &mut BytesMut,
    version: Version,
    welcome: &Welcome<'_>,
    config: &EndpointConfig,
) {
    let Welcome { session_present, assigned, expiry, keep_alive } = *welcome;
    if version == Version::V3 {
        out.put_slice(&[0x20, 2, u8::from(session_present), 0]);
        return;
    }
    let list = [
        ReceiveMaximum::new(config.max_unacknowledged).map(Property::from),
        MaximumPacketSize::new(config.max_packet_size).map(Property::from),
        TopicAliasMaximum::new(MAX_ALIASES).map(Property::from),
        SubscriptionIdentifierAvailable::new(0).map(Property::from),
        SharedSubscriptionAvailable::new(0).map(Property::from),
    ];
    let mut properties: Properties = list.into_iter().flatten().collect();
    properties.extend(
        assigned.and_then(|id| AssignedClientIdentifier::new(&**id).ok()).map(Property::from),
    );
    properties.extend(
        expiry.and_then(|expiry| SessionExpiryInterval::new(expiry).ok()).map(Property::from),
    );
    properties.extend(
        keep_alive.and_then(|seconds| ServerKeepAlive::new(seconds).ok()).map(Property::from),
    );
    put_new(out, session_present, ConnectReasonCode::Success, properties);
}

/// CONNACK for a client that is not let in; nothing where MQTT 3.1.1 has no word for it.
pub(crate) fn refuse(out: &mut BytesMut, version: Version, refusal: &Refusal) {
    match version {
        Version::V3 => {
            if let Some(code) = refusal.old_code() {
                out.put_slice(&[0x20, 2, 0, code]);
            }
        }
        Version::V5 => {
            put_new(out, false, refusal.new_code(), reason_string(&refusal.to_string()));
        }
    }
}

fn put_new(
    out: &mut BytesMut,
    session_present: bool,
    code: ConnectReasonCode,
    properties: Properties,
) {
    let packet = v5_0::Connack::builder()
        .session_present(session_present)
        .reason_code(code)
        .props(properties)
        .build();
    if let Ok(packet) = packet {
        out.put_slice(&packet.to_continuous_buffer());
    }
}

/// The version that the client speaks, or in which to refuse it.
fn version(body: &[u8]) -> Result<Version, (Version, Refusal)> {
    match body {
        [0, 4, b'M', b'Q', b'T', b'T', 4, ..] => Ok(Version::V3),
        [0, 4, b'M', b'Q', b'T', b'T', 5, ..] => Ok(Version::V5),
        [0, 4, b'M', b'Q', b'T', b'T', level, ..] if *level > 5 => {
            Err((Version::V5, Refusal::Version))
        }
        [0, 4, b'M', b'Q', b'T', b'T', ..] | [0, 6, b'M', b'Q', b'I', b's', b'd', b'p', ..] => {
            Err((Version::V3, Refusal::Version))
        }
        _ => Err((Version::V3, Refusal::Malformed("this is not MQTT"))),
    }
}

/// Checks what the protocol crate does not: reserved bits (MQTT 5, 3.1.2).
fn check_flags(flags: u8) -> Result<(), Refusal> {
    let (will, will_qos, will_retain) = (flags & 4 != 0, (flags >> 3) & 3, flags & 0x20 != 0);
    if flags & 1 != 0 {
        return Err(Refusal::Malformed("the reserved flag is set"));
    }
    if will_qos == 3 || (!will && (will_qos != 0 || will_retain)) {
        return Err(Refusal::Malformed("the flags of the will contradict each other"));
    }
    Ok(())
}

fn will(topic: Option<&str>, payload: Option<&[u8]>, delay: u32) -> Result<Option<Will>, Refusal> {
    let Some(topic) = topic else { return Ok(None) };
    if topic.is_empty() || topic_name(topic.as_bytes()).is_err() {
        return Err(Refusal::Malformed("the topic of the will"));
    }
    let payload = Bytes::copy_from_slice(payload.unwrap_or_default());
    let delay = Duration::from_secs(delay.into());
    Ok(Some(Will { topic: topic.into(), payload, delay }))
}

#[cfg(test)]
mod tests {
    use mqtt_protocol_core::mqtt::packet::{Qos, RequestProblemInformation, WillDelayInterval};
    use proptest::prelude::*;

    use super::*;

    fn body(packet: &[u8]) -> &[u8] {
        let head = crate::wire::Head::peek(packet, 1 << 20).expect("good").expect("whole");
        &packet[head.header..]
    }

    #[test]
    fn a_full_connect_is_read() {
        let packet = v5_0::Connect::builder()
            .client_id("d1")
            .expect("an id")
            .clean_start(false)
            .keep_alive(30)
            .user_name("u")
            .expect("a name")
            .password(b"p")
            .expect("a password")
            .will_message("d1/lwt", b"gone", Qos::AtLeastOnce, false)
            .expect("a will")
            .will_props(vec![WillDelayInterval::new(50).expect("good").into()])
            .props(vec![
                SessionExpiryInterval::new(40).expect("good").into(),
                MaximumPacketSize::new(99).expect("good").into(),
                ReceiveMaximum::new(5).expect("good").into(),
                RequestProblemInformation::new(0).expect("good").into(),
            ])
            .build()
            .expect("a packet")
            .to_continuous_buffer();
        let will = Will {
            topic: "d1/lwt".into(),
            payload: Bytes::from_static(b"gone"),
            delay: Duration::from_secs(40),
        };
        let expected = Connect {
            version: Version::V5,
            client: "d1".into(),
            clean: false,
            session_expiry: 40,
            keep_alive: 30,
            username: Some("u".into()),
            password: Some(b"p".to_vec()),
            will: Some(will),
            max_packet: 99,
            receive_maximum: 5,
            wants_reasons: false,
        };
        assert_eq!(Connect::parse(body(&packet)), Ok(expected));
    }

    #[test]
    fn bad_connects_are_refused_in_the_clients_version() {
        let head = b"\0\x04MQTT";
        let with = |rest: &[u8]| [&head[..], rest].concat();
        for (bytes, version, code) in [
            (with(&[3, 2, 0, 9, 0, 1, b'd']), Version::V3, Some(1)),
            (b"\0\x06MQIsdp\x03\x02\0\x09\0\x01d".to_vec(), Version::V3, Some(1)),
            (with(&[6, 2, 0, 9, 0, 0, 1, b'd']), Version::V5, Some(1)),
            (with(&[4, 0, 0, 9, 0, 0]), Version::V3, Some(2)),
            (with(&[4, 2, 0, 9, 0, 3, b'd', 0x1f, b'c']), Version::V3, Some(2)),
            (with(&[4, 3, 0, 9, 0, 1, b'd']), Version::V3, None),
            (with(&[4, 0x1a, 0, 9, 0, 1, b'd']), Version::V3, None),
            (with(&[4, 2, 0, 9, 0, 1, b'd', 7]), Version::V3, None),
            (with(&[4, 2, 0, 9, 0, 9, b'd']), Version::V3, None),
            (with(&[4, 6, 0, 9, 0, 1, b'd', 0, 1, b'#', 0, 0]), Version::V3, None),
            (with(&[5, 2, 0, 9, 3, 0x15, 0, 0, 0, 1, b'd']), Version::V5, None),
            (b"GET / HTTP/1.1\r\n".to_vec(), Version::V3, None),
            (Vec::new(), Version::V3, None),
        ] {
            let (answer_in, refusal) = Connect::parse(&bytes).expect_err("bad");
            assert_eq!((answer_in, refusal.old_code()), (version, code), "{bytes:?}: {refusal}");
        }
    }

    #[test]
    fn a_refusal_says_why_to_a_client_that_can_be_told() {
        let mut out = BytesMut::new();
        refuse(&mut out, Version::V5, &Refusal::Credentials);
        let (packet, _) = v5_0::Connack::parse(&out[2..]).expect("a CONNACK");
        assert_eq!(packet.reason_code(), ConnectReasonCode::BadUserNameOrPassword);
        assert!(packet.props().iter().any(|property| matches!(
            property,
            Property::ReasonString(text) if text.val().contains("password")
        )));
        out.clear();
        refuse(&mut out, Version::V3, &Refusal::Credentials);
        assert_eq!(&out[..], [0x20, 2, 0, 4]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            level in 4_u8..6,
            rest in prop::collection::vec(any::<u8>(), 0..80),
        ) {
            let mut bytes = b"\0\x04MQTT".to_vec();
            bytes.push(level);
            bytes.extend(rest);
            let _ = Connect::parse(&bytes);
        }
    }
}
