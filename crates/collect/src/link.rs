//! One connection of the client library, in either version of MQTT.

use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use bytes::Bytes;
use rumqttc::v5;
use rumqttc::v5::mqttbytes::v5 as packets_v5;
use rumqttc::{TlsConfiguration, Transport};

use crate::acks::Slot;
use crate::config::{BrokerConfig, MQTT_MAX_PACKET, MqttVersion};
use crate::publisher::Publication;
use crate::sparkplug::Host;
use crate::tls::TlsError;

/// Requests that may wait for the poll loop: every packet id once, and some subscriptions, so
/// that an acknowledgement always finds room. Memory is taken only as they come.
const REQUESTS: usize = u16::MAX as usize + 1024;
/// How long the TCP connection and the CONNACK may take.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
/// Messages of ours in flight: there are few, and the library reserves room for each.
const OUTGOING: u16 = 16;

/// Why there is no connection, or no longer.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The password file cannot be read.
    #[error("cannot read password_file {path}: {error}")]
    PasswordFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// TLS is not set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The broker and we do not agree on TLS.
    #[error(
        "TLS with {host}:{port} failed: {error}; check tls.ca_file and tls.server_name, our \
         certificate if the broker wants one, and that it speaks TLS on this port"
    )]
    Handshake {
        /// The broker.
        host: String,
        /// Its port.
        port: u16,
        /// Why.
        #[source]
        error: Box<rumqttc::TlsError>,
    },
    /// The broker cannot be reached, or the network broke.
    #[error("no connection to {host}:{port}: {error}")]
    Network {
        /// The broker.
        host: String,
        /// Its port.
        port: u16,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// The broker did not answer in time.
    #[error("the broker did not answer in time; is it MQTT that listens there?")]
    Timeout,
    /// The broker did not let us in.
    #[error("the broker refuses us: {reason:?}; check client_id, username and password")]
    Refused {
        /// Its reason, as the standard names it.
        reason: Reason,
    },
    /// The broker sent more than the `max_packet_size` that it was told.
    #[error(
        "the broker sent a message larger than max_packet_size, which MQTT 5 forbids; raise it, \
         or use version 4, because the broker sends that message again and again"
    )]
    TooLarge,
    /// The broker ended the connection, and said why.
    #[error("the broker ended the connection: {reason:?}")]
    Disconnected {
        /// Its reason, as the standard names it.
        reason: packets_v5::DisconnectReasonCode,
    },
    /// The broker closed the connection without a word.
    #[error("the broker closed the connection; another client with the same client_id does that")]
    Closed,
    /// The broker stopped answering.
    #[error("the broker did not answer our ping within the keep-alive")]
    Silent,
    /// Anything else that the client library reports over MQTT 3.1.1.
    #[error("MQTT 3.1.1: {0}")]
    V4(#[source] Box<rumqttc::ConnectionError>),
    /// Anything else that the client library reports over MQTT 5.
    #[error("MQTT 5: {0}")]
    V5(#[source] Box<v5::ConnectionError>),
    /// The broker did not take a message of ours.
    #[error("the broker does not take the message: {reason:?}; check its access rules")]
    NotTaken {
        /// Its reason, as the standard names it.
        reason: packets_v5::PubAckReason,
    },
    /// The broker sent more than there was room for, while the pipeline was full.
    #[error(
        "the broker sent more than receive_maximum messages while the pipeline was full; \
         connecting again to get the rest"
    )]
    Overflow,
    /// The pipeline gave up a message: it is to come again.
    #[error("the pipeline could not store a message; the broker is to send it again")]
    NotStored,
    /// The client library takes no more requests.
    #[error("the client library takes no more requests")]
    Stuck,
}

/// Why a broker did not let us in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// In the words of MQTT 3.1.1.
    V4(rumqttc::ConnectReturnCode),
    /// In the words of MQTT 5.
    V5(packets_v5::ConnectReturnCode),
}

/// What came over the connection.
#[derive(Debug)]
pub(crate) enum Event {
    Connected {
        session: bool,
    },
    Message(Delivery),
    /// For each filter of a SUBSCRIBE, in order, whether it was granted, or why not.
    Subscribed(Vec<Result<(), String>>),
    /// A message of ours was taken; or why it was not, as the standard names it (MQTT 5).
    Published(Result<(), packets_v5::PubAckReason>),
    Ping,
    Pong,
    /// An acknowledgement that was asked for is out.
    Acknowledged,
    /// Our goodbye is out.
    Left,
    Other,
}

