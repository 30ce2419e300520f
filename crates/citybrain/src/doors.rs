//! The embedded MQTT endpoint as a door of the city: its rights, its figures, its way back.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use anyhow::Context as _;
use city_api::{CommandDelivery, CommandKeep, CommandRefusal, CommandSent, DeviceCommand};
use city_decode::Command;
use city_endpoint::{Delivery, DownlinkError, DownlinkMessage, Endpoint, Keep, StatsSnapshot};
use city_model::SharedClock;
use city_pipeline::{Downlink, Intake, Source, Sources};
use city_registry::credentials::Credentials;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::ByCredentials;
use crate::metrics::{Figure, Growth, Read};
use crate::settings::Settings;

/// What the endpoint needs of the city.
pub(crate) struct Door<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) sources: &'a Arc<Sources>,
    pub(crate) credentials: &'a Arc<Credentials>,
    pub(crate) way_back: &'a WayBack,
    pub(crate) clock: &'a SharedClock,
    pub(crate) metrics: &'a prometheus::Registry,
}

impl Door<'_> {
    /// Opens the endpoint, if it is enabled; returns where its first listener listens.
    pub(crate) async fn open(
        &self,
        intake: Intake,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> anyhow::Result<Option<SocketAddr>> {
        let mqtt = &self.settings.mqtt;
        if !mqtt.enabled {
            return Ok(None);
        }
        let config = mqtt.endpoint_config(&self.settings.data_dir);
        let sources = self.sources.clone();
        let route = Arc::new(move |topic: &str, _client: Option<&str>| sources.route(None, topic));
        let access = Arc::new(ByCredentials::new(
            self.credentials.clone(),
            self.sources.clone(),
            mqtt.command_topics.clone(),
            mqtt.anonymous(),
        ));
        let endpoint = Endpoint::bind(config, intake, route, access.clone(), self.clock.clone())
            .await
            .context("[mqtt] listen: is another broker listening there?")?;
        let address = endpoint.local_addr()?;
        for (name, address) in endpoint.addresses()?.iter().skip(1) {
            tracing::info!(listener = name, %address, "listening for MQTT");
        }
        let stats = endpoint.stats();
        Read::register(self.metrics, &[], move || figures(&stats.snapshot()))?;
        self.way_back.connect(endpoint.downlink(), mqtt.command_topics.clone());
        tasks.spawn(access.watch(endpoint.doorway(), stop.clone()));
        let stop = stop.clone();
        tasks.spawn(async move { endpoint.run(stop).await });
        Ok(Some(address))
    }
}

/// The way back to the devices that are connected to the embedded endpoint. Formats get it before
/// the endpoint is there.
#[derive(Clone, Default)]
pub(crate) struct WayBack {
    open: Arc<OnceLock<Open>>,
}

struct Open {
    endpoint: city_endpoint::Downlink,
    /// What devices may subscribe to.
    command_topics: Vec<String>,
}

impl WayBack {
    fn connect(&self, endpoint: city_endpoint::Downlink, command_topics: Vec<String>) {
        // There is one endpoint, and it is opened once.
        let _twice = self.open.set(Open { endpoint, command_topics });
    }

    /// Sends a command to a device, on the first of its command topics that can be published to.
    pub(crate) fn command(&self, command: DeviceCommand) -> Result<CommandSent, CommandRefusal> {
        let open = self.open.get().ok_or(CommandRefusal::NoEndpoint)?;
        let DeviceCommand { device, name, payload, keep } = command;
        let topic =
            command_topic(&open.command_topics, &device, &name).map_err(CommandRefusal::Topic)?;
        let keep = match keep {
            CommandKeep::None => Keep::No,
            CommandKeep::UntilTaken => Keep::UntilTaken,
            CommandKeep::Last => Keep::Last,
        };
        let message = DownlinkMessage { keep, ..DownlinkMessage::new(topic.as_str(), payload) };
        let delivery = open.endpoint.send(message).map_err(|error| {
            let detail = format!("{error}.");
            match error {
                DownlinkError::Topic(_) => CommandRefusal::Topic(detail),
                DownlinkError::TooLarge { .. } => CommandRefusal::TooLarge(detail),
                DownlinkError::Full(_) => CommandRefusal::Full(detail),
            }
        })?;
        let delivery = match delivery {
            Delivery { connected: 1.., .. } => CommandDelivery::Sent,
            Delivery { clients: 0, kept: false, .. } => CommandDelivery::Nobody,
            Delivery { .. } => CommandDelivery::Queued,
        };
        Ok(CommandSent { topic, delivery })
    }
}

