//! What the brain is put together from.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use city_model::{AlertEvent, LocalText, SharedClock, Timestamp};
use city_pipeline::{Push, PushError, Pushed};
use city_registry::Registry;
use city_rulebook::Book;
use city_rules::LateLog;
use city_rules::lifecycle::{FloodConfig, InhibitRule};
use city_store::{DeadLetterId, SharedStore, StateDb};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::{ExternalLogin, SessionLimits};
use crate::base_map::BaseMap;
use crate::receivers::Receivers;
use crate::server::HttpLimits;
use crate::silences::Silences;

/// What the brain is put together from.
pub struct Parts {
    /// Devices, metrics, zones.
    pub registry: Arc<Registry>,
    /// The credentials of devices, for messages pushed over HTTP.
    pub clients: Arc<city_registry::credentials::Credentials>,
    /// Readings, dead letters, counters.
    pub store: SharedStore,
    /// Where alerts, tokens and sessions are kept.
    pub state: Arc<StateDb>,
    /// What the alert engine decided about late readings.
    pub late_readings: LateLog,
    /// The pipeline.
    pub ingest: Arc<dyn Ingest>,
    /// The files that the zones come from.
    pub zone_files: Arc<dyn ZoneFiles>,
    /// The rules: those in force, and where they come from.
    pub rule_book: Arc<Book>,
    /// The receivers of alerts.
    pub receivers: Arc<dyn Receivers>,
    /// The city.
    pub city: CityInfo,
    /// Who speaks in the Common Alerting Protocol, if somebody does.
    pub cap: Option<city_cap::Issuer>,
    /// Demonstration or the real thing.
    pub mode: Mode,
    /// Whether everything in this instance is simulated; said on every screen.
    pub simulated: bool,
    /// Figures of all parts; the brain adds its own and serves them all.
    pub metrics: prometheus::Registry,
    /// The silences, which the alert engine asks, too.
    pub silences: Arc<Silences>,
    /// Whoever is told of what the brain itself finds out.
    pub notices: Arc<dyn Notices>,
    /// When many alerts are a flood, and how many operators share them.
    pub flood: FloodConfig,
    /// Which alerts keep others from being told.
    pub inhibit: Arc<[InhibitRule]>,
    /// What connections and clients may cost.
    pub limits: HttpLimits,
    /// How long people stay logged in.
    pub sessions: SessionLimits,
    /// What lies under the zones and the devices.
    pub base_map: BaseMap,
    /// The identity provider that people may log in through, if there is one.
    pub external_login: Option<ExternalLogin>,
    /// The clock.
    pub clock: SharedClock,
    /// The version of the program.
    pub version: String,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("city", &self.city).finish_non_exhaustive()
    }
}

/// The city, as screens show it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = City)]
pub struct CityInfo {
    /// Its name.
    #[schema(value_type = crate::schema::LocalText)]
    pub name: LocalText,
    /// Its IANA time zone, such as `America/Chicago`.
    pub time_zone: String,
    /// West, south, east, north in degrees.
    #[schema(value_type = crate::schema::Bounds)]
    pub bounds: [f64; 4],
}

/// Demonstration or the real thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// `citybrain demo`.
    Demo,
    /// `citybrain serve`.
    Live,
}

/// How ingest is doing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IngestStatus {
    /// Messages that were taken and are not yet durable.
    pub in_flight: u64,
    /// Readings committed a second, lately.
    pub readings_per_s: f64,
    /// Why commits fail now; `None` while they work.
    pub failing: Option<String>,
    /// The ids of the sources, by their number.
    pub sources: Vec<String>,
    /// The sessions with external brokers.
    pub brokers: Vec<BrokerStatus>,
    /// The receivers of alerts.
    pub receivers: Vec<ReceiverState>,
    /// Why the alert engine fails now, so that nothing is evaluated; `None` while it works.
    pub engine_failing: Option<String>,
}