/// A message as the broker delivered it.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) topic: Box<str>,
    pub(crate) payload: Bytes,
    /// 0 to 2.
    pub(crate) qos: u8,
    pub(crate) id: u16,
    pub(crate) retained: bool,
    /// The broker had sent it before.
    pub(crate) again: bool,
}

/// The receiving half. A new one is made for each connection: nothing of an earlier one is left
/// in it, neither events that were read but not seen, nor acknowledgements that were not sent.
pub(crate) enum Link {
    V4(Box<rumqttc::EventLoop>),
    V5(Box<v5::EventLoop>),
}

/// The sending half.
pub(crate) enum Requests {
    V4(rumqttc::AsyncClient),
    V5(v5::AsyncClient),
}

impl Link {
    /// Prepares a connection with a session that lasts, but for a Sparkplug host; [`Link::next`]
    /// makes it.
    pub(crate) fn prepare(
        config: &BrokerConfig,
        sparkplug: Option<&Host>,
    ) -> Result<(Self, Requests), LinkError> {
        Self::prepare_for(config, sparkplug, sparkplug.is_some())
    }

    /// Prepares a connection whose session ends with it.
    pub(crate) fn prepare_brief(config: &BrokerConfig) -> Result<(Self, Requests), LinkError> {
        Self::prepare_for(config, None, true)
    }

    fn prepare_for(
        config: &BrokerConfig,
        sparkplug: Option<&Host>,
        brief: bool,
    ) -> Result<(Self, Requests), LinkError> {
        let password = password(config)?;
        let login = config.username.clone().zip(password.or_else(|| Some(String::new())));
        let keep_alive = config.keep_alive.to_std();
        let transport = match &config.tls {
            Some(tls) => Transport::tls_with_config(TlsConfiguration::Rustls(tls.client()?)),
            None => Transport::tcp(),
        };
        // The library appends the port with a colon, and takes what is before it as the name in
        // the certificate.
        let host = match config.host.parse::<Ipv6Addr>() {
            Ok(address) if config.tls.is_none() => format!("[{address}]"),
            _ => config.host.clone(),
        };
        Ok(match config.version {
            MqttVersion::V4 => {
                let mut options = rumqttc::MqttOptions::new(&config.client_id, host, config.port());
                // A limit here would end the connection at a larger message, which the broker
                // sends again over the next, for ever. So it is taken, cut and acknowledged.
                let limit = MQTT_MAX_PACKET as usize;
                options
                    .set_transport(transport)
                    .set_keep_alive(keep_alive)
                    .set_clean_session(brief)
                    .set_manual_acks(true)
                    .set_inflight(OUTGOING)
                    .set_max_packet_size(limit, limit);
                if let Some(host) = sparkplug {
                    let qos = rumqttc::QoS::AtLeastOnce;
                    options.set_last_will(rumqttc::LastWill::new(
                        host.topic(),
                        host.will(),
                        qos,
                        true,
                    ));
                }
                if let Some((username, password)) = login {
                    options.set_credentials(username, password);
                }
                let (client, mut events) = rumqttc::AsyncClient::new(options, REQUESTS);
                let mut network = rumqttc::NetworkOptions::new();
                network.set_tcp_nodelay(true);
                network.set_connection_timeout(CONNECT_PATIENCE.as_secs());
                events.set_network_options(network);
                (Self::V4(Box::new(events)), Requests::V4(client))
            }
            MqttVersion::V5 => {
                let mut options = v5::MqttOptions::new(&config.client_id, host, config.port());
                let expiry = if brief { 0 } else { config.session_expiry.to_std().as_secs() };
                // The topic alias maximum is left unset: the library loses aliases on reconnect.
                options
                    .set_transport(transport)
                    .set_keep_alive(keep_alive)
                    .set_clean_start(brief)
                    .set_manual_acks(true)
                    .set_outgoing_inflight_upper_limit(OUTGOING)
                    .set_connection_timeout(CONNECT_PATIENCE.as_secs())
                    .set_receive_maximum(Some(config.receive_maximum))
                    .set_max_packet_size(Some(config.max_packet_size))
                    .set_session_expiry_interval(Some(u32::try_from(expiry).unwrap_or(u32::MAX)));
                if let Some(host) = sparkplug {
                    let qos = v5::mqttbytes::QoS::AtLeastOnce;
                    let will =
                        packets_v5::LastWill::new(host.topic(), host.will(), qos, true, None);
                    options.set_last_will(will);
                }
                if let Some((username, password)) = login {
                    options.set_credentials(username, password);
                }
                let mut network = rumqttc::NetworkOptions::new();
                network.set_tcp_nodelay(true);
                options.set_network_options(network);
                let (client, events) = v5::AsyncClient::new(options, REQUESTS);
                (Self::V5(Box::new(events)), Requests::V5(client))
            }
        })
    }