/// The topic of a command: the first template that is one device's own and needs no guess, with
/// the name in the place of its `#`. The error says what is wrong.
fn command_topic(templates: &[String], device: &str, name: &str) -> Result<String, String> {
    const SPECIAL: [char; 3] = ['/', '+', '#'];
    if device.contains(SPECIAL) {
        return Err(format!("`{device}` has no topics of its own: its id has /, + or # in it."));
    }
    if name.contains(['+', '#']) || name.starts_with('/') || name.ends_with('/') {
        return Err(format!("`{name}` is no part of a topic: it has wildcards or empty levels."));
    }
    let own = |template: &&String| template.contains("{device}") && !template.contains('+');
    let template = templates.iter().find(own).ok_or_else(|| {
        "No command topic of the configuration has {device} and no + in it.".to_owned()
    })?;
    let filled = template.replace("{device}", device);
    match (filled.strip_suffix("/#"), name) {
        (Some(folder), "") => Ok(folder.to_owned()),
        (Some(folder), name) => Ok(format!("{folder}/{name}")),
        (None, "") => Ok(filled),
        (None, _) => Err(format!("`{filled}` is the only command topic: it takes no name.")),
    }
}

impl Downlink for WayBack {
    fn publish(&self, source: &Source, command: Command) {
        if let (None, Some(open)) = (source.spec.broker.as_deref(), self.open.get()) {
            open.endpoint.publish(&command.topic, command.payload);
        } else {
            tracing::debug!(source = source.spec.id, topic = command.topic, "nobody to publish to");
        }
    }
}

fn figures(stats: &StatsSnapshot) -> Vec<Figure> {
    use Growth::{Counter, Gauge};
    vec![
        (
            "citybrain_endpoint_open_connections",
            "Connections that are open now.",
            Gauge,
            stats.open,
        ),
        (
            "citybrain_endpoint_connections_total",
            "Connections accepted.",
            Counter,
            stats.connections,
        ),
        (
            "citybrain_endpoint_refused_connections_total",
            "Connections refused.",
            Counter,
            stats.refused_connections,
        ),
        (
            "citybrain_endpoint_limited_connections_total",
            "Connections refused because of a limit of their device or address.",
            Counter,
            stats.limited,
        ),
        (
            "citybrain_endpoint_failed_logins_total",
            "Connections refused because their credentials were wrong or missing.",
            Counter,
            stats.failed_logins,
        ),
        (
            "citybrain_endpoint_throttled_total",
            "How often a device was not read from because it sent more than its rate.",
            Counter,
            stats.throttled,
        ),
        ("citybrain_endpoint_messages_total", "Messages received.", Counter, stats.received),
        (
            "citybrain_endpoint_bytes_total",
            "Bytes of topics and payloads received.",
            Counter,
            stats.bytes,
        ),
        (
            "citybrain_endpoint_acknowledged_total",
            "Messages acknowledged after their commit.",
            Counter,
            stats.acknowledged,
        ),
        (
            "citybrain_endpoint_refused_messages_total",
            "Messages refused for lack of rights.",
            Counter,
            stats.refused,
        ),
        (
            "citybrain_endpoint_violations_total",
            "Connections ended for breaking the protocol.",
            Counter,
            stats.violations,
        ),
        ("citybrain_endpoint_commands_total", "Commands to devices.", Counter, stats.commands),
        (
            "citybrain_endpoint_commands_acknowledged_total",
            "Commands that devices have answered.",
            Counter,
            stats.commands_acknowledged,
        ),
        (
            "citybrain_endpoint_commands_dropped_total",
            "Commands given up: expired, too large for their client, or in a full mailbox.",
            Counter,
            stats.commands_dropped,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_goes_to_the_first_topic_that_is_the_devices_own() {
        let topic = |templates: &[&str], device, name| {
            let templates: Vec<_> = templates.iter().map(ToString::to_string).collect();
            command_topic(&templates, device, name).ok()
        };
        let usual = city_endpoint::COMMAND_TOPICS;
        assert_eq!(topic(usual, "d1", "set").as_deref(), Some("cmd/d1/set"));
        assert_eq!(topic(usual, "d1", "led/set").as_deref(), Some("cmd/d1/led/set"));
        assert_eq!(topic(usual, "d1", "").as_deref(), Some("cmd/d1"));
        let other = ["spBv1.0/STATE/+", "x/+/{device}/#", "to/{device}"];
        assert_eq!(topic(&other, "d1", "").as_deref(), Some("to/d1"));
        assert_eq!(topic(&other, "d1", "set"), None);
        assert_eq!(topic(&other[..2], "d1", "set"), None);
        for (device, name) in [("lamp/1", "set"), ("#", "set"), ("d1", "+"), ("d1", "/set")] {
            assert_eq!(topic(usual, device, name), None, "{device} {name}");
        }
    }
}
