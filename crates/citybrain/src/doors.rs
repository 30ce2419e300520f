//! The embedded MQTT endpoint as a door of the city: its rights, its figures, its way back.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use anyhow::Context as _;
use city_decode::Command;
use city_endpoint::{Endpoint, StatsSnapshot};
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
            mqtt.lets_anonymous_in(),
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
        self.way_back.connect(endpoint.downlink());
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
    endpoint: Arc<OnceLock<city_endpoint::Downlink>>,
}

impl WayBack {
    fn connect(&self, endpoint: city_endpoint::Downlink) {
        // There is one endpoint, and it is opened once.
        let _twice = self.endpoint.set(endpoint);
    }
}

impl Downlink for WayBack {
    fn publish(&self, source: &Source, command: Command) {
        match (source.spec.broker.as_deref(), self.endpoint.get()) {
            (None, Some(endpoint)) => endpoint.publish(&command.topic, command.payload),
            _ => tracing::debug!(
                source = source.spec.id,
                topic = command.topic,
                "nobody to publish to"
            ),
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