    /// Whether [`Link::acknowledge`] sends anything.
    pub(crate) fn takes_acknowledgements(&self) -> bool {
        matches!(self, Self::V4(_))
    }

    /// Sends acknowledgements, all together, if it takes them. Not to be dropped half-way.
    pub(crate) async fn acknowledge(
        &mut self,
        due: &[Slot],
        config: &BrokerConfig,
    ) -> Result<(), LinkError> {
        match self {
            Self::V4(events) if !due.is_empty() => {
                acknowledge_together(events, due).await.map_err(|error| error_v4(error, config))
            }
            _ => Ok(()),
        }
    }

    /// The next event. Not to be dropped half-way: a request that it is sending would be lost.
    pub(crate) async fn next(&mut self, config: &BrokerConfig) -> Result<Event, LinkError> {
        match self {
            Self::V4(events) => {
                events.poll().await.map(event_v4).map_err(|error| error_v4(error, config))
            }
            Self::V5(events) => {
                events.poll().await.map(event_v5).map_err(|error| error_v5(error, config))
            }
        }
    }
}

impl Requests {
    /// Acknowledges a message of this connection.
    pub(crate) fn acknowledge(&self, slot: Slot) -> Result<(), LinkError> {
        let sent = match self {
            Self::V4(client) => {
                let mut message =
                    rumqttc::Publish::new(String::new(), qos_v4(slot.qos), Vec::new());
                message.pkid = slot.id;
                client.try_ack(&message).is_ok()
            }
            Self::V5(client) => {
                let mut message = packets_v5::Publish::new("", qos_v5(slot.qos), "", None);
                message.pkid = slot.id;
                client.try_ack(&message).is_ok()
            }
        };
        if sent { Ok(()) } else { Err(LinkError::Stuck) }
    }

    /// Subscribes at QoS 1.
    pub(crate) fn subscribe(&self, filters: &[String]) -> Result<(), LinkError> {
        let sent = match self {
            Self::V4(client) => {
                let filters = filters.iter().map(|filter| {
                    rumqttc::SubscribeFilter::new(filter.clone(), rumqttc::QoS::AtLeastOnce)
                });
                client.try_subscribe_many(filters).is_ok()
            }
            Self::V5(client) => {
                let filters = filters.iter().map(|filter| packets_v5::Filter {
                    // Retained messages come with a new subscription, not with every reconnect.
                    retain_forward_rule: packets_v5::RetainForwardRule::OnNewSubscribe,
                    ..packets_v5::Filter::new(filter.clone(), v5::mqttbytes::QoS::AtLeastOnce)
                });
                client.try_subscribe_many(filters).is_ok()
            }
        };
        if sent { Ok(()) } else { Err(LinkError::Stuck) }
    }

    /// Gives a subscription up.
    pub(crate) fn unsubscribe(&self, filter: &str) -> Result<(), LinkError> {
        let sent = match self {
            Self::V4(client) => client.try_unsubscribe(filter).is_ok(),
            Self::V5(client) => client.try_unsubscribe(filter).is_ok(),
        };
        if sent { Ok(()) } else { Err(LinkError::Stuck) }
    }

    /// Publishes a command of ours: QoS 0, not retained.
    pub(crate) fn publish(&self, publication: Publication) -> Result<(), LinkError> {
        let Publication { topic, payload } = publication;
        let sent = match self {
            Self::V4(client) => {
                client.try_publish(topic, rumqttc::QoS::AtMostOnce, false, payload).is_ok()
            }
            Self::V5(client) => {
                let qos = v5::mqttbytes::QoS::AtMostOnce;
                client.try_publish(topic, qos, false, payload).is_ok()
            }
        };
        if sent { Ok(()) } else { Err(LinkError::Stuck) }
    }

