//! SUBSCRIBE and UNSUBSCRIBE: which commands a client hears.

use std::sync::Arc;

use bytes::BytesMut;
use mqtt_protocol_core::mqtt::packet::{Property, RetainHandling, v3_1_1, v5_0};

use crate::acks::Acks;
use crate::answer;
use crate::filters::{Filters, is_valid};
use crate::post::{Post, Retained};
use crate::wire::{Version, Violation, packet_id};

const NO_SUBSCRIPTION: u8 = 0x11;
const FAILURE_V3: u8 = 0x80;
const NOT_AUTHORIZED: u8 = 0x87;
const FILTER_INVALID: u8 = 0x8f;
const SHARED_NOT_SUPPORTED: u8 = 0x9e;
/// Subscriptions of one client.
const MAX_SUBSCRIPTIONS: usize = 50;
const QUOTA_EXCEEDED: u8 = 0x97;

/// Whose subscriptions they are.
pub(crate) struct Subscriber<'a> {
    pub(crate) post: &'a Post,
    pub(crate) client: &'a Arc<str>,
    pub(crate) bell: &'a Arc<Acks>,
    pub(crate) lasting: bool,
    pub(crate) version: Version,
    /// Whether the client takes explanations.
    pub(crate) explains: bool,
    pub(crate) rights: &'a Filters,
}

/// One filter that a client asks for.
struct Asked {
    filter: String,
    qos: u8,
    retained: Retained,
}

impl Subscriber<'_> {
    /// Subscribes to what the client may hear, and writes the SUBACK; what is kept for it comes
    /// after that. Says whether anything was granted.
    pub(crate) fn subscribe(&self, out: &mut BytesMut, body: &[u8]) -> Result<bool, Violation> {
        let id = packet_id(body, 0)?;
        let asked = self.asked(body)?;
        let codes: Vec<u8> = asked.iter().map(|asked| self.code(asked)).collect();
        let mut granted = false;
        for (asked, code) in asked.iter().zip(&codes).filter(|(_, code)| **code < 3) {
            let subscription = (asked.filter.as_str(), *code);
            self.post.subscribe(self.client, self.lasting, self.bell, subscription, asked.retained);
            granted = true;
        }
        let refused = codes.contains(&NOT_AUTHORIZED) && self.explains;
        let text = refused.then(|| self.explanation());
        let codes: Vec<u8> = match self.version {
            Version::V5 => codes,
            Version::V3 => {
                codes.iter().map(|code| if *code < 3 { *code } else { FAILURE_V3 }).collect()
            }
        };
        answer::subscribed(out, self.version, id, &codes, text.as_deref());
        Ok(granted)
    }

    /// Unsubscribes, and writes the UNSUBACK.
    pub(crate) fn unsubscribe(&self, out: &mut BytesMut, body: &[u8]) -> Result<(), Violation> {
        let bad = |_| Violation::Malformed("UNSUBSCRIBE");
        let id = packet_id(body, 0)?;
        let filters: Vec<String> = if self.version == Version::V3 {
            let (packet, _) = v3_1_1::Unsubscribe::parse(body).map_err(bad)?;
            packet.entries().iter().map(|filter| filter.as_str().to_owned()).collect()
        } else {
            let (packet, _) = v5_0::Unsubscribe::parse(body).map_err(bad)?;
            packet.entries().iter().map(|filter| filter.as_str().to_owned()).collect()
        };
        let code = |filter: &String| {
            if self.post.unsubscribe(self.client, filter) { 0 } else { NO_SUBSCRIPTION }
        };
        let codes: Vec<u8> = filters.iter().map(code).collect();
        answer::unsubscribed(out, self.version, id, &codes);
        Ok(())
    }

    fn asked(&self, body: &[u8]) -> Result<Vec<Asked>, Violation> {
        let bad = |_| Violation::Malformed("SUBSCRIBE");
        if self.version == Version::V3 {
            let (packet, _) = v3_1_1::Subscribe::parse(body).map_err(bad)?;
            let entries = packet.entries().iter();
            return Ok(entries
                .map(|entry| Asked {
                    filter: entry.topic_filter().to_owned(),
                    qos: entry.sub_opts().qos() as u8,
                    retained: Retained::Send,
                })
                .collect());
        }
        let (packet, _) = v5_0::Subscribe::parse(body).map_err(bad)?;
        let numbered =
            |property: &Property| matches!(property, Property::SubscriptionIdentifier(_));
        if packet.props().iter().any(numbered) {
            return Err(Violation::SubscriptionIdentifier);
        }
        let entries = packet.entries().iter();
        Ok(entries
            .map(|entry| Asked {
                filter: entry.topic_filter().to_owned(),
                qos: entry.sub_opts().qos() as u8,
                retained: match entry.sub_opts().rh() {
                    RetainHandling::SendRetained => Retained::Send,
                    RetainHandling::SendRetainedIfNotExists => Retained::SendIfNew,
                    RetainHandling::DoNotSendRetained => Retained::DoNotSend,
                },
            })
            .collect())
    }

    /// The QoS at which a filter is granted, or the reason why not (MQTT 5, 3.9.3).
    fn code(&self, asked: &Asked) -> u8 {
        if !is_valid(&asked.filter) {
            FILTER_INVALID
        } else if asked.filter.starts_with("$share/") {
            SHARED_NOT_SUPPORTED
        } else if !self.rights.covers(&asked.filter) {
            NOT_AUTHORIZED
        } else if self.post.is_full(self.client, &asked.filter, MAX_SUBSCRIPTIONS) {
            QUOTA_EXCEEDED
        } else {
            asked.qos.min(1)
        }
    }

    fn explanation(&self) -> String {
        let own: Vec<&str> = self.rights.iter().collect();
        if own.is_empty() {
            return "this client may not subscribe: the server delivers commands only".to_owned();
        }
        format!("the server delivers commands only; this client may hear {}", own.join(", "))
    }
}
