//! Publishing over a connection of its own: for what is said now and then, and must arrive.

use crate::config::BrokerConfig;
use crate::link::{Event, Link, LinkError, Requests};

/// A message to be published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Its topic, without wildcards.
    pub topic: &'a str,
    /// Its payload.
    pub payload: &'a [u8],
    /// Whether the broker keeps it for whoever subscribes later.
    pub retain: bool,
}

/// Why messages were not published, or perhaps were.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The connection failed: another attempt may succeed.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The topic or the payload is one that the broker will never take.
    #[error("the broker will never take this: {0}")]
    Refused(String),
}

/// Publishes at QoS 1, in order, over a new connection with a session of its own, and waits until
/// the broker has acknowledged every message. After a failure some may have arrived. Bounded in
/// time by the caller only; dropping it ends the connection.
///
/// The client id of `config` must be that of no other session: the broker would end one of them.
pub async fn publish(config: &BrokerConfig, messages: &[Message<'_>]) -> Result<(), PublishError> {
    let (mut link, requests) = Link::prepare_brief(config)?;
    let mut open = messages.len();
    // The library asks for the broker's greeting first and sends after it.
    for Message { topic, payload, retain } in messages {
        requests.publish_surely(topic, payload.to_vec(), *retain)?;
    }
    while open > 0 {
        match link.next(config).await.map_err(too_large)? {
            Event::Published(Ok(())) => open -= 1,
            Event::Published(Err(reason)) => return Err(refusal(reason)),
            _ => {}
        }
    }
    say_goodbye(&mut link, &requests, config).await;
    Ok(())
}

/// Ends the connection as the standard wants it; everything that matters has arrived before.
async fn say_goodbye(link: &mut Link, requests: &Requests, config: &BrokerConfig) {
    if requests.disconnect().is_err() {
        return;
    }
    while let Ok(event) = link.next(config).await {
        if matches!(event, Event::Left) {
            return;
        }
    }
}

/// A message that is larger than the broker said that it takes will never go.
fn too_large(error: LinkError) -> PublishError {
    use rumqttc::v5::mqttbytes::Error;
    use rumqttc::v5::{ConnectionError, StateError};
    match error {
        LinkError::V5(inner) => match *inner {
            ConnectionError::MqttState(
                StateError::OutgoingPacketTooLarge { pkt_size, max }
                | StateError::Deserialization(Error::OutgoingPacketTooLarge { pkt_size, max }),
            ) => PublishError::Refused(format!("{pkt_size} bytes, of at most {max}")),
            other => LinkError::V5(Box::new(other)).into(),
        },
        other => other.into(),
    }
}

fn refusal(reason: rumqttc::v5::mqttbytes::v5::PubAckReason) -> PublishError {
    use rumqttc::v5::mqttbytes::v5::PubAckReason;
    match reason {
        PubAckReason::TopicNameInvalid | PubAckReason::PayloadFormatInvalid => {
            PublishError::Refused(format!("{reason:?}"))
        }
        reason => LinkError::NotTaken { reason }.into(),
    }
}