    /// Publishes a state of ours: QoS 1, retained.
    pub(crate) fn retain(&self, topic: &str, payload: Vec<u8>) -> Result<(), LinkError> {
        self.publish_surely(topic, payload, true)
    }

    /// Publishes at QoS 1.
    pub(crate) fn publish_surely(
        &self,
        topic: &str,
        payload: Vec<u8>,
        retain: bool,
    ) -> Result<(), LinkError> {
        let sent = match self {
            Self::V4(client) => {
                client.try_publish(topic, rumqttc::QoS::AtLeastOnce, retain, payload).is_ok()
            }
            Self::V5(client) => {
                let qos = v5::mqttbytes::QoS::AtLeastOnce;
                client.try_publish(topic, qos, retain, payload).is_ok()
            }
        };
        if sent { Ok(()) } else { Err(LinkError::Stuck) }
    }

    /// Says goodbye; the session stays.
    pub(crate) fn disconnect(&self) -> Result<(), LinkError> {
        let sent = match self {
            Self::V4(client) => client.try_disconnect().is_ok(),
            Self::V5(client) => client.try_disconnect().is_ok(),
        };
        if sent { Ok(()) } else { Err(LinkError::Stuck) }
    }
}

/// Writes acknowledgements and sends them at once. The library sends each that it is asked for on its
/// own, a call of the system and a packet of the network for four bytes; its half for MQTT 5 has no
/// other way.
async fn acknowledge_together(
    events: &mut rumqttc::EventLoop,
    due: &[Slot],
) -> Result<(), rumqttc::ConnectionError> {
    // Without a connection there is nothing that the broker waits for.
    let Some(network) = events.network.as_mut() else { return Ok(()) };
    let all = async {
        for slot in due {
            let packet = match slot.qos {
                2 => rumqttc::Packet::PubRec(rumqttc::PubRec::new(slot.id)),
                _ => rumqttc::Packet::PubAck(rumqttc::PubAck::new(slot.id)),
            };
            network.write(packet).await?;
        }
        network.flush().await
    };
    let sent = tokio::time::timeout(CONNECT_PATIENCE, all).await;
    Ok(sent.map_err(|_| rumqttc::ConnectionError::FlushTimeout)??)
}

/// Whether a subscription can be made at all (MQTT 5, 4.7).
pub(crate) fn valid_filter(filter: &str) -> bool {
    rumqttc::valid_filter(filter)
}

fn password(config: &BrokerConfig) -> Result<Option<String>, LinkError> {
    let read = |path: &Path| {
        let text = fs::read_to_string(path)
            .map_err(|error| LinkError::PasswordFile { path: path.to_owned(), error })?;
        Ok(text.lines().next().unwrap_or_default().to_owned())
    };
    match (&config.password, &config.password_file) {
        (Some(password), _) => Ok(Some(password.reveal().to_owned())),
        (None, Some(path)) => read(path).map(Some),
        (None, None) => Ok(None),
    }
}

fn event_v4(event: rumqttc::Event) -> Event {
    use rumqttc::{Packet, SubscribeReasonCode};
    let packet = match event {
        rumqttc::Event::Incoming(packet) => packet,
        rumqttc::Event::Outgoing(outgoing) => return event_out(&outgoing),
    };
    match packet {
        Packet::ConnAck(packet) => Event::Connected { session: packet.session_present },
        Packet::Publish(packet) => Event::Message(Delivery {
            topic: packet.topic.into_boxed_str(),
            payload: packet.payload,
            qos: packet.qos as u8,
            id: packet.pkid,
            retained: packet.retain,
            again: packet.dup,
        }),
        Packet::SubAck(packet) => {
            let answer = |code| match code {
                SubscribeReasonCode::Success(_) => Ok(()),
                SubscribeReasonCode::Failure => Err("refused".to_owned()),
            };
            Event::Subscribed(packet.return_codes.into_iter().map(answer).collect())
        }
        Packet::PubAck(_) => Event::Published(Ok(())),
        Packet::PingResp => Event::Pong,
        _ => Event::Other,
    }
}