/// How it stands with an external broker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct BrokerStatus {
    /// Its name in the configuration.
    pub name: String,
    /// Whether we are connected and all subscriptions were granted.
    pub ok: bool,
    /// What is wrong, or why the last connection ended; `null` if nothing was ever wrong.
    pub error: Option<String>,
}

/// How it stands with a receiver of alerts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct ReceiverState {
    /// Its id in the configuration.
    pub id: String,
    /// Events that wait to be delivered to it.
    pub waiting: u64,
    /// When it last took an event; `null` if it never did.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_delivery: Option<Timestamp>,
    /// Why deliveries fail now; `null` while they work.
    pub error: Option<String>,
    /// Since when they fail, as far back as the start; `null` while they work.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub failing_since: Option<Timestamp>,
}

/// A message on its way: see [`Ingest::push`].
pub type Pushing<'a> = Pin<Box<dyn Future<Output = Result<Pushed, PushError>> + Send + 'a>>;

/// A command for a device: see [`Ingest::command`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceCommand {
    /// The id of the device, which is registered.
    pub device: String,
    /// The last level of its topic, or several, or nothing.
    pub name: String,
    /// The bytes.
    pub payload: Bytes,
    /// What becomes of it while the device is not there.
    pub keep: CommandKeep,
}

/// What becomes of a command while its device is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CommandKeep {
    /// It is given up, unless the device has a session at the endpoint.
    None,
    /// It waits until the device fetches it, or it expires.
    #[default]
    UntilTaken,
    /// It is the last of its topic: the device gets it each time it subscribes, until there is a
    /// newer one. An empty payload ends that.
    Last,
}

/// Where a command went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CommandSent {
    /// Its topic.
    pub topic: String,
    /// How far it has come.
    pub delivery: CommandDelivery,
}

/// How far a command has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CommandDelivery {
    /// It is on its way to a client that is connected and has subscribed.
    Sent,
    /// Nobody who has subscribed is connected; it waits.
    Queued,
    /// Nobody has subscribed, and it was not to wait.
    Nobody,
}

/// Why a command was not sent; the texts are for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandRefusal {
    /// There is no embedded endpoint, or not yet.
    NoEndpoint,
    /// There is no such topic for this device.
    Topic(String),
    /// It is larger than a packet may be.
    TooLarge(String),
    /// Too many commands are kept.
    Full(String),
}

/// The receivers of alerts, as far as the brain needs them.
pub trait Notices: Send + Sync {
    /// Tells those outside of an event that no engine knows of: a deadline that was missed. It is
    /// durable when this returns; telling it again changes nothing. Blocks. The error is for people.
    fn tell(&self, event: &AlertEvent) -> Result<(), String>;
}

/// The files that the zones come from, as far as the brain needs them.
pub trait ZoneFiles: Send + Sync {
    /// Reads them again and puts their zones in the place of the present ones, all or nothing.
    /// Blocks. The errors are for people: all that is wrong and how to mend it.
    fn reload(&self) -> Result<ZoneReload, Vec<String>>;
}

/// What a reload of the zones did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct ZoneReload {
    /// How many zones there are now.
    pub zones: u64,
    /// The ids that are new.
    pub added: Vec<String>,
    /// The ids that are gone.
    pub removed: Vec<String>,
    /// What is odd in the files, but no reason to refuse them.
    pub warnings: Vec<String>,
}

/// The pipeline, as far as the brain needs it.
pub trait Ingest: Send + Sync {
    /// How it is doing. Does not block.
    fn status(&self) -> IngestStatus;

    /// Feeds a dead letter through the pipeline again, and notes that it was replayed. Blocks.
    /// The error is for people: what is wrong and how to mend it.
    fn replay(&self, id: DeadLetterId) -> Result<(), String>;

    /// Hands a message over and waits until it is durable.
    fn push(&self, push: Push) -> Pushing<'_>;

    /// Sends a command to a device. Waits for nobody, but may write to the disk.
    fn command(&self, command: DeviceCommand) -> Result<CommandSent, CommandRefusal>;
}
