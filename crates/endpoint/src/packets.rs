//! What a connection does with the packets that came in, and with the commits that come back.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use city_model::Timestamp;
use city_pipeline::{Ack, Delivery, RawMessage};
use mqtt_protocol_core::mqtt::packet::{Property, v5_0};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use crate::acks::{BatchSink, Verdict};
use crate::answer;
use crate::connect::MAX_ALIASES;
use crate::connection::{Connection, End};
use crate::parse::{Publish, qos};
use crate::stats::add;
use crate::subscribe::Subscriber;
use crate::wire::{Head, Version, Violation, kind, packet_id};

/// The flag of a PUBLISH that was sent before.
const DUP: u8 = 8;

/// Messages of one read.
#[derive(Default)]
struct Batch {
    messages: Vec<RawMessage>,
    sink: Option<Arc<BatchSink>>,
    received: Option<Timestamp>,
    bytes: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Takes all packets that are there, up to the first that has to wait.
    pub(crate) fn take_packets(&mut self) -> (Vec<RawMessage>, Option<End>) {
        let mut batch = Batch::default();
        self.blocked = false;
        self.paused_until = None;
        let limit = self.shared.config.max_packet_size as usize;
        let end = loop {
            let head = match Head::peek(&self.inbuf, limit) {
                Ok(Some(head)) if head.total() <= self.inbuf.len() => head,
                Ok(_) => break None,
                Err(violation) => break Some(End::Broken(violation)),
            };
            if head.kind == kind::PUBLISH
                && qos(head.flags) != Ok(0)
                && !self.window.has_room(head.total())
            {
                self.blocked = true;
                break None;
            }
            if head.kind == kind::PUBLISH && self.is_over_its_rate() {
                break None;
            }
            match self.packet(head, &mut batch) {
                Ok(None) => {}
                Ok(end) => break end,
                Err(violation) => break Some(End::Broken(violation)),
            }
        };
        if self.inbuf.is_empty() {
            // An idle connection holds no memory.
            self.inbuf = BytesMut::new();
        }
        if !batch.messages.is_empty() {
            add(&self.shared.stats.received, batch.messages.len());
            add(&self.shared.stats.bytes, batch.bytes);
        }
        (batch.messages, end)
    }

    /// Takes one packet that is complete.
    fn packet(&mut self, head: Head, batch: &mut Batch) -> Result<Option<End>, Violation> {
        if head.kind == kind::PUBLISH {
            self.publish(head, batch)?;
            return Ok(None);
        }
        let body = &self.inbuf[head.header..head.total()];
        let mut end = None;
        match head.kind {
            kind::PUBREL => {
                let id = packet_id(body, 0)?;
                let known = match self.unreleased.get(&id) {
                    Some(false) => return Err(Violation::Protocol("PUBREL before PUBREC")),
                    Some(true) => true,
                    None => false,
                };
                self.unreleased.remove(&id);
                answer::complete(&mut self.out, self.version, id, known);
            }
            kind::SUBSCRIBE | kind::UNSUBSCRIBE => {
                let subscriber = Subscriber {
                    post: &self.shared.post,
                    client: &self.hold.client,
                    bell: &self.acks,
                    lasting: !self.expiry.is_zero(),
                    version: self.version,
                    explains: self.explains,
                    rights: &self.grant.commands,
                };
                if head.kind == kind::SUBSCRIBE {
                    self.has_mailbox |= subscriber.subscribe(&mut self.out, body)?;
                } else {
                    subscriber.unsubscribe(&mut self.out, body)?;
                }
            }
            kind::PINGREQ => answer::pong(&mut self.out),
            kind::DISCONNECT => {
                let with_will = body.first() == Some(&0x04);
                end = Some(if with_will { End::ByeWithWill } else { End::Bye });
                if self.version == Version::V5
                    && let Some(seconds) = new_expiry(body)?
                {
                    self.change_expiry(seconds)?;
                }
            }
            kind::PUBACK => {
                let id = packet_id(body, 0)?;
                if self.has_mailbox {
                    self.shared.post.acknowledged(&self.hold.client, id);
                    self.acks.ring_for_mail();
                }
            }
            kind::CONNECT => return Err(Violation::Protocol("a second CONNECT")),
            _ => return Err(Violation::Protocol("a packet that a client may not send here")),
        }
        self.inbuf.advance(head.total());
        Ok(end)
    }

