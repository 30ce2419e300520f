//! Looking at a broker: whether it lets us in and grants our subscriptions, and which limits it says
//! that it has. Over a connection of its own with a session that ends with it, so that the session
//! which collects is not disturbed and no message is taken away from it.

use std::collections::BTreeMap;
use std::time::Duration;

use rumqttc::v5;
use rumqttc::v5::mqttbytes::v5 as packets_v5;

use crate::config::BrokerConfig;
use crate::link::{Event, Link, LinkError};
use crate::status::RefusedFilter;

/// What brokers tell of themselves, where they do: Mosquitto's topics.
const ABOUT: [&str; 3] = [
    "$SYS/broker/version",
    "$SYS/broker/publish/messages/dropped",
    "$SYS/broker/store/messages/count",
];

/// How long a broker may take until it has told of itself: it sends what it keeps at once.
const TELLING: Duration = Duration::from_secs(1);

/// What a broker was found to be like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Probe {
    /// Subscriptions that it did not grant.
    pub refused: Vec<RefusedFilter>,
    /// What it said of its limits.
    pub limits: BrokerLimits,
    /// What it tells of itself, by topic, such as `$SYS/broker/version`.
    pub about: BTreeMap<String, String>,
}

/// Limits that a broker of MQTT 5 says when we connect (MQTT 5, 3.2.2.3); `None` where it says
/// nothing, which stands for no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BrokerLimits {
    /// Messages at QoS 1 or 2 that it takes from us at a time.
    pub receive_maximum: Option<u16>,
    /// The highest QoS that it takes and gives.
    pub maximum_qos: Option<u8>,
    /// The largest packet that it takes, in bytes.
    pub maximum_packet_size: Option<u32>,
    /// Whether several clients can share a subscription.
    pub shared_subscriptions: Option<bool>,
    /// Whether it keeps messages for later subscribers.
    pub retain: Option<bool>,
    /// The keep-alive that it wants instead of ours, in seconds.
    pub keep_alive_s: Option<u16>,
}

/// Looks at a broker, as a client whose id is that of `config` with `-doctor` after it.
///
/// # Errors
/// If there is no connection, or the broker does not let us in or does not answer in `patience`.
pub async fn probe(
    config: &BrokerConfig,
    filters: &[String],
    patience: Duration,
) -> Result<Probe, LinkError> {
    let client_id = format!("{}-doctor", config.client_id);
    let config = BrokerConfig { client_id, ..config.clone() };
    let asked = ask(&config, filters);
    tokio::time::timeout(patience, asked).await.unwrap_or(Err(LinkError::Timeout))
}

async fn ask(config: &BrokerConfig, filters: &[String]) -> Result<Probe, LinkError> {
    let (mut link, requests) = Link::prepare_brief(config)?;
    let mut probe = Probe::default();
    while !greeted(&mut link, config, &mut probe.limits).await? {}
    if !filters.is_empty() {
        requests.subscribe(filters)?;
        let answers = loop {
            if let Event::Subscribed(answers) = link.next(config).await? {
                break answers;
            }
        };
        for (filter, answer) in filters.iter().zip(answers) {
            if let Err(reason) = answer {
                probe.refused.push(RefusedFilter { filter: filter.clone(), reason });
            }
        }
        for filter in filters {
            requests.unsubscribe(filter)?;
        }
    }
    // Only some brokers have these topics, and only some users may read them.
    requests.subscribe(&ABOUT.map(str::to_owned))?;
    let told = async {
        while probe.about.len() < ABOUT.len() {
            let Ok(event) = link.next(config).await else { return };
            let Event::Message(message) = event else { continue };
            if ABOUT.contains(&&*message.topic) {
                let text = String::from_utf8_lossy(&message.payload).into_owned();
                probe.about.insert(message.topic.into(), text);
            }
        }
    };
    let _ = tokio::time::timeout(TELLING, told).await;
    if requests.disconnect().is_ok() {
        let goodbye = async {
            while let Ok(event) = link.next(config).await {
                if matches!(event, Event::Left) {
                    return;
                }
            }
        };
        let _ = tokio::time::timeout(TELLING, goodbye).await;
    }
    Ok(probe)
}

/// Takes the next packet, and tells whether it was the broker's greeting.
async fn greeted(
    link: &mut Link,
    config: &BrokerConfig,
    limits: &mut BrokerLimits,
) -> Result<bool, LinkError> {
    let Link::V5(events) = link else {
        return Ok(matches!(link.next(config).await?, Event::Connected { .. }));
    };
    let event = events.poll().await.map_err(|error| crate::link::error_v5(error, config))?;
    let v5::Event::Incoming(packets_v5::Packet::ConnAck(packet)) = event else { return Ok(false) };
    if let Some(said) = packet.properties {
        *limits = BrokerLimits {
            receive_maximum: said.receive_max,
            maximum_qos: said.max_qos,
            maximum_packet_size: said.max_packet_size,
            shared_subscriptions: said.shared_subscription_available.map(|yes| yes != 0),
            retain: said.retain_available.map(|yes| yes != 0),
            keep_alive_s: said.server_keep_alive,
        };
    }
    Ok(true)
}