fn event_v5(event: v5::Event) -> Event {
    use packets_v5::{Packet, PubAckReason, SubscribeReasonCode};
    let packet = match event {
        v5::Event::Incoming(packet) => packet,
        v5::Event::Outgoing(outgoing) => return event_out(&outgoing),
    };
    match packet {
        Packet::ConnAck(packet) => Event::Connected { session: packet.session_present },
        Packet::Publish(packet) => Event::Message(Delivery {
            topic: String::from_utf8_lossy(&packet.topic).into(),
            payload: packet.payload,
            qos: packet.qos as u8,
            id: packet.pkid,
            retained: packet.retain,
            again: packet.dup,
        }),
        Packet::SubAck(packet) => {
            let answer = |code| match code {
                SubscribeReasonCode::Success(_) => Ok(()),
                other => Err(format!("{other:?}")),
            };
            Event::Subscribed(packet.return_codes.into_iter().map(answer).collect())
        }
        Packet::PubAck(packet) => Event::Published(match packet.reason {
            PubAckReason::Success | PubAckReason::NoMatchingSubscribers => Ok(()),
            reason => Err(reason),
        }),
        Packet::PingResp(_) => Event::Pong,
        _ => Event::Other,
    }
}

fn event_out(outgoing: &rumqttc::Outgoing) -> Event {
    match outgoing {
        rumqttc::Outgoing::Disconnect => Event::Left,
        rumqttc::Outgoing::PingReq => Event::Ping,
        rumqttc::Outgoing::PubAck(_) | rumqttc::Outgoing::PubRec(_) => Event::Acknowledged,
        _ => Event::Other,
    }
}

fn error_v4(error: rumqttc::ConnectionError, config: &BrokerConfig) -> LinkError {
    use rumqttc::mqttbytes::Error as Malformed;
    use rumqttc::{ConnectionError, StateError};
    match error {
        ConnectionError::Io(error)
        | ConnectionError::MqttState(
            StateError::Io(error) | StateError::Deserialization(Malformed::Io(error)),
        ) => network(config, error),
        ConnectionError::Tls(error) => handshake(config, error),
        ConnectionError::NetworkTimeout | ConnectionError::FlushTimeout => LinkError::Timeout,
        ConnectionError::ConnectionRefused(code) => LinkError::Refused { reason: Reason::V4(code) },
        ConnectionError::MqttState(StateError::AwaitPingResp) => LinkError::Silent,
        ConnectionError::MqttState(StateError::ConnectionAborted) => LinkError::Closed,
        ConnectionError::MqttState(StateError::Deserialization(
            Malformed::PayloadSizeLimitExceeded(_),
        )) => LinkError::TooLarge,
        other => LinkError::V4(Box::new(other)),
    }
}

pub(crate) fn error_v5(error: v5::ConnectionError, config: &BrokerConfig) -> LinkError {
    use v5::mqttbytes::Error as Malformed;
    use v5::{ConnectionError, StateError};
    match error {
        ConnectionError::Io(error)
        | ConnectionError::MqttState(
            StateError::Io(error) | StateError::Deserialization(Malformed::Io(error)),
        ) => network(config, error),
        ConnectionError::Tls(error) => handshake(config, error),
        ConnectionError::Timeout(_) => LinkError::Timeout,
        ConnectionError::ConnectionRefused(code) => LinkError::Refused { reason: Reason::V5(code) },
        ConnectionError::MqttState(StateError::AwaitPingResp) => LinkError::Silent,
        ConnectionError::MqttState(StateError::ConnectionAborted) => LinkError::Closed,
        ConnectionError::MqttState(StateError::ServerDisconnect { reason_code, .. }) => {
            LinkError::Disconnected { reason: reason_code }
        }
        ConnectionError::MqttState(StateError::Deserialization(
            Malformed::PayloadSizeLimitExceeded { .. },
        )) => LinkError::TooLarge,
        other => LinkError::V5(Box::new(other)),
    }
}

fn network(config: &BrokerConfig, error: io::Error) -> LinkError {
    LinkError::Network { host: config.host.clone(), port: config.port(), error }
}

fn handshake(config: &BrokerConfig, error: rumqttc::TlsError) -> LinkError {
    LinkError::Handshake { host: config.host.clone(), port: config.port(), error: Box::new(error) }
}

fn qos_v4(qos: u8) -> rumqttc::QoS {
    if qos == 2 { rumqttc::QoS::ExactlyOnce } else { rumqttc::QoS::AtLeastOnce }
}

fn qos_v5(qos: u8) -> v5::mqttbytes::QoS {
    if qos == 2 { v5::mqttbytes::QoS::ExactlyOnce } else { v5::mqttbytes::QoS::AtLeastOnce }
}