    fn publish(&mut self, head: Head, batch: &mut Batch) -> Result<(), Violation> {
        let body = &self.inbuf[head.header..head.total()];
        let packet = Publish::parse(head.flags, body, self.version)?;
        let topic = resolve(&mut self.aliases, packet.topic, packet.alias)?;
        let (qos, id, start) = (packet.qos, packet.packet_id, packet.payload);
        self.inbuf.advance(head.header + start);
        let payload = self.inbuf.split_to(head.body - start).freeze();

        if qos == 2
            && let Some(durable) = self.unreleased.get(&id)
        {
            if *durable {
                // It was taken before: only its PUBREC was lost.
                self.window.push(id, true, 0, Verdict::Stored);
                self.acks.ring();
            }
            return Ok(());
        }
        if let Some(meter) = self.pass.as_ref().and_then(|pass| pass.meter.as_ref()) {
            meter.spend(head.total());
        }
        if !self.grant.publish.allows(&topic) {
            return self.refuse(qos, id);
        }
        let mut ack = None;
        if qos > 0 {
            let limit = self.shared.config.max_unacknowledged;
            if qos == 2 {
                if self.unreleased.len() >= limit.into() {
                    return Err(Violation::ReceiveMaximum(limit));
                }
                self.unreleased.insert(id, false);
            }
            let token = self.window.push(id, qos == 2, head.total(), Verdict::Waits);
            let acks = &self.acks;
            let sink = batch.sink.get_or_insert_with(|| Arc::new(BatchSink::new(acks.clone())));
            sink.expect();
            let delivery = Delivery { again: head.flags & DUP != 0, ..Delivery::default() };
            ack = Some(Ack::new(sink.clone(), token).delivered(delivery));
        }
        let shared = &self.shared;
        batch.bytes += topic.len() + payload.len();
        batch.messages.push(RawMessage {
            source: (shared.route)(&topic, Some(&self.grant.name)),
            topic,
            payload,
            received: *batch.received.get_or_insert_with(|| shared.clock.now()),
            // To us it is news: the device has just said it.
            retained: false,
            replayed: false,
            client: Some(self.grant.name.clone()),
            ack,
        });
        Ok(())
    }

    /// Whether the device has to wait before it is listened to again; then says until when.
    fn is_over_its_rate(&mut self) -> bool {
        let Some(meter) = self.pass.as_ref().and_then(|pass| pass.meter.as_ref()) else {
            return false;
        };
        self.paused_until = meter.wait(Instant::now());
        if self.paused_until.is_some() {
            add(&self.shared.stats.throttled, 1);
        }
        self.paused_until.is_some()
    }

    /// The client says how long its session is to outlive this connection (MQTT 5, 3.14.2.2.2).
    fn change_expiry(&mut self, seconds: u32) -> Result<(), Violation> {
        if self.expiry.is_zero() && seconds > 0 {
            return Err(Violation::Protocol("a session that was to end cannot be kept"));
        }
        let most = self.shared.config.max_session_expiry.to_std();
        self.expiry = Duration::from_secs(seconds.into()).min(most);
        Ok(())
    }

    /// A publish to a topic to which the client has no right.
    fn refuse(&mut self, qos: u8, id: u16) -> Result<(), Violation> {
        add(&self.shared.stats.refused, 1);
        if self.version == Version::V3 {
            // MQTT 3.1.1 has no word for it but the end (3.3.5).
            return Err(Violation::NotAuthorized);
        }
        if qos > 0 {
            self.window.push(id, qos == 2, 0, Verdict::Refused);
            self.acks.ring();
        }
        Ok(())
    }

    /// Writes the answers that are due; says whether the pipeline gave up a message.
    pub(crate) fn settle(&mut self, tokens: &mut Vec<u64>) -> bool {
        let lost = self.acks.take(tokens);
        for token in tokens.drain(..) {
            self.window.commit(token);
        }
        let mut acknowledged = 0;
        while let Some(slot) = self.window.pop() {
            if slot.verdict == Verdict::Stored {
                acknowledged += 1;
                if slot.qos2 {
                    self.unreleased.insert(slot.packet_id, true);
                }
            }
            answer::acknowledge(&mut self.out, slot, self.explains);
        }
        if self.window.is_empty() {
            *tokens = Vec::new();
        }
        add(&self.shared.stats.acknowledged, acknowledged);
        if self.has_mailbox && self.acks.take_mail() {
            self.deliver();
        }
        lost
    }
}

/// The session expiry of a DISCONNECT, in seconds, if it has one.
fn new_expiry(body: &[u8]) -> Result<Option<u32>, Violation> {
    if body.len() < 2 {
        return Ok(None);
    }
    let (packet, _) =
        v5_0::Disconnect::parse(body).map_err(|_| Violation::Malformed("DISCONNECT"))?;
    let properties = packet.props().iter().flat_map(|list| list.iter());
    Ok(properties.fold(None, |found, property| match property {
        Property::SessionExpiryInterval(value) => Some(value.val()),
        _ => found,
    }))
}

/// The topic that a name and an alias stand for (MQTT 5, 3.3.2.3.4).
fn resolve(
    aliases: &mut Vec<Option<Box<str>>>,
    topic: &str,
    alias: Option<u16>,
) -> Result<Box<str>, Violation> {
    let Some(alias) = alias else { return Ok(topic.into()) };
    if alias == 0 || alias > MAX_ALIASES {
        return Err(Violation::Alias(alias));
    }
    let index = usize::from(alias) - 1;
    if topic.is_empty() {
        let known = aliases.get(index).and_then(Option::clone);
        return known.ok_or(Violation::Alias(alias));
    }
    if aliases.len() <= index {
        aliases.resize(index + 1, None);
    }
    aliases[index] = Some(topic.into());
    Ok(topic.into())
}
